package lease

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-dev/lectern"
)

// shared is a lease table whose clock is the test's.
type shared struct {
	mu     sync.Mutex
	holder string
	until  time.Time
	down   bool
}

func (s *shared) AcquireLease(_ context.Context, _, holder string, ttl time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return false, errors.New("the store is down")
	}
	if s.holder != holder && time.Now().Before(s.until) {
		return false, nil
	}
	s.holder, s.until = holder, time.Now().Add(ttl)
	return true, nil
}

func (s *shared) ReleaseLease(_ context.Context, _, holder string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder == holder {
		s.until = time.Time{}
	}
	return nil
}

func (s *shared) set(down bool) { s.mu.Lock(); s.down = down; s.mu.Unlock() }

func start(ctx context.Context, s *shared, holder string) *Lease {
	l := New(s, "leader", holder, slog.New(slog.DiscardHandler))
	go func() { _ = l.Run(ctx) }()
	return l
}

func TestOneLeaderAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shared{}
		first, stopFirst := context.WithCancel(t.Context())
		a := start(first, s, "a")
		synctest.Wait()
		b := start(t.Context(), s, "b")
		time.Sleep(time.Minute)
		if !a.Held() || b.Held() {
			t.Fatalf("after a minute: a %v, b %v", a.Held(), b.Held())
		}
		stopFirst() // gives the lease back
		time.Sleep(Renewal + time.Millisecond)
		if a.Held() || !b.Held() {
			t.Errorf("after a's end: a %v, b %v", a.Held(), b.Held())
		}
	})
}

// TestKilledLeader has a leader that goes silent: its successor must be there
// within ten seconds, and it must know itself that its time is over.
func TestKilledLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shared{}
		a := New(s, "leader", "a", slog.New(slog.DiscardHandler))
		if !a.Try(t.Context()) {
			t.Fatal("nobody has it, and a does not get it")
		}
		b := start(t.Context(), s, "b")
		time.Sleep(TTL - time.Millisecond)
		if !a.Held() || b.Held() {
			t.Fatalf("before the end: a %v, b %v", a.Held(), b.Held())
		}
		time.Sleep(Renewal + 2*time.Millisecond)
		if a.Held() || !b.Held() {
			t.Errorf("after the end: a %v, b %v", a.Held(), b.Held())
		}
	})
}

func TestWhileEndsWithTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shared{}
		l := start(t.Context(), s, "a")
		terms := make(chan time.Duration, 10)
		go l.While(t.Context(), func(ctx context.Context) {
			began := time.Now()
			<-ctx.Done()
			terms <- time.Since(began)
		})
		time.Sleep(10 * time.Second)
		if len(terms) != 0 {
			t.Fatal("the term ended though the lease was renewed")
		}
		s.set(true) // what was ours stays ours until it runs out
		time.Sleep(TTL)
		synctest.Wait()
		if len(terms) != 1 || l.Held() {
			t.Fatalf("%d terms ended, held %v, without a store for %v", len(terms), l.Held(), TTL)
		}
		s.set(false)
		time.Sleep(Renewal)
		synctest.Wait()
		if !l.Held() {
			t.Error("the lease was not won again")
		}
	})
}

func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shared{}
		log := slog.New(slog.DiscardHandler)
		err := Hold(t.Context(), s, "one", "a", log, func(ctx context.Context) error {
			time.Sleep(time.Minute)
			return Hold(ctx, s, "one", "b", log, func(context.Context) error { return errors.New("both hold it") })
		})
		if lectern.ErrorCode(err) != lectern.CodeConflict {
			t.Errorf("a second holder got %v", err)
		}
		if err := Hold(t.Context(), s, "one", "b", log, func(context.Context) error { return nil }); err != nil {
			t.Errorf("after its release: %v", err)
		}
	})
}
