package indexing

import "context"

// Readiness says how far the pipeline is.
type Readiness struct {
	Scanned     bool   // the whole catalogue has been read once, words included
	Courses     int    // open and unlisted ones read so far
	Words       int    // of those, searchable by words
	Vectors     int    // of those, with a vector of the active embedder
	Total       int    // open and unlisted courses that are expected, as far as is known
	Fingerprint string // of the active embedder, "" while there is none
	Training    bool   // an embedder is being trained or its vectors are being made
	Position    int64  // in the change feed: everything up to it is applied
	Err         string // the last failure, "" once things go well again
}

// WordsReady reports whether every course can be found by its words.
func (r Readiness) WordsReady() bool { return r.Scanned && r.Words == r.Courses }

// VectorsReady reports whether an embedder is active and every course has its
// vector, apart from texts that the embedder knows nothing of.
func (r Readiness) VectorsReady() bool {
	return r.Scanned && r.Fingerprint != "" && r.Vectors == r.Total
}

// state is the part of Readiness that is not counted from the line.
type state struct {
	scanned  bool
	training bool
	expected int // courses, while the catalogue is read for the first time
	position int64
	changed  int64 // clock, in microseconds, of the last changed text
	err      string
}

// Ready reports how far the pipeline is.
func (p *Pipeline) Ready() Readiness {
	p.mu.Lock()
	s := p.state
	p.mu.Unlock()
	l := p.line.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	r := Readiness{
		Scanned: s.scanned, Courses: len(l.courses), Words: l.worded, Vectors: l.vectors,
		Total: max(len(l.courses), s.expected), Fingerprint: l.gen.Fingerprint(), Training: s.training,
		Position: s.position, Err: s.err,
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
	return p.Wait(ctx, func(r Readiness) bool { return r.Scanned && r.Position >= last })
}

// update changes the state and wakes those who wait for it.
func (p *Pipeline) update(change func(*state)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.state)
	close(p.moved)
	p.moved = make(chan struct{})
}
