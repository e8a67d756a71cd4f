package text

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// Mode says how literally a query is taken.
type Mode int

// The modes of QueryVector.
const (
	ModeSmart Mode = iota // completes the last word, corrects unknown words
	ModeWord              // the words as they stand: the baseline
)

// QueryOptions steer QueryVector and Rewrite.
type QueryOptions struct {
	Language string // BCP 47, "" when unknown
	Mode     Mode
}

// The bounds and weights of expansion.
const (
	maxQueryTokens  = 48
	maxQueryBytes   = 8 << 10 // more than so many words have
	maxCompletions  = 8
	maxCorrections  = 4
	maxCorrected    = 4    // words that other spellings are named for
	maxPrefixScan   = 2000 // words looked at per completion
	minFuzzyLetters = 4
	minPrefix       = 2 // letters
	stopWeight      = 0.1
	alternateWeight = 0.9 // the same word stemmed in another language
	// A known word is completed faintly: java is a word, but javascript may follow.
	knownPrefixWeight = 0.1
	prefixWeight      = 0.8
	fuzzyWeight       = 0.8
)

// QueryVector returns the query side of BM25: the inverse document frequency of
// each term, times its count. In ModeSmart the last word, unless a space
// follows, also stands for words that it begins, and a word that the catalogue
// does not know stands for words one edit away, both bounded and weighed down;
// so do words and phrases for their synonyms. The vector is empty when nothing is
// known.
func (l *Lexicon) QueryVector(q string, o QueryOptions) lectern.SparseVector {
	tokens := l.queryTokens(q, o)
	subs := l.substitutions(q, tokens, o)
	l.prepare(o)
	l.mu.RLock()
	defer l.mu.RUnlock()
	b := newSparseBuilder(2 * len(tokens))
	for _, x := range l.expand(tokens, subs, o, endsInWord(q)) {
		b.add(l.terms[x.term], x.weight)
	}
	return b.vector()
}

// Rewrite returns the query with its unknown words replaced by their likeliest
// correction or completion, for searches that cannot expand by themselves, and
// whether anything changed.
func (l *Lexicon) Rewrite(q string, o QueryOptions) (string, bool) {
	tokens := l.queryTokens(q, o)
	l.prepare(o)
	l.mu.RLock()
	defer l.mu.RUnlock()
	words := make([]string, len(tokens))
	changed := false
	o.Mode = ModeSmart
	for i, r := range l.readTokens(tokens, nil, o, endsInWord(q)) {
		words[i] = tokens[i].Surface
		if !r.known && len(r.choices) > 0 {
			words[i], changed = l.vocab.entries[r.choices[0].entry].word, true
		}
	}
	if !changed {
		return q, false
	}
	return strings.Join(words, " "), true
}

// prepare sorts fresh words when a query would otherwise walk too many.
func (l *Lexicon) prepare(o QueryOptions) {
	if o.Mode == ModeWord {
		return
	}
	l.mu.RLock()
	stale := len(l.vocab.fresh) > l.vocab.maxFresh()
	l.mu.RUnlock()
	if stale {
		l.mu.Lock()
		l.vocab.settle(l.vocab.maxFresh())
		l.mu.Unlock()
	}
}

// queryTokens analyses a query and bounds it.
func (l *Lexicon) queryTokens(q string, o QueryOptions) []Token {
	tokens := l.analyzer.Tokens(cutQuery(q), o.Language)
	return tokens[:min(len(tokens), maxQueryTokens)]
}

// cutQuery cuts a query of a length that nobody types, between letters.
func cutQuery(q string) string {
	if len(q) <= maxQueryBytes {
		return q
	}
	return strings.ToValidUTF8(q[:maxQueryBytes], "")
}

// endsInWord reports whether the last word of q may still be being typed.
func endsInWord(q string) bool {
	r, _ := utf8.DecodeLastRuneInString(q)
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

// weighted is a term of the expanded query.
type weighted struct {
	term   int32
	weight float32
}

// expand turns tokens into weighted terms.
func (l *Lexicon) expand(tokens []Token, subs []substitution, o QueryOptions, open bool) []weighted {
	content := slices.ContainsFunc(tokens, func(t Token) bool { return !t.Stop })
	var out []weighted
	var meant []bool
	if len(subs) > 0 {
		var senses [][]sense
		senses, meant = l.allSenses(subs, tokens, o)
		for _, s := range senses {
			out = appendSenses(out, s)
		}
	}
	for i, r := range l.readTokens(tokens, meant, o, open) {
		t, factor := tokens[i], 1.0
		if t.Stop && content {
			if o.Mode == ModeWord {
				continue
			}
			factor = stopWeight
		}
		switch {
		case r.slip:
			out = l.appendChoices(out, r.choices, fuzzyWeight*factor)
			continue
		case r.known:
			out, _ = l.appendExact(out, t, factor, o)
			out = l.appendChoices(out, r.choices, knownPrefixWeight*factor)
		case len(r.choices) > 0:
			out = l.appendChoices(out, r.choices, prefixWeight*factor)
		case o.Mode == ModeSmart && (meant == nil || !meant[i]) && (!t.Stop || !content):
			out = l.appendForeign(out, t, factor, o)
		}
	}
	return out
}

// appendExact adds the term of a token and, in ModeSmart, the terms that the
// same word counted as in documents of other languages. All share one inverse
// document frequency, or the rarer language would win.
func (l *Lexicon) appendExact(out []weighted, t Token, factor float64, o QueryOptions) ([]weighted, bool) {
	exact, ok := l.ids[TermID(t.Term)]
	if !ok || l.df[exact] == 0 {
		exact = -1
	}
	df, n := 0.0, len(out)
	if exact >= 0 {
		df = float64(l.df[exact])
		out = append(out, weighted{exact, 1})
	}
	if head, ok := l.vocab.heads[t.Surface]; ok && o.Mode == ModeSmart {
		for e := head; e >= 0; e = l.vocab.entries[e].next {
			if term := l.vocab.entries[e].term; term != exact && l.df[term] > 0 {
				df += float64(l.df[term])
				w := float32(alternateWeight)
				if exact < 0 {
					w = 1
				}
				out = append(out, weighted{term, w})
			}
		}
	}
	if t.Stop && factor == 1 { // the query is nothing but stop words
		if o, ok := l.ids[TermID(titledTerm(t.Surface))]; ok && l.df[o] > 0 {
			df = max(df, float64(l.df[o]))
			out = append(out, weighted{o, 1})
		}
	}
	idf := float32(l.idf(df) * factor)
	for i := n; i < len(out); i++ {
		out[i].weight *= idf
	}
	return out, len(out) > n
}

// choice is one word that a token may stand for.
type choice struct {
	entry int32
	term  int32
	score float64 // how likely, unnormalised
}

// appendChoices adds the terms of choices, the likeliest at full weight and the
// others by the square root of their likelihood.
func (l *Lexicon) appendChoices(out []weighted, cs []choice, weight float64) []weighted {
	for _, c := range cs {
		w := weight * math.Sqrt(c.score/cs[0].score) * l.idf(float64(l.df[c.term]))
		out = append(out, weighted{c.term, float32(w)})
	}
	return out
}

// completions returns words that a token begins, likeliest first, one per term.
func (l *Lexicon) completions(t Token) []choice {
	if utf8.RuneCountInString(t.Surface) < minPrefix && !isRunRune(firstRune(t.Surface)) {
		return nil
	}
	own, known := l.ids[TermID(t.Term)]
	if !known {
		own = -1
	}
	top := choices{limit: maxCompletions}
	l.vocab.withPrefix(t.Surface, maxPrefixScan, func(e int32) { l.offer(&top, e, 1, own) })
	return top.best
}

// corrections returns words one edit away from a token, likeliest first, one per
// term.
func (l *Lexicon) corrections(t Token) []choice {
	if utf8.RuneCountInString(t.Surface) < minFuzzyLetters {
		return nil
	}
	top := choices{limit: maxCorrections}
	l.vocab.oneEdit(t.Surface, func(e int32) {
		l.offer(&top, e, likelihood(t.Surface, l.vocab.entries[e].word), -1)
	})
	return top.best
}

// offer considers the live terms of a word, except the term own.
func (l *Lexicon) offer(top *choices, head int32, likely float64, own int32) {
	for e := head; e >= 0; e = l.vocab.entries[e].next {
		term := l.vocab.entries[e].term
		if df := l.df[term]; df > 0 && term != own {
			top.add(choice{head, term, likely * float64(df)})
		}
	}
}

// choices keeps the likeliest choice of each term, up to a limit, best first.
type choices struct {
	limit int
	best  []choice
}

func (c *choices) add(x choice) {
	if n := len(c.best); n == c.limit && compareChoices(x, c.best[n-1]) >= 0 {
		return // the usual case: thousands of words are offered, few are kept
	}
	if i := slices.IndexFunc(c.best, func(o choice) bool { return o.term == x.term }); i >= 0 {
		if compareChoices(x, c.best[i]) >= 0 {
			return
		}
		c.best = slices.Delete(c.best, i, i+1)
	}
	at, _ := slices.BinarySearchFunc(c.best, x, compareChoices)
	c.best = slices.Insert(c.best, at, x)
	c.best = c.best[:min(len(c.best), c.limit)]
}

// compareChoices orders the likelier first, then by term and word.
func compareChoices(a, b choice) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.term, b.term), cmp.Compare(a.entry, b.entry))
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}
