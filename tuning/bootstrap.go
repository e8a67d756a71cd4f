package tuning

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// resample draws people with replacement (Efron 1979), n of n each time, and calls
// use with how often each was drawn. Equal seeds draw alike, whatever the number of
// processors.
func resample(ctx context.Context, people, draws int, seed uint64, use func(draw int, times []uint16)) error {
	workers := max(1, min(runtime.GOMAXPROCS(0), draws))
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			times := make([]uint16, people)
			for d := w; d < draws && ctx.Err() == nil; d += workers {
				lots := rand.New(rand.NewPCG(seed, uint64(d))) //nolint:gosec // draws, no secrets
				clear(times)
				for range people {
					times[lots.IntN(people)]++
				}
				use(d, times)
			}
		})
	}
	wait.Wait()
	return ctx.Err()
}

// refits are the fits of resamples, each by one Newton step from the fit of all: as
// good as a fit of its own to the first order (Davison and Hinkley 1997), and a
// thousand times faster.
func (m model) refits(ctx context.Context, p *pairSet, l2 float64, draws int, seed uint64) ([][]float64, error) {
	groups := make([]slopes, p.groups())
	weights := make([]float64, p.groups())
	for g := range groups {
		groups[g] = newSlopes(p.width)
		p.slopesOf(g, m.theta, groups[g])
		for i := p.from[g]; i < p.from[g+1]; i++ {
			weights[g] += p.weight[i]
		}
	}
	out := make([][]float64, draws)
	err := resample(ctx, len(groups), draws, seed, func(d int, times []uint16) {
		total, n := newSlopes(p.width), 0.0
		for g, k := range times {
			if k == 0 {
				continue
			}
			by := float64(k)
			n += by * weights[g]
			for i, v := range groups[g].g {
				total.g[i] += by * v
			}
			for i, v := range groups[g].h {
				total.h[i] += by * v
			}
		}
		if n == 0 {
			return
		}
		scaleInto(total, 1/n)
		pull(total, m.theta, p.terms, l2)
		out[d] = m.solve(total, p.terms)
	})
	return slices.DeleteFunc(out, func(t []float64) bool { return t == nil }), err
}

// interval is the middle 95 % of draws, which it sorts.
func interval(draws []float64) (low, high float64) {
	draws = slices.DeleteFunc(draws, math.IsNaN)
	if len(draws) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(draws)
	last := float64(len(draws) - 1)
	return draws[int(math.Round(0.025*last))], draws[int(math.Round(0.975*last))]
}
