package training

import (
	"math"
	"regexp"
	"time"

	"github.com/lectern-dev/lectern"
)

// Config says when collaborative models are trained, on what, and which of them
// come into use.
type Config struct {
	Enabled     bool          `koanf:"enabled"`      // train by itself, in the process that leads; `lectern train` works either way
	Every       time.Duration `koanf:"every"`        // between two trainings; the first one comes as soon as there is enough to learn from
	Retry       time.Duration `koanf:"retry"`        // after a training that failed, or found too little to learn from
	Timeout     time.Duration `koanf:"timeout"`      // for one training by itself
	MinEvents   int           `koanf:"min_events"`   // learners' courses that a snapshot must have, each counted once per learner
	MinLearners int           `koanf:"min_learners"` // learners with at least two courses that it must have
	MaxEvents   int           `koanf:"max_events"`   // newest events that are learnt from, at 32 bytes of memory each
	MinWeight   float64       `koanf:"min_weight"`   // what a learner did with a course counts from this on; an enrolment weighs 1
	Models      []string      `koanf:"models"`       // models to fit by name, empty for all; the floors and the blend always take part
	Metric      string        `koanf:"metric"`       // on the validation cut, that models are compared by
	Tune        time.Duration `koanf:"tune"`         // time for a search of hyper-parameters; 0 takes the defaults
	Margin      float64       `koanf:"margin"`       // of the metric, absolute and over popularity, that a new model may lose against the one in use; 1 lets every one pass
	CheckLists  bool          `koanf:"check_lists"`  // hold the lists that a new model would make against the best of their sources, as of the past, before it is put to use; takes about as long as a training
	Keep        int           `koanf:"keep"`         // versions that stay in the store, the one in use included
	Seed        uint64        `koanf:"seed"`         // of all that is drawn at random: the same snapshot gives the same models
}

// DefaultConfig returns the settings that Lectern ships with.
func DefaultConfig() Config {
	return Config{
		Enabled: true, Every: 24 * time.Hour, Retry: 10 * time.Minute, Timeout: 25 * time.Minute,
		MinEvents: 1000, MinLearners: 100, MaxEvents: 5_000_000, MinWeight: 0.5,
		Metric: "ndcg@10", Margin: 0.3, CheckLists: true, Keep: 3, Seed: 1,
	}
}

// longest bounds Timeout: periodic work is cut off after half an hour.
const longest = 30 * time.Minute

var metricPattern = regexp.MustCompile(`^(recall|precision|hit_rate|ndcg|map|mrr)@[1-9][0-9]{0,2}$`)

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("training."+key, value, "is not allowed", allowed))
		}
	}
	check(c.Every >= time.Minute, "every", c.Every, "at least 1m")
	check(c.Retry >= time.Second, "retry", c.Retry, "at least 1s")
	check(c.Timeout > 0 && c.Timeout <= longest, "timeout", c.Timeout, "over 0, up to 30m")
	check(c.MinEvents >= 1, "min_events", c.MinEvents, "at least 1")
	check(c.MinLearners >= 1, "min_learners", c.MinLearners, "at least 1")
	check(c.MaxEvents >= c.MinEvents && c.MaxEvents <= 1<<30, "max_events", c.MaxEvents, "training.min_events to 2^30")
	check(c.MinWeight > 0 && !math.IsInf(c.MinWeight, 0), "min_weight", c.MinWeight, "over 0")
	check(metricPattern.MatchString(c.Metric), "metric", c.Metric, "recall, precision, hit_rate, ndcg, map or mrr with @ and a number, for example ndcg@10")
	check(c.Tune >= 0 && c.Tune < c.Timeout, "tune", c.Tune, "0 to below training.timeout")
	check(c.Margin >= 0 && c.Margin <= 1, "margin", c.Margin, "0 to 1")
	check(c.Keep >= 1 && c.Keep <= 100, "keep", c.Keep, "1 to 100")
	if len(bad) > 0 {
		return lectern.Invalid("the training settings are not usable", bad...)
	}
	return nil
}
