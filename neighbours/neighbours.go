package neighbours

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/lectern-dev/lectern"
)

// Store is what is read of learners.
type Store interface {
	ProfileChanges(ctx context.Context, after int64, limit int) ([]lectern.ProfileChange, error)
	EntriesByKey(ctx context.Context, keys []int64) (map[int64][]lectern.ProfileEntry, error)
	// ProfileKey returns the number that stands for a learner. Errors: CodeNotFound.
	ProfileKey(ctx context.Context, ref lectern.LearnerRef) (int64, error)
	// PruneProfileChanges removes the feed's entries of those who are gone, up to a
	// sequence number.
	PruneProfileChanges(ctx context.Context, upTo int64) (int, error)
	FeedPosition(ctx context.Context, name string) (int64, error)
	SetFeedPosition(ctx context.Context, name string, seq int64) error
}

// Space is the generation of course vectors in use: learners' points are made of
// those, and never meet points of another.
type Space struct {
	Version     int64               // of the generation
	Fingerprint string              // of the embedder, "" for none
	Courses     lectern.VectorIndex // with the courses' content vectors
	Ready       bool                // whether those are there
}

// Factor makes a learner's vector of a collaborative model, nil where it knows
// nothing. It is of unit length.
type Factor func(touched []lectern.Touch) []float32

// Asker is the learner who asks for what similar ones take.
type Asker struct {
	Personal bool            // allows lists made of what is known
	Content  []float32       // unit length, in the space in use; nil is unknown
	Touched  []lectern.Touch // for a Factor
}

// Shared keeps learners' points where several processes search them and the leader
// writes them.
type Shared interface {
	// Learners returns the index of a generation. Errors: CodeNotFound.
	Learners(ctx context.Context, version int64) (lectern.VectorIndex, error)
	// Erase removes points from the indexes of every generation that is kept.
	Erase(ctx context.Context, ids []string) error
}

// Leader lets one process at a time do something. *lease.Lease is one.
type Leader interface {
	// While calls f whenever this process leads, with a context that ends when it
	// no longer does, until ctx ends.
	While(ctx context.Context, f func(context.Context))
}

// Options wire Learners.
type Options struct {
	Config Config
	Store  Store
	Space  func() Space
	// Factor returns the model in use and its version; nil, or a version of 0, for none.
	Factor func() (version int64, factor Factor)
	// Asker returns who asks. Errors: CodeNotFound.
	Asker     func(ctx context.Context, ref lectern.LearnerRef) (Asker, error)
	MaxWeight float64                    // bounds what one course weighs
	New       func() lectern.VectorIndex // an index in this process, where Shared is nil
	Shared    Shared
	Leader    Leader // nil where this process is alone
	Clock     lectern.Clock
	Logger    *slog.Logger
}

// Learners is the index of learners. Make it with New; it answers while Run runs.
type Learners struct {
	o       Options
	wake    chan struct{}
	current atomic.Pointer[space] // that is searched; nil until there is one
	usual   atomic.Pointer[background]
	cache   *cache

	mu       sync.Mutex
	position int64 // up to where this process has brought the index level with the feed
}

// New returns learners who are not indexed yet. Errors: CodeInvalid naming the keys
// at fault.
func New(o Options) (*Learners, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Factor == nil {
		o.Factor = func() (int64, Factor) { return 0, nil }
	}
	return &Learners{o: o, wake: make(chan struct{}, 1), cache: newCache(o.Config.CacheSize, o.Config.CacheTTL)}, nil
}

// Notify tells Run that the feed may have grown. It never blocks.
func (l *Learners) Notify() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Stats describe the index.
type Stats struct {
	Learners int   // with a point
	Bytes    int64 // memory held in this process, estimated
	Position int64 // in the feed of profiles, up to where this process has written; 0 where it does not write
	Filled   bool  // everybody who was known at the start has been seen
}

// Stats returns what is indexed now. Errors: those of the index.
func (l *Learners) Stats(ctx context.Context) (Stats, error) {
	l.mu.Lock()
	out := Stats{Position: l.position}
	l.mu.Unlock()
	s := l.current.Load()
	if s == nil {
		return out, nil
	}
	out.Filled = s.content.Load()
	stats, err := s.index.Stats(ctx)
	out.Learners, out.Bytes = stats.Points, stats.Bytes
	return out, err
}

func (l *Learners) setPosition(seq int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.position = seq
}

// factor returns the model in use, and version 0 without one.
func (l *Learners) factor() (int64, Factor) {
	version, f := l.o.Factor()
	if f == nil || version <= 0 {
		return 0, nil
	}
	return version, f
}

// Erase removes a learner's point and answers at once; key is what ProfileKey
// returned before the learner was deleted. Other processes follow the feed.
func (l *Learners) Erase(ctx context.Context, ref lectern.LearnerRef, key int64) error {
	l.cache.drop(ref)
	id := []string{idOf(key)}
	if l.o.Shared != nil {
		return l.o.Shared.Erase(ctx, id)
	}
	if s := l.current.Load(); s != nil {
		return s.remove(ctx, id)
	}
	return nil
}

// idOf is a learner's id in an index.
func idOf(key int64) string { return strconv.FormatInt(key, 10) }

// keyOf is the reverse, 0 for what is none.
func keyOf(id string) int64 {
	key, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0
	}
	return key
}
