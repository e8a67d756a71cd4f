package selection

import (
	"fmt"
	"math"

	"github.com/lectern-dev/lectern/ml/cf"
)

const (
	tailLearners = 500  // with four courses or more: with fewer, nothing is said of the ends
	tailDistance = 0.5  // between what is last and what is next to last, total variation
	tailFollows  = 0.25 // of how well what is next to last follows on what is before it
)

// Tail says how the last course of histories compares with the one before it.
type Tail struct {
	Learners int // with four courses or more
	// Distance is the total variation between the courses that are last and those that
	// are next to last, in [0, 1].
	Distance float64
	// Last and Before are how likely the last course, and the one before it, was to
	// follow on the one before them, by what follows it elsewhere. In [0, 1].
	Last, Before float64
}

// CheckTail compares the ends of histories with what is before them.
//
// Exports and logs that were cut off, converted or joined badly go wrong at the end
// of a learner's row first, and the end is what a cut tests on and what session
// models listen to most: one wrong column there makes every model look like chance
// and chooses among them by luck.
func CheckTail(d *cf.Data) Tail {
	var t Tail
	if !d.Ordered {
		return t
	}
	type pair struct{ from, to int32 }
	follow, from := make(map[pair]float64), make(map[int32]float64)
	last, before := make(map[int32]float64), make(map[int32]float64)
	for _, h := range d.Histories {
		for p := 1; p < len(h)-1; p++ { // never to the last
			follow[pair{h[p-1].Item, h[p].Item}]++
			from[h[p-1].Item]++
		}
	}
	for _, h := range d.Histories {
		n := len(h)
		if n < 4 {
			continue
		}
		t.Learners++
		last[h[n-1].Item]++
		before[h[n-2].Item]++
		if a := h[n-2].Item; from[a] > 0 {
			t.Last += follow[pair{a, h[n-1].Item}] / from[a]
		}
		if a := h[n-3].Item; from[a] > 1 { // but for this learner's own
			t.Before += (follow[pair{a, h[n-2].Item}] - 1) / (from[a] - 1)
		}
	}
	if t.Learners == 0 {
		return t
	}
	n := float64(t.Learners)
	t.Last /= n
	t.Before /= n
	for i, v := range last {
		t.Distance += math.Abs(v-before[i]) / n / 2
	}
	for i, v := range before {
		if last[i] == 0 {
			t.Distance += v / n / 2
		}
	}
	return t
}

// Broken reports that the last courses have nothing to do with what is before them:
// they are others, and they do not follow on it.
func (t Tail) Broken() bool {
	return t.Learners >= tailLearners && t.Distance > tailDistance && t.Last < tailFollows*t.Before
}

// String says it to people.
func (t Tail) String() string {
	return fmt.Sprintf("the last course of a history is unlike the one before it (distance %.2f of 1) and follows on it %.1f times as rarely as that on the one before, over %d learners",
		t.Distance, t.Before/max(t.Last, 1e-9), t.Learners)
}

// DropTail returns the snapshot without the last course of every history. Learners
// with one course are left with none.
func DropTail(d *cf.Data) *cf.Data {
	out := *d
	out.Histories = make([]cf.History, len(d.Histories))
	for u, h := range d.Histories {
		out.Histories[u] = h[:max(0, len(h)-1)]
	}
	return &out
}
