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
	HalfLife      time.Duration `koanf:"-"`              // of the activity in course statistics: the ranking's own, set where both are wired
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
		HalfLife:      14 * 24 * time.Hour,
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
	// The rest are the methods of lectern.CourseStore and lectern.ReviewStore that
	// are needed here; see there.

	Courses(ctx context.Context, ids []string) ([]lectern.Course, error)
	ScanCourses(ctx context.Context, after int64, limit int) ([]lectern.Course, int64, error)
	CourseChanges(ctx context.Context, after int64, limit int) ([]lectern.CourseChange, error)
	// CountCourses returns how many courses are open or unlisted.
	CountCourses(ctx context.Context) (int, error)
	CourseStats(ctx context.Context, ids []string, at time.Time, halfLife time.Duration) ([]lectern.CourseStats, error)
}

// Options are what a Pipeline is made of.
type Options struct {
	Config Config
	Store  Store
	// NewIndex makes an empty index; it is called once per generation.
	NewIndex func() lectern.VectorIndex
	Words    LexicalEncoder
	Sinks    []Sink // beside the index; may be empty

	// Train makes an embedder from texts, with the bytes that Load makes the same
	// embedder from again.
	Train func(ctx context.Context, texts []string) (lectern.Embedder, []byte, error)
	Load  func(model []byte) (lectern.Embedder, error)
	// Fixed, when not nil, is used in place of a trained embedder.
	Fixed lectern.Embedder

	Clock  lectern.Clock
	Logger *slog.Logger
}

func (o *Options) validate() error {
	if err := o.Config.Validate(); err != nil {
		return err
	}
	trains := o.Fixed != nil || (o.Train != nil && o.Load != nil)
	if o.Store == nil || o.NewIndex == nil || o.Words == nil || o.Clock == nil || o.Logger == nil || !trains {
		return lectern.Errorf(lectern.CodeInternal, "the indexing pipeline lacks a part")
	}
	return nil
}
