package learn

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// Config tunes how the log of events is followed. How rewards count is in the settings
// of exploration.
type Config struct {
	Poll    time.Duration `koanf:"poll"`    // how often the leader looks for events, and every process for a new posterior
	Batch   int           `koanf:"batch"`   // events that are learnt from at a time
	Publish time.Duration `koanf:"publish"` // least time between two versions of the posterior
	Guard   time.Duration `koanf:"guard"`   // how often guardrails are looked at
	Settle  time.Duration `koanf:"settle"`  // an event is kept waiting so long for the list that it cites
}

// DefaultConfig is what holds where nothing is configured.
func DefaultConfig() Config {
	return Config{Poll: 2 * time.Second, Batch: 500, Publish: 5 * time.Minute, Guard: time.Minute, Settle: 30 * time.Second}
}

// Validate reports what cannot work. Errors: CodeInvalid.
func (c Config) Validate() error {
	var fields []lectern.FieldError
	check := func(ok bool, field string, value any, allowed string) {
		if !ok {
			fields = append(fields, lectern.NewFieldError(field, value, "is out of range", allowed))
		}
	}
	check(c.Poll >= 50*time.Millisecond && c.Poll <= time.Hour, "learning.poll", c.Poll, "50ms to 1h")
	check(c.Batch >= 1 && c.Batch <= 10_000, "learning.batch", c.Batch, "1 to 10000")
	check(c.Publish >= 0 && c.Publish <= 24*time.Hour, "learning.publish", c.Publish, "0 to 24h")
	check(c.Guard >= time.Second && c.Guard <= time.Hour, "learning.guard", c.Guard, "1s to 1h")
	check(c.Settle >= 0 && c.Settle <= time.Hour, "learning.settle", c.Settle, "0 to 1h")
	if len(fields) > 0 {
		return lectern.Invalid("the configuration of learning is not usable", fields...)
	}
	return nil
}
