package suggest

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// How many items a group has.
const (
	DefaultLimit = 6
	MaxLimit     = 20
)

// Suggest answers what was typed so far. The courses and the phrases of the whole
// query come first, then those with other spellings, and where there is none of
// either, courses that hold some of the words.
func (s *Suggester) Suggest(ctx context.Context, r lectern.SuggestRequest) (lectern.Suggestions, error) {
	if err := ctx.Err(); err != nil {
		return lectern.Suggestions{}, err
	}
	if r.Limit <= 0 {
		r.Limit = DefaultLimit
	}
	r.Limit = min(r.Limit, MaxLimit)
	if r.Filter.Eligible == nil {
		r.Filter.Eligible = &lectern.Eligibility{At: s.clock()}
	}
	a := answerer{
		view: *s.view.Load(), limit: r.Limit, matches: newMatcher(r.Filter),
		// An analyzer of its own: the words of queries are no vocabulary to keep.
		analyzer: text.NewAnalyzer(),
	}
	if strings.TrimSpace(r.Query) == "" {
		return a.trending(), nil
	}
	a.query = newQuery(a.analyzer, strings.ToValidUTF8(r.Query, "\uFFFD"))
	return lectern.Suggestions{
		Courses:     a.courses(),
		Completions: a.phrases(completions, lectern.SuggestCompletion),
		Skills:      a.phrases(skills, lectern.SuggestSkill),
		Categories:  a.phrases(categories, lectern.SuggestCategory),
		Providers:   a.phrases(providers, lectern.SuggestProvider),
	}, nil
}

// answerer makes one answer.
type answerer struct {
	view     view
	query    *query
	limit    int
	matches  func(id string, p *lectern.Payload) bool
	analyzer *text.Analyzer
}

// part is an index of one of the snapshots.
type part struct {
	index   *index
	allowed func(uint32) bool
	name    func(uint32) string // by which an item is the same in both snapshots
	text    func(uint32) string
}

// maxAsked is how many courses of a phrase are asked at most whether they may be
// shown, the most popular first.
const maxAsked = 4096

func (a *answerer) mayShow(e *entry) bool { return !e.gone.Load() && a.matches(e.id, &e.payload) }

// standsFor reports whether a phrase has a course that may be shown.
func (a *answerer) standsFor(s *snapshot, p *phrase) bool {
	for _, i := range p.entries[:min(len(p.entries), maxAsked)] {
		if a.mayShow(s.entries[i]) {
			return true
		}
	}
	return false
}

func (a *answerer) courses() []lectern.Suggestion {
	var parts []part
	for _, s := range a.view.snapshots() {
		parts = append(parts, part{
			index:   s.courses,
			allowed: func(i uint32) bool { return a.mayShow(s.entries[i]) },
			name:    func(i uint32) string { return s.entries[i].id },
			text:    func(i uint32) string { return s.entries[i].title },
		})
	}
	return a.find(parts, lectern.SuggestCourse)
}

func (a *answerer) phrases(shelf int, t lectern.SuggestionType) []lectern.Suggestion {
	var parts []part
	for _, s := range a.view.snapshots() {
		sh := &s.shelves[shelf]
		parts = append(parts, part{
			index: sh.index,
			allowed: func(i uint32) bool {
				// Whoever has typed all of a phrase needs no completion to it.
				return (t != lectern.SuggestCompletion || sh.phrases[i].key != a.query.key) && a.standsFor(s, &sh.phrases[i])
			},
			name: func(i uint32) string { return sh.phrases[i].key },
			text: func(i uint32) string { return sh.phrases[i].text },
		})
	}
	return a.find(parts, t)
}

// found is a hit with where it was found.
type found struct {
	hit
	part   *part
	search *search
	name   string
}

// enough hits as typed leave no room for other spellings, which would mostly be
// other words.
const enough = 3

// find searches the parts as one.
func (a *answerer) find(parts []part, t lectern.SuggestionType) []lectern.Suggestion {
	if len(a.query.words) == 0 {
		return nil
	}
	q := *a.query
	q.words = slices.Clone(q.words)
	indexes := make([]*index, len(parts))
	for i := range parts {
		indexes[i] = parts[i].index
	}
	q.weigh(indexes...)
	seen := make(map[string]bool, a.limit)
	all := a.pass(parts, &q, seen, false, false)
	if len(all) < min(a.limit, enough) && q.forgives() {
		all = append(all, a.pass(parts, &q, seen, true, false)...)
	}
	if len(all) == 0 && t == lectern.SuggestCourse && len(q.words) > 1 {
		for i := range q.words {
			w := &q.words[i]
			w.loose = w.loose || w.letters == 1 && w.folded[0] < utf8.RuneSelf // a letter alone is too little
		}
		all = a.pass(parts, &q, seen, true, true)
	}
	all = all[:min(len(all), a.limit)]
	out := make([]lectern.Suggestion, len(all))
	for i, f := range all {
		s := lectern.Suggestion{Type: t, Text: f.part.text(f.item), Reason: f.reason()}
		if t == lectern.SuggestCourse {
			s.ID = f.name
		}
		s.Highlight = f.search.highlight(a.analyzer, s.Text)
		out[i] = s
	}
	return out
}

// pass searches every part in one way and returns what is new, best first. Of an
// item in both snapshots the later one, of the delta, counts.
func (a *answerer) pass(parts []part, q *query, seen map[string]bool, fuzzy, partial bool) []found {
	var all []found
	for i := range parts {
		p := &parts[len(parts)-1-i]
		s := newSearch(p.index, q, fuzzy, a.limit+len(seen))
		s.partial = partial
		for _, h := range s.run(p.allowed) {
			name := p.name(h.item)
			if !seen[name] {
				seen[name] = true
				all = append(all, found{h, p, s, name})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b found) int {
		if a.score != b.score {
			if a.score > b.score {
				return -1
			}
			return 1
		}
		if len(parts) == 1 {
			return 0
		}
		return strings.Compare(a.name, b.name)
	})
	return all
}

// forgives reports whether a search with errors may find more.
func (q *query) forgives() bool {
	return slices.ContainsFunc(q.words, func(w queryWord) bool { return edits(w.letters) > 0 || !w.last && w.letters >= 3 })
}

func (f *found) reason() lectern.SuggestReason {
	key := f.search.x.keys[f.item]
	switch {
	case key == f.search.q.key:
		return lectern.SuggestExact
	case strings.HasPrefix(key, f.search.q.key):
		return lectern.SuggestPrefix
	case f.hit.part:
		return lectern.SuggestPartial
	case f.typo:
		return lectern.SuggestTypo
	}
	return lectern.SuggestWords
}

// trending offers the most popular courses and categories.
func (a *answerer) trending() lectern.Suggestions {
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
