package qdrant

import (
	"context"
	"slices"

	pb "github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern"
)

// put writes one batch and waits until searches see it.
//
// Qdrant does not replace a point whole once its optimiser has moved it into a
// sealed segment: named vectors that the new point leaves out stay. They are
// deleted in the same call. (The payload is replaced, as it is never empty.)
//
// Dense ones first, because then every state in between is harmless: a point lacks
// vectors that it is about to lose, but never shows a new payload beside an old
// vector; and of two writers of one point the later wins with all its vectors,
// where a late delete would take away what the other wrote.
//
// Sparse ones must not be deleted so. In a segment that is not sealed Qdrant
// (1.18 at least) deletes the vector but not its entries in the word index, and
// they count again when the point gets another sparse vector. So an empty vector
// is written over it, which clears the entries, and is deleted afterwards.
//
// The call is not atomic. When it fails half-way it is made again, and each part
// may be made twice.
func (i *Index) put(ctx context.Context, points []lectern.Point) error {
	yes := true
	req := &pb.UpdateBatchPoints{CollectionName: i.collection, Wait: &yes, Ordering: i.x.ordering()}
	list := &pb.PointsUpdateOperation_PointStructList{Points: make([]*pb.PointStruct, len(points))}
	for n, p := range points {
		list.Points[n] = encode(p)
	}
	for _, o := range omissions(i.room.denseNames(), points) {
		req.Operations = append(req.Operations, o.deletion())
	}
	sparse := omissions(i.room.sparseNames(), points)
	for _, o := range sparse {
		o.empty(list.Points)
	}
	req.Operations = append(req.Operations, pb.NewPointsUpdateUpsert(list))
	for _, o := range sparse {
		req.Operations = append(req.Operations, o.deletion())
	}
	return i.change(ctx, "write points", func(ctx context.Context) ([]*pb.UpdateResult, error) {
		return i.x.client.UpdateBatch(ctx, req)
	})
}

// omission is names of vectors that the same points leave out.
type omission struct {
	names  []string
	points []lectern.Point
	at     []int // places of the points in their batch
}

// omissions returns what a batch leaves out, in as few parts as names: one where
// all points leave out the same, as in a batch without collaborative factors.
func omissions(names []string, points []lectern.Point) []omission {
	var out []omission
	for _, name := range names {
		o := omission{names: []string{name}}
		for n, p := range points {
			if len(p.Dense[name]) == 0 && len(p.Sparse[name].Indices) == 0 {
				o.points, o.at = append(o.points, p), append(o.at, n)
			}
		}
		same := slices.IndexFunc(out, func(other omission) bool { return slices.Equal(other.at, o.at) })
		switch {
		case len(o.at) == 0:
		case same >= 0:
			out[same].names = append(out[same].names, name)
		default:
			out = append(out, o)
		}
	}
	return out
}

// empty gives the points an empty vector of each name.
func (o omission) empty(batch []*pb.PointStruct) {
	for _, n := range o.at {
		vectors := batch[n].GetVectors().GetVectors().GetVectors()
		for _, name := range o.names {
			vectors[name] = pb.NewVectorSparse([]uint32{}, []float32{})
		}
	}
}

// deletion takes the vectors away from those points that have them. A filter, as
// an id that is not there would be an error, and as it leaves alone the points
// that have nothing to lose: in an index being filled, all.
func (o omission) deletion() *pb.PointsUpdateOperation {
	ids := make([]*pb.PointId, len(o.points))
	for n, p := range o.points {
		ids[n] = pb.NewIDUUID(PointID(p.ID))
	}
	filter := &pb.Filter{Must: []*pb.Condition{pb.NewHasID(ids...)}}
	for _, name := range o.names {
		filter.Should = append(filter.Should, pb.NewHasVector(name))
	}
	return pb.NewPointsUpdateDeleteVectors(&pb.PointsUpdateOperation_DeleteVectors{
		PointsSelector: pb.NewPointsSelectorFilter(filter),
		Vectors:        &pb.VectorsSelector{Names: o.names},
	})
}
