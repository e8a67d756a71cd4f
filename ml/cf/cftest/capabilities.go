package cftest

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/lectern-dev/lectern/ml/cf"
)

// factored asks that dot products of factors order courses nearly as Predict does.
func (s *suite) factored(t *testing.T) {
	d := Tastes(20, 300, true)
	d.Items = append(d.Items, "never taken")
	m := s.fit(t, d).(cf.Factored)
	dim := m.Dim()
	if dim <= 0 {
		t.Fatalf("Dim() = %d", dim)
	}
	for _, i := range []int32{-1, int32(m.Items()), math.MaxInt32, math.MinInt32} {
		if f := m.ItemFactor(i); f != nil {
			t.Errorf("course %d, which there is not, has the factor %v", i, f)
		}
	}
	const k = 6
	overlap, asked := 0, 0
	for _, h := range d.Histories[:40] {
		learner := m.FoldIn(h)
		if len(learner) != dim || !finite(learner) {
			t.Fatalf("FoldIn(%v) = %v, want %d finite numbers", h, learner, dim)
		}
		want := all(m, h)
		got := make([]float32, len(want))
		for i := range got {
			factor := m.ItemFactor(int32(i))
			if factor == nil {
				got[i] = float32(math.Inf(-1))
				continue
			}
			if len(factor) != dim || !finite(factor) {
				t.Fatalf("ItemFactor(%d) = %v, want %d finite numbers", i, factor, dim)
			}
			for c, v := range factor {
				got[i] += v * learner[c]
			}
		}
		near := best(got, h, k)
		for _, i := range best(want, h, k) {
			asked++
			if slices.Contains(near, i) {
				overlap++
			}
		}
	}
	if share := float64(overlap) / float64(asked); share < 0.6 {
		t.Errorf("factors find %.0f %% of the first %d of Predict, want 60 %%", 100*share, k)
	}
	if f := m.FoldIn(nil); f != nil && (len(f) != dim || !finite(f)) {
		t.Errorf("FoldIn of nothing is %v", f)
	}
}

// best returns the k best unseen courses, best first.
func best(scores []float32, h cf.History, k int) []int32 {
	var items []int32
	for i := range scores {
		if !slices.ContainsFunc(h, func(x cf.Interaction) bool { return x.Item == int32(i) }) {
			items = append(items, int32(i))
		}
	}
	slices.SortStableFunc(items, func(a, b int32) int { return cmp.Compare(scores[b], scores[a]) })
	return items[:min(k, len(items))]
}

func sameFactors(t *testing.T, want, got cf.Factored) {
	t.Helper()
	if want.Dim() != got.Dim() {
		t.Fatalf("loaded, factors have %d dimensions, want %d", got.Dim(), want.Dim())
	}
	for i := range int32(want.Items()) {
		if !slices.Equal(want.ItemFactor(i), got.ItemFactor(i)) {
			t.Errorf("loaded, course %d has another factor", i)
		}
	}
	for _, h := range probes() {
		if !slices.Equal(want.FoldIn(h), got.FoldIn(h)) {
			t.Errorf("loaded, FoldIn of %v is another", h)
		}
	}
}

// successor asks that what comes after a course is above what is like it and what
// everybody takes.
func (s *suite) successor(t *testing.T) {
	m := s.fit(t, chains(21, 400)).(cf.Successor)
	next := make([]float32, m.Items())
	for c := range chainCount {
		for i := range next {
			next[i] = float32(math.NaN())
		}
		m.Next(int32(firstPart+c), next)
		if !finite(next) {
			t.Fatalf("Next(%d) is not finite: %v", firstPart+c, next)
		}
		if got := best(next, nil, 1)[0]; got != int32(secondPart+c) {
			t.Errorf("after course %d comes %d first, want %d: %v", firstPart+c, got, secondPart+c, next)
		}
		if next[everyone] >= next[secondPart+c]/2 {
			t.Errorf("after course %d, what all take scores %g, the successor %g", firstPart+c, next[everyone], next[secondPart+c])
		}
	}
	for _, i := range []int32{-1, int32(m.Items()), math.MaxInt32, math.MinInt32} {
		m.Next(i, next)
		if slices.ContainsFunc(next, func(v float32) bool { return v != 0 }) {
			t.Errorf("something follows course %d, which there is not: %v", i, next)
		}
	}
	m = s.fit(t, Tastes(22, 100, false)).(cf.Successor) // no order, no successors
	next = make([]float32, m.Items())
	m.Next(3, next)
	if slices.ContainsFunc(next, func(v float32) bool { return v != 0 }) {
		t.Errorf("without order, course 3 has successors: %v", next)
	}
}

func sameNext(t *testing.T, want, got cf.Successor) {
	t.Helper()
	a, b := make([]float32, want.Items()), make([]float32, got.Items())
	for i := range int32(want.Items()) {
		want.Next(i, a)
		got.Next(i, b)
		if !slices.Equal(a, b) {
			t.Errorf("loaded, other courses follow course %d", i)
		}
	}
}
