package suggest

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// How many items a group has.
const (
	DefaultLimit = 6
	MaxLimit     = 20
)

// Suggest answers what was typed so far. In every group come first the items that
// hold the words, then those that hold them by a synonym, then those with other
// spellings, then what is near in meaning or taught by it, and where the words lead
// nowhere, courses that hold some of them. Within each of these the learner's taste
// moves the order.
func (s *Suggester) Suggest(ctx context.Context, r lectern.SuggestRequest) (lectern.Suggestions, error) {
	if err := ctx.Err(); err != nil {
		return lectern.Suggestions{}, err
	}
	if r.Limit <= 0 {
		r.Limit = DefaultLimit
	}
	a := &answerer{
		s: s, view: *s.view.Load(), meanings: s.meanings.Load(), limit: min(r.Limit, MaxLimit),
		// An analyzer of its own: the words of queries are no vocabulary to keep.
		analyzer: text.NewAnalyzer(),
	}
	a.meet(ctx, r.Learner)
	a.matches = s.visible(r.Learner, newMatcher(a.eligible(r.Filter)))
	var out lectern.Suggestions
	if strings.TrimSpace(r.Query) == "" {
		out = a.empty(ctx, r.Learner)
	} else {
		out = a.answer(ctx, strings.ToValidUTF8(r.Query, "\uFFFD"))
	}
	if err := ctx.Err(); err != nil {
		return lectern.Suggestions{}, err
	}
	out.Degraded = a.degraded
	return out, nil
}

// answerer makes one answer.
type answerer struct {
	s        *Suggester
	view     view
	meanings *meanings
	limit    int
	analyzer *text.Analyzer
	matches  func(id string, p *lectern.Payload) bool
	person   *person // nil for nobody
	taste    *taste  // nil for no order of one's own
	likings  map[*entry]float32
	degraded []string

	query    *query
	typed    typedQuery
	variants []variantQuery
	asked    []Asked
	spelt    bool // several courses hold the words as typed
}

// variantQuery is the query by a synonym.
type variantQuery struct {
	query *query
	via   string
}

func (a *answerer) degrade(part string) {
	if !slices.Contains(a.degraded, part) {
		a.degraded = append(a.degraded, part)
	}
}

// meet finds out who asks.
func (a *answerer) meet(ctx context.Context, who lectern.LearnerRef) {
	var ok bool
	if a.person, ok = a.s.somebody(ctx, who); !ok {
		a.degrade(DegradedPersonal)
	}
	if a.person != nil && a.s.o.Config.PersonalWeight > 0 {
		a.taste, a.likings = a.person.taste, make(map[*entry]float32)
	}
}

// eligible completes a filter by what this learner may be shown.
func (a *answerer) eligible(f lectern.Filter) lectern.Filter {
	e := lectern.Eligibility{At: a.s.clock()}
	if f.Eligible != nil {
		e = *f.Eligible
	}
	if a.person != nil {
		e.Region = cmp.Or(e.Region, a.person.region)
		if len(e.Organisations) == 0 {
			e.Organisations = a.person.organisations
		}
	}
	f.Eligible = &e
	return f
}

// answer answers a query that is not empty.
func (a *answerer) answer(ctx context.Context, raw string) lectern.Suggestions {
	words := split(a.analyzer, raw, true)
	a.query, a.typed = queryOf(words), newTypedQuery(raw, words)
	for i := range a.query.words {
		a.query.words[i].known = a.knows(a.query.words[i].folded)
	}
	a.asked = a.s.asks(a.typed)
	if a.s.o.Synonyms != nil {
		variants := a.s.o.Synonyms.Variants(raw)
		for _, v := range variants[:min(len(variants), maxVariants)] {
			a.variants = append(a.variants, variantQuery{newQuery(a.analyzer, v.Query), v.From + " → " + v.To})
		}
	}
	courses := a.courses(ctx) // first: they tell whether the words are spelt right
	return lectern.Suggestions{
		Courses:     courses,
		Completions: a.phrases(completions, lectern.SuggestCompletion),
		Skills:      a.phrases(skills, lectern.SuggestSkill),
		Categories:  a.phrases(categories, lectern.SuggestCategory),
		Providers:   a.phrases(providers, lectern.SuggestProvider),
	}
}

// knows reports whether a word is, or begins, one of the catalogue or of the names
// of what it teaches.
func (a *answerer) knows(w string) bool {
	if a.meanings.names != nil && len(a.meanings.names.begunBy(w)) > 0 {
		return true
	}
	return slices.ContainsFunc(a.view.snapshots(), func(s *snapshot) bool {
		return len(s.courses.begunBy(w)) > 0 || len(s.shelves[completions].index.begunBy(w)) > 0
	})
}

// part is an index of one of the snapshots, or beside them.
type part struct {
	index    *index
	allowed  func(uint32) bool
	name     func(uint32) string // by which an item is the same in all parts
	text     func(uint32) string
	id       func(uint32) string   // nil for none
	affinity func(uint32) float32  // to the learner's taste
	reason   lectern.SuggestReason // of all its items, "" for what the words say
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

// teaches reports whether a topic has a course that may be shown.
func (a *answerer) teaches(t *topic) bool {
	return slices.ContainsFunc(t.courses, func(c *cited) bool {
		e := c.Load()
		return e != nil && a.mayShow(e)
	})
}

// liking is how much a course is to the learner's taste.
func (a *answerer) liking(e *entry) float32 {
	liking, ok := a.likings[e]
	if !ok {
		liking = a.taste.of(e, a.s.tagsOf(e))
		a.likings[e] = liking
	}
	return liking
}

func (a *answerer) courses(ctx context.Context) []lectern.Suggestion {
	g := a.newGroup(lectern.SuggestCourse)
	for _, s := range a.view.snapshots() {
		id := func(i uint32) string { return s.entries[i].id }
		g.parts = append(g.parts, part{
			index:    s.courses,
			allowed:  func(i uint32) bool { return a.mayShow(s.entries[i]) },
			name:     id,
			text:     func(i uint32) string { return s.entries[i].title },
			id:       id,
			affinity: func(i uint32) float32 { return a.liking(s.entries[i]) },
		})
	}
	g.byWords()
	words := len(g.found)
	if words < a.limit {
		near, ok := a.s.near(ctx, a.meanings, a.typed)
		if !ok {
			a.degrade(DegradedSemantic)
		}
		g.addCourses(a.meanings.courses(a.asked, near))
	}
	g.misspelt()
	g.respelt()
	if words == 0 && len(g.found) < min(a.limit, enough) {
		g.bySomeWords()
	}
	return g.suggestions()
}

// likedBy is how many courses of a phrase say whether it is to somebody's taste.
const likedBy = 2

func (a *answerer) phrases(shelf int, t lectern.SuggestionType) []lectern.Suggestion {
	g := a.newGroup(t)
	for _, s := range a.view.snapshots() {
		sh := &s.shelves[shelf]
		g.parts = append(g.parts, part{
			index: sh.index,
			allowed: func(i uint32) bool {
				// Whoever has typed all of a phrase needs no completion to it.
				return (t != lectern.SuggestCompletion || sh.phrases[i].key != a.query.key) && a.standsFor(s, &sh.phrases[i])
			},
			name: func(i uint32) string { return sh.phrases[i].key },
			text: func(i uint32) string { return sh.phrases[i].text },
			affinity: func(i uint32) (most float32) {
				entries := sh.phrases[i].entries
				for _, e := range entries[:min(len(entries), likedBy)] {
					most = max(most, a.liking(s.entries[e]))
				}
				return most
			},
		})
	}
	switch t {
	case lectern.SuggestCompletion:
		g.addSearched(a.s.searched.Load())
	case lectern.SuggestSkill:
		g.addConcepts(a.meanings)
	}
	g.byWords()
	if t == lectern.SuggestSkill {
		g.addSkills(a.asked)
	}
	g.misspelt()
	return g.suggestions()
}
