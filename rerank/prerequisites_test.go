package rerank_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

func TestPrerequisitesFirst(t *testing.T) {
	candidate := func(id string, similarity float64, missing ...string) rerank.Candidate {
		c := rerank.Candidate{Course: &rerank.Facts{ID: id}, Similarity: rerank.Matched(similarity), Missing: missing}
		if len(missing) > 0 {
			c.Readiness = rerank.Known(0)
		}
		return c
	}
	tests := []struct {
		name string
		in   []rerank.Candidate
		want []string
	}{
		{"none", []rerank.Candidate{candidate("a", 0.9), candidate("b", 0.5)}, []string{"a", "b"}},
		{"below its own", []rerank.Candidate{candidate("a", 1, "c"), candidate("b", 0.5), candidate("c", 0.2)}, []string{"b", "c", "a"}},
		{"a chain", []rerank.Candidate{candidate("a", 1, "b"), candidate("b", 0.9, "c"), candidate("c", 0)}, []string{"c", "b", "a"}},
		{"not in the list", []rerank.Candidate{candidate("a", 1, "x"), candidate("b", 0.2)}, []string{"a", "b"}},
		{"a circle", []rerank.Candidate{candidate("a", 1, "b"), candidate("b", 0.9, "a"), candidate("c", 0.1)}, []string{"c", "a", "b"}},
		{"itself", []rerank.Candidate{candidate("a", 1, "a"), candidate("b", 0.1)}, []string{"a", "b"}},
		// readiness 0 against ½ costs .04·½ = .02; similarity .28·(.90 − .85) = .014 less
		{"by the term", []rerank.Candidate{candidate("a", 0.8, "x"), candidate("b", 0.7)}, []string{"b", "a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range linear(t, nil).Rerank(rerank.Request{Surface: lectern.SurfaceHome, At: now}, tt.in).Items {
				got = append(got, tt.in[s.Index].Course.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPrerequisitesLoseNothing: every candidate keeps one place, and none stands
// above a missing prerequisite unless they wait for each other.
func TestPrerequisitesLoseNothing(t *testing.T) {
	l := linear(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		in := candidates(t)
		for i := range in { // only later ones are needed: no circles
			if i+1 < len(in) && rapid.Bool().Draw(t, "needs") {
				in[i].Missing = []string{in[rapid.IntRange(i+1, len(in)-1).Draw(t, "which")].Course.ID}
			}
		}
		var order []string
		for _, s := range l.Rerank(rerank.Request{Surface: lectern.SurfaceHome, At: now}, in).Items {
			c := in[s.Index]
			for _, id := range c.Missing {
				if !slices.Contains(order, id) {
					t.Fatalf("%s stands above %s", c.Course.ID, id)
				}
			}
			order = append(order, c.Course.ID)
		}
		if len(order) != len(in) {
			t.Fatalf("%d of %d kept", len(order), len(in))
		}
	})
}
