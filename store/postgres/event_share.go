package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lectern-dev/lectern"
)

const (
	maxShared    = 100  // events in a call that may share a transaction
	maxShareSize = 1000 // events in a shared transaction
	shareSpare   = 3    // shared transactions beside the one that usually runs

	// sharePatience is after how long a call no longer waits for the transaction
	// that runs: something holds it up, such as a lock on one learner.
	sharePatience = 50 * time.Millisecond
)

// appendShare lets small calls that come at the same time share a transaction.
// Commits of events follow one another, so that their number is what bounds the
// rate at which single events come in. One transaction at a time gathers most.
type appendShare struct {
	lane  chan struct{} // holds a token while a shared transaction runs
	spare chan struct{} // likewise, for when that one is held up

	mu    sync.Mutex
	queue []*pendingAppend
}

// pendingAppend is one call. Its outcome is set before done is closed.
type pendingAppend struct {
	ctx     context.Context
	events  []lectern.EventWrite
	taken   bool // out of the queue, on its way into the store
	done    chan struct{}
	results []lectern.WriteResult
	err     error
}

// appendFunc stores events in one transaction.
type appendFunc func(context.Context, []lectern.EventWrite) ([]lectern.WriteResult, error)

// errUnfinished is the outcome of calls whose transaction has panicked.
var errUnfinished = errors.New("events were not stored")

func newAppendShare() *appendShare {
	return &appendShare{lane: make(chan struct{}, 1), spare: make(chan struct{}, shareSpare)}
}

// run stores events with store, together with those of other callers. Whoever
// finds a lane free takes all that wait along. A caller whose context ends
// returns at once; its events may still be stored.
func (a *appendShare) run(ctx context.Context, events []lectern.EventWrite, store appendFunc) ([]lectern.WriteResult, error) {
	p := &pendingAppend{ctx: ctx, events: events, done: make(chan struct{})}
	a.mu.Lock()
	a.queue = append(a.queue, p)
	a.mu.Unlock()
	held := time.NewTimer(sharePatience)
	defer held.Stop()
	lane, late := a.lane, held.C
	var spare chan struct{} // nil until it is late
	for {
		select {
		case <-p.done:
			return p.results, p.err
		case lane <- struct{}{}:
			a.serve(lane, store)
		case spare <- struct{}{}:
			a.serve(spare, store)
		case <-late:
			spare = a.spare
		case <-ctx.Done():
			a.leave(p)
			return nil, fail(ctx.Err())
		}
		if a.isTaken(p) { // what remains is the work of others
			lane, spare, late = nil, nil, nil
		}
	}
}

func (a *appendShare) isTaken(p *pendingAppend) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return p.taken
}

// serve stores what waits and frees the lane that the caller has taken.
func (a *appendShare) serve(lane <-chan struct{}, store appendFunc) {
	defer func() { <-lane }()
	if calls := a.take(); len(calls) > 0 {
		appendTogether(calls, store)
	}
}

// leave removes a call from the queue if it is still there.
func (a *appendShare) leave(p *pendingAppend) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.queue, p); i >= 0 {
		a.queue = slices.Delete(slices.Clone(a.queue), i, i+1)
	}
}

// take removes calls from the queue, as many as one transaction should hold.
func (a *appendShare) take() []*pendingAppend {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, size := 0, 0
	for n < len(a.queue) && (n == 0 || size+len(a.queue[n].events) <= maxShareSize) {
		size += len(a.queue[n].events)
		a.queue[n].taken = true
		n++
	}
	taken := a.queue[:n:n]
	a.queue = a.queue[n:]
	if len(a.queue) == 0 {
		a.queue = nil // and with it the memory behind it
	}
	return taken
}

// appendTogether stores the events of several calls and hands out the outcomes.
// When all together fail, each is tried alone, so that none fails for another.
func appendTogether(calls []*pendingAppend, store appendFunc) {
	defer func() {
		for _, p := range calls {
			close(p.done)
		}
	}()
	if len(calls) == 1 {
		calls[0].err = errUnfinished
		calls[0].results, calls[0].err = store(calls[0].ctx, calls[0].events)
		return
	}
	var all []lectern.EventWrite
	for _, p := range calls {
		p.err = errUnfinished
		all = append(all, p.events...)
	}
	ctx, cancel := whileAnyWaits(calls)
	defer cancel()
	results, err := store(ctx, all)
	if err != nil && ctx.Err() == nil && lectern.ErrorCode(err) != lectern.CodeUnavailable {
		for _, p := range calls {
			p.results, p.err = store(p.ctx, p.events)
		}
		return
	}
	for _, p := range calls {
		if p.err = err; err == nil {
			p.results, results = results[:len(p.events):len(p.events)], results[len(p.events):]
		}
	}
}

// whileAnyWaits returns a context that ends when those of all calls have ended.
func whileAnyWaits(calls []*pendingAppend) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(calls[0].ctx))
	var waiting atomic.Int64
	waiting.Store(int64(len(calls)))
	stops := make([]func() bool, len(calls))
	for i, p := range calls {
		stops[i] = context.AfterFunc(p.ctx, func() {
			if waiting.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}
