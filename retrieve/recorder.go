package retrieve

import (
	"container/list"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// RankingStore keeps rankings. lectern.RankingStore is one.
type RankingStore interface {
	PutRankings(ctx context.Context, rankings []lectern.Ranking) error
	Ranking(ctx context.Context, id string) (lectern.Ranking, error)
}

// Recorder stores rankings in groups, and keeps the latest in memory, so that the
// next page and the first event need not wait for the store. Its own goroutine
// flushes; Close ends it. Recording never makes a request wait: when the store
// does not keep up, rankings beyond the queue stay in memory only for a moment,
// and count as dropped. Other processes may record in the same store. It is safe
// for concurrent use.
type Recorder struct {
	store  RankingStore
	cfg    RecordConfig
	logger *slog.Logger

	stop   chan struct{}
	done   chan struct{}
	closed sync.Once

	mu       sync.Mutex
	finisher Finisher                 // nil: lists are stored as they come
	finished map[string]bool          // of those that wait and were finished
	waiting  []lectern.Ranking        // to be stored, oldest first
	dropped  int64                    // never stored
	recent   map[string]*list.Element // of *remembered
	order    *list.List               // newest first
}

// remembered is a ranking in memory.
type remembered struct {
	ranking *lectern.Ranking
	since   time.Time
}

const (
	// memory is how long a ranking is served without asking the store: another
	// process may have erased its learner.
	memory = 5 * time.Second
	// young is how old a ranking must be that no store knows, to be unknown for
	// good: the process that made it may be about to store it.
	young = 2 * time.Second
	// youngPoll is how often the store is asked for one that is young.
	youngPoll = 25 * time.Millisecond
)

// NewRecorder starts a recorder. Close it to flush what waits.
func NewRecorder(store RankingStore, cfg RecordConfig, logger *slog.Logger) *Recorder {
	r := &Recorder{
		store: store, cfg: cfg, logger: logger,
		stop: make(chan struct{}), done: make(chan struct{}),
		recent: make(map[string]*list.Element), order: list.New(), finished: make(map[string]bool),
	}
	go r.run()
	return r
}

// Record keeps a ranking and queues it for the store. It does not block, and
// reports whether the ranking will be stored.
func (r *Recorder) Record(ranking lectern.Ranking) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remember(&ranking)
	if len(r.waiting) >= r.cfg.Queue {
		r.dropped++
		return false
	}
	r.waiting = append(r.waiting, ranking)
	return true
}

// Ranking returns a ranking from memory or from the store. Of one that another
// process has only just made it waits until it is stored. Its contents are
// shared: read only. Errors: CodeNotFound.
func (r *Recorder) Ranking(ctx context.Context, id string) (lectern.Ranking, error) {
	if ranking, ok := r.inMemory(id); ok {
		return ranking, nil
	}
	ranking, err := r.store.Ranking(ctx, id)
	for lectern.ErrorCode(err) == lectern.CodeNotFound && time.Since(madeAt(id)).Abs() < young {
		select {
		case <-ctx.Done():
			return lectern.Ranking{}, err
		case <-time.After(youngPoll):
		}
		ranking, err = r.store.Ranking(ctx, id)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(id)
	if err != nil {
		return lectern.Ranking{}, err
	}
	r.remember(&ranking)
	return ranking, nil
}

// inMemory finds a ranking that is fresh or still waits to be stored.
func (r *Recorder) inMemory(id string) (lectern.Ranking, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if el, ok := r.recent[id]; ok {
		if m := el.Value.(*remembered); time.Since(m.since) < memory {
			r.order.MoveToFront(el)
			return *m.ranking, true
		}
	}
	for i := range r.waiting { // a long queue outlives memory
		if r.waiting[i].ID == id {
			return r.waiting[i], true
		}
	}
	return lectern.Ranking{}, false
}

// madeAt is when a ranking was made, by its id; the zero time where it does not say.
func madeAt(id string) time.Time {
	b, ok := parseUUID(id)
	if !ok {
		return time.Time{}
	}
	ms := int64(0)
	for _, x := range b[:6] {
		ms = ms<<8 | int64(x)
	}
	return time.UnixMilli(ms)
}

// Dropped counts the rankings that were never stored.
func (r *Recorder) Dropped() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}

// Forget drops a learner's rankings from memory and from the queue. Call it when
// a learner is erased.
func (r *Recorder) Forget(ref lectern.LearnerRef) {
	if ref.IsZero() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := r.waiting[:0]
	for _, w := range r.waiting {
		if w.Learner != ref {
			kept = append(kept, w)
		} else {
			delete(r.finished, w.ID)
		}
	}
	clear(r.waiting[len(kept):])
	r.waiting = kept
	for el := r.order.Front(); el != nil; {
		next := el.Next()
		if old := el.Value.(*remembered).ranking; old.Learner == ref {
			delete(r.recent, old.ID)
			r.order.Remove(el)
		}
		el = next
	}
}

// Close stores what waits and ends the recorder, at the latest when ctx ends.
// Closing again does nothing.
func (r *Recorder) Close(ctx context.Context) error {
	r.closed.Do(func() { close(r.stop) })
	select {
	case <-r.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return r.flush(ctx)
}

// run flushes until stopped.
func (r *Recorder) run() {
	defer close(r.done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tick := time.NewTicker(r.cfg.FlushEvery)
	defer tick.Stop()
	failures := 0
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
		}
		err := r.flush(ctx)
		if err == nil {
			failures = 0
			continue
		}
		failures++
		r.logger.Warn("rankings could not be stored", "error", err, "attempt", failures)
		if failures == maxFailures {
			r.dropOldest()
			failures = 0
		}
	}
}

// maxFailures is how often a group is tried in a row before it is given up, lest
// one that the store will never take hold up all others.
const maxFailures = 50

// flushGroup is how many rankings are stored at once.
const flushGroup = 256

// dropOldest gives up the group that cannot be stored.
func (r *Recorder) dropOldest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(flushGroup, len(r.waiting))
	for i := range r.waiting[:n] {
		delete(r.finished, r.waiting[i].ID)
	}
	r.waiting = append([]lectern.Ranking(nil), r.waiting[n:]...)
	r.dropped += int64(n)
	r.logger.Error("rankings given up", "count", n)
}

// flush stores everything that waits; what fails waits on.
func (r *Recorder) flush(ctx context.Context) error {
	for {
		r.mu.Lock()
		batch := make([]lectern.Ranking, min(flushGroup, len(r.waiting)))
		copy(batch, r.waiting)
		r.mu.Unlock()
		if len(batch) == 0 {
			return nil
		}
		batch = r.finish(ctx, batch)
		if err := r.store.PutRankings(ctx, batch); err != nil {
			return err
		}
		r.mu.Lock()
		r.waiting = withoutStored(r.waiting, batch)
		for i := range batch {
			delete(r.finished, batch[i].ID)
		}
		r.mu.Unlock()
	}
}

// withoutStored returns waiting without the rankings of batch, in fresh storage
// so that stored ones can be collected.
func withoutStored(waiting, batch []lectern.Ranking) []lectern.Ranking {
	stored := make(map[string]bool, len(batch))
	for _, b := range batch {
		stored[b.ID] = true
	}
	var out []lectern.Ranking
	for _, w := range waiting {
		if !stored[w.ID] {
			out = append(out, w)
		}
	}
	return out
}

// remember puts a ranking in front of the recent ones. The caller holds r.mu.
func (r *Recorder) remember(ranking *lectern.Ranking) {
	if el, ok := r.recent[ranking.ID]; ok {
		r.order.MoveToFront(el)
		return
	}
	r.recent[ranking.ID] = r.order.PushFront(&remembered{ranking, time.Now()})
	for r.order.Len() > r.cfg.Keep {
		r.forget(r.order.Back().Value.(*remembered).ranking.ID)
	}
}

// forget drops a ranking from memory. The caller holds r.mu.
func (r *Recorder) forget(id string) {
	if el, ok := r.recent[id]; ok {
		r.order.Remove(el)
		delete(r.recent, id)
	}
}
