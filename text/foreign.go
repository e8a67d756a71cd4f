package text

import (
	"slices"
	"unicode"
)

// speaks remembers the language of a document; the caller holds the lock.
func (l *Lexicon) speaks(lang string) {
	base := stemsAs(baseLanguage(lang))
	if !slices.Contains(l.languages, base) && stemmerFor(base) != nil { // there are few stemmers
		l.languages = append(l.languages, base)
		slices.Sort(l.languages)
	}
}

// appendForeign adds what a word counts as in the languages of the catalogue
// other than the query's, for a word that nothing else is known of: the language
// of a query is seldom stated, and an inflection that no document holds is found
// by its stem only.
func (l *Lexicon) appendForeign(out []weighted, t Token, factor float64, o QueryOptions) []weighted {
	if !unicode.Is(unicode.Latin, firstRune(t.Surface)) {
		return out // other scripts are stemmed whatever the language
	}
	n, df := len(out), 0.0
	for _, lang := range l.languages {
		if lang == stemsAs(baseLanguage(o.Language)) {
			continue
		}
		term, ok := l.ids[TermID(stemWord(t.Surface, lang))]
		if !ok || l.df[term] == 0 || slices.ContainsFunc(out[n:], func(w weighted) bool { return w.term == term }) {
			continue
		}
		out = append(out, weighted{term, alternateWeight})
		df += float64(l.df[term])
	}
	idf := float32(l.idf(df) * factor)
	for i := n; i < len(out); i++ {
		out[i].weight *= idf
	}
	return out
}
