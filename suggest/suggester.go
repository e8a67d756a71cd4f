package suggest

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// Entry is one course as the follower of the change feed hands it on.
type Entry struct {
	Course lectern.Course
	Stats  lectern.CourseStats
}

// Options are what a Suggester is made of. All but the clock may be left out:
// then there are no suggestions of that sort.
type Options struct {
	Config Config // the zero value is DefaultConfig
	Clock  lectern.Clock
	Logger *slog.Logger

	Generations Generations
	// Local reports embedders that work in this process, so quickly that they are
	// asked without a deadline.
	Local    func(lectern.Embedder) bool
	Concepts Concepts
	Profiles Profiles
	Recents  Recents
	Searches Searches
	Synonyms Synonyms
	// Hidden returns what tells of which courses a request may hear nothing, whatever its
	// filter; nil hides none. It is called once for each answer.
	Hidden func(lectern.LearnerRef) func(courseID string) bool
}

// Suggester answers from snapshots that it keeps up to date. It is safe for
// concurrent use; answers wait for nothing but, within deadlines, what is known of
// a learner and the vector of what was typed.
type Suggester struct {
	o           Options
	clock       lectern.Clock
	view        atomic.Pointer[view]
	meanings    atomic.Pointer[meanings]
	searched    atomic.Pointer[searched]
	frequencies *frequencies
	wake        chan struct{} // holds one when there is something to do
	vectors     *recall[vectorKey, []float32]
	people      *recall[lectern.LearnerRef, *person]
	recents     *recall[lectern.LearnerRef, []string]

	mu      sync.Mutex // guards what follows
	byID    map[string]*entry
	cited   map[string]*cited // courses that meanings name
	changed map[string]*entry // since the base was begun, nil for deleted ones
	old     []*entry          // replaced, but still found until the delta is made
}

var _ lectern.Suggester = (*Suggester)(nil)

// view is what answers are made from: the base, and the delta beside it, which
// may be nil.
type view struct{ base, delta *snapshot }

func (v view) snapshots() []*snapshot {
	if v.delta == nil {
		return []*snapshot{v.base}
	}
	return []*snapshot{v.base, v.delta}
}

// New returns a suggester by words alone, without courses. Run keeps it up to date.
func New(clock lectern.Clock) *Suggester {
	s, err := NewWith(Options{Clock: clock})
	if err != nil {
		panic(err) // the defaults are valid
	}
	return s
}

// NewWith returns a suggester without courses. Run keeps it up to date. Errors:
// CodeInvalid naming the keys at fault.
func NewWith(o Options) (*Suggester, error) {
	if o.Config == (Config{}) {
		o.Config = DefaultConfig()
	}
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := o.Config
	s := &Suggester{
		o: o, clock: o.Clock, wake: make(chan struct{}, 1), frequencies: newFrequencies(),
		byID: make(map[string]*entry), changed: make(map[string]*entry),
		vectors: newRecall[vectorKey, []float32](o.Clock, c.QueryVectors, 0, c.EmbedGiveUp, c.EmbedAtOnce),
		people:  newRecall[lectern.LearnerRef, *person](o.Clock, c.ProfileCache, c.ProfileTTL, readGiveUp, readAtOnce),
		recents: newRecall[lectern.LearnerRef, []string](o.Clock, c.ProfileCache, c.ProfileTTL, readGiveUp, readAtOnce),
	}
	s.view.Store(&view{base: s.snapshotOf(nil)})
	s.meanings.Store(&meanings{})
	s.searched.Store(&searched{index: newIndex(nil)})
	return s, nil
}

// Apply takes in what changed. What is deleted or not open any more is not
// suggested again from here on; what is new is with the next Refresh, which Run
// does at once. With reset, courses that are not in upserts are dropped.
func (s *Suggester) Apply(ctx context.Context, upserts []Entry, deletes []string, reset bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	fresh := make([]*entry, len(upserts))
	analyzer := text.NewAnalyzer()
	for i, u := range upserts {
		fresh[i] = newEntry(u.Course, u.Stats)
		if !s.knows(u.Course.ID) {
			s.frequencies.add(analyzer, u.Course)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if reset {
		deletes = slices.Collect(maps.Keys(s.byID))
	}
	for _, id := range deletes {
		if e := s.byID[id]; e != nil {
			e.gone.Store(true)
			delete(s.byID, id)
			s.changed[id] = nil
		}
	}
	for _, e := range fresh {
		if before := s.byID[e.id]; before != nil {
			if e.payload.Status == lectern.StatusOpen {
				s.old = append(s.old, before) // found until the new one can be
			} else {
				before.gone.Store(true)
			}
		}
		s.byID[e.id], s.changed[e.id] = e, e
		if c := s.cited[e.id]; c != nil {
			c.Store(e)
		}
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

func (s *Suggester) knows(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id] != nil
}

// Forget drops what is remembered of a learner. Call it when a learner is erased.
func (s *Suggester) Forget(ref lectern.LearnerRef) {
	s.people.drop(ref)
	s.recents.drop(ref)
}

// Len is how many courses are known.
func (s *Suggester) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byID)
}

// Refresh makes the delta anew, so that everything applied before is found. Its
// time grows with what has changed since the base was made.
func (s *Suggester) Refresh() {
	s.mu.Lock()
	changed := make([]*entry, 0, len(s.changed))
	for _, e := range s.changed {
		if e != nil {
			changed = append(changed, e)
		}
	}
	old := s.old
	s.old = nil
	s.mu.Unlock()
	var delta *snapshot
	if len(changed) > 0 {
		delta = s.snapshotOf(changed)
	}
	s.view.Store(&view{base: s.view.Load().base, delta: delta})
	for _, e := range old {
		e.gone.Store(true)
	}
}

// Rebuild makes the base of all courses. Refresh may run meanwhile; two Rebuilds
// may not.
func (s *Suggester) Rebuild() { s.finish(s.build(s.begin())) }

// rebuilding is a base under way.
type rebuilding struct {
	entries []*entry
	base    *snapshot
}

func (s *Suggester) begin() rebuilding {
	s.mu.Lock()
	defer s.mu.Unlock()
	return rebuilding{entries: slices.Collect(maps.Values(s.byID))}
}

func (s *Suggester) build(r rebuilding) rebuilding {
	r.base = s.snapshotOf(r.entries)
	return r
}

func (s *Suggester) snapshotOf(entries []*entry) *snapshot {
	return newSnapshot(entries, s.frequencies.share)
}

// finish puts a base in place. What has changed since it was begun stays in the
// delta.
func (s *Suggester) finish(r rebuilding) {
	s.mu.Lock()
	inBase := make(map[*entry]bool, len(s.changed))
	for _, e := range r.entries {
		if s.changed[e.id] == e {
			inBase[e] = true
		}
	}
	for id, e := range s.changed {
		if e == nil || inBase[e] {
			delete(s.changed, id) // deleted ones are gone in any base
		}
	}
	s.mu.Unlock()
	s.view.Store(&view{base: r.base, delta: s.view.Load().delta})
	s.Refresh()
}

// When the delta becomes part of the base.
const (
	deltaShare = 50              // courses of the base for one of the delta, at most
	deltaMin   = 256             // but so many are always all right
	deltaMost  = 2000            // and more than so many never
	quietAfter = 5 * time.Second // without changes
)

// Run keeps the snapshots up to date until ctx ends: the delta with every change,
// the base in the background when the delta has grown or nothing has changed for
// a while. After making a delta it rests for as long as that took, so that many
// changes take at most half of a core.
func (s *Suggester) Run(ctx context.Context) error {
	var building sync.WaitGroup
	defer building.Wait()
	if s.o.Config.Phrases > 0 && (s.o.Generations != nil || s.o.Concepts != nil) {
		building.Go(func() { s.tendMeanings(ctx) })
	}
	if s.o.Searches != nil {
		building.Go(func() { s.tendSearched(ctx) })
	}
	built := make(chan rebuilding, 1)
	busy := false
	quiet := time.NewTimer(quietAfter)
	defer quiet.Stop()
	rebuild := func() {
		busy = true
		building.Go(func() { built <- s.build(s.begin()) })
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case r := <-built:
			busy = false
			s.finish(r)
			s.again()
			quiet.Reset(quietAfter) // for what came meanwhile
		case <-quiet.C:
			if !busy && s.waiting() > 0 {
				rebuild()
			}
		case <-s.wake:
			began := time.Now()
			waiting := s.waiting()
			grown := waiting > max(deltaMin, min(deltaMost, len(s.view.Load().base.entries)/deltaShare))
			if grown && !busy {
				rebuild()
			}
			if waiting <= maxDelta || !grown {
				s.Refresh()
			}
			quiet.Reset(quietAfter)
			if err := rest(ctx, time.Since(began)); err != nil {
				return nil
			}
		}
	}
}

// maxDelta is from where a delta that must become a base anyway is not made: it
// would delay that base.
const maxDelta = 2 * deltaMost

// again looks whether what came while a base was made asks for the next one.
func (s *Suggester) again() {
	if s.waiting() > deltaMin {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// waiting is how many courses have changed since the base was begun.
func (s *Suggester) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.changed)
}

func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
