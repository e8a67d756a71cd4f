package qdrant

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "github.com/qdrant/go-client/qdrant"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

func TestPointID(t *testing.T) {
	// uuid5(uuid5(NAMESPACE_URL, "https://github.com/lectern-dev/lectern"), "course-1"),
	// computed elsewhere: ids must never change.
	if got, want := PointID("course-1"), "811e438c-94a9-5b78-98e2-999d8f9ef4f0"; got != want {
		t.Errorf("PointID = %s, want %s", got, want)
	}
}

func TestBatches(t *testing.T) {
	points := make([]lectern.Point, 10)
	for i := range points {
		points[i] = lectern.Point{ID: fmt.Sprint(i), Dense: map[string][]float32{"content": make([]float32, 100*(i+1))}}
	}
	lengths := func(most, bytes int) []int {
		var out []int
		for _, b := range batches(points, most, bytes) {
			out = append(out, len(b))
		}
		return out
	}
	for _, tt := range []struct {
		name        string
		most, bytes int
		want        []int
	}{
		{"all in one", 10, 1 << 20, []int{10}},
		{"by number", 4, 1 << 20, []int{4, 4, 2}},
		// 409+400i bytes each: 809+1209+1609 = 3627, 2009+2409 = 4418, 2809, 3209, …
		{"by bytes", 10, 4500, []int{3, 2, 1, 1, 1, 1, 1}},
		{"each too large", 10, 1, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
	} {
		if d := cmp.Diff(tt.want, lengths(tt.most, tt.bytes)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
	if got := batches(nil, 4, 100); got != nil {
		t.Errorf("batches of nothing: %v", got)
	}
}

// TestSameIDs writes at random and compares point by point.
func TestSameIDs(t *testing.T) {
	x := newFake(t)
	number := rapid.Float32Range(-1, 1)
	rapid.Check(t, func(rt *rapid.T) {
		p := lectern.Point{
			ID:     rapid.StringMatching(`[a-zé ]{1,12}`).Draw(rt, "id"),
			Dense:  map[string][]float32{lectern.VectorContent: rapid.SliceOfN(number, smallDim, smallDim).Draw(rt, "content")},
			Sparse: map[string]lectern.SparseVector{lectern.VectorLexical: {Indices: []uint32{3, 900, math.MaxUint32}, Values: rapid.SliceOfN(number, 3, 3).Draw(rt, "lexical")}},
		}
		p.Payload.Categories = rapid.SliceOf(rapid.StringMatching(`[A-Z ]{0,4}`)).Draw(rt, "categories")
		p.Payload.Hours = pointer(rapid.Float64Range(0, 1e6).Draw(rt, "hours"))
		upsert(t, x.index, p)
		hours, words, more := p, p, p
		hours.Payload.Hours = pointer(*p.Payload.Hours + 1)
		words.Sparse = nil
		more.Payload.Level = lectern.LevelMixed
		dense := p
		dense.Dense = map[string][]float32{lectern.VectorContent: slices.Clone(p.Dense[lectern.VectorContent])}
		dense.Dense[lectern.VectorContent][2] = math.Nextafter32(dense.Dense[lectern.VectorContent][2], 2)
		other := p
		other.ID += "x"
		got, err := x.index.Same(t.Context(), []lectern.Point{p, hours, words, more, dense, other, p})
		if err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff([]bool{true, false, false, false, false, false, true}, got); d != "" {
			rt.Fatalf("Same (-want +got):\n%s", d)
		}
		if err := x.index.Delete(t.Context(), []string{p.ID}); err != nil {
			rt.Fatal(err)
		}
	})
}

func TestIDs(t *testing.T) {
	x := newFake(t)
	var points []lectern.Point
	var want []string
	for i := range idsAtATime + 10 {
		want = append(want, fmt.Sprintf("c%05d", i))
		points = append(points, lectern.Point{ID: want[i]})
	}
	upsert(t, x.index, points...)
	got, err := x.index.IDs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("%d ids, want %d", len(got), len(want))
	}
	if calls := x.Calls("Scroll"); calls != 2 {
		t.Errorf("%d pages, want 2", calls)
	}
	allowed, err := x.index.Allowed(t.Context(), lectern.Filter{}, append(want, "nobody"))
	if err != nil || slices.Contains(allowed[:len(want)], false) || allowed[len(want)] {
		t.Errorf("Allowed is wrong (%v)", err)
	}
}

// TestTies writes more points of one score than are asked for.
func TestTies(t *testing.T) {
	x := newFake(t)
	var points []lectern.Point
	for i := range 200 {
		points = append(points, lectern.Point{ID: fmt.Sprintf("c%03d", i), Dense: along(0)})
	}
	upsert(t, x.index, points...)
	for _, tt := range []struct{ k, calls int }{{3, 2}, {150, 2}, {195, 1}, {500, 1}} {
		before := x.Calls("QueryBatch")
		got := find(t, x.index, lectern.Filter{}, tt.k)
		if want := min(tt.k, 200); len(got) != want || got[0] != "c000" || got[want-1] != fmt.Sprintf("c%03d", want-1) {
			t.Errorf("k=%d: %d hits from %s to %s", tt.k, len(got), got[0], got[len(got)-1])
		}
		if calls := x.Calls("QueryBatch") - before; calls != tt.calls {
			t.Errorf("k=%d: %d calls, want %d", tt.k, calls, tt.calls)
		}
	}
}

// TestOneCall checks that many queries travel together, and that those which can
// have no hits do not travel at all.
func TestOneCall(t *testing.T) {
	x := newFake(t)
	upsert(t, x.index, lectern.Point{ID: "a", Dense: along(0)})
	q := query(lectern.Filter{}, 5)[0]
	impossible, none := q, q
	impossible.Filter = lectern.Filter{Providers: []string{" "}}
	none.K = 0
	sent := 0
	x.Hook(func(_ string, request any) error {
		if batch, ok := request.(*pb.QueryBatchPoints); ok {
			sent = len(batch.GetQueryPoints())
		}
		return nil
	})
	lists, err := x.index.Search(t.Context(), []lectern.VectorQuery{q, impossible, q, none, q})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 0, 1, 0, 1} {
		if len(lists[i]) != want {
			t.Errorf("list %d has %d hits, want %d", i, len(lists[i]), want)
		}
	}
	if calls := x.Calls("QueryBatch"); calls != 1 || sent != 3 {
		t.Errorf("%d calls, %d queries in the last; want 1 and 3", calls, sent)
	}
	if _, err := x.index.Search(t.Context(), []lectern.VectorQuery{impossible, none}); err != nil || x.Calls("QueryBatch") != 1 {
		t.Errorf("asked for nothing (%v)", err)
	}
}

// TestUnknownName checks that a vector for which there is no room is refused
// before anything is written.
func TestUnknownName(t *testing.T) {
	x := newFake(t)
	good := lectern.Point{ID: "a", Dense: along(0)}
	for name, bad := range map[string]lectern.Point{
		"dense":  {ID: "b", Dense: map[string][]float32{lectern.VectorReviews: {1}}},
		"sparse": {ID: "b", Sparse: map[string]lectern.SparseVector{"other": {Indices: []uint32{1}, Values: []float32{1}}}},
		"id":     {ID: "b\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			wantCode(t, x.index.Upsert(t.Context(), []lectern.Point{good, bad}), lectern.CodeInvalid)
		})
	}
	if got := x.Calls("UpdateBatch"); got != 0 {
		t.Errorf("%d writes", got)
	}
}

// TestRoomForFactors checks that collaborative vectors may come after the index
// was made.
func TestRoomForFactors(t *testing.T) {
	x := newFake(t, func(c *Config) { c.CFDimensions = 3 })
	p := lectern.Point{ID: "a", Dense: along(0)}
	p.Dense[lectern.VectorCF] = []float32{0, 1, 0}
	upsert(t, x.index, p)
	people, err := x.all.Learners(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	upsert(t, people, lectern.Point{ID: "somebody", Dense: p.Dense})
	if got := find(t, people, lectern.Filter{}, 5); !slices.Equal(got, []string{"somebody"}) {
		t.Errorf("learners: %v", got)
	}
	if got := find(t, x.index, lectern.Filter{}, 5); !slices.Equal(got, []string{"a"}) {
		t.Errorf("courses: %v", got)
	}
}
