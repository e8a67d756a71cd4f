package text

import (
	"cmp"
	"math"
	"slices"
)

// synonymWeight is how much of the original's weight a synonym has, and how far a
// word is trusted that only its synonym makes known.
const synonymWeight = 0.8

// SetSynonyms puts rules to use in place of those before; nil is none. Queries
// that are under way keep the rules that they began with.
func (l *Lexicon) SetSynonyms(s *Synonyms) { l.synonyms.Store(s) }

// substitutions finds the phrases of a query that rules say something about.
func (l *Lexicon) substitutions(q string, tokens []Token, o QueryOptions) []substitution {
	s := l.synonyms.Load()
	if s == nil || o.Mode != ModeSmart {
		return nil
	}
	return s.match(l.analyzer, q, tokens, o.Language)
}

// sense is what a phrase of a query stands for, in the terms of the catalogue.
type sense struct {
	of     *substitution
	phrase *phrase
	words  []senseWord // a document holds the sense when it holds all of them
	scale  float64     // of the weights of its words
}

// senseWord is one word of a sense.
type senseWord struct {
	terms []int32
	idf   float64
}

// senses are what a substitution stands for as far as the catalogue knows it,
// those that most documents may hold first. A phrase weighs, all its words
// together, no more than what it stands for.
func (l *Lexicon) senses(of *substitution, tokens []Token, o QueryOptions) []sense {
	all := 0.0
	for _, t := range tokens[of.from:of.to] {
		if !t.Stop {
			all += l.wordIDF(t, o)
		}
	}
	var out []sense
	for _, p := range of.means {
		s := sense{of: of, phrase: p, scale: synonymWeight}
		sum, known := 0.0, true
		for _, u := range p.units {
			if u.Stop && !p.stops {
				continue
			}
			words, ok := l.senseWords(u, o)
			if known = ok; !known {
				break
			}
			for _, w := range words {
				sum += w.idf
			}
			s.words = append(s.words, words...)
		}
		if !known {
			continue
		}
		if all > 0 && sum > all {
			s.scale *= all / sum
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b sense) int { return cmp.Compare(a.rarity(), b.rarity()) })
	return out[:min(len(out), maxSenses)]
}

// rarity is the inverse document frequency of the rarest word.
func (s *sense) rarity() float64 {
	most := 0.0
	for _, w := range s.words {
		most = max(most, w.idf)
	}
	return most
}

// senseWords are the words of the catalogue for one unit of a rule: the word, or
// all parts of a dotted name that nobody writes as one.
func (l *Lexicon) senseWords(u unit, o QueryOptions) ([]senseWord, bool) {
	if w, ok := l.senseWord(u.Token, o); ok {
		return []senseWord{w}, true
	}
	var out []senseWord
	for _, p := range u.parts {
		w, ok := l.senseWord(p, o)
		if !ok {
			return nil, false
		}
		out = append(out, w)
	}
	return out, len(out) > 0
}

func (l *Lexicon) senseWord(t Token, o QueryOptions) (senseWord, bool) {
	exact, ok := l.appendExact(nil, t, 1, o)
	if !ok {
		return senseWord{}, false
	}
	var w senseWord
	df := 0.0
	for _, x := range exact {
		w.terms = append(w.terms, x.term)
		df += float64(l.df[x.term])
	}
	w.idf = l.idf(df)
	return w, true
}

// wordIDF is the inverse document frequency of a word; of no document when it is
// unknown.
func (l *Lexicon) wordIDF(t Token, o QueryOptions) float64 {
	w, ok := l.senseWord(t, o)
	if !ok {
		return l.idf(0)
	}
	return w.idf
}

// appendSenses adds the terms of senses.
func appendSenses(out []weighted, senses []sense) []weighted {
	for _, s := range senses {
		for _, w := range s.words {
			for _, t := range w.terms {
				out = append(out, weighted{t, float32(w.idf * s.scale)})
			}
		}
	}
	return out
}

// UsedSynonym is a synonym that a query was read with.
type UsedSynonym struct {
	From  string // the phrase of the query, as the rule spells it
	To    string // what it stands for too, as the rule spells it
	words uint64 // of the query that it stands for, as Held's bits
	needs uint64 // words of synonyms that a document must hold
}

// addSense notes a synonym that a query was read with. words are those of the
// query that it stands for, needed is how many words of synonyms came before.
func (l *Lexicon) addSense(u *Understood, s *sense, words uint64) {
	from := len(u.needed)
	if words == 0 || from+len(s.words) > maxUnderstood {
		return
	}
	used := UsedSynonym{From: s.of.text, To: s.phrase.text, words: words}
	for i, w := range s.words {
		used.needs |= 1 << (from + i)
		u.needed = append(u.needed, w.terms)
	}
	u.Synonyms = append(u.Synonyms, used)
	for i := range u.Words {
		if words&(1<<i) == 0 {
			continue
		}
		x := &u.Words[i]
		for _, w := range s.words {
			for _, t := range w.terms {
				x.Terms = append(x.Terms, l.terms[t])
			}
		}
		if x.Trust == 0 { // only the rule knows it
			x.Trust, x.IDF = synonymWeight, math.Min(x.IDF, s.rarity())
		}
	}
}

// allSenses are the senses of each substitution, and which tokens have any.
func (l *Lexicon) allSenses(subs []substitution, tokens []Token, o QueryOptions) (senses [][]sense, meant []bool) {
	senses, meant = make([][]sense, len(subs)), make([]bool, len(tokens))
	for i := range subs {
		s := &subs[i]
		senses[i] = l.senses(s, tokens, o)
		for t := s.from; t < s.to && len(senses[i]) > 0; t++ {
			meant[t] = true
		}
	}
	return senses, meant
}

// Synonyms are the rules in use, nil for none.
func (l *Lexicon) Synonyms() *Synonyms { return l.synonyms.Load() }
