package indextest

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

func testUpsertReplaces(t *testing.T, x lectern.VectorIndex) {
	p := point("a", axis(0))
	p.Dense[lectern.VectorCF] = unit(4, 1)
	p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: sparse(1, 1)}
	p.Payload.Categories = []string{"arts"}
	mustUpsert(t, x, p, point("b", axis(1)))
	wantStats(t, x, 2, map[string]int{lectern.VectorContent: 2, lectern.VectorCF: 1, lectern.VectorLexical: 1})

	// The new form has another content vector, another payload and nothing else.
	p = point("a", axis(2))
	p.Payload.Categories = []string{"law"}
	mustUpsert(t, x, p)
	wantStats(t, x, 2, map[string]int{lectern.VectorContent: 2})
	wantHits(t, search(t, x, content(axis(2), 9)), []lectern.Hit{{ID: "a", Score: 1}, {ID: "b", Score: 0}})
	wantHits(t, search(t, x, lectern.VectorQuery{Vector: lectern.VectorCF, Dense: unit(4, 1), K: 9}), nil)
	wantHits(t, search(t, x, words(9, 1, 1)), nil)
	for category, want := range map[string]bool{"arts": false, "law": true} {
		got, err := x.Allowed(t.Context(), lectern.Filter{Categories: []string{category}}, []string{"a"})
		if err != nil || !cmp.Equal(got, []bool{want}) {
			t.Errorf("Allowed in %s = %v, %v", category, got, err)
		}
	}
	vectors, err := x.Vectors(t.Context(), lectern.VectorContent, []string{"b", "nobody", "a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]float32{axis(1), nil, axis(2), axis(1)}, vectors); d != "" {
		t.Errorf("Vectors differ (-want +got):\n%s", d)
	}
}

func testUpsertTwiceInBatch(t *testing.T, x lectern.VectorIndex) {
	mustUpsert(t, x, point("a", axis(0)), point("b", axis(5)), point("a", axis(1)))
	wantHits(t, search(t, x, content(axis(1), 9)), []lectern.Hit{{ID: "a", Score: 1}, {ID: "b", Score: 0}})
	wantStats(t, x, 2, map[string]int{lectern.VectorContent: 2})
}

func testBadPoint(t *testing.T, x lectern.VectorIndex) {
	mustUpsert(t, x, point("a", axis(0)))
	with := func(i int, v float64) []float32 {
		out := axis(1)
		out[i] = float32(v)
		return out
	}
	lexical := func(v lectern.SparseVector) lectern.Point {
		p := point("bad", nil)
		p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: v}
		return p
	}
	tests := map[string]lectern.Point{
		"too short":         point("bad", unit(4, 0)),
		"too long":          point("bad", unit(64, 0)),
		"not a number":      point("bad", with(dim-1, math.NaN())),
		"infinite":          point("bad", with(0, math.Inf(1))),
		"minus infinite":    point("bad", with(7, math.Inf(-1))),
		"sparse infinite":   lexical(sparse(1, float32(math.Inf(1)))),
		"sparse NaN":        lexical(sparse(1, 1, 2, float32(math.NaN()))),
		"sparse unsorted":   lexical(sparse(2, 1, 1, 1)),
		"sparse repeated":   lexical(sparse(2, 1, 2, 1)),
		"sparse unbalanced": lexical(lectern.SparseVector{Indices: []uint32{1, 2}, Values: []float32{1}}),
		"no id":             point("", axis(0)),
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			err := x.Upsert(t.Context(), []lectern.Point{point("a", axis(9)), point("new", axis(1)), bad})
			if code := lectern.ErrorCode(err); code != lectern.CodeInvalid {
				t.Errorf("code %q, want %q (%v)", code, lectern.CodeInvalid, err)
			}
			wantStats(t, x, 1, map[string]int{lectern.VectorContent: 1})
			wantHits(t, search(t, x, content(axis(0), 9)), []lectern.Hit{{ID: "a", Score: 1}})
		})
	}
}

func testDelete(t *testing.T, x lectern.VectorIndex) {
	p := point("b", axis(1))
	p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: sparse(1, 1)}
	mustUpsert(t, x, point("a", axis(0)), p, point("c", axis(2)))
	mustDelete(t, x, "b", "nobody", "b")
	wantStats(t, x, 2, map[string]int{lectern.VectorContent: 2})
	if got := found(t, x, content(axis(1), 9)); got != "a c" {
		t.Errorf("after the delete: %q", got)
	}
	wantHits(t, search(t, x, words(9, 1, 1)), nil)
	only := content(axis(1), 9)
	only.Filter.OnlyIDs = []string{"b"}
	wantHits(t, search(t, x, only), nil)
	got, err := x.Allowed(t.Context(), lectern.Filter{}, []string{"a", "b"})
	if err != nil || !cmp.Equal(got, []bool{true, false}) {
		t.Errorf("Allowed = %v, %v", got, err)
	}
	vectors, err := x.Vectors(t.Context(), lectern.VectorContent, []string{"b"})
	if err != nil || len(vectors) != 1 || vectors[0] != nil {
		t.Errorf("Vectors = %v, %v", vectors, err)
	}
}

func testDeleteAndAddAgain(t *testing.T, x lectern.VectorIndex) {
	for i := range 5 {
		p := point("a", axis(i))
		p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: sparse(float32(i), 1)}
		mustUpsert(t, x, p, point("b", axis(15)))
		wantHits(t, search(t, x, content(axis(i), 9)), []lectern.Hit{{ID: "a", Score: 1}, {ID: "b", Score: 0}})
		wantHits(t, search(t, x, words(9, float32(i), 1)), []lectern.Hit{{ID: "a", Score: 1}})
		mustDelete(t, x, "a")
		if got := found(t, x, content(axis(i), 9)); got != "b" {
			t.Errorf("round %d: %q", i, got)
		}
	}
	wantStats(t, x, 1, map[string]int{lectern.VectorContent: 1})
}

// testCallerKeepsSlices checks that neither side's later changes reach the other.
func testCallerKeepsSlices(t *testing.T, x lectern.VectorIndex) {
	p := point("a", axis(0))
	p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: sparse(1, 1)}
	mustUpsert(t, x, p)
	p.Dense[lectern.VectorContent][0] = 9
	p.Sparse[lectern.VectorLexical].Values[0] = 9
	vectors, err := x.Vectors(t.Context(), lectern.VectorContent, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	vectors[0][0] = 7
	wantHits(t, search(t, x, content(axis(0), 1)), []lectern.Hit{{ID: "a", Score: 1}})
	wantHits(t, search(t, x, words(1, 1, 1)), []lectern.Hit{{ID: "a", Score: 1}})
}

// testIDs checks that ids are opaque.
func testIDs(t *testing.T, x lectern.VectorIndex) {
	ids := []string{" ", "!", "A", "a", strings.Repeat("x", lectern.MaxIDBytes), "é", "курс/1?x=y", "课程", "🎓"}
	for _, id := range ids {
		mustUpsert(t, x, point(id, axis(0)))
	}
	var want []lectern.Hit // rising byte by byte, as the list above is
	for _, id := range ids {
		want = append(want, lectern.Hit{ID: id, Score: 1})
	}
	wantHits(t, search(t, x, content(axis(0), 99)), want)
	mustDelete(t, x, "a", "🎓")
	wantStats(t, x, len(ids)-2, map[string]int{lectern.VectorContent: len(ids) - 2})
}

// testConcurrent checks that a search sees every write whole: the writer turns
// all points of a batch at once, so a reader finds them all along one axis. Where
// writes tear it finds them all, and each in its place.
func testConcurrent(t *testing.T, x lectern.VectorIndex, tears bool) {
	const points, rounds, readers = 40, 60, 4
	write := func(round int) error {
		batch := make([]lectern.Point, points)
		for i := range batch {
			batch[i] = point(name(i), axis(round%2))
			batch[i].Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: sparse(float32(round%2), 1)}
			batch[i].Payload.Provider = fmt.Sprint("round ", round%2)
		}
		return x.Upsert(t.Context(), batch)
	}
	if err := write(0); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for !stop.Load() {
				if msg := readOnce(t, x, points, tears); msg != "" {
					t.Error(msg)
					return
				}
			}
		})
	}
	for round := range rounds {
		if err := write(round); err != nil {
			t.Errorf("Upsert: %v", err)
		}
		if err := x.Upsert(t.Context(), []lectern.Point{point("other", unit(dim, -0, -1, 2, 3))}); err != nil {
			t.Errorf("Upsert: %v", err)
		}
		if err := x.Delete(t.Context(), []string{"other"}); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	stop.Store(true)
	wg.Wait()
	wantStats(t, x, points, map[string]int{lectern.VectorContent: points, lectern.VectorLexical: points})
}

// readOnce searches while others write, and says what is wrong with the answer.
func readOnce(t *testing.T, x lectern.VectorIndex, points int, tears bool) string {
	q := content(axis(0), 2*points)
	q.Filter.ExcludeIDs = []string{name(0), "other"}
	lists, err := x.Search(t.Context(), []lectern.VectorQuery{q})
	if err != nil {
		return fmt.Sprintf("Search: %v", err)
	}
	hits := lists[0]
	if len(hits) != points-1 {
		return fmt.Sprintf("%d hits, want %d", len(hits), points-1)
	}
	for i, h := range hits {
		if tears {
			if i > 0 && (h.Score > hits[i-1].Score || (h.Score == hits[i-1].Score && h.ID <= hits[i-1].ID)) {
				return fmt.Sprintf("hit %d is %v after %v", i, h, hits[i-1])
			}
		} else if h.Score != hits[0].Score || h.ID != name(i+1) {
			return fmt.Sprintf("hit %d is %v among %v", i, h, hits[0])
		}
	}
	if _, err := x.Allowed(t.Context(), q.Filter, []string{name(1)}); err != nil {
		return fmt.Sprintf("Allowed: %v", err)
	}
	if _, err := x.Vectors(t.Context(), lectern.VectorContent, []string{name(1)}); err != nil {
		return fmt.Sprintf("Vectors: %v", err)
	}
	return ""
}
