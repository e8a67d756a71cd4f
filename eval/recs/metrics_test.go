package recs

import (
	"math"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern/eval"
	"github.com/lectern-dev/lectern/ml/cf"
)

var near = cmpopts.EquateApprox(0, 1e-9)

func TestJudge(t *testing.T) {
	log2 := math.Log2
	for _, c := range []struct {
		name        string
		list, truth []int32
		relevant, k int
		want        Accuracy
	}{
		{"nothing found", []int32{1, 2, 3}, []int32{9}, 1, 3, Accuracy{}},
		{"nothing to find", []int32{1, 2, 3}, nil, 0, 3, Accuracy{}},
		{"empty list", nil, []int32{9}, 1, 3, Accuracy{}},
		{
			// Ranks 1 and 3 of 4 places, 3 relevant: DCG = 1 + 1/log2 4 = 1.5,
			// ideal = 1 + 1/log2 3 + 1/2; AP = (1/1 + 2/3) / min(4, 3).
			"two of three", []int32{5, 1, 6, 2}, []int32{5, 6, 7}, 3, 4,
			Accuracy{Recall: 2. / 3, Precision: 2. / 4, HitRate: 1, NDCG: 1.5 / (1.5 + 1/log2(3)), MAP: (1 + 2./3) / 3, MRR: 1},
		},
		{
			// One of two is unknown to the training data: it counts as a miss, in recall,
			// in the ideal and in AP.
			"unknown course", []int32{1, 5}, []int32{5}, 2, 2,
			Accuracy{Recall: 1. / 2, Precision: 1. / 2, HitRate: 1, NDCG: (1 / log2(3)) / (1 + 1/log2(3)), MAP: 0.5 / 2, MRR: 1. / 2},
		},
		{"beyond k does not count", []int32{1, 2, 5}, []int32{5}, 1, 2, Accuracy{}},
		{
			// A list shorter than k: precision is still over k.
			"short list", []int32{5}, []int32{5}, 1, 10,
			Accuracy{Recall: 1, Precision: .1, HitRate: 1, NDCG: 1, MAP: 1, MRR: 1},
		},
		{
			// More relevant than places: a full list is ideal, recall cannot be 1.
			"more than fit", []int32{1, 2}, []int32{1, 2, 3, 4}, 4, 2,
			Accuracy{Recall: .5, Precision: 1, HitRate: 1, NDCG: 1, MAP: 1, MRR: 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Judge(c.list, c.truth, c.relevant, c.k), near); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// drawn is a list, what is relevant, and a cut-off.
type drawn struct {
	list, truth []int32
	k           int
}

func drawCase(t *rapid.T) drawn {
	items := rapid.Permutation([]int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}).Draw(t, "items")
	truth := rapid.Permutation(items).Draw(t, "truth")
	return drawn{
		list:  items[:rapid.IntRange(0, 12).Draw(t, "length")],
		truth: truth[:rapid.IntRange(1, 6).Draw(t, "relevant")],
		k:     rapid.IntRange(1, 10).Draw(t, "k"),
	}
}

func TestJudgeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		got := Judge(c.list, c.truth, len(c.truth), c.k)
		for i, v := range got.values() {
			if v < 0 || v > 1+1e-12 {
				t.Fatalf("%s = %v is not in [0, 1]", ofAccuracy()[i], v)
			}
		}
		// What stands below k, in whatever order, changes nothing.
		if len(c.list) > c.k {
			below := rapid.Permutation(c.list[c.k:]).Draw(t, "below")
			again := Judge(append(append([]int32{}, c.list[:c.k]...), below...), c.truth, len(c.truth), c.k)
			if diff := cmp.Diff(got, again); diff != "" {
				t.Fatal(diff)
			}
		}
		// Recall, precision and hit rate do not ask for the order above k.
		head := c.list[:min(c.k, len(c.list))]
		shuffled := Judge(rapid.Permutation(append([]int32{}, head...)).Draw(t, "head"), c.truth, len(c.truth), c.k)
		if shuffled.Recall != got.Recall || shuffled.Precision != got.Precision || shuffled.HitRate != got.HitRate {
			t.Fatalf("order matters: %+v, %+v", got, shuffled)
		}
		// A perfect list is perfect.
		perfect := Judge(c.truth, c.truth, len(c.truth), c.k)
		if math.Abs(perfect.NDCG-1) > 1e-12 || math.Abs(perfect.MAP-1) > 1e-12 || perfect.MRR != 1 || perfect.HitRate != 1 {
			t.Fatalf("perfect list: %+v", perfect)
		}
		if len(c.truth) <= c.k && perfect.Recall != 1 {
			t.Fatalf("perfect list: recall %v", perfect.Recall)
		}
	})
}

// TestJudgeAgreesWithEval compares with the metrics of searches, which were written
// on their own.
func TestJudgeAgreesWithEval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		rel := make(eval.Relevant)
		for _, item := range c.truth {
			rel[strconv.Itoa(int(item))] = 1
		}
		ids := make([]string, len(c.list))
		for i, item := range c.list {
			ids[i] = strconv.Itoa(int(item))
		}
		want := Accuracy{
			Recall: eval.Recall(ids, rel, c.k), HitRate: eval.HitRate(ids, rel, c.k), NDCG: eval.NDCG(ids, rel, c.k), MRR: eval.MRR(ids, rel, c.k),
			MAP: eval.AveragePrecision(ids, rel, c.k) * float64(len(c.truth)) / float64(min(c.k, len(c.truth))),
		}
		got := Judge(c.list, c.truth, len(c.truth), c.k)
		want.Precision = got.Precision
		if diff := cmp.Diff(want, got, near); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestExposure(t *testing.T) {
	for _, c := range []struct {
		shown          []int
		coverage, gini float64
	}{
		{[]int{3, 3, 3, 3}, 1, 0},
		{[]int{0, 0, 0, 8}, .25, .75}, // (n − 1) / n
		{[]int{1, 2, 3, 4}, 1, .25},   // Σ(2i − 5)x / (4 · 10) = (−3 − 2 + 3 + 12) / 40
		{[]int{0, 2, 0, 2}, .5, .5},   // (−3·0 − 1·0 + 1·2 + 3·2) / 16
		{[]int{0, 0}, 0, 0},
	} {
		if got := coverage(c.shown); got != c.coverage {
			t.Errorf("coverage of %v = %v, want %v", c.shown, got, c.coverage)
		}
		if got := gini(c.shown); math.Abs(got-c.gini) > 1e-12 {
			t.Errorf("gini of %v = %v, want %v", c.shown, got, c.gini)
		}
	}
}

func TestCalibration(t *testing.T) {
	// p = (½, ½), q = (1, 0); smoothed q = (.995, .005).
	kl, js := calibration([]float64{.5, .5}, []float64{1, 0})
	if want := .5*math.Log(.5/.995) + .5*math.Log(.5/.005); math.Abs(kl-want) > 1e-12 {
		t.Errorf("kl = %v, want %v", kl, want)
	}
	// m = (¾, ¼): ¼ log2(⅔) + ¼ log2 2 + ½ log2(4/3).
	if want := .25*math.Log2(2./3) + .25 + .5*math.Log2(4./3); math.Abs(js-want) > 1e-12 {
		t.Errorf("js = %v, want %v", js, want)
	}
	if kl, js := calibration([]float64{.3, .7}, []float64{.3, .7}); math.Abs(kl) > 1e-12 || js > 1e-12 {
		t.Errorf("equal shares: %v, %v", kl, js)
	}
	if _, js := calibration([]float64{1, 0}, []float64{0, 1}); math.Abs(js-1) > 1e-12 {
		t.Errorf("nothing shared: js = %v", js)
	}
	got := make([]float64, 3)
	if !shares([]int32{0, 1, 2}, [][]int32{{0}, {0, 1}, nil}, got) {
		t.Error("two courses have categories")
	}
	if diff := cmp.Diff([]float64{.75, .25, 0}, got, near); diff != "" {
		t.Error(diff)
	}
}

func TestDiversityAndNovelty(t *testing.T) {
	// Four learners; items 0 and 1 share two of their learners, 2 has its own.
	d := &cf.Data{Items: []string{"a", "b", "c", "new"}, Histories: []cf.History{
		{{Item: 0, Weight: 1}, {Item: 1, Weight: 1}}, {{Item: 0, Weight: 1}, {Item: 1, Weight: 1}}, {{Item: 0, Weight: 1}}, {{Item: 2, Weight: 1}},
	}}
	s := byLearners(d)
	if got, want := s.diversity([]int32{0, 1}), 1-2/math.Sqrt(6); math.Abs(got-want) > 1e-12 {
		t.Errorf("diversity %v, want %v", got, want)
	}
	if got, want := s.diversity([]int32{0, 1, 2}), 1-2/math.Sqrt(6)/3; math.Abs(got-want) > 1e-12 {
		t.Errorf("diversity %v, want %v", got, want)
	}
	if got := s.diversity([]int32{0}); got == got {
		t.Errorf("a list of one has diversity %v", got)
	}
	bits, takers := information(d)
	if diff := cmp.Diff([]float64{math.Log2(4. / 3), 1, 2, 2}, bits, near); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{3, 2, 1, 0}, takers); diff != "" {
		t.Error(diff)
	}
	courses := &Courses{
		Categories: map[string][]string{"a": {"Art"}, "b": {"Art", "Law"}, "c": {"Law"}, "new": {"Art"}},
		Skills:     map[string][]string{"a": {"Drawing"}, "b": {"drawing"}},
	}
	tags, ok := courses.byTags(d.Items)
	if !ok || tags.pair(0, 1) != 2./3 || tags.pair(0, 2) != 0 {
		t.Errorf("by tags: %v, %v, %v", ok, tags.pair(0, 1), tags.pair(0, 2))
	}
	courses.Vectors = map[string][]float32{"a": {1, 0}, "b": {.6, .8}, "c": {-1, 0}}
	if s := similarity(d, courses); s.pair(0, 1) != float64(float32(.6)) || s.pair(0, 2) != 0 || s.pair(0, 3) != 0 || s.Of != "1 − cosine of content vectors" {
		t.Errorf("by vectors: %v, %v, %s", s.pair(0, 1), s.pair(0, 2), s.Of)
	}
	courses.Vectors = nil
	delete(courses.Categories, "new")
	if _, ok := courses.byTags(d.Items); ok {
		t.Error("three of four courses are not practically all")
	}
}
