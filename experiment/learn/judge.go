package learn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
)

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

// judge checks every guardrail. The three share alpha, the probability with which any of
// them trips over what is fine.
func judge(counts []lectern.ExplorationCount, g explore.Guardrails, alpha float64) (seen int64, checks []Check) {
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
	alpha /= 3
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

// onSurface stands between a guardrail and the surface on which it tripped.
const onSurface = " on "

// StoppedSurface reads from the reason of a stop which surface explores no more; "" is
// all of them. What settings were before does not tell: those of the configuration file
// may be others by now.
func StoppedSurface(reason string) lectern.Surface {
	what, _, _ := strings.Cut(reason, ":")
	_, surface, _ := strings.Cut(what, onSurface)
	return lectern.Surface(surface)
}

// sentence says why a check trips, on a surface or, for "", on all of them together.
func (c Check) sentence(surface lectern.Surface) string {
	name := c.Name
	if surface != "" {
		name += onSurface + string(surface)
	}
	what := map[string]string{GuardReports: "reports", GuardDrops: "drops after enrolment", GuardClicks: "clicks"}[c.Name]
	if c.Name == GuardClicks {
		return fmt.Sprintf("%s: explored places have at most %.3g times as many %s as the places beside them (%.3g %% against %.3g %%), the limit is %.3g",
			name, *c.Bound, what, 100*c.Explored.Rate, 100*c.Others.Rate, c.Limit)
	}
	return fmt.Sprintf("%s: explored places have at least %.3g times as many %s as others (%.3g %% against %.3g %%), the limit is %.3g",
		name, *c.Bound, what, 100*c.Explored.Rate, 100*c.Others.Rate, c.Limit)
}
