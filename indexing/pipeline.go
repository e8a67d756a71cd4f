package indexing

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/lectern-dev/lectern"
)

// Pipeline keeps an index, and other sinks, in step with the store. Make it with
// New; Run does the work, and the other methods may be called at any time.
type Pipeline struct {
	o      Options
	holder string                     // of leases
	line   atomic.Pointer[line]       // in use
	gen    atomic.Pointer[Generation] // what Generation returns

	loading sync.Mutex // held while the active embedder is loaded
	loaded  bool

	wake     chan struct{}  // a hint to the follower that there are changes
	publish  chan struct{}  // the same to who writes the shared index
	adoption chan *adoption // a line for the follower to take over
	running  atomic.Bool

	training sync.Mutex // held by the one training
	embedMu  sync.Mutex // held while texts are embedded, so that none is twice

	mu      sync.Mutex
	state   state
	moved   chan struct{} // closed and replaced when state changes
	trained map[uint64]struct{}
	trains  bool             // the active embedder was trained; trained says on what
	pending lectern.Embedder // trained, but not switched to yet
}

// New returns a pipeline at rest. Errors: CodeInvalid for settings out of range.
func New(o Options) (*Pipeline, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	p := &Pipeline{
		o:        o,
		holder:   cmp.Or(o.Holder, rand.Text()),
		wake:     make(chan struct{}, 1),
		publish:  make(chan struct{}, 1),
		adoption: make(chan *adoption),
		moved:    make(chan struct{}),
		state:    state{failures: map[string]string{}},
	}
	first := &Generation{Index: absentIndex{}}
	if o.Shared == nil {
		first.Index = o.NewIndex()
	}
	p.use(p.newLine(first))
	return p, nil
}

// newLine returns the empty line that the follower keeps.
func (p *Pipeline) newLine(g *Generation) *line {
	l := newLine(g, p.o.Words)
	l.follows = p.o.Shared != nil
	l.cf.room = p.o.Dense[lectern.VectorCF]
	return l
}

// Run loads the active embedder, reads the catalogue and follows its changes
// until ctx ends. Failures of the store are logged and tried again; Run returns
// nil when ctx ends. It must not be called twice at a time.
func (p *Pipeline) Run(ctx context.Context) error {
	if !p.running.CompareAndSwap(false, true) {
		return lectern.Errorf(lectern.CodeConflict, "the indexing pipeline is already running")
	}
	defer func() {
		p.running.Store(false)
		p.update(func(s *state) { s.scanned = false }) // wake those who wait for it
	}()
	p.retry(ctx, "load the active embedder", p.Load)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { p.tend(ctx) })
	if p.o.Shared != nil {
		wg.Go(func() { p.publishWhileLeading(ctx) })
	}
	p.follow(ctx)
	cancel()
	wg.Wait()
	return nil
}

// Generation returns the index in use and the embedder that belongs to it, nil
// while there are only words. Take both in one call and keep them for a whole
// request.
func (p *Pipeline) Generation() (lectern.VectorIndex, lectern.Embedder) {
	g := p.gen.Load()
	return g.Index, g.Embedder
}

// ActiveEmbedder returns the embedder in use, and whether there is one.
func (p *Pipeline) ActiveEmbedder() (lectern.Embedder, bool) {
	g := p.gen.Load()
	return g.Embedder, g.Embedder != nil
}

// Notify hints that the store has changed, so that the feed is read at once.
func (p *Pipeline) Notify() {
	for _, hint := range []chan struct{}{p.wake, p.publish} {
		select {
		case hint <- struct{}{}:
		default: // a hint is waiting already
		}
	}
}

// use puts a line into service.
func (p *Pipeline) use(l *line) {
	p.line.Store(l)
	p.gen.Store(l.generation())
}

// setEmbedder puts an embedder that suits the line's vectors into service.
func (p *Pipeline) setEmbedder(l *line, e lectern.Embedder, version int64) {
	p.gen.Store(l.setEmbedder(e, version))
	p.update(func(*state) {})
}

// ended reports whether err only says that ctx is over.
func ended(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}
