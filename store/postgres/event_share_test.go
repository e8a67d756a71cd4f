package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-dev/lectern"
)

// ledger is a store of events that can be held up.
type ledger struct {
	mu      sync.Mutex
	batches [][]string
	hold    chan struct{} // a batch waits until it can receive
}

func (l *ledger) store(ctx context.Context, events []lectern.EventWrite) ([]lectern.WriteResult, error) {
	if l.hold != nil {
		select {
		case <-l.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var ids []string
	results := make([]lectern.WriteResult, len(events))
	for i, e := range events {
		ids = append(ids, e.Event.ID)
		results[i] = lectern.WriteResult{Outcome: lectern.WriteOutcome(e.Event.ID)}
	}
	l.mu.Lock()
	l.batches = append(l.batches, ids)
	l.mu.Unlock()
	if slices.Contains(ids, "bad") {
		return nil, errors.New("bad")
	}
	return results, nil
}

func named(ids ...string) []lectern.EventWrite {
	out := make([]lectern.EventWrite, len(ids))
	for i, id := range ids {
		out[i].Event.ID = id
	}
	return out
}

func TestShareGathersWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a := &ledger{hold: make(chan struct{})}, newAppendShare()
		call := func(id string) {
			results, err := a.run(t.Context(), named(id, id+"'"), l.store)
			if id == "bad" {
				if err == nil {
					t.Error("the bad call succeeded")
				}
				return
			}
			if err != nil || len(results) != 2 || results[0].Outcome != lectern.WriteOutcome(id) {
				t.Errorf("%s: %v, %v", id, results, err)
			}
		}
		go call("first")
		synctest.Wait()
		for _, id := range []string{"a", "bad", "b"} {
			go call(id)
		}
		synctest.Wait()
		close(l.hold)
		synctest.Wait()
		// The first goes alone; the others go together, and then each alone, since
		// one of them makes that fail.
		var sizes []int
		for _, b := range l.batches {
			sizes = append(sizes, len(b))
		}
		if want := []int{2, 6, 2, 2, 2}; !slices.Equal(sizes, want) {
			t.Errorf("batches of %v events, want %v", sizes, want)
		}
	})
}

func TestShareLetsCallersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a := &ledger{hold: make(chan struct{})}, newAppendShare()
		first, stopFirst := context.WithCancel(t.Context())
		second, stopSecond := context.WithCancel(t.Context())
		errs := make(chan error, 2)
		go func() { _, err := a.run(first, named("first"), l.store); errs <- err }()
		synctest.Wait()
		go func() { _, err := a.run(second, named("second"), l.store); errs <- err }()
		synctest.Wait()
		stopSecond()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if len(a.queue) != 0 {
			t.Error("who has left is still in the queue")
		}
		stopFirst()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if len(a.lane)+len(l.batches) != 0 {
			t.Error("something is left over")
		}
	})
}

// TestShareGoesRound checks that a transaction that hangs holds up no one for
// long.
func TestShareGoesRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a := &ledger{hold: make(chan struct{})}, newAppendShare()
		ctx, stop := context.WithCancel(t.Context())
		go func() { _, _ = a.run(ctx, named("hangs"), l.store) }()
		synctest.Wait()
		free := &ledger{}
		start := time.Now()
		for i := range 5 {
			if _, err := a.run(t.Context(), named(fmt.Sprint(i)), free.store); err != nil {
				t.Error(err)
			}
		}
		if waited := time.Since(start); waited != 5*sharePatience {
			t.Errorf("five calls waited %v", waited)
		}
		stop()
		synctest.Wait()
	})
}
