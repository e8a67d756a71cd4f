package cf

import (
	"context"
	"math"
	"slices"
)

// successors knows what follows a course: how much more often than chance one
// comes soon after another (lift, Brin et al. 1997), times how much more often
// after than before. Courses that are taken together in any order are twins; only
// an order makes a successor.
type successors struct {
	weights weights // [rows][rows] sparse, > 0
}

const (
	successorWindow = 10  // steps on that count
	successorDecay  = 0.7 // per step
	successorPrior  = 5.0 // transitions as expected, added to all counts
	successorTop    = 100 // kept per course
	successorLeast  = 0.1 // score from which something follows; below are two or three takers' coincidences
)

// newSuccessors counts the transitions of all histories.
func newSuccessors(ctx context.Context, r *rows, n int) (successors, error) {
	decay := make([]float32, successorWindow+1) // [steps]
	reach := make([]float64, successorWindow+1) // [steps] sum of decays up to there
	for k := 1; k <= successorWindow; k++ {
		decay[k] = float32(math.Pow(successorDecay, float64(k-1)))
		reach[k] = reach[k-1] + float64(decay[k])
	}
	followed, follows := make([]float64, n), make([]float64, n)
	total := 0.0
	for u := range r.len() {
		items, _ := r.of(u)
		for p, i := range items {
			out := reach[min(successorWindow, len(items)-1-p)]
			followed[i] += out
			follows[i] += reach[min(successorWindow, p)]
			total += out
		}
	}
	kept := make([][]entry, n)
	takers := newTakers(r, n)
	err := banded(ctx, n, func(rows []int) {
		after, before := newCounter(n), newCounter(n)
		for _, i := range rows {
			if ctx.Err() != nil {
				return
			}
			after.reset()
			before.reset()
			for k := takers.start[i]; k < takers.start[i+1]; k++ {
				items, _ := r.of(int(takers.learner[k]))
				p := int(takers.place[k])
				for step := 1; step <= successorWindow; step++ {
					if q := p + step; q < len(items) {
						after.add(items[q], decay[step])
					}
					if q := p - step; q >= 0 {
						before.add(items[q], decay[step])
					}
				}
			}
			var list []entry
			for _, j := range after.touched {
				if v := lift(float64(after.sum[j]), float64(before.sum[j]), followed[i]*follows[j]/total); v >= successorLeast && int(j) != i {
					list = append(list, entry{j, float32(v)})
				}
			}
			kept[i] = keepStrongest(list, successorTop)
			slices.SortFunc(kept[i], byColumn)
		}
	})
	if err != nil {
		return successors{}, err
	}
	return successors{weights: newSparse(kept)}, nil
}

// lift is the logarithm of the smoothed lift of after over what is expected by
// chance, times the squared share of after in both directions.
func lift(after, before, expected float64) float64 {
	direction := (after + successorPrior) / (after + before + 2*successorPrior)
	return math.Log((after+successorPrior)/(expected+successorPrior)) * direction * direction
}

// next scores every course of the catalogue as one that follows item.
func (s *successors) next(c *catalogue, item int32, into []float32) {
	clear(into)
	r := c.rowOf(item)
	if r < 0 {
		return
	}
	w := &s.weights
	for k := w.start[r]; k < w.start[r+1]; k++ {
		into[c.known[w.col[k]]] = w.val[k]
	}
}
