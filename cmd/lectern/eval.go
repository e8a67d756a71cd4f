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

func newEvalCommand() *cobra.Command {
	return parent("eval", "Measure the quality of lists offline", newEvalSearchCommand(), newEvalQueriesCommand())
}

func newEvalSearchCommand() *cobra.Command {
	var queriesPath, qrelsPath, leaveOut string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "search", Args: noArgs,
		Short: "Measure search by words, by meaning and by both, on queries with judgements",
		Long: `Indexes the catalogue of --data in memory, asks every query, and prints nDCG@10,
Recall@50, MRR@10 and milliseconds per query for word BM25 (bm25), for the latent
vectors (latent) and for what /v1/search serves (hybrid).

Queries are lines of "id<TAB>text"; judgements are TREC qrels with course ids.
When the queries were made from a field of the courses, that field must not be
searched: --leave-out skills says so, and so may the query file. With the default,
auto, skills are left out when most of the queries are skills of the catalogue.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if queriesPath == "" || qrelsPath == "" {
				return usageError{errors.New("--queries and --qrels are required")}
			}
			set, err := readFile(queriesPath, eval.ReadQueries)
			if err != nil {
				return err
			}
			qrels, err := readFile(qrelsPath, eval.ReadQrels)
			if err != nil {
				return err
			}
			return withExistingStore(cmd, func(env environment) (err error) {
				courses, err := allCourses(cmd.Context(), env)
				if err != nil {
					return err
				}
				fields, err := fieldsToLeaveOut(leaveOut, set, courses)
				if err != nil {
					return err
				}
				bench, err := newSearchBench(cmd.Context(), env, courses, fields)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, bench.close(cmd.Context())) }()
				fmt.Fprintf(cmd.ErrOrStderr(), "%d courses indexed, fields left out of the text: %s\n", len(courses), describeFields(fields))
				report, err := eval.Search(cmd.Context(), bench.rankers(), set.Queries, qrels)
				if err != nil {
					return err
				}
				if asJSON {
					return report.WriteJSON(cmd.OutOrStdout())
				}
				return report.WriteTable(cmd.OutOrStdout())
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&queriesPath, "queries", "", "query file: id<TAB>text")
	flags.StringVar(&qrelsPath, "qrels", "", "TREC judgements: query id, 0, course id, grade")
	flags.StringVar(&leaveOut, "leave-out", "auto", "course fields that are not searched, separated by commas; none, or auto")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return withConfigFlags(cmd)
}

func newEvalQueriesCommand() *cobra.Command {
	var queriesPath, qrelsPath, variant string
	cmd := &cobra.Command{
		Use: "queries", Args: noArgs,
		Short: "Make queries and judgements from the catalogue's skill tags",
		Long: `Every skill that two or more courses carry becomes a query, and the courses that
carry it are relevant. The query file says that skills must be left out of the
searched text.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if queriesPath == "" || qrelsPath == "" {
				return usageError{errors.New("--queries and --qrels are required: the files to write")}
			}
			return withExistingStore(cmd, func(env environment) error {
				courses, err := allCourses(cmd.Context(), env)
				if err != nil {
					return err
				}
				set, qrels := eval.SkillQueries(courses)
				switch variant {
				case "whole":
				case "prefix":
					set = eval.Prefixes(set)
				case "typo":
					set = eval.Typos(set, 1)
				default:
					return usageError{fmt.Errorf("--variant %q is not one of whole, prefix, typo", variant)}
				}
				if err := writeFile(queriesPath, func(w io.Writer) error { return eval.WriteQueries(w, set) }); err != nil {
					return err
				}
				if err := writeFile(qrelsPath, func(w io.Writer) error { return eval.WriteQrels(w, qrels) }); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "wrote %d queries over %d courses\n", len(set.Queries), len(courses))
				return nil
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&queriesPath, "queries", "", "query file to write")
	flags.StringVar(&qrelsPath, "qrels", "", "judgements to write")
	flags.StringVar(&variant, "variant", "whole", "whole; prefix: the first 60 % of the letters; typo: one random edit")
	return withConfigFlags(cmd)
}

// fieldsToLeaveOut decides which fields are not searched: what the flag says,
// or the query file, or, failing both, skills when the queries are skills.
func fieldsToLeaveOut(flag string, set eval.QuerySet, courses []lectern.Course) ([]lectern.CourseField, error) {
	switch flag {
	case "none":
		return nil, nil
	case "auto":
		if len(set.LeaveOut) > 0 {
			return set.LeaveOut, nil
		}
		if mostAreSkills(set.Queries, courses) {
			return []lectern.CourseField{lectern.FieldSkills}, nil
		}
		return nil, nil
	}
	var fields []lectern.CourseField
	known := lectern.CourseFields()
	for name := range strings.SplitSeq(flag, ",") {
		f := lectern.CourseField(strings.TrimSpace(name))
		if !slices.Contains(known, f) {
			names := make([]string, len(known))
			for i, k := range known {
				names[i] = string(k)
			}
			return nil, usageError{fmt.Errorf("--leave-out: %q is not a course field%s", f, nearest.Hint(string(f), names))}
		}
		fields = append(fields, f)
	}
	return fields, nil
}

func mostAreSkills(queries []eval.Query, courses []lectern.Course) bool {
	skills := map[string]bool{}
	for _, c := range courses {
		for _, s := range c.Skills {
			skills[lectern.FoldKey(s)] = true
		}
	}
	n := 0
	for _, q := range queries {
		if skills[lectern.FoldKey(q.Text)] {
			n++
		}
	}
	return 2*n > len(queries)
}

func describeFields(fields []lectern.CourseField) string {
	if len(fields) == 0 {
		return "none"
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
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
