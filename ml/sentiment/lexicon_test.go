package sentiment

import (
	"math"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// tableRow is a sentence of testdata/table.tsv.
type tableRow struct{ kind, want, text string }

func readTable(t testing.TB) []tableRow {
	t.Helper()
	b, err := os.ReadFile("testdata/table.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var out []tableRow
	for line := range strings.SplitSeq(strings.TrimSpace(string(b)), "\n") {
		f := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") || f[0] == "kind" {
			continue
		}
		if len(f) != 3 {
			t.Fatalf("table: %q has %d columns", line, len(f))
		}
		out = append(out, tableRow{f[0], f[1], f[2]})
	}
	return out
}

// said is what a score says of a sentence.
func said(p float64) string {
	switch {
	case p > 0.8:
		return "good"
	case p < 0.2:
		return "bad"
	}
	return "mixed"
}

// right reports whether a score is on the right side; a mixed sentence has to stay
// between clear good and clear bad.
func right(want string, p float64) bool {
	switch want {
	case "good":
		return p > 0.5
	case "bad":
		return p < 0.5
	}
	return said(p) == "mixed"
}

// tableFloor is the share of the table that has to come out right.
const tableFloor = 0.95

func TestTable(t *testing.T) {
	l := NewLexicon()
	n, wrong := 0, 0
	for _, r := range readTable(t) {
		p, ok := l.ScoreSentence(r.text, "")
		n++
		if !ok || !right(r.want, p) {
			wrong++
			t.Logf("%s: %.2f (read: %v), want %s: %q", r.kind, p, ok, r.want, r.text)
		}
	}
	if n < 60 || float64(n-wrong) < tableFloor*float64(n) {
		t.Errorf("%d of %d sentences right, want %.0f %% of 60 at least", n-wrong, n, 100*tableFloor)
	}
}

func TestWordListsAreWellFormed(t *testing.T) {
	for _, lang := range lexiconLanguages() {
		l, err := readWordList(wordFiles, lang)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, es := range l.byFirst {
			for _, e := range es {
				if e.effect == effectWord && (e.strength < -4 || e.strength > 4) {
					t.Errorf("%s: %v has strength %g", lang, e.words, e.strength)
				}
			}
		}
	}
	if _, err := readProfiles(wordFiles); err != nil {
		t.Error(err)
	}
	if _, err := readAspects(wordFiles); err != nil {
		t.Error(err)
	}
}

func TestWordListErrors(t *testing.T) {
	for name, content := range map[string]string{"section": "[verbs]\n", "strength": "[words]\nhigh: good\n", "form": "[words]\n3 good\n"} {
		fsys := fstest.MapFS{"words/en.txt": {Data: []byte(content)}, "words/emoji.txt": {}}
		if _, err := readWordList(fsys, "en"); err == nil || !strings.Contains(err.Error(), "line") {
			t.Errorf("%s: error is %v, want the line", name, err)
		}
	}
}

// TestLexiconOrder holds what has to be stronger than what, whatever the numbers.
func TestLexiconOrder(t *testing.T) {
	l := NewLexicon()
	for _, c := range [][2]string{
		{"Very good course.", "Good course."},
		{"Good course.", "Not a good course."},
		{"Slightly boring.", "Extremely boring."},
		{"Not bad.", "Bad."},
		{"The videos were bad, but the course is excellent.", "The course is excellent, but the videos were bad."},
		{"A good course.", "If you want a good course."},
		{"Excellent!", "Excellent?"},
		{"I give it 5/5.", "I give it 2/5."},
		{"4.5 stars", "1 star"},
		{"9 out of 10", "3 out of 10"},
		{"Easy to follow.", "Too easy."},
		{"Unlike other boring courses, fun.", "Boring course."},
	} {
		high, ok1 := l.ScoreSentence(c[0], "en")
		low, ok2 := l.ScoreSentence(c[1], "en")
		if !ok1 || !ok2 || high <= low {
			t.Errorf("%q scores %.3f, %q %.3f: want the first higher", c[0], high, c[1], low)
		}
	}
}

// TestLexiconExact: "Good course." has one hit of 2.5: 1.15 ln 3.5 + 0.25 x 2.5 = 2.066;
// "Not good." the phrase of -2: -1.75 ln 3 - 0.25 x 2 = -2.423.
func TestLexiconExact(t *testing.T) {
	l := NewLexicon()
	for s, want := range map[string]float64{
		"Good course.": 1.15*math.Log(3.5) + 0.25*2.5,
		"Not good.":    -1.75*math.Log(3) - 0.25*2,
		"A chair.":     0,
	} {
		if got, ok := l.evidence(s, "en"); !ok || math.Abs(got-want) > 1e-9 {
			t.Errorf("%q: evidence %.4f, want %.4f", s, got, want)
		}
	}
	// A review on a platform where nine in ten are good: the log-odds of that come on top.
	if p, _ := l.Score("A chair.", "en"); math.Abs(p-logistic(lexiconPrior)) > 1e-9 {
		t.Errorf("a review that says nothing scores %.3f", p)
	}
}

func TestLanguage(t *testing.T) {
	l := NewLexicon()
	for _, c := range []struct{ text, stated, want string }{
		{"Great course", "", "en"},
		{"Five stars!", "", "en"},
		{"👍👍", "", "en"},
		{"Muy buen curso, lo recomiendo", "", "es"},
		{"Muy buen curso, lo recomiendo mucho a todos", "en", "es"}, // what the text shows wins where it is clear
		{"Der Kurs war langweilig und veraltet", "", "de"},
		{"Très bon cours, merci beaucoup", "", "fr"},
		{"Este curso foi maravilhoso e muito bem organizado", "", "pt"},
		{"Bardzo dobry kurs, polecam", "", "pl"},
		{"Çok güzel bir kurs, teşekkürler", "", "tr"},
		{"很好的课程", "", "zh"},
		{"とても良いコースでした", "", "ja"},
		{"아주 좋은 강의", "", "ko"},
		{"Очень хороший курс, спасибо", "", "ru"},
		{"دورة رائعة", "", "ar"},
		{"बहुत अच्छा", "", "hi"},
		{"ghhjjjjk", "", ""},
		{"ghhjjjjk", "pt-BR", "pt"},
		{"", "de", "de"},
	} {
		if got := l.Language(c.text, c.stated); got != c.want {
			t.Errorf("Language(%q, %q) = %q, want %q", c.text, c.stated, got, c.want)
		}
	}
}

func TestOtherLanguagesAreNeutral(t *testing.T) {
	l := NewLexicon()
	for _, c := range [][2]string{{"很好的课程", ""}, {"Kurs jest bardzo dobry", ""}, {"hyvä", "fi"}, {"-", ""}, {"", ""}, {"...", "en"}} {
		if p, ok := l.Score(c[0], c[1]); ok {
			t.Errorf("%q (%s) is read as %.2f", c[0], c[1], p)
		}
	}
	if diff := cmp.Diff([]string{"de", "en", "es", "fr"}, l.Languages()); diff != "" {
		t.Error(diff)
	}
	for text, good := range map[string]bool{
		"Excelente curso, muy claro":                  true,
		"Aburrido y desactualizado, no lo recomiendo": false,
		"Sehr guter Kurs, verständlich erklärt":       true,
		"Leider oberflächlich, nichts gelernt":        false,
		"Cours passionnant et très clair":             true,
		"Ennuyeux, une perte de temps":                false,
	} {
		if p, ok := l.ScoreSentence(text, ""); !ok || p > 0.5 != good {
			t.Errorf("%q: %.2f, %v", text, p, ok)
		}
	}
}

func BenchmarkLexicon(b *testing.B) {
	l := NewLexicon()
	b.ReportAllocs()
	for b.Loop() {
		l.Score(usualReview, "")
	}
}

// usualReview is as long as reviews usually are.
const usualReview = "The lectures were clear and well structured, and the exercises made me think. " +
	"I would have liked more examples in week three, but overall it is a great course. Thank you!"
