package tuning

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// Config bounds what is learnt from.
type Config struct {
	Timeout   time.Duration `koanf:"timeout"`    // a proposal is made within, of the lists that were read by then
	MaxLists  int           `koanf:"max_lists"`  // newest lists that are learnt from
	Places    int           `koanf:"places"`     // first places of each list that are looked at
	MinLists  int           `koanf:"min_lists"`  // lists with a choice in them below which nothing is proposed
	MinPeople int           `koanf:"min_people"` // people behind them below which nothing is proposed
	Draws     int           `koanf:"draws"`      // resamples behind each interval
}

// DefaultConfig returns the settings that Lectern ships with.
func DefaultConfig() Config {
	return Config{Timeout: 20 * time.Second, MaxLists: 20_000, Places: 20, MinLists: 200, MinPeople: 30, Draws: 400}
}

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("tuning."+key, value, "is out of range", allowed))
		}
	}
	check(c.Timeout >= time.Second && c.Timeout <= 10*time.Minute, "timeout", c.Timeout, "1s to 10m")
	check(c.MaxLists >= 100 && c.MaxLists <= 200_000, "max_lists", c.MaxLists, "100 to 200000")
	check(c.Places >= 2 && c.Places <= 100, "places", c.Places, "2 to 100")
	check(c.MinLists >= 50, "min_lists", c.MinLists, "at least 50")
	check(c.MinPeople >= 1, "min_people", c.MinPeople, "at least 1")
	check(c.Draws >= 50 && c.Draws <= 5000, "draws", c.Draws, "50 to 5000")
	if len(bad) > 0 {
		return lectern.Invalid("the tuning settings are not usable", bad...)
	}
	return nil
}
