package eval

import (
	"math"
	"slices"
)

// Relevant maps the documents that are relevant to a query to their grade. A
// grade of zero or less means judged and not relevant.
type Relevant map[string]int

// count returns how many documents are relevant.
func (r Relevant) count() int {
	n := 0
	for _, grade := range r {
		if grade > 0 {
			n++
		}
	}
	return n
}

// distinct returns the first k entries of a ranking without repetitions.
func distinct(ranking []string, k int) []string {
	out := make([]string, 0, min(k, len(ranking)))
	seen := make(map[string]bool, cap(out))
	for _, id := range ranking {
		if len(out) == k {
			break
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// NDCG is the normalised discounted cumulative gain of the first k documents, in
// [0, 1] (Järvelin and Kekäläinen, 2002, with the grade as gain and
// log2(1 + rank) as discount). It is 0 when nothing is relevant.
func NDCG(ranking []string, rel Relevant, k int) float64 {
	var grades []int
	for _, g := range rel {
		if g > 0 {
			grades = append(grades, g)
		}
	}
	slices.Sort(grades)
	slices.Reverse(grades)
	ideal := 0.0
	for i, g := range grades[:min(k, len(grades))] {
		ideal += float64(g) / math.Log2(float64(i)+2)
	}
	if ideal == 0 {
		return 0
	}
	gain := 0.0
	for i, id := range distinct(ranking, k) {
		gain += float64(max(rel[id], 0)) / math.Log2(float64(i)+2)
	}
	return gain / ideal
}

// Recall is the share of the relevant documents that are among the first k.
func Recall(ranking []string, rel Relevant, k int) float64 {
	n := rel.count()
	if n == 0 {
		return 0
	}
	return float64(hits(ranking, rel, k)) / float64(n)
}

// HitRate is 1 when any relevant document is among the first k, else 0.
func HitRate(ranking []string, rel Relevant, k int) float64 {
	if hits(ranking, rel, k) > 0 {
		return 1
	}
	return 0
}

// MRR is the reciprocal of the rank of the first relevant document among the
// first k, 0 when there is none.
func MRR(ranking []string, rel Relevant, k int) float64 {
	for i, id := range distinct(ranking, k) {
		if rel[id] > 0 {
			return 1 / float64(i+1)
		}
	}
	return 0
}

// AveragePrecision is the mean, over all relevant documents, of the precision at
// the rank of each that is among the first k; those that are not count as 0.
func AveragePrecision(ranking []string, rel Relevant, k int) float64 {
	n := rel.count()
	if n == 0 {
		return 0
	}
	sum, found := 0.0, 0
	for i, id := range distinct(ranking, k) {
		if rel[id] > 0 {
			found++
			sum += float64(found) / float64(i+1)
		}
	}
	return sum / float64(n)
}

func hits(ranking []string, rel Relevant, k int) int {
	n := 0
	for _, id := range distinct(ranking, k) {
		if rel[id] > 0 {
			n++
		}
	}
	return n
}
