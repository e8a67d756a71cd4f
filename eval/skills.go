package eval

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"unicode/utf8"

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

// Prefixes returns the queries cut to their first 60 % of letters (at least two,
// where there are), as if still being typed.
func Prefixes(set QuerySet) QuerySet {
	return mapQueries(set, func(s string) string {
		letters := []rune(s)
		n := max((len(letters)*6+5)/10, 2)
		return string(letters[:min(n, len(letters))])
	})
}

// Typos returns the queries with one random edit each: a letter dropped,
// doubled, replaced or swapped with its neighbour. Queries of fewer than four
// letters stay.
func Typos(set QuerySet, seed uint64) QuerySet {
	rng := rand.New(rand.NewPCG(seed, 0))
	return mapQueries(set, func(s string) string {
		if utf8.RuneCountInString(s) < 4 {
			return s
		}
		letters := []rune(s)
		i := rng.IntN(len(letters) - 1)
		switch rng.IntN(4) {
		case 0:
			letters = slices.Delete(letters, i, i+1)
		case 1:
			letters = slices.Insert(letters, i, letters[i])
		case 2:
			letters[i] = rune('a' + rng.IntN(26))
		default:
			letters[i], letters[i+1] = letters[i+1], letters[i]
		}
		return string(letters)
	})
}

func mapQueries(set QuerySet, change func(string) string) QuerySet {
	out := QuerySet{LeaveOut: set.LeaveOut, Queries: make([]Query, len(set.Queries))}
	for i, q := range set.Queries {
		out.Queries[i] = Query{ID: q.ID, Text: change(q.Text)}
	}
	return out
}
