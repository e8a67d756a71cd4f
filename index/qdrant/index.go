package qdrant

import (
	"context"
	"slices"

	pb "github.com/qdrant/go-client/qdrant"
	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
)

// Index is one collection. It is safe for concurrent use.
type Index struct {
	x          *Indexes
	collection string
	room       shape
}

var _ lectern.VectorIndex = (*Index)(nil)

// Collection returns the name of the collection in Qdrant.
func (i *Index) Collection() string { return i.collection }

// Upsert implements lectern.VectorIndex. Points travel in batches, several at a
// time; it waits for its turn when other writers have taken all places. Of two
// points with one id the later wins. After an error some batches may be written:
// writing all again is harmless.
func (i *Index) Upsert(ctx context.Context, points []lectern.Point) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	if err := i.room.checkPoints(points); err != nil {
		return err
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(i.x.cfg.Concurrency)
	for _, batch := range batches(lastOfEach(points), i.x.cfg.BatchPoints, i.x.cfg.BatchBytes) {
		group.Go(func() error { return i.inTurn(within, func() error { return i.put(within, batch) }) })
	}
	return i.outcome(ctx, group.Wait())
}

// outcome prefers the caller's own end to that of a batch stopped with it.
func (i *Index) outcome(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return checkContext(ctx)
	}
	return err
}

// inTurn waits for a place among the batches on their way.
func (i *Index) inTurn(ctx context.Context, f func() error) error {
	if err := i.x.writes.Acquire(ctx, 1); err != nil {
		return err
	}
	defer i.x.writes.Release(1)
	return f()
}

// change makes a write, and again until all parts of it are applied.
func (i *Index) change(ctx context.Context, op string, f func(context.Context) ([]*pb.UpdateResult, error)) error {
	_, err := write(ctx, i.x.call, op, i.collection, i.x.cfg.WriteTimeout, func(ctx context.Context) (struct{}, error) {
		results, err := f(ctx)
		if err != nil {
			return struct{}{}, err
		}
		late := slices.ContainsFunc(results, func(r *pb.UpdateResult) bool { return r.GetStatus() != pb.UpdateStatus_Completed })
		if len(results) == 0 || late {
			return struct{}{}, errNotApplied
		}
		return struct{}{}, nil
	})
	return err
}

// Delete implements lectern.VectorIndex.
func (i *Index) Delete(ctx context.Context, ids []string) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	yes := true
	for part := range chunks(pointIDs(ids), i.x.cfg.BatchPoints*16) { // an id is far smaller than a point
		err := i.inTurn(ctx, func() error {
			return i.change(ctx, "delete points", func(ctx context.Context) ([]*pb.UpdateResult, error) {
				result, err := i.x.client.Delete(ctx, &pb.DeletePoints{
					CollectionName: i.collection, Wait: &yes, Ordering: i.x.ordering(),
					Points: pb.NewPointsSelectorIDs(part),
				})
				return []*pb.UpdateResult{result}, err
			})
		})
		if err != nil {
			return i.outcome(ctx, err)
		}
	}
	return nil
}

// ordering says how copies of a point agree on the order of its writes. One copy
// needs no agreement.
func (x *Indexes) ordering() *pb.WriteOrdering {
	if x.cfg.ReplicationFactor <= 1 {
		return nil
	}
	switch x.cfg.WriteOrdering {
	case "strong":
		return &pb.WriteOrdering{Type: pb.WriteOrderingType_Strong}
	case "medium":
		return &pb.WriteOrdering{Type: pb.WriteOrderingType_Medium}
	}
	return nil
}

// consistency says how many copies a read asks, nil for one.
func (x *Indexes) consistency() *pb.ReadConsistency {
	switch x.cfg.ReadConsistency {
	case "majority":
		return pb.NewReadConsistencyType(pb.ReadConsistencyType_Majority)
	case "quorum":
		return pb.NewReadConsistencyType(pb.ReadConsistencyType_Quorum)
	case "all":
		return pb.NewReadConsistencyType(pb.ReadConsistencyType_All)
	}
	return nil
}

// lastOfEach returns the last point of each id, so that batches may arrive in any
// order.
func lastOfEach(points []lectern.Point) []lectern.Point {
	last := make(map[string]int, len(points))
	for n, p := range points {
		last[p.ID] = n
	}
	if len(last) == len(points) {
		return points
	}
	out := make([]lectern.Point, 0, len(last))
	for n, p := range points {
		if last[p.ID] == n {
			out = append(out, p)
		}
	}
	return out
}

// batches cuts points into runs of at most so many points and about so many
// bytes, each of at least one point.
func batches(points []lectern.Point, most, bytes int) [][]lectern.Point {
	var out [][]lectern.Point
	start, size := 0, 0
	for n, p := range points {
		s := sizeOf(p)
		if n > start && (n-start == most || size+s > bytes) {
			out = append(out, points[start:n])
			start, size = n, 0
		}
		size += s
	}
	if start < len(points) {
		out = append(out, points[start:])
	}
	return out
}
