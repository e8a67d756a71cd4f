package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/searchlog"
	"github.com/lectern-dev/lectern/suggest"
)

// secretSuggestions is the name of the secret that signs suggestions, so that
// events cite them after a restart and on every replica.
const secretSuggestions = "suggestions"

// searches is the search log and what is made of it.
type searches struct {
	sealer  *searchlog.Sealer
	known   *searchlog.Known
	phrases *searchlog.Phrases
	log     *searchlog.Log // runs from the start of the engine to its close
}

func newSearches(ctx context.Context, env environment) (*searches, error) {
	sealer, err := newSealer(ctx, env.store)
	if err != nil {
		return nil, err
	}
	return &searches{
		sealer: sealer, known: searchlog.NewKnown(sealer),
		phrases: searchlog.NewPhrases(env.store, env.config.SearchLog, lectern.SystemClock, env.log),
	}, nil
}

func newSealer(ctx context.Context, keys lectern.KeyStore) (*searchlog.Sealer, error) {
	secret, err := keys.Secret(ctx, secretSuggestions, randomBytes(32))
	if err != nil {
		return nil, fmt.Errorf("read the secret of suggestions: %w", err)
	}
	return searchlog.NewSealer(secret, lectern.SystemClock), nil
}

// forget drops what memory holds of a learner.
func (s *searches) forget(ref lectern.LearnerRef) {
	s.log.Forget(ref)
	s.phrases.Forget(ref)
}

// cite returns what ingest asks about suggestions that events cite.
func (s *searches) cite(store searchlog.RankingStore) func(context.Context, []lectern.Event) ([]error, error) {
	return searchlog.Citations{Sealer: s.sealer, Store: store, Courses: s.known}.Cite
}

// importIngest is newIngest for files, which may hold events that cite
// suggestions. The catalogue is read only when one does.
func importIngest(ctx context.Context, env environment, kind ingest.Kind, dryRun bool) (ingest.Service, error) {
	service := newIngest(env.config, env.store)
	if kind != ingest.Events || dryRun {
		return service, nil
	}
	sealer, err := newSealer(ctx, env.store)
	if err != nil {
		return service, err
	}
	service.Cite = searchlog.Citations{Sealer: sealer, Store: env.store, Courses: searchlog.NewStored(env.store, sealer)}.Cite
	return service, nil
}

// loggedRankings records lists, and of searches what was searched for. Only first
// pages are recorded, and nothing that an evaluation ranks. A search that finds
// nothing under a filter is not logged: it says more of the filter than of what the
// catalogue lacks.
type loggedRankings struct {
	*retrieve.Recorder
	log *searchlog.Log
}

var _ retrieve.Rankings = loggedRankings{}

func (r loggedRankings) Record(ranking lectern.Ranking) bool {
	inVain := ranking.Filtered && len(ranking.Items) == 0
	if ranking.Surface == lectern.SurfaceSearch && !inVain {
		r.log.Record(searchlog.SearchOf(ranking)) // what it drops, it counts
	}
	return r.Recorder.Record(ranking)
}

// knownSink tells which courses suggestions may have shown.
type knownSink struct{ known *searchlog.Known }

var _ indexing.Sink = knownSink{}

func (s knownSink) Apply(_ context.Context, b indexing.Batch) error {
	ids := make([]string, len(b.Upserts))
	for i, u := range b.Upserts {
		ids[i] = u.Course.ID
	}
	s.known.Apply(ids, b.Deletes, b.Reset)
	return nil
}

// suggestSearches hands on what people searched for to what completes queries.
type suggestSearches struct {
	phrases *searchlog.Phrases

	mu      sync.Mutex
	version int64
	opened  []suggest.Searched
}

var (
	_ suggest.Searches = (*suggestSearches)(nil)
	_ suggest.Recents  = (*searchlog.Phrases)(nil)
)

func (s *suggestSearches) Opened() (int64, []suggest.Searched) {
	version, phrases := s.phrases.Phrases()
	s.mu.Lock()
	defer s.mu.Unlock()
	if version != s.version {
		s.version, s.opened = version, make([]suggest.Searched, len(phrases))
		for i, p := range phrases {
			s.opened[i] = suggest.Searched{Text: p.Text, Weight: p.Weight}
		}
	}
	return s.version, s.opened
}

func (s *suggestSearches) Trending(n int) []string {
	trending := s.phrases.Snapshot().Trending
	out := make([]string, min(n, len(trending)))
	for i := range out {
		out[i] = trending[i].Text
	}
	return out
}

// readInsights returns what the search log says.
func readInsights(store searchlog.CountReader) api.InsightsReader {
	return func(ctx context.Context, days, limit int) (api.SearchInsights, error) {
		r, err := searchlog.NewReport(ctx, store, days, limit, lectern.SystemClock())
		return api.SearchInsights(r), err
	}
}

// keepSearchesShort takes the learners out of old searches, and deletes the oldest.
func keepSearchesShort(ctx context.Context, e *engine) error {
	now, c := lectern.SystemClock(), e.config.SearchLog
	forgotten, err := e.store.ForgetSearchers(ctx, now.Add(-c.LearnerRetention))
	if err != nil {
		return fmt.Errorf("take learners out of old searches: %w", err)
	}
	deleted, err := e.store.DeleteSearchesBefore(ctx, now.Add(-c.Retention))
	if err != nil {
		return fmt.Errorf("delete old searches: %w", err)
	}
	if forgotten+deleted > 0 {
		e.log.Info("old searches thinned out", "without_learner", forgotten, "deleted", deleted)
	}
	return nil
}
