package ope

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// draw is what a resample of people comes to.
type draw struct {
	values []float64
	errors []float64 // standard errors of values, then of their differences to the logged
}

// resample draws people with replacement (Efron 1979), as many as there are. Equal seeds
// draw alike, whatever the number of processors.
func (t *sums) resample(ctx context.Context, draws int, seed uint64) ([]draw, error) {
	out := make([]draw, draws)
	workers := max(1, min(runtime.GOMAXPROCS(0), draws))
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			times := make([]uint16, t.people)
			var total []float64
			var slopes []slope
			for d := w; d < draws && ctx.Err() == nil; d += workers {
				lots := rand.New(rand.NewPCG(seed, uint64(d))) //nolint:gosec // draws, no secrets
				clear(times)
				for range t.people {
					times[lots.IntN(t.people)]++
				}
				out[d], total, slopes = t.draw(times, total, slopes)
			}
		})
	}
	wait.Wait()
	return out, ctx.Err()
}

// draw is what people come to that count so many times each. The other results are
// scratch.
func (t *sums) draw(times []uint16, total []float64, slopes []slope) (draw, []float64, []slope) {
	if total == nil {
		total = make([]float64, t.width())
	}
	clear(total)
	for person, n := range times {
		if n == 0 {
			continue
		}
		for i, v := range t.row(person) {
			total[i] += float64(n) * v
		}
	}
	v := t.values(total, nil)
	slopes = t.slopes(total, v, slopes)
	return draw{v, t.errors(times, slopes)}, total, slopes
}

// studentised is the interval of a value from how far off resamples were, either way, in
// standard errors of their own (symmetric bootstrap-t, Hall 1988). What rests on few heavy
// weights has a small standard error just when these are missing, which quantiles of the
// values alone do not see. of returns a resample's value and its standard error.
func studentised(point, deviation float64, draws []draw, share float64, of func(d draw) (value, deviation float64)) Interval {
	off := make([]float64, 0, len(draws))
	for _, d := range draws {
		if v, e := of(d); finite(v) && e > noError {
			off = append(off, math.Abs(v-point)/e)
		}
	}
	half := 0.0
	if deviation > noError && len(off) > 0 {
		half = quantile(off, share) * deviation
	}
	return Interval{Value: point, Low: point - half, High: point + half}
}

// noError is a standard error that is rounding alone.
const noError = 1e-13

// effective is Kish's effective sample size (1965) of weights that come in clusters.
type effective struct {
	sum, square float64
	byPerson    []float64
	counts      []float64
}

func newEffective(people int) *effective {
	return &effective{byPerson: make([]float64, people), counts: make([]float64, people)}
}

func (e *effective) add(person int, w float64) {
	e.sum += w
	e.square += w * w
	e.byPerson[person] += w
	e.counts[person]++
}

// size is (Σw)²/Σw² of picks, but no more than as many people of their mean number of
// picks as the weights of people amount to: ten picks of one person whose weights are
// all large are no ten witnesses.
func (e *effective) size() float64 {
	if e.square == 0 {
		return 0
	}
	people, picks, squares := 0.0, 0.0, 0.0
	for i, n := range e.counts {
		if n > 0 {
			people++
			picks += n
			squares += sq(e.byPerson[i])
		}
	}
	alone := sq(e.sum) / e.square
	clustered := sq(e.sum) / squares * picks / people
	return min(alone, clustered)
}
