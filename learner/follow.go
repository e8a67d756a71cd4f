package learner

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/lectern-dev/lectern"
)

// FollowConfig tunes how profiles are kept right beyond the moment of an event.
type FollowConfig struct {
	Poll         time.Duration `koanf:"poll"`          // how often the feed of profiles is looked at; a hint from the same process comes sooner
	Page         int           `koanf:"page"`          // learners that are looked at together
	Parallel     int           `koanf:"parallel"`      // profiles that are rebuilt at the same time
	RebuildEvery time.Duration `koanf:"rebuild_every"` // how often every profile is rebuilt from its events; 0 is never
}

// DefaultFollowConfig returns settings that put a profile right within a second.
func DefaultFollowConfig() FollowConfig {
	return FollowConfig{Poll: 500 * time.Millisecond, Page: 200, Parallel: 2, RebuildEvery: 7 * 24 * time.Hour}
}

// Validate reports every setting that is not acceptable, by its key.
func (c FollowConfig) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("profiles."+key, value, "is not allowed", allowed))
		}
	}
	check(c.Poll >= 10*time.Millisecond && c.Poll <= time.Minute, "poll", c.Poll, "10ms to 1m")
	check(c.Page >= 1 && c.Page <= 10_000, "page", c.Page, "1 to 10000")
	check(c.Parallel >= 1 && c.Parallel <= 64, "parallel", c.Parallel, "1 to 64")
	check(c.RebuildEvery == 0 || c.RebuildEvery >= time.Hour, "rebuild_every", c.RebuildEvery, "0, or at least 1h")
	if len(bad) > 0 {
		return lectern.Invalid("the settings of profiles are not usable", bad...)
	}
	return nil
}

// The names under which a Rebuilder says in the store how far it has come.
const (
	feedProfiles = "profiles"         // a position in the feed
	feedRebuilt  = "profiles rebuilt" // seconds since 1970 of the last rebuild of all
)

// storePosition is how often Run writes its position down. Looking at a learner
// twice does no harm.
const storePosition = 2 * time.Second

// compactEvery is how often void entries are removed from the feed.
const compactEvery = time.Minute

// A release that does not write the feed may run beside this one while it is
// replaced. catchUpEvery is how often those are looked for whom it left out;
// goneTimes is how often in a term those are told again who are gone, whom it may
// have erased.
const (
	catchUpEvery = time.Hour
	goneTimes    = 2
)

// Notify tells Run that the feed may have grown. It never blocks.
func (r *Rebuilder) Notify() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Position returns up to where Run of this process has followed the feed, and how
// many profiles it has put right.
func (r *Rebuilder) Position() (seq, replaced int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.position, r.replaced
}

// Run corrects profiles as they change, on the leader, until ctx ends.
func (r *Rebuilder) Run(ctx context.Context) error {
	if r.o.Leader == nil {
		r.term(ctx)
	} else {
		r.o.Leader.While(ctx, r.term)
	}
	return nil
}

// term is one time in office.
func (r *Rebuilder) term(ctx context.Context) {
	var stored int64    // the position that the store knows
	var at time.Time    // when it was stored
	var compacted int64 // up to where the feed has no void entries
	var compactedAt time.Time
	opened := false
	var caught catchUps
	timer := time.NewTimer(r.o.Follow.Poll)
	defer timer.Stop()
	for ctx.Err() == nil {
		wait := r.o.Follow.Poll
		err := func() (err error) {
			if !opened {
				if stored, err = r.o.Store.FeedPosition(ctx, feedProfiles); err != nil {
					return fmt.Errorf("read the position of profiles: %w", err)
				}
				r.setPosition(stored)
				opened = true
			}
			if err = r.catchUp(ctx, &caught); err != nil {
				return err
			}
			err = r.Advance(ctx)
			now := r.o.Clock()
			if err == nil && now.Sub(at) >= storePosition {
				stored, err = r.storePosition(ctx, stored)
				at = now
			}
			if seq, _ := r.Position(); err == nil && seq > compacted && now.Sub(compactedAt) >= compactEvery {
				if _, err = r.o.Store.CompactProfileChanges(ctx, compacted, seq); err != nil {
					return fmt.Errorf("compact the feed of profiles: %w", err)
				}
				compacted, compactedAt = seq, now
			}
			return err
		}()
		if err != nil && ctx.Err() == nil {
			wait = max(wait, time.Second)
			r.o.Logger.Warn("profiles are not corrected", slog.Any("err", err), slog.Duration("retry_in", wait))
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-r.wake:
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := r.storePosition(last, stored); opened && err != nil {
		r.o.Logger.Debug("the position of profiles was not stored", slog.Any("err", err))
	}
}

// catchUps are what a term has done of this.
type catchUps struct {
	times int
	at    time.Time // of the last one
}

// catchUp puts into the feed who is missing there, when it is time.
func (r *Rebuilder) catchUp(ctx context.Context, done *catchUps) error {
	now := r.o.Clock()
	if done.times > 0 && now.Sub(done.at) < catchUpEvery {
		return nil
	}
	n, err := r.o.Store.CatchUpProfileChanges(ctx, done.times < goneTimes)
	if err != nil {
		return fmt.Errorf("catch up with the feed of profiles: %w", err)
	}
	done.times, done.at = done.times+1, now
	if n > 0 {
		r.o.Logger.Info("learners are in the feed of profiles again", slog.Int("learners", n))
	}
	return nil
}

func (r *Rebuilder) storePosition(ctx context.Context, stored int64) (int64, error) {
	seq, _ := r.Position()
	if seq == stored {
		return stored, nil
	}
	if err := r.o.Store.SetFeedPosition(ctx, feedProfiles, seq); err != nil {
		return stored, fmt.Errorf("store the position of profiles: %w", err)
	}
	return seq, nil
}

func (r *Rebuilder) setPosition(seq int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.position = seq
}

// Advance looks at everybody whose profile has changed. A profile that is put right
// comes back in the feed once, and is found to be right then. It is for one process at
// a time; Run calls it.
func (r *Rebuilder) Advance(ctx context.Context) error {
	for {
		after, _ := r.Position()
		page, err := r.o.Store.ProfileChanges(ctx, after, r.o.Follow.Page)
		if err != nil {
			return fmt.Errorf("read the feed of profiles: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		if r.o.Multiplier != nil {
			if err := r.each(ctx, page, r.correct); err != nil {
				return err
			}
		}
		r.setPosition(page[len(page)-1].Seq)
	}
}

// correct rebuilds a profile if one of its recent events is not to be believed.
func (r *Rebuilder) correct(ctx context.Context, ref lectern.LearnerRef) error {
	events, err := r.o.Store.LearnerEvents(ctx, ref, recentEvents)
	if err != nil {
		return fmt.Errorf("read a learner's events: %w", err)
	}
	for _, believed := range r.o.Multiplier(events) {
		if believed == 1 {
			continue
		}
		one, err := r.One(ctx, ref, true)
		if one.Replaced {
			r.mu.Lock()
			r.replaced++
			r.mu.Unlock()
		}
		return err
	}
	return nil
}

// RebuildDue rebuilds every profile if the last time that was done is
// FollowConfig.RebuildEvery ago. The first time counts from the first call.
func (r *Rebuilder) RebuildDue(ctx context.Context) error {
	if r.o.Follow.RebuildEvery <= 0 {
		return nil
	}
	last, err := r.o.Store.FeedPosition(ctx, feedRebuilt)
	if err != nil {
		return fmt.Errorf("read when profiles were rebuilt: %w", err)
	}
	now := r.o.Clock()
	if last > 0 && now.Sub(time.Unix(last, 0)) < r.o.Follow.RebuildEvery {
		return nil
	}
	if last > 0 {
		report, err := r.All(ctx, true, nil)
		if err != nil {
			return err
		}
		r.o.Logger.Info("every profile was rebuilt from its events", slog.Int("profiles", report.Profiles),
			slog.Int("differed", report.Differed), slog.Float64("most", report.Most), slog.Duration("took", report.Took))
	}
	if err := r.o.Store.SetFeedPosition(ctx, feedRebuilt, now.Unix()); err != nil {
		return fmt.Errorf("store when profiles were rebuilt: %w", err)
	}
	return nil
}
