package searchlog

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// fakeStore answers what it was told to, and remembers what it was given.
type fakeStore struct {
	mu       sync.Mutex
	fail     error
	searches map[string]lectern.Search
	rankings map[string]lectern.Ranking
	puts     int
	invalid  string // ranking id that is never taken

	counts map[lectern.SearchOrder][]lectern.SearchCount
	pairs  []lectern.Reformulation
	recent []lectern.Search
	asked  []lectern.SearchCountQuery
	reads  int
}

func newFakeStore() *fakeStore {
	return &fakeStore{
		searches: map[string]lectern.Search{}, rankings: map[string]lectern.Ranking{},
		counts: map[lectern.SearchOrder][]lectern.SearchCount{},
	}
}

func (f *fakeStore) PutSearches(ctx context.Context, searches []lectern.Search) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.fail != nil {
		return f.fail
	}
	for _, s := range searches {
		if s.RankingID == f.invalid {
			return lectern.Invalid("not a search")
		}
	}
	f.puts++
	for _, s := range searches {
		if _, ok := f.searches[s.RankingID]; !ok {
			f.searches[s.RankingID] = s
		}
	}
	return nil
}

func (f *fakeStore) PutRankings(_ context.Context, rankings []lectern.Ranking) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	for _, r := range rankings {
		if _, ok := f.rankings[r.ID]; !ok {
			f.rankings[r.ID] = r
		}
	}
	return nil
}

func (f *fakeStore) SearchCounts(_ context.Context, q lectern.SearchCountQuery) ([]lectern.SearchCount, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, q)
	if f.fail != nil {
		return nil, f.fail
	}
	return f.counts[q.Order], nil
}

func (f *fakeStore) Reformulations(context.Context, time.Time, time.Time, time.Duration, int) ([]lectern.Reformulation, error) {
	return f.pairs, f.fail
}

func (f *fakeStore) RecentSearches(context.Context, lectern.LearnerRef, int) ([]lectern.Search, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	return f.recent, f.fail
}

func (f *fakeStore) stored() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.searches)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
