package qdranttest

import (
	"context"
	"maps"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"
)

// pointsService is the Points service.
type pointsService struct {
	qdrant.UnimplementedPointsServer
	core *core
}

var _ qdrant.PointsServer = (*pointsService)(nil)

// change runs one write: f says what is wrong before it changes anything.
func (s *pointsService) change(name string, wait *bool, timeout *uint64, f func(*collection) error) (*qdrant.PointsOperationResponse, error) {
	if err := first(validateName(name), validateTimeout(timeout)); err != nil {
		return nil, err
	}
	var id uint64
	err := s.core.write(func(db *database) error {
		c, err := db.find(name)
		if err != nil {
			return err
		}
		c.operation++
		id = c.operation
		return f(c)
	})
	if err != nil {
		return nil, err
	}
	status := qdrant.UpdateStatus_Acknowledged
	if wait != nil && *wait {
		status = qdrant.UpdateStatus_Completed
	}
	return &qdrant.PointsOperationResponse{Result: &qdrant.UpdateResult{OperationId: proto.Uint64(id), Status: status}}, nil
}

// Upsert adds points or replaces them whole.
func (s *pointsService) Upsert(_ context.Context, r *qdrant.UpsertPoints) (*qdrant.PointsOperationResponse, error) {
	return s.change(r.CollectionName, r.Wait, r.Timeout, func(c *collection) error {
		points := make([]*point, len(r.Points))
		for i, p := range r.Points {
			var err error
			if points[i], err = c.readPoint(p); err != nil {
				return err
			}
		}
		if len(points) == 0 {
			return errEmptyUpdate()
		}
		for _, p := range points {
			c.put(c.overSealed(p))
		}
		return nil
	})
}

// overSealed is what comes of a new point over one in a sealed segment.
func (c *collection) overSealed(p *point) *point {
	old := c.get(p.id)
	if old == nil || !old.sealed {
		return p
	}
	merged := old.clone()
	maps.Copy(merged.dense, p.dense)
	maps.Copy(merged.sparse, p.sparse)
	if len(p.payload) > 0 {
		merged.payload = p.payload
	}
	return merged
}

func (c *collection) readPoint(in *qdrant.PointStruct) (*point, error) {
	if in.Vectors == nil {
		return nil, malformed("Expected some vectors")
	}
	if in.Id == nil {
		return nil, malformed("Empty ID is not allowed")
	}
	id, err := parseID(in.Id)
	if err != nil {
		return nil, err
	}
	payload, err := payloadOf(in.Payload)
	if err != nil {
		return nil, err
	}
	dense, sparse, err := c.readVectors(in.Vectors)
	if err != nil {
		return nil, err
	}
	return &point{id: id, tie: id.tie(), payload: payload, dense: dense, sparse: sparse}, nil
}

// selectPoints returns the points that a selector means. With strict every id
// must be there, as in changes of what a point holds.
func (c *collection) selectPoints(sel *qdrant.PointsSelector, strict bool) ([]*point, error) {
	var out []*point
	switch v := sel.GetPointsSelectorOneOf().(type) {
	case *qdrant.PointsSelector_Points:
		ids, err := parseIDs(v.Points.GetIds())
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			return nil, errEmptyUpdate()
		}
		for _, id := range ids {
			p := c.get(id)
			if p == nil && strict {
				return nil, notFound("No point with id %s found", id)
			}
			if p != nil {
				out = append(out, p)
			}
		}
	case *qdrant.PointsSelector_Filter:
		filter, err := c.filter(v.Filter, forWriting)
		if err != nil {
			return nil, err
		}
		for _, p := range c.points {
			if filter.point(p) {
				out = append(out, p)
			}
		}
	default:
		return nil, malformed("Malformed PointsSelector type")
	}
	return out, nil
}

// alter puts a changed copy of each selected point.
func (s *pointsService) alter(name string, wait *bool, timeout *uint64, sel *qdrant.PointsSelector, f func(*collection, *point)) (*qdrant.PointsOperationResponse, error) {
	if sel == nil {
		return nil, malformed("points_selector is expected")
	}
	return s.change(name, wait, timeout, func(c *collection) error {
		points, err := c.selectPoints(sel, true)
		if err != nil {
			return err
		}
		for _, p := range points {
			q := p.clone()
			f(c, q)
			c.put(q)
		}
		return nil
	})
}

// Delete removes points; ids that are not there are no error.
func (s *pointsService) Delete(_ context.Context, r *qdrant.DeletePoints) (*qdrant.PointsOperationResponse, error) {
	if r.Points == nil {
		return nil, malformed("PointSelector is missing")
	}
	return s.change(r.CollectionName, r.Wait, r.Timeout, func(c *collection) error {
		points, err := c.selectPoints(r.Points, false)
		if err != nil {
			return err
		}
		for _, p := range points {
			c.remove(p.id)
		}
		return nil
	})
}

// UpdateVectors sets some vectors of points and leaves the others.
func (s *pointsService) UpdateVectors(_ context.Context, r *qdrant.UpdatePointVectors) (*qdrant.PointsOperationResponse, error) {
	return s.change(r.CollectionName, r.Wait, r.Timeout, func(c *collection) error {
		var changed []*point
		for _, pv := range r.Points {
			if pv.Id == nil || pv.Vectors == nil {
				return malformed("id and vectors are expected")
			}
			id, err := parseID(pv.Id)
			if err != nil {
				return err
			}
			dense, sparse, err := c.readVectors(pv.Vectors)
			if err != nil {
				return err
			}
			if c.get(id) == nil {
				return notFound("No point with id %s found", id)
			}
			changed = append(changed, &point{id: id, dense: dense, sparse: sparse})
		}
		if len(changed) == 0 {
			return errEmptyUpdate()
		}
		for _, add := range changed {
			p := c.get(add.id).clone()
			maps.Copy(p.dense, add.dense)
			maps.Copy(p.sparse, add.sparse)
			c.put(p)
		}
		return nil
	})
}

// DeleteVectors takes named vectors away from points. As in Qdrant 1.18, the
// entries of a sparse vector stay in the word index unless the point is in a sealed
// segment: they count again once the point has another vector of that name.
func (s *pointsService) DeleteVectors(_ context.Context, r *qdrant.DeletePointVectors) (*qdrant.PointsOperationResponse, error) {
	if r.Vectors == nil {
		return nil, malformed("vectors is expected")
	}
	if len(r.Vectors.Names) == 0 {
		return nil, invalid("vector_names", "must specify vector names to delete")
	}
	if r.PointsSelector == nil {
		return nil, malformed("points_selector is expected")
	}
	return s.change(r.CollectionName, r.Wait, r.Timeout, func(c *collection) error {
		for _, name := range r.Vectors.Names {
			if err := c.checkVectorName(name); err != nil {
				return err
			}
		}
		points, err := c.selectPoints(r.PointsSelector, true)
		if err != nil {
			return err
		}
		for _, p := range points {
			q := p.clone()
			for _, name := range r.Vectors.Names {
				delete(q.dense, name)
				delete(q.sparse, name)
			}
			c.put(q)
			if !p.sealed {
				q.stale = withDeleted(q.stale, p, r.Vectors.Names)
			}
		}
		return nil
	})
}

// SetPayload sets some keys and leaves the others; null takes a key away.
func (s *pointsService) SetPayload(_ context.Context, r *qdrant.SetPayloadPoints) (*qdrant.PointsOperationResponse, error) {
	payload, err := payloadOf(r.Payload)
	if err != nil {
		return nil, err
	}
	return s.alter(r.CollectionName, r.Wait, r.Timeout, r.PointsSelector, func(_ *collection, p *point) {
		for key, value := range payload {
			if value == nil {
				delete(p.payload, key)
				continue
			}
			p.payload[key] = value
		}
	})
}

// OverwritePayload replaces payloads whole.
func (s *pointsService) OverwritePayload(_ context.Context, r *qdrant.SetPayloadPoints) (*qdrant.PointsOperationResponse, error) {
	payload, err := payloadOf(r.Payload)
	if err != nil {
		return nil, err
	}
	return s.alter(r.CollectionName, r.Wait, r.Timeout, r.PointsSelector, func(_ *collection, p *point) {
		p.payload = cloneMap(payload)
	})
}

// DeletePayload takes keys away. Only keys at the top are implemented.
func (s *pointsService) DeletePayload(_ context.Context, r *qdrant.DeletePayloadPoints) (*qdrant.PointsOperationResponse, error) {
	var keys []string
	for _, key := range r.Keys {
		p, err := parsePath(key)
		if err != nil {
			return nil, err
		}
		if len(p) > 1 {
			return nil, unimplemented("DeletePayload of the nested key %q", key)
		}
		keys = append(keys, p[0].key)
	}
	return s.alter(r.CollectionName, r.Wait, r.Timeout, r.PointsSelector, func(_ *collection, p *point) {
		for _, key := range keys {
			delete(p.payload, key)
		}
	})
}

// ClearPayload takes every key away.
func (s *pointsService) ClearPayload(_ context.Context, r *qdrant.ClearPayloadPoints) (*qdrant.PointsOperationResponse, error) {
	return s.alter(r.CollectionName, r.Wait, r.Timeout, r.Points, func(_ *collection, p *point) {
		p.payload = map[string]any{}
	})
}

func (c *collection) checkVectorName(name string) error {
	_, dense := c.dense[name]
	_, sparse := c.sparse[name]
	if !dense && !sparse {
		return wrongInput("Not existing vector name error: %s", name)
	}
	return nil
}
