package sentiment

import (
	"testing"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// FuzzRead reads whatever people may write, in every way that there is.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"", "Great!", "a\xff\xfeb", "👍🏽👨‍👩‍👧", "很好。", "دورة رائعة جدا", "5/5 10/10 3 out of", "NOT not n't but but,", "can't recommend", "cannot recommend ~ enough",
		"\u0301\u0301", "'''---...", "soooooooo", "<3 :) :-( ://", "İstanbul ß ǅ", "1e309 stars", "\x00", "http://x.y/ a@b.c +49 1234567"} {
		f.Add(s, "")
		f.Add(s, "en-US")
	}
	lex := NewLexicon()
	m, _, err := Fit(f.Context(), platform(800, 3), lex, DefaultFitOptions())
	if err != nil {
		f.Fatal(err)
	}
	o := DefaultSummaryOptions()
	o.Now, o.Aspects = now, SeedAspects(lex)
	f.Fuzz(func(t *testing.T, text, language string) {
		for _, c := range []SentenceClassifier{lex, m} {
			for _, score := range []func(string, string) (float64, bool){c.Score, c.ScoreSentence} {
				if p, ok := score(text, language); ok && !(p >= 0 && p <= 1) {
					t.Errorf("%q scores %v", text, p)
				}
			}
		}
		r := review("r1", text, 3)
		r.Language = language
		s := Summarise([]lectern.Review{r, r}, m, o)
		for _, a := range s.Aspects {
			for _, q := range a.Quotes {
				if !utf8.ValidString(q.Text) {
					t.Errorf("quote %q", q.Text)
				}
			}
		}
		Suspicious([]lectern.Review{r, r, r}, BombingContext{}, DefaultBombingConfig())
		o.Aspects.Grow([]lectern.Review{r}, GrowOptions{})
	})
}
