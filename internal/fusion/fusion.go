// Package fusion merges ranked lists into one. Serving and evaluation use the
// same functions, so that what is measured is what runs.
package fusion

import (
	"cmp"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
)

// MaxNorm merges lists by the weighted sum of their scores, each list's divided
// by its highest: lists of different scales (BM25 and cosine) become comparable
// without tuning constants, and a single strong match stays strong. Scores below
// zero count as zero; a missing weight counts as zero, and such a list adds nothing. A list without a positive
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
		top, w := highest(list), weightAt(weights, i)
		if top <= 0 || w == 0 {
			continue
		}
		scale := w * total / live / float64(top)
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
	slices.SortFunc(merged, ByScore)
	return merged[:min(k, len(merged))]
}

// Sum merges lists by the weighted sum of their scores as they are. Scores below
// zero and weights that are missing count as zero. Hits come back by falling score,
// then rising id, at most k of them.
func Sum(lists [][]lectern.Hit, weights []float64, k int) []lectern.Hit {
	scores := make(map[string]float64)
	for i, list := range lists {
		w := weightAt(weights, i)
		for _, h := range list {
			if w > 0 && h.Score > 0 {
				scores[h.ID] += w * float64(h.Score)
			}
		}
	}
	merged := make([]lectern.Hit, 0, len(scores))
	for id, s := range scores {
		merged = append(merged, lectern.Hit{ID: id, Score: float32(s)})
	}
	slices.SortFunc(merged, ByScore)
	return merged[:min(max(k, 0), len(merged))]
}

// ByScore orders hits by falling score, then rising id.
func ByScore(a, b lectern.Hit) int {
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

// Feedback moves a query vector towards the vectors of the courses that a first
// search found (Rocchio's relevance feedback, 1971, with the leading hits taken
// for relevant): the unit vector of query + beta × the score-weighted mean of
// vectors, itself at unit length. vectors[i] belongs to hits[i] and may be nil,
// as may query. It returns query when there is nothing to learn from.
func Feedback(query []float32, hits []lectern.Hit, vectors [][]float32, beta float64) []float32 {
	var mean []float64
	for i, h := range hits[:min(len(hits), len(vectors))] {
		v := vectors[i]
		if v == nil || !(h.Score > 0) || query != nil && len(v) != len(query) || mean != nil && len(v) != len(mean) {
			continue
		}
		if mean == nil {
			mean = make([]float64, len(v))
		}
		for j, x := range v {
			mean[j] += float64(h.Score) * float64(x)
		}
	}
	if !toUnit(mean, beta) {
		return query
	}
	for j, x := range query {
		mean[j] += float64(x)
	}
	if !toUnit(mean, 1) {
		return query
	}
	out := make([]float32, len(mean))
	for j, x := range mean {
		out[j] = float32(x)
	}
	return out
}

// Towards moves a query's vector towards others: the unit vector of query + the
// weighted sum of those that are there and as long as it. It returns query when
// none is.
func Towards(query []float32, vectors [][]float32, weights []float64) []float32 {
	sum := make([]float64, len(query))
	moved := false
	for i, v := range vectors {
		w := weightAt(weights, i)
		if len(v) != len(query) || w == 0 {
			continue
		}
		moved = true
		for j, x := range v {
			sum[j] += w * float64(x)
		}
	}
	if !moved {
		return query
	}
	for j, x := range query {
		sum[j] += float64(x)
	}
	if !toUnit(sum, 1) {
		return query
	}
	out := make([]float32, len(sum))
	for j, x := range sum {
		out[j] = float32(x)
	}
	return out
}

// toUnit scales v to the given length; it reports false when v has none.
func toUnit(v []float64, length float64) bool {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	if !(sum > 1e-20) || !(length > 0) {
		return false
	}
	scale := length / math.Sqrt(sum)
	for i := range v {
		v[i] *= scale
	}
	return true
}
