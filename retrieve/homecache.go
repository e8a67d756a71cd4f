package retrieve

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// pageKey is what is asked for.
type pageKey struct {
	learner lectern.LearnerRef
	request requestHash
	limit   int
	explain bool
}

func (p *pass) key() pageKey {
	return pageKey{learner: p.req.Learner, request: p.hashOf(p.req.Row), limit: p.req.Limit, explain: p.req.Explain}
}

// pageState is what a page was made of. A page is good while all of it is the same.
type pageState struct {
	profile     int64  // version
	catalogue   uint64 // epoch
	fingerprint string // of the embedder
	model       int64  // version
	settings    string // of the reranker
	phase       int    // of its rules
	exploring   string // settings of exploration
	trials      string // what experiments change
}

func (e *Engine) stateOf(p *pass) pageState {
	s := pageState{
		profile: p.profile.Version, catalogue: e.Catalog.epoch.Load(), model: p.modelVersion(), settings: p.reranker.Version(),
	}
	if p.embedder != nil {
		s.fingerprint = p.embedder.Fingerprint()
	}
	for _, r := range p.rankers() {
		if rules, ok := r.(ruled); ok {
			s.phase += rules.Phase(p.at)
		}
	}
	s.trials = p.trialState()
	if x, ok := e.Explorer.(settled); ok {
		s.exploring = x.SettingsName()
	}
	return s
}

// keptPage is a page without its courses.
type keptPage struct {
	at       time.Time
	rows     []keptRow
	degraded []string
}

// keptRow is the head of a recorded row.
type keptRow struct {
	title   lectern.Reason
	ranking lectern.Ranking // with the first items only
	total   int             // items of the recorded row
	request requestHash     // of a list of this row
}

// pageCache keeps the pages that were last asked for. It is safe for concurrent use.
type pageCache struct {
	ttl  time.Duration
	size int

	mu    sync.Mutex
	byKey map[pageKey]*list.Element // of *cachedPage
	byRef map[lectern.LearnerRef]map[pageKey]bool
	order *list.List // most recently used first
}

type cachedPage struct {
	key   pageKey
	state pageState
	page  keptPage
}

func newPageCache(c HomeConfig) *pageCache {
	return &pageCache{
		ttl: c.CacheTTL, size: c.CacheSize,
		byKey: make(map[pageKey]*list.Element), byRef: make(map[lectern.LearnerRef]map[pageKey]bool), order: list.New(),
	}
}

// get returns a page that is still good. Read only.
func (c *pageCache) get(key pageKey, state pageState, at time.Time) (keptPage, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.byKey[key]
	if !ok {
		return keptPage{}, false
	}
	kept := el.Value.(*cachedPage)
	if age := at.Sub(kept.page.at); kept.state != state || age < 0 || age >= c.ttl {
		c.drop(el)
		return keptPage{}, false
	}
	c.order.MoveToFront(el)
	return kept.page, true
}

// put keeps a page.
func (c *pageCache) put(key pageKey, state pageState, page keptPage) {
	if c.ttl <= 0 || c.size <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.byKey[key]; ok {
		c.drop(el)
	}
	c.byKey[key] = c.order.PushFront(&cachedPage{key, state, page})
	if c.byRef[key.learner] == nil {
		c.byRef[key.learner] = make(map[pageKey]bool)
	}
	c.byRef[key.learner][key] = true
	for c.order.Len() > c.size {
		c.drop(c.order.Back())
	}
}

// forget drops the pages of a learner. Pages for nobody are nobody's.
func (c *pageCache) forget(ref lectern.LearnerRef) {
	if ref.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.byRef[ref] {
		c.drop(c.byKey[key])
	}
}

// drop takes one page out. The caller holds c.mu.
func (c *pageCache) drop(el *list.Element) {
	key := el.Value.(*cachedPage).key
	c.order.Remove(el)
	delete(c.byKey, key)
	delete(c.byRef[key.learner], key)
	if len(c.byRef[key.learner]) == 0 {
		delete(c.byRef, key.learner)
	}
}

// courseCache keeps courses as they were read, each for as long as the catalogue knows
// it in that version. It is safe for concurrent use.
type courseCache struct {
	size int

	mu    sync.Mutex
	byID  map[string]*list.Element // of *cachedCourse
	order *list.List               // most recently used first
}

type cachedCourse struct {
	hash   uint64
	course lectern.Course
}

func newCourseCache(c HomeConfig) *courseCache {
	return &courseCache{size: c.CacheCourses, byID: make(map[string]*list.Element), order: list.New()}
}

// read returns the courses with these ids, beside them, from memory where the catalogue
// knows the same version, else from the store; nil for one that is not there. Ids may
// not repeat. Read only.
func (c *courseCache) read(ctx context.Context, e *Engine, ids []string) ([]*lectern.Course, error) {
	out := make([]*lectern.Course, len(ids))
	entries := e.Catalog.lookup(ids)
	var missing []string
	at := make(map[string]int)
	c.mu.Lock()
	for i, id := range ids {
		el, ok := c.byID[id]
		if ok && entries[i] != nil && el.Value.(*cachedCourse).hash == entries[i].hash {
			c.order.MoveToFront(el)
			out[i] = &el.Value.(*cachedCourse).course
			continue
		}
		missing = append(missing, id)
		at[id] = i
	}
	c.mu.Unlock()
	if len(missing) == 0 {
		return out, nil
	}
	bounded, cancel := context.WithTimeout(ctx, e.cfg.Budgets.Courses)
	defer cancel()
	found, err := e.Courses.Courses(bounded, missing)
	if err != nil {
		return nil, unavailable(ctx, "the courses of the page could not be read", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range found {
		if j, ok := at[found[i].ID]; ok {
			out[j] = &found[i]
		}
		c.put(e.Catalog.hashCourse(&found[i]), found[i])
	}
	return out, nil
}

// put keeps a course. The caller holds c.mu.
func (c *courseCache) put(hash uint64, course lectern.Course) {
	if c.size <= 0 {
		return
	}
	if el, ok := c.byID[course.ID]; ok {
		el.Value = &cachedCourse{hash, course}
		c.order.MoveToFront(el)
		return
	}
	c.byID[course.ID] = c.order.PushFront(&cachedCourse{hash, course})
	for c.order.Len() > c.size {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.byID, last.Value.(*cachedCourse).course.ID)
	}
}
