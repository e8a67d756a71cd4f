package opinions

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/sentiment"
)

func scored(pairs ...any) []Scored {
	var out []Scored
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, Scored{Positive: pairs[i].(bool), P: pairs[i+1].(float64)})
	}
	return out
}

// TestMetricsExact: of 2 × 2 pairs, .9>.2, .9>.6, .4>.2 are right and .4<.6 is wrong:
// 3/4. At .5 one of two negatives is found, and of two called negative one is:
// F1 = 1/2 for either class. Brier: (.01 + .36 + .04 + .36)/4 = .1925.
func TestMetricsExact(t *testing.T) {
	s := scored(true, 0.9, true, 0.4, false, 0.2, false, 0.6)
	if got := AUC(s); got != 0.75 {
		t.Errorf("AUC %v", got)
	}
	if neg, pos := F1(s, 0.5); neg != 0.5 || pos != 0.5 {
		t.Errorf("F1 %v and %v", neg, pos)
	}
	if got := Brier(s); math.Abs(got-0.1925) > 1e-12 {
		t.Errorf("Brier %v", got)
	}
	if got := AUC(scored(true, 0.5, false, 0.5)); got != 0.5 {
		t.Errorf("a tie counts %v", got)
	}
	if got := AUC(scored(true, 0.5)); got != 0.5 {
		t.Errorf("one class gives %v", got)
	}
	if got := BestThreshold(s); got != 0.65 && got != 0.3 && math.Abs(got-0.75) > 1e-12 {
		t.Errorf("threshold %v", got)
	}
}

// TestECE: twenty reviews at .75, half of them positive: off by .25 in every bin.
func TestECE(t *testing.T) {
	var s []Scored
	for i := range 20 {
		s = append(s, Scored{Positive: i%2 == 0, P: 0.75})
	}
	if got := ECE(s); math.Abs(got-0.25) > 1e-12 {
		t.Errorf("ECE %v, want .25", got)
	}
}

func TestIntervals(t *testing.T) {
	var weak, strong []Scored
	for i := range 300 {
		positive := i%3 != 0
		p := float64(i*7919%100) / 100
		q := p
		if positive {
			q += 0.6
		}
		weak, strong = append(weak, Scored{positive, p}), append(strong, Scored{positive, q})
	}
	auc, in := AUCInterval(strong, 1)
	if auc < in[0] || auc > in[1] || in[1]-in[0] > 0.15 || in[0] == in[1] {
		t.Errorf("AUC %.3f in %v", auc, in)
	}
	if gain, in := AUCGain(weak, strong, 1); gain < 0.2 || in[0] <= 0 {
		t.Errorf("gain %.3f in %v", gain, in)
	}
	if gain, in := AUCGain(weak, weak, 1); gain != 0 || in != (Interval{}) {
		t.Errorf("no gain is %.3f in %v", gain, in)
	}
}

func TestSpearman(t *testing.T) {
	if got := Spearman([]float64{1, 2, 3}, []float64{10, 20, 900}); math.Abs(got-1) > 1e-12 {
		t.Errorf("the same order gives %v", got)
	}
	if got := Spearman([]float64{1, 2, 3}, []float64{3, 2, 1}); math.Abs(got+1) > 1e-12 {
		t.Errorf("the reverse gives %v", got)
	}
	if got := Spearman([]float64{1, 1}, []float64{3, 2}); got != 0 {
		t.Errorf("no variation gives %v", got)
	}
}

const reviewCSV = "course_id,learner_id,stars,date,text\na,l1,5,2025-01-02,Great\na,l2,1,2025-01-01,\"Bad, sadly\"\nb,l1,3,2025-01-02,So so\n"

func TestReadAndSplit(t *testing.T) {
	reviews, err := parseReviews(strings.NewReader(reviewCSV))
	if err != nil || len(reviews) != 3 || reviews[1].Text != "Bad, sadly" || *reviews[1].Stars != 1 {
		t.Fatalf("%+v, %v", reviews, err)
	}
	before, after := SplitByTime(reviews, 0.5)
	if len(before) != 1 || before[0].LearnerID != "l2" || len(after) != 2 {
		t.Errorf("a day is on both sides: %d and %d", len(before), len(after))
	}
	others, of := LeaveCourseOut(reviews, "b")
	if len(others) != 2 || len(of) != 1 {
		t.Errorf("%d others, %d of b", len(others), len(of))
	}
	if n, m, p := Classes(reviews); n != 1 || m != 1 || p != 1 {
		t.Errorf("classes %d %d %d", n, m, p)
	}
	for name, s := range map[string]string{
		"empty": "", "columns": "a,b\n", "stars": "course_id,learner_id,stars,date,text\na,l,five,2025-01-01,x\n", "date": "course_id,learner_id,stars,date,text\na,l,5,yesterday,x\n",
	} {
		if _, err := parseReviews(strings.NewReader(s)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestReadTable(t *testing.T) {
	table, err := ReadTable(strings.NewReader("# note\nkind\twant\ttext\nnegation\tbad\tNot good.\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Sentence{{"negation", "bad", "Not good."}}, table); diff != "" {
		t.Error(diff)
	}
	if _, err := ReadTable(strings.NewReader("negation\tawful\tNot good.\n")); err == nil {
		t.Error("an unknown verdict is read")
	}
	if r := Judge(sentiment.NewLexicon(), table); r.Right != 1 || r.Of != 1 {
		t.Errorf("%+v", r)
	}
}

// made are reviews of three courses that the lexicon reads well.
func made(n int) []lectern.Review {
	good, bad := composed(true), composed(false)
	r := newRand(1)
	var out []lectern.Review
	for i := range n {
		stars, text := 5.0, good(r, i)
		if i%7 == 0 {
			stars, text = 1, bad(r, i)
		}
		at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 6 * time.Hour)
		out = append(out, lectern.Review{ID: fmt.Sprint(i), CourseID: string(rune('a' + i%3)), LearnerID: fmt.Sprint("l", i), Stars: &stars, Text: text, WrittenAt: &at})
	}
	return out
}

func TestMeasure(t *testing.T) {
	o := Options{Share: 0.7, Seed: 1, Repeat: 1, Table: []Sentence{{"x", "good", "Great."}}, Truth: map[string]map[string]float64{}}
	r, err := Measure(t.Context(), "made", made(600), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Splits) != 4 || len(r.Skipped) != 0 || len(r.Tables) != 2 || len(r.Aspects) != 4 {
		t.Fatalf("%d splits, %v, %d tables, %d aspects", len(r.Splits), r.Skipped, len(r.Tables), len(r.Aspects))
	}
	for _, c := range r.Splits {
		if c.Lexicon.AUC < 0.95 || c.Learnt.AUC < 0.95 || c.Learnt.ECE > 0.1 {
			t.Errorf("%s: %+v, %+v", c.Split, c.Lexicon, *c.Learnt)
		}
	}
	var buf bytes.Buffer
	if err := r.Write(&buf); err != nil || !strings.Contains(buf.String(), "unseen: b") {
		t.Errorf("%v: %s", err, buf.String())
	}
	r, err = Measure(t.Context(), "few", made(40), o)
	if err != nil || len(r.Splits) != 0 || len(r.Skipped) == 0 {
		t.Errorf("few reviews: %v, %+v", err, r)
	}
}

// realReviews are the English reviews of the real data.
func realReviews(t *testing.T) []lectern.Review {
	t.Helper()
	dir := os.Getenv("LECTERN_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	file := filepath.Join(dir, "coursera-reviews", "reviews_en.csv.gz")
	if _, err := os.Stat(file); err != nil {
		t.Skip("no real reviews: set LECTERN_TEST_DATA")
	}
	reviews, err := ReadReviews(file)
	if err != nil {
		t.Fatal(err)
	}
	return reviews
}

// TestRealReviews holds the figures of docs/measured/sentiment.md, with some room.
func TestRealReviews(t *testing.T) {
	reviews := realReviews(t)
	r, err := Measure(t.Context(), "real", reviews, Options{Share: 0.7, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Splits {
		t.Logf("%s: lexicon %.4f %.3f, learnt %.4f %.3f, gain %+.4f %+.4f", c.Split, c.Lexicon.AUC, c.Lexicon.Interval, c.Learnt.AUC, c.Learnt.Interval, c.Gain, c.GainOver)
		if c.Learnt.AUC < 0.93 || c.Gain < -0.002 {
			t.Errorf("%s: AUC %.4f, gain %+.4f over the lexicon", c.Split, c.Learnt.AUC, c.Gain)
		}
		if c.Learnt.ECE > 0.02 {
			t.Errorf("%s: calibration error %.4f", c.Split, c.Learnt.ECE)
		}
	}
}

// TestAttacksOnRealReviews: what is made to move a score is held, and honest crowds
// are not.
func TestAttacksOnRealReviews(t *testing.T) {
	byCourse := map[string][]lectern.Review{}
	for _, r := range realReviews(t) {
		byCourse[r.CourseID] = append(byCourse[r.CourseID], r)
	}
	delete(byCourse, "google-cbrs-cpi-training") // 33 reviews are no history
	for _, a := range Attacks() {
		r := Bomb(byCourse, a, true, sentiment.NewLexicon(), sentiment.DefaultBombingConfig(), 1, 1)
		switch {
		case a.Honest && r.Held > 0.05:
			t.Errorf("%s: %.0f %% of an honest crowd are held", a.Name, 100*r.Held)
		case !a.Honest && r.Held < 0.5:
			t.Errorf("%s: %.0f %% are held", a.Name, 100*r.Held)
		case r.HonestHeld > 0.01:
			t.Errorf("%s: %.2f %% of the course's own reviews are held", a.Name, 100*r.HonestHeld)
		case !a.Honest && math.Abs(r.After-r.Before) > math.Abs(r.Unheld-r.Before)+0.001:
			t.Errorf("%s: holding moves the score from %.4f to %.4f, not holding to %.4f", a.Name, r.Before, r.After, r.Unheld)
		}
	}
}
