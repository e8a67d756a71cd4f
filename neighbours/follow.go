package neighbours

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

const (
	lookEvery  = 2 * time.Second  // at which generation is in use, where somebody else writes
	checkEvery = 30 * time.Second // that a shared index is still there
	storeEvery = 2 * time.Second  // the position; to index somebody twice does no harm
	retryEvery = 30 * time.Second // those with a course without a vector
	maxTries   = 5                // of them
	maxWaiting = 10_000           // of them
	pruneAfter = 24 * time.Hour   // in which every process has followed the feed
)

// Run keeps the index level with the feed of profiles until ctx ends: in each
// process, or on the leader where it is shared.
func (l *Learners) Run(ctx context.Context) error {
	if l.o.Shared == nil {
		l.write(ctx)
		return nil
	}
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() { l.loop(ctx, lookEvery, nil, "open the index of learners", l.look) })
	if l.o.Leader == nil {
		l.write(ctx)
	} else {
		l.o.Leader.While(ctx, l.write)
	}
	return nil
}

// Steps returns what Run does again and again where the index is in this process, for
// who moves time by hand instead: each call brings it level with the feed. Calls come one
// after the other, and without Run beside them.
func (l *Learners) Steps() func(ctx context.Context) error {
	w := &writer{l: l}
	return w.step
}

// write follows the feed until ctx ends.
func (l *Learners) write(ctx context.Context) {
	w := &writer{l: l}
	l.loop(ctx, l.o.Config.Poll, l.wake, "index learners", w.step)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := w.store(last); err != nil {
		l.o.Logger.Debug("the position of learners was not stored", slog.Any("err", err))
	}
}

// loop calls f again and again, sooner after a hint and later after a failure.
func (l *Learners) loop(ctx context.Context, every time.Duration, hint <-chan struct{}, what string, f func(context.Context) error) {
	timer := time.NewTimer(every)
	defer timer.Stop()
	for ctx.Err() == nil {
		wait := every
		if err := f(ctx); err != nil && ctx.Err() == nil {
			wait = max(every, time.Second)
			l.o.Logger.Warn("cannot "+what, slog.Any("err", err), slog.Duration("retry_in", wait))
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-hint:
		}
	}
}

// feedName is the name under which the writer of a shared index says how far it is.
// What is stored is one more, as 0 stands for never.
func (k key) feedName() string {
	if k.model == 0 {
		return fmt.Sprintf("learners %d", k.version)
	}
	return fmt.Sprintf("learners %d model %d", k.version, k.model)
}

// key says what is in use, and whether learners can be indexed.
func (l *Learners) key() (Space, key, Factor, bool) {
	s := l.o.Space()
	model, factor := l.factor()
	return s, key{s.Version, s.Fingerprint, model}, factor, s.Ready && s.Fingerprint != ""
}

// look opens the shared index in use, and finds out which vectors are filled.
func (l *Learners) look(ctx context.Context) error {
	_, k, _, ok := l.key()
	if !ok {
		return nil
	}
	next := l.current.Load()
	if next == nil || next.key != k {
		index, err := l.o.Shared.Learners(ctx, k.version)
		if lectern.ErrorCode(err) == lectern.CodeNotFound {
			return nil // the leader is about to make it
		}
		if err != nil {
			return err
		}
		next = &space{key: k, index: index}
	}
	plain := k
	plain.model = 0
	var at [2]int64
	for i, name := range []string{plain.feedName(), k.feedName()} {
		var err error
		if at[i], err = l.o.Store.FeedPosition(ctx, name); err != nil {
			return fmt.Errorf("read the position of learners: %w", err)
		}
	}
	next.content.Store(max(at[0], at[1]) > 0)
	next.cf.Store(k.model > 0 && at[1] > 0)
	l.current.Store(next)
	return l.refreshUsual(ctx, max(at[0], at[1])-1)
}

// writer brings one space level with the feed.
type writer struct {
	l        *Learners
	space    *space // nil until one is open
	position int64
	filled   bool

	stored   int64 // position that the store knows
	storedAt time.Time
	checked  time.Time
	emptyOK  bool // it is known that nobody is to be indexed

	vectors vectors
	keys    map[int64]struct{} // with a point; in this process's index alone
	waiting map[int64]int      // lack the vector of a course → tries
	retried time.Time
	marked  int64 // position at markedAt
	markAt  time.Time
}

func (w *writer) step(ctx context.Context) error {
	s, k, factor, ok := w.l.key()
	if !ok {
		return nil
	}
	if w.space == nil || w.space.key != k {
		if err := w.open(ctx, k); err != nil || w.space == nil {
			return err
		}
	}
	if err := w.level(ctx, s.Courses, factor); err != nil {
		w.space = nil // opened anew, in case the index has gone
		return err
	}
	if w.space.key != k {
		return nil // the next look
	}
	if err := w.retry(ctx, s.Courses, factor); err != nil {
		return err
	}
	w.vectors = vectors{} // courses may change until the next time
	if err := w.divide(ctx); err != nil {
		return err
	}
	if err := w.prune(ctx); err != nil {
		return err
	}
	return w.l.refreshUsual(ctx, w.position)
}

// open turns to what is in use: an index that is filled from the start, or a shared
// one that may have been filled before.
func (w *writer) open(ctx context.Context, k key) error {
	*w = writer{l: w.l, marked: w.marked, markAt: w.markAt}
	now := w.l.o.Clock()
	if w.l.o.Shared == nil {
		w.space, w.keys = &space{key: k, index: w.l.o.New(), taken: newTaken()}, map[int64]struct{}{}
		w.l.current.CompareAndSwap(nil, w.space) // for its figures; not searched until it is filled
		w.l.setPosition(0)
		return nil
	}
	index, err := w.l.o.Shared.Learners(ctx, k.version)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return nil // it is about to be made
	}
	if err != nil {
		return err
	}
	at, err := w.l.o.Store.FeedPosition(ctx, k.feedName())
	if err != nil {
		return fmt.Errorf("read the position of learners: %w", err)
	}
	w.space = &space{key: k, index: index}
	w.filled, w.position, w.stored, w.checked = at > 0, max(0, at-1), max(0, at-1), now
	if w.filled {
		err = w.checkThere(ctx)
	}
	if err == nil && !w.filled {
		err = w.forgetModels(ctx, k)
	}
	w.l.setPosition(w.position)
	return err
}

// lastName is the name under which the writer of a shared index says of which model
// its vectors are, or are about to be.
func (k key) lastName() string { return fmt.Sprintf("learners %d cf", k.version) }

// forgetModels takes it back that the vectors of another model can be searched, since
// they are about to be written over.
func (w *writer) forgetModels(ctx context.Context, k key) error {
	if k.model == 0 {
		return nil
	}
	last, err := w.l.o.Store.FeedPosition(ctx, k.lastName())
	if err == nil && last > 0 && last != k.model {
		other := k
		other.model = last
		err = w.l.o.Store.SetFeedPosition(ctx, other.feedName(), -1)
	}
	if err == nil {
		err = w.l.o.Store.SetFeedPosition(ctx, k.lastName(), k.model)
	}
	if err != nil {
		return fmt.Errorf("forget the position of learners: %w", err)
	}
	return nil
}

// checkThere starts from the beginning if a shared index has been made anew.
func (w *writer) checkThere(ctx context.Context) error {
	stats, err := w.space.index.Stats(ctx)
	if err != nil {
		return err
	}
	if stats.Points > 0 {
		w.emptyOK = false
	} else if !w.emptyOK {
		w.filled, w.position, w.emptyOK = false, 0, true
	}
	return nil
}

// level applies what the feed has beyond the position.
func (w *writer) level(ctx context.Context, courses lectern.VectorIndex, factor Factor) error {
	now := w.l.o.Clock()
	if w.l.o.Shared != nil && w.filled && now.Sub(w.checked) >= checkEvery {
		w.checked = now
		if err := w.checkThere(ctx); err != nil {
			return err
		}
	}
	start := w.position
	for {
		page, err := w.l.o.Store.ProfileChanges(ctx, w.position, w.l.o.Config.Page)
		if err != nil {
			return fmt.Errorf("read the feed of profiles: %w", err)
		}
		if len(page) > 0 {
			if err := w.apply(ctx, page, courses, factor); err != nil {
				return err
			}
			w.position = page[len(page)-1].Seq
			w.l.setPosition(w.position)
		}
		short := len(page) < w.l.o.Config.Page
		if short && !w.filled {
			if err := w.fill(ctx, start, now); err != nil {
				return err
			}
		}
		if w.filled && w.l.o.Clock().Sub(w.storedAt) >= storeEvery {
			if err := w.store(ctx); err != nil {
				return err
			}
		}
		if _, k, _, _ := w.l.key(); short || k != w.space.key {
			return nil
		}
	}
}

// apply indexes the learners of a page.
func (w *writer) apply(ctx context.Context, page []lectern.ProfileChange, courses lectern.VectorIndex, factor Factor) error {
	var keys []int64
	var gone []string
	for _, c := range page {
		if c.Gone {
			gone = append(gone, idOf(c.Key))
			delete(w.keys, c.Key)
			continue
		}
		keys = append(keys, c.Key)
	}
	if len(gone) > 0 && w.l.o.Shared != nil {
		if err := w.l.o.Shared.Erase(ctx, gone); err != nil {
			return err
		}
	} else if err := w.space.remove(ctx, gone); err != nil {
		return err
	}
	return w.index(ctx, keys, courses, factor)
}

// index writes the points of learners, or removes those that they should not have.
func (w *writer) index(ctx context.Context, keys []int64, courses lectern.VectorIndex, factor Factor) error {
	if len(keys) == 0 {
		return nil
	}
	b, err := w.l.pointsOf(ctx, keys, courses, &w.vectors, factor)
	if err != nil {
		return err
	}
	if err := w.space.put(ctx, b); err != nil {
		return err
	}
	if err := w.space.remove(ctx, b.removed); err != nil {
		return err
	}
	if w.keys != nil {
		for _, p := range b.points {
			w.keys[keyOf(p.ID)] = struct{}{}
		}
		for _, id := range b.removed {
			delete(w.keys, keyOf(id))
		}
	}
	for _, key := range b.incomplete {
		if w.waiting == nil {
			w.waiting = map[int64]int{}
		}
		if _, waits := w.waiting[key]; waits || len(w.waiting) < maxWaiting {
			w.waiting[key]++
		}
	}
	return nil
}

// retry indexes those again who had a course without a vector.
func (w *writer) retry(ctx context.Context, courses lectern.VectorIndex, factor Factor) error {
	now := w.l.o.Clock()
	if len(w.waiting) == 0 || now.Sub(w.retried) < retryEvery {
		return nil
	}
	w.retried = now
	before := w.waiting
	w.waiting = nil
	keys := make([]int64, 0, len(before))
	for key := range before {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for page := range slices.Chunk(keys, w.l.o.Config.Page) {
		if err := w.index(ctx, page, courses, factor); err != nil {
			return err
		}
	}
	for key := range w.waiting {
		if w.waiting[key] += before[key]; w.waiting[key] >= maxTries {
			delete(w.waiting, key)
		}
	}
	return nil
}

// fill says that everybody is in the index, so that it is searched from now on.
func (w *writer) fill(ctx context.Context, start int64, began time.Time) error {
	w.filled = true
	if err := w.divide(ctx); err != nil {
		return err
	}
	if w.l.o.Shared != nil {
		plain := w.space.key
		plain.model = 0
		if err := w.l.o.Store.SetFeedPosition(ctx, plain.feedName(), w.position+1); err != nil {
			return fmt.Errorf("store the position of learners: %w", err)
		}
		w.stored = -1
		if err := w.store(ctx); err != nil {
			return err
		}
	} else {
		w.space.content.Store(true)
		w.space.cf.Store(w.space.key.model > 0)
		w.l.current.Store(w.space)
	}
	w.l.o.Logger.Info("learners are indexed", slog.Int64("generation", w.space.key.version), slog.Int64("model", w.space.key.model),
		slog.Int64("changes", w.position-start), slog.Duration("took", w.l.o.Clock().Sub(began)))
	return nil
}

// store writes the position down for the next leader. An index in this process
// starts from the beginning with it.
func (w *writer) store(ctx context.Context) error {
	if w.l.o.Shared == nil || w.space == nil || !w.filled || w.stored == w.position {
		return nil
	}
	if err := w.l.o.Store.SetFeedPosition(ctx, w.space.key.feedName(), w.position+1); err != nil {
		return fmt.Errorf("store the position of learners: %w", err)
	}
	w.stored, w.storedAt = w.position, w.l.o.Clock()
	return nil
}

// divide makes cells once there are many learners, and again when there are twice as
// many.
func (w *writer) divide(ctx context.Context) error {
	if w.l.o.Shared != nil || !w.filled || len(w.keys) < w.l.o.Config.CellsFrom {
		return nil
	}
	if c := w.space.cells()[lectern.VectorContent]; c != nil && len(w.keys) < 2*c.sized {
		return nil
	}
	ids := make([]string, 0, len(w.keys))
	for key := range w.keys {
		ids = append(ids, idOf(key))
	}
	slices.Sort(ids)
	names := []string{lectern.VectorContent}
	if w.space.key.model > 0 {
		names = append(names, lectern.VectorCF)
	}
	divided := make(map[string]*cells, len(names))
	for _, name := range names {
		c, err := divide(ctx, w.space.index, name, ids, w.l.o.Config.Probe, w.l.o.New)
		if err != nil {
			return fmt.Errorf("divide the index of learners: %w", err)
		}
		if c == nil {
			continue
		}
		c.sized = len(ids)
		for page := range slices.Chunk(ids, vectorsPage) {
			vectors, err := w.space.index.Vectors(ctx, name, page)
			if err != nil {
				return err
			}
			points := make([]lectern.Point, len(page))
			for i, id := range page {
				points[i] = lectern.Point{ID: id, Dense: map[string][]float32{name: vectors[i]}}
			}
			if err := c.put(ctx, points, name); err != nil {
				return err
			}
		}
		divided[name] = c
	}
	w.space.divided.Store(&divided)
	return nil
}

// prune lets the feed forget those who are gone, once every process has had a day to
// hear of it.
func (w *writer) prune(ctx context.Context) error {
	now := w.l.o.Clock()
	if w.markAt.IsZero() {
		w.marked, w.markAt = w.position, now
	}
	if now.Sub(w.markAt) < pruneAfter {
		return nil
	}
	if _, err := w.l.o.Store.PruneProfileChanges(ctx, w.marked); err != nil {
		return fmt.Errorf("prune the feed of profiles: %w", err)
	}
	w.marked, w.markAt = w.position, now
	return nil
}
