package experiment

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// Config tunes experiments.
type Config struct {
	Poll    time.Duration `koanf:"poll"`    // how often a process looks which experiments are running, should no notification reach it
	Holdout float64       `koanf:"holdout"` // share of everybody who gets no experiment and no exploration, in [0, 0.5]
}

// DefaultConfig returns what holds when nothing is set.
func DefaultConfig() Config { return Config{Poll: time.Second} }

// Validate reports every key whose value is not acceptable.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	if c.Poll < 100*time.Millisecond || c.Poll > time.Minute {
		bad = append(bad, lectern.NewFieldError("experiments.poll", c.Poll, "is not allowed", "100ms to 1m"))
	}
	if !(c.Holdout >= 0 && c.Holdout <= 0.5) {
		bad = append(bad, lectern.NewFieldError("experiments.holdout", c.Holdout, "is not allowed", "a share from 0 to 0.5"))
	}
	if len(bad) > 0 {
		return lectern.Invalid("the configuration of experiments is not usable", bad...)
	}
	return nil
}
