package qdranttest

import (
	"cmp"
	"context"
	"slices"

	"github.com/qdrant/go-client/qdrant"
)

// defaultLimit is how many points a scroll or a query returns unasked.
const defaultLimit = 10

// selection is what to return of a point.
type selection struct {
	payload func(map[string]any) map[string]any
	vectors func(name string) bool
}

// selecting reads both selectors; a scroll returns payloads unasked, all else
// nothing.
func (c *collection) selecting(payload *qdrant.WithPayloadSelector, vectors *qdrant.WithVectorsSelector, payloadDefault bool) (selection, error) {
	var s selection
	var err error
	if s.payload, err = payloadSelection(payload, payloadDefault); err != nil {
		return s, err
	}
	switch v := vectors.GetSelectorOptions().(type) {
	case nil:
		s.vectors = func(string) bool { return false }
	case *qdrant.WithVectorsSelector_Enable:
		s.vectors = func(string) bool { return v.Enable }
	case *qdrant.WithVectorsSelector_Include:
		for _, name := range v.Include.GetNames() {
			if err := c.checkVectorName(name); err != nil {
				return s, err
			}
		}
		s.vectors = func(name string) bool { return slices.Contains(v.Include.GetNames(), name) }
	}
	return s, nil
}

func payloadSelection(sel *qdrant.WithPayloadSelector, byDefault bool) (func(map[string]any) map[string]any, error) {
	enable := byDefault
	switch v := sel.GetSelectorOptions().(type) {
	case *qdrant.WithPayloadSelector_Enable:
		enable = v.Enable
	case *qdrant.WithPayloadSelector_Include:
		return fieldSelection(v.Include.GetFields(), true)
	case *qdrant.WithPayloadSelector_Exclude:
		return fieldSelection(v.Exclude.GetFields(), false)
	}
	return func(in map[string]any) map[string]any {
		if !enable {
			return nil
		}
		return in
	}, nil
}

// fieldSelection keeps the named fields or the others. Only fields at the top
// are implemented.
func fieldSelection(fields []string, include bool) (func(map[string]any) map[string]any, error) {
	keys := make([]string, len(fields))
	for i, field := range fields {
		p, err := parsePath(field)
		if err != nil {
			return nil, err
		}
		if len(p) > 1 {
			return nil, unimplemented("selection of the nested payload field %q", field)
		}
		keys[i] = p[0].key
	}
	return func(in map[string]any) map[string]any {
		out := map[string]any{}
		for k, v := range in {
			if slices.Contains(keys, k) == include {
				out[k] = v
			}
		}
		return out
	}, nil
}

// outVectors returns nil where no vector was asked for.
func (s selection) outVectors(c *collection, p *point) *qdrant.VectorsOutput {
	named := map[string]*qdrant.VectorOutput{}
	for name, v := range p.dense {
		if s.vectors(name) {
			named[name] = &qdrant.VectorOutput{Vector: &qdrant.VectorOutput_Dense{Dense: &qdrant.DenseVector{Data: v}}}
		}
	}
	for name, v := range p.sparse {
		if s.vectors(name) {
			named[name] = &qdrant.VectorOutput{Vector: &qdrant.VectorOutput_Sparse{
				Sparse: &qdrant.SparseVector{Indices: v.indices, Values: v.values},
			}}
		}
	}
	if v, ok := named[""]; ok && len(named) == 1 {
		return &qdrant.VectorsOutput{VectorsOptions: &qdrant.VectorsOutput_Vector{Vector: v}}
	}
	if len(named) == 0 && !slices.ContainsFunc(c.vectorNames(), s.vectors) {
		return nil
	}
	return &qdrant.VectorsOutput{VectorsOptions: &qdrant.VectorsOutput_Vectors{Vectors: &qdrant.NamedVectorsOutput{Vectors: named}}}
}

func (c *collection) vectorNames() []string {
	var names []string
	for name := range c.dense {
		names = append(names, name)
	}
	for name := range c.sparse {
		names = append(names, name)
	}
	return names
}

func (s selection) retrieved(c *collection, p *point) *qdrant.RetrievedPoint {
	return &qdrant.RetrievedPoint{Id: p.id.proto(), Payload: protoPayload(s.payload(p.payload)), Vectors: s.outVectors(c, p)}
}

// Get returns the points that are there, each once, in no promised order.
func (s *pointsService) Get(_ context.Context, r *qdrant.GetPoints) (*qdrant.GetResponse, error) {
	if err := first(validateName(r.CollectionName), validateTimeout(r.Timeout)); err != nil {
		return nil, err
	}
	ids, err := parseIDs(r.Ids)
	if err != nil {
		return nil, err
	}
	res := &qdrant.GetResponse{}
	err = s.core.read(func(db *database) error {
		c, err := db.find(r.CollectionName)
		if err != nil {
			return err
		}
		sel, err := c.selecting(r.WithPayload, r.WithVectors, false)
		if err != nil {
			return err
		}
		var points []*point
		for _, id := range ids {
			if p := c.get(id); p != nil && !slices.Contains(points, p) {
				points = append(points, p)
			}
		}
		slices.SortFunc(points, func(a, b *point) int { return cmp.Compare(a.tie, b.tie) })
		for _, p := range points {
			res.Result = append(res.Result, sel.retrieved(c, p))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// Scroll pages through points by rising id, from the offset on.
func (s *pointsService) Scroll(_ context.Context, r *qdrant.ScrollPoints) (*qdrant.ScrollResponse, error) {
	err := first(validateName(r.CollectionName), validateTimeout(r.Timeout), atLeast("limit", r.Limit, 1))
	if err != nil {
		return nil, err
	}
	var from *pointID
	if r.Offset != nil {
		id, err := parseID(r.Offset)
		if err != nil {
			return nil, err
		}
		from = &id
	}
	limit := defaultLimit
	if r.Limit != nil {
		limit = int(*r.Limit)
	}
	res := &qdrant.ScrollResponse{}
	err = s.core.read(func(db *database) error {
		c, err := db.find(r.CollectionName)
		if err != nil {
			return err
		}
		sel, err := c.selecting(r.WithPayload, r.WithVectors, true)
		if err != nil {
			return err
		}
		points, err := c.matching(r.Filter)
		if err != nil {
			return err
		}
		if from != nil {
			points = slices.DeleteFunc(points, func(p *point) bool { return p.id.compare(*from) < 0 })
		}
		slices.SortFunc(points, func(a, b *point) int { return a.id.compare(b.id) })
		if len(points) > limit {
			res.NextPageOffset = points[limit].id.proto()
			points = points[:limit]
		}
		for _, p := range points {
			res.Result = append(res.Result, sel.retrieved(c, p))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// matching lists the points that pass a filter.
func (c *collection) matching(f *qdrant.Filter) ([]*point, error) {
	filter, err := c.filter(f, forReading)
	if err != nil {
		return nil, err
	}
	var out []*point
	for _, p := range c.points {
		if filter.point(p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// Count counts, always exactly.
func (s *pointsService) Count(_ context.Context, r *qdrant.CountPoints) (*qdrant.CountResponse, error) {
	if err := first(validateName(r.CollectionName), validateTimeout(r.Timeout)); err != nil {
		return nil, err
	}
	res := &qdrant.CountResponse{Result: &qdrant.CountResult{}}
	err := s.core.read(func(db *database) error {
		c, err := db.find(r.CollectionName)
		if err != nil {
			return err
		}
		points, err := c.matching(r.Filter)
		res.Result.Count = uint64(len(points))
		return err
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}
