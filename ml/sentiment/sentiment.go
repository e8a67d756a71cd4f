package sentiment

// Classifier says how likely a review is positive. Implementations are safe for use
// by many goroutines.
type Classifier interface {
	// Name is the name and version of what reads, for summaries to cite.
	Name() string
	// Languages lists the base languages that it reads (BCP 47), sorted.
	Languages() []string
	// Score is the probability that the writer of the review is content, in [0, 1].
	// language is what the review says it is written in; "" is unknown, and what the
	// text shows wins where it is clear. ok is false for a language that is not read,
	// and for a text without words: such a review is neutral.
	Score(text, language string) (p float64, ok bool)
}

// SentenceClassifier is a Classifier that reads single sentences as well.
type SentenceClassifier interface {
	Classifier
	// ScoreSentence is the probability that a sentence is praise rather than blame, in
	// [0, 1], were both equally likely: .5 is neither.
	ScoreSentence(text, language string) (p float64, ok bool)
}

// scoreSentence reads a sentence with what c has for it.
func scoreSentence(c Classifier, text, language string) (float64, bool) {
	if s, ok := c.(SentenceClassifier); ok {
		return s.ScoreSentence(text, language)
	}
	return c.Score(text, language)
}

// Caller is a Classifier that knows below which probability a review is best called
// negative. Where nearly all reviews are positive that is far from the middle: few
// negative ones get less than .5 there, however clear their rank.
type Caller interface {
	Cut(text, language string) float64
}

// middle is the cut of who knows no better.
const middle = 0.5

// Positive calls a review that c gave p positive or not.
func Positive(c Classifier, p float64, text, language string) bool {
	if by, ok := c.(Caller); ok {
		return p >= by.Cut(text, language)
	}
	return p >= middle
}
