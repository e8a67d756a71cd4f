package qdranttest_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/testing/protocmp"
)

// hit is a found point in the tests' tables.
type hit struct {
	ID    uint64
	Score float64
}

func hitsOf(points []*qdrant.ScoredPoint) []hit {
	var out []hit
	for _, p := range points {
		out = append(out, hit{p.Id.GetNum(), float64(p.Score)})
	}
	return out
}

var nearly = cmpopts.EquateApprox(0, 1e-5)

// seedQueries makes four points. Point 4 has no dense vector, point 3 no sparse.
func seedQueries(t testing.TB, client *qdrant.Client, name string) {
	t.Helper()
	create(t, client, name, map[string]*qdrant.VectorParams{
		"dot":    {Size: 2, Distance: qdrant.Distance_Dot},
		"cosine": {Size: 2, Distance: qdrant.Distance_Cosine},
		"euclid": {Size: 2, Distance: qdrant.Distance_Euclid},
	}, map[string]*qdrant.SparseVectorParams{
		"words": {},
		"rare":  {Modifier: qdrant.PtrOf(qdrant.Modifier_Idf)},
	})
	point := func(id uint64, x, y float32, indices []uint32, values []float32) *qdrant.PointStruct {
		vectors := map[string]*qdrant.Vector{}
		if x != 0 || y != 0 {
			for _, dense := range []string{"dot", "cosine", "euclid"} {
				vectors[dense] = qdrant.NewVector(x, y)
			}
		}
		if indices != nil {
			vectors["words"] = qdrant.NewVectorSparse(indices, values)
			vectors["rare"] = qdrant.NewVectorSparse(indices, values)
		}
		p := withVectors(id, vectors)
		p.Payload = qdrant.NewValueMap(map[string]any{"n": int64(id), "odd": id%2 == 1})
		return p
	}
	upsert(t, client, name,
		point(1, 3, 4, []uint32{10, 20}, []float32{1, 2}),
		point(2, 0, 2, []uint32{20, 30}, []float32{3, 0.5}),
		point(3, -1, 0, nil, nil),
		point(4, 0, 0, []uint32{40}, []float32{5}),
	)
}

func TestQuery(t *testing.T) {
	// ln(1 + (n - df + 0.5) / (df + 0.5)) over the n = 3 points with the vector.
	idf := func(df float64) float64 { return math.Log(1 + (3-df+0.5)/(df+0.5)) }
	cases := []struct {
		name  string
		query *qdrant.QueryPoints
		want  []hit
	}{
		// 2·3 + 1·4 = 10; 2·0 + 1·2 = 2; 2·(-1) = -2.
		{"dot", &qdrant.QueryPoints{Query: qdrant.NewQuery(2, 1), Using: qdrant.PtrOf("dot")},
			[]hit{{1, 10}, {2, 2}, {3, -2}}},
		// (1, 0) with (0.6, 0.8), (0, 1) and (-1, 0); the query's length counts for nothing.
		{"cosine", &qdrant.QueryPoints{Query: qdrant.NewQuery(7, 0), Using: qdrant.PtrOf("cosine")},
			[]hit{{1, 0.6}, {2, 0}, {3, -1}}},
		// From (0, 0): 5, 2 and 1. The nearest comes first.
		{"euclid", &qdrant.QueryPoints{Query: qdrant.NewQuery(0, 0), Using: qdrant.PtrOf("euclid")},
			[]hit{{3, 1}, {2, 2}, {1, 5}}},
		{"limit", &qdrant.QueryPoints{Query: qdrant.NewQuery(2, 1), Using: qdrant.PtrOf("dot"), Limit: qdrant.PtrOf(uint64(1))},
			[]hit{{1, 10}}},
		{"offset", &qdrant.QueryPoints{Query: qdrant.NewQuery(2, 1), Using: qdrant.PtrOf("dot"), Limit: qdrant.PtrOf(uint64(1)), Offset: qdrant.PtrOf(uint64(1))},
			[]hit{{2, 2}}},
		{"offset past the end", &qdrant.QueryPoints{Query: qdrant.NewQuery(2, 1), Using: qdrant.PtrOf("dot"), Offset: qdrant.PtrOf(uint64(9))}, nil},
		{"threshold", &qdrant.QueryPoints{Query: qdrant.NewQuery(2, 1), Using: qdrant.PtrOf("dot"), ScoreThreshold: qdrant.PtrOf(float32(1))},
			[]hit{{1, 10}, {2, 2}}},
		{"threshold of a distance", &qdrant.QueryPoints{Query: qdrant.NewQuery(0, 0), Using: qdrant.PtrOf("euclid"), ScoreThreshold: qdrant.PtrOf(float32(3))},
			[]hit{{3, 1}, {2, 2}}},
		{"filter", &qdrant.QueryPoints{Query: qdrant.NewQuery(2, 1), Using: qdrant.PtrOf("dot"), Filter: must(qdrant.NewMatchBool("odd", true))},
			[]hit{{1, 10}, {3, -2}}},
		{"exact and hnsw_ef", &qdrant.QueryPoints{Query: qdrant.NewQuery(2, 1), Using: qdrant.PtrOf("dot"),
			Params: &qdrant.SearchParams{Exact: qdrant.PtrOf(true), HnswEf: qdrant.PtrOf(uint64(64))}},
			[]hit{{1, 10}, {2, 2}, {3, -2}}},
		// By the vector of point 2, (0, 2): 8 for point 1, 0 for point 3, itself left out.
		{"by a point", &qdrant.QueryPoints{Query: qdrant.NewQueryID(qdrant.NewIDNum(2)), Using: qdrant.PtrOf("dot")},
			[]hit{{1, 8}, {3, 0}}},

		// 1: 1·0.5 + 2·2 = 4.5; 2: 3·2 = 6; 4 shares nothing.
		{"sparse", &qdrant.QueryPoints{Query: qdrant.NewQuerySparse([]uint32{10, 20}, []float32{0.5, 2}), Using: qdrant.PtrOf("words")},
			[]hit{{2, 6}, {1, 4.5}}},
		{"sparse out of order", &qdrant.QueryPoints{Query: qdrant.NewQuerySparse([]uint32{20, 10}, []float32{2, 0.5}), Using: qdrant.PtrOf("words")},
			[]hit{{2, 6}, {1, 4.5}}},
		{"sparse with a filter", &qdrant.QueryPoints{Query: qdrant.NewQuerySparse([]uint32{10, 20}, []float32{0.5, 2}), Using: qdrant.PtrOf("words"),
			Filter: must(qdrant.NewMatchBool("odd", true))}, []hit{{1, 4.5}}},
		{"sparse below zero", &qdrant.QueryPoints{Query: qdrant.NewQuerySparse([]uint32{40}, []float32{-1}), Using: qdrant.PtrOf("words")},
			[]hit{{4, -5}}},
		{"sparse without a shared index", &qdrant.QueryPoints{Query: qdrant.NewQuerySparse([]uint32{11}, []float32{1}), Using: qdrant.PtrOf("words")}, nil},
		{"sparse of nothing", &qdrant.QueryPoints{Query: qdrant.NewQuerySparse([]uint32{}, []float32{}), Using: qdrant.PtrOf("words")}, nil},
		// Index 10 is in one vector, 20 in two.
		{"sparse with idf", &qdrant.QueryPoints{Query: qdrant.NewQuerySparse([]uint32{10, 20}, []float32{1, 1}), Using: qdrant.PtrOf("rare")},
			[]hit{{1, idf(1) + 2*idf(2)}, {2, 3 * idf(2)}}},
	}
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		seedQueries(t, client, name)
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				c.query.CollectionName = name
				got, err := client.Query(t.Context(), c.query)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, hitsOf(got), nearly); diff != "" {
					t.Errorf("hits (-want +got):\n%s", diff)
				}
			})
		}
		t.Run("batch", func(t *testing.T) {
			batch := &qdrant.QueryBatchPoints{CollectionName: name}
			for _, c := range cases {
				batch.QueryPoints = append(batch.QueryPoints, c.query)
			}
			got, err := client.QueryBatch(t.Context(), batch)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range cases {
				if diff := cmp.Diff(c.want, hitsOf(got[i].Result), nearly); diff != "" {
					t.Errorf("%s (-want +got):\n%s", c.name, diff)
				}
			}
		})
	})
}

// TestQueryDefaultLimit finds ten of twelve unasked.
func TestQueryDefaultLimit(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		create(t, client, name, map[string]*qdrant.VectorParams{"v": {Size: 1, Distance: qdrant.Distance_Dot}}, nil)
		for id := range uint64(12) {
			upsert(t, client, name, withVectors(id, map[string]*qdrant.Vector{"v": qdrant.NewVector(float32(id))}))
		}
		got, err := client.Query(t.Context(), &qdrant.QueryPoints{CollectionName: name, Query: qdrant.NewQuery(1), Using: qdrant.PtrOf("v")})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]uint64{11, 10, 9, 8, 7, 6, 5, 4, 3, 2}, numbers(got)); diff != "" {
			t.Errorf("hits (-want +got):\n%s", diff)
		}
	})
}

// TestSelectors asks for parts of point 1, whose cosine vector (3, 4) is kept as
// (0.6, 0.8) and whose dot vector is kept as it came.
func TestSelectors(t *testing.T) {
	dot := &qdrant.VectorOutput{Vector: &qdrant.VectorOutput_Dense{Dense: &qdrant.DenseVector{Data: []float32{3, 4}}}}
	cosine := &qdrant.VectorOutput{Vector: &qdrant.VectorOutput_Dense{Dense: &qdrant.DenseVector{Data: []float32{0.6, 0.8}}}}
	words := &qdrant.VectorOutput{Vector: &qdrant.VectorOutput_Sparse{Sparse: &qdrant.SparseVector{Indices: []uint32{10, 20}, Values: []float32{1, 2}}}}
	named := func(v map[string]*qdrant.VectorOutput) *qdrant.VectorsOutput {
		return &qdrant.VectorsOutput{VectorsOptions: &qdrant.VectorsOutput_Vectors{Vectors: &qdrant.NamedVectorsOutput{Vectors: v}}}
	}
	n, odd := map[string]any{"n": 1}, map[string]any{"odd": true}
	both := map[string]any{"n": 1, "odd": true}
	cases := []struct {
		name        string
		payload     *qdrant.WithPayloadSelector
		vectors     *qdrant.WithVectorsSelector
		wantPayload map[string]any
		wantVectors *qdrant.VectorsOutput
	}{
		{"neither", qdrant.NewWithPayload(false), qdrant.NewWithVectors(false), nil, nil},
		{"payload", qdrant.NewWithPayload(true), nil, both, nil},
		{"a field", qdrant.NewWithPayloadInclude("n", "other"), nil, n, nil},
		{"but a field", qdrant.NewWithPayloadExclude("n"), nil, odd, nil},
		{"a vector", qdrant.NewWithPayload(false), qdrant.NewWithVectorsInclude("dot"), nil, named(map[string]*qdrant.VectorOutput{"dot": dot})},
		{"vectors", qdrant.NewWithPayload(true), qdrant.NewWithVectors(true), both,
			named(map[string]*qdrant.VectorOutput{"dot": dot, "cosine": cosine, "euclid": dot, "words": words, "rare": words})},
	}
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		seedQueries(t, client, name)
		check := func(t *testing.T, wantPayload map[string]any, wantVectors *qdrant.VectorsOutput, payload map[string]*qdrant.Value, vectors *qdrant.VectorsOutput) {
			t.Helper()
			if diff := cmp.Diff(qdrant.NewValueMap(wantPayload), payload, protocmp.Transform(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("payload (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantVectors, vectors, protocmp.Transform(), nearly); diff != "" {
				t.Errorf("vectors (-want +got):\n%s", diff)
			}
		}
		t.Run("unasked", func(t *testing.T) {
			got, err := client.Get(t.Context(), &qdrant.GetPoints{CollectionName: name, Ids: []*qdrant.PointId{qdrant.NewIDNum(1)}})
			if err != nil {
				t.Fatal(err)
			}
			check(t, nil, nil, got[0].Payload, got[0].Vectors)
			got, err = client.Scroll(t.Context(), &qdrant.ScrollPoints{CollectionName: name, Limit: qdrant.PtrOf(uint32(1))})
			if err != nil {
				t.Fatal(err)
			}
			check(t, both, nil, got[0].Payload, got[0].Vectors)
			hits, err := client.Query(t.Context(), &qdrant.QueryPoints{CollectionName: name, Query: qdrant.NewQuery(1, 1), Using: qdrant.PtrOf("dot"), Limit: qdrant.PtrOf(uint64(1))})
			if err != nil {
				t.Fatal(err)
			}
			check(t, nil, nil, hits[0].Payload, hits[0].Vectors)
		})
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				ctx := t.Context()
				got, err := client.Get(ctx, &qdrant.GetPoints{CollectionName: name, Ids: []*qdrant.PointId{qdrant.NewIDNum(1)}, WithPayload: c.payload, WithVectors: c.vectors})
				if err != nil || len(got) != 1 {
					t.Fatalf("get: %v, %v", got, err)
				}
				check(t, c.wantPayload, c.wantVectors, got[0].Payload, got[0].Vectors)
				got, err = client.Scroll(ctx, &qdrant.ScrollPoints{CollectionName: name, Limit: qdrant.PtrOf(uint32(1)), WithPayload: c.payload, WithVectors: c.vectors})
				if err != nil || len(got) != 1 {
					t.Fatalf("scroll: %v, %v", got, err)
				}
				check(t, c.wantPayload, c.wantVectors, got[0].Payload, got[0].Vectors)
				hits, err := client.Query(ctx, &qdrant.QueryPoints{CollectionName: name, Query: qdrant.NewQuery(1, 1), Using: qdrant.PtrOf("dot"),
					Limit: qdrant.PtrOf(uint64(1)), WithPayload: c.payload, WithVectors: c.vectors})
				if err != nil || len(hits) != 1 {
					t.Fatalf("query: %v, %v", hits, err)
				}
				check(t, c.wantPayload, c.wantVectors, hits[0].Payload, hits[0].Vectors)
			})
		}
	})
}
