package rerank

import (
	"math"
	"slices"
)

// calibrationSmoothing is the part of the wanted shares that is mixed into those of
// the list, so that an interest with no course yet is far off, not infinitely far.
const calibrationSmoothing = 0.01

// calibrate picks the first places such that the interests have about the shares in
// them that they have in the learner's attention: at every place the course that
// maximises (1 − weight) × score − weight × KL(shares ‖ shares so far) (Steck,
// Calibrated Recommendations, 2018). What serves no interest counts for none. The
// other places keep their order.
func calibrate(in []Scored, candidates []Candidate, shares []float64, weight float64, places int) []Scored {
	if len(shares) < 2 || weight == 0 || places == 0 || len(in) == 0 {
		return in
	}
	queues := make([][]int, len(shares)+1) // places in, by interest, best first; no more than can be taken
	block := make([]int, len(queues)*places)
	for k := range queues {
		queues[k] = block[k*places : k*places : (k+1)*places]
	}
	for i := range in {
		k := candidates[in[i].Index].Interested
		if k < 0 || k > len(shares) {
			k = 0
		}
		if len(queues[k]) < places {
			queues[k] = append(queues[k], i)
		}
	}
	counts := make([]float64, len(shares)+1)
	out := make([]Scored, 0, len(in))
	taken := make([]bool, len(in))
	for n := 1; n <= min(places, len(in)); n++ {
		pick, best := -1, math.Inf(-1)
		for k, queue := range queues {
			if len(queue) == 0 {
				continue
			}
			counts[k]++
			gain := (1-weight)*in[queue[0]].Score - weight*divergence(shares, counts[1:], n)
			counts[k]--
			if gain > best || gain == best && queue[0] < queues[pick][0] {
				pick, best = k, gain
			}
		}
		i := queues[pick][0]
		queues[pick] = queues[pick][1:]
		counts[pick]++
		taken[i] = true
		out = append(out, in[i])
	}
	for i := range in {
		if !taken[i] {
			out = append(out, in[i])
		}
	}
	return out
}

// divergence is the Kullback–Leibler divergence of the shares that counts are of n
// from the wanted ones.
func divergence(wanted, counts []float64, n int) float64 {
	sum := 0.0
	for k, p := range wanted {
		if p > 0 {
			q := (1-calibrationSmoothing)*counts[k]/float64(n) + calibrationSmoothing*p
			sum += p * math.Log(p/q)
		}
	}
	return sum
}

// dismissedLast splits off the courses that are nearer to what the learner turned
// down than to anything they like, at a cosine of from or more. Interests that were
// stated are part of what they like. Both keep their order.
func dismissedLast(in []Scored, candidates []Candidate, from float64) (kept, last []Scored) {
	dismissed := func(s Scored) bool {
		c := &candidates[s.Index]
		return c.Away.Known && c.Away.Value >= from && c.Away.Value > c.Similarity.Value
	}
	first := slices.IndexFunc(in, dismissed)
	if first < 0 {
		return in, nil
	}
	kept = append(make([]Scored, 0, len(in)), in[:first]...)
	for _, s := range in[first:] {
		if dismissed(s) {
			last = append(last, s)
			continue
		}
		kept = append(kept, s)
	}
	return kept, last
}
