package searchlog

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

func search(id, query, learner string) lectern.Search {
	return lectern.Search{RankingID: id, At: testClock(), Query: query, Learner: lectern.LearnerRef{ID: learner}, Surface: lectern.SurfaceSearch}
}

func TestLogStoresInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFakeStore()
		l := NewLog(store, DefaultConfig(), quiet())
		for i := range 3 {
			if !l.Record(search(fmt.Sprint(i), "  Café\tau  LAIT ", "ada")) {
				t.Fatal("not taken")
			}
		}
		if store.stored() != 0 {
			t.Error("a request waited for the store")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if store.stored() != 3 || store.puts != 1 {
			t.Errorf("%d stored in %d groups", store.stored(), store.puts)
		}
		want := search("0", "Café au LAIT", "ada")
		want.Folded = "cafe au lait"
		if d := cmp.Diff(want, store.searches["0"]); d != "" {
			t.Error(d)
		}
		l.Record(search("last", "x", "")) // Close stores what waits
		if err := l.Close(t.Context()); err != nil || store.stored() != 4 {
			t.Errorf("%d stored after Close, %v", store.stored(), err)
		}
	})
}

func TestLogDropsWhatTheStoreDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFakeStore()
		store.fail = errors.New("away")
		cfg := DefaultConfig()
		cfg.Queue = 2
		l := NewLog(store, cfg, quiet())
		for i, want := range []bool{true, true, false} {
			if got := l.Record(search(fmt.Sprint(i), "q", "")); got != want {
				t.Errorf("search %d taken: %v", i, got)
			}
		}
		if l.Record(search("blank", "  ", "")) || l.Record(search("", "q", "")) {
			t.Error("nothing was searched for, and it was taken")
		}
		time.Sleep(time.Second)
		if l.Dropped() != 1 {
			t.Errorf("%d dropped", l.Dropped())
		}
		store.mu.Lock()
		store.fail = nil
		store.mu.Unlock()
		time.Sleep(time.Second)
		if store.stored() != 2 {
			t.Errorf("%d stored once the store was back", store.stored())
		}
		store.mu.Lock()
		store.invalid = "bad"
		store.mu.Unlock()
		l.Record(search("bad", "q", ""))
		l.Record(search("good", "q", ""))
		time.Sleep(time.Second)
		if store.stored() != 3 || l.Dropped() != 2 {
			t.Errorf("%d stored and %d dropped beside a bad one", store.stored(), l.Dropped())
		}
		if err := l.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLogForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFakeStore()
		l := NewLog(store, DefaultConfig(), quiet())
		l.Record(search("a", "q", "ada"))
		l.Record(search("b", "q", "bob"))
		l.Record(search("c", "q", ""))
		l.Forget(lectern.LearnerRef{ID: "ada"})
		l.Forget(lectern.LearnerRef{}) // nobody is not erased
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, there := store.searches["a"]; there || store.stored() != 2 {
			t.Errorf("%v", store.searches)
		}
	})
}

// A store that hangs holds up neither those who search nor the end.
func TestLogCloseHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLog(hanging{}, DefaultConfig(), quiet())
		l.Record(search("a", "q", ""))
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := l.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

type hanging struct{}

func (hanging) PutSearches(ctx context.Context, _ []lectern.Search) error {
	<-ctx.Done()
	return ctx.Err()
}
