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
	turned     bool     // a name turned into what is done: "train dogs" for dog training
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
	first []int32 // from the root, by word; 0 for none
	next  map[edge]int32
	ends  [][]target // by node
}

type edge struct{ node, word int32 }

func newTrie() trie { return trie{next: make(map[edge]int32), ends: make([][]target, 1)} }

func (t *trie) add(words []int32, x target) {
	node := int32(0)
	for _, w := range words {
		n := t.step(node, w)
		if n == 0 {
			n = int32(len(t.ends))
			t.ends = append(t.ends, nil)
			t.link(node, w, n)
		}
		node = n
	}
	t.ends[node] = append(t.ends[node], x)
}

func (t *trie) link(node, word, to int32) {
	if node > 0 {
		t.next[edge{node, word}] = to
		return
	}
	for len(t.first) <= int(word) {
		t.first = append(t.first, 0)
	}
	t.first[word] = to
}

// step returns the node that a word leads to, 0 for none. Nearly all steps are
// from the root, which is why it has a table of its own.
func (t *trie) step(node, word int32) int32 {
	switch {
	case word == unknown:
		return 0
	case node > 0:
		return t.next[edge{node, word}]
	case int(word) < len(t.first):
		return t.first[word]
	}
	return 0
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
	text   *text.Analyzer
	ids    map[string]int32    // by stem
	learnt map[string]spelling // by surface, while names come in
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
		id, ok := r.ids[t.Term]
		if !ok {
			id = r.respelt(t)
		}
		out = append(out, word{id: id, surface: t.Surface, at: i, stop: t.Stop})
	}
	return out
}

// respelt looks a word up in its American spelling.
func (r *reader) respelt(t text.Token) int32 {
	if id, ok := r.ids[r.stem(t)]; ok {
		return id
	}
	return unknown
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
		if r.learnt != nil {
			r.learnt[t.Surface] = spelling{id: id, uses: r.learnt[t.Surface].uses + 1}
		}
		out = append(out, word{id: id, surface: t.Surface, at: i, stop: t.Stop})
	}
	return out
}

// isFiller reports whether a word may come and go in a name without changing it:
// "history of art", "history of the arts".
func isFiller(w string) bool {
	switch w {
	case "a", "an", "the", "of", "and", "or", "for", "in", "to", "on", "with":
		return true
	}
	return false
}

func (w word) filler() bool { return w.stop && isFiller(w.surface) }

// withoutFillers appends the words that are no fillers to out, or all where there
// is nothing else.
func withoutFillers(out, words []word) []word { return without(out, words, word.filler) }

// withoutStops does so for stop words.
func withoutStops(out, words []word) []word {
	return without(out, words, func(w word) bool { return w.stop })
}

func without(out, words []word, drop func(word) bool) []word {
	for _, w := range words {
		if !drop(w) {
			out = append(out, w)
		}
	}
	if len(out) == 0 {
		return append(out, words...)
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
			if node = t.step(node, words[j].id); node == 0 {
				break
			}
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
// ones the less inflected, then the first. What is found at exactly the same place is put together.
func longestFirst(all []found) []found {
	slices.SortStableFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(slices.Min(a.inflect), slices.Min(b.inflect)), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	kept := all[:0]
next:
	for _, f := range all {
		for i := range kept {
			k := &kept[i]
			if f.from == k.from && f.to == k.to {
				k.targets = append(k.targets, f.targets...)
				k.inflect = append(k.inflect, f.inflect...)
				continue next
			}
			if f.from < k.to && k.from < f.to {
				continue next
			}
		}
		kept = append(kept, f)
	}
	slices.SortFunc(kept, func(a, b found) int { return cmp.Compare(a.from, b.from) })
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
