package eval_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern/eval"
)

func TestMetrics(t *testing.T) {
	ranking := []string{"a", "b", "c", "d", "e"}
	log2 := math.Log2
	tests := []struct {
		name           string
		rel            eval.Relevant
		k              int
		ndcg           float64
		recall, mrr    float64
		hit, precision float64
	}{
		// Found at ranks 1 and 4 of an ideal 1, 2; average precision (1/1 + 2/4)/2.
		{"two found", eval.Relevant{"a": 1, "d": 1}, 5, (1 + 1/log2(5)) / (1 + 1/log2(3)), 1, 1, 1, 0.75},
		// Found at rank 2 only; z is relevant and absent.
		{"one of two", eval.Relevant{"b": 1, "z": 1}, 5, (1 / log2(3)) / (1 + 1/log2(3)), 0.5, 0.5, 1, 0.25},
		// Grades 1 at rank 1 and 3 at rank 3, ideal 3 then 1.
		{"grades", eval.Relevant{"a": 1, "c": 3}, 5, (1 + 3/log2(4)) / (3 + 1/log2(3)), 1, 1, 1, (1 + 2.0/3) / 2},
		{"below the cut", eval.Relevant{"d": 1}, 3, 0, 0, 0, 0, 0},
		// Of three relevant only two fit above the cut: the ideal is full at k.
		{"more relevant than k", eval.Relevant{"a": 1, "b": 1, "c": 1}, 2, 1, 2.0 / 3, 1, 1, 2.0 / 3},
		{"judged and not relevant", eval.Relevant{"a": 0, "b": -1}, 5, 0, 0, 0, 0, 0},
		{"nothing judged", nil, 5, 0, 0, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, pair := range map[string][2]float64{
				"NDCG":             {eval.NDCG(ranking, tt.rel, tt.k), tt.ndcg},
				"Recall":           {eval.Recall(ranking, tt.rel, tt.k), tt.recall},
				"MRR":              {eval.MRR(ranking, tt.rel, tt.k), tt.mrr},
				"HitRate":          {eval.HitRate(ranking, tt.rel, tt.k), tt.hit},
				"AveragePrecision": {eval.AveragePrecision(ranking, tt.rel, tt.k), tt.precision},
			} {
				if math.Abs(pair[0]-pair[1]) > 1e-12 {
					t.Errorf("%s = %v, want %v", name, pair[0], pair[1])
				}
			}
		})
	}
}

func TestRepetitionsEarnNothing(t *testing.T) {
	rel := eval.Relevant{"a": 1, "b": 1}
	if got, want := eval.NDCG([]string{"a", "a", "a", "b"}, rel, 2), 1.0; got != want {
		t.Errorf("NDCG = %v, want %v: the repeated a takes no rank", got, want)
	}
	if got := eval.Recall([]string{"a", "a"}, rel, 9); got != 0.5 {
		t.Errorf("Recall = %v, want 0.5", got)
	}
}

func TestMetricsAreBoundedAndIdealIsOne(t *testing.T) {
	ids := []string{"a", "b", "c", "d", "e", "f"}
	rapid.Check(t, func(t *rapid.T) {
		rel := eval.Relevant{}
		for _, id := range rapid.SliceOf(rapid.SampledFrom(ids)).Draw(t, "relevant") {
			rel[id] = 1
		}
		ranking, k := rapid.Permutation(ids).Draw(t, "ranking"), rapid.IntRange(1, 8).Draw(t, "k")
		for _, v := range []float64{eval.NDCG(ranking, rel, k), eval.Recall(ranking, rel, k), eval.MRR(ranking, rel, k), eval.AveragePrecision(ranking, rel, k)} {
			if v < 0 || v > 1+1e-12 {
				t.Fatalf("metric %v outside [0, 1]", v)
			}
		}
		var ideal []string
		for id := range rel {
			ideal = append(ideal, id)
		}
		if len(ideal) > 0 && math.Abs(eval.NDCG(ideal, rel, k)-1) > 1e-12 {
			t.Fatalf("the ideal ranking has NDCG %v", eval.NDCG(ideal, rel, k))
		}
	})
}
