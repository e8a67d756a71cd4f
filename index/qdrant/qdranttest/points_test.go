package qdranttest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/testing/protocmp"
)

const (
	uuidA = "00000000-0000-5000-8000-000000000001"
	uuidB = "ffffffff-ffff-5fff-8fff-ffffffffffff"
)

// one makes a collection with one dense and one sparse vector.
func one(t testing.TB, client *qdrant.Client, name string) {
	t.Helper()
	create(t, client, name, map[string]*qdrant.VectorParams{"v": {Size: 2, Distance: qdrant.Distance_Dot}},
		map[string]*qdrant.SparseVectorParams{"s": {}})
}

func get(t testing.TB, client *qdrant.Client, name string, ids ...*qdrant.PointId) []*qdrant.RetrievedPoint {
	t.Helper()
	got, err := client.Get(t.Context(), &qdrant.GetPoints{CollectionName: name, Ids: ids,
		WithPayload: qdrant.NewWithPayload(true), WithVectors: qdrant.NewWithVectors(true)})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestScroll pages by rising id, numbers before UUIDs, whatever order they came in.
func TestScroll(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		one(t, client, name)
		for _, id := range []*qdrant.PointId{qdrant.NewIDUUID(uuidB), qdrant.NewIDNum(7), qdrant.NewIDUUID(uuidA), qdrant.NewIDNum(1 << 40), qdrant.NewIDNum(0)} {
			upsert(t, client, name, &qdrant.PointStruct{Id: id, Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1)})})
		}
		want := []*qdrant.PointId{qdrant.NewIDNum(0), qdrant.NewIDNum(7), qdrant.NewIDNum(1 << 40), qdrant.NewIDUUID(uuidA), qdrant.NewIDUUID(uuidB)}
		var got []*qdrant.PointId
		var offset *qdrant.PointId
		for pages := 1; ; pages++ {
			page, next, err := client.ScrollAndOffset(t.Context(), &qdrant.ScrollPoints{CollectionName: name, Limit: qdrant.PtrOf(uint32(2)), Offset: offset})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page {
				got = append(got, p.Id)
			}
			if next == nil {
				if pages != 3 {
					t.Errorf("%d pages, want 3", pages)
				}
				break
			}
			offset = next
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("ids (-want +got):\n%s", diff)
		}
	})
}

// TestUpsertReplaces keeps nothing of the point before, neither payload nor vector.
func TestUpsertReplaces(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		one(t, client, name)
		p := withVectors(1, map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1), "s": qdrant.NewVectorSparse([]uint32{9, 3}, []float32{1, 2})})
		p.Payload = qdrant.NewValueMap(map[string]any{"a": 1, "b": "x"})
		upsert(t, client, name, p)
		p = withVectors(1, map[string]*qdrant.Vector{"v": qdrant.NewVector(5, 6)})
		p.Payload = qdrant.NewValueMap(map[string]any{"a": 2})
		upsert(t, client, name, p)
		want := []*qdrant.RetrievedPoint{{
			Id: qdrant.NewIDNum(1), Payload: qdrant.NewValueMap(map[string]any{"a": 2}),
			Vectors: &qdrant.VectorsOutput{VectorsOptions: &qdrant.VectorsOutput_Vectors{Vectors: &qdrant.NamedVectorsOutput{
				Vectors: map[string]*qdrant.VectorOutput{"v": {Vector: &qdrant.VectorOutput_Dense{Dense: &qdrant.DenseVector{Data: []float32{5, 6}}}}},
			}}},
		}}
		if diff := cmp.Diff(want, get(t, client, name, qdrant.NewIDNum(1), qdrant.NewIDNum(2)), protocmp.Transform()); diff != "" {
			t.Errorf("points (-want +got):\n%s", diff)
		}
		if n := count(t, client, name); n != 1 {
			t.Errorf("%d points, want 1", n)
		}
	})
}

// TestUUIDs are one point in every way of writing them.
func TestUUIDs(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		one(t, client, name)
		for _, id := range []string{uuidB, "FFFFFFFF-FFFF-5FFF-8FFF-FFFFFFFFFFFF", "ffffffffffff5fff8fffffffffffffff"} {
			upsert(t, client, name, &qdrant.PointStruct{Id: qdrant.NewIDUUID(id), Vectors: qdrant.NewVectorsMap(nil)})
		}
		if n := count(t, client, name); n != 1 {
			t.Errorf("%d points, want 1", n)
		}
		got := get(t, client, name, qdrant.NewIDUUID("FFFFFFFF-FFFF-5FFF-8FFF-FFFFFFFFFFFF"))
		if len(got) != 1 || got[0].Id.GetUuid() != uuidB {
			t.Errorf("points %v, want %s", got, uuidB)
		}
	})
}

// TestWaiting tells a write that is done from one that is only taken on.
func TestWaiting(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		one(t, client, name)
		for wait, want := range map[bool]qdrant.UpdateStatus{true: qdrant.UpdateStatus_Completed, false: qdrant.UpdateStatus_Acknowledged} {
			got, err := client.Upsert(t.Context(), &qdrant.UpsertPoints{CollectionName: name, Wait: &wait,
				Ordering: &qdrant.WriteOrdering{Type: qdrant.WriteOrderingType_Strong},
				Points:   []*qdrant.PointStruct{withVectors(1, map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1)})}})
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != want {
				t.Errorf("wait %v: status %s, want %s", wait, got.Status, want)
			}
		}
	})
}

func TestDelete(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		seedQueries(t, client, name)
		for _, c := range []struct {
			selector *qdrant.PointsSelector
			want     uint64
		}{
			{qdrant.NewPointsSelector(qdrant.NewIDNum(2), qdrant.NewIDNum(99)), 3},
			{qdrant.NewPointsSelectorFilter(must(qdrant.NewMatchInt("n", 3))), 2},
			{qdrant.NewPointsSelectorFilter(must(qdrant.NewMatchInt("n", 3))), 2},
			{qdrant.NewPointsSelectorFilter(&qdrant.Filter{}), 0},
		} {
			_, err := client.Delete(t.Context(), &qdrant.DeletePoints{CollectionName: name, Wait: qdrant.PtrOf(true), Points: c.selector})
			if err != nil {
				t.Fatal(err)
			}
			if n := count(t, client, name); n != c.want {
				t.Errorf("%d points after %v, want %d", n, c.selector, c.want)
			}
		}
	})
}

// TestPayloadChanges walks one payload through the calls that change it.
func TestPayloadChanges(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		one(t, client, name)
		p := withVectors(1, map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1)})
		p.Payload = qdrant.NewValueMap(map[string]any{"a": 1, "b": "x", "list": []any{1, 2.5, nil, map[string]any{"k": true}}})
		upsert(t, client, name, p)
		ctx, sel, wait := t.Context(), qdrant.NewPointsSelector(qdrant.NewIDNum(1)), qdrant.PtrOf(true)
		check := func(step string, want map[string]any) {
			t.Helper()
			got := get(t, client, name, qdrant.NewIDNum(1))[0]
			if diff := cmp.Diff(qdrant.NewValueMap(want), got.Payload, protocmp.Transform(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step, diff)
			}
			if v := got.Vectors.GetVectors().GetVectors()["v"].GetDense().GetData(); !cmp.Equal(v, []float32{1, 1}) {
				t.Errorf("%s: vector %v, want it kept", step, v)
			}
		}
		step := func(what string, err error, want map[string]any) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			check(what, want)
		}
		list := []any{1, 2.5, nil, map[string]any{"k": true}}
		check("upsert", map[string]any{"a": 1, "b": "x", "list": list})
		_, err := client.SetPayload(ctx, &qdrant.SetPayloadPoints{CollectionName: name, Wait: wait, PointsSelector: sel,
			Payload: qdrant.NewValueMap(map[string]any{"b": "y", "c": false})})
		step("set", err, map[string]any{"a": 1, "b": "y", "c": false, "list": list})
		_, err = client.SetPayload(ctx, &qdrant.SetPayloadPoints{CollectionName: name, Wait: wait, PointsSelector: sel,
			Payload: qdrant.NewValueMap(map[string]any{"c": nil})})
		step("set null", err, map[string]any{"a": 1, "b": "y", "list": list})
		_, err = client.DeletePayload(ctx, &qdrant.DeletePayloadPoints{CollectionName: name, Wait: wait, PointsSelector: sel, Keys: []string{"list", "z"}})
		step("delete", err, map[string]any{"a": 1, "b": "y"})
		_, err = client.OverwritePayload(ctx, &qdrant.SetPayloadPoints{CollectionName: name, Wait: wait,
			PointsSelector: qdrant.NewPointsSelectorFilter(must(qdrant.NewMatchInt("a", 1))), Payload: qdrant.NewValueMap(map[string]any{"d": 4})})
		step("overwrite", err, map[string]any{"d": 4})
		_, err = client.ClearPayload(ctx, &qdrant.ClearPayloadPoints{CollectionName: name, Wait: wait, Points: sel})
		step("clear", err, nil)
	})
}

// TestVectorChanges adds a vector to a point and takes another away.
func TestVectorChanges(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		one(t, client, name)
		p := withVectors(1, map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1)})
		p.Payload = qdrant.NewValueMap(map[string]any{"a": 1})
		upsert(t, client, name, p)
		_, err := client.UpdateVectors(t.Context(), &qdrant.UpdatePointVectors{CollectionName: name, Wait: qdrant.PtrOf(true), Points: []*qdrant.PointVectors{{
			Id:      qdrant.NewIDNum(1),
			Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{"s": qdrant.NewVectorSparse([]uint32{3}, []float32{2})}),
		}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.DeleteVectors(t.Context(), &qdrant.DeletePointVectors{CollectionName: name, Wait: qdrant.PtrOf(true),
			PointsSelector: qdrant.NewPointsSelector(qdrant.NewIDNum(1)), Vectors: &qdrant.VectorsSelector{Names: []string{"v"}}})
		if err != nil {
			t.Fatal(err)
		}
		got := get(t, client, name, qdrant.NewIDNum(1))[0]
		want := map[string]*qdrant.VectorOutput{"s": {Vector: &qdrant.VectorOutput_Sparse{Sparse: &qdrant.SparseVector{Indices: []uint32{3}, Values: []float32{2}}}}}
		if diff := cmp.Diff(want, got.Vectors.GetVectors().GetVectors(), protocmp.Transform()); diff != "" {
			t.Errorf("vectors (-want +got):\n%s", diff)
		}
		if got.Payload["a"].GetIntegerValue() != 1 {
			t.Errorf("payload %v, want it kept", got.Payload)
		}
		hits, err := client.Query(t.Context(), &qdrant.QueryPoints{CollectionName: name, Query: qdrant.NewQuery(1, 1), Using: qdrant.PtrOf("v")})
		if err != nil || len(hits) != 0 {
			t.Errorf("hits %v, %v; want none on the vector that is gone", hits, err)
		}
	})
}
