package training

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/viterin/vek/vek32"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
)

// ScorerOptions say how a model is put to use.
type ScorerOptions struct {
	// Unit is what an enrolment weighs in a Touch: a history's weights are in
	// enrolments, as those were that the model learnt from.
	Unit float64
	// Dim is the length of the factors that the index has room for, 0 for none.
	Dim int
	// Held returns which version's factors the index in use holds; nil for none.
	Held func() int64
}

// Scorer answers from one model, by the ids of courses. It is safe for concurrent
// use and works in memory.
type Scorer struct {
	info  Version
	items []string
	at    map[string]int32
	model cf.Model
	next  cf.Successor // nil where nothing knows what follows

	unit *unit // nil where the model has no factors for the index
	o    ScorerOptions

	scratch sync.Pool // *scratch
	seed    maphash.Seed
	scales  [scaleSlots]atomic.Pointer[scale] // by hash of the history
}

const (
	// exactItems is how many items are scored one by one for a list; of more, those
	// that the factors put first.
	exactItems = 6000
	// shortlist is how many these are at least.
	shortlist = 2000
	// sampled items say what a score means where not all are scored.
	sampled = 256
	// scaleSlots histories are remembered with what their scores mean, and, of up to
	// exactItems, with the scores: 6 MB at most.
	scaleSlots = 256
)

// NewScorer puts loaded models to use: the first answers, and one that knows
// successors may follow.
func NewScorer(info Version, items []string, models []cf.Model, o ScorerOptions) (*Scorer, error) {
	if len(models) == 0 || models[0].Items() != len(items) || o.Unit <= 0 {
		return nil, lectern.Errorf(lectern.CodeInternal, "a model does not fit its courses")
	}
	s := &Scorer{info: info, items: items, at: make(map[string]int32, len(items)), model: models[0], o: o, seed: maphash.MakeSeed()}
	for i, id := range items {
		s.at[id] = int32(i)
	}
	for _, m := range models {
		if s.next = successor(m); s.next != nil {
			break
		}
	}
	s.unit = newUnit(models[0], o.Dim)
	s.scratch.New = func() any { return &scratch{all: make([]float32, len(items))} }
	return s, nil
}

// scratch is memory of one call.
type scratch struct {
	all     []float32 // [items]
	some    []float32
	order   []int32
	history cf.History
	best    []scored
}

type scored struct {
	score float32
	item  int32
}

// Version is that of the artefact.
func (s *Scorer) Version() int64 { return s.info.Version }

// Dim is the length of the factors, 0 where there are none.
func (s *Scorer) Dim() int {
	if s.unit == nil {
		return 0
	}
	return s.unit.dim
}

// Info describes the model's training.
func (s *Scorer) Info() Version { return s.info }

// Model is the model itself, with the ids of its items. Read only.
func (s *Scorer) Model() (cf.Model, []string) { return s.model, s.items }

// history makes a history of what a learner touched and the model knows: what they
// said no to is none of it. It is in the order of time.
func (s *Scorer) history(touched []lectern.Touch, into cf.History) cf.History {
	h := into[:0]
	for _, t := range touched {
		item, known := s.at[t.CourseID]
		w := t.Weight / s.o.Unit
		if !known || !(w > 0) || math.IsInf(w, 0) {
			continue
		}
		var at int64
		if !t.At.IsZero() {
			at = t.At.Unix()
		}
		h = append(h, cf.Interaction{Item: item, Weight: float32(w), At: at})
	}
	slices.SortFunc(h, func(a, b cf.Interaction) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Item, b.Item)) })
	return h
}

// scale says what a model's scores for one history mean: its mean over all items is
// 0 and its best is 1.
type scale struct {
	hash       uint64
	mean, best float32
	all        []float32 // of the items, where all were scored and they are few; read only
}

func (c *scale) of(score float32) float64 {
	if c.best <= c.mean {
		return 0
	}
	return min(max(float64(score-c.mean)/float64(c.best-c.mean), 0), 1)
}

func scaleOf(hash uint64, all []float32) *scale {
	c := &scale{hash: hash, best: float32(math.Inf(-1))}
	sum := 0.0
	for _, v := range all {
		sum += float64(v)
		c.best = max(c.best, v)
	}
	c.mean = float32(sum / float64(max(1, len(all))))
	return c
}

// hash tells histories apart. maphash is no cryptography, but a mistaken scale
// would only shift a score.
func (s *Scorer) hash(h cf.History) uint64 {
	var m maphash.Hash
	m.SetSeed(s.seed)
	for _, x := range h {
		maphash.WriteComparable(&m, x)
	}
	return m.Sum64()
}

func (s *Scorer) slot(hash uint64) *atomic.Pointer[scale] { return &s.scales[hash%scaleSlots] }

// large reports whether lists come from factors.
func (s *Scorer) large() bool { return len(s.items) > exactItems && s.unit != nil }

// scores fills b.order and b.some, or b.all where it returns true for all, and says
// what the scores mean.
func (s *Scorer) scores(h cf.History, b *scratch, k int) (all bool, c *scale) {
	hash := s.hash(h)
	if s.large() && s.nearest(h, b, max(shortlist, 4*k)) {
		n := len(b.order)
		step := max(1, len(s.items)/sampled)
		for i := 0; i < len(s.items); i += step {
			b.order = append(b.order, int32(i))
		}
		b.some = slices.Grow(b.some[:0], len(b.order))[:len(b.order)]
		s.model.Predict(h, b.order, b.some)
		c = scaleOf(hash, b.some[n:])
		c.best = max(c.best, slices.Max(b.some[:n]))
		b.order, b.some = b.order[:n], b.some[:n]
		s.slot(hash).Store(c)
		return false, c
	}
	s.model.Predict(h, nil, b.all)
	c = scaleOf(hash, b.all)
	if len(b.all) <= exactItems {
		c.all = slices.Clone(b.all)
	}
	s.slot(hash).Store(c)
	return true, c
}

// nearest puts the items into b.order that the factors put first.
func (s *Scorer) nearest(h cf.History, b *scratch, n int) bool {
	q := s.unit.query(h)
	if len(q) == 0 {
		return false
	}
	b.best = b.best[:0]
	for i, f := range s.unit.items {
		if len(f) != len(q) {
			continue
		}
		b.best = offer(b.best, scored{vek32.Dot(f, q), int32(i)}, n)
	}
	b.order = b.order[:0]
	for _, x := range b.best {
		b.order = append(b.order, x.item)
	}
	return len(b.order) > 0
}

// Top returns the k best courses for a learner who did this, among those that allow
// lets pass, by falling score in [0, 1]: 1 is the model's best of all courses, 0
// its mean. nil when nothing can be said.
func (s *Scorer) Top(touched []lectern.Touch, k int, allow func(courseID string) bool) []lectern.Hit {
	b := s.scratch.Get().(*scratch)
	defer s.scratch.Put(b)
	b.history = s.history(touched, b.history)
	if len(b.history) == 0 || k <= 0 {
		return nil
	}
	hash := s.hash(b.history)
	if c := s.slot(hash).Load(); c != nil && c.hash == hash && c.all != nil {
		copy(b.all, c.all)
		return s.best(b, true, c, k, -1, allow)
	}
	all, c := s.scores(b.history, b, k)
	return s.best(b, all, c, k, -1, allow)
}

// best returns the k best of what was scored, but not the item without.
func (s *Scorer) best(b *scratch, all bool, c *scale, k int, without int32, allow func(courseID string) bool) []lectern.Hit {
	scores, order := b.some, b.order
	if all {
		scores, order = b.all, nil
	}
	b.best = b.best[:0]
	for i, v := range scores {
		item := int32(i)
		if order != nil {
			item = order[i]
		}
		if !(v > c.mean) || item == without || (len(b.best) == k && !(v > b.best[0].score)) || (allow != nil && !allow(s.items[item])) {
			continue
		}
		b.best = offer(b.best, scored{v, item}, k)
	}
	slices.SortFunc(b.best, func(x, y scored) int {
		return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(x.item, y.item))
	})
	hits := make([]lectern.Hit, len(b.best))
	for i, x := range b.best {
		hits[i] = lectern.Hit{ID: s.items[x.item], Score: float32(c.of(x.score))}
	}
	return hits
}

// offer puts x into a heap of at most n, whose first is the worst: a lower score,
// or a later item.
func offer(heap []scored, x scored, n int) []scored {
	worse := func(a, b scored) bool { return a.score < b.score || a.score == b.score && a.item > b.item }
	if len(heap) < n {
		heap = append(heap, x)
		for i := len(heap) - 1; i > 0; {
			up := (i - 1) / 2
			if !worse(heap[i], heap[up]) {
				break
			}
			heap[i], heap[up] = heap[up], heap[i]
			i = up
		}
		return heap
	}
	if !worse(heap[0], x) {
		return heap
	}
	heap[0] = x
	for i := 0; ; {
		down := 2*i + 1
		if down >= len(heap) {
			return heap
		}
		if down+1 < len(heap) && worse(heap[down+1], heap[down]) {
			down++
		}
		if !worse(heap[down], heap[i]) {
			return heap
		}
		heap[i], heap[down] = heap[down], heap[i]
		i = down
	}
}

// Scores returns how the model ranks each course for that learner, in [0, 1]: 1 for
// its best of all courses, 0 for its mean and below. A course that the model does
// not know has NaN; so has every one for a learner of whom nothing can be said.
func (s *Scorer) Scores(touched []lectern.Touch, ids []string) []float64 {
	out := make([]float64, len(ids))
	b := s.scratch.Get().(*scratch)
	defer s.scratch.Put(b)
	b.history = s.history(touched, b.history)
	if len(b.history) == 0 {
		for i := range out {
			out[i] = math.NaN()
		}
		return out
	}
	hash := s.hash(b.history)
	c := s.slot(hash).Load()
	if c == nil || c.hash != hash {
		_, c = s.scores(b.history, b, 0)
	}
	if c.all != nil { // a page asks for the best and for the others: one call of the model serves both
		for i, id := range ids {
			out[i] = math.NaN()
			if item, ok := s.at[id]; ok {
				out[i] = c.of(c.all[item])
			}
		}
		return out
	}
	b.order = b.order[:0]
	for _, id := range ids {
		if item, ok := s.at[id]; ok {
			b.order = append(b.order, item)
		}
	}
	b.some = slices.Grow(b.some[:0], len(b.order))[:len(b.order)]
	if len(b.order) > 0 {
		s.model.Predict(b.history, b.order, b.some)
	}
	n := 0
	for i, id := range ids {
		if _, ok := s.at[id]; !ok {
			out[i] = math.NaN()
			continue
		}
		out[i] = c.of(b.some[n])
		n++
	}
	return out
}

// Factor is the learner as a query for the index's VectorCF, unit length; nil when
// nothing can be said, or while the index holds factors of another version.
func (s *Scorer) Factor(touched []lectern.Touch) []float32 {
	if s.o.Held == nil || s.o.Held() != s.info.Version {
		return nil
	}
	return s.LearnerFactor(touched)
}

// LearnerFactor is Factor whatever the index holds: learners by it compare with one
// another.
func (s *Scorer) LearnerFactor(touched []lectern.Touch) []float32 {
	if s.unit == nil {
		return nil
	}
	b := s.scratch.Get().(*scratch)
	defer s.scratch.Put(b)
	b.history = s.history(touched, b.history)
	if len(b.history) == 0 {
		return nil
	}
	return s.unit.query(b.history)
}

// ItemFactor returns what the index holds of a course as VectorCF, unit length; nil
// for a course without a factor. Read only.
func (s *Scorer) ItemFactor(courseID string) []float32 {
	item, ok := s.at[courseID]
	if !ok || s.unit == nil {
		return nil
	}
	return s.unit.items[item]
}

// Next returns up to k courses that people take after this one, by falling lift
// scaled to [0, 1]: complements, not twins.
func (s *Scorer) Next(courseID string, k int, allow func(courseID string) bool) []lectern.Hit {
	item, ok := s.at[courseID]
	if !ok || s.next == nil || k <= 0 {
		return nil
	}
	b := s.scratch.Get().(*scratch)
	defer s.scratch.Put(b)
	s.next.Next(item, b.all)
	c := &scale{best: slices.Max(b.all)} // 0 says that nothing follows
	return s.best(b, true, c, k, item, allow)
}

// Similar returns up to k courses that the same people take, scores in [0, 1].
func (s *Scorer) Similar(courseID string, k int, allow func(courseID string) bool) []lectern.Hit {
	item, ok := s.at[courseID]
	if !ok || k <= 0 {
		return nil
	}
	b := s.scratch.Get().(*scratch)
	defer s.scratch.Put(b)
	b.history = append(b.history[:0], cf.Interaction{Item: item, Weight: 1})
	s.model.Predict(b.history, nil, b.all)
	b.all[item] = float32(math.Inf(-1))
	best := slices.Max(b.all)
	b.all[item] = 0
	c := scaleOf(0, b.all)
	c.best = best
	return s.best(b, true, c, k, item, allow)
}
