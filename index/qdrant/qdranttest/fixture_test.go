package qdranttest_test

import (
	"testing"

	"github.com/qdrant/go-client/qdrant"
)

func create(t testing.TB, client *qdrant.Client, name string, dense map[string]*qdrant.VectorParams, sparse map[string]*qdrant.SparseVectorParams) {
	t.Helper()
	r := &qdrant.CreateCollection{CollectionName: name, VectorsConfig: qdrant.NewVectorsConfigMap(dense)}
	if sparse != nil {
		r.SparseVectorsConfig = qdrant.NewSparseVectorsConfig(sparse)
	}
	if err := client.CreateCollection(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func upsert(t testing.TB, client *qdrant.Client, name string, points ...*qdrant.PointStruct) {
	t.Helper()
	_, err := client.Upsert(t.Context(), &qdrant.UpsertPoints{CollectionName: name, Wait: qdrant.PtrOf(true), Points: points})
	if err != nil {
		t.Fatal(err)
	}
}

func index(t testing.TB, client *qdrant.Client, name, key string, kind qdrant.FieldType) {
	t.Helper()
	_, err := client.CreateFieldIndex(t.Context(), &qdrant.CreateFieldIndexCollection{
		CollectionName: name, FieldName: key, FieldType: &kind, Wait: qdrant.PtrOf(true),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// withVectors makes a point with named vectors.
func withVectors(id uint64, vectors map[string]*qdrant.Vector) *qdrant.PointStruct {
	return &qdrant.PointStruct{Id: qdrant.NewIDNum(id), Vectors: qdrant.NewVectorsMap(vectors)}
}

// numbers are the ids of hits, in order.
func numbers(hits []*qdrant.ScoredPoint) []uint64 {
	var out []uint64
	for _, h := range hits {
		out = append(out, h.Id.GetNum())
	}
	return out
}

func count(t testing.TB, client *qdrant.Client, name string) uint64 {
	t.Helper()
	n, err := client.Count(t.Context(), &qdrant.CountPoints{CollectionName: name, Exact: qdrant.PtrOf(true)})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
