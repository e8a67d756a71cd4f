package ope

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// Config bounds what is estimated from, and says from when on nothing is estimated.
type Config struct {
	Timeout      time.Duration `koanf:"timeout"`        // an estimate is made within
	MaxLists     int           `koanf:"max_lists"`      // newest lists that are looked at
	Places       int           `koanf:"places"`         // first places of each list that are looked at
	Draws        int           `koanf:"draws"`          // resamples behind each interval
	MinLists     int           `koanf:"min_lists"`      // lists below which nothing is estimated
	MinPeople    int           `koanf:"min_people"`     // people behind them below which nothing is estimated
	MinRewarded  int           `koanf:"min_rewarded"`   // rewards that the target might have earned, too, below which nothing is estimated
	MinSupport   float64       `koanf:"min_support"`    // share of the target's picks that the log may show, too, below which nothing is estimated
	MinEffective float64       `koanf:"min_effective"`  // effective number of picks below which nothing is estimated
	MaxWeightOff float64       `koanf:"max_weight_off"` // how far the mean weight may be from 1
	MaxClipped   float64       `koanf:"max_clipped"`    // share of the weights that clipping may take
}

// DefaultConfig returns the settings that Lectern ships with.
func DefaultConfig() Config {
	return Config{
		Timeout: time.Minute, MaxLists: 5000, Places: 20, Draws: 1000,
		MinLists: 200, MinPeople: 50, MinRewarded: 30, MinSupport: 0.95, MinEffective: 300, MaxWeightOff: 0.15, MaxClipped: 0.05,
	}
}

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("estimates."+key, value, "is out of range", allowed))
		}
	}
	check(c.Timeout >= time.Second && c.Timeout <= 10*time.Minute, "timeout", c.Timeout, "1s to 10m")
	check(c.MaxLists >= 100 && c.MaxLists <= 200_000, "max_lists", c.MaxLists, "100 to 200000")
	check(c.Places >= 1 && c.Places <= 100, "places", c.Places, "1 to 100")
	check(c.Draws >= 100 && c.Draws <= 10_000, "draws", c.Draws, "100 to 10000")
	check(c.MinLists >= 10, "min_lists", c.MinLists, "at least 10")
	check(c.MinPeople >= 10, "min_people", c.MinPeople, "at least 10: intervals resample people")
	check(c.MinRewarded >= 1, "min_rewarded", c.MinRewarded, "at least 1")
	check(c.MinSupport > 0 && c.MinSupport <= 1, "min_support", c.MinSupport, "over 0, at most 1")
	check(c.MinEffective >= 1, "min_effective", c.MinEffective, "at least 1")
	check(c.MaxWeightOff > 0 && c.MaxWeightOff <= 1, "max_weight_off", c.MaxWeightOff, "over 0, at most 1")
	check(c.MaxClipped >= 0 && c.MaxClipped <= 1, "max_clipped", c.MaxClipped, "0 to 1")
	if len(bad) > 0 {
		return lectern.Invalid("the settings of estimates are not usable", bad...)
	}
	return nil
}
