package indexing

import (
	"context"
	"log/slog"
	"time"

	"github.com/lectern-dev/lectern"
)

// Config holds what may be tuned.
type Config struct {
	Poll          time.Duration `koanf:"poll"`           // how often the feed is read without a hint
	Page          int           `koanf:"page"`           // courses read or changed at a time
	WordsLater    int           `koanf:"words_later"`    // with so many vectors, the first pass leaves words to a second
	EmbedBatch    int           `koanf:"embed_batch"`    // texts embedded at a time
	RetrainShare  float64       `koanf:"retrain_share"`  // of the texts trained on that must be new or gone
	QuietPeriod   time.Duration `koanf:"quiet_period"`   // without changed texts, before training
	MaxWait       time.Duration `koanf:"max_wait"`       // for a quiet period
	RetryTraining time.Duration `koanf:"retry_training"` // after a training that failed
	Check         time.Duration `koanf:"check"`          // how often training and other processes' artefacts are looked at
	KeepArtefacts int           `koanf:"keep_artefacts"` // embedders kept, the active one included
	KeepIndexes   int           `koanf:"keep_indexes"`   // indexes kept in a shared backend for a way back, the active one included

	ReviewsPerCourse int           `koanf:"reviews_per_course"` // newest reviews that make a course's review vector; 0 for none
	ReviewMinWords   int           `koanf:"review_min_words"`   // shorter reviews say too little
	ReviewHalfLife   time.Duration `koanf:"review_half_life"`   // after which a review weighs half
	HalfLife         time.Duration `koanf:"-"`                  // of the activity in course statistics: the ranking's own, set where both are wired
}

// DefaultConfig returns the settings that Lectern ships with.
func DefaultConfig() Config {
	return Config{
		Poll:          200 * time.Millisecond,
		Page:          2000,
		WordsLater:    20_000,
		EmbedBatch:    256,
		RetrainShare:  0.2,
		QuietPeriod:   3 * time.Second,
		MaxWait:       2 * time.Minute,
		RetryTraining: time.Minute,
		Check:         time.Second,
		KeepArtefacts: 3,
		KeepIndexes:   2,

		ReviewsPerCourse: 100,
		ReviewMinWords:   4,
		ReviewHalfLife:   2 * 365 * 24 * time.Hour,

		HalfLife: 14 * 24 * time.Hour,
	}
}

// Validate returns a CodeInvalid error that names every key with a value that is
// not acceptable.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("indexing."+key, value, "is out of range", allowed))
		}
	}
	check(c.Poll > 0, "poll", c.Poll, "above 0")
	check(c.Page > 0, "page", c.Page, "above 0")
	check(c.WordsLater >= 0, "words_later", c.WordsLater, "at least 0")
	check(c.EmbedBatch > 0, "embed_batch", c.EmbedBatch, "above 0")
	check(c.RetrainShare > 0, "retrain_share", c.RetrainShare, "above 0")
	check(c.QuietPeriod >= 0, "quiet_period", c.QuietPeriod, "at least 0")
	check(c.MaxWait >= c.QuietPeriod, "max_wait", c.MaxWait, "at least quiet_period")
	check(c.RetryTraining > 0, "retry_training", c.RetryTraining, "above 0")
	check(c.Check > 0, "check", c.Check, "above 0")
	check(c.KeepArtefacts > 0, "keep_artefacts", c.KeepArtefacts, "above 0")
	check(c.KeepIndexes > 0, "keep_indexes", c.KeepIndexes, "above 0")
	check(c.ReviewsPerCourse >= 0 && c.ReviewsPerCourse <= 1000, "reviews_per_course", c.ReviewsPerCourse, "0 to 1000")
	check(c.ReviewMinWords >= 0, "review_min_words", c.ReviewMinWords, "at least 0")
	check(c.ReviewHalfLife > 0, "review_half_life", c.ReviewHalfLife, "above 0")
	check(c.HalfLife > 0, "half_life", c.HalfLife, "above 0")
	if len(bad) > 0 {
		return lectern.Invalid("the indexing settings are not usable", bad...)
	}
	return nil
}

// Store is what the pipeline reads and writes.
type Store interface {
	lectern.VectorStore
	lectern.ArtefactStore
	lectern.LeaseStore
	// The rest are the methods of lectern.CourseStore and lectern.ReviewStore that
	// are needed here; see there.

	Courses(ctx context.Context, ids []string) ([]lectern.Course, error)
	ScanCourses(ctx context.Context, after int64, limit int) ([]lectern.Course, int64, error)
	CourseChanges(ctx context.Context, after int64, limit int) ([]lectern.CourseChange, error)
	// CountCourses returns how many courses are open or unlisted.
	CountCourses(ctx context.Context) (int, error)
	CourseStats(ctx context.Context, ids []string, at time.Time, halfLife time.Duration) ([]lectern.CourseStats, error)
	Reviews(ctx context.Context, courseID, after string, limit int) ([]lectern.Review, error)
}

// Maker makes one sort of embedder. Either Train or Connect is set.
type Maker struct {
	// Train makes an embedder that has learnt from texts, with the bytes that Load
	// makes the same embedder from again.
	Train func(ctx context.Context, texts []string) (lectern.Embedder, []byte, error)
	// Connect makes an embedder that lives elsewhere, with what describes it.
	Connect func(ctx context.Context) (lectern.Embedder, []byte, error)
	// Load makes an embedder from what Train or Connect returned.
	Load func(model []byte) (lectern.Embedder, error)
}

func (m Maker) complete() bool { return m.Load != nil && (m.Train == nil) != (m.Connect == nil) }

// Leader says whether this process may do what one at a time may.
type Leader interface {
	// Held reports whether it may now.
	Held() bool
	// While calls f whenever it may, with a context that ends when it no longer
	// may, until ctx ends.
	While(ctx context.Context, f func(context.Context))
}

// Options are what a Pipeline is made of.
type Options struct {
	Config Config
	Store  Store
	// NewIndex makes an empty index in this process; it is called once per
	// generation. Nil with Shared.
	NewIndex func() lectern.VectorIndex
	// Shared are indexes that the leader writes and every process searches.
	Shared lectern.SharedIndexes
	// Dense are the lengths of the dense vectors that are not the embedder's. A shared
	// index is made with room for them.
	Dense map[string]int
	// Factors returns those of the collaborative model in use, nil while there is
	// none. It is asked often, and may be nil.
	Factors func() *Factors
	Words   LexicalEncoder
	Sinks   []Sink // beside the index; may be empty

	Makers   map[string]Maker // by name, which is kept with what they made
	Embedder string           // the maker that the configuration names

	// Leader is nil where this process is alone.
	Leader Leader
	// Holder names this process among others; "" where it is alone.
	Holder string

	Clock  lectern.Clock
	Logger *slog.Logger
}

// DefaultMaker is the maker of embedders that do not say who made them.
const DefaultMaker = "local"

func (o *Options) validate() error {
	if err := o.Config.Validate(); err != nil {
		return err
	}
	complete := o.Makers[o.Embedder].complete()
	for _, m := range o.Makers {
		complete = complete && m.complete()
	}
	if o.Store == nil || (o.NewIndex == nil) == (o.Shared == nil) || o.Words == nil || o.Clock == nil || o.Logger == nil || !complete {
		return lectern.Errorf(lectern.CodeInternal, "the indexing pipeline lacks a part")
	}
	return nil
}

// leads reports whether this process does what only one may do.
func (o *Options) leads() bool { return o.Leader == nil || o.Leader.Held() }
