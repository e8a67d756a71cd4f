package learn

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
)

// TestBoundsHoldAtAllLooks looks after every trial: the rate may leave the bounds at no
// look, in all but a share alpha of the runs.
func TestBoundsHoldAtAllLooks(t *testing.T) {
	const runs, trials, alpha = 400, 2000, 0.1
	for _, rate := range []float64{0.01, 0.1, 0.6} {
		rng := rand.New(rand.NewPCG(9, uint64(1000*rate)))
		low, high := 0, 0
		for range runs {
			var s int64
			var isLow, isHigh bool
			for n := int64(1); n <= trials; n++ {
				if rng.Float64() < rate {
					s++
				}
				// Out of the bounds is where the evidence against the rate is too much.
				if evidence(float64(s), float64(n), rate) >= math.Log(1/alpha) {
					isLow = isLow || float64(s)/float64(n) > rate
					isHigh = isHigh || float64(s)/float64(n) < rate
				}
			}
			if isLow {
				low++
			}
			if isHigh {
				high++
			}
		}
		if most := int(runs * alpha); low+high > most {
			t.Errorf("at a rate of %g, the bounds are left in %d + %d of %d runs, above %d", rate, low, high, runs, most)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct{ s, n int64 }{{0, 10}, {3, 100}, {50, 100}, {100, 100}, {20, 100_000}} {
		rate := float64(c.s) / float64(c.n)
		low, high := lower(c.s, c.n, 0.05), upper(c.s, c.n, 0.05)
		if !(low <= rate && rate <= high && low >= 0 && high <= 1) {
			t.Errorf("%d of %d: %g to %g", c.s, c.n, low, high)
		}
		if wide := lower(c.s, c.n, 0.01); wide > low {
			t.Errorf("%d of %d: more sure at %g than at %g", c.s, c.n, wide, low)
		}
		if low > 0 && math.Abs(evidence(float64(c.s), float64(c.n), low)-math.Log(20)) > 1e-6 {
			t.Errorf("%d of %d: the evidence against %g is %g", c.s, c.n, low, evidence(float64(c.s), float64(c.n), low))
		}
	}
}

func TestJudge(t *testing.T) {
	count := func(explored bool, place int, name string, n int64) lectern.ExplorationCount {
		return lectern.ExplorationCount{Position: place, Explored: explored, Name: name, N: n}
	}
	const click, enrol, drop = "event:click", "event:enrol", "event:drop"
	fine := []lectern.ExplorationCount{
		count(true, 3, "seen", 5000), count(true, 3, click, 400), count(true, 3, enrol, 200), count(true, 3, drop, 20),
		count(false, 2, "seen", 5000), count(false, 2, click, 600), count(false, 2, enrol, 300), count(false, 2, drop, 30),
		count(false, 4, "seen", 5000), count(false, 4, click, 400),
		// Far away, where nobody clicks: none of what place 3 is compared with.
		count(false, 9, "seen", 50_000),
		count(true, 0, "report", 3), count(false, 0, "report", 20),
	}
	for name, c := range map[string]struct {
		counts []lectern.ExplorationCount
		change func(*explore.Guardrails)
		want   string
	}{
		"fine":           {counts: fine},
		"nothing":        {},
		"few clicks":     {counts: []lectern.ExplorationCount{count(true, 3, click, -350)}, want: GuardClicks},
		"many reports":   {counts: []lectern.ExplorationCount{count(true, 0, "report", 60)}, want: GuardReports},
		"many drops":     {counts: []lectern.ExplorationCount{count(true, 3, drop, 100)}, want: GuardDrops},
		"too few shown":  {counts: []lectern.ExplorationCount{count(true, 3, click, -350)}, change: func(g *explore.Guardrails) { g.Impressions = 5001 }},
		"nobody watches": {counts: []lectern.ExplorationCount{count(true, 3, click, -350)}, change: func(g *explore.Guardrails) { g.ClickRate = 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			g := explore.DefaultConfig().Guardrails
			if c.change != nil {
				c.change(&g)
			}
			counts := c.counts
			if name != "nothing" && name != "fine" {
				counts = append(append([]lectern.ExplorationCount{}, fine...), counts...)
			}
			_, checks := judge(counts, g)
			got := ""
			for _, check := range checks {
				if check.Tripped {
					got += check.Name
				}
			}
			if got != c.want {
				t.Errorf("tripped: %q, want %q: %+v", got, c.want, checks)
			}
		})
	}
}

// breaker is a switch that remembers.
type breaker struct {
	f       *fixture
	reasons []string
	at      time.Time
}

func (b *breaker) Stop(_ context.Context, reason string) error {
	b.f.cfg.Enabled, b.at = false, b.f.now
	b.reasons = append(b.reasons, reason)
	return nil
}

func (b *breaker) Stopped(context.Context) (time.Time, string, error) {
	if len(b.reasons) == 0 {
		return time.Time{}, "", nil
	}
	return b.at, b.reasons[len(b.reasons)-1], nil
}

// TestGuardStops lets people ignore what exploration shows them.
func TestGuardStops(t *testing.T) { onBoth(t, testGuardStops) }

func testGuardStops(t *testing.T, s database) {
	ctx := t.Context()
	b := &breaker{}
	f := learner(t, s, func(o *Options, _ *Config) { o.Switch = b })
	b.f = f
	f.cfg.Guardrails.Impressions = 100
	show := func(from, n int, clicks func(i int) int) {
		t.Helper()
		var lists []lectern.Ranking
		var events []lectern.EventWrite
		var people []lectern.Learner
		for i := from; i < from+n; i++ {
			who, id := fmt.Sprint("l", i), fmt.Sprint("r", i)
			people = append(people, lectern.Learner{ID: who})
			lists = append(lists, rankedList(id, who, 6, 3))
			events = append(events, event(fmt.Sprint("v", i), who, lectern.EventDismiss, "c5", id, time.Minute))
			if place := clicks(i); place >= 0 {
				events = append(events, event(fmt.Sprint("e", i), who, lectern.EventClick, fmt.Sprint("c", place), id, time.Minute))
			}
		}
		must[[]lectern.WriteResult](t)(s.PutLearners(ctx, people))
		check(t, s.PutRankings(ctx, lists))
		appendAll(t, s, events...)
		f.learnAll(t)
	}
	show(0, 150, func(i int) int { return []int{2, 3, 4}[i%3] })
	must[Guarding](t)(f.Guard(ctx))
	if len(b.reasons) != 0 {
		t.Fatalf("what is fine was stopped: %v", b.reasons)
	}
	f.now = f.now.Add(100 * 24 * time.Hour) // what was before is no longer looked at
	if g := must[Guarding](t)(f.Guard(ctx)); g.Seen != 0 {
		t.Errorf("%d impressions of long ago are looked at", g.Seen)
	}
	f.now = noon.Add(time.Hour)
	show(150, 1350, func(i int) int { return []int{2, 4}[i%2] }) // nobody opens what is explored
	g := must[Guarding](t)(f.Guard(ctx))
	if len(b.reasons) != 1 || !strings.Contains(b.reasons[0], GuardClicks) {
		t.Fatalf("reasons %v: %+v", b.reasons, g)
	}
	status := must[Status](t)(f.Status(ctx))
	if status.Enabled || status.Stopped == nil || status.Stopped.Reason != b.reasons[0] {
		t.Errorf("status %+v", status)
	}
	must[Guarding](t)(f.Guard(ctx))
	f.cfg.Enabled = true // somebody has judged, and turns it on again
	must[Guarding](t)(f.Guard(ctx))
	if len(b.reasons) != 1 {
		t.Errorf("what was judged stops again: %v", b.reasons)
	}
}
