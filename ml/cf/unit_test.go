package cf

import (
	"math"
	"testing"

	"github.com/viterin/vek/vek32"
	"pgregory.net/rapid"
)

// factorTable is a Factored of given factors.
type factorTable struct {
	Model
	items [][]float32
	dim   int
}

func (t factorTable) Items() int                      { return len(t.items) }
func (t factorTable) Dim() int                        { return t.dim }
func (t factorTable) ItemFactor(item int32) []float32 { return t.items[item] }
func (t factorTable) FoldIn(History) []float32        { return nil }

func TestUnitVectorsKeepTheOrderOfDotProducts(t *testing.T) {
	number := rapid.Float32Range(-100, 100)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		table := factorTable{dim: n}
		for range rapid.IntRange(2, 20).Draw(t, "items") {
			table.items = append(table.items, rapid.SliceOfN(number, n, n).Draw(t, "item"))
		}
		query := rapid.SliceOfN(number, n, n).Draw(t, "query")
		dim := n + rapid.IntRange(1, 4).Draw(t, "more")
		unit, err := UnitItems(table, dim)
		q := UnitQuery(query, dim)
		if err != nil || q == nil {
			t.Skip("all is zero")
		}
		var longest float64
		for _, v := range table.items {
			longest = max(longest, length(v))
		}
		for _, v := range append([][]float32{q}, unit(0), unit(int32(len(table.items)-1))) {
			if len(v) != dim || math.Abs(float64(vek32.Norm(v))-1) > 1e-5 {
				t.Fatalf("%v is not %d numbers of unit length", v, dim)
			}
		}
		for i, v := range table.items {
			want := float64(vek32.Dot(query, v)) / longest / length(query)
			if got := float64(vek32.Dot(q, unit(int32(i)))); math.Abs(got-want) > 1e-5 {
				t.Fatalf("item %d: cosine %g, want %g", i, got, want)
			}
		}
	})
}

func TestUnitItemsSayWhatDoesNotFit(t *testing.T) {
	table := factorTable{dim: 2, items: [][]float32{{3, 4}, nil}}
	if _, err := UnitItems(table, 2); err == nil {
		t.Error("two numbers and one more were put into two")
	}
	if _, err := UnitItems(factorTable{dim: 2, items: [][]float32{{0, 0}, nil}}, 3); err == nil {
		t.Error("factors of length 0 were scaled")
	}
	unit, err := UnitItems(table, 4)
	if err != nil {
		t.Fatal(err)
	}
	if unit(1) != nil {
		t.Error("an unknown item has a vector")
	}
	for _, q := range [][]float32{nil, {0, 0}, {1, 2, 3, 4}} {
		if UnitQuery(q, 4) != nil {
			t.Errorf("%v became a query", q)
		}
	}
}
