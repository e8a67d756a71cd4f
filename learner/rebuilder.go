package learner

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
)

// RebuildStore is what a Rebuilder needs of a store.
type RebuildStore interface {
	Profile(ctx context.Context, ref lectern.LearnerRef) (lectern.Profile, error)
	ProfileVersion(ctx context.Context, ref lectern.LearnerRef) (int64, error)
	LearnerEvents(ctx context.Context, ref lectern.LearnerRef, limit int) ([]lectern.Event, error)
	ProfileChanges(ctx context.Context, after int64, limit int) ([]lectern.ProfileChange, error)
	ReplaceProfile(ctx context.Context, ref lectern.LearnerRef, version int64, entries []lectern.ProfileEntry) (bool, error)
	CompactProfileChanges(ctx context.Context, after, upTo int64) (int, error)
	CatchUpProfileChanges(ctx context.Context, gone bool) (int, error)
	FeedPosition(ctx context.Context, name string) (int64, error)
	SetFeedPosition(ctx context.Context, name string, seq int64) error
}

// Leader lets one process at a time do something. *lease.Lease is one.
type Leader interface {
	// While calls f whenever this process leads, with a context that ends when it
	// no longer does, until ctx ends.
	While(ctx context.Context, f func(context.Context))
}

// RebuildOptions wire a Rebuilder.
type RebuildOptions struct {
	Learner    Config
	Follow     FollowConfig
	Store      RebuildStore
	Multiplier Multiplier // nil believes everything
	Leader     Leader     // nil where this process is alone
	Clock      lectern.Clock
	Logger     *slog.Logger
}

// Rebuilder makes profiles from events again. Profiles are kept in step with each
// event as it is stored; how far an event is to be believed only shows among the
// events around it, so Run follows the feed of profiles and corrects those in which
// it makes a difference.
type Rebuilder struct {
	o    RebuildOptions
	wake chan struct{}

	mu       sync.Mutex
	position int64 // up to where Run has followed the feed
	replaced int64 // profiles that Run has put right
}

// NewRebuilder returns a rebuilder. Errors: CodeInvalid naming the keys at fault.
func NewRebuilder(o RebuildOptions) (*Rebuilder, error) {
	if err := o.Follow.Validate(); err != nil {
		return nil, err
	}
	return &Rebuilder{o: o, wake: make(chan struct{}, 1)}, nil
}

// maxRebuilt bounds the events of one learner that are held in memory. Nobody who
// learns has more.
const maxRebuilt = 500_000

// recentEvents are read to see whether any of them is not to be believed. They
// cover what a person does in weeks; All reads everything.
const recentEvents = 300

// maxRaces bounds the tries to replace a profile that keeps moving on.
const maxRaces = 5

// Rebuilt is what became of one profile.
type Rebuilt struct {
	Entries  int     // that differed
	Most     float64 // by how much the weights did, at most
	Replaced bool
	TooLong  bool // more events than are held in memory: left as it is
}

// One rebuilds one profile from its events; without write it only compares.
// Errors: CodeNotFound.
func (r *Rebuilder) One(ctx context.Context, ref lectern.LearnerRef, write bool) (Rebuilt, error) {
	for race := 0; ; race++ {
		// The version is read before the events: when one is stored in between, the
		// profile has moved on from it.
		p, err := r.o.Store.Profile(ctx, ref)
		if err != nil {
			return Rebuilt{}, fmt.Errorf("read a profile: %w", err)
		}
		events, err := r.o.Store.LearnerEvents(ctx, ref, maxRebuilt)
		if err != nil {
			return Rebuilt{}, fmt.Errorf("read a learner's events: %w", err)
		}
		if len(events) == maxRebuilt {
			return Rebuilt{TooLong: true}, nil
		}
		entries := r.o.Learner.Rebuild(events, r.o.Multiplier)
		var out Rebuilt
		if out.Entries, out.Most = Difference(p.Entries, entries); out.Entries == 0 {
			return out, nil
		}
		var moved bool
		if write {
			out.Replaced, err = r.o.Store.ReplaceProfile(ctx, ref, p.Version, entries)
			moved = !out.Replaced
		} else {
			var version int64
			version, err = r.o.Store.ProfileVersion(ctx, ref)
			moved = version != p.Version
		}
		if err != nil {
			return Rebuilt{}, fmt.Errorf("replace a profile: %w", err)
		}
		if !moved || race == maxRaces {
			return out, nil // one that never rests has its change in the feed anyway
		}
	}
}

// RebuildReport counts what a rebuild of all profiles found.
type RebuildReport struct {
	Profiles int           // looked at
	Differed int           // were not what their events make
	Replaced int           // were put right
	TooLong  int           // had more events than are held in memory
	Most     float64       // by how much a course's weight was off, at most
	Took     time.Duration // in all
}

// All rebuilds every profile; without write it only compares. progress may be nil.
func (r *Rebuilder) All(ctx context.Context, write bool, progress func(RebuildReport)) (RebuildReport, error) {
	var report RebuildReport
	start := r.o.Clock()
	var mu sync.Mutex
	seen := map[int64]bool{} // who moves on meanwhile comes again in the feed
	for after := int64(0); ; {
		page, err := r.o.Store.ProfileChanges(ctx, after, r.o.Follow.Page)
		if err != nil {
			return report, fmt.Errorf("read the feed of profiles: %w", err)
		}
		var next []lectern.ProfileChange
		for _, c := range page {
			after = c.Seq
			if !seen[c.Key] {
				seen[c.Key] = true
				next = append(next, c)
			}
		}
		if len(next) == 0 {
			report.Took = r.o.Clock().Sub(start)
			return report, nil
		}
		page = next
		err = r.each(ctx, page, func(ctx context.Context, ref lectern.LearnerRef) error {
			one, err := r.One(ctx, ref, write)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			report.count(one)
			return nil
		})
		if err != nil {
			return report, err
		}
		if progress != nil {
			progress(report)
		}
	}
}

func (r *RebuildReport) count(one Rebuilt) {
	r.Profiles++
	if one.Entries > 0 {
		r.Differed++
	}
	if one.Replaced {
		r.Replaced++
	}
	if one.TooLong {
		r.TooLong++
	}
	r.Most = max(r.Most, one.Most)
}

// each calls f for those of a page who are still there, a few at a time: most of
// the work is waiting for the store.
func (r *Rebuilder) each(ctx context.Context, page []lectern.ProfileChange, f func(context.Context, lectern.LearnerRef) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.o.Follow.Parallel)
	for _, c := range page {
		if c.Gone {
			continue
		}
		group.Go(func() error {
			err := f(ctx, c.Ref)
			if lectern.ErrorCode(err) == lectern.CodeNotFound {
				return nil // gone, or somebody else, since the page was read
			}
			return err
		})
	}
	return group.Wait()
}
