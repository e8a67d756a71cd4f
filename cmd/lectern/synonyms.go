package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/suggest"
	"github.com/lectern-dev/lectern/synonyms"
	"github.com/lectern-dev/lectern/text"
)

// newSynonyms wires what keeps the synonym rules, and puts those of the store to
// use.
func newSynonyms(ctx context.Context, e *engine) (*synonyms.Keeper, error) {
	k := synonyms.New(synonyms.Options{
		Store: e.store, Holder: e.holder, Use: []func(*text.Synonyms){e.words.SetSynonyms},
		Clock: lectern.SystemClock, Logger: e.log,
	})
	return k, k.Look(ctx)
}

// suggestSynonyms hands the rules that queries are read with on to what completes
// them.
type suggestSynonyms struct{ words *text.Lexicon }

var _ suggest.Synonyms = suggestSynonyms{}

func (s suggestSynonyms) Variants(query string) []suggest.Variant {
	found := s.words.Synonyms().Variants(query)
	out := make([]suggest.Variant, len(found))
	for i, v := range found {
		out[i] = suggest.Variant{Query: v.Text, From: v.From, To: v.To}
	}
	return out
}

func newSynonymsCommand() *cobra.Command {
	return parent("synonyms", "Read, replace and check the synonym rules",
		newSynonymsGetCommand(), newSynonymsPutCommand(), newSynonymsCheckCommand())
}

// synonymsFormats is told by the commands that read files.
const synonymsFormats = "FILE is JSON as `lectern synonyms get` prints it, or has lines in the format of Solr and Elasticsearch:\n" +
	"`a, b, c` stand for one another, and in `a, b => c, d` each of a and b means c and d too. - is the standard input."

func newSynonymsGetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "get", Short: "Print the rules in use as JSON", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExistingStore(cmd, func(env environment) error {
				rules, err := keeperOf(env).Synonyms(cmd.Context())
				if err != nil {
					return err
				}
				if rules.Rules == nil {
					rules.Rules = []lectern.SynonymRule{}
				}
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetEscapeHTML(false)
				enc.SetIndent("", "  ")
				return enc.Encode(rules)
			})
		},
	}
	return withConfigFlags(cmd)
}

// keeperOf reads and writes rules without using them.
func keeperOf(env environment) *synonyms.Keeper {
	return synonyms.New(synonyms.Options{Store: env.store, Holder: holderName(), Clock: lectern.SystemClock, Logger: env.log})
}

func newSynonymsPutCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use: "put FILE", Short: "Replace the rules by those of a file", Args: exactly("FILE"),
		Long: "Replace the rules by those of a file. A running server sees them within two seconds.\n\n" + synonymsFormats +
			"\n\nWhere the file names a version, it must be the one in use, so that nobody's change is lost.",
		RunE: func(cmd *cobra.Command, args []string) error {
			file, _, err := readSynonyms(cmd, args[0])
			if err != nil {
				return err
			}
			if force {
				file.Base = nil
			}
			return withStore(cmd, func(env environment) error {
				rules, warnings, err := keeperOf(env).PutSynonyms(cmd.Context(), lectern.SynonymRules{Rules: file.Rules}, file.Base)
				if err != nil {
					return file.Located(err)
				}
				printWarnings(cmd.ErrOrStderr(), file.Fields(warnings))
				fmt.Fprintf(cmd.OutOrStdout(), "version %d: %d rules\n", rules.Version, len(rules.Rules))
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace the rules whichever version the file was made from")
	return withConfigFlags(cmd)
}

func newSynonymsCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check FILE", Short: "Say what is wrong with a file of rules, and change nothing", Args: exactly("FILE"),
		Long: "Say what is wrong with a file of rules, and change nothing.\n\n" + synonymsFormats,
		RunE: func(cmd *cobra.Command, args []string) error {
			file, warnings, err := readSynonyms(cmd, args[0])
			if err != nil {
				return err
			}
			printWarnings(cmd.ErrOrStderr(), warnings)
			fmt.Fprintf(cmd.OutOrStdout(), "%d rules, %d warnings\n", len(file.Rules), len(warnings))
			return nil
		},
	}
}

// maxSynonymsFile is the size, in bytes, past which a file is no list of rules.
const maxSynonymsFile = 16 << 20

// readSynonyms reads and checks a file of rules.
func readSynonyms(cmd *cobra.Command, name string) (synonyms.File, []lectern.FieldError, error) {
	data, err := readSmall(cmd, name)
	if err != nil {
		return synonyms.File{}, nil, err
	}
	file, err := synonyms.Parse(data)
	if err != nil {
		return synonyms.File{}, nil, err
	}
	compiled, err := text.CompileSynonyms(lectern.SynonymRules{Rules: file.Rules})
	if err != nil {
		return synonyms.File{}, nil, file.Located(err)
	}
	return file, file.Fields(compiled.Warnings()), nil
}

func readSmall(cmd *cobra.Command, name string) ([]byte, error) {
	in := cmd.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read the file: %w", err)
		}
		defer f.Close() //nolint:errcheck // it was only read
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxSynonymsFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	if len(data) > maxSynonymsFile {
		return nil, lectern.Errorf(lectern.CodeTooLarge, "%s has more than %d bytes", name, maxSynonymsFile)
	}
	return data, nil
}

func printWarnings(w io.Writer, warnings []lectern.FieldError) {
	for _, f := range warnings {
		fmt.Fprintf(w, "warning: %s: %s", f.Field, f.Reason)
		if f.Value != "" {
			fmt.Fprintf(w, " (%q)", f.Value)
		}
		fmt.Fprintln(w)
	}
}
