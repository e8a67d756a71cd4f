package searchlog

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// Config tunes the search log and what is made of it.
type Config struct {
	FlushEvery       time.Duration `koanf:"flush_every"`       // searches wait at most this long to be stored
	Queue            int           `koanf:"queue"`             // searches waiting at most; beyond, new ones are not stored
	LearnerRetention time.Duration `koanf:"learner_retention"` // searches forget their learner after this
	Retention        time.Duration `koanf:"retention"`         // searches are deleted after this
	Refresh          time.Duration `koanf:"refresh"`           // how often phrases and trends are read anew
	HalfLife         time.Duration `koanf:"half_life"`         // after which a search that led somewhere counts half for its phrase
	MinOpeners       int           `koanf:"min_openers"`       // distinct learners and visitors who opened something, before others are shown a phrase
	MaxPhrases       int           `koanf:"max_phrases"`       // phrases kept in memory
	TrendingPeriod   time.Duration `koanf:"trending_period"`   // compared with as long a time before it
	Block            []string      `koanf:"block"`             // words and phrases that no phrase shown to others may hold; case and accents do not count
}

// DefaultConfig returns the settings that docs/search.md describes.
func DefaultConfig() Config {
	return Config{
		FlushEvery:       500 * time.Millisecond,
		Queue:            8192,
		LearnerRetention: 30 * 24 * time.Hour,
		Retention:        365 * 24 * time.Hour,
		Refresh:          time.Minute,
		HalfLife:         14 * 24 * time.Hour,
		MinOpeners:       3,
		MaxPhrases:       5000,
		TrendingPeriod:   3 * 24 * time.Hour,
	}
}

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("searchlog."+key, value, "is not allowed", allowed))
		}
	}
	check(c.FlushEvery > 0 && c.FlushEvery <= 10*time.Second, "flush_every", c.FlushEvery, "over 0, at most 10s")
	check(c.Queue >= 1 && c.Queue <= 1_000_000, "queue", c.Queue, "1 to 1000000")
	check(c.LearnerRetention >= time.Hour, "learner_retention", c.LearnerRetention, "at least 1h")
	check(c.Retention >= c.LearnerRetention, "retention", c.Retention, "at least searchlog.learner_retention")
	check(c.Refresh >= time.Second, "refresh", c.Refresh, "at least 1s")
	check(c.HalfLife >= time.Hour && c.HalfLife <= maxHalfLife, "half_life", c.HalfLife, "1h to 8760h")
	check(c.MinOpeners >= 1, "min_openers", c.MinOpeners, "at least 1")
	check(c.MaxPhrases >= 0 && c.MaxPhrases <= 50_000, "max_phrases", c.MaxPhrases, "0 to 50000")
	check(c.TrendingPeriod >= time.Hour && c.TrendingPeriod <= maxHalfLife, "trending_period", c.TrendingPeriod, "1h to 8760h")
	for _, b := range c.Block {
		check(Fold(b) != "", "block", b, "words")
	}
	if len(bad) > 0 {
		return lectern.Invalid("the searchlog settings are not usable", bad...)
	}
	return nil
}

// maxHalfLife keeps a dozen of them within what a duration can hold.
const maxHalfLife = 365 * 24 * time.Hour
