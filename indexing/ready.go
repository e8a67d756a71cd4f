package indexing

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Readiness says how far the pipeline is.
type Readiness struct {
	Scanned     bool   // the whole catalogue has been read once, words included
	Courses     int    // open and unlisted ones read so far
	Words       int    // of those, searchable by words
	Vectors     int    // of those, with a vector of the active embedder
	Shared      bool   // the index is shared: Words and Vectors are what it says it holds
	Version     int64  // of the generation in use; 0 where there is none yet
	Open        bool   // the index can be searched; a shared one must be made and reached first
	Total       int    // open and unlisted courses that are expected, as far as is known
	Fingerprint string // of the active embedder, "" while there is none
	Training    bool   // an embedder is being trained or its vectors are being made
	Position    int64  // in the change feed: everything up to it is applied
	Err         string // the last failure, "" once things go well again
}

// WordsReady reports whether every course can be found by its words.
func (r Readiness) WordsReady() bool { return r.Scanned && r.Open && r.Words == r.Courses }

// sharedEnough is the share of the courses that must have their vector in a shared
// index for it to be ready: a process that starts must not wait for what others
// are embedding at that moment.
const sharedEnough = 0.9

// VectorsReady reports whether an embedder is active and every course has its
// vector, apart from texts that the embedder knows nothing of; in a shared index
// nine in ten are enough.
func (r Readiness) VectorsReady() bool {
	if !r.Scanned || !r.Open || r.Fingerprint == "" {
		return false
	}
	if r.Shared {
		return float64(r.Vectors) >= sharedEnough*float64(r.Total)
	}
	return r.Vectors == r.Total
}

// state is the part of Readiness that is not counted from the line.
type state struct {
	scanned  bool
	training bool
	expected int // courses, while the catalogue is read for the first time
	position int64
	changed  int64 // clock, in microseconds, of the last changed text
	failures map[string]string
	shared   lectern.IndexStats // of the shared index, as last seen
}

// err is what does not work at the moment, "" when everything does.
func (s *state) err() string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(s.failures)) {
		all = append(all, what+": "+s.failures[what])
	}
	return strings.Join(all, "; ")
}

// Ready reports how far the pipeline is.
func (p *Pipeline) Ready() Readiness {
	p.mu.Lock()
	s, failure := p.state, p.state.err()
	p.mu.Unlock()
	l := p.line.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	r := Readiness{
		Scanned: s.scanned, Courses: len(l.courses), Words: l.worded, Vectors: l.vectors,
		Total: max(len(l.courses), s.expected), Fingerprint: l.gen.Fingerprint(), Training: s.training,
		Position: s.position, Err: failure, Shared: l.follows, Version: l.gen.Version, Open: !l.gen.absent(),
	}
	if l.follows {
		if r.Words = l.worded; float64(s.shared.Points) < sharedEnough*float64(r.Words) {
			r.Words = s.shared.Points
		}
		r.Vectors = min(r.Courses, s.shared.Vectors[lectern.VectorContent])
		return r
	}
	if len(l.empty) > 0 { // only then is it worth counting
		for _, t := range l.courses {
			if _, known := l.empty[t.hash]; known && !t.vector {
				r.Total--
			}
		}
	}
	return r
}

// Wait blocks until what Ready reports satisfies done, or ctx ends.
func (p *Pipeline) Wait(ctx context.Context, done func(Readiness) bool) error {
	for {
		p.mu.Lock()
		moved := p.moved
		p.mu.Unlock()
		if done(p.Ready()) {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-moved:
		}
	}
}

// CatchUp blocks until everything that the store holds now is in the index.
func (p *Pipeline) CatchUp(ctx context.Context) error {
	last, err := p.lastChange(ctx)
	if err != nil {
		return err
	}
	p.Notify()
	if err := p.Wait(ctx, func(r Readiness) bool { return r.Scanned && r.Position >= last }); err != nil {
		return err
	}
	return p.waitForPublisher(ctx, last)
}

// update changes the state and wakes those who wait for it.
func (p *Pipeline) update(change func(*state)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.state)
	close(p.moved)
	p.moved = make(chan struct{})
}

// IndexStats counts the index in use. For a shared one these are the numbers last
// seen, some seconds old, so that asking costs nothing and works while it is away.
func (p *Pipeline) IndexStats(ctx context.Context) (lectern.IndexStats, error) {
	if p.o.Shared == nil {
		return p.gen.Load().Index.Stats(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.shared, nil
}
