package tuning

import (
	"context"
	"runtime"
	"slices"
	"sync"
)

// climber does coordinate ascent on nDCG (Metzler and Croft 2007): one weight after the
// other is tried at several values, and the best is kept, until a round brings nothing.
type climber struct {
	lists  []judged
	scores [][]float64 // by list, at the weights
	ideal  float64
}

// enough is the gain of a round that is worth another.
const enough = 1e-5

// factors are what a weight is multiplied by in trials, and shifts what is added, as
// shares of all weights.
func trials() (factors, shifts []float64) {
	return []float64{0, 0.5, 0.8, 0.9, 1.1, 1.25, 2}, []float64{0.01, 0.03, 0.1, 0.3}
}

func newClimber(lists []judged, weights []float64) *climber {
	c := &climber{lists: lists, scores: make([][]float64, len(lists))}
	for i := range lists {
		c.scores[i] = lists[i].list.score(weights, nil)
		c.ideal += lists[i].ideal
	}
	return c
}

// value is the nDCG when a weight is moved by so much.
func (c *climber) value(term int, by float64, terms int) float64 {
	workers := max(1, min(runtime.GOMAXPROCS(0), len(c.lists)))
	parts := make([]float64, sumParts)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			var scores []float64
			for part := w; part < sumParts; part += workers {
				for i := part * len(c.lists) / sumParts; i < (part+1)*len(c.lists)/sumParts; i++ {
					scores = append(scores[:0], c.scores[i]...)
					if by != 0 {
						c.lists[i].list.shift(scores, term, by, terms)
					}
					parts[part] += c.lists[i].dcg(scores)
				}
			}
		})
	}
	wait.Wait()
	sum := 0.0
	for _, p := range parts {
		sum += p
	}
	return sum / c.ideal
}

// shift moves scores by a change of one weight.
func (l *shown) shift(scores []float64, term int, by float64, terms int) {
	for p := range scores {
		scores[p] += by * float64(l.x[p*terms+term])
	}
}

// climb raises nDCG over the free weights for some rounds at most.
func climb(ctx context.Context, lists []judged, start []float64, free []bool, rounds int) ([]float64, error) {
	weights := slices.Clone(start)
	c := newClimber(lists, weights)
	if len(lists) == 0 {
		return weights, ctx.Err()
	}
	best := c.value(0, 0, len(weights))
	factors, shifts := trials()
	for range rounds {
		before := best
		for term := range weights {
			if !free[term] {
				continue
			}
			move, top := 0.0, best
			sum := total(weights)
			try := func(next float64) {
				if next < 0 || sum-weights[term]+next <= 0 || ctx.Err() != nil {
					return
				}
				if v := c.value(term, next-weights[term], len(weights)); v > top+1e-9 {
					move, top = next-weights[term], v
				}
			}
			for _, f := range factors {
				try(weights[term] * f)
			}
			for _, s := range shifts {
				try(weights[term] + s*sum)
				try(weights[term] - s*sum)
			}
			if move == 0 {
				continue
			}
			weights[term] += move
			best = top
			for i := range c.scores {
				c.lists[i].list.shift(c.scores[i], term, move, len(weights))
			}
		}
		if err := ctx.Err(); err != nil {
			return weights, err
		}
		if best-before < enough {
			break
		}
	}
	return weights, nil
}

func total(weights []float64) float64 {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	return sum
}
