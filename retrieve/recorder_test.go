package retrieve_test

import (
	"context"
	"crypto/rand"
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
