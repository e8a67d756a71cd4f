package index

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// randomUnit returns a unit vector drawn evenly from the sphere.
func randomUnit(r *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	scale(v, dotPlain(v, v))
	return v
}

func randomPoint(r *rand.Rand, i, dim int) lectern.Point {
	hours := float64(r.IntN(100))
	return lectern.Point{
		ID:    fmt.Sprintf("course-%06d", i),
		Dense: map[string][]float32{lectern.VectorContent: randomUnit(r, dim)},
		Payload: lectern.Payload{
			Status:     lectern.StatusOpen,
			Level:      lectern.Levels()[r.IntN(4)],
			Hours:      &hours,
			Languages:  []string{"en"},
			Categories: []string{fmt.Sprint("ten ", r.IntN(10)), fmt.Sprint("hundred ", r.IntN(100))},
			Provider:   fmt.Sprint("provider ", r.IntN(2000)),
		},
	}
}

// TestSeveralWorkers checks that the cut of a scan does not show.
func TestSeveralWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	one, many := New(Options{Workers: 1}), New(Options{Workers: 7})
	var points []lectern.Point
	for i := range 9000 {
		p := randomPoint(r, i, 256)
		if i%3 == 0 && i > 0 { // ties across the cuts
			p.Dense[lectern.VectorContent] = points[0].Dense[lectern.VectorContent]
		}
		points = append(points, p)
	}
	for batch := range slices.Chunk(points, 1000) {
		for _, x := range []*Index{one, many} {
			if err := x.Upsert(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
		}
	}
	var queries []lectern.VectorQuery
	for i := range 8 {
		q := lectern.VectorQuery{Vector: lectern.VectorContent, Dense: randomUnit(r, 256), K: 100 * (i + 1)}
		if i%2 == 0 {
			q.Dense = points[0].Dense[lectern.VectorContent]
		}
		if i > 4 {
			q.Filter.Categories = []string{"ten 3"}
		}
		queries = append(queries, q)
	}
	want, err := one.Search(t.Context(), queries)
	if err != nil {
		t.Fatal(err)
	}
	got, err := many.Search(t.Context(), queries)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("seven workers differ from one (-one +seven):\n%s", d)
	}
}

// TestChunks checks vectors on both sides of a chunk's border, with rows that
// have none in between, through replacement and compaction.
func TestChunks(t *testing.T) {
	x := New(Options{CompactMin: 500, CompactShare: .2})
	r := rand.New(rand.NewPCG(3, 4))
	want := map[string][]float32{}
	for round := range 3 {
		for i := round * 2000; i < 9000; i++ {
			p := randomPoint(r, i, 8)
			if i%5 == 0 {
				p.Dense = nil
			}
			want[p.ID] = p.Dense[lectern.VectorContent]
			if err := x.Upsert(t.Context(), []lectern.Point{p}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if v := x.current(); v.n-v.alive > v.n/4 {
		t.Errorf("%d of %d rows are dead after compaction", v.n-v.alive, v.n)
	}
	for id, vec := range want {
		got, err := x.Vectors(t.Context(), lectern.VectorContent, []string{id})
		if err != nil || !slices.Equal(got[0], vec) {
			t.Fatalf("%s: %v, %v, want %v", id, got, err, vec)
		}
	}
}

// TestUnchanged checks that writing the same again costs no row, and that Same
// tells every kind of difference.
func TestUnchanged(t *testing.T) {
	x := New(Options{})
	r := rand.New(rand.NewPCG(5, 6))
	p := randomPoint(r, 1, 8)
	p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: {Indices: []uint32{1, 9}, Values: []float32{1, 2}}}
	for range 3 {
		if err := x.Upsert(t.Context(), []lectern.Point{p}); err != nil {
			t.Fatal(err)
		}
	}
	if n := x.current().n; n != 1 {
		t.Errorf("%d rows after three equal writes", n)
	}
	other := func(change func(*lectern.Point)) lectern.Point {
		q := randomPoint(rand.New(rand.NewPCG(5, 6)), 1, 8)
		q.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: {Indices: []uint32{1, 9}, Values: []float32{1, 2}}}
		change(&q)
		return q
	}
	forms := map[string]lectern.Point{
		"dense":     other(func(p *lectern.Point) { p.Dense[lectern.VectorContent][3] += .1 }),
		"no dense":  other(func(p *lectern.Point) { p.Dense = nil }),
		"new dense": other(func(p *lectern.Point) { p.Dense[lectern.VectorCF] = []float32{1} }),
		"words":     other(func(p *lectern.Point) { p.Sparse[lectern.VectorLexical].Values[1] = 3 }),
		"no words":  other(func(p *lectern.Point) { p.Sparse = nil }),
		"hours":     other(func(p *lectern.Point) { p.Payload.Hours = nil }),
		"category":  other(func(p *lectern.Point) { p.Payload.Categories[0] = "x" }),
		"region":    other(func(p *lectern.Point) { p.Payload.Regions = []string{"de"} }),
		"status":    other(func(p *lectern.Point) { p.Payload.Status = lectern.StatusUnlisted }),
		"id":        other(func(p *lectern.Point) { p.ID = "nobody" }),
	}
	for name, q := range forms {
		same, err := x.Same(t.Context(), []lectern.Point{q, other(func(*lectern.Point) {})})
		if err != nil || !cmp.Equal(same, []bool{false, true}) {
			t.Errorf("%s: Same = %v, %v", name, same, err)
		}
	}
	ids, err := x.IDs(t.Context())
	if err != nil || !cmp.Equal(ids, []string{p.ID}) {
		t.Errorf("IDs = %v, %v", ids, err)
	}
}

// cancelsLater is a context that is cancelled at its nth look.
type cancelsLater struct {
	context.Context
	looks int
}

func (c *cancelsLater) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

func TestScanStopsWhenCancelled(t *testing.T) {
	x := New(Options{Workers: 1})
	r := rand.New(rand.NewPCG(7, 8))
	for i := range 10_000 {
		if err := x.Upsert(t.Context(), []lectern.Point{{
			ID: fmt.Sprint(i), Dense: map[string][]float32{lectern.VectorContent: randomUnit(r, 4)},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	ctx := &cancelsLater{Context: t.Context(), looks: 2}
	_, err := x.Search(ctx, []lectern.VectorQuery{{Vector: lectern.VectorContent, Dense: randomUnit(r, 4), K: 3}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Search = %v, want a cancellation", err)
	}
}
