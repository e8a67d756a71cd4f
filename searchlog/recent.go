package searchlog

import (
	"context"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// Recent returns up to n of a learner's latest searches that found something, as
// they were typed, the newest first and each once. The block list does not apply:
// they are the learner's own. Nobody has none. What it returns may be some seconds
// old, and is shared: read only.
func (p *Phrases) Recent(ctx context.Context, ref lectern.LearnerRef, n int) ([]string, error) {
	if ref.IsZero() || n <= 0 {
		return nil, nil
	}
	now := p.clock()
	queries, ok := p.recent.get(ref, now)
	if !ok {
		version := p.recent.version()
		found, err := p.store.RecentSearches(ctx, ref, recentKept)
		if err != nil {
			return nil, err
		}
		queries = make([]string, 0, len(found))
		for _, s := range found {
			if q := Collapse(s.Query); s.Surface == lectern.SurfaceSearch && q != "" && !personal(q) {
				queries = append(queries, q)
			}
		}
		p.recent.put(ref, queries, now, version)
	}
	return queries[:min(n, len(queries))], nil
}

// Forget drops what is remembered of a learner. Call it when a learner is erased.
func (p *Phrases) Forget(ref lectern.LearnerRef) { p.recent.forget(ref) }

const (
	// recentKept is how many of a learner's searches are remembered.
	recentKept = 20
	// recentMemory is how long: another process may have erased the learner.
	recentMemory = 5 * time.Second
	// maxRecent bounds the learners remembered.
	maxRecent = 10_000
)

// recentCache keeps learners' searches for a moment, because an empty search bar
// asks for them each time it is opened. It holds two halves: when the younger is
// full or old, it becomes the older, and the older is dropped.
type recentCache struct {
	mu         sync.Mutex
	young, old map[lectern.LearnerRef]recentEntry
	since      time.Time // of the young half
	forgotten  int64     // times that a learner was forgotten
}

type recentEntry struct {
	queries []string
	at      time.Time
}

func newRecentCache() recentCache {
	return recentCache{young: make(map[lectern.LearnerRef]recentEntry), old: make(map[lectern.LearnerRef]recentEntry)}
}

func (c *recentCache) get(ref lectern.LearnerRef, now time.Time) ([]string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.young[ref]
	if !ok {
		e, ok = c.old[ref]
	}
	if !ok || now.Sub(e.at).Abs() >= recentMemory {
		return nil, false
	}
	return e.queries, true
}

// version changes whenever a learner is forgotten.
func (c *recentCache) version() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.forgotten
}

// put remembers what was read, unless somebody was forgotten since then: it may
// have been read before.
func (c *recentCache) put(ref lectern.LearnerRef, queries []string, now time.Time, version int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version != c.forgotten {
		return
	}
	if len(c.young) >= maxRecent/2 || now.Sub(c.since).Abs() >= recentMemory {
		c.old, c.young, c.since = c.young, make(map[lectern.LearnerRef]recentEntry), now
	}
	c.young[ref] = recentEntry{queries, now}
}

func (c *recentCache) forget(ref lectern.LearnerRef) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten++
	delete(c.young, ref)
	delete(c.old, ref)
}
