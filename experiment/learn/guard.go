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

// Switch turns exploration off for everybody.
type Switch interface {
	// Stop writes settings that explore nothing, in the name of GuardAuthor, with the
	// reason as comment. Where nothing explores already it changes nothing.
	Stop(ctx context.Context, reason string) error
	// Stopped returns when a guardrail last stopped exploration, and why; zero for never.
	Stopped(ctx context.Context) (at time.Time, reason string, err error)
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

// Guarding is what the guardrails found at one time.
type Guarding struct {
	At     time.Time `json:"at"`
	Since  time.Time `json:"since"` // lists made from then on
	Seen   int64     `json:"seen"`  // courses seen at places that explore
	Needs  int64     `json:"needs"` // of those, before anything is concluded
	Checks []Check   `json:"checks"`
}

// Guard looks at the guardrails, and stops exploration where one trips.
func (l *Learner) Guard(ctx context.Context) (Guarding, error) {
	cfg, name := l.Settings.Current()
	g, err := l.look(ctx, cfg)
	if err != nil {
		return g, err
	}
	if !cfg.Enabled || !cfg.Guardrails.Enabled || l.Switch == nil {
		return g, nil
	}
	for _, c := range g.Checks {
		if !c.Tripped {
			continue
		}
		if err := l.Switch.Stop(ctx, c.sentence()); err != nil {
			return g, fmt.Errorf("stop exploration: %w", err)
		}
		l.Meters.Tripped(c.Name)
		l.Log.Error("a guardrail has stopped exploration", slog.String("guardrail", c.Name), slog.String("settings", name), slog.String("reason", c.sentence()))
		return g, nil
	}
	return g, nil
}

// look compares what lists led to that were made in the days that are looked at, but
// after exploration was last stopped: who turns it on again has judged what was before.
func (l *Learner) look(ctx context.Context, cfg *explore.Config) (Guarding, error) {
	g := Guarding{At: l.Clock(), Needs: int64(cfg.Guardrails.Impressions)}
	g.Since = g.At.Add(-days(float64(cfg.Guardrails.Days))).Truncate(time.Hour)
	if l.Switch != nil {
		stopped, _, err := l.Switch.Stopped(ctx)
		if err != nil {
			return g, err
		}
		// Whole hours are counted.
		if after := stopped.Truncate(time.Hour).Add(time.Hour); !stopped.IsZero() && after.After(g.Since) {
			g.Since = after
		}
	}
	counts, err := l.Store.ExplorationCounts(ctx, g.Since)
	if err != nil {
		return g, err
	}
	g.Seen, g.Checks = judge(counts, cfg.Guardrails)
	return g, nil
}

// tally sums counts by place.
type tally map[tallyKey]int64

type tallyKey struct {
	explored bool
	place    int // −1 is all of them
	name     string
}

func (t tally) at(explored bool, place int, name string) int64 {
	return t[tallyKey{explored, place, name}]
}

const everywhere = -1

// judge checks every guardrail. The three share what may go wrong.
func judge(counts []lectern.ExplorationCount, g explore.Guardrails) (seen int64, checks []Check) {
	t := tally{}
	var places []int // that explore
	for _, c := range counts {
		t[tallyKey{c.Explored, c.Position, c.Name}] += c.N
		t[tallyKey{c.Explored, everywhere, c.Name}] += c.N
		if c.Explored && c.Name == lectern.RewardSeen && !slices.Contains(places, c.Position) {
			places = append(places, c.Position)
		}
	}
	slices.Sort(places)
	seen = t.at(true, everywhere, lectern.RewardSeen)
	alpha := (1 - g.Confidence) / 3
	checks = []Check{
		t.tooOften(GuardReports, lectern.CountReports, lectern.RewardSeen, g.ReportRate, alpha),
		t.tooOften(GuardDrops, lectern.RewardEvent+string(lectern.EventDrop), lectern.RewardEvent+string(lectern.EventEnrol), g.DropRate, alpha),
		t.tooSeldom(places, g.ClickRate, alpha),
	}
	for i := range checks {
		checks[i].Tripped = checks[i].Tripped && seen >= int64(g.Impressions)
	}
	return seen, checks
}

// tooOften trips where what happens at exploring places is shown to happen more often
// than limit times as often as elsewhere.
func (t tally) tooOften(guard, what, of string, limit, alpha float64) Check {
	rate := func(explored bool) Rate {
		n := t.at(explored, everywhere, of)
		return rateOf(min(t.at(explored, everywhere, what), n), n)
	}
	c := Check{Name: guard, Explored: rate(true), Others: rate(false), Limit: limit}
	if limit <= 0 || c.Explored.Of == 0 || c.Others.Of == 0 {
		return c
	}
	low, high := lower(c.Explored.Count, c.Explored.Of, alpha/2), upper(c.Others.Count, c.Others.Of, alpha/2)
	bound := low / high
	c.Bound, c.Tripped = &bound, bound > limit
	return c
}

// tooSeldom trips where exploring places are shown to be clicked less often than limit
// times as often as the nearest others above and below, which look as prominent
// together.
func (t tally) tooSeldom(places []int, limit, alpha float64) Check {
	const click = lectern.RewardEvent + string(lectern.EventClick)
	c := Check{Name: GuardClicks, Limit: limit}
	share := alpha / float64(max(1, 3*len(places))) // each place has three bounds
	var high, low, clicks, of, beside, besideOf float64
	for _, p := range places {
		n := t.at(true, p, lectern.RewardSeen)
		near := t.beside(p)
		if n == 0 || len(near) == 0 {
			continue
		}
		high += float64(n) * upper(t.at(true, p, click), n, share)
		clicks, of = clicks+float64(t.at(true, p, click)), of+float64(n)
		for _, q := range near {
			m := t.at(false, q, lectern.RewardSeen)
			low += float64(n) * lower(t.at(false, q, click), m, share) / float64(len(near))
			beside, besideOf = beside+float64(t.at(false, q, click)), besideOf+float64(m)
		}
	}
	c.Explored, c.Others = rateOf(int64(clicks), int64(of)), rateOf(int64(beside), int64(besideOf))
	if limit <= 0 || low <= 0 {
		return c
	}
	bound := high / low
	c.Bound, c.Tripped = &bound, bound < limit
	return c
}

// beside returns the nearest places above and below one at which something was seen
// that was not explored.
func (t tally) beside(place int) []int {
	var out []int
	for _, way := range []int{-1, 1} {
		for q := place + way; q >= 0 && q < items; q += way {
			if t.at(false, q, lectern.RewardSeen) > 0 {
				out = append(out, q)
				break
			}
		}
	}
	return out
}

// sentence says why a check trips.
func (c Check) sentence() string {
	what := map[string]string{GuardReports: "reports", GuardDrops: "drops after enrolment", GuardClicks: "clicks"}[c.Name]
	if c.Name == GuardClicks {
		return fmt.Sprintf("%s: explored places have at most %.3g times as many %s as the places beside them (%.3g %% against %.3g %%), the limit is %.3g",
			c.Name, *c.Bound, what, 100*c.Explored.Rate, 100*c.Others.Rate, c.Limit)
	}
	return fmt.Sprintf("%s: explored places have at least %.3g times as many %s as others (%.3g %% against %.3g %%), the limit is %.3g",
		c.Name, *c.Bound, what, 100*c.Explored.Rate, 100*c.Others.Rate, c.Limit)
}
