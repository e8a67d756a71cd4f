package ope

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
)

// resample draws people with replacement (Efron 1979), as many as there are, and returns
// the values of each draw. Equal seeds draw alike, whatever the number of processors.
func (t *sums) resample(ctx context.Context, draws int, seed uint64) ([][]float64, error) {
	out := make([][]float64, draws)
	workers := max(1, min(runtime.GOMAXPROCS(0), draws))
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			times, total := make([]uint16, t.people), make([]float64, t.width())
			for d := w; d < draws && ctx.Err() == nil; d += workers {
				lots := rand.New(rand.NewPCG(seed, uint64(d))) //nolint:gosec // draws, no secrets
				clear(times)
				for range t.people {
					times[lots.IntN(t.people)]++
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
				out[d] = t.values(total, nil)
			}
		})
	}
	wait.Wait()
	return out, ctx.Err()
}

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
