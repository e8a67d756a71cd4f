package neighbours

import (
	"math"
	"time"

	"github.com/lectern-dev/lectern"
)

// Config tunes how similar learners are found.
type Config struct {
	Poll       time.Duration `koanf:"poll"`        // how often the feed of profiles is looked at; a hint from the same process comes sooner
	Page       int           `koanf:"page"`        // learners that are indexed together
	Count      int           `koanf:"count"`       // similar learners that are asked what they took
	MaxEntries int           `koanf:"max_entries"` // courses that make a learner's point, heaviest first
	Damping    float64       `koanf:"damping"`     // how far what everybody takes counts less: 0 not at all, 1 by as much as everybody takes it
	CellsFrom  int           `koanf:"cells_from"`  // learners in an in-process index from which a search looks at a part of them alone
	Probe      float64       `koanf:"probe"`       // share of the learners that such a search looks at
	CacheSize  int           `koanf:"cache_size"`  // learners whose answers are kept in memory
	CacheTTL   time.Duration `koanf:"cache_ttl"`   // age at which an answer is made anew, as others move on
}

// DefaultConfig returns settings that answer within a few milliseconds.
func DefaultConfig() Config {
	return Config{
		Poll:       500 * time.Millisecond,
		Page:       500,
		Count:      50,
		MaxEntries: 100,
		Damping:    0.35,
		CellsFrom:  10_000,
		Probe:      0.06,
		CacheSize:  2000,
		CacheTTL:   10 * time.Minute,
	}
}

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("neighbours."+key, value, "is not allowed", allowed))
		}
	}
	check(c.Poll >= 10*time.Millisecond && c.Poll <= time.Minute, "poll", c.Poll, "10ms to 1m")
	check(c.Page >= 1 && c.Page <= 10_000, "page", c.Page, "1 to 10000")
	check(c.Count >= 1 && c.Count <= 1000, "count", c.Count, "1 to 1000")
	check(c.MaxEntries >= 1, "max_entries", c.MaxEntries, "at least 1")
	check(!math.IsNaN(c.Damping) && c.Damping >= 0 && c.Damping <= 1, "damping", c.Damping, "0 to 1")
	check(c.CellsFrom >= 1000, "cells_from", c.CellsFrom, "at least 1000")
	check(c.Probe > 0 && c.Probe <= 1, "probe", c.Probe, "over 0, to 1")
	check(c.CacheSize >= 1, "cache_size", c.CacheSize, "at least 1")
	check(c.CacheTTL > 0, "cache_ttl", c.CacheTTL, "over 0")
	if len(bad) > 0 {
		return lectern.Invalid("the settings of similar learners are not usable", bad...)
	}
	return nil
}
