package watch_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern/internal/watch"
)

// running is a loop under test, in a bubble with its own time.
type running struct {
	mu      sync.Mutex
	looks   []time.Duration // when, since the start
	log     lockedBuffer
	fails   atomic.Bool
	slow    atomic.Int64 // what the next look takes
	changed func()       // a hint
	stop    func()
}

func start(t *testing.T, every time.Duration, hints func(ctx context.Context, changed func()) error) *running {
	t.Helper()
	r := new(running)
	began := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	loop := watch.Loop{
		Every: every, What: "the things", Stay: "those here stay", Logger: slog.New(slog.NewTextHandler(&r.log, nil)),
		Look: func(context.Context) error {
			r.mu.Lock()
			r.looks = append(r.looks, time.Since(began))
			r.mu.Unlock()
			time.Sleep(time.Duration(r.slow.Swap(0)))
			if r.fails.Load() {
				return errors.New("away")
			}
			return nil
		},
	}
	if hints != nil {
		loop.Hints = func(ctx context.Context, changed func()) error {
			r.changed = changed
			return hints(ctx, changed)
		}
	}
	go func() { done <- loop.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	synctest.Wait()
	return r
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// at is when was looked so far.
func (r *running) at() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.looks)
}

func (r *running) saw(t *testing.T, want ...time.Duration) {
	t.Helper()
	if d := cmp.Diff(want, r.at()); d != "" {
		t.Errorf("looks (-want +got):\n%s", d)
	}
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func untilEnd(ctx context.Context, _ func()) error {
	<-ctx.Done()
	return ctx.Err()
}

// It looks at once, every so often, and when a hint comes; hints during a look are one.
func TestLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, time.Minute, untilEnd)
		r.saw(t, 0)
		pass(90 * time.Second)
		r.saw(t, 0, time.Minute)
		r.slow.Store(int64(10 * time.Second))
		r.changed()
		synctest.Wait() // it looks
		for range 5 {
			r.changed()
		}
		pass(20 * time.Second)
		r.saw(t, 0, time.Minute, 90*time.Second, 100*time.Second)
		r.stop()
		before := len(r.at())
		pass(time.Hour)
		if len(r.at()) != before || r.log.String() != "" {
			t.Errorf("%d looks after the end; log %s", len(r.at())-before, &r.log)
		}
	})
}

// Without hints it polls; one that fails is tried again, and told once until it works.
func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, time.Second, nil)
		r.fails.Store(true)
		pass(3 * time.Second)
		r.saw(t, 0, time.Second, 2*time.Second, 3*time.Second)
		told := func(want int) {
			t.Helper()
			if n := strings.Count(r.log.String(), "the things cannot be looked up; those here stay"); n != want {
				t.Errorf("told %d times, want %d: %s", n, want, &r.log)
			}
		}
		told(1)
		r.fails.Store(false)
		pass(time.Second)
		r.fails.Store(true)
		pass(2 * time.Second)
		told(2)
		r.stop()
	})
}

// A store that stops giving hints is told, and polled all the same.
func TestNoMoreHints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, time.Second, func(context.Context, func()) error { return errors.New("cut off") })
		pass(2 * time.Second)
		r.saw(t, 0, time.Second, 2*time.Second)
		if n := strings.Count(r.log.String(), "the things are only polled"); n != 1 {
			t.Errorf("told %d times: %s", n, &r.log)
		}
		r.stop()
	})
}

// Run ends after the hints have: nobody is called later.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		r := start(t, time.Second, func(ctx context.Context, _ func()) error {
			<-ctx.Done()
			time.Sleep(time.Minute) // slow to let go
			ended = true
			return nil
		})
		r.stop()
		if !ended {
			t.Error("Run returned before the hints ended")
		}
		if r.log.String() != "" {
			t.Errorf("an end is no failure: %s", &r.log)
		}
	})
}
