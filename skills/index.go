package skills

import (
	"context"
	"hash/maphash"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lectern-dev/lectern"
)

// IndexOptions is what an Index is made with.
type IndexOptions struct {
	// Prior breaks ties between courses, larger first, such as by popularity; nil
	// leaves them to the id. It is asked when a course is applied.
	Prior func(lectern.Course) float64
}

// Index knows which open courses teach which skill. It follows the catalogue by
// Apply, tags courses in Run, and answers from immutable snapshots: it is safe for
// concurrent use, and answers wait for nothing.
type Index struct {
	matcher *Matcher
	prior   func(lectern.Course) float64
	up      [][]reach // by skill: itself and what is broader, with what is left of a confidence
	seed    maphash.Seed
	view    atomic.Pointer[snapshot]
	courses []atomic.Int32 // by skill: open courses
	version atomic.Uint64
	sums    sync.Pool
	wake    chan struct{} // holds one when there is something to do

	steps sync.Mutex // held during a step, so that Refresh knows when Run is done

	mu      sync.Mutex // guards what follows; held while a snapshot is made
	pending map[string]*waiting
	stack   []string // pending ids, the latest last; some are there no more, some twice
	free    []int32  // slots
	dropped []*entry // deleted, but still in the snapshot's lists

	complete atomic.Bool // once nothing waited

	idMu sync.RWMutex // guards byID, which is written with mu held as well
	byID map[string]*entry
}

// waiting is a course that has to be tagged.
type waiting struct {
	id    string
	text  lectern.Course // the fields that Tag reads
	prior float32
	hash  uint64
}

// entry is a course as it was tagged. It never changes but for gone.
type entry struct {
	id    string
	tags  []tag // most confident first
	hash  uint64
	prior float32
	slot  int32
	gone  atomic.Bool // deleted or no longer open
}

// tag is a skill, by its place in the graph, with a confidence.
type tag struct {
	skill int32
	sure  float32
}

// NewIndex returns an index without courses. Run keeps it up to date.
func NewIndex(m *Matcher, o IndexOptions) *Index {
	x := &Index{
		matcher: m, prior: o.Prior, up: reaches(m.graph), seed: maphash.MakeSeed(),
		courses: make([]atomic.Int32, len(m.graph.skills)), wake: make(chan struct{}, 1),
		pending: make(map[string]*waiting), byID: make(map[string]*entry),
	}
	if x.prior == nil {
		x.prior = func(lectern.Course) float64 { return 0 }
	}
	x.sums.New = func() any { return &sums{} }
	x.view.Store(newSnapshot(len(m.graph.skills)))
	return x
}

// Matcher returns what courses are tagged and queries are expanded with.
func (x *Index) Matcher() *Matcher { return x.matcher }

// Apply takes in what changed. What is deleted or not open any more is gone from
// here on; what is new or changed is tagged by Run, and until then stays as it
// was. With reset, courses that are not in upserts are dropped.
func (x *Index) Apply(ctx context.Context, upserts []lectern.Course, deletes []string, reset bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	fresh := make(map[string]*waiting, len(upserts))
	for _, c := range upserts {
		fresh[c.ID] = nil // the last one of an id counts
		if c.Availability.Status == "" || c.Availability.Status == lectern.StatusOpen {
			fresh[c.ID] = x.waitingFor(c)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if reset {
		for id := range x.byID {
			if fresh[id] == nil {
				x.drop(id)
			}
		}
		clear(x.pending)
		x.stack = x.stack[:0]
	}
	for _, id := range deletes {
		x.drop(id)
	}
	for id, w := range fresh {
		if w == nil {
			x.drop(id)
			continue
		}
		if e := x.byID[id]; e != nil && e.hash == w.hash && e.prior == w.prior {
			delete(x.pending, id) // back to what it was
			continue
		}
		x.pending[id] = w
		x.stack = append(x.stack, id)
	}
	if len(x.pending) == 0 {
		x.complete.Store(true)
	}
	if len(x.pending)+len(x.dropped) > 0 {
		x.notify()
	}
	return nil
}

func (x *Index) notify() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// waitingFor keeps what is needed to tag a course.
func (x *Index) waitingFor(c lectern.Course) *waiting {
	var h maphash.Hash
	h.SetSeed(x.seed)
	for _, s := range append([]string{c.Title, c.Description}, c.Syllabus...) {
		h.WriteString(s)
		h.WriteByte(0)
	}
	return &waiting{
		id: c.ID, prior: float32(x.prior(c)), hash: h.Sum64(),
		text: lectern.Course{ID: c.ID, Title: c.Title, Description: c.Description, Syllabus: c.Syllabus},
	}
}

// drop makes a course vanish.
func (x *Index) drop(id string) {
	delete(x.pending, id)
	e := x.byID[id]
	if e == nil {
		return
	}
	e.gone.Store(true)
	x.idMu.Lock()
	delete(x.byID, id)
	x.idMu.Unlock()
	x.count(e, -1)
	x.dropped = append(x.dropped, e)
}

// count keeps the numbers of courses.
func (x *Index) count(e *entry, by int32) {
	for _, p := range x.spread(e) {
		x.courses[p.skill].Add(by)
	}
}

// How the work is cut: a snapshot is made after so much tagging at the latest,
// and after making one Run rests, so that many changes share one.
const (
	tagAtOnce = 1000 // courses, about a fifth of a second
	restFor   = 100 * time.Millisecond
)

// Run tags what Apply hands over until ctx ends, the latest changes first, so that
// they do not wait for the rest of a large catalogue.
func (x *Index) Run(ctx context.Context) error {
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-rest.C:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-x.wake:
		}
		for x.step(ctx) {
		}
		rest.Reset(restFor)
	}
}

// Refresh tags everything that was applied before it returns.
func (x *Index) Refresh(ctx context.Context) error {
	for x.step(ctx) {
	}
	return ctx.Err()
}

// step tags some of the courses that wait and makes a snapshot with them. It
// reports whether more may be waiting.
func (x *Index) step(ctx context.Context) bool {
	x.steps.Lock()
	defer x.steps.Unlock()
	batch, clean := x.next()
	if len(batch) == 0 && clean {
		return false
	}
	fresh := make([]*entry, len(batch))
	for i, w := range batch {
		if ctx.Err() != nil {
			x.putBack(batch)
			return false
		}
		fresh[i] = x.tagged(w)
	}
	x.publish(batch, fresh)
	return ctx.Err() == nil
}

// next lists some of the courses that wait, without taking them, and reports
// whether there is nothing to clean up.
func (x *Index) next() (batch []*waiting, clean bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	seen := make(map[string]bool)
	for len(x.stack) > 0 && len(batch) < tagAtOnce {
		id := x.stack[len(x.stack)-1]
		x.stack = x.stack[:len(x.stack)-1]
		if w := x.pending[id]; w != nil && !seen[id] {
			seen[id] = true
			batch = append(batch, w)
		}
	}
	return batch, len(x.dropped) == 0
}

// putBack undoes next.
func (x *Index) putBack(batch []*waiting) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, w := range batch {
		x.stack = append(x.stack, w.id)
	}
	x.notify()
}

// tagged makes the entry of a course.
func (x *Index) tagged(w *waiting) *entry {
	e := &entry{id: w.id, hash: w.hash, prior: w.prior}
	x.idMu.RLock()
	old := x.byID[w.id]
	x.idMu.RUnlock()
	if old != nil && old.hash == w.hash {
		e.tags = old.tags
		return e
	}
	found := x.matcher.Tag(w.text)
	e.tags = make([]tag, len(found))
	for i, t := range found {
		e.tags[i] = tag{x.matcher.graph.skillAt[t.SkillID], float32(t.Confidence)}
	}
	return e
}

// Version changes whenever the answers may have changed through something that
// was tagged; what is dropped at once does not count.
func (x *Index) Version() uint64 { return x.version.Load() }

// Len is how many courses are tagged.
func (x *Index) Len() int {
	x.idMu.RLock()
	defer x.idMu.RUnlock()
	return len(x.byID)
}

// Waiting is how many courses are yet to be tagged, or tagged anew.
func (x *Index) Waiting() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.pending)
}

// Ready reports whether nearly all courses are tagged: false from the start until
// the catalogue was read and tagged, and true while a few courses change.
func (x *Index) Ready() bool {
	const (
		share = 20 // tagged courses for one that waits
		few   = 64
	)
	waiting := x.Waiting()
	return x.complete.Load() && (waiting <= few || waiting*share <= x.Len())
}

// Tags returns the skills of a course, most confident first, without evidence;
// Matcher.Tag gives that. It is nil for a course that is unknown, not open or not
// tagged yet.
func (x *Index) Tags(courseID string) []Tagged {
	x.idMu.RLock()
	e := x.byID[courseID]
	x.idMu.RUnlock()
	if e == nil {
		return nil
	}
	out := make([]Tagged, len(e.tags))
	for i, t := range e.tags {
		out[i] = Tagged{SkillID: x.matcher.graph.skills[t.skill].ID, Confidence: float64(t.sure)}
	}
	return out
}

// Named is a skill that courses teach.
type Named struct {
	ID      string
	Name    string
	Aliases []string
	Phrases []string
	Courses int // open ones, those on narrower skills included; see Courses
}

// Names yields the skills that at least one open course teaches, by id.
func (x *Index) Names() iter.Seq[Named] {
	return func(yield func(Named) bool) {
		for i := range x.courses {
			n := int(x.courses[i].Load())
			if n == 0 {
				continue
			}
			s := &x.matcher.graph.skills[i]
			if !yield(Named{s.ID, s.Name, s.Aliases, s.Phrases, n}) {
				return
			}
		}
	}
}

// Count is the number of open courses on a skill, as Courses counts them.
func (x *Index) Count(skillID string) int {
	i, ok := x.matcher.graph.skillAt[skillID]
	if !ok {
		return 0
	}
	return int(x.courses[i].Load())
}
