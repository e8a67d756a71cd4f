package qdranttest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
)

// wordScores searches for the words 1 and 2, and returns scores by id.
func wordScores(t *testing.T, client *qdrant.Client, name string) map[uint64]float32 {
	t.Helper()
	hits, err := client.Query(t.Context(), &qdrant.QueryPoints{
		CollectionName: name, Query: qdrant.NewQuerySparse([]uint32{1, 2}, []float32{1, 1}), Using: qdrant.PtrOf("s"),
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[uint64]float32{}
	for _, h := range hits {
		out[h.Id.GetNum()] = h.Score
	}
	return out
}

func withWords(id uint64, indices ...uint32) *qdrant.PointStruct {
	values := make([]float32, len(indices))
	for i := range values {
		values[i] = 1
	}
	return withVectors(id, map[string]*qdrant.Vector{"s": qdrant.NewVectorSparse(indices, values)})
}

func deleteWords(t *testing.T, client *qdrant.Client, name string, id uint64) {
	t.Helper()
	_, err := client.DeleteVectors(t.Context(), &qdrant.DeletePointVectors{
		CollectionName: name, Wait: qdrant.PtrOf(true),
		PointsSelector: qdrant.NewPointsSelector(qdrant.NewIDNum(id)), Vectors: &qdrant.VectorsSelector{Names: []string{"s"}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDeletedWords deletes the sparse vector of a point and gives it another. By
// the way of point 2, an empty vector in between, nothing is left of the old one.
func TestDeletedWords(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		one(t, client, name)
		upsert(t, client, name, withWords(1, 1), withWords(2, 1), withWords(3, 1))
		upsert(t, client, name, withWords(2)) // empty
		upsert(t, client, name, withVectors(3, nil))
		if n, err := client.Count(t.Context(), &qdrant.CountPoints{CollectionName: name, Filter: &qdrant.Filter{
			Must: []*qdrant.Condition{qdrant.NewHasVector("s")}}}); err != nil || n != 2 {
			t.Errorf("%d points have an s (%v), want 2: an empty one is one", n, err)
		}
		deleteWords(t, client, name, 1)
		deleteWords(t, client, name, 2)
		if d := cmp.Diff(map[uint64]float32{}, wordScores(t, client, name)); d != "" {
			t.Errorf("found by words that are deleted (-want +got):\n%s", d)
		}
		upsert(t, client, name, withWords(1, 2), withWords(2, 2), withWords(3, 2))
		got := wordScores(t, client, name)
		if d := cmp.Diff(map[uint64]float32{1: 2, 2: 1, 3: 1}, got); d != "" {
			// 1 + 1: a server that mended it would give 1, and an adapter has to be right under both.
			t.Logf("the word index of this server forgets deleted vectors (-fake +got):\n%s", d)
		}
		if got[2] != 1 || got[3] != 1 {
			t.Errorf("scores %v, want 1 for points 2 and 3", got)
		}
	})
}

// TestDeletedWordsInFake pins what the fake does of it.
func TestDeletedWordsInFake(t *testing.T) {
	server := qdranttest.Start(t)
	client := dial(t, server.Addr())
	one(t, client, "c")
	upsert(t, client, "c", withWords(1, 1))
	deleteWords(t, client, "c", 1)
	for _, want := range []float32{2, 2} { // and it stays so
		upsert(t, client, "c", withWords(1, 2))
		if got := wordScores(t, client, "c"); got[1] != want {
			t.Errorf("score %v, want %v: the word 1 is still in the index", got, want)
		}
	}
	upsert(t, client, "c", withWords(1, 1))
	upsert(t, client, "c", withWords(1, 2))
	if got := wordScores(t, client, "c"); got[1] != 1 {
		t.Errorf("score %v, want 1: the entry was replaced, then removed", got)
	}
	deleteWords(t, client, "c", 1)
	server.Seal()
	upsert(t, client, "c", withWords(1, 1))
	if got := wordScores(t, client, "c"); got[1] != 1 {
		t.Errorf("score %v, want 1: a sealed segment is built without it", got)
	}
	server.Seal()
	deleteWords(t, client, "c", 1)
	upsert(t, client, "c", withWords(1, 2))
	if got := wordScores(t, client, "c"); got[1] != 1 {
		t.Errorf("score %v, want 1: the point moved when its vector was deleted", got)
	}
}
