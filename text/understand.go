package text

import (
	"encoding/binary"
	"math/bits"
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
	Shown   string   // Read as the catalogue mostly writes it
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
	// Synonyms are those that the query was read with.
	Synonyms []UsedSynonym
	needed   [][]int32 // terms of each word of the synonyms
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
	subs := l.substitutions(q, tokens, o)
	l.prepare(o)
	l.mu.RLock()
	defer l.mu.RUnlock()
	r := understanding{lexicon: l, tokens: tokens, o: o}
	r.content = slices.ContainsFunc(tokens, func(t Token) bool { return !t.Stop })
	if len(subs) > 0 {
		r.senses, r.meant = l.allSenses(subs, tokens, o)
		r.bits = make([]uint64, len(tokens))
	}
	r.readings = l.readTokens(tokens, r.meant, o, endsInWord(q))
	for i := range tokens {
		r.word(i)
	}
	for i, senses := range r.senses {
		words := uint64(0)
		for t := subs[i].from; t < subs[i].to; t++ {
			words |= r.bits[t]
		}
		for j := range senses {
			l.addSense(&r.u, &senses[j], words)
		}
	}
	r.u.Text = q
	if r.changed {
		r.u.Text = strings.Join(r.text, " ")
	}
	return r.u
}

// understanding is a query while it is read.
type understanding struct {
	lexicon  *Lexicon
	tokens   []Token
	readings []wordReading
	o        QueryOptions
	content  bool // there are words beside stop words
	senses   [][]sense
	meant    []bool   // tokens that a synonym stands for; nil without any
	bits     []uint64 // of tokens, as Held's
	u        Understood
	text     []string
	changed  bool
}

// word reads one token.
func (r *understanding) word(i int) {
	t := r.tokens[i]
	if t.Stop && r.content {
		r.text = append(r.text, t.Surface)
		return
	}
	meant := r.meant != nil && r.meant[i]
	w := r.lexicon.understand(t, r.readings[i], r.o, meant)
	r.changed = r.changed || w.Read != t.Surface
	switch {
	case w.Read != "":
		r.text = append(r.text, w.Read)
	case meant:
		if to := r.insteadOf(i); to != "" {
			r.text = append(r.text, to)
		}
	case passable(t.Surface) && len(r.tokens) > 1:
		return
	}
	if len(r.u.Words) < maxUnderstood {
		if r.bits != nil {
			r.bits[i] = 1 << len(r.u.Words)
		}
		r.u.Words = append(r.u.Words, w)
	}
}

// insteadOf is what the text says in place of an unknown word: its likeliest
// synonym, once for all words of a phrase.
func (r *understanding) insteadOf(i int) string {
	for _, senses := range r.senses {
		if len(senses) == 0 || i < senses[0].of.from || i >= senses[0].of.to {
			continue
		}
		for t := senses[0].of.from; t < i; t++ {
			if r.bits[t] != 0 && r.u.Words[bits.TrailingZeros64(r.bits[t])].Read == "" {
				return "" // said already
			}
		}
		return senses[0].phrase.text
	}
	return ""
}

// passable reports whether a word may be unknown without the query being so:
// years and other numbers, and dotted names, whose parts are words of their own.
func passable(surface string) bool {
	if strings.ContainsRune(surface, '.') {
		return true
	}
	return !strings.ContainsFunc(surface, func(r rune) bool { return !unicode.IsNumber(r) })
}

// understand reads one word. One that has a synonym stands for nothing that it is
// not: what is unknown of it is no slip.
func (l *Lexicon) understand(t Token, r wordReading, o QueryOptions, meant bool) QueryWord {
	w := QueryWord{Surface: t.Surface, IDF: l.idf(0)}
	known, choices := r.known, r.choices
	var exact []weighted
	if known {
		exact, _ = l.appendExact(nil, t, 1, o)
	}
	foreign := false
	if o.Mode == ModeSmart && !known && !meant && len(choices) == 0 {
		exact = l.appendForeign(exact, t, 1, o)
		foreign = len(exact) > 0
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
	case foreign:
		w.Read, w.Trust, w.IDF = t.Surface, alternateWeight, l.idf(float64(df))
		w.own = len(exact)
	case len(choices) > 0:
		w.Read = l.vocab.entries[choices[0].entry].word
		w.Trust, w.IDF = trust(t.Surface, w.Read), l.idf(float64(l.df[choices[0].term]))
		w.own = 1
	}
	w.Shown = l.written(w.Read)
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
	edits := 2.0
	if !oneApart(typed, read) {
		edits *= 2
	}
	sure := max(0, 1-edits/float64(max(a, b)))
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
	Read     uint64 // the word that was read
	Any      uint64 // that, or another word it may stand for, or all of a synonym
	Synonyms uint64 // bit i stands for Synonyms[i], for which Any counts
}

// heldBits is what one term of a document says.
type heldBits struct{ read, any, needed uint64 }

// Held looks the words of a query up in documents. An unknown document holds
// none.
func (l *Lexicon) Held(u Understood, ids []string) []Held {
	words := make(map[int32]heldBits)
	for i, w := range u.Words {
		for j, t := range w.terms {
			h := words[t]
			h.any |= 1 << i
			if j < w.own {
				h.read |= 1 << i
			}
			words[t] = h
		}
	}
	for i, terms := range u.needed {
		for _, t := range terms {
			h := words[t]
			h.needed |= 1 << i
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
		var all heldBits
		o := int32(0)
		for b := l.docs[id].terms; len(b) > 0; {
			delta, n := binary.Uvarint(b)
			o += int32(delta)
			b = b[n:]
			if h, ok := words[o]; ok {
				all.read |= h.read
				all.any |= h.any
				all.needed |= h.needed
			}
		}
		out[i] = u.held(all)
	}
	return out
}

// held adds the synonyms of which a document holds every word.
func (u *Understood) held(all heldBits) Held {
	h := Held{Read: all.read, Any: all.any}
	for i, s := range u.Synonyms {
		if all.needed&s.needs == s.needs {
			h.Any |= s.words
			h.Synonyms |= 1 << i
		}
	}
	return h
}
