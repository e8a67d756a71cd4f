package opinion

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// The names under which the leader says in the store how far it has come.
const (
	feedOpinion = "opinion"       // a position in the feed
	feedModel   = "opinion model" // what stands for the model that all courses have been read with
)

const (
	feedPage      = 500
	storePosition = 2 * time.Second // between two writes of the position; reading a course twice does no harm
	batchCourses  = 32              // summaries in one write
	scanPage      = 100             // courses of the catalogue that are looked at together
)

// follower is one time in office of what follows the feed.
type follower struct {
	k        *Keeper
	opened   bool
	position int64 // read up to
	stored   int64 // what the store knows
	storedAt time.Time
	waiting  map[string]change // by course

	sweep   sweep
	swept   int64 // what stands for the model that all courses have been read with
	problem bool  // the latest round failed
}

// change is a course that has to be read again.
type change struct {
	seq   int64 // the first entry that is not done
	due   time.Time
	fresh bool // only the course changed, not its reviews
}

// follow reads the courses again whose reviews change, until ctx ends.
func (k *Keeper) follow(ctx context.Context) {
	f := &follower{k: k, waiting: map[string]change{}}
	timer := time.NewTimer(k.o.Config.Poll)
	defer timer.Stop()
	for ctx.Err() == nil {
		busy, err := f.round(ctx)
		wait := k.o.Config.Poll
		switch {
		case err != nil && ctx.Err() == nil:
			wait = max(wait, time.Second)
			if !f.problem {
				k.o.Logger.WarnContext(ctx, "reviews are not read", slog.Any("err", err), slog.Duration("retry_in", wait))
			}
		case busy:
			wait = 0
		}
		f.problem = err != nil
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-k.wake:
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := f.store(last); f.opened && err != nil {
		k.o.Logger.DebugContext(last, "the position of reviews was not stored", slog.Any("err", err))
	}
	k.count(func(s *Stats) { s.Waiting, s.Left = 0, false })
}

// round looks at the feed once, reads what is due and goes one step on with reading
// all courses anew, where that is under way. busy says that there is more to do.
func (f *follower) round(ctx context.Context) (busy bool, err error) {
	if err := f.k.Look(ctx); err != nil {
		return false, err
	}
	if err := f.open(ctx); err != nil {
		return false, err
	}
	if err := f.read(ctx); err != nil {
		return false, err
	}
	if busy, err = f.work(ctx); err != nil || busy {
		return busy, err
	}
	if f.k.o.Clock().Sub(f.storedAt) >= storePosition {
		if err := f.store(ctx); err != nil {
			return false, err
		}
	}
	return f.sweepOn(ctx)
}

// open finds out where to go on. A store that has never been followed is read course
// by course instead of by its whole feed.
func (f *follower) open(ctx context.Context) (err error) {
	if f.opened {
		return nil
	}
	s := f.k.o.Store
	if f.position, err = s.FeedPosition(ctx, feedOpinion); err != nil {
		return fmt.Errorf("read the position of reviews: %w", err)
	}
	if f.swept, err = s.FeedPosition(ctx, feedModel); err != nil {
		return fmt.Errorf("read which model has read all courses: %w", err)
	}
	f.stored = f.position
	if f.position == 0 && f.swept == 0 {
		stats, err := s.Stats(ctx)
		if err != nil {
			return fmt.Errorf("find the end of the change feed: %w", err)
		}
		f.position = stats.LastChange
	}
	f.opened = true
	return nil
}

// read takes what is new in the feed.
func (f *follower) read(ctx context.Context) error {
	for {
		page, err := f.k.o.Store.CourseChanges(ctx, f.position, feedPage)
		if err != nil {
			return fmt.Errorf("read the change feed: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		now := f.k.o.Clock()
		for _, c := range page {
			f.position = c.Seq
			switch c.Kind {
			case lectern.ChangeStats, lectern.ChangeCourse:
				f.note(c, now)
			case lectern.ChangeDeleted:
				delete(f.waiting, c.CourseID)
			}
		}
		f.tell()
	}
}

// note puts a course among those that are read again. Further changes do not put it
// off, so that a course that changes all the time is read now and then.
func (f *follower) note(c lectern.CourseChange, now time.Time) {
	w, ok := f.waiting[c.CourseID]
	if !ok {
		w = change{seq: c.Seq, due: now.Add(f.k.o.Config.Settle), fresh: true}
	}
	w.fresh = w.fresh && c.Kind == lectern.ChangeCourse
	f.waiting[c.CourseID] = w
}

func (f *follower) tell() {
	n := len(f.waiting)
	f.k.count(func(s *Stats) { s.Waiting = n })
}

// work reads one batch of the courses that are due. busy says that others are.
func (f *follower) work(ctx context.Context) (busy bool, err error) {
	now := f.k.o.Clock()
	var due []string
	for id, w := range f.waiting {
		if !now.Before(w.due) {
			due = append(due, id)
		}
	}
	slices.SortFunc(due, func(a, b string) int { return cmp.Compare(f.waiting[a].seq, f.waiting[b].seq) })
	more := len(due) > batchCourses
	due = due[:min(len(due), batchCourses)]
	if len(due) == 0 {
		return false, nil
	}
	var ids []string
	for _, id := range due {
		if f.waiting[id].fresh {
			if known, err := f.k.known(ctx, id); err != nil {
				return false, err
			} else if known {
				continue // its reviews are as they were
			}
		}
		ids = append(ids, id)
	}
	if err := f.k.Refresh(ctx, ids...); err != nil {
		return false, err
	}
	for _, id := range due {
		delete(f.waiting, id)
	}
	f.tell()
	return more, nil
}

// store writes down up to where everything is done.
func (f *follower) store(ctx context.Context) error {
	done := f.position
	for w := range maps.Values(f.waiting) {
		done = min(done, w.seq-1)
	}
	f.storedAt = f.k.o.Clock()
	if !f.opened || done == f.stored {
		return nil
	}
	if err := f.k.o.Store.SetFeedPosition(ctx, feedOpinion, done); err != nil {
		return fmt.Errorf("store the position of reviews: %w", err)
	}
	f.stored = done
	return nil
}

// sweep is one reading of the whole catalogue.
type sweep struct {
	mark  int64 // of the model that it is made with, 0 while there is none
	after int64
	began time.Time
	read  int
}

// markOf stands for what reads.
func markOf(name string) int64 {
	h := fnv.New64a()
	h.Write([]byte(name))             // never fails
	return int64(h.Sum64()>>1 | 1<<8) //nolint:gosec // fits
}

// sweepOn reads one page of the catalogue where the summaries are another model's, and
// then rests as long as that took, so that others get their share of the machine.
func (f *follower) sweepOn(ctx context.Context) (busy bool, err error) {
	name := f.k.current().name()
	mark := markOf(name)
	if mark == f.swept {
		return false, nil
	}
	if f.sweep.mark != mark {
		f.sweep = sweep{mark: mark, began: time.Now()}
	}
	begin := time.Now()
	courses, next, err := f.k.o.Store.ScanCourses(ctx, f.sweep.after, scanPage)
	if err != nil {
		return false, fmt.Errorf("read the catalogue: %w", err)
	}
	for page := range slices.Chunk(courses, batchCourses) {
		n, err := f.k.renew(ctx, page, name)
		if err != nil {
			return false, err
		}
		f.sweep.read += n
	}
	f.sweep.after = next
	f.k.count(func(s *Stats) { s.Left = next != 0 })
	if next != 0 {
		rest(ctx, time.Since(begin))
		return true, nil
	}
	if err := f.k.o.Store.SetFeedPosition(ctx, feedModel, mark); err != nil {
		return false, fmt.Errorf("store which model has read all courses: %w", err)
	}
	f.swept = mark
	f.k.o.Logger.InfoContext(ctx, "the reviews of all courses are read", slog.String("model", name),
		slog.Int("courses", f.sweep.read), slog.Duration("took", time.Since(f.sweep.began)))
	return false, nil
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// renew reads the reviews of those of the courses whose summary is not by the named
// model, and returns how many there were.
func (k *Keeper) renew(ctx context.Context, courses []lectern.Course, name string) (int, error) {
	var ids []string
	for _, c := range courses {
		switch s, err := k.o.Store.ReviewSummary(ctx, c.ID); {
		case lectern.ErrorCode(err) == lectern.CodeNotFound:
		case err != nil:
			return 0, fmt.Errorf("read the summary of %q: %w", c.ID, err)
		case s.Model == name:
			continue
		}
		ids = append(ids, c.ID)
	}
	return len(ids), k.Refresh(ctx, ids...)
}

// Rebuild reads the reviews of every course anew, whatever has read them before, and
// returns how many courses there are. told hears of each step.
func (k *Keeper) Rebuild(ctx context.Context, told func(courses int)) (int, error) {
	if err := k.Look(ctx); err != nil {
		return 0, err
	}
	mark := markOf(k.current().name())
	n := 0
	for after := int64(0); ; {
		courses, next, err := k.o.Store.ScanCourses(ctx, after, scanPage)
		if err != nil {
			return n, fmt.Errorf("read the catalogue: %w", err)
		}
		for page := range slices.Chunk(courses, batchCourses) {
			ids := make([]string, len(page))
			for i, c := range page {
				ids[i] = c.ID
			}
			if err := k.Refresh(ctx, ids...); err != nil {
				return n, err
			}
			n += len(ids)
			told(n)
		}
		if after = next; next == 0 {
			return n, k.o.Store.SetFeedPosition(ctx, feedModel, mark)
		}
	}
}
