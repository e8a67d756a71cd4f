package storetest

import (
	"fmt"
	"testing"
	"time"
)

func testLeases(t *testing.T, s Store) {
	take := func(name, holder string, ttl time.Duration) bool {
		t.Helper()
		return must[bool](t)(s.AcquireLease(t.Context(), name, holder, ttl))
	}
	for _, step := range []struct {
		what, name, holder string
		want               bool
	}{
		{"a free lease", "leader", "a", true},
		{"renewed", "leader", "a", true},
		{"another's", "leader", "b", false},
		{"renewed after a refusal", "leader", "a", true},
		{"another name", "indexer", "b", true},
		{"another name of another's", "indexer", "a", false},
	} {
		equal(t, step.what, take(step.name, step.holder, time.Hour), step.want)
	}
	ok(t, s.ReleaseLease(t.Context(), "leader", "b"))
	ok(t, s.ReleaseLease(t.Context(), "none", "b"))
	equal(t, "after a release by somebody else", take("leader", "b", time.Hour), false)
	ok(t, s.ReleaseLease(t.Context(), "leader", "a"))
	ok(t, s.ReleaseLease(t.Context(), "leader", "a"))
	equal(t, "after its release", take("leader", "b", time.Hour), true)
	equal(t, "for the one who released it", take("leader", "a", time.Hour), false)
	equal(t, "the other name's", take("indexer", "a", time.Hour), false)
}

func testLeaseExpiry(t *testing.T, s Store) {
	ctx := t.Context()
	equal(t, "first", must[bool](t)(s.AcquireLease(ctx, "leader", "a", time.Millisecond)), true)
	awaitLease(t, s, "leader", "b", time.Hour)
	equal(t, "after somebody took it over", must[bool](t)(s.AcquireLease(ctx, "leader", "a", time.Hour)), false)
	ok(t, s.ReleaseLease(ctx, "leader", "a"))
	equal(t, "after its former holder released it", must[bool](t)(s.AcquireLease(ctx, "leader", "a", time.Hour)), false)

	// A renewal counts from now: it may also bring the end closer.
	equal(t, "cut short", must[bool](t)(s.AcquireLease(ctx, "leader", "b", time.Millisecond)), true)
	awaitLease(t, s, "leader", "a", time.Hour)
	equal(t, "for the one who cut it short", must[bool](t)(s.AcquireLease(ctx, "leader", "b", time.Hour)), false)
}

// awaitLease asks for a lease that is about to be over until it is given.
func awaitLease(t *testing.T, s Store, name, holder string, ttl time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if must[bool](t)(s.AcquireLease(t.Context(), name, holder, ttl)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q does not get a lease that is long over", holder)
		}
	}
}

// testLeaseRace lets holders ask at once for leases that are free and for ones
// that are over.
func testLeaseRace(t *testing.T, s Store) {
	ctx := t.Context()
	const leases, holders = 10, 4
	for i := range leases {
		name := fmt.Sprint("lease ", i)
		if i%2 == 1 {
			must[bool](t)(s.AcquireLease(ctx, name, "dead", time.Millisecond))
			time.Sleep(5 * time.Millisecond)
		}
		type answer struct {
			held bool
			err  error
		}
		start, answers := make(chan struct{}), make(chan answer, holders)
		for h := range holders {
			go func() {
				<-start
				held, err := s.AcquireLease(ctx, name, fmt.Sprint("holder ", h), time.Hour)
				answers <- answer{held, err}
			}()
		}
		close(start)
		won := 0
		for range holders {
			a := <-answers
			ok(t, a.err)
			if a.held {
				won++
			}
		}
		equal(t, "winners of "+name, won, 1)
	}
}

func testFeedPositions(t *testing.T, s Store) {
	ctx := t.Context()
	position := func(name string) int64 {
		t.Helper()
		return must[int64](t)(s.FeedPosition(ctx, name))
	}
	equal(t, "unknown", position("index"), int64(0))
	ok(t, s.SetFeedPosition(ctx, "index", 7))
	ok(t, s.SetFeedPosition(ctx, "other", 1<<40))
	equal(t, "set", position("index"), int64(7))
	equal(t, "large", position("other"), int64(1<<40))
	ok(t, s.SetFeedPosition(ctx, "index", 3))
	equal(t, "set back", position("index"), int64(3))
	ok(t, s.SetFeedPosition(ctx, "index", 0))
	equal(t, "set to 0", position("index"), int64(0))
	ok(t, s.SetFeedPosition(ctx, "other", -1))
	ok(t, s.SetFeedPosition(ctx, "none", -1))
	equal(t, "forgotten", position("other"), int64(0))
}
