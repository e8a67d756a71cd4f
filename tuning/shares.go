package tuning

import (
	"slices"
)

// sum is what the open ones of weights sum to.
func (l *learner) sum(weights []float64) float64 {
	sum := 0.0
	for j, open := range l.open {
		if open {
			sum += weights[j]
		}
	}
	return sum
}

// shares scales the open weights to what the current ones of the same terms sum to,
// or to what is left beside the terms that are kept, and within bounds.
func (l *learner) shares(weights []float64) []float64 {
	out := make([]float64, len(weights))
	sum, left := l.sum(weights), l.learnt()
	least, most := make([]float64, len(weights)), make([]float64, len(weights))
	for j, w := range weights {
		if !l.open[j] {
			out[j] = l.current[j]
			continue
		}
		b := l.req.Bounds[l.d.terms[j]]
		least[j], most[j] = b.Min, b.most()
		out[j] = left * w / sum
	}
	bound(out, l.open, least, most, left)
	return out
}

// learnt is the share of all weights that is shared out anew.
func (l *learner) learnt() float64 {
	left := 1 - l.unlogged()
	for j, w := range l.current {
		if !l.open[j] {
			left -= w
		}
	}
	return left
}

// unlogged is the share of the weights of terms that the log does not hold.
func (l *learner) unlogged() float64 {
	all, in := 0.0, 0.0
	for _, w := range l.req.Current {
		all += w.Weight
		if slices.Contains(l.d.terms, w.Name) {
			in += w.Weight
		}
	}
	return 1 - in/all
}

// bound brings the free weights within their bounds and keeps their sum, as far as the
// bounds allow: what one gives or takes, the others share in proportion.
func bound(w []float64, free []bool, least, most []float64, sum float64) {
	held := make([]bool, len(w))
	for range w {
		over, rest := false, sum
		open := 0.0
		for j := range w {
			if !free[j] {
				continue
			}
			if !held[j] && (w[j] < least[j] || w[j] > most[j]) {
				w[j], held[j], over = min(max(w[j], least[j]), most[j]), true, true
			}
			if held[j] {
				rest -= w[j]
			} else {
				open += w[j]
			}
		}
		if !over || open <= 0 {
			return
		}
		for j := range w {
			if free[j] && !held[j] {
				w[j] *= max(rest, 0) / open
			}
		}
	}
}
