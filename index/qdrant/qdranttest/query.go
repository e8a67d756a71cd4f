package qdranttest

import (
	"cmp"
	"context"
	"slices"

	"github.com/qdrant/go-client/qdrant"
)

// Query returns the points nearest to a vector.
func (s *pointsService) Query(_ context.Context, r *qdrant.QueryPoints) (*qdrant.QueryResponse, error) {
	if err := validateName(r.CollectionName); err != nil {
		return nil, err
	}
	res := &qdrant.QueryResponse{}
	err := s.core.read(func(db *database) error {
		c, err := db.find(r.CollectionName)
		if err != nil {
			return err
		}
		res.Result, err = c.query(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// QueryBatch answers queries in order, all from the same state of the
// collection. One that is refused refuses the batch.
func (s *pointsService) QueryBatch(_ context.Context, r *qdrant.QueryBatchPoints) (*qdrant.QueryBatchResponse, error) {
	if err := first(validateName(r.CollectionName), validateTimeout(r.Timeout)); err != nil {
		return nil, err
	}
	res := &qdrant.QueryBatchResponse{}
	err := s.core.read(func(db *database) error {
		c, err := db.find(r.CollectionName)
		if err != nil {
			return err
		}
		for _, q := range r.QueryPoints {
			if err := validateName(q.CollectionName); err != nil {
				return err
			}
			if q.CollectionName != r.CollectionName {
				return unimplemented("a query of collection %q in a batch for %q", q.CollectionName, r.CollectionName)
			}
			hits, err := c.query(q)
			if err != nil {
				return err
			}
			res.Result = append(res.Result, &qdrant.BatchResult{Result: hits})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// candidate is a point with its score.
type candidate struct {
	*point
	score float32
}

// scorer scores a point; false leaves it out.
type scorer func(*point) (float32, bool)

// nearest is a query that was read.
type nearest struct {
	score        scorer
	largerBetter bool
	exclude      *pointID // a query by a point does not find that point
}

func (c *collection) query(r *qdrant.QueryPoints) ([]*qdrant.ScoredPoint, error) {
	if err := first(validateTimeout(r.Timeout), atLeast("limit", r.Limit, 1), validateParamsOf(r.Params)); err != nil {
		return nil, err
	}
	near, err := c.readQuery(r.Query, r.GetUsing())
	if err != nil {
		return nil, err
	}
	filter, err := c.filter(r.Filter, forReading)
	if err != nil {
		return nil, err
	}
	sel, err := c.selecting(r.WithPayload, r.WithVectors, false)
	if err != nil {
		return nil, err
	}

	var found []candidate
	for _, p := range c.points {
		if near.exclude != nil && p.id == *near.exclude || !filter.point(p) {
			continue
		}
		score, ok := near.score(p)
		if !ok || r.ScoreThreshold != nil && !near.better(score, *r.ScoreThreshold) {
			continue
		}
		found = append(found, candidate{p, score})
	}
	limit := uint64(defaultLimit)
	if r.Limit != nil {
		limit = *r.Limit
	}
	var out []*qdrant.ScoredPoint
	for _, hit := range near.page(found, r.GetOffset(), limit) {
		out = append(out, &qdrant.ScoredPoint{
			Id: hit.id.proto(), Payload: protoPayload(sel.payload(hit.payload)),
			Score: hit.score, Version: hit.version, Vectors: sel.outVectors(c, hit.point),
		})
	}
	return out, nil
}

// better is strict: a score that equals the threshold is not past it.
func (n nearest) better(a, b float32) bool {
	if n.largerBetter {
		return a > b
	}
	return a < b
}

// page sorts the best to the front and cuts out what was asked for.
func (n nearest) page(found []candidate, offset, limit uint64) []candidate {
	slices.SortFunc(found, func(a, b candidate) int {
		byScore := cmp.Compare(a.score, b.score)
		if n.largerBetter {
			byScore = -byScore
		}
		return cmp.Or(byScore, cmp.Compare(a.tie, b.tie))
	})
	size := uint64(len(found))
	offset = min(offset, size)
	return found[offset : offset+min(limit, size-offset)]
}

func validateParamsOf(p *qdrant.SearchParams) error {
	if o := p.GetQuantization(); o != nil && o.Oversampling != nil && *o.Oversampling < 1 {
		return invalid("params.quantization.oversampling", "value %v invalid, must be 1.0 or larger", *o.Oversampling)
	}
	return nil
}

func (c *collection) readQuery(q *qdrant.Query, using string) (nearest, error) {
	if q.GetVariant() == nil {
		return nearest{}, unimplemented("a query without a variant")
	}
	input, ok := q.Variant.(*qdrant.Query_Nearest)
	if !ok {
		return nearest{}, unimplemented("query %T", q.Variant)
	}
	switch v := input.Nearest.GetVariant().(type) {
	case *qdrant.VectorInput_Dense:
		data, err := c.readDense(using, v.Dense.GetData())
		if err != nil {
			return nearest{}, err
		}
		return c.nearestDense(using, data), nil
	case *qdrant.VectorInput_Sparse:
		vector, err := c.readSparse(using, v.Sparse)
		if err != nil {
			return nearest{}, err
		}
		return c.nearestSparse(using, vector), nil
	case *qdrant.VectorInput_Id:
		return c.nearestPoint(using, v.Id)
	case nil:
		return nearest{}, malformed("Malformed VectorInput: no variant")
	default:
		return nearest{}, unimplemented("vector input %T", v)
	}
}

func (c *collection) nearestDense(using string, query []float32) nearest {
	distance := c.dense[using].distance
	return nearest{
		largerBetter: largerIsBetter(distance),
		score: func(p *point) (float32, bool) {
			v, ok := p.dense[using]
			if !ok {
				return 0, false
			}
			return score(distance, query, v), true
		},
	}
}

func (c *collection) nearestSparse(using string, query sparseVector) nearest {
	if c.sparse[using].idf {
		query = c.weighIDF(using, query)
	}
	return nearest{
		largerBetter: true,
		score: func(p *point) (float32, bool) {
			if _, ok := p.sparse[using]; !ok {
				return 0, false
			}
			return sparseProduct(query, p.entries(using))
		},
	}
}

// nearestPoint searches by the vector of a stored point.
func (c *collection) nearestPoint(using string, ref *qdrant.PointId) (nearest, error) {
	id, err := parseID(ref)
	if err != nil {
		return nearest{}, err
	}
	if err := c.checkVectorName(using); err != nil {
		return nearest{}, err
	}
	p := c.get(id)
	if p == nil {
		return nearest{}, notFound("No point with id %s found", id)
	}
	var near nearest
	if v, ok := p.dense[using]; ok {
		near = c.nearestDense(using, v)
	} else if v, ok := p.sparse[using]; ok {
		near = c.nearestSparse(using, v)
	} else {
		return nearest{}, notFound("Point with id %s has no vector %q", id, using)
	}
	near.exclude = &id
	return near, nil
}
