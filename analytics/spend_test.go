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
