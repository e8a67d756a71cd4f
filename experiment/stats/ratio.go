package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// DefaultSplitAlpha is the chance at which a healthy split is ever taken for a broken one.
const DefaultSplitAlpha = 0.001

// splitStrength is how strongly the shares of a broken split are expected near the
// planned ones, in units: shares that are off by a point or three are found soonest.
const splitStrength = 1000

// A split may also be broken so badly that the sequence, which expects a point or three,
// is slow to say so. Both of these are far rarer in a healthy split than its alpha.
const (
	splitBlatant  = 1e-6 // chance at which the chi-squared test, or an empty arm, is enough
	splitExpected = 5    // units that every arm should have for the chi-squared test to be right
)

// Split is how many units each arm got while the arms' shares were as they were. A ramp
// that keeps the arms' shares of each other is one split.
type Split struct {
	Units  []float64 `json:"units"`
	Shares []float64 `json:"shares"` // planned, of any sum
}

// SplitResult is the test of a sample-ratio mismatch.
type SplitResult struct {
	P       float64   `json:"p"`       // always-valid: may be looked at at any time
	ChiP    float64   `json:"chi_p"`   // Pearson's chi-squared: for one look
	Shares  []float64 `json:"shares"`  // found
	Planned []float64 `json:"planned"` // in the mean of the splits
	// EmptyP is the chance that any arm is still without a unit: exact, and holding at all
	// looks, since an arm does not become empty again. 1 where none is.
	EmptyP float64 `json:"empty_p"`
	Broken bool    `json:"broken"` // P is at or under alpha, or ChiP or EmptyP under 1e-6

	by float64 // the p-value that says broken
}

// CheckSplit tests whether the arms' units are as planned, for one split or several one
// after the other. The always-valid test is the Bayes factor of Dirichlet-distributed
// shares around the planned ones to the planned ones (Lindon and Malek 2022): exact, and
// valid from the first unit on. alpha 0 is DefaultSplitAlpha.
func CheckSplit(alpha float64, splits ...Split) SplitResult {
	if alpha <= 0 {
		alpha = DefaultSplitAlpha
	}
	r := SplitResult{P: 1, ChiP: 1, EmptyP: 1}
	if len(splits) == 0 {
		return r
	}
	r.Shares = make([]float64, len(splits[0].Units))
	r.Planned = make([]float64, len(splits[0].Units))
	var evidence, chi, freedom, all float64
	least := math.Inf(1) // units expected of an arm
	for _, s := range splits {
		units, shares := total(s.Units), total(s.Shares)
		if units == 0 || shares == 0 {
			continue
		}
		all += units
		evidence += lgamma(splitStrength) - lgamma(splitStrength+units)
		arms := 0.0
		for i, n := range s.Units {
			p := s.Shares[i] / shares
			r.Shares[i] += n
			r.Planned[i] += p * units
			switch {
			case p > 0:
				arms++
				least = min(least, p*units)
				evidence += lgamma(splitStrength*p+n) - lgamma(splitStrength*p) - n*math.Log(p)
				chi += (n - p*units) * (n - p*units) / (p * units)
			case n > 0: // units where there should be none
				evidence, chi = math.Inf(1), math.Inf(1)
			}
		}
		freedom += max(0, arms-1)
	}
	for i := range r.Shares {
		if all > 0 {
			r.Shares[i] /= all
			r.Planned[i] /= all
		}
	}
	r.P = min(1, math.Exp(-evidence))
	if freedom > 0 {
		r.ChiP = distuv.ChiSquared{K: freedom}.Survival(chi)
	}
	r.EmptyP = emptyChance(splits)
	r.by = r.P
	switch {
	case r.P <= alpha:
	case r.EmptyP < splitBlatant:
		r.by = r.EmptyP
	case r.ChiP < splitBlatant && least >= splitExpected:
		r.by = r.ChiP
	default:
		return r
	}
	r.Broken = true
	return r
}

// emptyChance is the chance that a healthy split leaves any arm as empty as those are
// that are.
func emptyChance(splits []Split) float64 {
	best, arms := 0.0, 0.0 // log of the least chance
	for i := range splits[0].Units {
		units, log := 0.0, 0.0
		for _, s := range splits {
			// An arm that has all of the shares has all of the units, or there are none.
			all, n := total(s.Shares), total(s.Units)
			if all > 0 && n > 0 {
				units += s.Units[i]
				log += n * math.Log1p(-s.Shares[i]/all)
			}
		}
		arms++
		if units == 0 {
			best = min(best, log)
		}
	}
	if best == 0 {
		return 1
	}
	return min(1, arms*math.Exp(best))
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

func total(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum
}
