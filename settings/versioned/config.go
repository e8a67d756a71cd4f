package versioned

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// Config tunes how changes of settings spread.
type Config struct {
	Poll time.Duration `koanf:"poll"` // how often a process looks which settings are in use, should no notification reach it
}

// DefaultConfig returns what holds when nothing is set.
func DefaultConfig() Config { return Config{Poll: time.Second} }

// Validate reports every key whose value is not acceptable.
func (c Config) Validate() error {
	if c.Poll < 100*time.Millisecond || c.Poll > time.Minute {
		return lectern.Invalid("the settings configuration is not usable",
			lectern.NewFieldError("settings.poll", c.Poll, "is not allowed", "100ms to 1m; over 1s a change may take longer than two seconds"))
	}
	return nil
}
