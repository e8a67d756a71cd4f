package preview

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// Config bounds previews.
type Config struct {
	Timeout     time.Duration `koanf:"timeout"`      // after which a preview answers with what it has
	MaxLearners int           `koanf:"max_learners"` // learners that one preview compares at most
	MaxLooked   int           `koanf:"max_looked"`   // learners that are looked at to fill segments
	Details     int           `koanf:"details"`      // learners whose lists may be shown side by side
}

// DefaultConfig returns the settings that Lectern ships with.
func DefaultConfig() Config {
	return Config{Timeout: 8 * time.Second, MaxLearners: 2000, MaxLooked: 20_000, Details: 50}
}

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("preview."+key, value, "is out of range", allowed))
		}
	}
	check(c.Timeout >= 100*time.Millisecond && c.Timeout <= 5*time.Minute, "timeout", c.Timeout, "100ms to 5m")
	check(c.MaxLearners >= 1 && c.MaxLearners <= 100_000, "max_learners", c.MaxLearners, "1 to 100000")
	check(c.MaxLooked >= c.MaxLearners && c.MaxLooked <= 1_000_000, "max_looked", c.MaxLooked, "max_learners to 1000000")
	check(c.Details >= 0 && c.Details <= 500, "details", c.Details, "0 to 500")
	if len(bad) > 0 {
		return lectern.Invalid("the preview settings are not usable", bad...)
	}
	return nil
}
