package suggest

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern/text"
)

// kind says what a phrase is; it may be several things.
type kind uint8

const (
	isSkill kind = 1 << iota
	isCategory
	isProvider
	isTitle    // the whole title of a course
	isSequence // words that several titles share
)

// completes are the kinds that complete a query.
const completes = isSkill | isCategory | isTitle | isSequence

// phrase is a text that is suggested, with the courses that it stands for.
type phrase struct {
	key     string
	text    string // as most courses spell it
	votes   int32  // for that spelling, less those for others (Boyer and Moore, 1981)
	kinds   kind
	weight  float32
	entries []uint32 // of its courses, rising: the most popular first
}

// Phrases of titles.
const (
	minShared     = 3 // titles that share a sequence of words
	minSequence   = 1 // words of a sequence
	minLetters    = 3 // of a single word
	maxSequence   = 4
	maxTitleWords = 8 // longer titles do not complete a query
	// Of scripts without spaces every letter counts as a word.
	maxTitleLetters = 30
)

// gatherer collects phrases by their folded form.
type gatherer struct {
	analyzer *text.Analyzer
	at       map[string]int // key → place in out
	out      []phrase
	words    [][]sourceWord
	known    map[string]int // text → place in out, −1 for none
}

// makePhrases lists what can be suggested besides courses.
func (s *snapshot) makePhrases(a *text.Analyzer, titles [][]word) {
	g := &gatherer{analyzer: a, at: make(map[string]int), known: make(map[string]int)}
	for i, e := range s.entries {
		for _, t := range e.skills {
			g.addText(t, isSkill, uint32(i))
		}
		for _, t := range e.categories {
			g.addText(t, isCategory, uint32(i))
		}
		g.addText(e.provider, isProvider, uint32(i))
	}
	g.addSequences(s.entries, titles)
	order := make([]int, len(g.out))
	for i := range g.out {
		g.out[i].weigh(s.entries)
		g.out[i].entries = slices.Clip(g.out[i].entries)
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return byWeight(&g.out[a], &g.out[b]) })
	for i, kinds := range [shelves]kind{completes, isSkill, isCategory, isProvider} {
		s.shelves[i] = g.shelf(order, kinds)
	}
}

// shelf indexes the phrases of some kinds.
func (g *gatherer) shelf(order []int, kinds kind) shelf {
	var out shelf
	var sources []source
	for _, i := range order {
		if p := g.out[i]; p.kinds&kinds != 0 {
			out.phrases = append(out.phrases, p)
			sources = append(sources, source{key: p.key, prior: p.weight, words: g.words[i]})
		}
	}
	out.phrases = slices.Clip(out.phrases)
	out.index = newIndex(sources)
	return out
}

func byWeight(a, b *phrase) int {
	return cmp.Or(cmp.Compare(b.weight, a.weight), strings.Compare(a.key, b.key))
}

// addText adds a phrase of the catalogue's own for one course.
func (g *gatherer) addText(t string, k kind, entry uint32) {
	at, ok := g.known[t]
	if !ok {
		at = g.add(t, split(g.analyzer, t, false), k)
		g.known[t] = at
	}
	if at >= 0 {
		g.count(at, t, k, entry)
	}
}

// add returns the place of a phrase, −1 when it has no words.
func (g *gatherer) add(t string, ws []word, k kind) int {
	key := keyOf(ws)
	if key == "" {
		return -1
	}
	at, ok := g.at[key]
	if !ok {
		at = len(g.out)
		g.at[key] = at
		g.out = append(g.out, phrase{key: key, text: t, kinds: k})
		g.words = append(g.words, placed(ws, inTitle))
	}
	return at
}

// count notes that a course has a phrase in some spelling. Courses come in their
// order.
func (g *gatherer) count(at int, spelling string, k kind, entry uint32) {
	p := &g.out[at]
	p.kinds |= k
	switch {
	case p.text == spelling:
		p.votes++
	case p.votes == 0:
		p.text, p.votes = spelling, 1
	default:
		p.votes--
	}
	if i, found := slices.BinarySearch(p.entries, entry); !found {
		p.entries = slices.Insert(p.entries, i, entry)
	}
}

// addSequences adds titles, and the sequences of words that enough titles share.
func (g *gatherer) addSequences(entries []*entry, titles [][]word) {
	c := newCounter(g.analyzer)
	units := make([][]unit, len(titles))
	for i, ws := range titles {
		units[i] = unitsOf(entries[i].title, ws)
		c.count(ws, units[i])
	}
	for i, ws := range titles {
		c.lap(ws, units[i])
	}
	for i, ws := range titles {
		title, us := entries[i].title, units[i]
		for from, to := range sequences(us) {
			if seq := us[from:to]; c.completes(title, ws, seq) {
				held := ws[seq[0].from:seq[len(seq)-1].to]
				g.addTitle(title[held[0].start:held[len(held)-1].end], held, isSequence, uint32(i))
			}
		}
		if len(us) <= maxTitleWords && len(ws) <= maxTitleLetters {
			g.addTitle(title, ws, isTitle, uint32(i))
		}
	}
}

// addTitle adds a title or a part of it.
func (g *gatherer) addTitle(spelling string, ws []word, k kind, entry uint32) {
	if at := g.add(spelling, ws, k); at >= 0 {
		g.count(at, spelling, k, entry)
	}
}

// weigh takes a phrase's weight from how many courses have it and how popular
// the most popular of them is.
func (p *phrase) weigh(entries []*entry) {
	p.weight = float32(math.Log1p(float64(len(p.entries)))/4) + 0.5*entries[p.entries[0]].prior
	if p.kinds&(isSkill|isCategory|isProvider) != 0 {
		p.weight += 0.3 // somebody chose these words
	}
}
