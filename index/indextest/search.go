package indextest

import (
	"context"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

func testEmpty(t *testing.T, x lectern.VectorIndex) {
	if got := found(t, x, content(axis(0), 10)); got != "" {
		t.Errorf("dense search found %q", got)
	}
	if got := found(t, x, words(10, 1, 1)); got != "" {
		t.Errorf("sparse search found %q", got)
	}
	lists, err := x.Search(t.Context(), nil)
	if err != nil || len(lists) != 0 {
		t.Errorf("Search without queries = %v, %v", lists, err)
	}
	mustUpsert(t, x)
	mustDelete(t, x)
	mustDelete(t, x, "nobody")
	allowed, err := x.Allowed(t.Context(), lectern.Filter{}, []string{"nobody"})
	if err != nil || !cmp.Equal(allowed, []bool{false}) {
		t.Errorf("Allowed = %v, %v", allowed, err)
	}
	vectors, err := x.Vectors(t.Context(), lectern.VectorContent, []string{"nobody"})
	if err != nil || len(vectors) != 1 || vectors[0] != nil {
		t.Errorf("Vectors = %v, %v", vectors, err)
	}
	wantStats(t, x, 0, nil)
}

func testOnePoint(t *testing.T, x lectern.VectorIndex) {
	p := point("only", axis(3))
	p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: sparse(7, 2)}
	mustUpsert(t, x, p)
	wantHits(t, search(t, x, content(axis(3), 5)), []lectern.Hit{{ID: "only", Score: 1}})
	wantHits(t, search(t, x, content(unit(dim, -3), 5)), []lectern.Hit{{ID: "only", Score: -1}})
	wantHits(t, search(t, x, words(5, 7, 1.5)), []lectern.Hit{{ID: "only", Score: 3}})
	wantStats(t, x, 1, map[string]int{lectern.VectorContent: 1, lectern.VectorLexical: 1})
}

func testOrderAndTies(t *testing.T, x lectern.VectorIndex) {
	mustUpsert(t, x,
		point("d", axis(1)),
		point("b", unit(dim, 0, 1, 2, 3)),
		point("e", axis(0)),
		point("a", unit(dim, 0, 4, 5, 6)),
		point("c", unit(dim, 0, -1, -2, -3)),
		point("f", unit(dim, -0, 7, 8, 9)), // -0 is 0
		point("g", nil),
	)
	// Along dimension 0: e has 1; a, b, c and f have .5; d has 0; g has no vector.
	wantHits(t, search(t, x, content(axis(0), 10)), []lectern.Hit{
		{ID: "e", Score: 1}, {ID: "a", Score: .5}, {ID: "b", Score: .5}, {ID: "c", Score: .5},
		{ID: "f", Score: .5}, {ID: "d", Score: 0},
	})
	// The border of k runs through the ties.
	if got := found(t, x, content(axis(0), 3)); got != "e a b" {
		t.Errorf("three best: %q", got)
	}
}

func testMoreThanThereIs(t *testing.T, x lectern.VectorIndex) {
	mustUpsert(t, x, point("a", axis(0)), point("b", axis(1)))
	if got := found(t, x, content(axis(1), 1000)); got != "b a" {
		t.Errorf("k above n: %q", got)
	}
	if got := found(t, x, content(axis(1), 0)); got != "" {
		t.Errorf("k of 0: %q", got)
	}
}

func testSeveralQueries(t *testing.T, x lectern.VectorIndex) {
	for i := range 8 {
		p := point(name(i), axis(i))
		p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: sparse(float32(i), 1, 100, .5)}
		if i%2 == 0 {
			p.Payload.Level = lectern.LevelBeginner
			p.Dense[lectern.VectorCF] = unit(4, 0, 1, 2, -3)
		}
		mustUpsert(t, x, p)
	}
	beginner := lectern.Filter{Levels: []lectern.Level{lectern.LevelBeginner}}
	q1, q2, q3, q4, q5 := content(axis(3), 2), content(axis(5), 1), words(2, 6, 1, 100, 1), content(axis(3), 2), content(axis(4), 1)
	q3.Filter, q4.Filter, q5.Filter = beginner, beginner, beginner
	q6 := lectern.VectorQuery{Vector: lectern.VectorCF, Dense: unit(4, 0), K: 3}
	lists, err := x.Search(t.Context(), []lectern.VectorQuery{q1, q2, q3, q4, q5, q6})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]lectern.Hit{
		{{ID: "c003", Score: 1}, {ID: "c000", Score: 0}},
		{{ID: "c005", Score: 1}},
		{{ID: "c006", Score: 1.5}, {ID: "c000", Score: .5}},
		{{ID: "c000", Score: 0}, {ID: "c002", Score: 0}},
		{{ID: "c004", Score: 1}},
		{{ID: "c000", Score: .5}, {ID: "c002", Score: .5}, {ID: "c004", Score: .5}},
	}
	if len(lists) != len(want) {
		t.Fatalf("%d lists for %d queries", len(lists), len(want))
	}
	for i := range want {
		wantHits(t, lists[i], want[i])
	}
}

func testSparse(t *testing.T, x lectern.VectorIndex) {
	docs := map[string]lectern.SparseVector{
		"go":     sparse(1, 2, 5, 1),
		"rust":   sparse(2, 2, 5, 1),
		"both":   sparse(1, 1, 2, 1, math.MaxUint32-255, 1), // a float32 holds this index exactly
		"silent": {},
	}
	for id, v := range docs {
		p := point(id, nil)
		p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: v}
		mustUpsert(t, x, p)
	}
	tests := []struct {
		name string
		q    lectern.VectorQuery
		want []lectern.Hit
	}{
		{"one term", words(9, 1, 1), []lectern.Hit{{ID: "go", Score: 2}, {ID: "both", Score: 1}}},
		// go: 1×.5 + 2×1; rust: 1×.5; both: 1×1.
		{"two terms", words(9, 1, 1, 5, .5), []lectern.Hit{{ID: "go", Score: 2.5}, {ID: "both", Score: 1}, {ID: "rust", Score: .5}}},
		{"ties by id", words(9, 5, 1), []lectern.Hit{{ID: "go", Score: 1}, {ID: "rust", Score: 1}}},
		{"highest index", words(9, math.MaxUint32-255, 1), []lectern.Hit{{ID: "both", Score: 1}}},
		{"no shared term", words(9, 3, 1, 4, 1), nil},
		{"no term", words(9), nil},
		{"cut to k", words(1, 2, 1), []lectern.Hit{{ID: "rust", Score: 2}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantHits(t, search(t, x, tt.q), tt.want) })
	}
	wantStats(t, x, 4, map[string]int{lectern.VectorLexical: 3})
}

func testUnknownVector(t *testing.T, x lectern.VectorIndex) {
	mustUpsert(t, x, point("a", axis(0)))
	wantHits(t, search(t, x, lectern.VectorQuery{Vector: "nonsense", Dense: axis(0), K: 5}), nil)
	s := sparse(1, 1)
	wantHits(t, search(t, x, lectern.VectorQuery{Vector: "nonsense", Sparse: &s, K: 5}), nil)
	vectors, err := x.Vectors(t.Context(), "nonsense", []string{"a"})
	if err != nil || len(vectors) != 1 || vectors[0] != nil {
		t.Errorf("Vectors = %v, %v", vectors, err)
	}
}

func testBadQuery(t *testing.T, x lectern.VectorIndex) {
	mustUpsert(t, x, point("a", axis(0)))
	nan, inf := axis(0), axis(0)
	nan[5], inf[5] = float32(math.NaN()), float32(math.Inf(-1))
	both := words(3, 1, 1)
	both.Dense = axis(0)
	tests := map[string]lectern.VectorQuery{
		"neither":         {Vector: lectern.VectorContent, K: 3},
		"both":            both,
		"wrong dimension": content(unit(4, 0), 3),
		"not a number":    content(nan, 3),
		"infinite":        content(inf, 3),
		"sparse infinite": words(3, 1, float32(math.Inf(1))),
		"sparse unsorted": words(3, 2, 1, 1, 1),
		"sparse repeated": words(3, 2, 1, 2, 1),
	}
	for name, q := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := x.Search(t.Context(), []lectern.VectorQuery{content(axis(0), 1), q})
			if code := lectern.ErrorCode(err); code != lectern.CodeInvalid {
				t.Errorf("code %q, want %q (%v)", code, lectern.CodeInvalid, err)
			}
		})
	}
}

func testCancelled(t *testing.T, x lectern.VectorIndex) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Upsert(ctx, []lectern.Point{point("a", axis(0))}); err == nil {
		t.Error("Upsert worked with a cancelled context")
	}
	if _, err := x.Search(ctx, []lectern.VectorQuery{content(axis(0), 1)}); err == nil {
		t.Error("Search worked with a cancelled context")
	}
	wantStats(t, x, 0, nil)
}
