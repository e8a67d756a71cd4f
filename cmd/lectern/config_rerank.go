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
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
)

// authorCLI is the author of what is changed at the command line.
const authorCLI = "cli"

func newConfigRerankCommand() *cobra.Command {
	cmd := parent("rerank", "Read and change the rerank settings of the store",
		newRerankShowCommand(), newRerankSchemaCommand(),
		newRerankWriteCommand("put FILE", "Replace the settings by those of a file", (*settings.Service).Put),
		newRerankWriteCommand("patch FILE", "Apply a JSON merge patch (RFC 7396) to the settings", (*settings.Service).Patch),
		newRerankVersionsCommand(), newRerankDiffCommand(), newRerankActivateCommand(),
		newRerankPreviewCommand(), newRerankTuneCommand())
	cmd.Long = cmd.Short + ". Running servers have a change within two seconds.\n\n" +
		"As long as no version is stored the configuration file's settings hold, which are version 0."
	return cmd
}

// opener is withStore or withExistingStore.
type opener func(cmd *cobra.Command, f func(environment) error) error

// withSettings opens the store and hands the keeper of its settings on.
func withSettings(cmd *cobra.Command, open opener, f func(ctx context.Context, s *settings.Service) error) error {
	return open(cmd, func(env environment) error {
		env.log = slog.New(slog.DiscardHandler) // nothing is in use here
		s, err := keptSettings(env, nil)
		if err != nil {
			return err
		}
		return f(cmd.Context(), s)
	})
}

func newRerankShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show [VERSION]", Short: "Print the settings in use, or those of a version, as the document that put reads", Args: between(0, 1, "[VERSION]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withSettings(cmd, withExistingStore, func(ctx context.Context, s *settings.Service) error {
				body, name, warnings, err := documentOf(ctx, s, args)
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
func documentOf(ctx context.Context, s *settings.Service, args []string) (body []byte, name string, warnings []settings.Warning, err error) {
	if len(args) == 0 {
		d, err := s.Get(ctx)
		return d.Body, d.Name, d.Warnings, err
	}
	n, err := versionNumber(args[0])
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

func newRerankSchemaCommand() *cobra.Command {
	return withConfigFlags(&cobra.Command{ // which it has no use for; but scripts give them to every command of the family
		Use: "schema", Short: "Print the JSON Schema of the settings", Args: noArgs,
		Long: "Print the JSON Schema of the settings: a sentence, bounds and a default for every field. It is the same whatever the data folder.",
		RunE: func(cmd *cobra.Command, _ []string) error { return printIndented(cmd.OutOrStdout(), rerank.Schema()) },
	})
}

func newRerankWriteCommand(use, short string, write func(*settings.Service, context.Context, settings.Change) (settings.Result, error)) *cobra.Command {
	var base, comment string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: exactly("FILE"),
		Long: short + ". - is the standard input. With --base it fails when another version is in use by now, so that nobody's change is lost.",
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := readSmall(cmd, args[0])
			if err != nil {
				return err
			}
			return withSettings(cmd, withStore, func(ctx context.Context, s *settings.Service) error {
				match, err := matchOf(ctx, s, base)
				if err != nil {
					return err
				}
				r, err := write(s, ctx, settings.Change{Body: body, IfMatch: match, Author: authorCLI, Comment: comment})
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

func printSettingsResult(cmd *cobra.Command, r settings.Result) {
	printSettingsWarnings(cmd.ErrOrStderr(), r.Warnings)
	if !r.Changed {
		fmt.Fprintf(cmd.OutOrStdout(), "%s is in use already: nothing changed\n", r.Name)
		return
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s is in use\n", r.Name)
	printDiff(cmd.OutOrStdout(), r.Diff)
}

func printSettingsWarnings(w io.Writer, warnings []settings.Warning) {
	for _, x := range warnings {
		fmt.Fprintln(w, "warning:", x.Message)
	}
}

// printDiff writes one change a line.
func printDiff(w io.Writer, changes []rerank.Change) {
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

func newRerankVersionsCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "versions", Short: "List the stored versions, newest first", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withSettings(cmd, withExistingStore, func(ctx context.Context, s *settings.Service) error {
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

func printSettingsVersions(out io.Writer, list []settings.Version) error {
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

func newRerankDiffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "diff N [M]", Short: "Say what version N changed, or what differs from version N to version M", Args: between(1, 2, "N [M]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			numbers := make([]int64, len(args))
			for i, text := range args {
				n, err := versionNumber(text)
				if err != nil {
					return err
				}
				numbers[i] = n
			}
			return withSettings(cmd, withExistingStore, func(ctx context.Context, s *settings.Service) error {
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

func newRerankActivateCommand() *cobra.Command {
	var base, comment string
	cmd := &cobra.Command{
		Use: "activate N", Short: "Go to a stored version; 0 is the configuration file's settings", Args: exactly("N"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := versionNumber(args[0])
			if err != nil {
				return err
			}
			return withSettings(cmd, withExistingStore, func(ctx context.Context, s *settings.Service) error {
				match, err := matchOf(ctx, s, base)
				if err != nil {
					return err
				}
				r, err := s.Activate(ctx, n, settings.Change{IfMatch: match, Author: authorCLI, Comment: comment})
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
func matchOf(ctx context.Context, s *settings.Service, base string) (string, error) {
	if base == "" {
		return "", nil
	}
	n, err := versionNumber(base)
	if err != nil {
		return base, nil //nolint:nilerr // the ETag of an answer
	}
	if n > 0 {
		return settings.Name(n), nil
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

// versionNumber reads 12 and v12.
func versionNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(text, "v"), 10, 64)
	if err != nil || n < 0 {
		return 0, lectern.Invalid("this is not a version", lectern.NewFieldError("version", text, "is not a version", "a whole number, 0 for the configuration file's"))
	}
	return n, nil
}
