package learn

import "math"

// Bounds of a rate that hold at all looks at once. With s of n having happened, the
// ratio of a beta mixture of likelihoods to the likelihood at the true rate is a
// martingale that starts at 1 (Robbins 1970), so that the chance that it ever reaches
// 1/alpha is at most alpha (Ville 1939): rates at which it has are out.

// The mixture: Jeffreys' prior, which is fair to rates near 0.
const mixA, mixB = 0.5, 0.5

// evidence is the log of that ratio at a rate within (0, 1).
func evidence(s, n, rate float64) float64 {
	return lbeta(mixA+s, mixB+n-s) - lbeta(mixA, mixB) - s*math.Log(rate) - (n-s)*math.Log1p(-rate)
}

func lbeta(a, b float64) float64 {
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	return la + lb - lab
}

// lower returns what a rate is at least, and upper at most, with the probability
// 1 − alpha each.
func lower(s, n int64, alpha float64) float64 {
	if s <= 0 || n <= 0 {
		return 0
	}
	return edge(float64(s), float64(n), alpha, 0)
}

func upper(s, n int64, alpha float64) float64 {
	if n <= 0 || s >= n {
		return 1
	}
	return edge(float64(s), float64(n), alpha, 1)
}

// edge searches between the rate seen and the given end for where the evidence reaches
// 1/alpha.
func edge(s, n, alpha, end float64) float64 {
	in, out := s/n, end
	for range 60 {
		mid := (in + out) / 2
		if mid == in || mid == out {
			break
		}
		if evidence(s, n, mid) < math.Log(1/alpha) {
			in = mid
		} else {
			out = mid
		}
	}
	return out
}
