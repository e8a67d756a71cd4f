package fusion_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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
		{"a missing weight is zero", [][]lectern.Hit{words, latent}, []float64{1}, 9,
			[]lectern.Hit{{ID: "a", Score: 1}, {ID: "b", Score: 0.5}, {ID: "c", Score: 0}}},
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
