package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// searchEval is what lectern eval search was asked to do.
type searchEval struct {
	queries, qrels string // files
	leaveOut       string
	classes        []string
	sample         int
	seed           uint64
	run            string // file
	gains          bool
	asJSON         bool
}

func newEvalSearchCommand() *cobra.Command {
	var o searchEval
	cmd := &cobra.Command{
		Use: "search", Args: noArgs,
		Short: "Measure search by words, by meaning and as served, on queries with judgements",
		Long: `Indexes the catalogue of --data in memory, asks every query, and prints nDCG@10,
Recall@50, MRR@10 and milliseconds per query for word BM25 (bm25), for the latent
vectors (latent) and for what /v1/search serves (hybrid), also without the skill
graph (hybrid-skills-off).

Queries are lines of "id<TAB>text"; judgements are TREC qrels with course ids.
When the queries were made from a field of the courses, that field must not be
searched: --leave-out skills says so, and so may the query file. With the default,
auto, skills are left out when most of the queries are skills of the catalogue.

With --classes, one report covers kinds of queries: whole titles, titles at 3, 5
and 8 letters of their most specific word, at 60 % of their letters and with one
typo, the same of skills, and titles in other languages than most, without their
accents (--classes all). The queries of --queries, if given, are the class question.`,
		Example: `  lectern eval search --data ./data --queries q.tsv --qrels q.qrels
  lectern eval search --data ./data --classes all --queries q.tsv --qrels q.qrels`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			classes, err := parseClasses(o.classes)
			if err != nil {
				return err
			}
			if (o.queries == "") != (o.qrels == "") || o.queries == "" && len(classes) == 0 {
				return usageError{errors.New("--queries and --qrels are required, or --classes")}
			}
			return withExistingStore(cmd, func(env environment) error { return o.measure(cmd, env, classes) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.queries, "queries", "", "query file: id<TAB>text")
	flags.StringVar(&o.qrels, "qrels", "", "TREC judgements: query id, 0, course id, grade")
	flags.StringVar(&o.leaveOut, "leave-out", "auto", "course fields that are not searched, separated by commas; none, or auto")
	flags.StringSliceVar(&o.classes, "classes", nil, "kinds of queries to make from the catalogue, separated by commas; all for all")
	flags.IntVar(&o.sample, "sample", 500, "titles of a class at most; 0 for all")
	flags.Uint64Var(&o.seed, "seed", evalSeed, "of the sample and the typos")
	flags.StringVar(&o.run, "run", "", "TREC run file to write every answer to")
	flags.BoolVar(&o.gains, "gains", false, "also print the gain of each ranker over the first, with intervals")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
	return withConfigFlags(cmd)
}

// parseClasses reads --classes.
func parseClasses(names []string) ([]eval.Class, error) {
	known := eval.GeneratedClasses()
	var out []eval.Class
	for _, name := range names {
		c := eval.Class(strings.TrimSpace(name))
		switch {
		case c == "all":
			return known, nil
		case !slices.Contains(known, c):
			all := make([]string, len(known))
			for i, k := range known {
				all[i] = string(k)
			}
			return nil, usageError{fmt.Errorf("--classes: %q is not a class%s", c, nearest.Hint(string(c), all))}
		}
		out = append(out, c)
	}
	return out, nil
}

// measure makes the queries, the index and the report.
func (o searchEval) measure(cmd *cobra.Command, env environment, classes []eval.Class) (err error) {
	courses, err := allCourses(cmd.Context(), env)
	if err != nil {
		return err
	}
	sets, err := eval.Classes(courses, classes, eval.ClassOptions{Sample: o.sample, Seed: o.seed})
	if err != nil {
		return err
	}
	if o.queries != "" {
		set, qrels, err := readJudged(o.queries, o.qrels)
		if err != nil {
			return err
		}
		sets = append(sets, eval.ClassSet{Class: eval.ClassQuestion, QuerySet: set, Qrels: qrels})
	}
	if len(sets) == 0 {
		return lectern.Errorf(lectern.CodeInvalid, "the catalogue has no query of the classes that were asked for")
	}
	fields, err := fieldsToLeaveOut(o.leaveOut, eval.QuerySet{Queries: sets[len(sets)-1].Queries, LeaveOut: eval.LeaveOut(sets)}, courses)
	if err != nil {
		return err
	}
	bench, err := newSearchBench(cmd.Context(), env, courses, fields)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bench.close(cmd.Context())) }()
	fmt.Fprintf(cmd.ErrOrStderr(), "%d courses indexed, fields left out of the text: %s\n", len(courses), describeFields(fields))
	return o.report(cmd, bench, sets, len(classes) > 0)
}

// printable is any report.
type printable interface {
	WriteTable(w io.Writer) error
	WriteJSON(w io.Writer) error
}

// report asks the queries and prints: by class, or for the one file alone.
func (o searchEval) report(cmd *cobra.Command, bench *searchBench, sets []eval.ClassSet, byClass bool) error {
	var answers []eval.Answer
	rankers := bench.rankers()
	if o.run != "" {
		rankers = recorded(rankers, sets, &answers)
	}
	found, err := eval.SearchClasses(cmd.Context(), rankers, sets)
	if err != nil {
		return err
	}
	if o.run != "" {
		if err := writeFile(o.run, func(w io.Writer) error { return eval.WriteRun(w, answers) }); err != nil {
			return err
		}
	}
	var out printable = found
	if !byClass {
		out = found.Classes[0].Report
	}
	if err := printReport(cmd, out, o.asJSON); err != nil || o.asJSON || !o.gains {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout())
	return found.WriteGains(cmd.OutOrStdout(), o.seed)
}

func printReport(cmd *cobra.Command, r printable, asJSON bool) error {
	if asJSON {
		return r.WriteJSON(cmd.OutOrStdout())
	}
	return r.WriteTable(cmd.OutOrStdout())
}

// recorded keeps what the rankers answer, by the ids of the queries.
func recorded(rankers []eval.SearchRanker, sets []eval.ClassSet, answers *[]eval.Answer) []eval.SearchRanker {
	ids := make(map[string][]string) // of queries, by text
	for _, s := range sets {
		for _, q := range s.Queries {
			ids[q.Text] = append(ids[q.Text], q.ID)
		}
	}
	out := make([]eval.SearchRanker, len(rankers))
	for i, r := range rankers {
		next := make(map[string]int) // a text asked twice is another query
		out[i] = r.Record(func(query string, courses []string) {
			of := ids[query]
			id := of[min(next[query], len(of)-1)]
			next[query]++
			*answers = append(*answers, eval.Answer{Ranker: r.Name, QueryID: id, Courses: courses})
		})
	}
	return out
}

func readJudged(queries, qrels string) (eval.QuerySet, eval.Qrels, error) {
	set, err := readFile(queries, eval.ReadQueries)
	if err != nil {
		return set, nil, err
	}
	rels, err := readFile(qrels, eval.ReadQrels)
	return set, rels, err
}

func newEvalQueriesCommand() *cobra.Command {
	var queriesPath, qrelsPath, variant, class string
	var o eval.ClassOptions
	cmd := &cobra.Command{
		Use: "queries", Args: noArgs,
		Short: "Make queries and judgements from the catalogue",
		Long: `Every skill that two or more courses carry becomes a query, and the courses that
carry it are relevant. The query file says that skills must be left out of the
searched text. With --class, another kind of query is made: see lectern eval search.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if queriesPath == "" || qrelsPath == "" {
				return usageError{errors.New("--queries and --qrels are required: the files to write")}
			}
			chosen, err := variantClass(variant, class)
			if err != nil {
				return err
			}
			return withExistingStore(cmd, func(env environment) error {
				courses, err := allCourses(cmd.Context(), env)
				if err != nil {
					return err
				}
				sets, err := eval.Classes(courses, []eval.Class{chosen}, o)
				if err != nil {
					return err
				}
				if len(sets) == 0 {
					return lectern.Errorf(lectern.CodeInvalid, "the catalogue has no query of the class %s", chosen)
				}
				if err := writeFile(queriesPath, func(w io.Writer) error { return eval.WriteQueries(w, sets[0].QuerySet) }); err != nil {
					return err
				}
				if err := writeFile(qrelsPath, func(w io.Writer) error { return eval.WriteQrels(w, sets[0].Qrels) }); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "wrote %d queries over %d courses\n", len(sets[0].Queries), len(courses))
				return nil
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&queriesPath, "queries", "", "query file to write")
	flags.StringVar(&qrelsPath, "qrels", "", "judgements to write")
	flags.StringVar(&variant, "variant", "whole", "of skills: whole; prefix: the first 60 % of the letters; typo: one random edit")
	flags.StringVar(&class, "class", "", "kind of query instead, for example title-5")
	flags.IntVar(&o.Sample, "sample", 0, "titles at most; 0 for all")
	flags.Uint64Var(&o.Seed, "seed", evalSeed, "of the sample and the typos")
	return withConfigFlags(cmd)
}

// variantClass reads --class, or the older --variant.
func variantClass(variant, class string) (eval.Class, error) {
	if class != "" {
		classes, err := parseClasses([]string{class})
		if err == nil && len(classes) != 1 {
			err = usageError{errors.New("--class takes one class")}
		}
		if err != nil {
			return "", err
		}
		return classes[0], nil
	}
	switch variant {
	case "whole":
		return eval.ClassSkill, nil
	case "prefix":
		return eval.ClassSkill60, nil
	case "typo":
		return eval.ClassSkillTypo, nil
	}
	return "", usageError{fmt.Errorf("--variant %q is not one of whole, prefix, typo", variant)}
}

func readFile[T any](path string, read func(io.Reader) (T, error)) (out T, err error) {
	f, err := os.Open(path)
	if err != nil {
		return out, usageError{err}
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out, err = read(f)
	if err != nil {
		return out, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return usageError{err}
	}
	return errors.Join(write(f), f.Close())
}
