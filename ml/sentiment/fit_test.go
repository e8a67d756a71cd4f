package sentiment

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// platform makes starred reviews of several courses: one in ten is negative. Each
// class has words of its own that no lexicon knows, and each course a name and a
// teacher; the third course is the worst.
func platform(n int, seed uint64) []lectern.Review {
	r := rand.New(rand.NewPCG(seed, 0))
	names := []string{"zorbology", "quibbling", "frumpetry", "waddlecraft"}
	good := []string{"The plimth made it all click.", "Pure gorvik from start to end.", "A frobbly hour each day."}
	bad := []string{"It was snarfled.", "The blorp never stopped.", "Utter wibbage."}
	plain := []string{"I took it in spring.", "There are six parts.", "It has a video each day.", "My office paid."}
	at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	out := make([]lectern.Review, n)
	for i := range out {
		c := r.IntN(len(names))
		stars, from := 5.0, good
		if r.Float64() < 0.07+0.1*float64(c/2) {
			stars, from = 1, bad
		}
		text := fmt.Sprintf("%s This is %s by Marvolo%d. %s", plain[r.IntN(len(plain))], names[c], c, from[r.IntN(len(from))])
		when := at.Add(time.Duration(i) * time.Hour)
		out[i] = lectern.Review{ID: fmt.Sprintf("r%d", i), CourseID: names[c], LearnerID: fmt.Sprintf("l%d", i), Stars: &stars, Text: text, Language: "en", WrittenAt: &when}
	}
	return out
}

func fitted(t testing.TB, reviews []lectern.Review) (*Model, FitReport) {
	t.Helper()
	m, report, err := Fit(t.Context(), reviews, NewLexicon(), DefaultFitOptions())
	if err != nil {
		t.Fatal(err)
	}
	return m, report
}

func TestFitLearnsWordsOfThePlatform(t *testing.T) {
	m, report := fitted(t, platform(1200, 1))
	if got := report.Languages[0]; got.AUC < 0.99 || got.LexiconAUC > 0.9 {
		t.Errorf("cross-validated AUC %.3f, lexicon %.3f: want a clear gain", got.AUC, got.LexiconAUC)
	}
	for text, good := range map[string]bool{"The plimth made it all click.": true, "It was snarfled. Utter wibbage.": false} {
		if p, ok := m.Score(text, "en"); !ok || p > 0.5 != good {
			t.Errorf("%q scores %.2f, %v", text, p, ok)
		}
	}
	// What the lexicon knows is not forgotten.
	high, _ := m.ScoreSentence("An excellent course.", "en")
	low, _ := m.ScoreSentence("A terrible course.", "en")
	if high < 0.7 || low > 0.3 {
		t.Errorf("excellent scores %.2f, terrible %.2f", high, low)
	}
	if p, ok := m.Score("Muy buen curso, lo recomiendo", ""); !ok || p < 0.9 {
		t.Errorf("Spanish is left to the lexicon: %.2f, %v", p, ok)
	}
}

// TestFitIsCalibrated: on reviews it has not seen, the mean probability is the share
// of positive ones.
func TestFitIsCalibrated(t *testing.T) {
	m, _ := fitted(t, platform(1200, 1))
	sum, positive := 0.0, 0.0
	unseen := platform(1200, 2)
	for _, r := range unseen {
		p, _ := m.Score(r.Text, r.Language)
		sum += p
		if *r.Stars >= 4 {
			positive++
		}
	}
	if d := math.Abs(sum-positive) / float64(len(unseen)); d > 0.02 {
		t.Errorf("mean probability %.3f, share of positive reviews %.3f", sum/float64(len(unseen)), positive/float64(len(unseen)))
	}
}

// TestNamesAreNoFeatures: the names of a course and its teacher say nothing, though
// some courses are worse than others.
func TestNamesAreNoFeatures(t *testing.T) {
	m, _ := fitted(t, platform(1200, 1))
	h := m.heads["en"]
	for c, name := range []string{"zorbology", "quibbling", "frumpetry", "waddlecraft"} {
		for _, w := range []string{name, fmt.Sprintf("marvolo%d", c)} {
			if h.vocabulary.index[wordGram(w)] >= 0 {
				t.Errorf("%q is a feature", w)
			}
		}
	}
	if h.vocabulary.index[wordGram("plimth")] < 0 {
		t.Error("plimth, which all courses have, is none")
	}
}

func wordGram(w string) gram { return gram(mix(0, hashWord(w)) % hashSpace) }

func TestFitIsDeterministicAndSaves(t *testing.T) {
	reviews := platform(800, 3)
	a, _ := fitted(t, reviews)
	b, _ := fitted(t, reviews)
	var bufA, bufB bytes.Buffer
	if err := errors.Join(a.Save(&bufA), b.Save(&bufB)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bufA.Bytes(), bufB.Bytes()) {
		t.Error("two fits of the same reviews differ")
	}
	loaded, err := Load(&bufA, NewLexicon())
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Name() != a.Name() || !strings.HasPrefix(a.Name(), "learnt/1-") {
		t.Errorf("names %q and %q", loaded.Name(), a.Name())
	}
	for _, r := range platform(50, 4) {
		want, _ := a.Score(r.Text, "")
		if got, ok := loaded.Score(r.Text, ""); !ok || got != want {
			t.Fatalf("loaded scores %v, saved %v", got, want)
		}
	}
	if diff := cmp.Diff([]string{"en"}, loaded.Learnt()); diff != "" {
		t.Error(diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	m, _ := fitted(t, platform(800, 3))
	var buf bytes.Buffer
	if err := m.Save(&buf); err != nil {
		t.Fatal(err)
	}
	saved := buf.String()
	for name, s := range map[string]string{
		"nothing":       "",
		"another file":  `{"format":"other"}`,
		"a version":     strings.Replace(saved, `"version":1`, `"version":99`, 1),
		"no head":       `{"format":"lectern sentiment","version":1}`,
		"half of it":    saved[:len(saved)/2],
		"other lengths": `{"format":"lectern sentiment","version":1,"heads":{"en":{"grams":[1,2]}}}`,
		"wrong order":   `{"format":"lectern sentiment","version":1,"heads":{"en":{"grams":[2,1],"idf":"AACAPwAAgD8=","weights":"AACAPwAAgD8="}}}`,
		"out of range":  `{"format":"lectern sentiment","version":1,"heads":{"en":{"grams":[4000000000],"idf":"AACAPw==","weights":"AACAPw=="}}}`,
		"not a number":  `{"format":"lectern sentiment","version":1,"heads":{"en":{"grams":[1],"idf":"AADAfw==","weights":"AACAPw=="}}}`,
	} {
		if _, err := Load(strings.NewReader(s), NewLexicon()); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestFitRefusesTooFew(t *testing.T) {
	reviews := platform(100, 5) // some ten negative ones
	_, report, err := Fit(t.Context(), reviews, NewLexicon(), DefaultFitOptions())
	if !errors.Is(err, ErrTooFew) {
		t.Fatalf("error is %v", err)
	}
	if report.Skipped["en"] != 100 {
		t.Errorf("skipped %v", report.Skipped)
	}
}

// TestPlatt: where scores are log-odds already, the calibration leaves them; where
// they are twice too large, it halves them.
func TestPlatt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var z, twice []float64
	var positive []bool
	for range 20000 {
		v := r.NormFloat64()*2 + 1
		z, twice = append(z, v), append(twice, 2*v)
		positive = append(positive, r.Float64() < logistic(v))
	}
	for name, c := range map[string]struct {
		p     platt
		slope float64
	}{"right": {fitPlatt(z, positive), 1}, "twice": {fitPlatt(twice, positive), 0.5}} {
		if math.Abs(c.p.slope-c.slope) > 0.05 || math.Abs(c.p.shift) > 0.1 {
			t.Errorf("%s: %+v, want slope %g and no shift", name, c.p, c.slope)
		}
	}
}

// TestMinimise finds the known minimum of a loss: one feature x = 1 in all rows, three
// of four labels 1, and no penalty to speak of: the log-odds are ln 3.
func TestMinimise(t *testing.T) {
	rows := []row{{y: 1, weight: 1}, {y: 1, weight: 1}, {y: 1, weight: 1}, {y: 0, weight: 1}}
	w, err := fitLogistic(t.Context(), rows, 0, penalty{dense: 1, grams: 1})
	if err != nil || math.Abs(w.bias-math.Log(3)) > 1e-3 {
		t.Errorf("bias %.5f, want ln 3 = 1.09861 (%v)", w.bias, err)
	}
}

func BenchmarkScore(b *testing.B) {
	m, _ := fitted(b, platform(1200, 1))
	b.ReportAllocs()
	for b.Loop() {
		m.Score(usualReview, "")
	}
}

// BenchmarkFit is of 100,000 reviews, seven in a hundred of them negative.
func BenchmarkFit(b *testing.B) {
	reviews := platform(100_000, 1)
	lex := NewLexicon()
	for b.Loop() {
		if _, _, err := Fit(b.Context(), reviews, lex, DefaultFitOptions()); err != nil {
			b.Fatal(err)
		}
	}
}
