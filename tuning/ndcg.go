package tuning

import (
	"context"
	"math"
	"slices"
)

// ndcgK is how many places count.
const ndcgK = 10

// judged is what a list says of an order: the gains of its places, each choice divided
// by how often its place is looked at (Joachims, Swaminathan and Schnabel 2017), so
// that a course that was chosen far down counts for those of its kind that nobody saw.
type judged struct {
	list  *shown
	gain  []float64
	ideal float64
}

// judge prepares the lists in which something was wanted.
func judge(lists []shown, propensity []float64) []judged {
	out := make([]judged, 0, len(lists))
	for i := range lists {
		l := &lists[i]
		if !l.gainful {
			continue
		}
		j := judged{list: l, gain: make([]float64, l.n)}
		for p, r := range l.reward {
			j.gain[p] = max(r, 0) / propensity[p]
		}
		best := slices.Clone(j.gain)
		slices.Sort(best)
		slices.Reverse(best)
		for rank, g := range best[:min(ndcgK, len(best))] {
			j.ideal += g * discount(rank)
		}
		out = append(out, j)
	}
	return out
}

func discount(rank int) float64 { return 1 / math.Log2(float64(rank)+2) }

// dcg is the discounted gain of the first places when they are ordered by score;
// equal scores stay as they were.
func (j *judged) dcg(scores []float64) float64 {
	sum := 0.0
	for p, g := range j.gain {
		if g == 0 {
			continue
		}
		rank := 0
		for q, s := range scores {
			if s > scores[p] || s == scores[p] && q < p {
				rank++
			}
		}
		if rank < ndcgK {
			sum += g * discount(rank)
		}
	}
	return sum
}

// score scores the places of a list.
func (l *shown) score(weights []float64, into []float64) []float64 {
	into = into[:0]
	for p := range l.n {
		z := 0.0
		for j, v := range l.row(p, len(weights)) {
			z += weights[j] * float64(v)
		}
		into = append(into, z)
	}
	return into
}

// gains compares two sets of weights over lists: nDCG as the sum of gains over the sum
// of what they could be, and the interval of the difference, paired, over people.
func gains(ctx context.Context, lists []judged, current, proposed []float64, draws int, seed uint64) (Gain, error) {
	type sums struct{ current, proposed, ideal float64 }
	at := map[int]int{}
	var people []sums
	var scores []float64
	for i := range lists {
		j := &lists[i]
		g, known := at[j.list.person]
		if !known {
			g = len(people)
			at[j.list.person] = g
			people = append(people, sums{})
		}
		scores = j.list.score(current, scores)
		people[g].current += j.dcg(scores)
		scores = j.list.score(proposed, scores)
		people[g].proposed += j.dcg(scores)
		people[g].ideal += j.ideal
	}
	out := Gain{K: ndcgK}
	if len(people) == 0 {
		return out, nil
	}
	var all sums
	for _, p := range people {
		all.current, all.proposed, all.ideal = all.current+p.current, all.proposed+p.proposed, all.ideal+p.ideal
	}
	out.Current, out.Proposed = round(all.current/all.ideal), round(all.proposed/all.ideal)
	out.Gain = round((all.proposed - all.current) / all.ideal)
	diffs := make([]float64, draws)
	err := resample(ctx, len(people), draws, seed, func(d int, times []uint16) {
		var s sums
		for g, k := range times {
			by := float64(k)
			s.current += by * people[g].current
			s.proposed += by * people[g].proposed
			s.ideal += by * people[g].ideal
		}
		diffs[d] = (s.proposed - s.current) / s.ideal
	})
	if err != nil {
		return out, err
	}
	low, high := interval(diffs)
	out.Low, out.High = round(low), round(high)
	return out, nil
}

// round keeps six decimals: more would be noise in a report.
func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }
