package suggest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/viterin/vek/vek32"
)

// What is near is found by sketches too, and has its own cosine.
func TestSketches(t *testing.T) {
	const dim, n, near = 1536, 400, 40
	r := rand.New(rand.NewPCG(1, 2))
	unit := func(v []float32) []float32 {
		norm := float32(math.Sqrt(float64(vek32.Dot(v, v))))
		for i := range v {
			v[i] /= norm
		}
		return v
	}
	draw := func() []float32 {
		v := make([]float32, dim)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return unit(v)
	}
	q := draw()
	m := &meanings{dim: dim, similarity: 0.5}
	for i := range n {
		v := draw()
		if i < near { // a cosine of .55 to .95
			cos := 0.55 + 0.4*float64(i)/near
			side := math.Sqrt(1 - cos*cos)
			for j := range v {
				v[j] = float32(cos)*q[j] + float32(side)*v[j]
			}
			unit(v)
		}
		m.matrix, m.rows = append(m.matrix, v...), append(m.rows, int32(i))
	}
	m.makeSketches()
	if len(m.sketches) != n*sketchDim {
		t.Fatalf("%d numbers of sketches", len(m.sketches))
	}
	compare, found, asked := m.comparer(q, m.similarity), 0, 0
	for i := range n {
		exact, got := vek32.Dot(q, m.row(i)), compare(i)
		if got != 0 {
			asked++
			if got != exact {
				t.Errorf("row %d: %v, want %v", i, got, exact)
			}
			if exact >= 0.5 {
				found++
			}
		}
	}
	if found < near-1 || asked > near+n/20 {
		t.Errorf("found %d of %d, compared %d of %d in full", found, near, asked, n)
	}
	if best := m.nearest(q); len(best) != maxNear || best[0].topic != near-1 {
		t.Errorf("nearest: %v", best)
	}
	if small := (&meanings{dim: 256, rows: make([]int32, 1), matrix: make([]float32, 256)}); func() bool { small.makeSketches(); return small.sketches != nil }() {
		t.Error("short vectors have sketches")
	}
}
