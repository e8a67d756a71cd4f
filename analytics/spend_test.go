package analytics

import (
	"testing"

	"github.com/lectern-dev/lectern"
)

// What exploration costs, by hand. At place 4 the course that stood there would have got
// 12/80 = 0.15 clicks an impression, 100 × 0.15 − 8 = 7 more than all got; the policy's
// choices with 6/60 are no better. At place 8 it would have got 4/40 = 0.1, so that
// exploring gained 50 × 0.1 − 10 = −5; against the policy's 8/20 = 0.4, 50 × 0.4 − 10 = 10
// were missed. At place 12 it never stayed, so nothing is known there.
func TestCostsByHand(t *testing.T) {
	unknown := map[place]*spent{{lectern.SurfaceHome, "", 12}: {shown: 30, clicks: 3, chosen: 20, chosenClicks: 3}}
	places := map[place]*spent{
		{lectern.SurfaceHome, "", 4}:  {shown: 100, clicks: 8, chosen: 60, chosenClicks: 6, kept: 80, keptClicks: 12},
		{lectern.SurfaceHome, "", 8}:  {shown: 50, clicks: 10, chosen: 20, chosenClicks: 8, kept: 40, keptClicks: 4},
		{lectern.SurfaceHome, "", 12}: unknown[place{lectern.SurfaceHome, "", 12}],
	}
	for regret, want := range map[bool]float64{false: 7 - 5, true: 7 + 10} {
		v := costs(places, regret)
		if v.Value == nil || *v.Value != want || *v.Denominator != 150 {
			t.Errorf("regret %t: %v of %v impressions, want %g of 150", regret, v.Value, v.Denominator, want)
		}
		if v := costs(unknown, regret); v.Value != nil || *v.Denominator != 0 {
			t.Errorf("regret %t where nothing is known: %v", regret, *v.Value)
		}
		if v := costs(nil, regret); v.Value == nil || *v.Value != 0 {
			t.Errorf("regret %t without exploration is not 0", regret)
		}
	}
}

// Days that differ give an interval around the value; too few days none, and days that
// are all the same one without width.
func TestSpendIntervals(t *testing.T) {
	at := place{lectern.SurfaceHome, "", 4}
	days := func(n int, spread float64) map[int]map[place]*spent {
		out := map[int]map[place]*spent{}
		for day := range n {
			out[day] = map[place]*spent{at: {shown: 100, clicks: 8 + spread*float64(day%3-1), kept: 80, keptClicks: 12}}
		}
		return out
	}
	if v := spanCosts(days(14, 4), false); v.Low == nil || *v.Low >= *v.Value || *v.High <= *v.Value || *v.Numerator != 108 || *v.Denominator != 1400 {
		t.Errorf("%+v", v)
	}
	if v := spanCosts(days(14, 0), false); v.Low == nil || *v.High-*v.Low > 1e-6 {
		t.Error("days that are the same differ")
	}
	if v := spanCosts(days(6, 4), true); v.Value == nil || v.Low != nil {
		t.Errorf("an interval of 6 days: %+v", v)
	}
}

func TestNoWayToGo(t *testing.T) {
	half, other := 0.5, 0.6
	if err := (Goals{Satisfaction: Goal{Baseline: &half, Target: &half}}).Validate(); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("a target that is the baseline: %v", err)
	}
	if err := (Goals{Satisfaction: Goal{Baseline: &half, Target: &other}}).Validate(); err != nil {
		t.Error(err)
	}
}
