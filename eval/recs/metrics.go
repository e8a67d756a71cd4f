package recs

import (
	"math"
	"strconv"
)

// Metric names a measure of lists, without its cut-off: "ndcg" is reported as
// "ndcg@10".
type Metric string

// The metrics. The first six say how many of the courses that were held back a list
// found, the others what it is beyond that.
const (
	Recall        Metric = "recall"
	Precision     Metric = "precision"
	HitRate       Metric = "hit_rate"
	NDCG          Metric = "ndcg"
	MAP           Metric = "map"
	MRR           Metric = "mrr"
	Novelty       Metric = "novelty"
	Diversity     Metric = "diversity"
	CalibrationKL Metric = "calibration_kl"
	CalibrationJS Metric = "calibration_js"
	Coverage      Metric = "coverage"
	Gini          Metric = "gini"
)

// Metrics lists the metrics in the order of reports.
func Metrics() []Metric {
	return []Metric{Recall, Precision, HitRate, NDCG, MAP, MRR, Coverage, Gini, Novelty, Diversity, CalibrationKL, CalibrationJS}
}

// At is the metric's name with its cut-off.
func (m Metric) At(k int) string { return string(m) + "@" + strconv.Itoa(k) }

// ofLists are the metrics that each list has by itself. The others belong to
// all lists together.
func ofLists() []Metric {
	return []Metric{Recall, Precision, HitRate, NDCG, MAP, MRR, Novelty, Diversity, CalibrationKL, CalibrationJS}
}

// ofAccuracy are the metrics of what was found.
func ofAccuracy() []Metric { return []Metric{Recall, Precision, HitRate, NDCG, MAP, MRR} }

// Accuracy is what a list found.
type Accuracy struct {
	Recall, Precision, HitRate, NDCG, MAP, MRR float64
}

// Judge says what the first k courses of a list found, of relevant courses in all,
// of which truth can be in a list. Each figure is in [0, 1].
//
//   - recall: found / relevant
//   - precision: found / k, however short the list is
//   - hit rate: 1 when any was found; its mean is the PHR of the literature
//   - nDCG: gain 1, discount log2(1 + rank); the ideal list has min(k, relevant)
//     (Järvelin and Kekäläinen, 2002)
//   - MAP: the mean of the precision at each course found, over min(k, relevant)
//   - MRR: 1 / rank of the first found
func Judge(list, truth []int32, relevant, k int) Accuracy {
	var a Accuracy
	if relevant == 0 {
		return a
	}
	found, dcg, precisions := 0, 0.0, 0.0
	for i, item := range list[:min(k, len(list))] {
		if !contains(truth, item) {
			continue
		}
		found++
		dcg += 1 / math.Log2(float64(i)+2)
		precisions += float64(found) / float64(i+1)
		if found == 1 {
			a.MRR = 1 / float64(i+1)
			a.HitRate = 1
		}
	}
	if found == 0 {
		return a
	}
	ideal := 0.0
	for i := range min(k, relevant) {
		ideal += 1 / math.Log2(float64(i)+2)
	}
	a.Recall = float64(found) / float64(relevant)
	a.Precision = float64(found) / float64(k)
	a.NDCG = dcg / ideal
	a.MAP = precisions / float64(min(k, relevant))
	return a
}

// contains is for the short lists that truths are.
func contains(list []int32, item int32) bool {
	for _, x := range list {
		if x == item {
			return true
		}
	}
	return false
}

// values returns the figures in the order of ofAccuracy.
func (a Accuracy) values() [6]float64 {
	return [6]float64{a.Recall, a.Precision, a.HitRate, a.NDCG, a.MAP, a.MRR}
}

// coverage is the share of the catalogue that is in any of the lists.
func coverage(exposure []int) float64 {
	shown := 0
	for _, n := range exposure {
		if n > 0 {
			shown++
		}
	}
	return float64(shown) / float64(max(len(exposure), 1))
}

// gini is the Gini coefficient of how often each course of the catalogue is shown:
// 0 when all are shown alike, near 1 when a few take all places.
func gini(exposure []int) float64 {
	counts := make(map[int]int)
	total := 0
	for _, n := range exposure {
		counts[n]++
		total += n
	}
	n := float64(len(exposure))
	if total == 0 {
		return 0
	}
	// G = Σ_i (2i − n − 1) x_i / (n Σ x), x rising and i from 1; equal values in one step.
	sum, i := 0.0, 0.0
	for _, x := range sortedKeys(counts) {
		c := float64(counts[x])
		sum += float64(x) * c * (2*i + c - n) // Σ over the c ranks i+1 … i+c of (2 rank − n − 1)
		i += c
	}
	return sum / (n * float64(total))
}
