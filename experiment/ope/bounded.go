package ope

import (
	"math"
	"slices"
)

// switched is a weight that is left to the model above τ (Wang, Agarwal and Dudík 2017).
func switched(w, tau float64) float64 {
	if w > tau {
		return 0
	}
	return w
}

// shrunk is a weight that is pulled to 0 the more, the larger it is: w·λ/(w² + λ) (Su,
// Dimakopoulou, Krishnamurthy and Dudík 2020, for squared loss).
func shrunk(w, lambda float64) float64 {
	if math.IsInf(lambda, 1) {
		return w
	}
	return w * lambda / (w*w + lambda)
}

// candidates are the bounds that are tried: quantiles of the weights, or their squares.
func candidates(residuals []residual, squared bool) []float64 {
	weights := make([]float64, 0, len(residuals))
	for _, x := range residuals {
		if x.w > 0 {
			weights = append(weights, x.w)
		}
	}
	slices.Sort(weights)
	if len(weights) == 0 {
		return []float64{1}
	}
	var out []float64
	for _, q := range []float64{0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1} {
		w := weights[int(q*float64(len(weights)-1))]
		if squared {
			w *= 10 * w // at λ = 10 w² a weight of w loses a eleventh
		}
		out = append(out, w)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// choose returns the bound with the least estimated squared error: the variance over
// people, and the square of what bounding took off the correction, with the noise in
// that on top, so that chance does not make a bias look like none.
func (t *sums) choose(residuals []residual, bound func(w, by float64) float64, from []float64) float64 {
	best, least := from[len(from)-1], math.Inf(1)
	n := 0.0
	for person := range t.people {
		n += t.row(person)[colUnits]
	}
	kept, lost := make([]float64, t.people), make([]float64, t.people)
	for _, by := range slices.Backward(from) { // the least bounded first: it wins ties
		for person := range kept {
			kept[person], lost[person] = t.row(person)[colDM], 0
		}
		for _, x := range residuals {
			w := bound(x.w, by)
			kept[x.person] += w * (x.r - x.fit)
			lost[x.person] += (x.w - w) * (x.r - x.fit)
		}
		_, variance := spread(kept)
		bias, noise := spread(lost)
		if mse := (variance + sq(math.Abs(bias)+math.Sqrt(noise))) / sq(n); mse < least {
			best, least = by, mse
		}
	}
	return best
}

// spread is the sum of values and the variance of that sum.
func spread(values []float64) (sum, variance float64) {
	for _, v := range values {
		sum += v
	}
	mean := sum / float64(len(values))
	for _, v := range values {
		variance += sq(v - mean)
	}
	return sum, variance
}
