package suggest

import (
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
)

// empty answers before anything is typed: what the learner searched for lately and
// left unfinished, what many search for these days, and what is popular.
func (a *answerer) empty(ctx context.Context, who lectern.LearnerRef) lectern.Suggestions {
	popular := a.popular()
	var out lectern.Suggestions
	seen := make(map[string]bool)
	complete := func(queries []string, reason lectern.SuggestReason) {
		for _, q := range queries {
			key := keyOf(split(a.analyzer, q, false))
			if len(out.Completions) < a.limit && key != "" && !seen[key] {
				seen[key] = true
				out.Completions = append(out.Completions, lectern.Suggestion{Type: lectern.SuggestCompletion, Text: q, Reason: reason})
			}
		}
	}
	if a.person != nil && a.person.personal {
		complete(a.recent(ctx, who), lectern.SuggestRecent)
		out.Courses = a.unfinished()
	}
	if a.s.o.Searches != nil {
		complete(a.s.o.Searches.Trending(a.limit), lectern.SuggestTrending)
	}
	for _, c := range popular.Courses {
		if len(out.Courses) < a.limit && !slices.ContainsFunc(out.Courses, func(o lectern.Suggestion) bool { return o.ID == c.ID }) {
			out.Courses = append(out.Courses, c)
		}
	}
	out.Categories = popular.Categories
	return out
}

// recent returns the learner's latest searches.
func (a *answerer) recent(ctx context.Context, who lectern.LearnerRef) []string {
	s := a.s
	if s.o.Recents == nil {
		return nil
	}
	queries, err := s.recents.get(ctx, who, s.o.Config.ProfileTimeout, func(ctx context.Context, _ []string, _ bool) ([]string, error) {
		return s.o.Recents.Recent(ctx, who, MaxLimit)
	})
	if err != nil {
		a.degrade(DegradedPersonal)
		return nil
	}
	return queries[:min(len(queries), a.limit)]
}

// maxBegun is how many of the courses are ones that the learner has begun, so that
// others remain in sight.
func (a *answerer) maxBegun() int { return (a.limit + 1) / 2 }

// unfinished returns courses that the learner has begun.
func (a *answerer) unfinished() []lectern.Suggestion {
	a.s.mu.Lock()
	entries := make([]*entry, 0, len(a.person.unfinished))
	for _, id := range a.person.unfinished {
		if e := a.s.byID[id]; e != nil {
			entries = append(entries, e)
		}
	}
	a.s.mu.Unlock()
	var out []lectern.Suggestion
	for _, e := range entries {
		if len(out) < a.maxBegun() && a.mayShow(e) {
			out = append(out, lectern.Suggestion{Type: lectern.SuggestCourse, ID: e.id, Text: e.title, Reason: lectern.SuggestUnfinished})
		}
	}
	return out
}

// popular offers the most popular courses and categories.
func (a *answerer) popular() lectern.Suggestions {
	var out lectern.Suggestions
	var courses []*entry
	var names []phrase
	for _, s := range a.view.snapshots() {
		n := 0
		for _, e := range s.entries {
			if n == a.limit {
				break
			}
			if a.mayShow(e) {
				courses = append(courses, e)
				n++
			}
		}
		n = 0
		for i := range s.shelves[categories].phrases {
			p := &s.shelves[categories].phrases[i]
			if n == a.limit {
				break
			}
			if a.standsFor(s, p) {
				names = append(names, *p)
				n++
			}
		}
	}
	slices.SortStableFunc(courses, byPrior)
	slices.SortStableFunc(names, func(a, b phrase) int { return byWeight(&a, &b) })
	seen := make(map[string]bool)
	for _, e := range courses {
		if len(out.Courses) < a.limit && !seen["id "+e.id] {
			seen["id "+e.id] = true
			out.Courses = append(out.Courses, lectern.Suggestion{Type: lectern.SuggestCourse, ID: e.id, Text: e.title, Reason: lectern.SuggestPopular})
		}
	}
	for _, p := range names {
		if len(out.Categories) < a.limit && !seen[p.key] {
			seen[p.key] = true
			out.Categories = append(out.Categories, lectern.Suggestion{Type: lectern.SuggestCategory, Text: p.text, Reason: lectern.SuggestPopular})
		}
	}
	return out
}
