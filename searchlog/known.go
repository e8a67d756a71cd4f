package searchlog

import (
	"context"
	"sync"

	"github.com/lectern-dev/lectern"
)

// Known finds the courses of a live catalogue by what stands for them in tokens.
// It holds about 50 bytes a course and is safe for concurrent use.
type Known struct {
	sealer *Sealer

	mu  sync.RWMutex
	ids map[CourseHash]string
}

var _ Resolver = (*Known)(nil)

// NewKnown returns an empty catalogue.
func NewKnown(sealer *Sealer) *Known {
	return &Known{sealer: sealer, ids: make(map[CourseHash]string)}
}

// Apply takes courses in and out. reset begins the catalogue anew.
func (k *Known) Apply(upserts, deletes []string, reset bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if reset {
		k.ids = make(map[CourseHash]string, len(upserts))
	}
	for _, id := range upserts {
		k.ids[k.sealer.HashCourse(id)] = id
	}
	for _, id := range deletes {
		if h := k.sealer.HashCourse(id); k.ids[h] == id {
			delete(k.ids, h)
		}
	}
}

// Resolve implements Resolver.
func (k *Known) Resolve(_ context.Context, hashes []CourseHash) ([]string, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	out := make([]string, len(hashes))
	for i, h := range hashes {
		out[i] = k.ids[h]
	}
	return out, nil
}

// CourseScanner reads a catalogue. lectern.CourseStore is one.
type CourseScanner interface {
	ScanCourses(ctx context.Context, after int64, limit int) ([]lectern.Course, int64, error)
}

// Stored finds courses in a store, which it reads whole when it is first asked:
// for an import, which has no live catalogue and rarely brings a token.
type Stored struct {
	store CourseScanner

	mu    sync.Mutex
	known *Known
	read  bool
}

var _ Resolver = (*Stored)(nil)

// NewStored returns a resolver over a store.
func NewStored(store CourseScanner, sealer *Sealer) *Stored {
	return &Stored{store: store, known: NewKnown(sealer)}
}

// Resolve implements Resolver.
func (s *Stored) Resolve(ctx context.Context, hashes []CourseHash) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const page = 1000
	for after := int64(0); !s.read; {
		courses, next, err := s.store.ScanCourses(ctx, after, page)
		if err != nil {
			return nil, err
		}
		ids := make([]string, len(courses))
		for i, c := range courses {
			ids[i] = c.ID
		}
		s.known.Apply(ids, nil, false)
		after, s.read = next, next == 0
	}
	return s.known.Resolve(ctx, hashes)
}
