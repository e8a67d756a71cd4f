package selection

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/lectern-dev/lectern/ml/cf"
)

const (
	blendCases = 8000 // learners that weights are fitted on
	blendTop   = 60   // best courses of each model that weights are fitted on
	blendGain  = 1e-4 // of the metric that a change of weights must bring, as a share of it
	blendKeep  = 2e-3 // of the metric that a model must be worth to stay in the blend
	blendTurns = 12   // at most, through all weights
)

// ballot is what all models say of the courses that any of them puts first for one
// learner, and of the truth.
type ballot struct {
	truth int       // the first courses are the truth
	score []float32 // [courses × models] standardised
	sum   []float32 // [courses] under the weights in hand
	trial []float32 // [courses] under those that are tried
}

// ballots asks all models for the first of the cases.
func ballots(ctx context.Context, models []cf.Model, cases []testCase) ([]ballot, error) {
	cases = cases[:min(len(cases), blendCases)]
	out := make([]ballot, len(cases))
	err := eachCase(ctx, cases, func() func(int) {
		n, m := models[0].Items(), len(models)
		scores := make([]float32, m*n)
		heap := make([]int32, 0, blendTop)
		var items []int32
		return func(i int) {
			c := &cases[i]
			items = append(items[:0], c.truth...)
			for k, model := range models {
				own := scores[k*n : (k+1)*n]
				model.Predict(c.history, nil, own)
				mean, scale := cf.Standardise(c.history, own)
				for j, v := range own {
					own[j] = (v - mean) * scale
				}
				mask(c.history, own)
				if c.among == nil {
					items = top(items, own, blendTop, heap)
				}
			}
			items = append(items, c.among...)
			rest := items[len(c.truth):]
			slices.Sort(rest)
			rest = slices.DeleteFunc(slices.Compact(rest), func(x int32) bool { return slices.Contains(c.truth, x) })
			items = items[:len(c.truth)+len(rest)]
			b := ballot{truth: len(c.truth), score: make([]float32, len(items)*m), sum: make([]float32, len(items)), trial: make([]float32, len(items))}
			for p, item := range items {
				for k := range models {
					b.score[p*m+k] = max(scores[k*n+int(item)], -1e6)
				}
			}
			out[i] = b
		}
	})
	return out, err
}

// ranks returns the ranks of the truth by the trial sums.
func (b *ballot) ranks(into []int32) []int32 {
	into = into[:0]
	for t := range b.truth {
		own, above := b.trial[t], int32(0)
		for p, v := range b.trial {
			if v > own || v == own && p >= b.truth {
				above++
			}
		}
		into = append(into, above)
	}
	return into
}

// urn has the ballots that weights are fitted on.
type urn struct {
	ballots []ballot
	models  int
	metric  metric
	weight  []float64
	value   float64   // of the metric under the weights
	each    []float64 // [ballots] room
}

// try returns the metric with the weight of a model changed by delta, and leaves the
// sums in trial.
func (u *urn) try(model int, delta float64) float64 {
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wait.Go(func() {
			var r []int32
			for i := w; i < len(u.ballots); i += workers {
				b := &u.ballots[i]
				for p := range b.sum {
					b.trial[p] = b.sum[p] + float32(delta)*b.score[p*u.models+model]
				}
				r = b.ranks(r)
				u.each[i] = u.metric.of(r, u.metric.k)
			}
		})
	}
	wait.Wait()
	sum := 0.
	for _, v := range u.each { // in order, so that the sum is the same every time
		sum += v
	}
	return sum / float64(len(u.ballots))
}

// set gives the ballots the sums of these weights.
func (u *urn) set(weight []float64) {
	u.weight = slices.Clone(weight)
	for i := range u.ballots {
		b := &u.ballots[i]
		for p := range b.sum {
			s := 0.
			for k, w := range weight {
				s += w * float64(b.score[p*u.models+k])
			}
			b.sum[p] = float32(s)
		}
	}
	u.value = u.try(0, 0)
}

// fitWeights finds weights of at least 0 by ascent along one of them at a time,
// from the best model alone. The metric is one of ranks, which has no gradient.
func fitWeights(ctx context.Context, all []ballot, models int, m metric) ([]float64, error) {
	u := &urn{ballots: all, models: models, metric: m, each: make([]float64, len(all))}
	best, value := 0, math.Inf(-1)
	for k := range models {
		u.set(one(models, k))
		if u.value > value {
			best, value = k, u.value
		}
	}
	u.set(one(models, best))
	for range blendTurns {
		before := u.value
		for k := range models {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			u.step(k)
		}
		if u.value <= before*(1+blendGain) {
			break
		}
	}
	u.prune()
	total := 0.
	for _, w := range u.weight {
		total += w
	}
	for k := range u.weight {
		u.weight[k] = math.Round(u.weight[k]/total*1e4) / 1e4
	}
	return u.weight, nil
}

func one(n, k int) []float64 {
	w := make([]float64, n)
	w[k] = 1
	return w
}

// step moves one weight to where the metric is best.
func (u *urn) step(k int) {
	now, total := u.weight[k], 0.
	for _, w := range u.weight {
		total += w
	}
	var tries []float64
	if now == 0 {
		for _, f := range []float64{0.03, 0.08, 0.2, 0.4, 0.8} {
			tries = append(tries, f*total)
		}
	} else {
		for _, f := range []float64{0.5, 0.75, 0.9, 1.1, 1.35, 2} {
			tries = append(tries, f*now)
		}
		if total > now {
			tries = append(tries, 0)
		}
	}
	to, value := now, u.value*(1+blendGain/10)
	for _, w := range tries {
		if v := u.try(k, w-now); v > value {
			to, value = w, v
		}
	}
	if to != now {
		w := slices.Clone(u.weight)
		w[k] = to
		u.set(w)
	}
}

// prune leaves out models that are worth next to nothing beside the others: each
// costs time at every request.
func (u *urn) prune() {
	for {
		cheapest, kept := -1, 0.
		for k, w := range u.weight {
			if w == 0 {
				continue
			}
			if v := u.try(k, -w); v > kept {
				cheapest, kept = k, v
			}
		}
		others := 0
		for k, w := range u.weight {
			if w > 0 && k != cheapest {
				others++
			}
		}
		if others == 0 || kept < u.value*(1-blendKeep) {
			return
		}
		w := slices.Clone(u.weight)
		w[cheapest] = 0
		u.set(w)
	}
}

// fold is what a blend is worth on learners that its weights were not fitted on:
// each half is judged by the weights of the other.
func fold(ctx context.Context, all []ballot, models int, m metric, metrics []metric) (map[string]float64, error) {
	out := newMeasured(metrics)
	half := len(all) / 2
	for _, h := range [2][2][]ballot{{all[:half], all[half:]}, {all[half:], all[:half]}} {
		if len(h[0]) == 0 {
			continue
		}
		w, err := fitWeights(ctx, h[0], models, m)
		if err != nil {
			return nil, err
		}
		u := &urn{ballots: h[1], models: models, metric: m, each: make([]float64, len(h[1]))}
		u.set(w)
		var r []int32
		for i := range u.ballots {
			r = u.ballots[i].ranks(r)
			out.add(r)
		}
	}
	return out.values(), nil
}
