package recs

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Interval is a 95 % confidence interval.
type Interval [2]float64

// Difference is how far one model is from another, with its interval: where that
// holds 0, chance explains the difference.
type Difference struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// series is one metric of one model over the cases; NaN where a case has none. Most
// metrics are 0 for most cases, so only the others are kept.
type series struct {
	at      []int32 // cases whose value is not 0; nil when values has all
	values  []float32
	missing []int32 // cases without a value
}

func newSeries(all []float32) series {
	var s series
	n := 0
	for i, v := range all {
		if v != v {
			s.missing = append(s.missing, int32(i))
		} else if v != 0 {
			n++
		}
	}
	if 2*n > len(all) {
		s.values = all
		if len(s.missing) > 0 {
			s.values = slices.Clone(all)
			for _, i := range s.missing {
				s.values[i] = 0
			}
		}
		return s
	}
	s.at = make([]int32, 0, n)
	s.values = make([]float32, 0, n)
	for i, v := range all {
		if v == v && v != 0 {
			s.at, s.values = append(s.at, int32(i)), append(s.values, v)
		}
	}
	return s
}

// mean is the weighted mean over the cases; NaN when none has a value.
func (s series) mean(weights []uint16, total float64) float64 {
	sum := 0.0
	if s.at == nil {
		for i, v := range s.values {
			sum += float64(weights[i]) * float64(v)
		}
	} else {
		for i, c := range s.at {
			sum += float64(weights[c]) * float64(s.values[i])
		}
	}
	for _, c := range s.missing {
		total -= float64(weights[c])
	}
	if total <= 0 {
		return math.NaN()
	}
	return sum / total
}

// resample draws learners with replacement (Efron 1979), the same ones for every
// series, so that differences are paired, and returns the means of each draw:
// [series][draws]. group says whose a case is. Equal seeds draw alike, whatever
// the number of processors.
func resample(ctx context.Context, all []series, group []int32, draws int, seed uint64) ([][]float64, error) {
	dense := make(map[int32]int32)
	of := make([]int32, len(group))
	for i, g := range group {
		n, ok := dense[g]
		if !ok {
			n = int32(len(dense))
			dense[g] = n
		}
		of[i] = n
	}
	groups := len(dense)
	out := make([][]float64, len(all))
	for i := range out {
		out[i] = make([]float64, draws)
	}
	workers := min(runtime.GOMAXPROCS(0), draws)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			drawn, weights := make([]uint16, groups), make([]uint16, len(group))
			for d := w; d < draws && ctx.Err() == nil; d += workers {
				rng := rand.New(rand.NewPCG(seed, uint64(d)))
				clear(drawn)
				for range groups {
					drawn[rng.IntN(groups)]++
				}
				total := 0.0
				for i, g := range of {
					weights[i] = drawn[g]
					total += float64(drawn[g])
				}
				for i, s := range all {
					out[i][d] = s.mean(weights, total)
				}
			}
		})
	}
	wait.Wait()
	return out, ctx.Err()
}

// percentiles returns the middle 95 % of draws; ok is false when there are none.
func percentiles(draws []float64) (Interval, bool) {
	kept := make([]float64, 0, len(draws))
	for _, v := range draws {
		if v == v {
			kept = append(kept, v)
		}
	}
	if len(kept) == 0 {
		return Interval{}, false
	}
	slices.Sort(kept)
	last := float64(len(kept) - 1)
	return Interval{kept[int(math.Round(0.025*last))], kept[int(math.Round(0.975*last))]}, true
}

// minus is the paired difference of two series' draws.
func minus(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}
