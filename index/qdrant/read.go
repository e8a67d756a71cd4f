package qdrant

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	pb "github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern"
)

// How many points are read at a time: ids alone, and with vectors.
const (
	idsAtATime    = 4096
	pointsAtATime = 512
)

// chunks yields runs of at most n.
func chunks[T any](all []T, n int) iter.Seq[[]T] { return slices.Chunk(all, n) }

// seconds rounds up, for the server's own limit on a call.
func seconds(d time.Duration) *uint64 {
	out := uint64((d + time.Second - 1) / time.Second)
	return &out
}

// Vectors implements lectern.VectorIndex.
func (i *Index) Vectors(ctx context.Context, vector string, ids []string) ([][]float32, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	out := make([][]float32, len(ids))
	if i.room.dense[vector] == 0 {
		return out, nil
	}
	found := map[string][]float32{}
	for part := range chunks(pointIDs(ids), pointsAtATime) {
		points, err := i.get(ctx, serving, part, pb.NewWithPayload(false), pb.NewWithVectorsInclude(vector))
		if err != nil {
			return nil, err
		}
		for _, p := range points {
			if v := denseIn(p.GetVectors().GetVectors().GetVectors()[vector]); len(v) > 0 {
				found[p.GetId().GetUuid()] = v
			}
		}
	}
	given := make(map[string]bool, len(found))
	for n, id := range ids {
		uuid := PointID(id)
		out[n] = found[uuid]
		if given[uuid] {
			out[n] = slices.Clone(out[n]) // an id that came twice
		}
		given[uuid] = true
	}
	return out, nil
}

// purpose says what a read is for.
type purpose int

const (
	serving purpose = iota // a search waits for it
	upkeep                 // comparing and listing: as patient as a write, and no sign of how searches fare
)

// ask reads for a purpose.
func ask[T any](ctx context.Context, i *Index, why purpose, f func(ctx context.Context, seconds *uint64) (T, error)) (T, error) {
	const op = "read points"
	if why == upkeep {
		return write(ctx, i.x.call, op, i.collection, i.x.cfg.WriteTimeout, func(ctx context.Context) (T, error) {
			return f(ctx, seconds(i.x.cfg.WriteTimeout))
		})
	}
	return read(ctx, i.x.call, op, i.collection, func(ctx context.Context) (T, error) {
		return f(ctx, seconds(i.x.cfg.SearchTimeout))
	})
}

// get reads points by id.
func (i *Index) get(ctx context.Context, why purpose, ids []*pb.PointId, payload *pb.WithPayloadSelector, vectors *pb.WithVectorsSelector) ([]*pb.RetrievedPoint, error) {
	return ask(ctx, i, why, func(ctx context.Context, timeout *uint64) ([]*pb.RetrievedPoint, error) {
		return i.x.client.Get(ctx, &pb.GetPoints{
			CollectionName: i.collection, Ids: ids, WithPayload: payload, WithVectors: vectors,
			ReadConsistency: i.x.consistency(), Timeout: timeout,
		})
	})
}

// Allowed implements lectern.VectorIndex.
func (i *Index) Allowed(ctx context.Context, filter lectern.Filter, ids []string) ([]bool, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	out := make([]bool, len(ids))
	base, ok := conditions(filter)
	if !ok {
		return out, nil
	}
	passes := make(map[string]bool, len(ids))
	for part := range chunks(pointIDs(ids), idsAtATime) {
		among := &pb.Filter{
			Must:    append([]*pb.Condition{pb.NewHasID(part...)}, base.GetMust()...),
			MustNot: base.GetMustNot(),
		}
		points, _, err := i.scroll(ctx, serving, among, nil, len(part), pb.NewWithPayload(false))
		if err != nil {
			return nil, err
		}
		for _, p := range points {
			passes[p.GetId().GetUuid()] = true
		}
	}
	for n, id := range ids {
		out[n] = passes[PointID(id)]
	}
	return out, nil
}

// scroll reads a page of points in the order of their ids in Qdrant, and where
// the next begins, nil after the last.
func (i *Index) scroll(ctx context.Context, why purpose, filter *pb.Filter, from *pb.PointId, limit int, payload *pb.WithPayloadSelector) ([]*pb.RetrievedPoint, *pb.PointId, error) {
	var next *pb.PointId
	points, err := ask(ctx, i, why, func(ctx context.Context, timeout *uint64) ([]*pb.RetrievedPoint, error) {
		points, after, err := i.x.client.ScrollAndOffset(ctx, &pb.ScrollPoints{
			CollectionName: i.collection, Filter: filter, Offset: from, Limit: uint32Of(limit),
			WithPayload: payload, WithVectors: pb.NewWithVectors(false),
			ReadConsistency: i.x.consistency(), Timeout: timeout,
		})
		next = after
		return points, err
	})
	return points, next, err
}

// Stats implements lectern.VectorIndex. The counts are exact; the memory is not
// known.
func (i *Index) Stats(ctx context.Context) (lectern.IndexStats, error) {
	if err := checkContext(ctx); err != nil {
		return lectern.IndexStats{}, err
	}
	out := lectern.IndexStats{Vectors: map[string]int{}}
	var err error
	if out.Points, err = i.count(ctx, nil); err != nil {
		return lectern.IndexStats{}, err
	}
	for _, name := range i.room.names() {
		n, err := i.count(ctx, &pb.Filter{Must: []*pb.Condition{pb.NewHasVector(name)}})
		if err != nil {
			return lectern.IndexStats{}, err
		}
		if n > 0 {
			out.Vectors[name] = n
		}
	}
	return out, nil
}

// names returns all names of vectors, sorted.
func (s shape) names() []string {
	return slices.Sorted(slices.Values(slices.Concat(s.denseNames(), s.sparseNames())))
}

func (s shape) denseNames() []string  { return slices.Sorted(maps.Keys(s.dense)) }
func (s shape) sparseNames() []string { return slices.Sorted(maps.Keys(s.sparse)) }

// count gives counting as much time as a write: it looks at every point.
func (i *Index) count(ctx context.Context, filter *pb.Filter) (int, error) {
	exact := true
	n, err := write(ctx, i.x.call, "count points", i.collection, i.x.cfg.WriteTimeout, func(ctx context.Context) (uint64, error) {
		return i.x.client.Count(ctx, &pb.CountPoints{
			CollectionName: i.collection, Filter: filter, Exact: &exact,
			ReadConsistency: i.x.consistency(), Timeout: seconds(i.x.cfg.WriteTimeout),
		})
	})
	return int(n), err
}

// Same reports for each point whether the index holds exactly it: payload and
// all vectors, no more and no fewer.
func (i *Index) Same(ctx context.Context, points []lectern.Point) ([]bool, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	out := make([]bool, len(points))
	for start := 0; start < len(points); start += pointsAtATime {
		part := points[start:min(start+pointsAtATime, len(points))]
		ids := make([]string, len(part))
		for n, p := range part {
			ids[n] = p.ID
		}
		stored, err := i.get(ctx, upkeep, pointIDs(ids), pb.NewWithPayload(true), pb.NewWithVectors(true))
		if err != nil {
			return nil, err
		}
		byID := make(map[string]*pb.RetrievedPoint, len(stored))
		for _, s := range stored {
			byID[s.GetId().GetUuid()] = s
		}
		for n, p := range part {
			if s, ok := byID[PointID(p.ID)]; ok {
				out[start+n] = holds(s, p)
			}
		}
	}
	return out, nil
}

// IDs returns the ids of all points, in no particular order.
func (i *Index) IDs(ctx context.Context) ([]string, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	out := []string{}
	var from *pb.PointId
	for {
		points, next, err := i.scroll(ctx, upkeep, nil, from, idsAtATime, pb.NewWithPayloadInclude(fieldID))
		if err != nil {
			return nil, err
		}
		for _, p := range points {
			out = append(out, p.GetPayload()[fieldID].GetStringValue())
		}
		if next == nil {
			return out, nil
		}
		from = next
	}
}
