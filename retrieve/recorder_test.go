package retrieve_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
)

// table is a store of rankings that several recorders share.
type table struct {
	mu   sync.Mutex
	rows map[string]lectern.Ranking
}

func (s *table) PutRankings(_ context.Context, rankings []lectern.Ranking) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rankings {
		s.rows[r.ID] = r
	}
	return nil
}

func (s *table) Ranking(_ context.Context, id string) (lectern.Ranking, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.rows[id]; ok {
		return r, nil
	}
	return lectern.Ranking{}, lectern.Errorf(lectern.CodeNotFound, "no ranking %s", id)
}

func (s *table) erase() { s.mu.Lock(); defer s.mu.Unlock(); clear(s.rows) }

// TestRecordersOfTwoProcesses asks one for what the other has only just made, and
// for what the other has erased.
func TestRecordersOfTwoProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &table{rows: map[string]lectern.Ranking{}}
		start := func() *retrieve.Recorder {
			r := retrieve.NewRecorder(store, retrieve.DefaultConfig().Record, slog.New(slog.DiscardHandler))
			t.Cleanup(func() { _ = r.Close(context.Background()) })
			return r
		}
		one, two := start(), start()
		id := retrieve.RankingIDs(time.Now, rand.Reader)()
		one.Record(lectern.Ranking{ID: id, Query: "q"})
		if r, err := two.Ranking(t.Context(), id); err != nil || r.Query != "q" {
			t.Errorf("just made by the other: %v", err)
		}
		store.erase() // through the first, which knows
		time.Sleep(6 * time.Second)
		if _, err := two.Ranking(t.Context(), id); lectern.ErrorCode(err) != lectern.CodeNotFound {
			t.Errorf("erased by the other: %v", err)
		}

		began := time.Now()
		if _, err := two.Ranking(t.Context(), "01980000-0000-7000-8000-000000000000"); lectern.ErrorCode(err) != lectern.CodeNotFound {
			t.Errorf("old and unknown: %v", err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("waited %v for one that is long gone", took)
		}
		unknown := retrieve.RankingIDs(time.Now, rand.Reader)()
		if _, err := two.Ranking(t.Context(), unknown); lectern.ErrorCode(err) != lectern.CodeNotFound {
			t.Errorf("young and unknown: %v", err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("waited %v for one that nobody made", took)
		}
	})
}

// finishing marks lists as finished, or fails.
type finishing struct {
	mu    sync.Mutex
	times map[string]int
	fail  bool
}

func (f *finishing) Finish(_ context.Context, r *lectern.Ranking) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.times[r.ID]++
	if f.fail {
		return lectern.Errorf(lectern.CodeNotFound, "no posterior")
	}
	r.Items = []lectern.RankedItem{{CourseID: r.Items[0].CourseID, Propensity: .25}}
	return nil
}

// failingTable refuses so many writes.
type failingTable struct {
	table
	left int
}

func (s *failingTable) PutRankings(ctx context.Context, rankings []lectern.Ranking) error {
	s.mu.Lock()
	fails := s.left > 0
	s.left--
	s.mu.Unlock()
	if fails {
		return lectern.Errorf(lectern.CodeUnavailable, "the store is away")
	}
	return s.table.PutRankings(ctx, rankings)
}

// TestRecorderFinishes lists that explore, once each, although the store is away for a
// while; they are found meanwhile.
func TestRecorderFinishes(t *testing.T) {
	for _, fail := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			store := &failingTable{table: table{rows: map[string]lectern.Ranking{}}, left: 3}
			f := &finishing{times: map[string]int{}, fail: fail}
			r := retrieve.NewRecorder(store, retrieve.DefaultConfig().Record, slog.New(slog.DiscardHandler))
			r.FinishBy(f)
			made := []lectern.RankedItem{{CourseID: "a"}}
			r.Record(lectern.Ranking{ID: "explored", Items: made, Exploration: &lectern.Exploration{Places: []int{0}, Slate: []int{0}}})
			r.Record(lectern.Ranking{ID: "plain", Items: []lectern.RankedItem{{CourseID: "a", Propensity: 1}}})
			if got, err := r.Ranking(t.Context(), "explored"); err != nil || got.Items[0].Propensity != 0 {
				t.Errorf("at once: %+v, %v", got, err)
			}
			time.Sleep(3 * time.Second)
			want := .25
			if fail {
				want = 0
			}
			for _, from := range []interface {
				Ranking(context.Context, string) (lectern.Ranking, error)
			}{r, store} {
				if got, err := from.Ranking(t.Context(), "explored"); err != nil || got.Items[0].Propensity != want {
					t.Errorf("%T later: %+v, %v", from, got, err)
				}
				if got, err := from.Ranking(t.Context(), "plain"); err != nil || got.Items[0].Propensity != 1 {
					t.Errorf("%T: without exploration: %+v, %v", from, got, err)
				}
			}
			if made[0].Propensity != 0 {
				t.Error("what others may hold was changed")
			}
			if got := f.times["explored"]; !fail && got != 1 || f.times["plain"] != 0 {
				t.Errorf("finished: %v", f.times)
			}
			if err := r.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRecorderHurries: the longer lists wait, the fewer draws each of them gets, within
// bounds, and as it is recorded.
func TestRecorderHurries(t *testing.T) {
	for waiting, want := range map[int]int{1: 1000, 64: 1000, 256: 250, 2000: 100} {
		synctest.Test(t, func(t *testing.T) {
			store := &table{rows: map[string]lectern.Ranking{}}
			r := retrieve.NewRecorder(store, retrieve.DefaultConfig().Record, slog.New(slog.DiscardHandler))
			r.FinishBy(&finishing{times: map[string]int{}})
			asked := &lectern.Exploration{Places: []int{0}, Slate: []int{0}, Draws: 1000}
			for i := range waiting {
				r.Record(lectern.Ranking{ID: fmt.Sprint(i), Items: []lectern.RankedItem{{CourseID: "a"}}, Exploration: asked})
			}
			time.Sleep(time.Second)
			if got, err := store.Ranking(t.Context(), "0"); err != nil || got.Exploration.Draws != want {
				t.Errorf("%d wait: the first gets %d draws, want %d (%v)", waiting, got.Exploration.Draws, want, err)
			}
			if asked.Draws != 1000 {
				t.Error("what others hold was changed")
			}
			if err := r.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
