package opinion

import (
	"errors"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/sentiment"
	"github.com/lectern-dev/lectern/ml/sentiment/openai"
)

// Config says how what reviews say is kept up to date.
type Config struct {
	Enabled      bool                    `koanf:"enabled"`       // keep summaries up to date, in the process that leads
	Poll         time.Duration           `koanf:"poll"`          // how often changed reviews are looked for; a hint from the same process comes sooner
	Settle       time.Duration           `koanf:"settle"`        // from a course's first change until its reviews are read, so that many at once are read once
	MaxReviews   int                     `koanf:"max_reviews"`   // newest reviews of a course that are read; all are counted
	HalfLife     time.Duration           `koanf:"half_life"`     // of a review's weight
	Train        bool                    `koanf:"train"`         // learn from the platform's own starred reviews; `lectern reviews train` works either way
	TrainEvery   time.Duration           `koanf:"train_every"`   // between two trainings, at least
	RetrainAfter int                     `koanf:"retrain_after"` // new reviews since the last training that make another one worth it
	TrainReviews int                     `koanf:"train_reviews"` // starred reviews that a training learns from, at about 4 kB of memory each
	TrainTimeout time.Duration           `koanf:"train_timeout"` // for one training by itself
	Gain         float64                 `koanf:"gain"`          // area under the ROC curve over the lexicon's, on the newest reviews, that a model needs to be used
	Keep         int                     `koanf:"keep"`          // models that stay in the store, the one in use included
	Bombing      sentiment.BombingConfig `koanf:"bombing"`       // which reviews are held back
	Chat         openai.ChatConfig       `koanf:"chat"`          // a chat model that reads beside the built-in one
}

// DefaultConfig returns the settings that Lectern ships with.
func DefaultConfig() Config {
	return Config{
		Enabled: true, Poll: 500 * time.Millisecond, Settle: time.Second, MaxReviews: 5000,
		HalfLife: sentiment.DefaultSummaryOptions().HalfLife,
		Train:    true, TrainEvery: 20 * time.Hour, RetrainAfter: 200, TrainReviews: 50_000, TrainTimeout: 10 * time.Minute, Keep: 3,
		Bombing: sentiment.DefaultBombingConfig(), Chat: openai.DefaultConfig(),
	}
}

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("opinion."+key, value, "is not allowed", allowed))
		}
	}
	check(c.Poll >= 10*time.Millisecond && c.Poll <= time.Minute, "poll", c.Poll, "10ms to 1m")
	check(c.Settle >= 0 && c.Settle <= time.Hour, "settle", c.Settle, "0 to 1h")
	check(c.MaxReviews >= 1 && c.MaxReviews <= 100_000, "max_reviews", c.MaxReviews, "1 to 100000")
	check(c.HalfLife >= 24*time.Hour, "half_life", c.HalfLife, "at least 24h")
	check(c.TrainEvery >= time.Minute, "train_every", c.TrainEvery, "at least 1m")
	check(c.RetrainAfter >= 1, "retrain_after", c.RetrainAfter, "at least 1")
	check(c.TrainReviews >= 100 && c.TrainReviews <= 1_000_000, "train_reviews", c.TrainReviews, "100 to 1000000")
	check(c.TrainTimeout >= time.Second && c.TrainTimeout <= time.Hour, "train_timeout", c.TrainTimeout, "1s to 1h")
	check(c.Gain >= 0 && c.Gain < 1, "gain", c.Gain, "0 to below 1")
	check(c.Keep >= 1 && c.Keep <= 100, "keep", c.Keep, "1 to 100")
	b := c.Bombing
	check(b.History >= 0, "bombing.history", b.History, "at least 0")
	check(b.FewHistory >= 0, "bombing.few_history", b.FewHistory, "at least 0")
	check(b.Several >= 2, "bombing.several", b.Several, "at least 2")
	check(b.Factor >= 1, "bombing.factor", b.Factor, "at least 1")
	check(b.Chance > 0 && b.Chance < 1, "bombing.chance", b.Chance, "over 0, below 1")
	check(b.Memory >= 24*time.Hour, "bombing.memory", b.Memory, "at least 24h")
	check(b.Established >= 1, "bombing.established", b.Established, "at least 1")
	check(b.AccountAge >= 0, "bombing.account_age", b.AccountAge, "at least 0")
	check(b.CopyWords >= 1, "bombing.copy_words", b.CopyWords, "at least 1")
	check(b.CopyAuthors >= 2, "bombing.copy_authors", b.CopyAuthors, "at least 2")
	check(b.CopyShare > 0 && b.CopyShare <= 1, "bombing.copy_share", b.CopyShare, "over 0, up to 1")
	check(b.CopyWithin > 0, "bombing.copy_within", b.CopyWithin, "over 0")
	if c.Chat.Enabled {
		if e, ok := errors.AsType[*lectern.Error](c.Chat.Validate()); ok {
			bad = append(bad, e.Fields...)
		}
	}
	if len(bad) > 0 {
		return lectern.Invalid("the settings of what reviews say are not usable", bad...)
	}
	return nil
}
