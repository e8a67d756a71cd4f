// Package fusion merges ranked lists into one. Serving and evaluation use the
// same functions, so that what is measured is what runs.
package fusion

import (
	"cmp"
	"slices"

	"github.com/lectern-dev/lectern"
)

// MaxNorm merges lists by the weighted sum of their scores, each list's divided
// by its highest: lists of different scales (BM25 and cosine) become comparable
// without tuning constants, and a single strong match stays strong. Scores below
// zero count as zero; a missing weight counts as zero. A list without a positive
// score adds nothing, and the weights of the others are scaled up to the same
// total, so that scores stay in [0, 1] when the weights sum to 1.
//
// Hits come back by falling score, then rising id, at most k of them.
func MaxNorm(lists [][]lectern.Hit, weights []float64, k int) []lectern.Hit {
	total, live := 0.0, 0.0
	n := 0
	for i, list := range lists {
		w := weightAt(weights, i)
		total += w
		if highest(list) > 0 {
			live += w
			n = max(n, len(list))
		}
	}
	if live <= 0 || k <= 0 {
		return nil
	}
	scores := make(map[string]float64, 2*n)
	for i, list := range lists {
		top := highest(list)
		if top <= 0 {
			continue
		}
		scale := weightAt(weights, i) * total / live / float64(top)
		for _, h := range list {
			if h.Score > 0 {
				scores[h.ID] += scale * float64(h.Score)
			}
		}
	}
	merged := make([]lectern.Hit, 0, len(scores))
	for id, s := range scores {
		merged = append(merged, lectern.Hit{ID: id, Score: float32(s)})
	}
	slices.SortFunc(merged, byScore)
	return merged[:min(k, len(merged))]
}

// byScore orders hits by falling score, then rising id.
func byScore(a, b lectern.Hit) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
}

func highest(list []lectern.Hit) float32 {
	top := float32(0)
	for _, h := range list {
		top = max(top, h.Score)
	}
	return top
}

func weightAt(weights []float64, i int) float64 {
	if i >= len(weights) || !(weights[i] > 0) {
		return 0
	}
	return weights[i]
}
