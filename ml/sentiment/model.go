package sentiment

import (
	"fmt"
	"slices"
)

// Model is the learnt classifier: one head for each language that had reviews enough
// to learn from. What else the lexicon reads, it reads.
type Model struct {
	lexicon *Lexicon
	heads   map[string]*head
	name    string
}

var (
	_ SentenceClassifier = (*Model)(nil)
	_ Caller             = (*Model)(nil)
)

// head is the logistic regression of one language.
type head struct {
	vocabulary  vocabulary
	bias        float64
	dense       [denseFeatures]float64
	grams       []float32 // beside vocabulary.grams
	calibration platt
	prior       float64 // log-odds of a positive review on the platform
	cut         float64 // probability below which a review is called negative
}

// Name implements Classifier.
func (m *Model) Name() string { return m.name }

// Languages implements Classifier.
func (m *Model) Languages() []string {
	out := m.lexicon.Languages()
	for lang := range m.heads {
		if !slices.Contains(out, lang) {
			out = append(out, lang)
		}
	}
	slices.Sort(out)
	return out
}

// Learnt lists the languages with a head of their own, sorted.
func (m *Model) Learnt() []string { return sortedKeys(m.heads) }

// Score implements Classifier.
func (m *Model) Score(text, language string) (float64, bool) {
	return m.score(text, language, false)
}

// ScoreSentence implements SentenceClassifier.
func (m *Model) ScoreSentence(text, language string) (float64, bool) {
	return m.score(text, language, true)
}

// Cut implements Caller: of a language that was learnt the probability with the best
// F1 of the negative class on held-out reviews, at least the middle.
func (m *Model) Cut(text, language string) float64 {
	if h := m.heads[m.lexicon.Language(text, language)]; h != nil {
		return h.cut
	}
	return middle
}

func (m *Model) score(text, language string, sentence bool) (float64, bool) {
	ts := tokenize(text)
	lang := m.lexicon.profiles.language(ts, language)
	list := m.lexicon.lists[lang]
	h := m.heads[lang]
	if h == nil && list == nil {
		return 0, false
	}
	if list == nil {
		list = &wordList{language: lang}
	}
	g := list.read(ts)
	if g.words == 0 && len(g.hits) == 0 {
		return 0, false
	}
	switch {
	case h == nil && sentence:
		return logistic(g.evidence()), true
	case h == nil:
		return logistic(g.evidence() + lexiconPrior), true
	case sentence:
		return logistic(h.sentence(&g, list.grams(nil, ts))), true
	}
	return logistic(h.calibration.logit(h.logit(&g, list.grams(nil, ts)))), true
}

// logit is the score of a review before calibration.
func (h *head) logit(g *reading, grams []gram) float64 {
	z := g.evidence() + h.bias
	for i, x := range g.dense() {
		z += h.dense[i] * x
	}
	return z + h.weighed(grams)
}

func (h *head) weighed(grams []gram) float64 {
	s := h.vocabulary.weigh(grams)
	z := 0.0
	for k, at := range s.at {
		z += float64(h.grams[at]) * float64(s.x[k])
	}
	return z
}

// sentence is the log-odds of praise in a sentence: what the lexicon reads and half
// of what the n-grams say. How long a review is and how often it exclaims tells of
// reviews, not of their sentences.
func (h *head) sentence(g *reading, grams []gram) float64 {
	return g.evidence() + h.weighed(grams)/2
}

// fingerprint names a model by its content.
func (m *Model) fingerprint() string {
	sum := uint32(2166136261)
	for _, lang := range m.Learnt() {
		sum = mix(sum, hashWord(fmt.Sprintf("%s %v", lang, *m.heads[lang].state())))
	}
	return fmt.Sprintf("learnt/1-%08x", sum)
}
