package neighbours

import (
	"container/list"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// answer is what was found for one version of a profile, in one space.
type answer struct {
	ref     lectern.LearnerRef
	version int64
	key     key
	at      time.Time
	hits    []lectern.Hit // read only
	ends    []end         // by course; read only
}

// cache holds the newest answer of the learners who asked last.
type cache struct {
	size int
	ttl  time.Duration

	mu    sync.Mutex
	byRef map[lectern.LearnerRef]*list.Element // of answer
	order *list.List                           // most recently used first
}

func newCache(size int, ttl time.Duration) *cache {
	return &cache{size: size, ttl: ttl, byRef: map[lectern.LearnerRef]*list.Element{}, order: list.New()}
}

func (c *cache) get(ref lectern.LearnerRef, version int64, k key, now time.Time) (answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.byRef[ref]
	if !ok {
		return answer{}, false
	}
	a := el.Value.(answer)
	if a.version != version || a.key != k || now.Sub(a.at) >= c.ttl {
		return answer{}, false
	}
	c.order.MoveToFront(el)
	return a, true
}

func (c *cache) put(ref lectern.LearnerRef, a answer) {
	a.ref = ref
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.byRef[ref]; ok {
		el.Value = a
		c.order.MoveToFront(el)
		return
	}
	c.byRef[ref] = c.order.PushFront(a)
	for c.order.Len() > c.size {
		last := c.order.Back()
		delete(c.byRef, last.Value.(answer).ref)
		c.order.Remove(last)
	}
}

func (c *cache) drop(ref lectern.LearnerRef) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.byRef[ref]; ok {
		delete(c.byRef, ref)
		c.order.Remove(el)
	}
}
