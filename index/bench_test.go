package index

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

func scale(v []float32, square float32) {
	f := float32(1 / math.Sqrt(float64(square)))
	for i := range v {
		v[i] *= f
	}
}

// filled returns an index of n random points. Vectors are cut from one random
// stream, which is much faster to make than drawing each and no easier to scan.
func filled(b *testing.B, n, dim int) *Index {
	b.Helper()
	x := New(Options{})
	for batch := range slices.Chunk(benchPoints(n, dim), 1000) {
		if err := x.Upsert(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	return x
}

func benchPoints(n, dim int) []lectern.Point {
	r := rand.New(rand.NewPCG(uint64(n), uint64(dim)))
	stream := make([]float32, 1<<20)
	for i := range stream {
		stream[i] = float32(r.NormFloat64())
	}
	points := make([]lectern.Point, n)
	for i := range points {
		p := randomPoint(r, i, 1)
		at := r.IntN(len(stream) - dim)
		v := slices.Clone(stream[at : at+dim])
		scale(v, dotPlain(v, v))
		p.Dense[lectern.VectorContent] = v
		points[i] = p
	}
	return points
}

// percentiles runs f b.N times and reports its median and 99th percentile.
func percentiles(b *testing.B, f func()) {
	b.Helper()
	b.ReportAllocs()
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		start := time.Now()
		f()
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

func BenchmarkScan(b *testing.B) {
	const dim = 256
	at := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	filters := []struct {
		name string
		f    lectern.Filter
	}{
		{"all", lectern.Filter{}},
		{"eligible", lectern.Filter{Eligible: &lectern.Eligibility{At: at}}},
		{"tenth", lectern.Filter{Categories: []string{"ten 3"}}},
		{"hundredth", lectern.Filter{Categories: []string{"hundred 42"}}},
		{"four filters", lectern.Filter{Categories: []string{"ten 3"}, Levels: []lectern.Level{lectern.LevelBeginner},
			MaxHours: new(50.0), Eligible: &lectern.Eligibility{At: at}}},
	}
	for _, n := range []int{10_000, 100_000} {
		x := filled(b, n, dim)
		q := randomUnit(rand.New(rand.NewPCG(9, 9)), dim)
		for _, k := range []int{10, 200} {
			for _, f := range filters {
				b.Run(fmt.Sprintf("n=%d/k=%d/%s", n, k, f.name), func(b *testing.B) {
					queries := []lectern.VectorQuery{{Vector: lectern.VectorContent, Dense: q, Filter: f.f, K: k}}
					percentiles(b, func() {
						if _, err := x.Search(b.Context(), queries); err != nil {
							b.Fatal(err)
						}
					})
				})
			}
		}
		b.Run(fmt.Sprintf("n=%d/k=10/four queries", n), func(b *testing.B) {
			var queries []lectern.VectorQuery
			r := rand.New(rand.NewPCG(8, 8))
			for range 4 {
				queries = append(queries, lectern.VectorQuery{Vector: lectern.VectorContent, Dense: randomUnit(r, dim), K: 10})
			}
			percentiles(b, func() {
				if _, err := x.Search(b.Context(), queries); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkBuild fills an index from memory.
func BenchmarkBuild(b *testing.B) {
	points := benchPoints(100_000, 256)
	for b.Loop() {
		x := New(Options{})
		for batch := range slices.Chunk(points, 1000) {
			if err := x.Upsert(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// zipfWords draws the terms of a course from a long-tailed vocabulary of 50,000,
// about 90 different ones each.
func zipfWords(z *rand.Zipf) lectern.SparseVector {
	terms := map[uint32]float32{}
	for range 150 {
		terms[uint32(z.Uint64()+20)]++
	}
	var s lectern.SparseVector
	for t := range terms {
		s.Indices = append(s.Indices, t)
	}
	slices.Sort(s.Indices)
	for _, t := range s.Indices {
		s.Values = append(s.Values, terms[t])
	}
	return s
}

// BenchmarkSparse asks for one frequent, one middling and three rare terms at
// 100,000 courses.
func BenchmarkSparse(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	z := rand.NewZipf(r, 1.1, 20, 50_000)
	points := make([]lectern.Point, 100_000)
	for i := range points {
		points[i] = lectern.Point{ID: fmt.Sprint(i), Sparse: map[string]lectern.SparseVector{lectern.VectorLexical: zipfWords(z)}}
	}
	start := time.Now()
	x := New(Options{})
	for batch := range slices.Chunk(points, 1000) {
		if err := x.Upsert(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("100,000 courses inverted in %v", time.Since(start).Round(time.Millisecond))
	q := lectern.SparseVector{Indices: []uint32{30, 300, 5000, 15_000, 40_000}, Values: []float32{1, 2, 4, 5, 6}}
	queries := []lectern.VectorQuery{{Vector: lectern.VectorLexical, Sparse: &q, K: 200}}
	b.Run("five terms", func(b *testing.B) {
		percentiles(b, func() {
			if _, err := x.Search(b.Context(), queries); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// BenchmarkUpsert replaces points of 100,000, compactions included.
func BenchmarkUpsert(b *testing.B) {
	x := filled(b, 100_000, 256)
	fresh := benchPoints(4000, 256)
	r := rand.New(rand.NewPCG(2, 3))
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			batch := make([]lectern.Point, size)
			for b.Loop() {
				for i := range batch {
					batch[i] = fresh[r.IntN(len(fresh))]
					batch[i].ID = fmt.Sprintf("course-%06d", r.IntN(100_000))
				}
				if err := x.Upsert(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "points/s")
		})
	}
}
