package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// evalSeed samples titles and makes typos where the command has no --seed.
const evalSeed = 1

func newEvalCommand() *cobra.Command {
	return parent("eval", "Measure the quality of lists offline", newEvalSearchCommand(), newEvalAutocompleteCommand(), newEvalQueriesCommand(), newEvalRecsCommand(), newEvalHomeCommand(), newEvalTuneCommand(), newEvalBanditCommand(), newEvalPolicyCommand(), newEvalSentimentCommand())
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
