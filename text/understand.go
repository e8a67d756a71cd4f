package text

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// QueryWord is one informative word of a query, with what the catalogue makes
// of it.
type QueryWord struct {
	Surface string   // as typed, folded
	Read    string   // the word it is taken for: itself, its correction or its completion; "" when unknown
	Trust   float64  // how sure that is, in [0, 1]: 1 is the word itself, 0 is unknown
	IDF     float64  // inverse document frequency of what it is taken for; of no document when unknown
	Terms   []uint32 // TermIDs of all that it may stand for
	terms   []int32  // what a document may hold of it, Read's own first
	own     int      // how many of terms are Read's own
}

// Understood is a query after reading.
type Understood struct {
	// Words are the words that count: grammar, numbers that no course holds and
	// dotted names of which only the parts are known are left out, unless there is
	// nothing else.
	Words []QueryWord
	// Text is the query in the words it was read as, without the unknown ones; the
	// query itself when all of it is known.
	Text string
}

// Known is the share of the query's information that the catalogue knows: the
// inverse document frequencies of its words, each as far as its reading is
// trusted, over all of them. It is 0 for a query without words.
func (u Understood) Known() float64 {
	known, all := 0.0, 0.0
	for _, w := range u.Words {
		known += w.Trust * w.IDF
		all += w.IDF
	}
	if all == 0 {
		return 0
	}
	return known / all
}

// maxUnderstood bounds the words of a query that Held tells apart.
const maxUnderstood = 64

// Understand reads a query word by word, as QueryVector and Rewrite do.
func (l *Lexicon) Understand(q string, o QueryOptions) Understood {
	tokens := l.queryTokens(q, o)
	l.prepare(o)
	l.mu.RLock()
	defer l.mu.RUnlock()
	content := slices.ContainsFunc(tokens, func(t Token) bool { return !t.Stop })
	open := endsInWord(q)
	var u Understood
	var text []string
	changed := false
	for i, t := range tokens {
		if t.Stop && content {
			text = append(text, t.Surface)
			continue
		}
		w := l.understand(t, o, open && i == len(tokens)-1)
		changed = changed || w.Read != t.Surface
		if w.Read != "" {
			text = append(text, w.Read)
		} else if passable(t.Surface) && len(tokens) > 1 {
			continue
		}
		if len(u.Words) < maxUnderstood {
			u.Words = append(u.Words, w)
		}
	}
	u.Text = q
	if changed {
		u.Text = strings.Join(text, " ")
	}
	return u
}

// passable reports whether a word may be unknown without the query being so:
// years and other numbers, and dotted names, whose parts are words of their own.
func passable(surface string) bool {
	if strings.ContainsRune(surface, '.') {
		return true
	}
	return !strings.ContainsFunc(surface, func(r rune) bool { return !unicode.IsNumber(r) })
}

// understand reads one word.
func (l *Lexicon) understand(t Token, o QueryOptions, open bool) QueryWord {
	w := QueryWord{Surface: t.Surface, IDF: l.idf(0)}
	exact, known := l.appendExact(nil, t, 1, o)
	var choices []choice
	if o.Mode == ModeSmart {
		if open {
			choices = l.completions(t)
		}
		if !known && len(choices) == 0 {
			choices = l.corrections(t)
		}
	}
	df := 0
	for _, x := range exact {
		w.terms = append(w.terms, x.term)
		df += int(l.df[x.term])
	}
	for _, c := range choices {
		w.terms = append(w.terms, c.term)
	}
	switch {
	case known:
		w.Read, w.Trust, w.IDF = l.spelled(t), 1, l.idf(float64(df))
		w.own = len(exact)
	case len(choices) > 0:
		w.Read = l.vocab.entries[choices[0].entry].word
		w.Trust, w.IDF = trust(t.Surface, w.Read), l.idf(float64(l.df[choices[0].term]))
		w.own = 1
	}
	for _, t := range w.terms {
		w.Terms = append(w.Terms, l.terms[t])
	}
	return w
}

// trust is how sure it is that one word was meant by another: for a beginning the
// share of the word that was typed, at least .6; for a correction less, the shorter the word
// is, because any short word is one slip away from some other.
func trust(typed, read string) float64 {
	a, b := utf8.RuneCountInString(typed), utf8.RuneCountInString(read)
	if strings.HasPrefix(read, typed) {
		return max(0.6, float64(a)/float64(b))
	}
	sure := max(0, 1-2/float64(max(a, b)))
	if firstRune(typed) != firstRune(read) {
		sure /= 2 // slips seldom hit the first letter: a ballet is no wallet
	}
	return sure
}

// spelled is a known word as the catalogue spells it: a slip that has the stem of
// a word counts as that word, and should be shown as it.
func (l *Lexicon) spelled(t Token) string {
	if _, ok := l.vocab.heads[t.Surface]; ok {
		return t.Surface
	}
	own, ok := l.ids[TermID(t.Term)]
	if !ok {
		return t.Surface
	}
	best := t.Surface
	l.vocab.oneEdit(t.Surface, func(e int32) {
		for head := e; e >= 0; e = l.vocab.entries[e].next {
			if l.vocab.entries[e].term == own && (best == t.Surface || l.vocab.entries[head].word < best) {
				best = l.vocab.entries[head].word
			}
		}
	})
	return best
}

// Held is which words of a query a document holds: bit i stands for Words[i].
type Held struct {
	Read uint64 // the word that was read
	Any  uint64 // that, or another word it may stand for
}

// Held looks the words of a query up in documents. An unknown document holds
// none.
func (l *Lexicon) Held(u Understood, ids []string) []Held {
	words := make(map[int32]Held)
	for i, w := range u.Words {
		for j, t := range w.terms {
			h := words[t]
			h.Any |= 1 << i
			if j < w.own {
				h.Read |= 1 << i
			}
			words[t] = h
		}
	}
	out := make([]Held, len(ids))
	if len(words) == 0 {
		return out
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	for i, id := range ids {
		o := int32(0)
		for b := l.docs[id].terms; len(b) > 0; {
			delta, n := binary.Uvarint(b)
			o += int32(delta)
			b = b[n:]
			if h, ok := words[o]; ok {
				out[i].Read |= h.Read
				out[i].Any |= h.Any
			}
		}
	}
	return out
}
