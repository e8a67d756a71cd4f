package suggest

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// recall keeps what was asked of others, the most recently used of it. What is not
// kept is asked for once, however many want it, and is waited for as long as the
// caller likes: what comes later is kept for the next one.
type recall[K comparable, V any] struct {
	clock  lectern.Clock
	limit  int           // entries
	ttl    time.Duration // after which an entry is asked for anew; 0 for never
	giveUp time.Duration // of one question
	slots  chan struct{} // one for each question under way

	mu      sync.Mutex
	entries map[K]*list.Element // of *recalled
	order   *list.List          // most recently used first
	flights map[K]*flight[V]
}

type recalled[K comparable, V any] struct {
	key   K
	value V
	at    time.Time
}

// flight is a question under way. done is closed when value and err are set.
type flight[V any] struct {
	done  chan struct{}
	value V
	err   error
}

func newRecall[K comparable, V any](clock lectern.Clock, limit int, ttl, giveUp time.Duration, atOnce int) *recall[K, V] {
	return &recall[K, V]{
		clock: clock, limit: limit, ttl: ttl, giveUp: giveUp, slots: make(chan struct{}, atOnce),
		entries: make(map[K]*list.Element), order: list.New(), flights: make(map[K]*flight[V]),
	}
}

var (
	errLate = errors.New("no answer in time")
	errBusy = errors.New("too many questions are under way")
)

// get returns the value of a key. ask gets what was kept before, stale, with ok
// false when there is none; it runs for giveUp at most, and on when get has
// stopped waiting.
func (r *recall[K, V]) get(ctx context.Context, key K, wait time.Duration, ask func(ctx context.Context, before V, ok bool) (V, error)) (V, error) {
	var zero V
	r.mu.Lock()
	before, fresh, ok := r.find(key)
	if fresh {
		r.mu.Unlock()
		return before, nil
	}
	f := r.flights[key]
	if f == nil {
		select {
		case r.slots <- struct{}{}:
		default:
			r.mu.Unlock()
			return zero, errBusy
		}
		f = &flight[V]{done: make(chan struct{})}
		r.flights[key] = f
		go r.fly(context.WithoutCancel(ctx), key, f, func(ctx context.Context) (V, error) { return ask(ctx, before, ok) }) // ends after giveUp
	}
	r.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		return zero, ctx.Err()
	case <-timer.C:
	}
	select {
	case <-f.done: // both are over when the machine was busy: what is there is used
		return f.value, f.err
	default:
		return zero, errLate
	}
}

// fly asks and keeps the answer. A failure is not kept.
func (r *recall[K, V]) fly(ctx context.Context, key K, f *flight[V], ask func(context.Context) (V, error)) {
	ctx, cancel := context.WithTimeout(ctx, r.giveUp)
	defer cancel()
	f.value, f.err = ask(ctx)
	r.mu.Lock()
	delete(r.flights, key)
	if f.err == nil {
		r.put(key, f.value)
	}
	r.mu.Unlock()
	<-r.slots
	close(f.done)
}

// inline does what get does in the caller's own time: for what is quick.
func (r *recall[K, V]) inline(ctx context.Context, key K, ask func(context.Context) (V, error)) (V, error) {
	r.mu.Lock()
	v, fresh, _ := r.find(key)
	r.mu.Unlock()
	if fresh {
		return v, nil
	}
	v, err := ask(ctx)
	if err == nil {
		r.mu.Lock()
		r.put(key, v)
		r.mu.Unlock()
	}
	return v, err
}

// find looks an entry up, with mu held.
func (r *recall[K, V]) find(key K) (v V, fresh, ok bool) {
	el := r.entries[key]
	if el == nil {
		return v, false, false
	}
	r.order.MoveToFront(el)
	e := el.Value.(*recalled[K, V])
	return e.value, r.ttl == 0 || r.clock().Sub(e.at) < r.ttl, true
}

// put keeps a value, with mu held.
func (r *recall[K, V]) put(key K, v V) {
	e := &recalled[K, V]{key, v, r.clock()}
	if el := r.entries[key]; el != nil {
		el.Value = e
		r.order.MoveToFront(el)
		return
	}
	r.entries[key] = r.order.PushFront(e)
	for r.order.Len() > r.limit {
		last := r.order.Back()
		delete(r.entries, last.Value.(*recalled[K, V]).key)
		r.order.Remove(last)
	}
}

// drop forgets a key. A question about it that is under way may still be kept.
func (r *recall[K, V]) drop(key K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if el := r.entries[key]; el != nil {
		delete(r.entries, key)
		r.order.Remove(el)
	}
}
