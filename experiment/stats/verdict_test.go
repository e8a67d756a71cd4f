package stats

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// arm draws people of a mean-1 metric whose deviation is 0.5.
func arm(n int, mean float64, seed uint64) Sample {
	rng := rand.New(rand.NewPCG(seed, 3))
	var s Sample
	for range n {
		s.Add(Unit{Value: mean + 0.5*rng.NormFloat64(), Per: 1})
	}
	return s
}

func TestDecide(t *testing.T) {
	even := Split{Units: []float64{2000, 2000}, Shares: []float64{1, 1}}
	off := Split{Units: []float64{2300, 1700}, Shares: []float64{1, 1}}
	none := arm(4000, 1, 1)
	for name, tc := range map[string]struct {
		arms   []Sample
		split  Split
		guard  *Sample // treatment of a guardrail whose control is none
		lower  bool
		margin float64
		want   State
		arm    string
		says   string
	}{
		"winner":            {arms: []Sample{none, arm(4000, 1.1, 2)}, split: even, want: StateWinner, arm: "new", says: "new is better than old on hours by +"},
		"worse":             {arms: []Sample{none, arm(4000, 0.9, 2)}, split: even, want: StateWinner, arm: "old", says: "old stays"},
		"lower is better":   {arms: []Sample{none, arm(4000, 0.9, 2)}, split: even, lower: true, want: StateWinner, arm: "new", says: "-"},
		"same":              {arms: []Sample{none, arm(4000, 1, 2)}, split: even, margin: 0.1, want: StateNoDifference, says: "as much as 10 %"},
		"undecided":         {arms: []Sample{none, arm(4000, 1.01, 2)}, split: even, margin: 0.01, want: StateRunning, says: "Undecided after 8000 of 9000 planned people"},
		"few":               {arms: []Sample{arm(50, 1, 1), arm(50, 2, 2)}, split: even, want: StateNotEnough, says: "Not enough data on hours"},
		"broken":            {arms: []Sample{none, arm(4000, 1.1, 2)}, split: off, want: StateBlocked, says: "shares 57.5 : 42.5, planned 50.0 : 50.0"},
		"harm":              {arms: []Sample{none, arm(4000, 1.1, 2)}, split: even, guard: ptr(arm(4000, 0.8, 4)), want: StateHarm, arm: "new", says: "new does harm: finished is 0.814 where old has 1.01, beyond the 5 %"},
		"safe":              {arms: []Sample{none, arm(4000, 1.1, 2)}, split: even, guard: ptr(arm(4000, 1, 4)), want: StateWinner, arm: "new"},
		"not yet safe":      {arms: []Sample{none, arm(4000, 1.1, 2)}, split: even, guard: ptr(arm(300, 0.96, 4)), want: StateRunning, says: "not yet shown that finished is no worse than the 5 % allowed"},
		"one of two better": {arms: []Sample{none, arm(4000, 1, 2), arm(4000, 1.1, 5)}, split: Split{}, want: StateWinner, arm: "newer"},
	} {
		t.Run(name, func(t *testing.T) {
			f := Findings{
				Arms: []string{"old", "new", "newer"}, Metric: "hours", LowerIsBetter: tc.lower, Margin: tc.margin, Planned: 9000,
				Split: CheckSplit(0, tc.split), Primary: Analyse(tc.arms, Options{}),
			}
			if tc.guard != nil {
				f.Guards = Guardrail([]Sample{none, *tc.guard}, Guard{Metric: "finished", Margin: 0.05}, 1, Options{})
			}
			got := Decide(&f)
			if got.State != tc.want || got.Arm != tc.arm || !strings.Contains(got.Reason, tc.says) {
				t.Errorf("%+v, want %s %s saying %q", got, tc.want, tc.arm, tc.says)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

// TestGuardrailDirection: the same numbers are harm or safety by which way is good.
func TestGuardrailDirection(t *testing.T) {
	arms := []Sample{arm(4000, 1, 1), arm(4000, 1.2, 2)}
	more := Guardrail(arms, Guard{Metric: "reports", Margin: 0.05, LowerIsBetter: true}, 1, Options{})[0]
	less := Guardrail(arms, Guard{Metric: "hours", Margin: 0.05}, 1, Options{})[0]
	if more.State != GuardHarm || less.State != GuardSafe {
		t.Errorf("reports %+v, hours %+v", more, less)
	}
	if more.Bounds.Low < 0.05 || less.Bounds.Low < -0.05 {
		t.Errorf("bounds %+v and %+v disagree with the states", more.Bounds, less.Bounds)
	}
}

// TestHarmFromNothing: what control never sees is harm, too.
func TestHarmFromNothing(t *testing.T) {
	var none, some Sample
	for i := range 4000 {
		none.Add(Unit{Per: 1})
		some.Add(Unit{Value: count(i%40 == 0), Per: 1})
	}
	got := Guardrail([]Sample{none, some}, Guard{Metric: "reports", Margin: 0.1, LowerIsBetter: true}, 1, Options{})[0]
	if got.State != GuardHarm {
		t.Errorf("%+v", got)
	}
}

// TestGuardrailAlarms: at the very margin, looked at daily, a guardrail calls harm or
// safety in 5 % of experiments at most; well within it, safety is found.
func TestGuardrailAlarms(t *testing.T) {
	simulation(t)
	runs, people := 300, 2500
	if soak() {
		runs = 2000
	}
	for change, want := range map[float64]struct{ harm, safeLow, safeHigh float64 }{-0.1: {0.05, 0, 0.05}, 0: {0.05, 0.8, 1}} {
		var harm, safe float64
		for run := range runs {
			rng := rand.New(rand.NewPCG(uint64(run), 17))
			arms := make([]Sample, 2)
			var harmed, safed bool
			for n := 1; n <= people; n++ {
				for k := range arms {
					// Skewed: the deviation of what a person does equals its mean.
					arms[k].Add(Unit{Value: (1 + change*float64(k)) * rng.ExpFloat64(), Per: 1})
				}
				if n%100 == 0 {
					g := Guardrail(arms, Guard{Margin: 0.1}, 1, Options{Units: float64(2 * people)})[0]
					harmed = harmed || g.State == GuardHarm
					safed = safed || g.State == GuardSafe
				}
			}
			harm += count(harmed) / float64(runs)
			safe += count(safed) / float64(runs)
		}
		t.Logf("change of %+.0f %%, margin 10 %%, %d people an arm, 25 looks: harm %.4f, safe %.4f", 100*change, people, harm, safe)
		if harm > want.harm || safe < want.safeLow || safe > want.safeHigh {
			t.Errorf("change of %g: harm %.4f, safe %.4f", change, harm, safe)
		}
	}
}
