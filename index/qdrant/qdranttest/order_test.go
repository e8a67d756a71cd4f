package qdranttest_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/qdrant/go-client/qdrant"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
)

// TestTies orders equal scores by neither id nor time, yet the same each time,
// and pages through them without a gap.
func TestTies(t *testing.T) {
	client := dial(t, qdranttest.Start(t).Addr())
	one(t, client, "c")
	var ids []*qdrant.PointId
	for id := range uint64(30) {
		upsert(t, client, "c", withVectors(id, map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1)}))
		ids = append(ids, qdrant.NewIDNum(id))
	}
	query := func(offset, limit uint64) []uint64 {
		t.Helper()
		hits, err := client.Query(t.Context(), &qdrant.QueryPoints{CollectionName: "c", Query: qdrant.NewQuery(1, 1), Using: qdrant.PtrOf("v"), Limit: &limit, Offset: &offset})
		if err != nil {
			t.Fatal(err)
		}
		return numbers(hits)
	}
	whole := query(0, 30)
	if slices.IsSorted(whole) {
		t.Errorf("ties in order of id: %v", whole)
	}
	if paged := slices.Concat(query(0, 7), query(7, 7), query(14, 100)); !cmp.Equal(whole, paged) {
		t.Errorf("pages %v, at once %v", paged, whole)
	}
	var got []uint64
	for _, p := range get(t, client, "c", ids...) {
		got = append(got, p.Id.GetNum())
	}
	if len(got) != 30 || slices.IsSorted(got) {
		t.Errorf("get gave %v", got)
	}
}

// TestLength sums over lengths around a multiple of eight: 1 + 2 + … + n.
func TestLength(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		params, vectors := map[string]*qdrant.VectorParams{}, map[string]*qdrant.Vector{}
		want := map[string]float64{"v1": 1, "v7": 28, "v8": 36, "v9": 45, "v16": 136, "v19": 190}
		sizes := map[string]int{"v1": 1, "v7": 7, "v8": 8, "v9": 9, "v16": 16, "v19": 19}
		for vector, size := range sizes {
			params[vector] = &qdrant.VectorParams{Size: uint64(size), Distance: qdrant.Distance_Dot}
			data := make([]float32, size)
			for i := range data {
				data[i] = float32(i + 1)
			}
			vectors[vector] = qdrant.NewVectorDense(data)
		}
		create(t, client, name, params, nil)
		upsert(t, client, name, withVectors(1, vectors))
		for vector, size := range sizes {
			hits, err := client.Query(t.Context(), &qdrant.QueryPoints{CollectionName: name, Using: &vector,
				Query: qdrant.NewQueryDense(slices.Repeat([]float32{1}, size))})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]hit{{1, want[vector]}}, hitsOf(hits), nearly); diff != "" {
				t.Errorf("%s (-want +got):\n%s", vector, diff)
			}
		}
	})
}

// TestFilterLaws: what passes a filter does not pass its negation, and a filter
// of filters is their union or intersection.
func TestFilterLaws(t *testing.T) {
	client := dial(t, qdranttest.Start(t).Addr())
	seedFilters(t, client, "c")
	var filters []*qdrant.Filter
	for _, c := range filterCases() {
		if c.filter != nil {
			filters = append(filters, c.filter)
		}
	}
	passing := func(rt *rapid.T, f *qdrant.Filter) map[uint64]bool {
		page, err := client.Scroll(t.Context(), &qdrant.ScrollPoints{CollectionName: "c", Filter: f, Limit: qdrant.PtrOf(uint32(100))})
		if err != nil {
			rt.Fatal(err)
		}
		set := map[uint64]bool{}
		for _, p := range page {
			set[p.Id.GetNum()] = true
		}
		return set
	}
	rapid.Check(t, func(rt *rapid.T) {
		a, b := rapid.SampledFrom(filters).Draw(rt, "a"), rapid.SampledFrom(filters).Draw(rt, "b")
		ca, cb := qdrant.NewFilterAsCondition(a), qdrant.NewFilterAsCondition(b)
		inA, inB := passing(rt, a), passing(rt, b)
		and, or, neither := passing(rt, must(ca, cb)), passing(rt, should(ca, cb)), passing(rt, mustNot(ca, cb))
		for id := range filterPayloads {
			if and[id] != (inA[id] && inB[id]) || or[id] != (inA[id] || inB[id]) || neither[id] == or[id] {
				rt.Errorf("point %d: a %v, b %v, and %v, or %v, neither %v", id, inA[id], inB[id], and[id], or[id], neither[id])
			}
		}
	})
}
