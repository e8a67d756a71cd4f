package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval"
)

// What is asked of titles: the right course among the first specificTop after
// specificLetters letters of the title's most specific word.
const (
	specificLetters = 5
	specificTop     = 5
)

// autocompleteEval is what lectern eval autocomplete was asked to do.
type autocompleteEval struct {
	queries, qrels string // files
	leaveOut       string
	titles         int
	letters        int
	seed           uint64
	asJSON         bool
}

func newEvalAutocompleteCommand() *cobra.Command {
	var o autocompleteEval
	cmd := &cobra.Command{
		Use: "autocomplete", Args: noArgs,
		Short: "Measure suggestions while queries are typed letter by letter",
		Long: `Indexes the catalogue of --data in memory and types queries letter by letter: those
of a file with judgements, sampled titles, or both. It prints the mean reciprocal
rank of the right answer (a relevant course, or the query as a completion) by the
number of letters typed, the share of queries whose right answer is among the
first five after 3, 5 and 8 letters, the share of letters that need not be typed
until it is there, and the milliseconds of a keystroke. Of titles it also prints
how many of the courses are among the first five after five letters of the title's
most specific word, the one that the fewest courses hold.

The floor, search, is what /v1/search answers to the letters typed so far;
autocomplete is what /v1/autocomplete answers to nobody in particular, its courses
before its completions.`,
		Example: `  lectern eval autocomplete --data ./data --titles 500 --seed 1
  lectern eval autocomplete --data ./data --queries q.tsv --qrels q.qrels`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (o.queries == "") != (o.qrels == "") {
				return usageError{errors.New("--queries and --qrels go together")}
			}
			if o.titles < 0 || o.letters < 0 {
				return usageError{errors.New("--titles and --letters are at least 0")}
			}
			if o.queries != "" && !cmd.Flags().Changed("titles") {
				o.titles = 0
			}
			if o.queries == "" && o.titles == 0 {
				return usageError{errors.New("nothing to type: give --titles, or --queries and --qrels")}
			}
			return withExistingStore(cmd, func(env environment) error { return o.measure(cmd, env) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.queries, "queries", "", "query file: id<TAB>text")
	flags.StringVar(&o.qrels, "qrels", "", "TREC judgements: query id, 0, course id, grade")
	flags.StringVar(&o.leaveOut, "leave-out", "auto", "course fields that are not searched, separated by commas; none, or auto")
	flags.IntVar(&o.titles, "titles", 500, "titles to sample; 0 for none, the default when --queries are given")
	flags.IntVar(&o.letters, "letters", 24, "letters to type of a query at most; 0 for all")
	flags.Uint64Var(&o.seed, "seed", evalSeed, "of the sample of titles")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
	return withConfigFlags(cmd)
}

// completers are what is measured, the floor first.
func (b *searchBench) completers() []eval.Completer {
	return []eval.Completer{
		eval.SearchCompleter(eval.SearchRanker{Name: "search", Search: b.served}),
		suggestCompleter(b.suggest),
	}
}

// measure makes the index and the reports.
func (o autocompleteEval) measure(cmd *cobra.Command, env environment) (err error) {
	courses, err := allCourses(cmd.Context(), env)
	if err != nil {
		return err
	}
	var set eval.QuerySet
	var qrels eval.Qrels
	if o.queries != "" {
		if set, qrels, err = readJudged(o.queries, o.qrels); err != nil {
			return err
		}
	}
	fields, err := fieldsToLeaveOut(o.leaveOut, set, courses)
	if err != nil {
		return err
	}
	bench, err := newSearchBench(cmd.Context(), env, courses, fields)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bench.close(cmd.Context())) }()
	fmt.Fprintf(cmd.ErrOrStderr(), "%d courses indexed, fields left out of the text: %s\n", len(courses), describeFields(fields))
	var out typedReport
	if o.queries != "" {
		r, err := eval.Autocomplete(cmd.Context(), bench.completers(), set.Queries, qrels, eval.TypeOptions{Letters: o.letters})
		if err != nil {
			return err
		}
		r.Name = "queries"
		out.Sets = append(out.Sets, r)
	}
	if o.titles > 0 {
		if err := out.addTitles(cmd.Context(), bench, courses, o); err != nil {
			return err
		}
	}
	return printReport(cmd, out, o.asJSON)
}

// typedReport is everything that lectern eval autocomplete found.
type typedReport struct {
	Sets []eval.AutocompleteReport `json:"sets"`
	// Specific is the share of titles whose course is among the first five after
	// five letters of its most specific word, by completer.
	Specific []specificShare `json:"specific_word,omitempty"`
}

type specificShare struct {
	Name  string  `json:"name"`
	Share float64 `json:"right_course_in_top_5_after_5_letters"`
}

var _ printable = typedReport{}

func (r *typedReport) addTitles(ctx context.Context, bench *searchBench, courses []lectern.Course, o autocompleteEval) error {
	set, qrels := eval.TitleQueries(courses, o.titles, o.seed)
	typed, err := eval.Autocomplete(ctx, bench.completers(), set.Queries, qrels, eval.TypeOptions{Letters: o.letters})
	if err != nil {
		return err
	}
	typed.Name = "titles"
	r.Sets = append(r.Sets, typed)
	prefixes := eval.NewSpecificity(courses).SpecificPrefixes(set, specificLetters)
	for _, c := range bench.completers() {
		share, err := eval.Within(ctx, c, prefixes.Queries, qrels, specificTop)
		if err != nil {
			return err
		}
		r.Specific = append(r.Specific, specificShare{c.Name, share})
	}
	return nil
}

// WriteTable prints the report for people.
func (r typedReport) WriteTable(w io.Writer) error {
	for i, s := range r.Sets {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s\n", s.Name)
		if err := s.WriteTable(w); err != nil {
			return err
		}
	}
	if len(r.Specific) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nright course among the first %d after %d letters of its title's most specific word\n", specificTop, specificLetters)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, s := range r.Specific {
		fmt.Fprintf(t, "%s\t%.4f\t\n", s.Name, s.Share)
	}
	return t.Flush()
}

// WriteJSON prints the report for programs.
func (r typedReport) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(r) }
