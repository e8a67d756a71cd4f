package tuning

import (
	"context"
	"math"
	"slices"
)

// vague is the standard error of a share beyond which a term's weight is kept: its
// interval would be wider than four tenths of all weights.
const vague = 0.1

// keepVague keeps the weights of terms of which the log tells too little: they differ
// so seldom, or so little, that what is estimated of them is noise. It goes by how sure
// an estimate is, and never by what it is. They stay in the fit, so that no other term
// is taken for them.
func (l *learner) keepVague(ctx context.Context, pairs *pairSet) error {
	thetas, mean, sd, err := l.unbounded(ctx, pairs)
	if err != nil {
		return err
	}
	sizes := total(fit(pairs, l.free, *l.req.L2, 0).theta[:len(l.d.terms)])
	for j := range l.free {
		if l.signed[j] && sd[j] > vague*max(sizes, total(mean)) {
			l.open[j], l.kept[j] = false, "the log tells too little of it"
		}
	}
	if !slices.Contains(l.open, true) || l.unsteady(thetas) {
		return refused("the log tells too little of every term (%d lists, %d pairs): collect more events that cite lists", len(l.d.lists), pairs.len())
	}
	return nil
}

// againstFrom is by how many standard errors an estimate below 0 speaks against what is
// higher in a term. Such a term has no weight, and no part in what weights sum to.
const againstFrom = 2.0

// unbounded fits weights that may fall below 0, to all lists and to resamples, but for
// the terms that speak against a course, which it finds one after the other.
func (l *learner) unbounded(ctx context.Context, pairs *pairSet) (thetas [][]float64, mean, sd []float64, err error) {
	terms := len(l.d.terms)
	l.signed = slices.Clone(l.free)
	for {
		m := fit(pairs, l.signed, *l.req.L2, math.Inf(-1))
		if thetas, err = m.refits(ctx, pairs, *l.req.L2, 100, l.req.Seed); err != nil {
			return nil, nil, nil, err
		}
		mean, sd = make([]float64, terms), make([]float64, terms)
		worst, at := -againstFrom, -1
		for j := range terms {
			for _, t := range thetas {
				mean[j] += t[j] / float64(len(thetas))
			}
			for _, t := range thetas {
				sd[j] += (t[j] - mean[j]) * (t[j] - mean[j]) / float64(len(thetas))
			}
			sd[j] = math.Sqrt(sd[j])
			if l.signed[j] && sd[j] > 0 && mean[j]/sd[j] < worst {
				worst, at = mean[j]/sd[j], j
			}
		}
		if at < 0 {
			return thetas, mean, sd, nil
		}
		l.signed[at] = false
	}
}

// unsteadyFrom is the standard error of what the weights sum to, against the sum, from
// which shares of it are a lottery.
const unsteadyFrom = 0.5

// unsteady reports whether the sum of the open weights is all but unknown.
func (l *learner) unsteady(thetas [][]float64) bool {
	mean, square := 0.0, 0.0
	for _, t := range thetas {
		mean += l.sum(t) / float64(len(thetas))
	}
	for _, t := range thetas {
		square += (l.sum(t) - mean) * (l.sum(t) - mean) / float64(len(thetas))
	}
	return mean <= 0 || math.Sqrt(square) > unsteadyFrom*mean
}
