package eval

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern"
)

// SkillQueries makes a query of every skill tag that two or more courses carry,
// tags compared without case; the courses that carry it are relevant. The
// queries say that skills must be left out of the indexed text.
func SkillQueries(courses []lectern.Course) (QuerySet, Qrels) {
	carriers := make(map[string][]string)
	for _, c := range courses {
		seen := make(map[string]bool, len(c.Skills))
		for _, tag := range c.Skills {
			if key := lectern.FoldKey(tag); key != "" && !seen[key] {
				seen[key] = true
				carriers[key] = append(carriers[key], c.ID)
			}
		}
	}
	tags := make([]string, 0, len(carriers))
	for tag, ids := range carriers {
		slices.Sort(ids)
		ids = slices.Compact(ids)
		carriers[tag] = ids
		if len(ids) >= 2 {
			tags = append(tags, tag)
		}
	}
	slices.SortFunc(tags, cmp.Compare)
	set := QuerySet{LeaveOut: []lectern.CourseField{lectern.FieldSkills}}
	qrels := make(Qrels, len(tags))
	for i, tag := range tags {
		id := fmt.Sprintf("skill-%04d", i+1)
		set.Queries = append(set.Queries, Query{ID: id, Text: tag})
		rel := make(Relevant, len(carriers[tag]))
		for _, course := range carriers[tag] {
			rel[course] = 1
		}
		qrels[id] = rel
	}
	return set, qrels
}
