package stats

import (
	"math"
	"slices"
)

// Holm returns p-values adjusted so that calling all those at or under alpha true is
// wrong anywhere with a chance of at most alpha (Holm 1979).
func Holm(p []float64) []float64 {
	order, out := rising(p), make([]float64, len(p))
	least := 0.0
	for i, at := range order {
		least = max(least, min(1, float64(len(p)-i)*p[at]))
		out[at] = least
	}
	return out
}

// BenjaminiHochberg returns p-values adjusted so that of those at or under alpha a share
// of at most alpha is expected to be false (Benjamini and Hochberg 1995), where the
// p-values are independent or rise and fall together.
func BenjaminiHochberg(p []float64) []float64 {
	order, out := rising(p), make([]float64, len(p))
	most := 1.0
	for i := len(order) - 1; i >= 0; i-- {
		at := order[i]
		most = min(most, p[at]*float64(len(p))/float64(i+1))
		out[at] = most
	}
	return out
}

// EvidenceBH returns adjusted p-values from logs of e-values (Comparison.LogEvidence), by
// the e-BH procedure (Wang and Ramdas 2022): the share of false ones among those at or
// under alpha is at most alpha however the e-values hang together, at every look.
func EvidenceBH(logs []float64) []float64 {
	p := make([]float64, len(logs))
	for i, l := range logs {
		p[i] = math.Exp(-l)
	}
	order, out := rising(p), make([]float64, len(p))
	most := 1.0
	for i := len(order) - 1; i >= 0; i-- {
		at := order[i]
		most = min(most, p[at]*float64(len(p))/float64(i+1))
		out[at] = most
	}
	return out
}

// Bonferroni returns the alpha of each of n intervals that are to hold together: the
// form in which confidence sequences are corrected (Options.Alpha).
func Bonferroni(alpha float64, n int) float64 { return alpha / float64(max(n, 1)) }

// rising returns the places of p by rising value.
func rising(p []float64) []int {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	return order
}
