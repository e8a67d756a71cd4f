package stats

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// soak reports whether the whole simulations are asked for.
func soak() bool { return os.Getenv("LECTERN_TEST_SOAK") != "" }

// simulation leaves a long test out of short runs: these are for the race detector, which
// has nothing to find in a simulation.
func simulation(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a simulation: takes seconds, and starts no goroutine")
	}
	t.Parallel()
}

// way is a way to look at an experiment.
type way struct {
	name string
	opts Options
	peek bool // at the fixed-horizon p-value
	last bool // once, at the end
}

func ways(units, variance float64) []way {
	plan := Options{Units: units, Variance: variance}
	adjusted := plan
	adjusted.Adjust = true
	byUnits := Options{Units: units}
	soon := plan
	soon.BurnIn, soon.NonZero = 10, 5
	soonUnits := byUnits
	soonUnits.BurnIn, soonUnits.NonZero = 10, 5
	all := []way{
		{"fixed, one look", plan, true, true},
		{"fixed, looked at daily", plan, true, false},
		{"always-valid", plan, false, false},
		{"always-valid, CUPED", adjusted, false, false},
		{"always-valid, clock of units", byUnits, false, false},
		{"always-valid, burn-in 10", soon, false, false},
		{"… and clock of units", soonUnits, false, false},
	}
	if !soak() {
		return all[:5]
	}
	return all
}

// TestNoEffect: experiments without an effect, looked at every day. The always-valid
// tests may call an effect in 5 % of them; the fixed one, looked at daily, calls far more.
func TestNoEffect(t *testing.T) {
	simulation(t)
	runs := 1000
	worlds := []world{
		{people: 300, days: 14, arrivals: "steady", spread: 1},
		{people: 250, days: 12, arrivals: "early", spread: 1},
	}
	if soak() {
		worlds = []world{
			{people: 3000, days: 28, arrivals: "steady", spread: 1},
			{people: 3000, days: 28, arrivals: "early", spread: 1},
			{people: 3000, days: 28, arrivals: "busy_first", spread: 1},
			{people: 3000, days: 28, arrivals: "busy_first", spread: 1.5},
			{people: 500, days: 56, arrivals: "steady", spread: 1.5},
			{people: 500, days: 56, arrivals: "early", spread: 1.5},
		}
	}
	for _, w := range worlds {
		name := fmt.Sprintf("%s, %d people, %d days, spread %g", w.arrivals, w.people, w.days, w.spread)
		t.Run(name, func(t *testing.T) {
			alarms := falseAlarms(&w, runs)
			var b strings.Builder
			fmt.Fprintf(&b, "share of %d experiments without an effect that was called one\n%-30s", runs, "")
			for _, m := range worldMetrics {
				fmt.Fprintf(&b, " %20s", m)
			}
			for i, v := range ways(1, 1) {
				fmt.Fprintf(&b, "\n%-30s", v.name)
				for m := range worldMetrics {
					share := float64(alarms[m][i]) / float64(runs)
					fmt.Fprintf(&b, " %20.3f", share)
					if !v.peek && share > 0.05 {
						t.Errorf("%s, %s: %.3f false alarms, over 0.05", v.name, worldMetrics[m], share)
					}
				}
			}
			t.Log(b.String())
			if alarms[0][1] < 2*alarms[0][2] || float64(alarms[0][1]) < 0.1*float64(runs) {
				t.Errorf("looking daily at the fixed test called %d of %d: the simulation shows no problem to solve", alarms[0][1], runs)
			}
		})
	}
}

// falseAlarms counts, by metric and way, experiments in which an effect was ever called.
func falseAlarms(w *world, runs int) [][]int {
	pilot := w.pilot(7)
	out := make([][]int, len(worldMetrics))
	for m := range out {
		out[m] = make([]int, len(ways(1, 1)))
	}
	for run := range runs {
		rng := rand.New(rand.NewPCG(uint64(run), 1))
		people := w.draw(rng)
		called := make([][16]bool, len(worldMetrics))
		for day := range w.days {
			w.live(people, day, rng)
			for m := range worldMetrics {
				arms := look(people, day, m)
				var c Comparison
				var of Options
				for i, v := range ways(float64(w.people), pilot[m].Variance()) {
					if v.opts != of {
						of, c = v.opts, Analyse(arms, v.opts).Comparisons[0]
					}
					if v.last && day < w.days-1 {
						continue
					}
					p := c.AlwaysP
					if v.peek {
						p = c.P
					}
					called[m][i] = called[m][i] || p <= 0.05
				}
			}
		}
		for m := range worldMetrics {
			for i := range out[m] {
				if called[m][i] {
					out[m][i]++
				}
			}
		}
	}
	return out
}
