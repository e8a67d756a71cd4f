// Package indextest is the conformance suite of lectern.VectorIndex: what holds
// for one index holds for every other.
package indextest

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
)

// Factory makes an empty index whose dense vectors have these dimensions, and
// cleans up after the test.
type Factory func(t *testing.T, dims map[string]int) lectern.VectorIndex

// Option says how an implementation differs where lectern.VectorIndex lets it.
type Option func(*options)

type options struct {
	tears  bool
	settle func(*testing.T, lectern.VectorIndex)
}

// WritesTear says that a search which runs beside a write may see some of its
// points as they were and some as they will be. Without it, a search must see each
// write whole.
func WritesTear() Option { return func(o *options) { o.tears = true } }

// Settle names a way to make an index put what it has into the form in which it
// keeps it for long, where that happens in its own time: optimised segments,
// graphs. What was written by then must be as easy to replace as before.
func Settle(f func(t *testing.T, x lectern.VectorIndex)) Option {
	return func(o *options) { o.settle = f }
}

// dim is the dimension of content vectors in the suite.
const dim = 16

func dims() map[string]int { return map[string]int{lectern.VectorContent: dim, lectern.VectorCF: 4} }

// Run checks an implementation.
func Run(t *testing.T, factory Factory, change ...Option) {
	o := options{settle: func(*testing.T, lectern.VectorIndex) {}}
	for _, c := range change {
		c(&o)
	}
	cases := map[string]func(*testing.T, lectern.VectorIndex){
		"Empty":              testEmpty,
		"OnePoint":           testOnePoint,
		"OrderAndTies":       testOrderAndTies,
		"MoreThanThereIs":    testMoreThanThereIs,
		"SeveralQueries":     testSeveralQueries,
		"Sparse":             testSparse,
		"UnknownVector":      testUnknownVector,
		"BadQuery":           testBadQuery,
		"Filters":            testFilters,
		"FilterDuplicates":   testFilterDuplicates,
		"Eligibility":        testEligibility,
		"UpsertReplaces":     testUpsertReplaces,
		"UpsertSettled":      func(t *testing.T, x lectern.VectorIndex) { testUpsertSettled(t, x, o.settle) },
		"UpsertTwiceInBatch": testUpsertTwiceInBatch,
		"BadPoint":           testBadPoint,
		"Delete":             testDelete,
		"DeleteAndAddAgain":  testDeleteAndAddAgain,
		"CallerKeepsSlices":  testCallerKeepsSlices,
		"Ids":                testIDs,
		"Cancelled":          testCancelled,
		"Concurrent":         func(t *testing.T, x lectern.VectorIndex) { testConcurrent(t, x, o.tears) },
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) { f(t, factory(t, dims())) })
	}
	t.Run("AgainstBruteForce", func(t *testing.T) { testProperty(t, factory) })
}

// unit returns a unit vector of n dimensions with the given ones set. Their
// number is a power of four, so that every number is a power of two and every
// dot product in the suite is exact whatever the order of its additions.
func unit(n int, at ...int) []float32 {
	v := make([]float32, n)
	for _, i := range at {
		x := float32(1 / math.Sqrt(float64(len(at))))
		if i < 0 {
			i, x = -i, -x
		}
		v[i] = x
	}
	return v
}

// axis is the content vector that points along one dimension.
func axis(i int) []float32 { return unit(dim, i) }

func point(id string, content []float32) lectern.Point {
	p := lectern.Point{ID: id, Payload: lectern.Payload{Status: lectern.StatusOpen}}
	if content != nil {
		p.Dense = map[string][]float32{lectern.VectorContent: content}
	}
	return p
}

func content(v []float32, k int) lectern.VectorQuery {
	return lectern.VectorQuery{Vector: lectern.VectorContent, Dense: v, K: k}
}

func words(k int, pairs ...float32) lectern.VectorQuery {
	s := sparse(pairs...)
	return lectern.VectorQuery{Vector: lectern.VectorLexical, Sparse: &s, K: k}
}

// sparse makes a vector from index, value, index, value and so on.
func sparse(pairs ...float32) lectern.SparseVector {
	var s lectern.SparseVector
	for i := 0; i < len(pairs); i += 2 {
		s.Indices = append(s.Indices, uint32(pairs[i]))
		s.Values = append(s.Values, pairs[i+1])
	}
	return s
}

func mustUpsert(t *testing.T, x lectern.VectorIndex, points ...lectern.Point) {
	t.Helper()
	if err := x.Upsert(t.Context(), points); err != nil {
		t.Fatalf("Upsert: %v", err)
	}
}

func mustDelete(t *testing.T, x lectern.VectorIndex, ids ...string) {
	t.Helper()
	if err := x.Delete(t.Context(), ids); err != nil {
		t.Fatalf("Delete: %v", err)
	}
}

func search(t *testing.T, x lectern.VectorIndex, q lectern.VectorQuery) []lectern.Hit {
	t.Helper()
	lists, err := x.Search(t.Context(), []lectern.VectorQuery{q})
	if err != nil {
		t.Fatalf("Search: %v", err)
	}
	if len(lists) != 1 {
		t.Fatalf("Search returned %d lists for one query", len(lists))
	}
	return lists[0]
}

// found is the ids of a search, separated by spaces.
func found(t *testing.T, x lectern.VectorIndex, q lectern.VectorQuery) string {
	t.Helper()
	var ids []string
	for _, h := range search(t, x, q) {
		ids = append(ids, h.ID)
	}
	return strings.Join(ids, " ")
}

func wantHits(t *testing.T, got, want []lectern.Hit) {
	t.Helper()
	if d := diffHits(got, want); d != "" {
		t.Errorf("hits differ (-want +got):\n%s", d)
	}
}

func diffHits(got, want []lectern.Hit) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(0, 1e-5))
}

func wantStats(t *testing.T, x lectern.VectorIndex, points int, vectors map[string]int) {
	t.Helper()
	s, err := x.Stats(t.Context())
	if err != nil {
		t.Fatalf("Stats: %v", err)
	}
	if s.Points != points {
		t.Errorf("Stats: %d points, want %d", s.Points, points)
	}
	if d := diffCounts(s.Vectors, vectors); d != "" {
		t.Errorf("Stats.Vectors differ (-want +got):\n%s", d)
	}
}

// diffCounts compares counts; a name without vectors may be there or not.
func diffCounts(got, want map[string]int) string {
	nonZero := cmpopts.IgnoreMapEntries(func(_ string, n int) bool { return n == 0 })
	return cmp.Diff(want, got, nonZero, cmpopts.EquateEmpty())
}

func at(day int) *time.Time {
	t := time.Date(2024, 5, day, 12, 0, 0, 0, time.UTC)
	return &t
}

func hours(h float64) *float64 { return &h }

func name(i int) string { return fmt.Sprintf("c%03d", i) }
