package sentiment

import (
	"math"
	"strconv"
	"unicode"
)

// How words work on each other. The factors are set by hand; they follow what
// VADER (Hutto and Gilbert, 2014) found people to make of boosters, negation and
// "but", but for negation, which turns less than half way here for blame ("not
// bad" is no praise) and nearly all the way for praise.
const (
	negationScope   = 5 // words
	negatedPraise   = -0.8
	negatedBlame    = 0.4
	negatedBlameMax = 1.2
	beforeContrast  = 0.6
	afterContrast   = 1.25
	priorSentence   = 0.8 // of the one before "But ..."
	irrealisPraise  = 0.35
	irrealisScope   = 8 // words
	asked           = 0.5
	starStrength    = 2.0 // for each star from the middle
)

// hit is one thing that a text says.
type hit struct {
	at, end  int // tokens
	strength float64
}

// reading is what the lexicon makes of a text.
type reading struct {
	hits      []hit
	words     int
	negators  int
	contrasts int
	irreal    int
	conceded  int
	sentences int
	exclaims  int
	asks      int
}

// reader goes through the tokens of one text.
type reader struct {
	list *wordList
	ts   []token
	out  reading

	sentence   int     // first hit of the sentence
	clause     int     // first token of the clause
	boost      float64 // factor for the next word
	boostAt    int     // token after the booster
	negator    int     // last token that turns what follows; -1
	irreal     int     // last token that begins an irrealis; -1
	conceding  float64 // factor of a concession; 0 is none
	contrasted bool
	previous   [2]int // hits of the sentence before: from, to
}

// read finds what the words of a text say.
func (l *wordList) read(ts []token) reading {
	r := reader{list: l, ts: ts, boost: 1, negator: -1, irreal: -1}
	for i := 0; i < len(ts); {
		i += r.step(i)
	}
	r.endSentence()
	return r.out
}

// step reads what begins at i and returns how many tokens it took.
func (r *reader) step(i int) int {
	switch t := r.ts[i]; t.kind {
	case kindStop:
		if t.exclaims {
			r.out.exclaims++
		}
		if t.asks {
			r.out.asks++
			for k := r.sentence; k < len(r.out.hits); k++ {
				r.out.hits[k].strength *= asked
			}
		}
		r.endSentence()
		r.clause = i + 1
		return 1
	case kindClause:
		r.conceding = 0
		r.clause, r.negator = i+1, -1
		return 1
	case kindWord:
		r.out.words++
	}
	if n, strength, ok := stars(r.ts, i); ok {
		r.say(hit{i, i + n, strength})
		return n
	}
	e, n := r.list.match(r.ts, i)
	if e == nil {
		return 1
	}
	r.out.words += n - 1
	r.apply(e, i, n)
	return n
}

// apply takes in one entry that spans n tokens from i.
func (r *reader) apply(e *entry, i, n int) {
	switch e.effect {
	case effectBooster:
		if r.boostAt != i {
			r.boost = 1
		}
		r.boost *= e.strength
		r.boostAt = i + n
	case effectNegator:
		r.out.negators++
		r.negator = i + n - 1
	case effectContrast:
		r.contrast(i)
	case effectConcession:
		r.out.conceded++
		r.conceding = e.strength
		r.negator = -1
	case effectIrrealis:
		r.out.irreal++
		r.irreal = i + n - 1
	case effectWord:
		if e.strength != 0 {
			r.say(hit{i, i + n, r.modified(e, i)})
		}
		if n == 1 && r.list.isNegator(e.words[0]) {
			r.negator = i // lacks blames and turns
		}
	}
}

// modified is the strength of an entry at i where it stands.
func (r *reader) modified(e *entry, i int) float64 {
	s := e.strength
	if r.boostAt >= i-1 && r.boostAt > 0 && r.boostAt >= r.clause {
		s *= r.boost
	}
	r.boost, r.boostAt = 1, 0
	if !e.negates && r.negator >= r.clause && i-r.negator <= negationScope {
		r.out.negators--
		if s > 0 {
			s *= negatedPraise
		} else {
			s = min(-s*negatedBlame, negatedBlameMax)
		}
	}
	if s > 0 && r.irreal >= 0 && i-r.irreal <= irrealisScope {
		s *= irrealisPraise
	}
	if r.conceding != 0 {
		s *= r.conceding
	}
	if r.contrasted {
		s *= afterContrast
	}
	return s
}

func (r *reader) say(h hit) { r.out.hits = append(r.out.hits, h) }

// contrast lowers what was said before in this sentence or, where the contrast
// begins one, in the sentence before it.
func (r *reader) contrast(i int) {
	r.out.contrasts++
	r.negator, r.irreal, r.conceding = -1, -1, 0
	if r.contrasted {
		return
	}
	r.contrasted = true
	from, to, by := r.sentence, len(r.out.hits), beforeContrast
	if from == to {
		from, to, by = r.previous[0], r.previous[1], priorSentence
	}
	for k := from; k < to; k++ {
		r.out.hits[k].strength *= by
	}
	r.clause = i + 1
}

func (r *reader) endSentence() {
	r.out.sentences++
	r.previous = [2]int{r.sentence, len(r.out.hits)}
	r.sentence = len(r.out.hits)
	r.negator, r.irreal, r.conceding, r.contrasted = -1, -1, 0, false
	r.boost, r.boostAt = 1, 0
}

// stars reads "4 stars", "4.5/5", "8 out of 10" and the like at i.
func stars(ts []token, i int) (n int, strength float64, ok bool) {
	w := ts[i].word
	if w == "" || !unicode.IsDigit(rune(w[0])) || i+1 >= len(ts) {
		return 0, 0, false
	}
	v, err := strconv.ParseFloat(w, 64)
	if err != nil || v < 0 {
		return 0, 0, false
	}
	scale := 5.0
	switch next := ts[i+1].word; {
	case next == "star" || next == "stars":
		n = 2
	case next == "/" && i+2 < len(ts):
		n = 3
	case next == "out" && i+3 < len(ts) && ts[i+2].word == "of":
		n = 4
	default:
		return 0, 0, false
	}
	if n > 2 {
		scale, err = strconv.ParseFloat(ts[i+n-1].word, 64)
		if err != nil || scale != 5 && scale != 10 && scale != 100 {
			return 0, 0, false
		}
	}
	if v > 1.5*scale {
		return 0, 0, false
	}
	return n, math.Min(3, starStrength*(5*v/scale-3.3)), true
}

// sums are the praise and blame of the hits in [from, to), both at least 0.
func (g *reading) sums(from, to int) (praise, blame float64) {
	for _, h := range g.hits {
		if h.at < from || h.at >= to {
			continue
		}
		if h.strength > 0 {
			praise += h.strength
		} else {
			blame -= h.strength
		}
	}
	return praise, blame
}
