package sentiment

import (
	"math"
	"slices"
)

// lexiconName names the lexicon in summaries; the version is that of its lists and
// rules.
const lexiconName = "lexicon/1"

// The fixed logistic map of the lexicon, in log-odds for each unit of the dense
// features below, and the share of positive reviews that it takes for granted.
const (
	lexiconPraise   = 1.15
	lexiconBlame    = -1.75
	lexiconLast     = 0.25
	lexiconNegators = -0.35
	lexiconIrreal   = -0.3
	lexiconPrior    = 2.2 // nine positive reviews in ten
)

// Lexicon scores by lists of words with strengths, boosters, negation, contrast and
// idioms of courses. It needs no training.
type Lexicon struct {
	lists    map[string]*wordList
	profiles *profiles
}

var _ SentenceClassifier = (*Lexicon)(nil)

// lexiconLanguages have word lists.
func lexiconLanguages() []string { return []string{"de", "en", "es", "fr"} }

// NewLexicon reads the word lists that it is built with.
func NewLexicon() *Lexicon {
	l := &Lexicon{lists: map[string]*wordList{}}
	for _, lang := range lexiconLanguages() {
		list, err := readWordList(wordFiles, lang)
		if err != nil {
			continue // a test reads each list
		}
		l.lists[lang] = list
	}
	l.profiles = newProfiles(l.lists)
	return l
}

// Name implements Classifier.
func (l *Lexicon) Name() string { return lexiconName }

// Languages implements Classifier.
func (l *Lexicon) Languages() []string {
	out := make([]string, 0, len(l.lists))
	for lang := range l.lists {
		out = append(out, lang)
	}
	slices.Sort(out)
	return out
}

// Language recognises the language of a text as a base tag; stated, which may be
// empty, decides where the text does not show it. "" is unknown.
func (l *Lexicon) Language(text, stated string) string {
	return l.profiles.language(tokenize(text), stated)
}

// Score implements Classifier.
func (l *Lexicon) Score(text, language string) (float64, bool) {
	z, ok := l.evidence(text, language)
	if !ok {
		return 0, false
	}
	return logistic(z + lexiconPrior), true
}

// ScoreSentence implements SentenceClassifier.
func (l *Lexicon) ScoreSentence(text, language string) (float64, bool) {
	z, ok := l.evidence(text, language)
	return logistic(z), ok
}

func (l *Lexicon) evidence(text, language string) (float64, bool) {
	ts := tokenize(text)
	list := l.lists[l.profiles.language(ts, language)]
	if list == nil {
		return 0, false
	}
	g := list.read(ts)
	if g.words == 0 && len(g.hits) == 0 {
		return 0, false
	}
	return g.evidence(), true
}

// evidence is the log-odds of praise against blame, were both equally likely.
func (g *reading) evidence() float64 {
	praise, blame := g.sums(0, math.MaxInt)
	last := 0.0
	if n := len(g.hits); n > 0 {
		last = math.Max(-3, math.Min(3, g.hits[n-1].strength))
	}
	return lexiconPraise*math.Log1p(praise) + lexiconBlame*math.Log1p(blame) + lexiconLast*last +
		lexiconNegators*math.Log1p(float64(max(g.negators, 0))) + lexiconIrreal*math.Log1p(float64(g.irreal))
}

func logistic(z float64) float64 { return 1 / (1 + math.Exp(-z)) }
