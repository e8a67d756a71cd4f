package opinion

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/sentiment"
)

// Store is what a Keeper works with; see the interfaces of the root.
type Store interface {
	lectern.SentimentStore
	lectern.ArtefactStore
	Courses(ctx context.Context, ids []string) ([]lectern.Course, error)
	ScanCourses(ctx context.Context, after int64, limit int) ([]lectern.Course, int64, error)
	CourseChanges(ctx context.Context, after int64, limit int) ([]lectern.CourseChange, error)
	Reviews(ctx context.Context, courseID, after string, limit int) ([]lectern.Review, error)
	CourseStats(ctx context.Context, ids []string, at time.Time, halfLife time.Duration) ([]lectern.CourseStats, error)
	Stats(ctx context.Context) (lectern.StoreStats, error)
	FeedPosition(ctx context.Context, name string) (int64, error)
	SetFeedPosition(ctx context.Context, name string, seq int64) error
	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (held bool, err error)
	ReleaseLease(ctx context.Context, name, holder string) error
}

// Leader says when this process does what one at a time may; *lease.Lease is one.
type Leader interface {
	While(ctx context.Context, f func(context.Context))
}

// Chat reads reviews by other means than the model, at a price.
type Chat interface {
	// Name is the name of what reads, for summaries to cite.
	Name() string
	// Score returns the probabilities that the writers of these texts are content. A
	// text that there is no usable answer for has none. Errors: CodeUnavailable,
	// CodeDeadline where none was answered.
	Score(ctx context.Context, texts []string) (map[int]float64, error)
}

// Options are what a Keeper works with.
type Options struct {
	Config  Config
	Store   Store
	Leader  Leader                          // nil: this process is alone
	Ready   func(ctx context.Context) error // waited for before anything is read; nil waits for nothing
	Changed func()                          // called after a summary was stored; nil tells nobody
	Chat    Chat                            // nil: the model alone reads
	Holder  string                          // of leases: differs between processes
	Clock   lectern.Clock
	Logger  *slog.Logger
}

// Keeper keeps summaries, holds and the model. It is safe for concurrent use.
type Keeper struct {
	o       Options
	lexicon *sentiment.Lexicon
	wake    chan struct{}
	chat    *chat // nil without one

	mu         sync.Mutex
	reader     *reader // in use
	unreadable int64   // version of a model that cannot be used
	stats      Stats
}

// Stats is what a Keeper tells of itself.
type Stats struct {
	Version  int64  // of the model in use, 0 for the lexicon
	Model    string // what reads
	Waiting  int    // courses that have changed and are not read again yet
	Left     bool   // courses are being read again because the model is another one
	Read     int64  // courses read since the start
	Training bool
	Failures int64 // trainings that failed
	Refused  int64 // trainings whose model was not put to use
	Chat     ChatStats
}

// New returns a Keeper that reads by the lexicon until it has looked for a model.
// Errors: CodeInvalid for settings that are out of range.
func New(o Options) (*Keeper, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Store == nil || o.Clock == nil || o.Logger == nil {
		return nil, lectern.Errorf(lectern.CodeInternal, "what keeps the summaries of reviews lacks a part")
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	k := &Keeper{o: o, lexicon: sentiment.NewLexicon(), wake: make(chan struct{}, 1)}
	k.reader = k.lexical()
	if o.Chat != nil {
		k.chat = newChat(o.Chat, o.Config.Chat, o.Clock, o.Logger)
	}
	return k, nil
}

// Notify tells Run that the feed may have grown. It never blocks.
func (k *Keeper) Notify() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Stats tells how it stands.
func (k *Keeper) Stats() Stats {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.stats
	s.Version, s.Model = k.reader.version, k.reader.name()
	if k.chat != nil {
		s.Chat = k.chat.Stats()
	}
	return s
}

func (k *Keeper) count(f func(*Stats)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f(&k.stats)
}

// Run keeps summaries and model up to date, on the leader, until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	if !k.o.Config.Enabled {
		return nil
	}
	if k.o.Ready != nil {
		if err := k.o.Ready(ctx); err != nil {
			return nil //nolint:nilerr // ctx has ended
		}
	}
	if k.o.Leader == nil {
		k.term(ctx)
	} else {
		k.o.Leader.While(ctx, k.term)
	}
	return nil
}

// term is one time in office.
func (k *Keeper) term(ctx context.Context) {
	var tasks sync.WaitGroup
	tasks.Go(func() { k.trainWhenDue(ctx) })
	k.follow(ctx)
	tasks.Wait()
}
