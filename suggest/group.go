package suggest

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// group gathers the items of one group, each once, best first.
type group struct {
	a     *answerer
	kind  lectern.SuggestionType
	parts []part
	query *query // with weights
	seen  map[string]bool
	found []found
}

func (a *answerer) newGroup(t lectern.SuggestionType) *group {
	return &group{a: a, kind: t, seen: make(map[string]bool, a.limit)}
}

// found is an item with why it is there.
type found struct {
	hit
	name   string
	reason lectern.SuggestReason
	via    string
	part   *part // with search: where it was found by words
	search *search
	entry  *entry // of a course found by meaning
	topic  *topic // of a skill found by meaning
}

// enough hits as typed leave no room for other spellings, which would mostly be
// other words.
const enough = 3

// byWords adds what holds all words of the query: as typed, by synonyms, and where
// that is little, in other spellings.
func (g *group) byWords() {
	if len(g.a.query.words) == 0 {
		return
	}
	g.query = g.weighed(g.a.query)
	if q := g.query.finished(); q != nil {
		g.pass(q, pass{})
		g.addNamed()
	}
	g.pass(g.query, pass{})
	if g.kind == lectern.SuggestCourse {
		g.a.spelt = len(g.found) >= enough
	}
	for _, v := range g.a.variants {
		if len(g.found) < g.a.limit && len(v.query.words) > 0 {
			g.pass(g.weighed(v.query), pass{reason: lectern.SuggestSynonym, via: v.via})
		}
	}
	if recognisedAsTyped(g.a.asked) < sureOf {
		g.misspelt()
	}
}

// shortWord is up to how many letters of a last word that is a word as it stands go
// before the longer words that it begins: "ai" is hardly on its way to "aid". A
// letter alone says too little.
const shortWord = 3

// finished returns the query as one whose last word is finished, nil where that is
// too little to ask for, or too long to need it.
func (q *query) finished() *query {
	last := len(q.words) - 1
	if w := &q.words[last]; w.letters < 2 || w.letters > shortWord || w.stop || w.isLetter() {
		return nil
	}
	own := *q
	own.words = slices.Clone(q.words)
	own.words[last].last = false
	return &own
}

// addNamed adds the courses of what a short word is a name of without doubt: they
// too go before those of longer words.
func (g *group) addNamed() {
	if g.kind != lectern.SuggestCourse || len(g.query.words) > 1 || len(g.found) >= g.a.limit {
		return
	}
	named := slices.DeleteFunc(slices.Clone(g.a.asked), func(a Asked) bool { return a.Misspelt || a.Weight < sureWeight })
	g.addCourses(g.a.meanings.courses(named, nil))
}

// longName is of how many words the phrases and names are for which other
// spellings are looked for: of more words hardly any is.
const longName = 5

// misspelt adds what holds all words in other spellings, where there is little as
// typed. What several courses hold as typed is no misspelling anywhere; what the
// skill graph recognises is hardly one: there it comes last.
func (g *group) misspelt() {
	if g.kind != lectern.SuggestCourse && len(g.a.query.words) > longName {
		return
	}
	if g.query != nil && !g.a.spelt && len(g.found) < min(g.a.limit, enough) && g.query.forgives() {
		g.pass(g.query, pass{fuzzy: true})
	}
}

// respelt adds what holds all words when those too may be misspelt that the
// catalogue knows, where nothing else was found.
func (g *group) respelt() {
	if g.query == nil || len(g.found) > 0 || !slices.ContainsFunc(g.query.words, func(w queryWord) bool { return w.known && edits(w.letters) > 0 }) {
		return
	}
	q := *g.query
	q.words = slices.Clone(q.words)
	for i := range q.words {
		q.words[i].known = false
	}
	g.pass(&q, pass{fuzzy: true})
}

// bySomeWords adds what holds some of several words.
func (g *group) bySomeWords() {
	if g.query == nil || len(g.query.words) < 2 {
		return
	}
	for i := range g.query.words {
		w := &g.query.words[i]
		w.loose = w.loose || w.letters == 1 && w.folded[0] < utf8.RuneSelf // a letter alone is too little
	}
	g.pass(g.query, pass{fuzzy: true, partial: true})
}

// weighed returns the query with the weights that its words have in the parts.
func (g *group) weighed(q *query) *query {
	own := *q
	own.words = slices.Clone(q.words)
	indexes := make([]*index, len(g.parts))
	for i := range g.parts {
		indexes[i] = g.parts[i].index
	}
	own.weigh(indexes...)
	return &own
}

// pass is one way to search the parts.
type pass struct {
	fuzzy, partial bool
	reason         lectern.SuggestReason // "" for what the words say
	via            string
}

// pass searches every part in one way and adds what is new, best first. Of an item
// in several parts the last one counts, with the most that any of them gives it.
func (g *group) pass(q *query, p pass) {
	depth := g.a.limit + len(g.seen)
	if g.a.taste != nil {
		depth = max(depth, personalDepth)
	}
	var all []found
	at := make(map[string]int, depth)
	for i := range g.parts {
		part := &g.parts[len(g.parts)-1-i]
		s := newSearch(part.index, q, p.fuzzy, depth)
		s.partial = p.partial
		for _, h := range s.run(part.allowed) {
			name := part.name(h.item)
			if j, ok := at[name]; ok {
				if g.kind != lectern.SuggestCourse {
					all[j].score = max(all[j].score, h.score)
				}
				continue
			}
			if g.seen[name] {
				continue
			}
			at[name] = len(all)
			f := found{hit: h, name: name, part: part, search: s, via: p.via, reason: p.reason}
			if f.reason == "" {
				f.reason = part.reason
			}
			if f.reason == "" {
				f.reason = f.byWords()
			}
			all = append(all, f)
		}
	}
	g.add(all)
}

// add puts items behind those that there are: in the order of their scores, then of
// the learner's taste.
func (g *group) add(all []found) {
	slices.SortStableFunc(all, func(a, b found) int {
		if a.score != b.score {
			if a.score > b.score {
				return -1
			}
			return 1
		}
		if len(g.parts) == 1 {
			return 0
		}
		return strings.Compare(a.name, b.name)
	})
	if g.a.taste != nil {
		personalise(all, float32(g.a.s.o.Config.PersonalWeight), g.affinity)
	}
	for _, f := range all[:min(len(all), g.a.limit-len(g.found))] {
		g.seen[f.name] = true
		g.found = append(g.found, f)
	}
}

func (g *group) affinity(f *found) float32 {
	switch {
	case f.entry != nil:
		return g.a.liking(f.entry)
	case f.topic != nil:
		return g.a.taste.concepts[f.topic.id]
	case f.part != nil && f.part.affinity != nil:
		return f.part.affinity(f.item)
	}
	return 0
}

// forgives reports whether a search with errors may find more.
func (q *query) forgives() bool {
	return slices.ContainsFunc(q.words, func(w queryWord) bool { return edits(w.letters) > 0 || !w.last && w.letters >= 3 })
}

// byWords is the reason that the words give.
func (f *found) byWords() lectern.SuggestReason {
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

// addSearched lets completions be what people searched for.
func (g *group) addSearched(s *searched) {
	if len(s.queries) == 0 {
		return
	}
	g.parts = append(g.parts, part{
		index:   s.index,
		allowed: func(i uint32) bool { return s.index.keys[i] != g.a.query.key },
		name:    func(i uint32) string { return s.index.keys[i] },
		text:    func(i uint32) string { return s.queries[i].Text },
		reason:  lectern.SuggestSearched,
	})
}

// addConcepts lets skills be those of the graph, beside the catalogue's own. Of a
// skill that is both, the graph's counts.
func (g *group) addConcepts(m *meanings) {
	if m.names == nil {
		return
	}
	g.parts = append(g.parts, part{
		index:   m.names,
		allowed: func(i uint32) bool { return g.a.teaches(&m.topics[i]) },
		name:    func(i uint32) string { return m.topics[i].key },
		text:    func(i uint32) string { return m.topics[i].name },
		id:      func(i uint32) string { return m.topics[i].id },
		affinity: func(i uint32) float32 {
			return g.a.taste.concepts[m.topics[i].id]
		},
	})
}

// addCourses adds courses that mean what was typed.
func (g *group) addCourses(all []meant) {
	var out []found
	for _, c := range all {
		if !g.seen[c.entry.id] && g.a.mayShow(c.entry) {
			out = append(out, found{
				hit: hit{score: c.score}, name: c.entry.id, entry: c.entry, via: c.via, reason: lectern.SuggestMeaning,
			})
		}
	}
	g.add(out)
}

// addSkills adds the skills that a query asks for.
func (g *group) addSkills(asked []Asked) {
	m := g.a.meanings
	var out []found
	for _, c := range asked {
		i, ok := m.concepts[c.ID]
		if !ok {
			continue
		}
		if t := &m.topics[i]; !g.seen[t.key] && g.a.teaches(t) {
			out = append(out, found{hit: hit{score: float32(c.Weight)}, name: t.key, topic: t, reason: lectern.SuggestMeaning})
		}
	}
	g.add(out)
}

// suggestions returns what was gathered.
func (g *group) suggestions() []lectern.Suggestion {
	if len(g.found) == 0 {
		return nil
	}
	out := make([]lectern.Suggestion, len(g.found))
	for i, f := range g.found {
		s := lectern.Suggestion{Type: g.kind, Reason: f.reason, Via: f.via}
		switch {
		case f.entry != nil:
			s.ID, s.Text = f.entry.id, f.entry.title
			s.Highlight = g.a.query.highlight(g.a.analyzer, s.Text)
		case f.topic != nil:
			s.ID, s.Text = f.topic.id, f.topic.name
		default:
			s.Text = f.part.text(f.item)
			if f.part.id != nil {
				s.ID = f.part.id(f.item)
			}
			s.Highlight = f.search.highlight(g.a.analyzer, s.Text)
		}
		out[i] = s
	}
	return out
}
