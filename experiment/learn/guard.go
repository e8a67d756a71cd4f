package learn

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
)

// The guardrails.
const (
	GuardReports = "report_rate" // reports per course that was seen
	GuardDrops   = "drop_rate"   // courses left per enrolment
	GuardClicks  = "click_rate"  // courses opened per course that was seen, place for place
)

// Guardrails lists every guardrail.
func Guardrails() []string { return []string{GuardReports, GuardDrops, GuardClicks} }

// GuardAuthor is the author of the settings by which a guardrail stops exploration.
const GuardAuthor = "guardrail"

// Switch ends exploration for everybody.
type Switch interface {
	// Stop writes settings by which lists of a surface explore nothing, or none at all
	// for "", in the name of GuardAuthor, with the reason as comment. Where nothing
	// explores already it changes nothing.
	Stop(ctx context.Context, surface lectern.Surface, reason string) error
	// Stops returns what guardrails stopped, newest first.
	Stops(ctx context.Context) ([]Stop, error)
}

// Stop is the end that a guardrail put to exploration.
type Stop struct {
	At      time.Time
	Surface lectern.Surface // that explores no more; "" is all of them
	Reason  string
}

// Rate is how often something happened.
type Rate struct {
	Count int64   `json:"count"`
	Of    int64   `json:"of"`
	Rate  float64 `json:"rate"` // 0 of nothing
}

func rateOf(count, of int64) Rate {
	r := Rate{Count: count, Of: of}
	if of > 0 {
		r.Rate = float64(count) / float64(of)
	}
	return r
}

// Check is what one guardrail found.
type Check struct {
	Name     string  `json:"name"`
	Explored Rate    `json:"explored"` // at the places that explore
	Others   Rate    `json:"others"`   // at the others; of clicks, at those beside them
	Limit    float64 `json:"limit"`    // of the first by the second; 0 watches nothing
	// Bound is how much of the second the first is at least, of clicks at most, whenever
	// it is looked at; nil while nothing can be said.
	Bound   *float64 `json:"bound,omitempty"`
	Tripped bool     `json:"tripped"`
}

// Guarding is what the guardrails found at one time, on all surfaces together and on
// each by itself.
type Guarding struct {
	At       time.Time `json:"at"`
	Since    time.Time `json:"since"` // lists made from then on
	Seen     int64     `json:"seen"`  // courses seen at places that explore
	Needs    int64     `json:"needs"` // of those, before anything is concluded
	Checks   []Check   `json:"checks"`
	Surfaces []Guarded `json:"surfaces"`
}

// Guarded is what the guardrails found on one surface.
type Guarded struct {
	Surface  lectern.Surface `json:"surface"`
	Explores bool            `json:"explores"` // its lists have places that explore
	Since    time.Time       `json:"since"`    // lists made from then on
	Seen     int64           `json:"seen"`
	Checks   []Check         `json:"checks"`
	Stopped  *Stopped        `json:"stopped,omitempty"` // when a guardrail last stopped it alone
}

// Guard looks at the guardrails, and stops exploration where one trips: everywhere if it
// does over all surfaces together, else on the surfaces over which it does.
func (l *Learner) Guard(ctx context.Context) (Guarding, error) {
	cfg, name := l.Settings.Current()
	g, _, err := l.look(ctx, cfg)
	if err != nil {
		return g, err
	}
	if !cfg.Enabled || !cfg.Guardrails.Enabled || l.Switch == nil {
		return g, nil
	}
	if c := tripped(g.Checks); c != nil {
		return g, l.stop(ctx, c, "", name)
	}
	for _, s := range g.Surfaces {
		if c := tripped(s.Checks); c != nil && s.Explores {
			if err := l.stop(ctx, c, s.Surface, name); err != nil {
				return g, err
			}
		}
	}
	return g, nil
}

// tripped returns the first check that trips, nil for none.
func tripped(checks []Check) *Check {
	if i := slices.IndexFunc(checks, func(c Check) bool { return c.Tripped }); i >= 0 {
		return &checks[i]
	}
	return nil
}

// stop ends exploration on a surface, everywhere for "".
func (l *Learner) stop(ctx context.Context, c *Check, surface lectern.Surface, settings string) error {
	reason := c.sentence(surface)
	if err := l.Switch.Stop(ctx, surface, reason); err != nil {
		return fmt.Errorf("stop exploration: %w", err)
	}
	l.Meters.Tripped(c.Name, surface)
	l.Log.Error("a guardrail has stopped exploration", slog.String("guardrail", c.Name), slog.String("surface", string(surface)),
		slog.String("settings", settings), slog.String("reason", reason))
	return nil
}

// look compares what lists led to that were made in the days that are looked at, but
// after exploration was last stopped, everywhere or on their surface: who turns it on
// again has judged what was before.
//
// All together have half of what may go wrong, and the surfaces the other half, in equal
// shares. So a window that is fine trips nothing with the probability of the confidence,
// as long as the surfaces that explore stay the same.
func (l *Learner) look(ctx context.Context, cfg *explore.Config) (Guarding, []Stop, error) {
	g := Guarding{At: l.Clock(), Needs: int64(cfg.Guardrails.Impressions), Surfaces: []Guarded{}}
	g.Since = g.At.Add(-days(float64(cfg.Guardrails.Days))).Truncate(time.Hour)
	var stops []Stop
	if l.Switch != nil {
		var err error
		if stops, err = l.Switch.Stops(ctx); err != nil {
			return g, nil, err
		}
	}
	if s := lastOf(stops, ""); s != nil {
		g.Since = later(g.Since, s.At)
	}
	counts, err := l.Store.ExplorationCounts(ctx, g.Since)
	if err != nil {
		return g, nil, err
	}
	for _, name := range lectern.Surfaces() {
		s := Guarded{Surface: name, Explores: len(cfg.Places.Of(name)) > 0, Since: g.Since}
		if last := lastOf(stops, name); last != nil {
			s.Stopped = &Stopped{last.At, last.Reason}
			if s.Since = later(g.Since, last.At); s.Since.After(g.Since) {
				if counts, err = l.since(ctx, counts, name, s.Since); err != nil {
					return g, nil, err
				}
			}
		}
		if s.Explores || s.Stopped != nil || slices.ContainsFunc(counts, func(c lectern.ExplorationCount) bool { return c.Surface == name }) {
			g.Surfaces = append(g.Surfaces, s)
		}
	}
	half := (1 - cfg.Guardrails.Confidence) / 2
	g.Seen, g.Checks = judge(counts, cfg.Guardrails, half)
	for i := range g.Surfaces {
		s := &g.Surfaces[i]
		s.Seen, s.Checks = judge(only(counts, s.Surface), cfg.Guardrails, half/float64(len(g.Surfaces)))
	}
	return g, stops, nil
}

// later is the time from which lists are looked at that were made after a stop, of which
// whole hours are counted, but not before since.
func later(since, stopped time.Time) time.Time {
	if after := stopped.Truncate(time.Hour).Add(time.Hour); after.After(since) {
		return after
	}
	return since
}

// lastOf returns the last stop of a surface by itself, of all of them for "".
func lastOf(stops []Stop, surface lectern.Surface) *Stop {
	if i := slices.IndexFunc(stops, func(s Stop) bool { return s.Surface == surface }); i >= 0 {
		return &stops[i]
	}
	return nil
}

// since puts what lists of a surface led to that were made since a time in the place of
// all that is counted of it.
func (l *Learner) since(ctx context.Context, counts []lectern.ExplorationCount, surface lectern.Surface, at time.Time) ([]lectern.ExplorationCount, error) {
	late, err := l.Store.ExplorationCounts(ctx, at)
	if err != nil {
		return nil, err
	}
	counts = slices.DeleteFunc(counts, func(c lectern.ExplorationCount) bool { return c.Surface == surface })
	return append(counts, only(late, surface)...), nil
}

// only returns the counts of one surface.
func only(counts []lectern.ExplorationCount, surface lectern.Surface) []lectern.ExplorationCount {
	var out []lectern.ExplorationCount
	for _, c := range counts {
		if c.Surface == surface {
			out = append(out, c)
		}
	}
	return out
}
