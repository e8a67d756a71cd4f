package qdrant

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
)

// benchIndex is on the server that LECTERN_TEST_QDRANT names, else on the one in
// this process, which tells what the adapter and the wire cost.
func benchIndex(b *testing.B) *Index {
	address := os.Getenv("LECTERN_TEST_QDRANT")
	if address == "" {
		address = qdranttest.Start(b).Addr()
	}
	x, err := Connect(b.Context(), Options{Config: testConfig(address), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = x.Close() })
	spec := lectern.IndexSpec{
		Version: 1, Dense: map[string]int{lectern.VectorContent: 64, lectern.VectorReviews: 32}, Sparse: []string{lectern.VectorLexical},
	}
	if _, err := x.Create(b.Context(), spec); err != nil {
		b.Fatal(err)
	}
	sweep(b, x)
	index, _, err := x.open(b.Context(), courses, 1)
	if err != nil {
		b.Fatal(err)
	}
	return index
}

func randomPoints(n int) []lectern.Point {
	r := rand.New(rand.NewPCG(3, 4))
	out := make([]lectern.Point, n)
	for i := range out {
		out[i] = randomPoint(r, i)
	}
	return out
}

// BenchmarkUpsert writes 2,000 points at a time.
func BenchmarkUpsert(b *testing.B) {
	index, points := benchIndex(b), randomPoints(2000)
	b.ReportAllocs()
	for b.Loop() {
		if err := index.Upsert(b.Context(), points); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(points))/b.Elapsed().Seconds(), "points/s")
}

// BenchmarkSearch asks six queries in one call over 2,000 points.
func BenchmarkSearch(b *testing.B) {
	index, points := benchIndex(b), randomPoints(2000)
	if err := index.Upsert(b.Context(), points); err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	var queries []lectern.VectorQuery
	for range 6 {
		queries = append(queries, randomQuery(r, len(points)))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := index.Search(b.Context(), queries); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkConditions translates a filter with many ids, the dearest part.
func BenchmarkConditions(b *testing.B) {
	f := lectern.Filter{Levels: []lectern.Level{lectern.LevelBeginner}, Eligible: &lectern.Eligibility{Region: "de"}}
	for i := range 500 {
		f.ExcludeIDs = append(f.ExcludeIDs, fmt.Sprintf("course-%d", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := conditions(f); !ok {
			b.Fatal("nothing can pass")
		}
	}
}
