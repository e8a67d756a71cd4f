package skills

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Term is a skill that a query asks for.
type Term struct {
	SkillID string
	Weight  float64 // in (0, 1]; those of one query add up to at most 1
	Why     Why
}

// Why says what a query was recognised by.
type Why struct {
	Kind       Kind
	Name       string // the name, alias or phrase, as the graph has it
	Occupation string // the id of the occupation that takes the skill; "" when the query names the skill itself
	Misspelt   bool   // the query holds the name only with typing errors forgiven
}

// Kind is the sort of name that a query holds.
type Kind string

// The kinds of names.
const (
	KindName   Kind = "name"
	KindAlias  Kind = "alias"
	KindPhrase Kind = "phrase"
)

// kinds are the kinds by form.
var kinds = [...]Kind{formName: KindName, formAlias: KindAlias, formPhrase: KindPhrase}

// The limits of an expansion.
const (
	MaxTerms      = 8    // of one query
	maxQueryBytes = 500  // read of a query
	minTermWeight = 0.02 // lighter terms are left out
	perOccupation = 6    // skills of one occupation, the weightiest
)

// How far a name is trusted to be what the query asks for.
const (
	trustPhrase     = 0.9
	trustDescribed  = 0.7 // words in common with a phrase or name
	trustHint       = 0.5 // a word that only few skills' names and phrases hold, shared among them
	trustPooled     = 0.4 // words in common with all names and phrases of a skill
	trustShortened  = 0.8 // a phrase without "learn to" and the like
	trustWeak       = 0.5 // a weak name that nothing else in the query supports, shared among its owners
	trustInflected  = 0.85
	trustVerb       = 0.6 // paint for painting
	trustOccupation = 0.8
	trustAside      = 0.5 // of a weak name beside words that it does not explain
)

// Expand returns the skills that a query asks for, weightiest first: those that
// it names or describes, and those of the occupations that it names. A query in
// which nothing is recognised has none.
//
// Each name that stands in the query (as contiguous words, one of them inflected
// at most; phrases without regard to stop words) gives its skill
//
//	weight = trust × the share of the query's words that it covers
//
// where words that only say that something is to be learnt do not count. Trust is
// 1 for names and aliases, .9 for phrases, .8 for phrases without such words, .85
// of that for an inflected word, and .5, divided among all that may be meant, for
// a weak name unless another name in the query supports it. An occupation gives
// .8 of its weight times each skill's share of it.
//
// Where that explains less than half of the words, the two skills are taken of
// which a phrase or name has most words in common with the query: two words at
// least, .6 of the query's information and .5 of the phrase's, each word counting
// by how few phrases hold it. They weigh .7 × both shares. Where there are none,
// the two whose names and phrases together hold two words and .45 of the
// information, at .4 × that share; and where there are none either, those of at
// most four skills that alone hold a word with .48 of it, at .5 × that share
// divided among them. Where the weights add up to more than 1 they are divided by
// their sum.
func (m *Matcher) Expand(query string) []Term {
	q := m.readQuery(cutQuery(query))
	if len(q.words) == 0 {
		return nil
	}
	return m.expand(q)
}

// cutQuery bounds what is read of a query.
func cutQuery(query string) string {
	if len(query) > maxQueryBytes {
		return strings.ToValidUTF8(query[:maxQueryBytes], "")
	}
	return query
}

// forgive takes misspelt words for what they were meant to be.
func (m *Matcher) forgive(q *asked) {
	looked := 0
	for i := range q.words {
		w := &q.words[i]
		if w.id != unknown || w.stop || isIntent(w.surface) || looked == maxFixes {
			continue
		}
		looked++
		if x, edits, ok := m.speller.fix(w.surface); ok {
			w.id, w.surface = x.id, x.surface
			q.fixed = append(q.fixed, fixed{w.at, trustFixed[edits]})
		}
	}
}

func (m *Matcher) expand(q asked) []Term {
	e := expander{m: m, q: q, best: make(map[int32]Term)}
	e.find()
	covered := 0
	for _, f := range e.found {
		e.weigh(f)
		covered += q.covers(f)
	}
	if 2*covered < len(q.matter) && !q.bare {
		e.describe()
	}
	return e.terms()
}

// asked is a query, read.
type asked struct {
	words  []word // all
	matter []int  // places of the words that say what is asked for
	// bare says that all words are stop words or intent, so that only a name that
	// covers all of them counts.
	bare  bool
	fixed []fixed
}

// fixed is a word that was misspelt.
type fixed struct {
	at    int
	trust float64
}

// trust is how sure it is that the words of a span are what they were taken for.
func (q asked) trust(from, to int) float64 {
	trust := 1.0
	for _, f := range q.fixed {
		if from <= f.at && f.at < to {
			trust *= f.trust
		}
	}
	return trust
}

func (m *Matcher) readQuery(query string) asked {
	q := asked{words: m.reader.read(nil, query)}
	m.forgive(&q)
	q.weighWords()
	return q
}

// weighWords finds the words that matter.
func (q *asked) weighWords() {
	for _, w := range q.words {
		if !w.stop && !isIntent(w.surface) {
			q.matter = append(q.matter, w.at)
		}
	}
	if len(q.matter) == 0 {
		q.bare = true
		for _, w := range withoutStops(nil, q.words) {
			q.matter = append(q.matter, w.at)
		}
	}
}

// covers returns how many of the words that matter are in a span.
func (q asked) covers(f found) int {
	n := 0
	for _, at := range q.matter {
		if f.from <= at && at < f.to {
			n++
		}
	}
	return n
}

type expander struct {
	m      *Matcher
	q      asked
	found  []found
	strong []int32 // skills found by a name that is not weak
	best   map[int32]Term
}

// find gathers the names in the query.
func (e *expander) find() {
	nearly := func(_ *target, inflected int) bool { return inflected <= 1 }
	all := e.m.names.find(nil, withoutFillers(nil, e.q.words), nearly)
	all = e.m.edged.find(all, e.q.words, nearly)
	all = e.m.phrases.find(all, without(nil, e.q.words, isPadding), nearly)
	all = slices.DeleteFunc(all, func(f found) bool {
		n := e.q.covers(f)
		return n == 0 || e.q.bare && n < len(e.q.matter)
	})
	for i := range all {
		e.needWhole(&all[i])
	}
	all = slices.DeleteFunc(all, func(f found) bool { return len(f.targets) == 0 })
	e.found = longestFirst(all)
	for _, f := range e.found {
		for _, x := range f.targets {
			if !x.weak && !x.occupation {
				e.strong = append(e.strong, x.owner)
			}
		}
	}
}

// isPadding reports whether a word of a query may stand inside a phrase without
// changing it.
func isPadding(w word) bool {
	if w.stop {
		return true
	}
	switch w.surface {
	case "actually", "exactly", "please", "maybe", "always":
		return true
	}
	return false
}

// needWhole drops the targets that count only when they are all that is asked
// for: one word that is left of a phrase, that is another form of a name, or that
// is an occupation. A verb that is about to get its object is trusted all the
// same, as in "knit a sweater", and an occupation that somebody wants to have.
func (e *expander) needWhole(f *found) {
	whole := e.q.covers(*f) == len(e.q.matter)
	var targets []target
	var inflect []int
	for i, x := range f.targets {
		if f.inflect[i] > 0 && e.wishes(*f, x) {
			continue
		}
		alone := x.shortened || x.form == formPhrase || f.inflect[i] > 0 && !e.takesObject(*f) || x.occupation && !e.becoming()
		if len(x.words) == 1 && alone && !whole {
			continue
		}
		targets = append(targets, x)
		inflect = append(inflect, f.inflect[i])
	}
	f.targets, f.inflect = targets, inflect
}

// wishes reports whether a word in the place of one of a name's says that
// something is wanted: who wants to learn design does not ask for learning design.
func (e *expander) wishes(f found, x target) bool {
	return slices.ContainsFunc(e.q.words[f.from:f.to], func(w word) bool {
		return isWish(w.surface) && !slices.Contains(x.words, canonical(w.surface))
	})
}

// takesObject reports whether the word after a place says that a thing follows.
func (e *expander) takesObject(f found) bool {
	if f.to >= len(e.q.words) {
		return false
	}
	switch e.q.words[f.to].surface {
	case "a", "an", "the", "my", "your", "our", "some":
		return true
	}
	return false
}

// becoming reports whether the query speaks of having an occupation.
func (e *expander) becoming() bool {
	return slices.ContainsFunc(e.q.words, func(w word) bool {
		switch w.surface {
		case "become", "becoming", "job", "jobs", "career", "work", "working":
			return true
		}
		return false
	})
}

// weigh enters what one place in the query asks for.
func (e *expander) weigh(f found) {
	spelt := e.q.trust(f.from, f.to)
	share := float64(e.q.covers(f)) / float64(len(e.q.matter)) * spelt
	for i := range f.targets {
		x := &f.targets[i]
		trust := e.trust(f, i)
		if trust == 0 {
			continue
		}
		why := Why{Kind: kinds[x.form], Name: x.text, Misspelt: spelt < 1}
		if !x.occupation {
			e.enter(x.owner, trust*share, why)
			continue
		}
		e.enterOccupation(e.m.graph.occupations[x.owner], trust*share, why)
	}
}

// reading is how sure it is that a place in the query is a target's name.
func (e *expander) reading(f found, i int) float64 {
	x := &f.targets[i]
	trust := 1.0
	switch {
	case x.shortened:
		trust = trustShortened
	case x.form == formPhrase:
		trust = trustPhrase
	}
	if f.inflect[i] > 0 {
		if len(x.words) > 1 {
			trust *= trustInflected
		} else if isVerbForm(canonical(e.q.words[f.from].surface), x.words[0]) {
			trust *= trustVerb
		} else {
			return 0
		}
	}
	return trust
}

// trust is how sure it is that a target is meant.
func (e *expander) trust(f found, i int) float64 {
	x, trust := &f.targets[i], e.reading(f, i)
	if x.shortened && isNamed(f) {
		return 0 // who asks for painting does not ask to understand paintings
	}
	if trust == 0 || !x.weak || !x.occupation && slices.ContainsFunc(e.strong, func(by int32) bool { return e.m.supports(by, x.owner) }) {
		return trust
	}
	owners := 0
	for j, o := range f.targets {
		if o.occupation != x.occupation || e.reading(f, j) == 0 {
			continue
		}
		if !o.weak {
			return 0 // somebody else's name without doubt
		}
		owners++
	}
	if e.q.covers(f) < len(e.q.matter) {
		trust *= trustAside
	}
	return trust * trustWeak / float64(owners)
}

// isNamed reports whether the words of a place are, as they stand, a skill's name
// without doubt.
func isNamed(f found) bool {
	for i, x := range f.targets {
		if x.form != formPhrase && !x.occupation && !x.weak && !x.turned && f.inflect[i] == 0 {
			return true
		}
	}
	return false
}

// enter keeps the best of what speaks for a skill.
func (e *expander) enter(skill int32, weight float64, why Why) {
	if old, ok := e.best[skill]; !ok || weight > old.Weight || weight == old.Weight && compareWhy(why, old.Why) < 0 {
		e.best[skill] = Term{e.m.graph.skills[skill].ID, weight, why}
	}
}

func compareWhy(a, b Why) int {
	return cmp.Or(cmp.Compare(a.Occupation, b.Occupation), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}

// enterOccupation shares a weight among the weightiest skills of an occupation.
func (e *expander) enterOccupation(o Occupation, weight float64, why Why) {
	ids := sortedKeys(o.Skills)
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(o.Skills[b], o.Skills[a]) })
	ids = ids[:min(len(ids), perOccupation)]
	sum := 0.0
	for _, id := range ids {
		sum += o.Skills[id]
	}
	why.Occupation = o.ID
	for _, id := range ids {
		e.enter(e.m.graph.skillAt[id], trustOccupation*weight*o.Skills[id]/sum, why)
	}
}

// terms returns the weightiest terms within the limits.
func (e *expander) terms() []Term { return bounded(e.best) }

func bounded[K comparable](best map[K]Term) []Term {
	var out []Term
	for _, t := range best {
		if t.Weight >= minTermWeight {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b Term) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.SkillID, b.SkillID))
	})
	out = out[:min(len(out), MaxTerms)]
	sum := 0.0
	for _, t := range out {
		sum += t.Weight
	}
	if sum > 1 {
		for i := range out {
			out[i].Weight = math.Min(1, out[i].Weight/sum)
		}
	}
	return out
}
