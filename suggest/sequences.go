package suggest

import (
	"hash/maphash"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lectern-dev/lectern/text"
)

// unit is a stretch of a title's words that a completion does not break: a word,
// with the parts of its dotted name, or as many letters of a script without spaces
// as follow each other.
type unit struct {
	from, to int
	cut      bool // no phrase goes on from the one before
}

// unitsOf divides the words of a title.
func unitsOf(title string, ws []word) []unit {
	var out []unit
	for i, w := range ws {
		last := len(out) - 1
		if i > 0 && (w.part || ws[i-1].end == w.start && joins(title, ws[i-1], w)) {
			out[last].to = i + 1
			continue
		}
		out = append(out, unit{i, i + 1, i > 0 && cuts(title, ws[i-1], w)})
	}
	return out
}

// joins reports whether two neighbouring words may be parts of one word: letters of
// scripts without spaces, but not on either side of where katakana begins or ends.
func joins(title string, a, b word) bool {
	left, _ := utf8.DecodeLastRuneInString(title[:a.end])
	right, _ := utf8.DecodeRuneInString(title[b.start:])
	return isScriptWithoutSpaces(left) && isScriptWithoutSpaces(right) &&
		unicode.Is(unicode.Katakana, left) == unicode.Is(unicode.Katakana, right)
}

// cuts reports whether punctuation beside a script without spaces parts two words,
// which is all that parts phrases there.
func cuts(title string, a, b word) bool {
	left, _ := utf8.DecodeLastRuneInString(title[:a.end])
	right, _ := utf8.DecodeRuneInString(title[b.start:])
	return (isScriptWithoutSpaces(left) || isScriptWithoutSpaces(right)) && strings.TrimSpace(title[a.end:b.start]) != ""
}

// sequences yields the places of the stretches of up to maxSequence neighbouring
// units.
func sequences(us []unit) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for from := range us {
			for to := from + minSequence; to <= min(from+maxSequence, len(us)); to++ {
				if to-from > 1 && us[to-1].cut {
					break
				}
				if !yield(from, to) {
					return
				}
			}
		}
	}
}

// counter counts the sequences of words of titles. It keeps hashes, so that the
// many rare ones take no more room than a number each.
type counter struct {
	analyzer *text.Analyzer
	seed     maphash.Seed
	counts   map[uint64]int32
	within   map[uint64]int32 // most of any longer sequence that holds one
	follows  map[uint64]int32 // most of any word after one word
	stops    map[string]bool
}

func newCounter(a *text.Analyzer) *counter {
	return &counter{
		analyzer: a, seed: maphash.MakeSeed(), counts: make(map[uint64]int32),
		within: make(map[uint64]int32), follows: make(map[uint64]int32), stops: make(map[string]bool),
	}
}

// hash is of the words of some units.
func (c *counter) hash(ws []word, us []unit) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	for _, w := range ws[us[0].from:us[len(us)-1].to] {
		h.WriteString(w.folded)
		h.WriteByte(' ')
	}
	return h.Sum64()
}

// count counts the sequences of a title, one unit longer than those that are
// suggested.
func (c *counter) count(ws []word, us []unit) {
	for from, to := range sequences(us) {
		c.counts[c.hash(ws, us[from:to])]++
		if to-from == maxSequence && to < len(us) && !us[to].cut {
			c.counts[c.hash(ws, us[from:to+1])]++
		}
	}
}

// lap notes, once all titles are counted, which longer sequences hold those of a
// title. Words that only lead to what follows make none longer, nor does what is too
// long to be suggested at the end.
func (c *counter) lap(ws []word, us []unit) {
	for from, to := range sequences(us) {
		own := c.hash(ws, us[from:to])
		if c.counts[own] < minShared {
			continue
		}
		if from > 0 && !us[from].cut && !c.leads(ws[us[from-1].from]) {
			c.within[own] = max(c.within[own], c.counts[c.hash(ws, us[from-1:to])])
		}
		if to == len(us) || us[to].cut {
			continue
		}
		longer := c.counts[c.hash(ws, us[from:to+1])]
		if to-from < maxSequence && !c.isStop(ws[us[to].to-1].folded) {
			c.within[own] = max(c.within[own], longer)
		}
		if to-from == 1 {
			c.follows[own] = max(c.follows[own], longer)
		}
	}
}

func (c *counter) leads(w word) bool { return c.isStop(w.folded) || isIntent(w.folded) }

func (c *counter) isStop(w string) bool {
	stop, ok := c.stops[w]
	if !ok {
		tokens := c.analyzer.Tokens(w, "")
		stop = len(tokens) > 0 && tokens[0].Stop
		c.stops[w] = stop
	}
	return stop
}

// ownShare is the most of a sequence's titles, in tenths, that may hold the same
// longer one.
const ownShare = 9

// completes reports whether a sequence is worth suggesting: enough titles share it,
// it neither begins nor ends with grammar, and it is no fragment of a longer one.
// "machine" is nothing to complete a query to where most machines are machine
// learning, nor is "aid kit" where nearly all are first.
func (c *counter) completes(title string, ws []word, us []unit) bool {
	own := c.hash(ws, us)
	n := c.counts[own]
	first, last := ws[us[0].from], ws[us[len(us)-1].to-1]
	switch {
	case n < minShared || 10*c.within[own] >= ownShare*n || c.isStop(first.folded) || c.isStop(last.folded):
		return false
	case len(us) > 1:
		return !isGrammar(title, ws, us[0]) && !isGrammar(title, ws, us[len(us)-1])
	}
	return 2*c.follows[own] <= n && !tooShort(ws, us[0]) && !isGrammar(title, ws, us[0])
}

// isGrammar reports a unit that begins with hiragana, which is an ending of what
// stands before it, or one letter of a script without spaces.
func isGrammar(title string, ws []word, u unit) bool {
	first, size := utf8.DecodeRuneInString(title[ws[u.from].start:])
	return unicode.Is(unicode.Hiragana, first) || isScriptWithoutSpaces(first) && ws[u.to-1].end-ws[u.from].start == size
}

// tooShort reports whether a unit alone is too little to be suggested.
func tooShort(ws []word, u unit) bool {
	if u.to-u.from > 1 && !ws[u.from+1].part {
		return false // letters of a script without spaces
	}
	w := ws[u.from].folded
	for _, r := range w {
		if unicode.IsLetter(r) {
			return utf8.RuneCountInString(w) < minLetters && !isScriptWithoutSpaces(r)
		}
	}
	return true
}
