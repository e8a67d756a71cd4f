package text

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// When a word that is not one of the catalogue's, but has the stem of one or begins
// one, is a slip all the same.
const (
	minDoubted      = 5  // letters of a beginning that is doubted
	minDoubtedStem  = 7  // letters of a form that is doubted: cats are no cars
	doubtedTimes    = 5  // how many times as common the other word must be
	strayTimes      = 20 // the same for a word of the catalogue beside a slip
	maxStray        = 3  // documents that hold such a word
	maxSlips        = 8  // words corrected per query
	minTwoEdits     = 8  // letters from which two edits are forgiven
	minTwiceHeld    = 3  // documents that hold a word two edits away
	rareSlip        = 0.3
	maxTwoEditWords = 4 // words per query for which they are looked for
)

// wordReading is what a token stands for.
type wordReading struct {
	known   bool     // the word itself or a form of it is in the catalogue, and is meant
	choices []choice // what it begins, or was meant to be
	slip    bool     // choices are corrections, not completions
}

// readTokens reads the content words of a query: each as itself, as what it
// begins, or as what it was meant to be. QueryVector, Understand and Rewrite all
// read with it, so that what is shown is what was searched. meant are the tokens
// that a synonym stands for: what is unknown of them is no slip.
func (l *Lexicon) readTokens(tokens []Token, meant []bool, o QueryOptions, open bool) []wordReading {
	content := slices.ContainsFunc(tokens, func(t Token) bool { return !t.Stop })
	out := make([]wordReading, len(tokens))
	budget := slipBudget{maxSlips, maxTwoEditWords}
	slips := 0
	for i, t := range tokens {
		_, out[i].known = l.appendExact(nil, t, 1, o)
		if o.Mode == ModeWord || t.Stop && content || !out[i].known && meant != nil && meant[i] {
			continue
		}
		l.readWord(&out[i], t, open && i == len(tokens)-1, meant != nil && meant[i], &budget)
		slips += one(out[i].slip)
	}
	if slips == 0 {
		return out
	}
	for i, t := range tokens {
		if !out[i].slip && !t.Stop && out[i].known && (meant == nil || !meant[i]) {
			l.readStray(&out[i], t, &budget)
		}
	}
	return out
}

// slipBudget bounds the work on the slips of one query.
type slipBudget struct{ words, twice int }

// readWord reads one word. One that is not in the catalogue as it stands is doubted
// before it is taken for the beginning or a form of another, when a far commoner
// word is a single edit away.
func (l *Lexicon) readWord(r *wordReading, t Token, open, meant bool, budget *slipBudget) {
	if open {
		r.choices = l.completions(t)
	}
	if budget.words == 0 || meant || r.known && l.standsIn(t.Surface) {
		return
	}
	letters := utf8.RuneCountInString(t.Surface)
	switch {
	case !r.known && len(r.choices) == 0:
		budget.words--
		r.choices = l.corrections(t)
		if len(r.choices) == 0 && letters >= minTwoEdits && budget.twice > 0 {
			budget.twice--
			r.choices = l.twoEdits(t)
		}
		r.slip = len(r.choices) > 0
	case r.known && letters < minDoubtedStem, letters < minDoubted:
	default:
		budget.words--
		held := 0
		if r.known {
			held = l.heldBy(t)
		}
		for _, c := range r.choices {
			held = max(held, int(l.df[c.term]))
		}
		cs := l.likelier(t, func(word string) int {
			if r.known && len(r.choices) == 0 && lacksLetter(t.Surface, word) {
				return max(held/doubtedTimes, minTwiceHeld)
			}
			return max(held*doubtedTimes, minTwiceHeld)
		})
		if len(cs) == 0 && r.known && len(r.choices) == 0 && letters >= minTwoEdits && budget.twice > 0 {
			budget.twice--
			cs = l.twoEdits(t)
			cs = slices.DeleteFunc(cs, func(c choice) bool { return int(l.df[c.term]) < doubtedTimes*held })
		}
		if len(cs) > 0 {
			r.known, r.choices, r.slip = false, cs, true
		}
	}
}

// readStray doubts a word of the catalogue that hardly any document holds, in a
// query that holds a slip already: two slips are likelier than one beside a word
// that nobody uses.
func (l *Lexicon) readStray(r *wordReading, t Token, budget *slipBudget) {
	held := l.writtenIn(t.Surface, l.heldBy(t))
	if held > maxStray || budget.words == 0 || utf8.RuneCountInString(t.Surface) < minDoubted {
		return
	}
	budget.words--
	if cs := l.likelier(t, func(string) int { return strayTimes * held }); len(cs) > 0 {
		r.known, r.choices, r.slip = false, cs, true
	}
}

// standsIn reports whether a live document holds a word as it stands, as far as
// the vocabulary tells.
func (l *Lexicon) standsIn(surface string) bool {
	head, ok := l.vocab.heads[surface]
	for e := head; ok && e >= 0; e = l.vocab.entries[e].next {
		if l.df[l.vocab.entries[e].term] > 0 {
			return true
		}
	}
	return false
}

// heldBy is how many documents hold a word or a form of it.
func (l *Lexicon) heldBy(t Token) int {
	exact, _ := l.appendExact(nil, t, 1, QueryOptions{})
	n := 0
	for _, x := range exact {
		n += int(l.df[x.term])
	}
	return n
}

// writtenIn is how many documents, at most, hold a word as it stands, of those that
// hold a form of it: lerning is a stray even where many hold lernen.
func (l *Lexicon) writtenIn(surface string, forms int) int {
	m := l.analyzer.memory.Load()
	m.mu.RLock()
	defer m.mu.RUnlock()
	small, capital := m.usesOf(surface)
	for _, s := range m.written[surface] {
		x, y := m.usesOf(s)
		small, capital = small+x, capital+y
	}
	if n := int(small + capital); n > 0 {
		return min(n, forms)
	}
	return forms
}

// likelier are the corrections of a word that as many documents hold as each of
// them must, begin with its first letter and are no form of it.
func (l *Lexicon) likelier(t Token, must func(word string) int) []choice {
	own, known := l.ids[TermID(t.Term)]
	first := firstRune(t.Surface)
	cs := l.corrections(t)
	for _, c := range cs {
		if known && c.term == own { // the commonest form of the same word
			return nil
		}
	}
	return slices.DeleteFunc(cs, func(c choice) bool {
		word := l.vocab.entries[c.entry].word
		return int(l.df[c.term]) < must(word) || firstRune(word) != first
	})
}

// lacksLetter reports whether a word is another without one of its inner letters:
// no form of a word is made so, but the commonest slip is.
func lacksLetter(typed, word string) bool {
	return utf8.RuneCountInString(typed)+1 == utf8.RuneCountInString(word) && lastRune(typed) == lastRune(word)
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

// likelihood is how likely a word is the one that a slip was meant to be, by what
// of it is wrong: slips seldom hit the first letter, and the last not often.
func likelihood(typed, word string) float64 {
	likely := 1.0
	if firstRune(word) != firstRune(typed) {
		likely *= rareSlip
	}
	if lastRune(word) != lastRune(typed) {
		likely *= rareSlip
	}
	return likely
}

// twoEdits returns words that two edits make of a token, likeliest first: they
// begin alike, and sound alike but for one consonant. So astrology is no
// astronomy.
func (l *Lexicon) twoEdits(t Token) []choice {
	first := firstRune(t.Surface)
	top := choices{limit: maxCorrections}
	want := []rune(t.Surface)
	l.vocab.soundingLike(t.Surface, func(head int32) {
		word := l.vocab.entries[head].word
		if firstRune(word) != first || !withinTwo(want, word) {
			return
		}
		l.offer(&top, head, likelihood(t.Surface, word), -1)
	})
	return slices.DeleteFunc(top.best, func(c choice) bool { return l.df[c.term] < minTwiceHeld })
}

// withinTwo reports whether two words are at most two edits apart: letters put in,
// left out, put in place of another, and neighbours swapped (optimal string
// alignment).
func withinTwo(a []rune, word string) bool {
	b := []rune(word)
	const far = 3
	if d := len(a) - len(b); d >= far || -d >= far || len(b) > maxWordBytes {
		return false
	}
	var rows [3][maxWordBytes + 1]uint8
	for j := range b {
		rows[0][j+1] = uint8(min(j+1, far))
	}
	for i := 1; i <= len(a); i++ {
		row, above, before := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		row[0] = uint8(min(i, far))
		least := row[0]
		for j := 1; j <= len(b); j++ {
			cost := above[j-1]
			if a[i-1] != b[j-1] {
				cost++
			}
			cost = min(cost, row[j-1]+1, above[j]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cost = min(cost, before[j-2]+1)
			}
			row[j] = min(cost, far)
			least = min(least, row[j])
		}
		if least >= far {
			return false
		}
	}
	return rows[len(a)%3][len(b)] < far
}

// minSounded is the shortest word that is kept by its sound, in letters: those that
// two edits make of minTwoEdits.
const minSounded = minTwoEdits - 2

// soundOf is the first letter of a word and its consonants, doubled ones once, with
// ph as f; "" for words too short to be looked for by it, and for scripts without
// vowels of their own.
func soundOf(buf []byte, word string) []byte {
	if len(word) < minSounded || utf8.RuneCountInString(word) < minSounded || alphabetOf(firstRune(word)) == "" {
		return nil
	}
	buf = buf[:0]
	last := rune(0)
	for i, r := range word {
		if i > 0 && isVowel(r) {
			last = 0
			continue
		}
		if i > 0 && r == 'p' && strings.HasPrefix(word[i+1:], "h") {
			r = 'f'
		} else if r == 'h' && i > 0 && word[i-1] == 'p' {
			continue
		}
		if r != last {
			buf = utf8.AppendRune(buf, r)
		}
		last = r
	}
	return buf
}

func isVowel(r rune) bool {
	return strings.ContainsRune("aeiouyаеиоуыэюяіїєьъαεηιουω", r)
}

// oneApart reports whether two words that at most two edits part are one apart.
func oneApart(a, b string) bool {
	x, y := []rune(a), []rune(b)
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return len(x)+len(y) <= 1 || len(x) == 1 && len(y) == 1 ||
		len(x) == 2 && len(y) == 2 && x[0] == y[1] && x[1] == y[0]
}
