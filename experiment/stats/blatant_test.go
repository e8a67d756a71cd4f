package stats

import (
	"math/rand/v2"
	"testing"
)

// TestArmLost: an arm that loses everybody, or nearly everybody, blocks within a few
// dozen people, long before the sequence alone would say so.
func TestArmLost(t *testing.T) {
	for name, tc := range map[string]struct {
		units, shares []float64
		broken        bool
	}{
		"all lost at 54":           {[]float64{54, 0}, []float64{1, 1}, true},
		"all lost at 22":           {[]float64{22, 0}, []float64{1, 1}, true},
		"chance at 15":             {[]float64{15, 0}, []float64{1, 1}, false},
		"nearly all lost":          {[]float64{60, 6}, []float64{1, 1}, true},
		"one of three lost":        {[]float64{30, 30, 0}, []float64{1, 1, 1}, true},
		"a small arm is empty":     {[]float64{54, 0}, []float64{95, 5}, false},
		"one met a very small arm": {[]float64{20, 1}, []float64{99999, 1}, false},
		"healthy":                  {[]float64{30, 24}, []float64{1, 1}, false},
	} {
		if got := CheckSplit(0, Split{Units: tc.units, Shares: tc.shares}); got.Broken != tc.broken {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestHealthySplits: looked at after every person, all checks together block no more
// healthy splits than alpha allows.
func TestHealthySplits(t *testing.T) {
	simulation(t)
	runs, people := 1000, 200
	if soak() {
		runs, people = 20_000, 3000
	}
	for _, shares := range [][]float64{{1, 1}, {9, 1}, {1, 1, 1, 1}} {
		broken := 0
		for run := range runs {
			rng := rand.New(rand.NewPCG(uint64(run), 23))
			units := make([]float64, len(shares))
			for range people {
				x := rng.Float64() * total(shares)
				k := 0
				for ; k < len(shares)-1 && x >= shares[k]; k++ {
					x -= shares[k]
				}
				units[k]++
				if CheckSplit(0, Split{Units: units, Shares: shares}).Broken {
					broken++
					break
				}
			}
		}
		share := float64(broken) / float64(runs)
		t.Logf("shares %v, %d people, a look after each: %.5f of %d healthy splits blocked", shares, people, share, runs)
		if share > 2*DefaultSplitAlpha {
			t.Errorf("shares %v: %.5f healthy splits blocked", shares, share)
		}
	}
}
