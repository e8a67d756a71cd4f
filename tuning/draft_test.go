package tuning_test

import (
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/tuning"
)

// The home list goes by the weights of the row for_you where it has its own.
func TestHomeListGoesByItsRow(t *testing.T) {
	cfg := rerank.DefaultConfig()
	cfg.Weights.Rows = map[lectern.Row]rerank.TermWeights{lectern.RowForYou: {Similarity: 1, Quality: 3}}
	now, err := tuning.Current(cfg, lectern.SurfaceHome, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range now {
		if w.Name == "quality" && w.Weight != 0.75 {
			t.Errorf("quality weighs %v, want 3 of 4", w.Weight)
		}
	}
	draft, _, err := tuning.Draft(cfg, tuning.Proposal{
		Surface: lectern.SurfaceHome, Weights: []tuning.Weight{{Term: "similarity", Proposed: 0.5}, {Term: "quality", Proposed: 0.5}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := draft.Weights.Rows[lectern.RowForYou]; got.Quality != 2 || got.Similarity != 2 || draft.Weights.Home != cfg.Weights.Home {
		t.Errorf("the draft's row: %+v", got)
	}
}
