package rerank_test

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// wishes are requests of learners who want different things.
func wishes() []rerank.Request {
	var out []rerank.Request
	for _, s := range lectern.Surfaces() {
		for _, p := range lectern.Preferences() {
			for _, lean := range []lectern.Leaning{lectern.LeanLess, lectern.LeanMore} {
				req := fullRequest()
				req.Surface, req.Depth = s, 10
				req.Preferences = map[lectern.Preference]lectern.Leaning{p: lean}
				out = append(out, req)
			}
		}
	}
	return out
}

// TestOneRerankerForAll: lists made at the same time are those made one by one, though
// weights are compiled and memory is shared between them.
func TestOneRerankerForAll(t *testing.T) {
	in, requests := everySignal(60), wishes()
	alone, shared := linear(t, nil), linear(t, nil)
	want := make([]rerank.Ranked, len(requests))
	for i, req := range requests {
		want[i] = alone.Rerank(req, in)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for i, req := range requests {
				if diff := cmp.Diff(want[i], shared.Rerank(req, in)); diff != "" {
					t.Errorf("%s %v (-alone +together):\n%s", req.Surface, req.Preferences, diff)
					return
				}
			}
		})
	}
	wait.Wait()
}

// TestNothingPerCandidate: scoring twice as many candidates into a list of the same
// length allocates as often, and preferences that were seen before cost nothing.
func TestNothingPerCandidate(t *testing.T) {
	if raced {
		t.Skip("the race detector lets pools forget")
	}
	l := linear(t, func(c *rerank.Config) { c.Reasons.Max = 0 })
	req := wishes()[0]
	plain := req
	plain.Preferences = nil
	small, large := everySignal(200), everySignal(400)
	allocs := func(req rerank.Request, in []rerank.Candidate) float64 {
		return testing.AllocsPerRun(50, func() { l.Rerank(req, in) })
	}
	allocs(req, large) // makes what is kept
	few, many, without := allocs(req, small), allocs(req, large), allocs(plain, large)
	// A collection of garbage in between may empty the pools once or twice.
	if many > few+2 || many > without+2 || many > 20 {
		t.Errorf("%v allocations for 200 candidates, %v for 400, %v without preferences", few, many, without)
	}
}

// TestSharedTermsStay: what one list returns is not what another changes.
func TestSharedTermsStay(t *testing.T) {
	l := linear(t, nil)
	in := everySignal(30)
	req := wishes()[0]
	before := l.Rerank(req, in)
	terms := slices.Clone(before.Terms)
	values := make([][]float64, len(before.Items))
	for i, s := range before.Items {
		values[i] = slices.Clone(s.Values)
	}
	for _, other := range wishes() {
		l.Rerank(other, in)
	}
	if !slices.Equal(terms, before.Terms) {
		t.Error("the terms of a list changed")
	}
	for i, s := range before.Items {
		if !slices.Equal(values[i], s.Values) {
			t.Errorf("the values of %s changed", in[s.Index].Course.ID)
		}
	}
	_ = append(before.Terms, lectern.TermWeight{Name: "mine"})
	if again := l.Rerank(req, in).Terms; !slices.Equal(terms, again) {
		t.Error("what is appended to a list's terms reaches the next")
	}
	if !maps.Equal(weightsOf(l, req), weightsOf(l, req)) {
		t.Error("the weights of one request differ")
	}
}
