// Package lease elects one process among several by a lease in the store that
// all of them share. A process that is killed stops renewing it, and another
// takes over when it has run out.
package lease

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// TTL is how long a lease holds, and Renewal how often it is renewed or asked
// for: the leader's successor is at work TTL+Renewal after its death at the latest.
const (
	TTL     = 6 * time.Second
	Renewal = 2 * time.Second
)

// Store is the part of lectern.LeaseStore that an election needs.
type Store interface {
	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, name, holder string) error
}

// Lease is one process's part in an election. Run takes part; the other methods
// may be called at any time.
type Lease struct {
	store        Store
	name, holder string
	ttl, renewal time.Duration
	log          *slog.Logger

	mu    sync.Mutex
	until time.Time     // the lease is ours before this; zero when it is not
	moved chan struct{} // closed and replaced when the lease is won or lost
}

// ErrHeld is within the error of Hold when another process holds the lease.
var ErrHeld = errors.New("another process holds the lease")

// New returns a lease that is not held. holder must differ between processes.
func New(store Store, name, holder string, log *slog.Logger) *Lease {
	return newLease(store, name, holder, TTL, Renewal, log)
}

func newLease(store Store, name, holder string, ttl, renewal time.Duration, log *slog.Logger) *Lease {
	return &Lease{store: store, name: name, holder: holder, ttl: ttl, renewal: renewal, log: log, moved: make(chan struct{})}
}

// Run asks for the lease and renews it until ctx ends; then it gives it back.
func (l *Lease) Run(ctx context.Context) error {
	defer l.release(ctx)
	tick := time.NewTicker(l.renewal)
	defer tick.Stop()
	for {
		l.Try(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Try asks once and reports whether the lease is ours.
func (l *Lease) Try(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, l.ttl)
	defer cancel()
	// The store counts from when it answers, we from when we asked: ours ends first.
	asked := time.Now()
	held, err := l.store.AcquireLease(ctx, l.name, l.holder, l.ttl)
	if err != nil {
		if ctx.Err() == nil {
			l.log.Warn("cannot reach the store to renew a lease", slog.String("lease", l.name), slog.Any("err", err))
		}
		return l.Held() // what was ours stays ours until it runs out
	}
	until := time.Time{}
	if held {
		until = asked.Add(l.ttl)
	}
	l.set(until)
	return held
}

func (l *Lease) set(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := time.Now().Before(l.until)
	l.until = until
	if is := !until.IsZero(); was != is {
		l.log.Info("lease", slog.String("name", l.name), slog.Bool("held", is))
		close(l.moved)
		l.moved = make(chan struct{})
	}
}

// Held reports whether the lease is ours now.
func (l *Lease) Held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.until)
}

// While calls f each time the lease is won, with a context that ends when it is
// lost or has run out, until ctx ends. It waits for f to return before it goes on.
func (l *Lease) While(ctx context.Context, f func(context.Context)) {
	for ctx.Err() == nil {
		l.mu.Lock()
		held, moved := time.Now().Before(l.until), l.moved
		l.mu.Unlock()
		if !held {
			select {
			case <-ctx.Done():
			case <-moved:
			}
			continue
		}
		term, end := l.term(ctx)
		f(term)
		end()
	}
}

// term returns a context that ends with the lease.
func (l *Lease) term(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() { // ends with ctx
		defer close(done)
		for {
			l.mu.Lock()
			left, moved := time.Until(l.until), l.moved
			l.mu.Unlock()
			if left <= 0 {
				cancel(lectern.Errorf(lectern.CodeConflict, "the lease %q is no longer ours", l.name))
				return
			}
			timer := time.NewTimer(left)
			select {
			case <-ctx.Done():
			case <-moved:
			case <-timer.C:
			}
			timer.Stop()
			if ctx.Err() != nil {
				return
			}
		}
	}()
	return ctx, func() { cancel(context.Canceled); <-done }
}

func (l *Lease) release(ctx context.Context) {
	l.set(time.Time{})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.renewal)
	defer cancel()
	if err := l.store.ReleaseLease(ctx, l.name, l.holder); err != nil {
		l.log.Warn("cannot give a lease back; it runs out by itself", slog.String("lease", l.name), slog.Any("err", err))
	}
}

// Hold runs f while this process holds the lease, with a context that ends should
// it be lost. Errors: CodeConflict when another process holds it; f's.
func Hold(ctx context.Context, store Store, name, holder string, log *slog.Logger, f func(context.Context) error) error {
	l := New(store, name, holder, log)
	if !l.Try(ctx) {
		return lectern.Errorf(lectern.CodeConflict, "%w %q", ErrHeld, name)
	}
	renewing, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- l.Run(renewing) }()
	term, end := l.term(ctx)
	err := f(term)
	if lost := context.Cause(term); err != nil && lost != nil && ctx.Err() == nil {
		err = lost
	}
	end()
	stop()
	<-done
	return err
}
