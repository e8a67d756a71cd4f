package skills

import (
	"cmp"
	"math"
	"slices"

	"github.com/lectern-dev/lectern/text"
)

// target is a name of a skill or an occupation, as something to be found.
type target struct {
	owner      int32 // its place among the graph's skills or occupations
	occupation bool
	form       form
	weak       bool
	shortened  bool     // a phrase without its first words, such as "learn to"
	text       string   // as the graph has it
	words      []string // canonical, those that count
	spelt      spelt
	specific   float64 // in (0, 1]: how seldom the graph uses its words
}

// spelt says which capitals a name must have in a text.
type spelt uint8

const (
	speltAnyhow  spelt = iota
	speltCapital       // Go, but not go
	speltUpper         // IT, but not it
)

// trie finds sequences of words. Its edges are stems, so that inflected forms are
// found as well; who asks decides whether a found form is near enough.
type trie struct {
	next map[edge]int32
	ends [][]target // by node
}

type edge struct{ node, word int32 }

func newTrie() trie { return trie{next: make(map[edge]int32), ends: make([][]target, 1)} }

func (t *trie) add(words []int32, x target) {
	node := int32(0)
	for _, w := range words {
		e := edge{node, w}
		n, ok := t.next[e]
		if !ok {
			n = int32(len(t.ends))
			t.ends = append(t.ends, nil)
			t.next[e] = n
		}
		node = n
	}
	t.ends[node] = append(t.ends[node], x)
}

// unknown is the word of which no name is made.
const unknown int32 = -1

// word is a word of a text, ready to be looked up.
type word struct {
	id      int32 // unknown when no name has it
	surface string
	at      int // its place among all words of the text
	stop    bool
}

// reader reads texts as the names were read. It is safe for concurrent use once
// the names are in.
type reader struct {
	text *text.Analyzer
	ids  map[string]int32 // by stem
}

// stem returns what an edge of the trie is made of.
func (r *reader) stem(t text.Token) string {
	if w := american(t.Surface); w != t.Surface {
		if terms := r.text.Terms(w, language); len(terms) == 1 {
			return terms[0]
		}
	}
	return t.Term
}

// read returns the words of s. Fillers and stop words are among them.
func (r *reader) read(out []word, s string) []word {
	for i, t := range r.text.Tokens(s, language) {
		id, ok := r.ids[r.stem(t)]
		if !ok {
			id = unknown
		}
		out = append(out, word{id: id, surface: t.Surface, at: i, stop: t.Stop})
	}
	return out
}

// learn returns the words of a name, making those that are new known.
func (r *reader) learn(s string) []word {
	var out []word
	for i, t := range r.text.Tokens(s, language) {
		stem := r.stem(t)
		id, ok := r.ids[stem]
		if !ok {
			id = int32(len(r.ids))
			r.ids[stem] = id
		}
		out = append(out, word{id: id, surface: t.Surface, at: i, stop: t.Stop})
	}
	return out
}

// isFiller reports whether a word may come and go in a name without changing it:
// "history of art", "history of the arts".
func isFiller(w string) bool {
	switch w {
	case "a", "an", "the", "of", "and", "or", "for", "in", "to", "on", "with", "your", "my":
		return true
	}
	return false
}

// withoutFillers drops the fillers unless there is nothing else.
func withoutFillers(words []word) []word {
	return without(words, func(w word) bool { return w.stop && isFiller(w.surface) })
}

// withoutStops drops the stop words unless there is nothing else.
func withoutStops(words []word) []word { return without(words, func(w word) bool { return w.stop }) }

func without(words []word, drop func(word) bool) []word {
	out := make([]word, 0, len(words))
	for _, w := range words {
		if !drop(w) {
			out = append(out, w)
		}
	}
	if len(out) == 0 {
		return words
	}
	return out
}

// found is a name at a place in a text.
type found struct {
	from, to int // words of the text, to excluded
	count    int // words that count
	targets  []target
	inflect  []int // for each target, how many words are inflected otherwise
}

// find appends every place where a name stands among words, for the targets that
// accept agrees to.
func (t *trie) find(out []found, words []word, accept func(x *target, inflected int) bool) []found {
	for i := range words {
		node := int32(0)
		for j := i; j < len(words); j++ {
			n, ok := t.next[edge{node, words[j].id}]
			if !ok || words[j].id == unknown {
				break
			}
			node = n
			if len(t.ends[node]) == 0 {
				continue
			}
			f := found{from: words[i].at, to: words[j].at + 1, count: j + 1 - i}
			for k := range t.ends[node] {
				x := &t.ends[node][k]
				inflected := inflections(words[i:j+1], x.words)
				if inflected >= 0 && accept(x, inflected) {
					f.targets = append(f.targets, *x)
					f.inflect = append(f.inflect, inflected)
				}
			}
			if len(f.targets) > 0 {
				out = append(out, f)
			}
		}
	}
	return out
}

// inflections counts the words that are not the name's but only share their stem.
func inflections(words []word, name []string) int {
	n := 0
	for i, w := range words {
		if w.surface != name[i] && canonical(w.surface) != name[i] {
			n++
		}
	}
	return n
}

// longestFirst keeps, of names that overlap, the longer one, and of equally long
// ones the first; several forms of the same words stay together.
func longestFirst(all []found) []found {
	slices.SortStableFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var kept []found
	for _, f := range all {
		overlaps := func(k found) bool {
			return f.from < k.to && k.from < f.to && (f.from != k.from || f.to != k.to)
		}
		if !slices.ContainsFunc(kept, overlaps) {
			kept = append(kept, f)
		}
	}
	slices.SortStableFunc(kept, func(a, b found) int { return cmp.Compare(a.from, b.from) })
	return kept
}

// specificity is how telling a name is: 1 with two or more words, less for one
// word that many names are made of, as design or management.
func specificity(words []string, uses map[string]int) float64 {
	if len(words) > 1 {
		return 1
	}
	return max(0.4, 1-0.08*math.Log2(float64(max(1, uses[words[0]]))))
}
