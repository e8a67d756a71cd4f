package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestLift: clicks of treatment are truly 5 % more likely. An experiment of the size
// that SizeFor gives for its look must find it as often as planned, and the
// always-valid intervals of all looks together must hold the truth.
func TestLift(t *testing.T) {
	simulation(t)
	const days, lift, power = 14, 0.05, 0.8
	runs := 60
	if soak() {
		runs = 1000
	}
	for _, metric := range []int{1, 0} {
		if metric == 0 && !soak() {
			continue // people differ in how much they see, not only in how they click: takes many more
		}
		big := world{people: 40000, days: days, arrivals: "busy_first", spread: 0.7}
		pilot := big.pilot(3)[metric]
		plan := SizePlan{Mean: pilot.Value(), Variance: pilot.Variance(), Effect: lift, Power: power}
		if metric == 1 {
			plan.Per = pilot.Means[atPer]
		}
		size := SizeFor(plan)
		n := runs
		if metric == 0 {
			n = runs / 5
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s: mean %.4f, +5 %%, planned power %.2f, %d runs\n", worldMetrics[metric], pilot.Value(), power, n)
		fixed := lifts(&world{people: int(size.Fixed), days: days, arrivals: "busy_first", spread: 0.7, lift: lift}, metric, n, plan.Variance)
		always := lifts(&world{people: int(size.Always), days: days, arrivals: "busy_first", spread: 0.7, lift: lift}, metric, n, plan.Variance)
		fmt.Fprintf(&b, "%-14s %8s %10s %13s %13s %14s %14s\n", "planned for", "people", "one look", "always-valid", "… and CUPED", "people at call", "looks covered")
		fmt.Fprintf(&b, "%-14s %8.0f %10.3f %13.3f %13.3f %14.0f %14.3f\n", "one look", size.Fixed, fixed.last, fixed.always, fixed.adjusted, fixed.people, fixed.covered)
		fmt.Fprintf(&b, "%-14s %8.0f %10.3f %13.3f %13.3f %14.0f %14.3f\n", "all looks", size.Always, always.last, always.always, always.adjusted, always.people, always.covered)
		t.Log(b.String())
		slack := 3 * math.Sqrt(power*(1-power)/float64(n))
		if fixed.last < power-slack || fixed.last > power+slack {
			t.Errorf("%s: found in %.3f at one look, planned %.2f", worldMetrics[metric], fixed.last, power)
		}
		if always.always < power-slack {
			t.Errorf("%s: found in %.3f at any look, planned %.2f", worldMetrics[metric], always.always, power)
		}
		if always.covered < 0.95 || fixed.covered < 0.95 {
			t.Errorf("%s: intervals of all looks hold the truth in %.3f and %.3f", worldMetrics[metric], fixed.covered, always.covered)
		}
	}
}

// found is how often and when an effect was found.
type found struct {
	last, always, adjusted float64
	people                 float64 // in the mean at the call, of those that called
	covered                float64 // runs in which every look's interval held the truth
}

func lifts(w *world, metric, runs int, variance float64) found {
	var f found
	for run := range runs {
		rng := rand.New(rand.NewPCG(uint64(run), 5))
		people := w.draw(rng)
		var plain, adjusted Looks
		opts := Options{Units: float64(w.people), Variance: variance}
		withBefore := opts
		withBefore.Adjust = true
		held := true
		for day := range w.days {
			w.live(people, day, rng)
			arms := look(people, day, metric)
			r := Analyse(arms, opts)
			c := &r.Comparisons[0]
			before := plain.P
			plain.Add(c)
			if plain.P <= 0.05 && (before > 0.05 || plain.Count == 1) {
				f.people += arms[0].N + arms[1].N
			}
			adjusted.Add(&Analyse(arms, withBefore).Comparisons[0])
			held = held && c.Relative.Always.Holds(w.lift)
			if day == w.days-1 && c.P <= 0.05 {
				f.last++
			}
		}
		f.covered += count(held)
		f.always += count(plain.P <= 0.05)
		f.adjusted += count(adjusted.P <= 0.05)
	}
	f.people /= max(1, f.always)
	f.last, f.always, f.adjusted, f.covered = f.last/float64(runs), f.always/float64(runs), f.adjusted/float64(runs), f.covered/float64(runs)
	return f
}

func count(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// TestNarrower: adjustment narrows intervals by √(1−ρ²), ρ measured apart by Pearson's
// formula; where only a share of people was there before, by √(1−share·ρ²).
func TestNarrower(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "%6s %8s %10s %10s %10s\n", "rho", "known", "predicted", "fixed", "always")
	for _, rho := range []float64{0, 0.3, 0.5, 0.7, 0.9} {
		for _, known := range []float64{1, 0.6} {
			rng := rand.New(rand.NewPCG(4, 4))
			arms := make([]Sample, 2)
			var x, y []float64
			for range 40000 {
				z := rng.NormFloat64()
				u := Unit{Value: 5 + rho*z + math.Sqrt(1-rho*rho)*rng.NormFloat64(), Per: 1, Before: 3 + 2*z, BeforePer: 1, Known: rng.Float64() < known}
				x, y = append(x, u.Before), append(y, u.Value)
				arms[rng.IntN(2)].Add(u)
			}
			r := pearson(x, y)
			want := math.Sqrt(1 - known*r*r)
			plain := Analyse(arms, Options{}).Comparisons[0]
			result := Analyse(arms, Options{Adjust: true})
			adjusted := result.Comparisons[0]
			fixed := width(adjusted.Absolute.Fixed) / width(plain.Absolute.Fixed)
			always := width(adjusted.Absolute.Always) / width(plain.Absolute.Always)
			fmt.Fprintf(&b, "%6.2f %8.1f %10.3f %10.3f %10.3f\n", rho, known, want, fixed, always)
			near(t, "fixed", fixed, want, 0.01)
			near(t, "always", always, want, 0.01)
			near(t, "reduction", result.Reduction, known*r*r, 0.02)
		}
	}
	t.Log(b.String())
}

// TestNarrowerRatio: the same on clicks an item and hours a person of the simulated
// platform, against the correlation of the linearised metric, and without bias.
func TestNarrowerRatio(t *testing.T) {
	w := world{people: 6000, days: 14, arrivals: "early", spread: 0.7}
	rng := rand.New(rand.NewPCG(8, 8))
	people := w.draw(rng)
	for day := range w.days {
		w.live(people, day, rng)
	}
	for metric, name := range worldMetrics {
		arms := make([]Sample, 2)
		var whole Sample
		for i := range people {
			if people[i].known {
				arms[people[i].arm].Add(people[i].unit(metric))
				whole.Add(people[i].unit(metric))
			}
		}
		var x, y []float64
		before := whole.Means[atBefore] / whole.Means[atBeforePer]
		for i := range people {
			if u := people[i].unit(metric); u.Known {
				x, y = append(x, u.Before-before*u.BeforePer), append(y, u.Value-whole.Value()*u.Per)
			}
		}
		rho := pearson(x, y)
		plain, adjusted := Analyse(arms, Options{}).Comparisons[0], Analyse(arms, Options{Adjust: true}).Comparisons[0]
		got := adjusted.SE / plain.SE
		t.Logf("%-16s rho %.3f, predicted %.3f, narrowed to %.3f", name, rho, math.Sqrt(1-rho*rho), got)
		// Two free coefficients where Pearson's has one may do a little better.
		if want := math.Sqrt(1 - rho*rho); got > want+0.01 || got < want-0.04 {
			t.Errorf("%s: narrowed to %.3f, predicted %.3f", name, got, want)
		}
	}
}

func width(i Interval) float64 { return i.High - i.Low }

func pearson(x, y []float64) float64 {
	mx, my := total(x)/float64(len(x)), total(y)/float64(len(y))
	var xx, xy, yy float64
	for i := range x {
		xx += (x[i] - mx) * (x[i] - mx)
		xy += (x[i] - mx) * (y[i] - my)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}

// TestBrokenSplit: shares of 52 to 48 where halves were planned are blocked; healthy
// splits hardly ever, however often they are looked at.
func TestBrokenSplit(t *testing.T) {
	simulation(t)
	runs := 300
	if soak() {
		runs = 10000
	}
	sizes := []int{5000, 10000, 15000, 20000, 30000}
	var b strings.Builder
	fmt.Fprintf(&b, "share of %d experiments blocked after so many people, alpha %g\n%-8s", runs, DefaultSplitAlpha, "control")
	for _, n := range sizes {
		fmt.Fprintf(&b, " %8d", n)
	}
	for _, share := range []float64{0.5, 0.51, 0.52, 0.53} {
		blocked, chi := make([]float64, len(sizes)), 0.0
		for run := range runs {
			at, daily := blockedAfter(share, sizes[len(sizes)-1], rand.New(rand.NewPCG(uint64(run), 6)))
			for i, n := range sizes {
				blocked[i] += count(at <= n) / float64(runs)
			}
			if share == 0.5 {
				chi += count(daily) / float64(runs)
			}
		}
		fmt.Fprintf(&b, "\n%-8.2f", share)
		for _, x := range blocked {
			fmt.Fprintf(&b, " %8.4f", x)
		}
		switch share {
		case 0.5:
			fmt.Fprintf(&b, "   chi-squared, looked at 30 times: %.4f", chi)
			if got := blocked[len(sizes)-1]; got > 3*DefaultSplitAlpha {
				t.Errorf("healthy splits blocked: %.4f", got)
			}
		case 0.52:
			if blocked[2] < 0.8 || blocked[4] < 0.99 {
				t.Errorf("52/48 blocked in %v", blocked)
			}
		}
	}
	t.Log(b.String())
}

// blockedAfter returns after how many people a split is blocked, looked at after each of
// the first 100 and every 100 after, and whether the chi-squared test at the same
// alpha, looked at 30 times, ever did.
func blockedAfter(share float64, most int, rng *rand.Rand) (at int, daily bool) {
	at = math.MaxInt
	s := Split{Units: make([]float64, 2), Shares: []float64{1, 1}}
	for n := 1; n <= most; n++ {
		s.Units[int(count(rng.Float64() >= share))]++
		if n > 100 && n%100 != 0 {
			continue
		}
		r := CheckSplit(0, s)
		if r.Broken && at > n {
			at = n
			if share != 0.5 {
				return at, false
			}
		}
		daily = daily || n%1000 == 0 && n <= 30000 && r.ChiP <= DefaultSplitAlpha
	}
	return at, daily
}
