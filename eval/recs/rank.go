package recs

import (
	"math"
	"slices"
)

// lister picks the best courses of a case; it keeps its buffers between cases.
type lister struct {
	scores []float32
	skip   []bool // [items], all false between cases
	top    []scored
	bad    int // scores that were no finite number
}

type scored struct {
	item  int32
	score float32
	tie   uint64
}

func newLister(items, k int) *lister {
	return &lister{scores: make([]float32, items), skip: make([]bool, items), top: make([]scored, 0, k+1)}
}

// better orders candidates: by falling score. Equal scores are ordered by chance,
// the same for every model, so that neither the order of the catalogue nor the place
// of the positive among its negatives can help.
func better(a, b scored) bool {
	if a.score != b.score {
		return a.score > b.score
	}
	return a.tie < b.tie
}

// list writes the k best courses of a case into out and returns how many there are.
// predict is the model's.
func (l *lister) list(c *Case, seed uint64, k int, predict func(candidates []int32, into []float32), out []int32) int {
	l.top = l.top[:0]
	if c.Candidates != nil {
		scores := l.scores
		if len(c.Candidates) > len(scores) {
			scores = make([]float32, len(c.Candidates))
		}
		scores = scores[:len(c.Candidates)]
		predict(c.Candidates, scores)
		for i, item := range c.Candidates {
			l.offer(item, scores[i], seed, k)
		}
	} else {
		predict(nil, l.scores)
		for _, item := range c.Exclude {
			l.skip[item] = true
		}
		for item, score := range l.scores {
			if !l.skip[item] {
				l.offer(int32(item), score, seed, k)
			}
		}
		for _, item := range c.Exclude {
			l.skip[item] = false
		}
	}
	for i, s := range l.top {
		out[i] = s.item
	}
	return len(l.top)
}

// offer keeps the k best, in order.
func (l *lister) offer(item int32, score float32, seed uint64, k int) {
	if math.IsNaN(float64(score)) || math.IsInf(float64(score), 0) {
		l.bad++
		score = -math.MaxFloat32
	}
	if n := len(l.top); n == k && score < l.top[n-1].score {
		return
	}
	s := scored{item, score, mix(seed ^ uint64(uint32(item)))}
	if n := len(l.top); n == k && !better(s, l.top[n-1]) {
		return
	}
	at, _ := slices.BinarySearchFunc(l.top, s, func(a, b scored) int {
		if better(a, b) {
			return -1
		}
		return 1
	})
	l.top = slices.Insert(l.top, at, s)
	if len(l.top) > k {
		l.top = l.top[:k]
	}
}

// mix scatters the bits of a number (the finaliser of SplitMix64, Steele et al. 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
