package qdrant

import (
	"cmp"
	"context"
	"math"
	"slices"

	pb "github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern"
)

// Qdrant orders equal scores as it likes, so where the cut at K runs through
// equal scores it may keep the wrong ones. Each search asks for spare hits to
// order them by id itself; where even the last of them ties with the K-th it
// asks once more with many. Among more than K+manySpare points of one score,
// which of them are listed is Qdrant's choice.
const (
	fewSpare  = 8
	manySpare = 512
)

// Search implements lectern.VectorIndex: all queries travel together. An unknown
// vector name gives an empty list, as for points without the vector. Errors:
// CodeInvalid for a query that has not exactly one usable vector, CodeUnavailable
// while Qdrant is away, CodeDeadline.
func (i *Index) Search(ctx context.Context, queries []lectern.VectorQuery) ([][]lectern.Hit, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	for n, q := range queries {
		if err := i.room.checkQuery(n, q); err != nil {
			return nil, err
		}
	}
	out := make([][]lectern.Hit, len(queries))
	asked, requests := i.requests(queries)
	if len(requests) == 0 {
		return out, nil
	}
	found, err := i.query(ctx, requests)
	if err != nil {
		return nil, err
	}
	if err := i.settleTies(ctx, queries, asked, requests, found); err != nil {
		return nil, err
	}
	for j, n := range asked {
		hits := found[j]
		slices.SortFunc(hits, func(a, b lectern.Hit) int {
			return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
		})
		out[n] = hits[:min(queries[n].K, len(hits))]
	}
	return out, nil
}

// requests translates those queries that can have hits; asked is their places.
func (i *Index) requests(queries []lectern.VectorQuery) (asked []int, requests []*pb.QueryPoints) {
	filters := make([]*pb.Filter, len(queries))
	possible := make([]bool, len(queries))
	for n, q := range queries {
		same := slices.IndexFunc(queries[:n], func(p lectern.VectorQuery) bool { return sameFilter(p.Filter, q.Filter) })
		if same >= 0 {
			filters[n], possible[n] = filters[same], possible[same]
		} else {
			filters[n], possible[n] = conditions(q.Filter)
		}
		if !possible[n] || q.K <= 0 || !i.has(q) {
			continue
		}
		asked = append(asked, n)
		requests = append(requests, i.request(q, filters[n]))
	}
	return asked, requests
}

// has reports whether the index has vectors of the query's name and kind.
func (i *Index) has(q lectern.VectorQuery) bool {
	if q.Sparse != nil {
		return i.room.sparse[q.Vector] && len(q.Sparse.Indices) > 0
	}
	return i.room.dense[q.Vector] > 0
}

func (i *Index) request(q lectern.VectorQuery, filter *pb.Filter) *pb.QueryPoints {
	req := &pb.QueryPoints{
		CollectionName: i.collection,
		Using:          &q.Vector,
		Filter:         filter,
		Limit:          limitOf(q.K, fewSpare),
		WithPayload:    pb.NewWithPayloadInclude(fieldID),
	}
	if q.Sparse != nil {
		req.Query = pb.NewQuerySparse(q.Sparse.Indices, q.Sparse.Values)
		return req
	}
	req.Query = pb.NewQueryDense(q.Dense)
	req.Params = i.x.searchParams()
	return req
}

func limitOf(k, spare int) *uint64 {
	return uint64Of(min(k, math.MaxInt32-spare) + spare)
}

// searchParams are how a graph is searched, nil for the server's way.
func (x *Indexes) searchParams() *pb.SearchParams {
	p := &pb.SearchParams{}
	if x.cfg.Exact {
		p.Exact = &x.cfg.Exact
	}
	if x.cfg.SearchEf > 0 {
		p.HnswEf = uint64Of(x.cfg.SearchEf)
	}
	if x.cfg.Quantization != "none" {
		p.Quantization = &pb.QuantizationSearchParams{Rescore: &x.cfg.Rescore}
		if x.cfg.Rescore {
			p.Quantization.Oversampling = &x.cfg.Oversampling
		}
	}
	return p
}

// query sends the requests in one call and returns a list for each.
func (i *Index) query(ctx context.Context, requests []*pb.QueryPoints) ([][]lectern.Hit, error) {
	lists, err := read(ctx, i.x.call, "search", i.collection, func(ctx context.Context) ([]*pb.BatchResult, error) {
		return i.x.client.QueryBatch(ctx, &pb.QueryBatchPoints{
			CollectionName: i.collection, QueryPoints: requests,
			ReadConsistency: i.x.consistency(), Timeout: seconds(i.x.cfg.SearchTimeout),
		})
	})
	if err != nil {
		return nil, err
	}
	if len(lists) != len(requests) {
		return nil, lectern.Errorf(lectern.CodeInternal, "Qdrant gave %d lists for %d queries", len(lists), len(requests))
	}
	out := make([][]lectern.Hit, len(lists))
	for n, list := range lists {
		hits := make([]lectern.Hit, len(list.GetResult()))
		for j, p := range list.GetResult() {
			hits[j] = lectern.Hit{ID: p.GetPayload()[fieldID].GetStringValue(), Score: p.GetScore()}
		}
		out[n] = hits
	}
	return out, nil
}

// settleTies asks again for those lists in which the cut at K may run through
// more equal scores than were asked for.
func (i *Index) settleTies(ctx context.Context, queries []lectern.VectorQuery, asked []int, requests []*pb.QueryPoints, found [][]lectern.Hit) error {
	var tied []int
	var again []*pb.QueryPoints
	for j, n := range asked {
		k, hits := queries[n].K, found[j]
		if uint64(len(hits)) < requests[j].GetLimit() || hits[k-1].Score != hits[len(hits)-1].Score {
			continue
		}
		requests[j].Limit = limitOf(k, manySpare)
		tied = append(tied, j)
		again = append(again, requests[j])
	}
	if len(again) == 0 {
		return nil
	}
	more, err := i.query(ctx, again)
	if err != nil {
		return err
	}
	for n, j := range tied {
		found[j] = more[n]
	}
	return nil
}
