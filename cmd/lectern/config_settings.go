package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
	"github.com/lectern-dev/lectern/settings/versioned"
)

// authorCLI is the author of what is changed at the command line.
const authorCLI = "cli"

// keptSettingsOf is what the commands need of a service that keeps settings.
type keptSettingsOf[C any] interface {
	Get(ctx context.Context) (versioned.Document[C], error)
	Put(ctx context.Context, c versioned.Change) (versioned.Result[C], error)
	Patch(ctx context.Context, c versioned.Change) (versioned.Result[C], error)
	Activate(ctx context.Context, version int64, c versioned.Change) (versioned.Result[C], error)
	Versions(ctx context.Context, before int64, limit int) ([]versioned.Version, int64, error)
	Version(ctx context.Context, version int64) (versioned.Version, error)
	Diff(ctx context.Context, from, to int64) ([]versioned.Difference, error)
}

// settingsFamily are the commands about settings of one kind.
type settingsFamily[C any] struct {
	prefix string // of the names of versions
	open   func(environment) (keptSettingsOf[C], error)
	schema func() []byte
}

func rerankFamily() settingsFamily[rerank.Config] {
	return settingsFamily[rerank.Config]{
		prefix: settings.NamePrefix, schema: rerank.Schema,
		open: func(env environment) (keptSettingsOf[rerank.Config], error) { return keptSettings(env, nil) },
	}
}

func newConfigRerankCommand() *cobra.Command {
	f := rerankFamily()
	cmd := parent("rerank", "Read and change the rerank settings of the store",
		append(f.commands(), newRerankPreviewCommand(), newRerankTuneCommand())...)
	cmd.Long = cmd.Short + settingsHelp
	return cmd
}

func newConfigExploreCommand() *cobra.Command {
	f := settingsFamily[explore.Config]{
		prefix: explore.NamePrefix, schema: explore.Schema,
		open: func(env environment) (keptSettingsOf[explore.Config], error) { return keptExploration(env) },
	}
	cmd := parent("explore", "Read and change the exploration settings of the store",
		append(f.commands(),
			f.switchTo("off", "Switch all exploration off", `{"enabled": false}`),
			f.switchTo("on", "Switch exploration on", `{"enabled": true}`))...)
	cmd.Long = cmd.Short + settingsHelp
	return cmd
}

const settingsHelp = ". Running servers have a change within two seconds.\n\n" +
	"As long as no version is stored the configuration file's settings hold, which are version 0."

// commands are those that every kind has.
func (f settingsFamily[C]) commands() []*cobra.Command {
	return []*cobra.Command{
		f.show(), f.describe(),
		f.write("put FILE", "Replace the settings by those of a file", keptSettingsOf[C].Put),
		f.write("patch FILE", "Apply a JSON merge patch (RFC 7396) to the settings", keptSettingsOf[C].Patch),
		f.versions(), f.diff(), f.activate(),
	}
}

// opener is withStore or withExistingStore.
type opener func(cmd *cobra.Command, f func(environment) error) error

// with opens the store and hands the keeper of its settings on.
func (f settingsFamily[C]) with(cmd *cobra.Command, open opener, do func(ctx context.Context, s keptSettingsOf[C]) error) error {
	return open(cmd, func(env environment) error {
		env.log = slog.New(slog.DiscardHandler) // nothing is in use here
		s, err := f.open(env)
		if err != nil {
			return err
		}
		return do(cmd.Context(), s)
	})
}

// switchTo applies a patch that is known.
func (f settingsFamily[C]) switchTo(use, short, patch string) *cobra.Command {
	var comment string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: noArgs,
		Long: short + ", whatever else the settings say, as a version of its own.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd, withStore, func(ctx context.Context, s keptSettingsOf[C]) error {
				r, err := s.Patch(ctx, versioned.Change{Body: []byte(patch), Author: authorCLI, Comment: comment})
				if err != nil {
					return err
				}
				printSettingsResult(cmd, r)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&comment, "comment", "", "why, for the history")
	return withConfigFlags(cmd)
}

func (f settingsFamily[C]) show() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show [VERSION]", Aliases: []string{"get"}, Short: "Print the settings in use, or those of a version, as the document that put reads", Args: between(0, 1, "[VERSION]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, withExistingStore, func(ctx context.Context, s keptSettingsOf[C]) error {
				body, name, warnings, err := f.documentOf(ctx, s, args)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.ErrOrStderr(), name)
				printSettingsWarnings(cmd.ErrOrStderr(), warnings)
				return printIndented(cmd.OutOrStdout(), body)
			})
		},
	}
	return withConfigFlags(cmd)
}

// documentOf returns the settings in use, or of the version that is named.
func (f settingsFamily[C]) documentOf(ctx context.Context, s keptSettingsOf[C], args []string) (body []byte, name string, warnings []versioned.Warning, err error) {
	if len(args) == 0 {
		d, err := s.Get(ctx)
		return d.Body, d.Name, d.Warnings, err
	}
	n, err := f.number(args[0])
	if err != nil {
		return nil, "", nil, err
	}
	v, err := s.Version(ctx, n)
	return v.Body, v.Name, v.Warnings, err
}

func printIndented(w io.Writer, body []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(w)
	return err
}

func (f settingsFamily[C]) describe() *cobra.Command {
	return withConfigFlags(&cobra.Command{ // which it has no use for; but scripts give them to every command of the family
		Use: "schema", Short: "Print the JSON Schema of the settings", Args: noArgs,
		Long: "Print the JSON Schema of the settings: a sentence, bounds and a default for every field. It is the same whatever the data folder.",
		RunE: func(cmd *cobra.Command, _ []string) error { return printIndented(cmd.OutOrStdout(), f.schema()) },
	})
}

func (f settingsFamily[C]) write(use, short string,
	write func(keptSettingsOf[C], context.Context, versioned.Change) (versioned.Result[C], error),
) *cobra.Command {
	var base, comment string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: exactly("FILE"),
		Long: short + ". - is the standard input. With --base it fails when another version is in use by now, so that nobody's change is lost.",
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := readSmall(cmd, args[0])
			if err != nil {
				return err
			}
			return f.with(cmd, withStore, func(ctx context.Context, s keptSettingsOf[C]) error {
				match, err := f.matchOf(ctx, s, base)
				if err != nil {
					return err
				}
				r, err := write(s, ctx, versioned.Change{Body: body, IfMatch: match, Author: authorCLI, Comment: comment})
				if err != nil {
					return err
				}
				printSettingsResult(cmd, r)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "version that the change was made from, for example v3")
	cmd.Flags().StringVar(&comment, "comment", "", "why, for the history")
	return withConfigFlags(cmd)
}

func printSettingsResult[C any](cmd *cobra.Command, r versioned.Result[C]) {
	printSettingsWarnings(cmd.ErrOrStderr(), r.Warnings)
	if !r.Changed {
		fmt.Fprintf(cmd.OutOrStdout(), "%s is in use already: nothing changed\n", r.Name)
		return
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s is in use\n", r.Name)
	printDiff(cmd.OutOrStdout(), r.Diff)
}

func printSettingsWarnings(w io.Writer, warnings []versioned.Warning) {
	for _, x := range warnings {
		fmt.Fprintln(w, "warning:", x.Message)
	}
}

// printDiff writes one change a line.
func printDiff(w io.Writer, changes []versioned.Difference) {
	side := func(v json.RawMessage) string {
		if v == nil {
			return "(absent)"
		}
		return string(v)
	}
	for _, c := range changes {
		fmt.Fprintf(w, "  %s: %s → %s\n", c.Path, side(c.From), side(c.To))
	}
}

func (f settingsFamily[C]) versions() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "versions", Short: "List the stored versions, newest first", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd, withExistingStore, func(ctx context.Context, s keptSettingsOf[C]) error {
				list, _, err := s.Versions(ctx, 0, limit)
				if err != nil {
					return err
				}
				if len(list) == 0 {
					fmt.Fprintln(cmd.ErrOrStderr(), "no version is stored: the configuration file's settings hold")
				}
				return printSettingsVersions(cmd.OutOrStdout(), list)
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "how many to list")
	return withConfigFlags(cmd)
}

func printSettingsVersions(out io.Writer, list []versioned.Version) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "version\tin use\tmade\tby\tchanges\tlast activated\tcomment")
	for _, v := range list {
		made, last, use := "", "", ""
		if v.CreatedAt != nil {
			made = v.CreatedAt.Format(time.RFC3339)
		}
		if len(v.Activations) > 0 {
			last = v.Activations[0].At.Format(time.RFC3339) + " by " + v.Activations[0].Author
		}
		if v.Active {
			use = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", v.Name, use, made, v.Author, len(v.Diff), last, v.Comment)
	}
	return w.Flush()
}

func (f settingsFamily[C]) diff() *cobra.Command {
	cmd := &cobra.Command{
		Use: "diff N [M]", Short: "Say what version N changed, or what differs from version N to version M", Args: between(1, 2, "N [M]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			numbers := make([]int64, len(args))
			for i, text := range args {
				n, err := f.number(text)
				if err != nil {
					return err
				}
				numbers[i] = n
			}
			return f.with(cmd, withExistingStore, func(ctx context.Context, s keptSettingsOf[C]) error {
				if len(numbers) == 2 {
					changes, err := s.Diff(ctx, numbers[0], numbers[1])
					printDiff(cmd.OutOrStdout(), changes)
					return err
				}
				v, err := s.Version(ctx, numbers[0])
				printDiff(cmd.OutOrStdout(), v.Diff)
				return err
			})
		},
	}
	return withConfigFlags(cmd)
}

func (f settingsFamily[C]) activate() *cobra.Command {
	var base, comment string
	cmd := &cobra.Command{
		Use: "activate N", Short: "Go to a stored version; 0 is the configuration file's settings", Args: exactly("N"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := f.number(args[0])
			if err != nil {
				return err
			}
			return f.with(cmd, withExistingStore, func(ctx context.Context, s keptSettingsOf[C]) error {
				match, err := f.matchOf(ctx, s, base)
				if err != nil {
					return err
				}
				r, err := s.Activate(ctx, n, versioned.Change{IfMatch: match, Author: authorCLI, Comment: comment})
				if err != nil {
					return err
				}
				printSettingsResult(cmd, r)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "version that must be in use, for example v3")
	cmd.Flags().StringVar(&comment, "comment", "", "why, for the history")
	return withConfigFlags(cmd)
}

// matchOf is the precondition that --base states: 3 and v3 are version 3, and 0 the
// configuration file's.
func (f settingsFamily[C]) matchOf(ctx context.Context, s keptSettingsOf[C], base string) (string, error) {
	if base == "" {
		return "", nil
	}
	n, err := f.number(base)
	if err != nil {
		return base, nil //nolint:nilerr // the ETag of an answer
	}
	if n > 0 {
		return f.prefix + strconv.FormatInt(n, 10), nil
	}
	v, err := s.Version(ctx, 0)
	return v.Name, err
}

// between accepts so many arguments.
func between(least, most int, words string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		return usageError{fmt.Errorf("%s takes %s; got %d arguments", cmd.CommandPath(), words, len(args))}
	}
}

// number reads 12 and v12.
func (f settingsFamily[C]) number(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(text, f.prefix), 10, 64)
	if err != nil || n < 0 {
		return 0, lectern.Invalid("this is not a version", lectern.NewFieldError("version", text, "is not a version", "a whole number, 0 for the configuration file's"))
	}
	return n, nil
}
