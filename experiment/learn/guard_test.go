package learn

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

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
			_, checks := judge(counts, g, 1-g.Confidence)
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
	stops   []Stop
}

func (b *breaker) Stop(_ context.Context, surface lectern.Surface, reason string) error {
	switch surface {
	case "":
		b.f.cfg.Enabled = false
	case lectern.SurfaceSearch:
		b.f.cfg.Places.Search = []int{}
	default:
		return fmt.Errorf("%s is stopped", surface)
	}
	b.reasons = append(b.reasons, reason)
	b.stops = append([]Stop{{At: b.f.now, Surface: StoppedSurface(reason), Reason: reason}}, b.stops...)
	return nil
}

func (b *breaker) Stops(context.Context) ([]Stop, error) { return b.stops, nil }

// show serves lists of a surface whose fourth place explores. Each is seen as a whole, and
// the place that clicks tells is opened.
func (f *fixture) show(t *testing.T, s database, surface lectern.Surface, from, n int, clicks func(i int) int) {
	t.Helper()
	var lists []lectern.Ranking
	var events []lectern.EventWrite
	var people []lectern.Learner
	for i := from; i < from+n; i++ {
		who, id := fmt.Sprint("l", i), fmt.Sprint("r", surface, i)
		people = append(people, lectern.Learner{ID: who})
		list := rankedList(id, who, 6, 3)
		list.Surface, list.CreatedAt = surface, f.now.Add(-time.Hour)
		lists = append(lists, list)
		seen, click := event(fmt.Sprint("v", id), who, lectern.EventDismiss, "c5", id, 0), event("", who, lectern.EventClick, "", id, 0)
		seen.Event.OccurredAt = f.now
		events = append(events, seen)
		if place := clicks(i); place >= 0 {
			click.Event.ID, click.Event.CourseID, click.Event.OccurredAt = fmt.Sprint("e", id), fmt.Sprint("c", place), f.now
			events = append(events, click)
		}
	}
	must[[]lectern.WriteResult](t)(s.PutLearners(t.Context(), people))
	check(t, s.PutRankings(t.Context(), lists))
	appendAll(t, s, events...)
	f.learnAll(t)
}

// TestGuardStops lets people ignore what exploration shows them.
func TestGuardStops(t *testing.T) { onBoth(t, testGuardStops) }

func testGuardStops(t *testing.T, s database) {
	ctx := t.Context()
	b := &breaker{}
	f := learner(t, s, func(o *Options, _ *Config) { o.Switch = b })
	b.f = f
	f.cfg.Guardrails.Impressions = 100
	show := func(from, n int, clicks func(i int) int) { f.show(t, s, lectern.SurfaceHome, from, n, clicks) }
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

// TestGuardStopsOneSurface lets people ignore what searches explore, behind a home page
// that does well: searches stop by themselves, and what is judged so stops nothing more.
func TestGuardStopsOneSurface(t *testing.T) { onBoth(t, testGuardStopsOneSurface) }

func testGuardStopsOneSurface(t *testing.T, s database) {
	ctx := t.Context()
	b := &breaker{}
	f := learner(t, s, func(o *Options, _ *Config) { o.Switch = b })
	b.f = f
	f.cfg.Guardrails.Impressions, f.cfg.Places.Search = 100, []int{4}
	likes, ignores := func(i int) int { return []int{2, 3, 4}[i%3] }, func(i int) int { return []int{2, 4}[i%2] }
	f.show(t, s, lectern.SurfaceHome, 0, 1500, likes)
	f.show(t, s, lectern.SurfaceSearch, 0, 800, ignores)
	g := must[Guarding](t)(f.Guard(ctx))
	if len(b.stops) != 1 || b.stops[0].Surface != lectern.SurfaceSearch || !strings.HasPrefix(b.reasons[0], "click_rate on search: ") || tripped(g.Checks) != nil {
		t.Fatalf("stopped: %+v; all together: %+v", b.stops, g.Checks)
	}
	if !f.cfg.Enabled || len(f.cfg.Places.Search) > 0 || len(f.cfg.Places.Home) == 0 {
		t.Errorf("the settings after it: %+v", f.cfg)
	}
	guarded := func() (search Guarded, g Guarding) {
		t.Helper()
		g = must[Status](t)(f.Status(ctx)).Guard
		if len(g.Surfaces) != 2 || g.Surfaces[0].Surface != lectern.SurfaceHome || g.Surfaces[1].Surface != lectern.SurfaceSearch {
			t.Fatalf("surfaces: %+v", g.Surfaces)
		}
		return g.Surfaces[1], g
	}
	search, g := guarded()
	if search.Explores || search.Stopped == nil || search.Stopped.Reason != b.reasons[0] || search.Seen != 0 || g.Seen != 1500 || !g.Surfaces[0].Explores {
		t.Errorf("after the stop: %+v", g)
	}
	if s := must[Status](t)(f.Status(ctx)); s.Stopped != nil || !s.Enabled {
		t.Errorf("all of it is stopped: %+v", s)
	}

	// Whoever gives searches their places back has judged what was before, not what comes.
	f.cfg.Places.Search = []int{4}
	must[Guarding](t)(f.Guard(ctx))
	if len(b.stops) != 1 {
		t.Errorf("what was judged stops again: %v", b.reasons)
	}
	f.now = f.now.Add(3 * time.Hour)
	f.show(t, s, lectern.SurfaceSearch, 1000, 1100, ignores)
	must[Guarding](t)(f.Guard(ctx))
	if search, _ = guarded(); len(b.stops) != 2 || search.Explores {
		t.Errorf("what came after was not judged: %+v, %v", search, b.reasons)
	}
}

// TestGuardSharesWhatMayGoWrong looks again and again at a window in which every surface
// is exactly at its limit: any trip is a false one, and those of all together and of each
// surface are at most 1 − confidence.
func TestGuardSharesWhatMayGoWrong(t *testing.T) {
	const runs, looks, lists, confidence = 100, 25, 40, 0.8
	const click = lectern.RewardEvent + string(lectern.EventClick)
	f := &fixture{now: noon, cfg: explore.DefaultConfig()}
	g := &f.cfg.Guardrails
	g.Confidence, g.Impressions, g.ClickRate = confidence, 1, 0.5
	f.cfg.Places.Search, f.cfg.Places.Next = []int{4}, []int{4}
	rng := rand.New(rand.NewPCG(4, 7))
	trips := 0
	var found Guarding
	var all []lectern.ExplorationCount
	for range runs {
		counts := fixedCounts{n: map[lectern.ExplorationCount]int64{}}
		var err error
		f.Learner, err = New(Options{Store: counts, Settings: f, Clock: func() time.Time { return f.now }, Log: slog.New(slog.DiscardHandler)}, DefaultConfig())
		check(t, err)
		for range looks {
			for range lists {
				for _, surface := range []lectern.Surface{lectern.SurfaceHome, lectern.SurfaceSearch, lectern.SurfaceNext} {
					for place, rate := range []float64{0.4, 0.2, 0.4} {
						counts.add(surface, place, "seen")
						if rng.Float64() < rate {
							counts.add(surface, place, click)
						}
					}
				}
			}
			found = must[Guarding](t)(f.Guard(t.Context()))
			all = must[[]lectern.ExplorationCount](t)(counts.ExplorationCounts(t.Context(), noon))
			bad := tripped(found.Checks) != nil
			for _, s := range found.Surfaces {
				bad = bad || tripped(s.Checks) != nil
			}
			if bad {
				trips++
				break
			}
		}
	}
	if most := int(runs * (1 - confidence)); trips > most {
		t.Errorf("%d of %d fine windows trip, above %d", trips, runs, most)
	}
	t.Logf("%d of %d fine windows trip", trips, runs)
	// Half for all together, and the other half in equal shares.
	_, want := judge(all, *g, (1-confidence)/2)
	equal(t, "all together", found.Checks, want)
	for _, s := range found.Surfaces {
		_, want := judge(only(all, s.Surface), *g, (1-confidence)/6)
		equal(t, string(s.Surface), s.Checks, want, cmpopts.EquateApprox(1e-12, 0))
	}
}

// fixedCounts is a store that counts alone.
type fixedCounts struct {
	Store
	n map[lectern.ExplorationCount]int64
}

func (c fixedCounts) add(surface lectern.Surface, place int, name string) {
	c.n[lectern.ExplorationCount{Surface: surface, Position: place, Explored: place == 1, Name: name}]++
}

func (c fixedCounts) ExplorationCounts(context.Context, time.Time) ([]lectern.ExplorationCount, error) {
	var out []lectern.ExplorationCount
	for key, n := range c.n {
		key.N = n
		out = append(out, key)
	}
	return out, nil
}

// idleStore is a store with nothing to learn from, which notes when guardrails look.
type idleStore struct {
	Store
	began time.Time
	looks []time.Duration
}

func (*idleStore) Learning(context.Context, int64) (lectern.LearningState, error) {
	return lectern.LearningState{Run: 1, Active: true}, nil
}

func (*idleStore) ScanOutcomes(_ context.Context, after int64, _ int, _ time.Duration, _ int) ([]lectern.Outcome, int64, error) {
	return nil, after, nil
}

func (*idleStore) Rewards(context.Context, int64, []string) ([]lectern.Reward, error) {
	return nil, nil
}

func (*idleStore) Posteriors(context.Context, int) ([]lectern.PosteriorVersion, error) {
	return nil, nil
}

func (s *idleStore) ExplorationCounts(context.Context, time.Time) ([]lectern.ExplorationCount, error) {
	s.looks = append(s.looks, time.Since(s.began))
	return nil, nil
}

// TestGuardHasItsOwnBeat looks when it is time, however seldom events are looked for.
func TestGuardHasItsOwnBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &idleStore{began: time.Now()}
		f := learner(t, s, func(_ *Options, c *Config) { c.Poll, c.Guard = 3*time.Second, 2*time.Second })
		ctx, stop := context.WithTimeout(t.Context(), 9*time.Second)
		defer stop()
		check(t, f.Run(ctx))
		const second = time.Second
		equal(t, "looks", s.looks, []time.Duration{0, 2 * second, 4 * second, 6 * second, 8 * second})
	})
}
