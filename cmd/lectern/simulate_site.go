package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/feedback"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/simulate"
)

// simSite is the site that simulated learners visit in process: everything that serves,
// with lists that are recorded as a server records them, and a clock moved by hand.
type simSite struct {
	*homeSite
	log  *listLog
	said *feedback.Service
	// settles do what a server does in the background, in order.
	settles []func(context.Context) error
	learn   func(context.Context) error // from the events so far; nil learns nothing
	// trainEvery is after how many settlings models are trained anew; 0 is never.
	trainEvery, settled int
}

var (
	_ simulate.Site     = (*simSite)(nil)
	_ simulate.Records  = (*simSite)(nil)
	_ retrieve.Rankings = (*listLog)(nil)
)

// listLog records lists when it is told to: before the events that cite them.
type listLog struct {
	store    retrieve.RankingStore
	explorer lectern.Explorer // nil: nothing is explored
	waiting  []lectern.Ranking
	quiet    bool // stores nothing, keeps the last
}

// Record implements retrieve.Rankings.
func (l *listLog) Record(r lectern.Ranking) bool {
	l.waiting = append(l.waiting, r)
	return true
}

// Ranking implements retrieve.Rankings.
func (l *listLog) Ranking(ctx context.Context, id string) (lectern.Ranking, error) {
	for _, r := range l.waiting {
		if r.ID == id {
			return r, nil
		}
	}
	return l.store.Ranking(ctx, id)
}

// flush finds propensities and stores what waits.
func (l *listLog) flush(ctx context.Context) error {
	for i := range l.waiting {
		if r := &l.waiting[i]; r.Exploration != nil && l.explorer != nil {
			if err := l.explorer.Finish(ctx, r); err != nil {
				return fmt.Errorf("find the propensities of a list: %w", err)
			}
		}
	}
	if l.quiet {
		l.waiting = l.waiting[max(0, len(l.waiting)-1):]
	}
	if len(l.waiting) == 0 || l.quiet {
		return nil
	}
	if err := l.store.PutRankings(ctx, l.waiting); err != nil {
		return fmt.Errorf("record lists: %w", err)
	}
	l.waiting = l.waiting[:0]
	return nil
}

// openSimSite opens the site of a folder at a time. Everything drawn by lot, ids
// included, depends on the seed.
// policy is what explores, "" for what the settings say.
func openSimSite(ctx context.Context, dir string, config Config, now time.Time, seed uint64, policy string) (*simSite, error) {
	home, err := openHomeSite(ctx, dir, config, now)
	if err != nil {
		return nil, err
	}
	s := &simSite{homeSite: home, log: &listLog{store: home.store}}
	lots := seededReader{rand.New(rand.NewPCG(seed, uint64(now.Unix())))} //nolint:gosec // ids of a simulation
	s.ranker.Rankings, s.ranker.NewID, s.ranker.Rerankers = s.log, retrieve.RankingIDs(s.Now, lots), s.settings
	s.said = feedback.New(feedback.Options{
		Store: s.store, Rankings: s.log, Courses: s.store, Learners: s.store, Rules: s.settings, Clock: s.Now, Random: lots,
	})
	if err := s.beginExploring(ctx, policy, lots); err != nil {
		return nil, errors.Join(err, home.Close(ctx))
	}
	return s, nil
}

// seededReader is randomness that is the same in every run.
type seededReader struct{ lots *rand.Rand }

func (r seededReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.lots.Uint32())
	}
	return len(p), nil
}

// Until implements simulate.Site.
func (s *simSite) Until(ctx context.Context, t time.Time) error {
	if !t.After(s.now) {
		return nil
	}
	another := s.now.Truncate(learnEvery).Before(t.Truncate(learnEvery))
	s.now = lectern.Timestamp(t)
	if another && s.learn != nil {
		return s.learn(ctx)
	}
	return nil
}

// Settle implements simulate.Site.
func (s *simSite) Settle(ctx context.Context) error {
	if err := s.log.flush(ctx); err != nil {
		return err
	}
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	for _, settle := range s.settles {
		if err := settle(ctx); err != nil {
			return err
		}
	}
	if s.settled++; s.trainEvery > 0 && s.settled%s.trainEvery == 0 {
		return s.Train(ctx)
	}
	return nil
}

// List implements simulate.Lister.
func (s *simSite) List(ctx context.Context, req lectern.ListRequest) (lectern.List, error) {
	list, err := s.ranker.List(ctx, req)
	if err == nil {
		err = s.whole(list.Degraded)
	}
	return list, err
}

// Home implements simulate.Lister.
func (s *simSite) Home(ctx context.Context, req lectern.HomeRequest) (lectern.Home, error) {
	page, err := s.ranker.Home(ctx, req)
	if err == nil {
		err = s.whole(page.Degraded)
	}
	return page, err
}

// whole refuses lists that a part is missing from; there is no collaborative model while
// there is too little to learn one from.
func (s *simSite) whole(degraded []string) error {
	for _, part := range degraded {
		if part != retrieve.DegradedCollaborative || s.models.Current() != nil {
			return fmt.Errorf("a list was made without %s", part)
		}
	}
	return nil
}

// Ranking implements simulate.Records.
func (s *simSite) Ranking(ctx context.Context, id string) (lectern.Ranking, error) {
	return s.log.Ranking(ctx, id)
}

// Append implements simulate.Site: after the lists that are cited.
func (s *simSite) Append(ctx context.Context, events []lectern.Event) error {
	if err := s.log.flush(ctx); err != nil {
		return err
	}
	return s.homeSite.Append(ctx, events)
}

// Say implements simulate.Site.
func (s *simSite) Say(ctx context.Context, ref lectern.LearnerRef, f lectern.Feedback) error {
	if err := s.log.flush(ctx); err != nil {
		return err
	}
	_, _, err := s.said.Say(ctx, ref, feedback.Given{
		ID: f.ID, Kind: f.Kind, CourseID: f.CourseID, RankingID: f.RankingID, Position: f.Position, Reason: f.Reason, Comment: f.Comment,
	})
	return err
}

// Close records what waits and hangs up.
func (s *simSite) Close(ctx context.Context) error {
	return errors.Join(s.log.flush(ctx), s.homeSite.Close(ctx))
}

// fill writes what a world begins with, and lets models learn from it.
func (s *simSite) fill(ctx context.Context, w *simulate.World) error {
	for _, write := range []func() error{
		func() error { return s.PutCourses(ctx, w.Courses) },
		func() error { return s.PutLearners(ctx, w.Learners) },
		func() error { return writeAll(ctx, w.Reviews, siteBatch, s.ingest.PutReviews) },
		func() error { return s.homeSite.Append(ctx, w.Events) },
		func() error { return s.Train(ctx) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

// reopen makes a site over what fill left in a folder, with the embedder of then; nil
// trains one.
func (s *simSite) reopen(ctx context.Context, courses []lectern.Course, embedder lectern.Embedder) error {
	s.embedder = embedder
	if err := s.hold(ctx, courses); err != nil {
		return err
	}
	return s.followSimilar(ctx)
}
