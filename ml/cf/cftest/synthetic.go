package cftest

import (
	"math/rand/v2"

	"github.com/lectern-dev/lectern/ml/cf"
)

// block is the number of courses of each taste.
const block = 12

// Tastes makes a snapshot of learners with one of two tastes. Courses 0 to 11 are
// of the one, 12 to 23 of the other; each learner takes six of their own taste in
// any order and, one in five, one of the other.
func Tastes(seed uint64, learners int, ordered bool) *cf.Data {
	r := rand.New(rand.NewPCG(seed, 7))
	d := &cf.Data{Items: names(2 * block), Ordered: ordered}
	for u := range learners {
		taste := u % 2
		var items []int
		for _, i := range r.Perm(block)[:6] {
			items = append(items, taste*block+i)
		}
		if r.IntN(5) == 0 {
			items = append(items, (1-taste)*block+r.IntN(block))
			last := len(items) - 1
			at := r.IntN(len(items))
			items[at], items[last] = items[last], items[at]
		}
		h := history(items...)
		if ordered {
			for k := range h {
				h[k].At = int64(1_600_000_000 + u*1000 + k)
			}
		}
		d.Histories = append(d.Histories, h)
	}
	return d
}

// wide makes a snapshot that takes a while to fit.
func wide(items, learners, each int) *cf.Data {
	r := rand.New(rand.NewPCG(11, 12))
	d := &cf.Data{Items: names(items), Ordered: true}
	for range learners {
		seen := map[int]bool{}
		var h cf.History
		for len(h) < each {
			i := int(float64(items) * r.Float64() * r.Float64())
			if !seen[i] {
				seen[i] = true
				h = append(h, cf.Interaction{Item: int32(i), Weight: 1})
			}
		}
		d.Histories = append(d.Histories, h)
	}
	return d
}

// The roles of courses in what chains makes.
const (
	chainCount = 6
	firstPart  = 0              // + c
	secondPart = chainCount     // + c: comes after the first part
	twinPart   = 2 * chainCount // + c: taken along with the first part, before or after
	everyone   = 3 * chainCount // taken by all, at any time
)

// chains makes a snapshot in which some courses follow on others, some are their
// twins and one is taken by all.
func chains(seed uint64, learners int) *cf.Data {
	r := rand.New(rand.NewPCG(seed, 13))
	d := &cf.Data{Items: names(3*chainCount + 1), Ordered: true}
	for range learners {
		var items []int
		for _, c := range r.Perm(chainCount)[:2] {
			pair := []int{firstPart + c, twinPart + c}
			r.Shuffle(2, func(i, j int) { pair[i], pair[j] = pair[j], pair[i] })
			items = append(append(items, pair...), secondPart+c)
		}
		at := r.IntN(len(items) + 1)
		items = append(items[:at], append([]int{everyone}, items[at:]...)...)
		d.Histories = append(d.Histories, history(items...))
	}
	return d
}
