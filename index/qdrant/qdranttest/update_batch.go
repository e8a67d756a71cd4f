package qdranttest

import (
	"context"

	"github.com/qdrant/go-client/qdrant"
)

// UpdateBatch makes changes one after another. It stops at the first that is
// refused; those before it stay.
func (s *pointsService) UpdateBatch(ctx context.Context, r *qdrant.UpdateBatchPoints) (*qdrant.UpdateBatchResponse, error) {
	if len(r.Operations) == 0 {
		return nil, invalid("operations", "must have at least one element")
	}
	res := &qdrant.UpdateBatchResponse{}
	for _, op := range r.Operations {
		one, err := s.update(ctx, r, op)
		if err != nil {
			return nil, err
		}
		res.Result = append(res.Result, one.Result)
	}
	return res, nil
}

// update makes one change of a batch, as the call of its own would.
func (s *pointsService) update(ctx context.Context, r *qdrant.UpdateBatchPoints, op *qdrant.PointsUpdateOperation) (*qdrant.PointsOperationResponse, error) {
	switch op := op.GetOperation().(type) {
	case *qdrant.PointsUpdateOperation_Upsert:
		return s.Upsert(ctx, &qdrant.UpsertPoints{CollectionName: r.CollectionName, Wait: r.Wait, Timeout: r.Timeout,
			Points: op.Upsert.Points})
	case *qdrant.PointsUpdateOperation_SetPayload_:
		return s.SetPayload(ctx, &qdrant.SetPayloadPoints{CollectionName: r.CollectionName, Wait: r.Wait, Timeout: r.Timeout,
			Payload: op.SetPayload.Payload, PointsSelector: op.SetPayload.PointsSelector})
	case *qdrant.PointsUpdateOperation_OverwritePayload_:
		return s.OverwritePayload(ctx, &qdrant.SetPayloadPoints{CollectionName: r.CollectionName, Wait: r.Wait, Timeout: r.Timeout,
			Payload: op.OverwritePayload.Payload, PointsSelector: op.OverwritePayload.PointsSelector})
	case *qdrant.PointsUpdateOperation_DeletePayload_:
		return s.DeletePayload(ctx, &qdrant.DeletePayloadPoints{CollectionName: r.CollectionName, Wait: r.Wait, Timeout: r.Timeout,
			Keys: op.DeletePayload.Keys, PointsSelector: op.DeletePayload.PointsSelector})
	case *qdrant.PointsUpdateOperation_ClearPayload_:
		return s.ClearPayload(ctx, &qdrant.ClearPayloadPoints{CollectionName: r.CollectionName, Wait: r.Wait, Timeout: r.Timeout,
			Points: op.ClearPayload.Points})
	case *qdrant.PointsUpdateOperation_UpdateVectors_:
		return s.UpdateVectors(ctx, &qdrant.UpdatePointVectors{CollectionName: r.CollectionName, Wait: r.Wait, Timeout: r.Timeout,
			Points: op.UpdateVectors.Points})
	case *qdrant.PointsUpdateOperation_DeleteVectors_:
		return s.DeleteVectors(ctx, &qdrant.DeletePointVectors{CollectionName: r.CollectionName, Wait: r.Wait, Timeout: r.Timeout,
			PointsSelector: op.DeleteVectors.PointsSelector, Vectors: op.DeleteVectors.Vectors})
	case *qdrant.PointsUpdateOperation_DeletePoints_:
		return s.Delete(ctx, &qdrant.DeletePoints{CollectionName: r.CollectionName, Wait: r.Wait, Timeout: r.Timeout,
			Points: op.DeletePoints.Points})
	default:
		return nil, malformed("operation is expected")
	}
}
