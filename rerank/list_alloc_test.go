package rerank_test

import (
	"runtime/debug"
	"testing"

	"github.com/lectern-dev/lectern/rerank"
)

// TestNothingIsAllocatedPerCandidate: a list of 20 out of a thousand costs no more
// memory than one out of a hundred, whatever is switched on.
func TestNothingIsAllocatedPerCandidate(t *testing.T) {
	if raced {
		t.Skip("the race detector lets pools forget")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would empty the pools
	measure := func(n int) float64 {
		cfg := fullConfig()
		cfg.Reasons.Max = 0 // of other courses there is other things to say
		l, err := rerank.NewLinear(cfg)
		if err != nil {
			t.Fatal(err)
		}
		in, req := fullCandidates(n, 64), fullListRequest()
		l.Rerank(req, in)
		return testing.AllocsPerRun(20, func() { l.Rerank(req, in) })
	}
	few, many := measure(100), measure(1000)
	if many > few+5 { // rules adjust more of those that lead
		t.Errorf("%v allocations for 100 candidates, %v for 1,000", few, many)
	}
}
