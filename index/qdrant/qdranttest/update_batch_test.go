package qdranttest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
)

// TestUpdateBatch makes every kind of change once, in order.
func TestUpdateBatch(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		one(t, client, name)
		first := qdrant.NewPointsSelector(qdrant.NewIDNum(1))
		p := withVectors(1, map[string]*qdrant.Vector{"v": qdrant.NewVector(1, 1), "s": qdrant.NewVectorSparse([]uint32{1}, []float32{1})})
		got, err := client.UpdateBatch(t.Context(), &qdrant.UpdateBatchPoints{CollectionName: name, Wait: qdrant.PtrOf(true), Operations: []*qdrant.PointsUpdateOperation{
			qdrant.NewPointsUpdateUpsert(&qdrant.PointsUpdateOperation_PointStructList{Points: []*qdrant.PointStruct{p, withVectors(2, nil), withVectors(3, nil)}}),
			qdrant.NewPointsUpdateDeletePoints(&qdrant.PointsUpdateOperation_DeletePoints{Points: qdrant.NewPointsSelector(qdrant.NewIDNum(2))}),
			qdrant.NewPointsUpdateSetPayload(&qdrant.PointsUpdateOperation_SetPayload{PointsSelector: first, Payload: qdrant.NewValueMap(map[string]any{"z": 1})}),
			qdrant.NewPointsUpdateClearPayload(&qdrant.PointsUpdateOperation_ClearPayload{Points: first}),
			qdrant.NewPointsUpdateOverwritePayload(&qdrant.PointsUpdateOperation_OverwritePayload{PointsSelector: first, Payload: qdrant.NewValueMap(map[string]any{"a": 1, "b": 2})}),
			qdrant.NewPointsUpdateDeletePayload(&qdrant.PointsUpdateOperation_DeletePayload{PointsSelector: first, Keys: []string{"b"}}),
			qdrant.NewPointsUpdateDeleteVectors(&qdrant.PointsUpdateOperation_DeleteVectors{PointsSelector: first, Vectors: &qdrant.VectorsSelector{Names: []string{"s"}}}),
			qdrant.NewPointsUpdateUpdateVectors(&qdrant.PointsUpdateOperation_UpdateVectors{Points: []*qdrant.PointVectors{
				{Id: qdrant.NewIDNum(1), Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{"v": qdrant.NewVector(7, 8)})}}}),
		}})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 8 || got[7].Status != qdrant.UpdateStatus_Completed {
			t.Errorf("results %v, want 8 completed", got)
		}
		if n := count(t, client, name); n != 2 {
			t.Errorf("%d points, want 2", n)
		}
		is := get(t, client, name, qdrant.NewIDNum(1))[0]
		vectors := is.Vectors.GetVectors().GetVectors()
		if len(is.Payload) != 1 || is.Payload["a"].GetIntegerValue() != 1 || len(vectors) != 1 || !cmp.Equal(vectors["v"].GetDense().GetData(), []float32{7, 8}) {
			t.Errorf("point %v", is)
		}
	})
}

// TestEmptyUpdates are refused.
func TestEmptyUpdates(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		one(t, client, name)
		ctx := t.Context()
		_, upsert := client.Upsert(ctx, &qdrant.UpsertPoints{CollectionName: name, Wait: qdrant.PtrOf(true)})
		_, remove := client.Delete(ctx, &qdrant.DeletePoints{CollectionName: name, Wait: qdrant.PtrOf(true), Points: qdrant.NewPointsSelector()})
		_, batch := client.UpdateBatch(ctx, &qdrant.UpdateBatchPoints{CollectionName: name, Wait: qdrant.PtrOf(true)})
		for what, err := range map[string]error{"upsert": upsert, "delete": remove, "batch": batch} {
			if codeOf(err) != codes.InvalidArgument {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}
