package qdranttest_test

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
)

// TestSeal merges an upsert into a sealed point once, and replaces it afterwards.
func TestSeal(t *testing.T) {
	server := qdranttest.Start(t)
	client := dial(t, server.Addr())
	one(t, client, "c")
	both := withVectors(1, map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1), "s": qdrant.NewVectorSparse([]uint32{1}, []float32{1})})
	both.Payload = qdrant.NewValueMap(map[string]any{"a": 1})
	upsert(t, client, "c", both)
	server.Seal()
	dense := withVectors(1, map[string]*qdrant.Vector{"v": qdrant.NewVector(2, 2)})
	for _, want := range []int{2, 1} { // vectors after each upsert
		upsert(t, client, "c", dense)
		got := get(t, client, "c", qdrant.NewIDNum(1))[0]
		vectors := got.Vectors.GetVectors().GetVectors()
		if len(vectors) != want || len(got.Payload) != want-1 || !cmp.Equal(vectors["v"].GetDense().GetData(), []float32{2, 2}) {
			t.Errorf("point %v, want %d vectors", got, want)
		}
	}
}

// TestSealOnServer shows what a real server does to a point that its optimiser
// moved. It fails for nothing but a lost write: which of the two it does depends
// on its version, and an adapter has to be right under both.
func TestSealOnServer(t *testing.T) {
	addr := os.Getenv(realServer)
	if addr == "" {
		t.Skipf("%s names no server", realServer)
	}
	client, name := dial(t, addr), "qdranttest-seal"
	drop := func() { _ = client.DeleteCollection(t.Context(), name) }
	drop()
	defer drop()
	err := client.CreateCollection(t.Context(), &qdrant.CreateCollection{
		CollectionName:      name,
		VectorsConfig:       qdrant.NewVectorsConfigMap(map[string]*qdrant.VectorParams{"v": {Size: 2, Distance: qdrant.Distance_Dot}}),
		SparseVectorsConfig: qdrant.NewSparseVectorsConfig(map[string]*qdrant.SparseVectorParams{"s": {}}),
		OptimizersConfig:    &qdrant.OptimizersConfigDiff{IndexingThreshold: qdrant.PtrOf(uint64(1)), DefaultSegmentNumber: qdrant.PtrOf(uint64(1))},
	})
	if err != nil {
		t.Fatal(err)
	}
	for id := range uint64(2000) {
		upsert(t, client, name, withVectors(id, map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1), "s": qdrant.NewVectorSparse([]uint32{1}, []float32{1})}))
	}
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-ticker.C {
		info, err := client.GetCollectionInfo(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Status == qdrant.CollectionStatus_Green && info.GetIndexedVectorsCount() > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Skipf("the optimiser sealed nothing in time: %v", info)
		}
	}
	upsert(t, client, name, withVectors(1, map[string]*qdrant.Vector{"v": qdrant.NewVector(2, 2)}))
	got := get(t, client, name, qdrant.NewIDNum(1))[0].Vectors.GetVectors().GetVectors()
	if !cmp.Equal(got["v"].GetDense().GetData(), []float32{2, 2}) {
		t.Errorf("vectors %v, want the new v", got)
	}
	t.Logf("after an upsert without s, a sealed point has s: %v", got["s"] != nil)
}
