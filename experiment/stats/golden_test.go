package stats

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

// Clicks (1, 2, 3) of (10, 10, 20) items: 6/40 = 0.15. Residuals −0.5, 0.5, 0; their
// variance 0.5/2 = 0.25; mean items 40/3; squared error 0.25/3 ÷ (40/3)² = 0.00046875.
func TestDeltaMethodByHand(t *testing.T) {
	var s Sample
	for _, u := range []Unit{{Value: 1, Per: 10}, {Value: 2, Per: 10}, {Value: 3, Per: 20}} {
		s.Add(u)
	}
	l := s.level(&adjustment{})
	near(t, "ratio", l.Value, 0.15, 1e-15)
	near(t, "variance", s.Variance(), 0.25, 1e-15)
	near(t, "se", l.SE, math.Sqrt(0.00046875), 1e-15)
}

// x = (1, 2, 3, 4), y = (2, 4, 5, 9): Sxx 5, Sxy (−1.5)(−3) + (−0.5)(−1) + 0 + 1.5·4 = 11,
// so theta 2.2; Syy 26, left 26 − 11²/5 = 1.8; squared error 1.8/3/4 = 0.15.
func TestAdjustmentByHand(t *testing.T) {
	var s Sample
	for i, y := range []float64{2, 4, 5, 9} {
		s.Add(Unit{Value: y, Per: 1, Before: float64(i + 1), BeforePer: 1, Known: true})
	}
	a := fitAdjustment([]Sample{s})
	near(t, "theta", a.theta[0], 2.2, 1e-12)
	l := s.level(&a)
	near(t, "se", l.SE, math.Sqrt(0.15), 1e-12)
	near(t, "adjusted", l.Adjusted, 5, 1e-12)
}

// It does not matter what stands in for those who were not there before: with the mean
// of those who were, and an indicator, the effect is the same.
func TestUnknownBefore(t *testing.T) {
	var zero, mean [2]Sample
	for i := range 40 {
		u := Unit{Value: float64(i*i%17) + float64(i%2), Per: 1, Before: float64(i * i % 11), BeforePer: 1, Known: i%3 > 0}
		zero[i%2].Add(u)
		if !u.Known {
			u.Before = 4.2
		}
		v := [dims]float64{u.Value, u.Per, u.Before, u.BeforePer, count(!u.Known)}
		addRow(&mean[i%2], v)
	}
	a := Analyse(zero[:], Options{Adjust: true}).Comparisons[0]
	b := Analyse(mean[:], Options{Adjust: true}).Comparisons[0]
	near(t, "effect", b.Absolute.Value, a.Absolute.Value, 1e-12)
	near(t, "se", b.SE, a.SE, 1e-12)
}

// addRow adds a row as it is, by the textbook.
func addRow(s *Sample, v [dims]float64) {
	one := Sample{N: 1, Means: v, NonZero: count(v[atValue] != 0)}
	s.Merge(&one)
}

// (110 ∓ √(110² − 96·117)) ÷ 96 − 1, where 96 = 10² − 2²·1² and 117 = 11² − 2²·1².
func TestFiellerByHand(t *testing.T) {
	got := fieller(10, 11, 1, 1, 2)
	near(t, "low", got.Low, -0.1610605, 1e-6)
	near(t, "high", got.High, 0.4527271, 1e-6)
	if got := fieller(1, 2, 1, 1, 2); !math.IsInf(got.High, 1) {
		t.Errorf("a control that may be 0 gave %v", got)
	}
}

func TestMixtureByHand(t *testing.T) {
	// z = 3, k = 8: exp(9/2 · 8/9) ÷ √9 = e⁴/3.
	near(t, "evidence", math.Exp(logEvidence(3, 8)), math.Exp(4)/3, 1e-12)
	// z = 0: half the mixture's mass is above 0, and Φ(0) is one half.
	near(t, "one-sided", logEvidenceAbove(0, 8), logEvidence(0, 8), 1e-12)
	// Waudby-Smith et al. (2021), equation of the asymptotic confidence sequence, with
	// t = 100, ρ² = 0.08 and σ = 1: √(2(tρ²+1)/(t²ρ²) · log(√(tρ²+1)/α)).
	want := math.Sqrt(2 * 9 / (100 * 100 * 0.08) * math.Log(3/0.05))
	near(t, "sequence", reach(8, 0.05)/10, want, 1e-12)
	for _, alpha := range []float64{0.001, 0.01, 0.05, 0.2} {
		k := best(alpha)
		near(t, "reach at best", reach(k, alpha), math.Sqrt(1+k), 1e-9)
		if r := reach(k, alpha); reach(k*1.05, alpha) < r || reach(k/1.05, alpha) < r {
			t.Errorf("alpha %g: reach is not least at %g", alpha, k)
		}
		near(t, "inverse", logEvidence(reach(3, alpha), 3), math.Log(1/alpha), 1e-9)
		near(t, "inverse above", logEvidenceAbove(reachAbove(3, alpha), 3), math.Log(1/alpha), 1e-9)
	}
}

func TestTails(t *testing.T) {
	for _, df := range []float64{30, 99, 500} {
		for _, x := range []float64{0.5, 1.96, 3.03, 4.5} {
			exact := distuv.UnitNormal.Quantile(1 - distuv.StudentsT{Sigma: 1, Nu: df}.CDF(-x))
			near(t, "z of t", fromT(x, df), exact, 2e-3*x)
			near(t, "t of z of t", toT(fromT(x, df), df), x, 1e-9)
		}
	}
	for _, alpha := range []float64{0.5, 0.05, 0.001, 1e-5} {
		for _, df := range []float64{200, 317.4, 5000} {
			exact := distuv.StudentsT{Sigma: 1, Nu: df}.Quantile(1 - alpha/2)
			near(t, "many degrees of freedom", tQuantile(alpha, df), exact, 2e-8*exact)
		}
	}
	// Table values of Student's t, two-sided 5 %: 12.706 (1), 2.571 (5), 2.228 (10), 2.042 (30).
	for df, want := range map[float64]float64{1: 12.706, 5: 2.571, 10: 2.228, 30: 2.042, math.Inf(1): 1.960} {
		near(t, "quantile", tQuantile(0.05, df), want, 5e-4)
	}
}

func TestSplitByHand(t *testing.T) {
	// (520 − 500)²/500 twice = 1.6; with one degree of freedom p = erfc(√0.8) = 0.2059.
	got := CheckSplit(0, Split{Units: []float64{520, 480}, Shares: []float64{1, 1}})
	near(t, "chi-squared", got.ChiP, math.Erfc(math.Sqrt(0.8)), 1e-12)
	near(t, "share", got.Shares[0], 0.52, 1e-15)
	// Two of two in the first arm: (500/1000 · 501/1001) ÷ (1/2)² = 1.000999.
	got = CheckSplit(0, Split{Units: []float64{2, 0}, Shares: []float64{1, 1}})
	near(t, "always-valid", got.P, 1/(4*500.0/1000*501/1001), 1e-9)
	if got := CheckSplit(0, Split{Units: []float64{10, 1}, Shares: []float64{1, 0}}); !got.Broken {
		t.Errorf("people in an arm without a share: %+v", got)
	}
	if got := CheckSplit(0); got.Broken || got.P != 1 {
		t.Errorf("nobody: %+v", got)
	}
	// A change of shares on the way, each phase as planned.
	got = CheckSplit(0, Split{Units: []float64{900, 100}, Shares: []float64{9, 1}}, Split{Units: []float64{500, 500}, Shares: []float64{1, 1}})
	if got.Broken || got.P < 0.99 {
		t.Errorf("a healthy change of shares: %+v", got)
	}
	near(t, "planned", got.Planned[0], 0.7, 1e-12)
}

// n a group = 2 (1.959964 + 0.841621)² ÷ 0.5² = 62.79 to detect half a deviation.
func TestSizeByHand(t *testing.T) {
	p := SizePlan{Mean: 1, Variance: 1, Effect: 0.5, Daily: 10}
	got := SizeFor(p)
	near(t, "units", got.Fixed, 126, 0)
	near(t, "days", got.FixedDays, 13, 0)
	fixed, always := Detectable(p, got.Fixed)
	near(t, "detectable", fixed, 0.5, 0.002)
	if always <= fixed || got.Always <= got.Fixed {
		t.Errorf("looking at all times cannot be free: %+v, %g, %g", got, fixed, always)
	}
	p.Correlation = 0.6
	near(t, "adjusted", SizeFor(p).Fixed, math.Ceil(125.58*0.64), 0)
	if s := SizeFor(SizePlan{Mean: 1, Variance: 1}); !math.IsInf(s.Fixed, 1) {
		t.Errorf("no effect found in %v", s)
	}
}

// R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm") and "BH"; and one by hand.
func TestCorrections(t *testing.T) {
	close := cmpopts.EquateApprox(0, 1e-12)
	p := []float64{0.01, 0.02, 0.03, 0.04, 0.05}
	if d := cmp.Diff([]float64{0.05, 0.08, 0.09, 0.09, 0.09}, Holm(p), close); d != "" {
		t.Error("Holm", d)
	}
	if d := cmp.Diff([]float64{0.05, 0.05, 0.05, 0.05, 0.05}, BenjaminiHochberg(p), close); d != "" {
		t.Error("Benjamini-Hochberg", d)
	}
	p = []float64{0.5, 0.004, 0.03}
	if d := cmp.Diff([]float64{0.5, 0.012, 0.06}, Holm(p), close); d != "" {
		t.Error("Holm", d)
	}
	if d := cmp.Diff([]float64{0.5, 0.012, 0.045}, BenjaminiHochberg(p), close); d != "" {
		t.Error("Benjamini-Hochberg", d)
	}
	logs := []float64{math.Log(2), math.Log(250), math.Log(100.0 / 3)}
	if d := cmp.Diff([]float64{0.5, 0.012, 0.045}, EvidenceBH(logs), close); d != "" {
		t.Error("e-BH", d)
	}
}

func TestMergeIsAdding(t *testing.T) {
	unit := rapid.Custom(func(t *rapid.T) Unit {
		f := rapid.Float64Range(-1e4, 1e4)
		return Unit{Value: f.Draw(t, "value"), Per: f.Draw(t, "per"), Before: f.Draw(t, "before"), BeforePer: f.Draw(t, "before_per"), Known: rapid.Bool().Draw(t, "known")}
	})
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.SliceOf(unit).Draw(t, "units")
		cut := rapid.IntRange(0, len(units)).Draw(t, "cut")
		var whole, a, b Sample
		for i, u := range units {
			whole.Add(u)
			if i < cut {
				a.Add(u)
			} else {
				b.Add(u)
			}
		}
		a.Merge(&b)
		if d := cmp.Diff(whole, a, cmpopts.EquateApprox(1e-9, 1e-3)); d != "" {
			t.Fatal(d)
		}
		text, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		var back Sample
		if err := json.Unmarshal(text, &back); err != nil || back != whole {
			t.Fatalf("%v after JSON, want %v (%v)", back, whole, err)
		}
	})
}

// TestNothing: whatever is missing, nothing is claimed and everything can be written.
func TestNothing(t *testing.T) {
	var one, two, flat Sample
	one.Add(Unit{Value: 1, Per: 1})
	for range 200 {
		two.Add(Unit{})
		flat.Add(Unit{Value: 1, Per: 1})
	}
	for name, arms := range map[string][]Sample{
		"no arms": nil, "one arm": {one}, "empty": {{}, {}}, "one each": {one, one}, "nothing seen": {two, two}, "all alike": {flat, flat}, "one side": {flat, {}},
	} {
		for _, adjust := range []bool{false, true} {
			r := Analyse(arms, Options{Adjust: adjust, BurnIn: 1, NonZero: 1})
			for _, c := range r.Comparisons {
				if c.P < 1 || c.AlwaysP < 1 || c.Absolute.Always != Everything() {
					t.Errorf("%s: %+v", name, c)
				}
			}
			if _, err := json.Marshal(r); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := json.Marshal(Guardrail(arms, Guard{Metric: "m"}, 1, Options{})); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
