package noise

import (
	"fmt"
	"math"
	"time"

	"github.com/lectern-dev/lectern"
)

// The names of the rules.
const (
	RuleBots        = "bots"
	RuleCreator     = "creator"
	RuleShortClicks = "short_clicks"
	RuleBursts      = "bursts"
	RuleRepeats     = "repeats"
)

// Config switches and tunes the rules.
type Config struct {
	Bots        Bots        `koanf:"bots"`
	Bursts      Bursts      `koanf:"bursts"`
	Repeats     Repeats     `koanf:"repeats"`
	Creator     Creator     `koanf:"creator"`
	ShortClicks ShortClicks `koanf:"short_clicks"`
}

// Bots gives no weight to anything of a learner who acts as only a machine can.
type Bots struct {
	On        bool `koanf:"on"`         // nothing counts of a learner who acts as only a machine can
	PerMinute int  `koanf:"per_minute"` // more acts than these in a minute are no person's
	Minutes   int  `koanf:"minutes"`    // so many of such minutes in one day (UTC) make a bot
	PerDay    int  `koanf:"per_day"`    // so do more acts than these in one day (UTC)
}

// Bursts damps what comes faster than somebody can mean it.
type Bursts struct {
	On        bool    `koanf:"on"`         // acts beyond so many within a minute weigh little
	PerMinute int     `koanf:"per_minute"` // acts within any 60 seconds that count fully
	Weight    float64 `koanf:"weight"`     // what each further one is multiplied with, 0 to 1
}

// Repeats counts the same act on the same course once, or falling.
type Repeats struct {
	On     bool          `koanf:"on"`     // the same act on the same course again weighs little
	Window time.Duration `koanf:"window"` // from the first of them, within which they are the same
	Share  float64       `koanf:"share"`  // what each repeat weighs of the one before it, 0 to below 1; 0 counts them once
}

// Creator gives no weight to what creators do on courses of their own.
type Creator struct {
	On bool `koanf:"on"` // nothing counts of what somebody does on a course of their own
}

// ShortClicks gives no weight to a click that was left at once.
type ShortClicks struct {
	On    bool          `koanf:"on"`    // a click that was left at once does not count
	Dwell time.Duration `koanf:"dwell"` // shorter looks are no interest: properties.dwell_ms, or the time to a click on another course
}

// DefaultConfig returns settings with every rule on.
func DefaultConfig() Config {
	return Config{
		Bots:        Bots{On: true, PerMinute: 200, Minutes: 3, PerDay: 5000},
		Bursts:      Bursts{On: true, PerMinute: 30, Weight: 0.1},
		Repeats:     Repeats{On: true, Window: 24 * time.Hour, Share: 0.25},
		Creator:     Creator{On: true},
		ShortClicks: ShortClicks{On: true, Dwell: time.Second},
	}
}

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("noise."+key, value, "is not allowed", allowed))
		}
	}
	check(c.Bots.PerMinute >= 1, "bots.per_minute", c.Bots.PerMinute, "at least 1")
	check(c.Bots.Minutes >= 1, "bots.minutes", c.Bots.Minutes, "at least 1")
	check(c.Bots.PerDay >= 1, "bots.per_day", c.Bots.PerDay, "at least 1")
	check(c.Bursts.PerMinute >= 1, "bursts.per_minute", c.Bursts.PerMinute, "at least 1")
	check(c.Bursts.Weight >= 0 && c.Bursts.Weight <= 1, "bursts.weight", c.Bursts.Weight, "0 to 1")
	check(c.Repeats.Window > 0, "repeats.window", c.Repeats.Window, "over 0")
	check(c.Repeats.Share >= 0 && c.Repeats.Share < 1, "repeats.share", c.Repeats.Share, "0 to below 1")
	check(c.ShortClicks.Dwell > 0, "short_clicks.dwell", c.ShortClicks.Dwell, "over 0")
	if len(bad) > 0 {
		return lectern.Invalid("the noise settings are not usable", bad...)
	}
	return nil
}

// Rule describes one rule as it is set.
type Rule struct {
	Name string // as in the configuration
	Says string // what it does with these settings, in a sentence
	On   bool
}

// Rules lists the rules as they are set, in the order in which they are applied.
func (c Config) Rules() []Rule {
	return []Rule{
		{RuleBots, fmt.Sprintf("Nothing counts of a learner with over %d acts a minute in %d minutes of a day, or over %d acts on a day.",
			c.Bots.PerMinute, c.Bots.Minutes, c.Bots.PerDay), c.Bots.On},
		{RuleCreator, "Nothing counts of what somebody does on a course of their own: the course has their id in extra.creator_ids, or among its instructors.",
			c.Creator.On},
		{RuleShortClicks, fmt.Sprintf("A click does not count when it was left within %s: by its properties.dwell_ms, or by a click on another course.",
			c.ShortClicks.Dwell), c.ShortClicks.On},
		{RuleBursts, fmt.Sprintf("Of more than %d acts within a minute, each one beyond weighs %s of itself.",
			c.Bursts.PerMinute, percent(c.Bursts.Weight)), c.Bursts.On},
		{RuleRepeats, fmt.Sprintf("The same act on the same course within %s counts once, and each repeat weighs %s of the one before; of progress and ratings the last one counts, of all else the first.",
			c.Repeats.Window, percent(c.Repeats.Share)), c.Repeats.On},
	}
}

func percent(share float64) string { return fmt.Sprintf("%g %%", math.Round(share*1e4)/1e2) }

// Rules lists the rules with the settings that Lectern ships with.
func Rules() []Rule { return DefaultConfig().Rules() }
