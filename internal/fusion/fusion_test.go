package fusion_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/fusion"
)

func TestMaxNorm(t *testing.T) {
	words := []lectern.Hit{{ID: "a", Score: 8}, {ID: "b", Score: 4}}
	latent := []lectern.Hit{{ID: "b", Score: 0.5}, {ID: "c", Score: 0.25}, {ID: "d", Score: -1}}
	tests := []struct {
		name    string
		lists   [][]lectern.Hit
		weights []float64
		k       int
		want    []lectern.Hit
	}{
		// a = .5·8/8; b = .5·4/8 + .5·.5/.5; c = .5·.25/.5
		{"sum of normalised scores", [][]lectern.Hit{words, latent}, []float64{0.5, 0.5}, 9,
			[]lectern.Hit{{ID: "b", Score: 0.75}, {ID: "a", Score: 0.5}, {ID: "c", Score: 0.25}}},
		{"at most k", [][]lectern.Hit{words, latent}, []float64{0.5, 0.5}, 1, []lectern.Hit{{ID: "b", Score: 0.75}}},
		{"an empty list leaves its weight to the others", [][]lectern.Hit{words, nil}, []float64{0.5, 0.5}, 9,
			[]lectern.Hit{{ID: "a", Score: 1}, {ID: "b", Score: 0.5}}},
		{"ties go by id", [][]lectern.Hit{{{ID: "z", Score: 1}, {ID: "y", Score: 1}}}, []float64{1}, 9,
			[]lectern.Hit{{ID: "y", Score: 1}, {ID: "z", Score: 1}}},
		{"a list without weight adds nothing", [][]lectern.Hit{words, latent}, []float64{1}, 9,
			[]lectern.Hit{{ID: "a", Score: 1}, {ID: "b", Score: 0.5}}},
		{"nothing", nil, nil, 9, nil},
		{"no k", [][]lectern.Hit{words}, []float64{1}, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, fusion.MaxNorm(tt.lists, tt.weights, tt.k)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMaxNormIgnoresScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := rapid.SliceOfN(rapid.Float32Range(0.1, 10), 1, 8).Draw(t, "scores")
		a, b := make([]lectern.Hit, len(scores)), make([]lectern.Hit, len(scores))
		for i, s := range scores {
			id := string(rune('a' + i))
			a[i], b[i] = lectern.Hit{ID: id, Score: s}, lectern.Hit{ID: id, Score: s * 4}
		}
		other := []lectern.Hit{{ID: "a", Score: 1}, {ID: "q", Score: 0.5}}
		w := []float64{0.3, 0.7}
		got, want := fusion.MaxNorm([][]lectern.Hit{b, other}, w, 99), fusion.MaxNorm([][]lectern.Hit{a, other}, w, 99)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("scaling a list changes the order (-want +got):\n%s", diff)
		}
		for _, h := range got {
			if h.Score < 0 || h.Score > 1.000001 {
				t.Fatalf("score %v outside [0, 1]", h.Score)
			}
		}
	})
}

func TestFeedback(t *testing.T) {
	hits := []lectern.Hit{{ID: "a", Score: 3}, {ID: "b", Score: 4}, {ID: "c", Score: 1}}
	x, y := []float32{1, 0}, []float32{0, 1}
	tests := []struct {
		name    string
		query   []float32
		vectors [][]float32
		beta    float64
		want    []float32
	}{
		// The mean of 3x + 4y is (.6, .8) at unit length.
		{"no query", nil, [][]float32{x, y, nil}, 1, []float32{0.6, 0.8}},
		// (1, 0) + .75 · (0, 1) scaled to unit length.
		{"between query and hits", x, [][]float32{nil, y}, 0.75, []float32{0.8, 0.6}},
		{"nothing found", x, nil, 1, x},
		{"no beta", x, [][]float32{y}, 0, x},
		{"wrong length is passed over", x, [][]float32{{1, 2, 3}}, 1, x},
		{"opposites cancel", x, [][]float32{{-1, 0}}, 1, x},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, fusion.Feedback(tt.query, hits, tt.vectors, tt.beta), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSum(t *testing.T) {
	words := []lectern.Hit{{ID: "a", Score: 0.5}, {ID: "b", Score: 0.25}}
	skills := []lectern.Hit{{ID: "b", Score: 1}, {ID: "c", Score: 0.5}, {ID: "d", Score: -1}}
	// a = .5; b = .25 + .5·1; c = .5·.5
	want := []lectern.Hit{{ID: "b", Score: 0.75}, {ID: "a", Score: 0.5}, {ID: "c", Score: 0.25}}
	if diff := cmp.Diff(want, fusion.Sum([][]lectern.Hit{words, skills}, []float64{1, 0.5}, 9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := fusion.Sum([][]lectern.Hit{words, skills}, []float64{1}, 1); len(got) != 1 || got[0].ID != "a" {
		t.Errorf("without a weight for skills, the first: %v", got)
	}
}

func TestTowards(t *testing.T) {
	query := []float32{1, 0, 0}
	near := cmpopts.EquateApprox(0, 1e-6)
	// (1, .75, 0) at unit length; vectors that are absent or of another length add nothing
	got := fusion.Towards(query, [][]float32{{0, 1, 0}, nil, {1, 1}, {0, 0, 1}}, []float64{0.75, 1, 1})
	if diff := cmp.Diff([]float32{0.8, 0.6, 0}, got, near); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := fusion.Towards(query, [][]float32{nil}, []float64{1}); &got[0] != &query[0] {
		t.Errorf("nothing to move towards gives another vector: %v", got)
	}
	if got := fusion.Towards(query, [][]float32{{-1, 0, 0}}, []float64{1}); &got[0] != &query[0] {
		t.Errorf("no direction is left, and it is not the query's: %v", got)
	}
}
