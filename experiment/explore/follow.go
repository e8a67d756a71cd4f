package explore

import (
	"context"
	"log/slog"
	"time"

	"github.com/lectern-dev/lectern"
)

// Log is the lists that all processes recorded. lectern.OutcomeLog is one.
type Log interface {
	ScanRankings(ctx context.Context, after int64, limit, items int) ([]lectern.RankedList, int64, error)
}

// Facts are what counting needs to know of a course; ok is false for one that is not
// known.
type Facts func(courseID string) (provider string, published time.Time, ok bool)

// Follower counts what every process shows, from the log of lists, so that caps and
// impressions of new courses hold across replicas and restarts. What this process makes
// is counted at once; what others make, within a second or two.
type Follower struct {
	log      Log
	counts   *Counts
	facts    Facts
	settings Settings
	clock    lectern.Clock
	logger   *slog.Logger

	begun  bool
	after  int64 // place in the log
	today  int64 // where today's lists begin
	older  int64 // up to where those before were counted
	tidied time.Time
	failed bool

	shelf  Shelf // nil: nothing is kept
	leads  func() bool
	keptAt int64     // place in the log up to which counts are kept
	asked  time.Time // when they were to be kept last
}

const (
	// followEvery is how often the log is looked at.
	followEvery = time.Second
	// tidyEvery is how often what is counted is gone through for what has passed.
	tidyEvery = time.Minute
	// followLists is how much of the log is read at once. Of lists it is the first page.
	followLists, followItems = 500, lectern.FirstPage
	// olderPages is how much of what is old is read before what is new is looked at again.
	olderPages = 20
	// near is how many lists too many may be read to find a time in the log.
	near = 200
)

// NewFollower makes counts wait for the log: until it has been read for today no list
// explores, and until it has been read for as long as courses are new none is owed
// anything.
func NewFollower(log Log, counts *Counts, facts Facts, settings Settings, clock lectern.Clock, logger *slog.Logger) *Follower {
	counts.know(false, false)
	return &Follower{log: log, counts: counts, facts: facts, settings: settings, clock: clock, logger: logger}
}

// CatchUp counts what was shown before: first today, then as long as courses are new.
// Called again after an error it goes on from there.
func (f *Follower) CatchUp(ctx context.Context) error {
	for {
		if all, err := f.step(ctx); err != nil || all {
			return err
		}
	}
}

// step reads what is new in the log, and then some of what is old. It reports whether
// everything is counted.
func (f *Follower) step(ctx context.Context) (bool, error) {
	cfg, _ := f.settings.Current()
	if !f.begun {
		restored, err := f.restore(ctx, cfg)
		if err != nil {
			return false, err
		}
		f.begun = restored
	}
	if !f.begun {
		at := f.clock()
		today, err := f.find(ctx, at.UTC().Truncate(24*time.Hour))
		if err != nil {
			return false, err
		}
		if f.older, err = f.find(ctx, at.AddDate(0, 0, -cfg.NewCourses.Days)); err != nil {
			return false, err
		}
		f.after, f.today, f.begun = today, today, true
	}
	if err := f.read(ctx); err != nil {
		return false, err
	}
	f.counts.know(true, false)
	for range olderPages {
		if f.older >= f.today {
			f.counts.know(true, true)
			return true, nil
		}
		lists, next, err := f.log.ScanRankings(ctx, f.older, followLists, followItems)
		if err != nil {
			return false, err
		}
		for i := range lists {
			if lists[i].Seq <= f.today {
				f.show(&lists[i].Ranking, cfg)
			}
		}
		if f.older = next; len(lists) == 0 {
			f.older = f.today
		}
	}
	return false, nil
}

// find returns a place in the log after which all lists were made at a time or later,
// and at most a few before it.
func (f *Follower) find(ctx context.Context, at time.Time) (int64, error) {
	late := func(after int64) (bool, error) {
		lists, _, err := f.log.ScanRankings(ctx, after, 1, 1)
		return len(lists) == 0 || !lists[0].Ranking.CreatedAt.Before(at), err
	}
	low, high := int64(0), int64(near)
	for {
		beyond, err := late(high)
		if err != nil {
			return 0, err
		}
		if beyond {
			break
		}
		low, high = high, 4*high
	}
	for high-low > near {
		mid := low + (high-low)/2
		beyond, err := late(mid)
		switch {
		case err != nil:
			return 0, err
		case beyond:
			high = mid
		default:
			low = mid
		}
	}
	return low, nil
}

// read counts what the log has since the last look.
func (f *Follower) read(ctx context.Context) error {
	for {
		lists, next, err := f.log.ScanRankings(ctx, f.after, followLists, followItems)
		if err != nil {
			return err
		}
		cfg, _ := f.settings.Current()
		for i := range lists {
			f.count(&lists[i].Ranking, cfg)
		}
		f.after = next
		if len(lists) < followLists {
			return nil
		}
	}
}

// count takes in one list.
func (f *Follower) count(r *lectern.Ranking, cfg *Config) {
	if x := r.Exploration; x != nil {
		if f.counts.isOwn(x.Seed) {
			return
		}
		f.try(r, x)
	}
	f.show(r, cfg)
}

// try counts what a list of another process tries.
func (f *Follower) try(r *lectern.Ranking, x *lectern.Exploration) {
	s, actual, err := sceneFrom(r.ID, x)
	if err != nil {
		return // the other process is of another build
	}
	_, moved := s.moved(actual, nil, nil)
	for i, place := range x.Places {
		if moved[i] && place < r.Served && place < len(r.Items) {
			id := r.Items[place].CourseID
			provider, _, _ := f.facts(id)
			f.counts.tried(x.Seed, id, provider, r.CreatedAt)
		}
	}
}

// show counts the new courses on the first page of a list.
func (f *Follower) show(r *lectern.Ranking, cfg *Config) {
	var fresh []string
	for i := range min(r.Served, len(r.Items)) {
		if id := r.Items[i].CourseID; f.isNew(id, r.CreatedAt, cfg) {
			fresh = append(fresh, id)
		}
	}
	if len(fresh) > 0 {
		f.counts.show(fresh)
	}
}

func (f *Follower) isNew(courseID string, at time.Time, cfg *Config) bool {
	_, published, ok := f.facts(courseID)
	age := at.Sub(published)
	return ok && !published.IsZero() && age >= 0 && age <= time.Duration(cfg.NewCourses.Days)*24*time.Hour
}

// Run follows the log until ctx ends.
func (f *Follower) Run(ctx context.Context) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		f.look(ctx)
		select {
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepEnd)
			defer cancel()
			if err := f.keep(end); err != nil {
				f.logger.WarnContext(end, "what was counted of exploration is read again at the next start", "error", err)
			}
			return nil
		case <-tick.C:
		}
	}
}

func (f *Follower) look(ctx context.Context) {
	_, err := f.step(ctx)
	switch {
	case err == nil:
		f.failed = false
	case ctx.Err() == nil && !f.failed:
		f.failed = true
		f.logger.WarnContext(ctx, "the log of lists cannot be read: caps count what this process shows alone", "error", err)
	}
	if at := f.clock(); at.Sub(f.tidied) >= tidyEvery {
		f.tidied = at
		cfg, _ := f.settings.Current()
		f.counts.tidy(at, func(id string) bool { return f.isNew(id, at, cfg) })
	}
	if at := f.clock(); at.Sub(f.asked) >= keepEvery {
		f.asked = at
		if err := f.keep(ctx); err != nil && ctx.Err() == nil {
			f.logger.WarnContext(ctx, "what is counted of exploration is not kept: a process that starts reads it from the log", "error", err)
		}
	}
}
