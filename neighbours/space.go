package neighbours

import (
	"context"
	"sync/atomic"

	"github.com/lectern-dev/lectern"
)

// key tells what the vectors of a space are made of.
type key struct {
	version     int64 // of the generation
	fingerprint string
	model       int64 // of the collaborative vectors, 0 for none
}

// space is an index of learners whose vectors are all of one generation and one
// model.
type space struct {
	key   key
	index lectern.VectorIndex
	// Which vectors may be searched: those of everybody are there.
	content, cf atomic.Bool

	taken   *taken                            // what learners took; nil where it is read from the store
	divided atomic.Pointer[map[string]*cells] // by vector; nil where a search looks at everybody
}

func (s *space) put(ctx context.Context, b batch) error {
	points := b.points
	if len(points) == 0 {
		return nil
	}
	if s.taken != nil { // first, so that who is found has something
		for i, p := range points {
			s.taken.put(p.ID, b.entries[i], b.at)
		}
	}
	if err := s.index.Upsert(ctx, points); err != nil {
		return err
	}
	for name, c := range s.cells() {
		if err := c.put(ctx, points, name); err != nil {
			return err
		}
	}
	return nil
}

func (s *space) remove(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	for _, c := range s.cells() {
		c.remove(ids)
	}
	if s.taken != nil {
		s.taken.remove(ids)
	}
	return s.index.Delete(ctx, ids)
}

func (s *space) cells() map[string]*cells {
	if m := s.divided.Load(); m != nil {
		return *m
	}
	return nil
}

// nearest returns the k points nearest to a vector.
func (s *space) nearest(ctx context.Context, name string, vector []float32, k int) ([]lectern.Hit, error) {
	q := lectern.VectorQuery{Vector: name, Dense: vector, K: k}
	if c := s.cells()[name]; c != nil {
		near, err := c.near(ctx, vector, k)
		if err != nil {
			return nil, err
		}
		q.Filter.OnlyIDs = near
	}
	lists, err := s.index.Search(ctx, []lectern.VectorQuery{q})
	if err != nil {
		return nil, err
	}
	return lists[0], nil
}
