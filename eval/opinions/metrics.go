package opinions

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Scored is a review with a clear class and what was made of it.
type Scored struct {
	Positive bool
	P        float64 // probability that it is positive
}

// Interval is a 95 % confidence interval.
type Interval [2]float64

// AUC is the area under the ROC curve: the chance that a positive review has a higher
// score than a negative one; ties count half. It is .5 without both classes.
func AUC(s []Scored) float64 {
	r := rank(s)
	return r.auc(nil)
}

// F1 of the negative and of the positive class, where a score below the threshold is
// negative.
func F1(s []Scored, threshold float64) (negative, positive float64) {
	var tp, fp, fn, tn float64 // of the negative class
	for _, v := range s {
		said := v.P < threshold
		switch {
		case said && !v.Positive:
			tp++
		case said:
			fp++
		case !v.Positive:
			fn++
		default:
			tn++
		}
	}
	return harmonic(tp, fp, fn), harmonic(tn, fn, fp)
}

func harmonic(tp, fp, fn float64) float64 {
	if tp == 0 {
		return 0
	}
	return 2 * tp / (2*tp + fp + fn)
}

// BestThreshold is the threshold with the highest F1 of the negative class: to be
// chosen on held-out scores of the training part.
func BestThreshold(s []Scored) float64 {
	ps := make([]float64, len(s))
	for i, v := range s {
		ps[i] = v.P
	}
	slices.Sort(ps)
	best, at := -1.0, 0.5
	for i := 1; i < len(ps); i++ {
		if ps[i] == ps[i-1] {
			continue
		}
		t := (ps[i] + ps[i-1]) / 2
		if f, _ := F1(s, t); f > best {
			best, at = f, t
		}
	}
	return at
}

// Brier is the mean squared error of the probabilities.
func Brier(s []Scored) float64 {
	sum := 0.0
	for _, v := range s {
		d := v.P - label(v)
		sum += d * d
	}
	return sum / float64(max(len(s), 1))
}

func label(v Scored) float64 {
	if v.Positive {
		return 1
	}
	return 0
}

// calibrationBins have as many reviews each.
const calibrationBins = 10

// ECE is the expected calibration error: the mean distance between the probability
// and the share of positive reviews, over ten bins of as many reviews each.
func ECE(s []Scored) float64 {
	order := slices.Clone(s)
	slices.SortStableFunc(order, func(a, b Scored) int { return cmp.Compare(a.P, b.P) })
	sum := 0.0
	for b := range calibrationBins {
		from, to := b*len(order)/calibrationBins, (b+1)*len(order)/calibrationBins
		d := 0.0
		for _, v := range order[from:to] {
			d += v.P - label(v)
		}
		sum += math.Abs(d)
	}
	return sum / float64(max(len(s), 1))
}

// resamples of the bootstrap.
const resamples = 2000

// bootstrap returns the 95 % interval of a figure of cases, which is given how often
// each was drawn. Both classes are resampled by themselves: with few negative reviews,
// how many there are is not what is in doubt.
func bootstrap(positive []bool, seed uint64, figure func(drawn []int) float64) Interval {
	var classes [2][]int
	for i, p := range positive {
		if p {
			classes[1] = append(classes[1], i)
		} else {
			classes[0] = append(classes[0], i)
		}
	}
	r := rand.New(rand.NewPCG(seed, 0))
	values := make([]float64, resamples)
	drawn := make([]int, len(positive))
	for k := range values {
		clear(drawn)
		for _, c := range classes {
			for range c {
				drawn[c[r.IntN(len(c))]]++
			}
		}
		values[k] = figure(drawn)
	}
	slices.Sort(values)
	return Interval{values[resamples/40], values[resamples-1-resamples/40]}
}

// ranked is a set of cases in the order of their scores, for many AUCs of samples.
type ranked struct {
	s     []Scored
	order []int
}

func rank(s []Scored) ranked {
	r := ranked{s: s, order: make([]int, len(s))}
	for i := range r.order {
		r.order[i] = i
	}
	slices.SortFunc(r.order, func(a, b int) int { return cmp.Compare(s[a].P, s[b].P) })
	return r
}

// auc of the cases, each as often as it was drawn; nil draws each once.
func (r *ranked) auc(drawn []int) float64 {
	var below, wins, positives float64
	for i := 0; i < len(r.order); {
		j, pos, neg := i, 0.0, 0.0
		for ; j < len(r.order) && r.s[r.order[j]].P == r.s[r.order[i]].P; j++ {
			n := 1.0
			if drawn != nil {
				n = float64(drawn[r.order[j]])
			}
			if r.s[r.order[j]].Positive {
				pos += n
			} else {
				neg += n
			}
		}
		wins += pos * (below + neg/2)
		below, positives = below+neg, positives+pos
		i = j
	}
	if below == 0 || positives == 0 {
		return 0.5
	}
	return wins / (below * positives)
}

// AUCInterval is the AUC with its interval.
func AUCInterval(s []Scored, seed uint64) (float64, Interval) {
	r := rank(s)
	return r.auc(nil), bootstrap(labels(s), seed, r.auc)
}

// AUCGain is how much higher the AUC of b is than that of a on the same reviews, with
// the interval of the paired difference.
func AUCGain(a, b []Scored, seed uint64) (float64, Interval) {
	ra, rb := rank(a), rank(b)
	gain := func(drawn []int) float64 { return rb.auc(drawn) - ra.auc(drawn) }
	return gain(nil), bootstrap(labels(a), seed, gain)
}

func labels(s []Scored) []bool {
	out := make([]bool, len(s))
	for i, v := range s {
		out[i] = v.Positive
	}
	return out
}
