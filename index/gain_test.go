package index

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

func gainPoint(i int, words bool) lectern.Point {
	p := lectern.Point{
		ID:      fmt.Sprintf("c%03d", i),
		Payload: lectern.Payload{Status: lectern.StatusOpen, Provider: fmt.Sprint(i % 3)},
		Dense:   map[string][]float32{lectern.VectorContent: {float32(i), 1, 0, 0}},
	}
	if words {
		p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: {
			Indices: []uint32{uint32(i % 5), 7, uint32(10 + i)}, Values: []float32{1, float32(1+i) / 8, 2},
		}}
	}
	return p
}

func TestWordsAreAddedToTheRow(t *testing.T) {
	x := New(Options{})
	var bare, full []lectern.Point
	for i := range 200 {
		bare, full = append(bare, gainPoint(i, false)), append(full, gainPoint(i, true))
	}
	for _, batch := range [][]lectern.Point{bare, full[:120], full[100:]} {
		if err := x.Upsert(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if x.view.n != 200 {
		t.Errorf("%d rows for 200 points", x.view.n)
	}
	same, err := x.Same(t.Context(), full)
	if err != nil {
		t.Fatal(err)
	}
	for i, ok := range same {
		if !ok {
			t.Fatalf("point %d is not as it was written", i)
		}
	}
}

// TestTwoPassesEqualOne writes points without words first and with them later,
// in any order and with other writes between, and compares with an index that
// got the outcome in one go.
func TestTwoPassesEqualOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := New(Options{CompactShare: .3, CompactMin: rapid.SampledFrom([]int{2, 1000}).Draw(rt, "compact")})
		last := map[int]*lectern.Point{}
		for range rapid.IntRange(1, 12).Draw(rt, "batches") {
			var batch []lectern.Point
			words := rapid.Bool().Draw(rt, "words")
			for _, i := range rapid.SliceOfN(rapid.IntRange(0, 30), 0, 20).Draw(rt, "points") {
				p := gainPoint(i, words)
				batch, last[i] = append(batch, p), &p
			}
			if err := x.Upsert(t.Context(), batch); err != nil {
				rt.Fatal(err)
			}
			gone := rapid.SliceOfN(rapid.IntRange(0, 30), 0, 2).Draw(rt, "gone")
			for _, i := range gone {
				delete(last, i)
				if err := x.Delete(t.Context(), []string{gainPoint(i, false).ID}); err != nil {
					rt.Fatal(err)
				}
			}
		}
		y := New(Options{})
		for i := range 31 {
			if p := last[i]; p != nil {
				if err := y.Upsert(t.Context(), []lectern.Point{*p}); err != nil {
					rt.Fatal(err)
				}
			}
		}
		var answers [2][][]lectern.Hit
		var stats [2]lectern.IndexStats
		for n, index := range []*Index{x, y} {
			var err error
			answers[n], err = index.Search(t.Context(), []lectern.VectorQuery{
				{Vector: lectern.VectorLexical, Sparse: &lectern.SparseVector{Indices: []uint32{1, 7, 14}, Values: []float32{1, 1, 1}}, K: 50},
				{Vector: lectern.VectorContent, Dense: []float32{1, 1, 0, 0}, K: 50},
			})
			if err != nil {
				rt.Fatal(err)
			}
			if stats[n], err = index.Stats(t.Context()); err != nil {
				rt.Fatal(err)
			}
		}
		if diff := cmp.Diff(answers[1], answers[0], cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("hits (-one pass +two):\n%s", diff)
		}
		if diff := cmp.Diff(stats[1], stats[0], cmpopts.IgnoreFields(lectern.IndexStats{}, "Bytes")); diff != "" {
			rt.Fatalf("stats (-one pass +two):\n%s", diff)
		}
	})
}
