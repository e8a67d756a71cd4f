package searchlog

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// Writer is the part of lectern.SearchStore that Log needs.
type Writer interface {
	PutSearches(ctx context.Context, searches []lectern.Search) error
}

// Log stores searches in groups. Its own goroutine flushes; Close ends it.
// Recording never makes a request wait: what the store does not keep up with,
// beyond the queue, is not stored and counts as dropped. It is safe for
// concurrent use.
type Log struct {
	store  Writer
	cfg    Config
	logger *slog.Logger

	stop   chan struct{}
	done   chan struct{}
	closed sync.Once

	mu      sync.Mutex
	waiting []lectern.Search // to be stored, oldest first
	dropped int64            // never stored
}

// NewLog starts a log. Close it to flush what waits.
func NewLog(store Writer, cfg Config, logger *slog.Logger) *Log {
	l := &Log{store: store, cfg: cfg, logger: logger, stop: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

// SearchOf returns what the log keeps of a list that answers a search.
func SearchOf(r lectern.Ranking) lectern.Search {
	return lectern.Search{
		RankingID: r.ID, At: r.CreatedAt, Learner: r.Learner, Surface: r.Surface,
		Query: Collapse(r.Query), Folded: Fold(r.Query), Results: len(r.Items), Degraded: len(r.Degraded) > 0,
	}
}

// Record queues a search for the store. It does not block, and reports whether
// the search will be stored. Query and Folded may be left to it: they are made
// from Query.
func (l *Log) Record(s lectern.Search) bool {
	s.Query = Collapse(s.Query)
	if s.Folded == "" {
		s.Folded = Fold(s.Query)
	}
	if s.Folded == "" || s.RankingID == "" {
		return false // nothing was searched for
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) >= l.cfg.Queue {
		l.dropped++
		return false
	}
	l.waiting = append(l.waiting, s)
	return true
}

// Dropped counts the searches that were never stored.
func (l *Log) Dropped() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// Forget takes a learner's searches out of the queue. Call it when a learner is
// erased.
func (l *Log) Forget(ref lectern.LearnerRef) {
	if ref.IsZero() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := make([]lectern.Search, 0, len(l.waiting))
	for _, w := range l.waiting {
		if w.Learner != ref {
			kept = append(kept, w)
		}
	}
	l.waiting = kept
}

// Close stores what waits and ends the log, at the latest when ctx ends. Closing
// again stores what was recorded since.
func (l *Log) Close(ctx context.Context) error {
	l.closed.Do(func() { close(l.stop) })
	select {
	case <-l.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return l.flush(ctx)
}

const (
	// flushGroup is how many searches are stored at once.
	flushGroup = 500
	// maxFailures is how often a group is tried in a row before it is given up, lest
	// one that the store will never take hold up all others.
	maxFailures = 50
)

// run flushes until stopped.
func (l *Log) run() {
	defer close(l.done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // a flush under way ends with the log
		select {
		case <-l.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	tick := time.NewTicker(l.cfg.FlushEvery)
	defer tick.Stop()
	failures := 0
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		err := l.flush(ctx)
		if err == nil {
			failures = 0
			continue
		}
		if ctx.Err() != nil {
			return
		}
		failures++
		l.logger.Warn("searches could not be stored", "error", err, "attempt", failures)
		if failures == maxFailures {
			l.dropOldest()
			failures = 0
		}
	}
}

// dropOldest gives up the group that cannot be stored.
func (l *Log) dropOldest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(flushGroup, len(l.waiting))
	l.waiting = append([]lectern.Search(nil), l.waiting[n:]...)
	l.dropped += int64(n)
	l.logger.Error("searches given up", "count", n)
}

// flush stores everything that waits; what fails waits on.
func (l *Log) flush(ctx context.Context) error {
	for {
		l.mu.Lock()
		batch := append([]lectern.Search(nil), l.waiting[:min(flushGroup, len(l.waiting))]...)
		l.mu.Unlock()
		if len(batch) == 0 {
			return nil
		}
		refused, err := l.put(ctx, batch)
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.waiting = withoutStored(l.waiting, batch)
		l.dropped += int64(refused)
		l.mu.Unlock()
	}
}

// put stores a group, and returns how many of it the store will never take. They
// do not keep the others out.
func (l *Log) put(ctx context.Context, batch []lectern.Search) (refused int, err error) {
	err = l.store.PutSearches(ctx, batch)
	if lectern.ErrorCode(err) != lectern.CodeInvalid {
		return 0, err
	}
	if len(batch) == 1 {
		l.logger.Error("a search cannot be stored", "error", err)
		return 1, nil
	}
	for i := range batch {
		n, err := l.put(ctx, batch[i:i+1])
		if err != nil {
			return 0, err
		}
		refused += n
	}
	return refused, nil
}

// withoutStored returns waiting without the searches of batch, in fresh storage
// so that stored ones can be collected. Some may have been taken out meanwhile.
func withoutStored(waiting, batch []lectern.Search) []lectern.Search {
	stored := make(map[string]bool, len(batch))
	for _, b := range batch {
		stored[b.RankingID] = true
	}
	var out []lectern.Search
	for _, w := range waiting {
		if !stored[w.RankingID] {
			out = append(out, w)
		}
	}
	return out
}
