package stats

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestVerdictsCanBeSigned: a sentence names the effect, the kind and level of its
// interval, the people of each arm, the day and the guardrails.
func TestVerdictsCanBeSigned(t *testing.T) {
	arms := []Sample{arm(4000, 1, 1), arm(3900, 1.1, 2)}
	guards := Guardrail(arms, Guard{Metric: "finished", Margin: 0.05}, 1, Options{})
	for name, tc := range map[string]struct {
		f    Findings
		says []string
	}{
		"winner": {Findings{Primary: Analyse(arms, Options{Alpha: 0.1}), Alpha: 0.1, Day: 12, Guards: guards}, []string{
			"90 % always-valid interval: +", "People: old 4000, new 3900", "look of day 12", "finished of new safe (margin 5 %)"}},
		"undecided": {Findings{Primary: Analyse([]Sample{arm(300, 1, 1), arm(300, 1.01, 2)}, Options{}), Day: 3, Planned: 9000}, []string{
			"Undecided after 600 of 9000 planned people: on hours against old, new ", "(95 % always-valid interval: -", "People: old 300, new 300; look of day 3; no guardrails"}},
		"A/A, nothing": {Findings{Primary: Analyse([]Sample{arm(300, 1, 1), arm(300, 1, 2)}, Options{}), AA: true}, []string{"A/A test", "nothing was found"}},
		"A/A, alarm":   {Findings{Primary: Analyse(arms, Options{}), AA: true}, []string{"A/A test", "a difference was found: a false alarm, or a fault"}},
	} {
		tc.f.Arms, tc.f.Metric = []string{"old", "new"}, "hours"
		got := Decide(&tc.f)
		for _, want := range tc.says {
			if !strings.Contains(got.Reason, want) {
				t.Errorf("%s: %q does not say %q", name, got.Reason, want)
			}
		}
	}
}

// TestShareOfNothing: where there is nothing to be a share of, numbers are null and not 0.
func TestShareOfNothing(t *testing.T) {
	var none, some Sample
	for i := range 400 {
		none.Add(Unit{})
		some.Add(Unit{Value: count(i%2 == 0), Per: 1})
	}
	r := Analyse([]Sample{none, some}, Options{})
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"units":400,"value":null,"adjusted":null,"se":null}`, `"absolute":{"value":null,`, `"relative":{"value":null,`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s lacks %s", b, want)
		}
	}
	if c := r.Comparisons[0]; c.Ready || c.P != 1 {
		t.Errorf("a difference to nothing: %+v", c)
	}
	// Control is 0, and known to be: there is a difference, but no share of it.
	var zero Sample
	for range 400 {
		zero.Add(Unit{Per: 1})
	}
	if c := Analyse([]Sample{zero, some}, Options{}).Comparisons[0]; !c.Relative.Unknown || c.Absolute.Unknown || c.P > 0.001 {
		t.Errorf("against 0: %+v", c)
	}
	// So it is where the adjustment makes something of the nothing that control did.
	var idle, active Sample
	for i := range 400 {
		idle.Add(Unit{Per: 1, Before: float64(i % 3), BeforePer: 1, Known: true})
		active.Add(Unit{Value: float64(i % 4), Per: 1, Before: float64(i%4 + i%2), BeforePer: 1, Known: true})
	}
	r = Analyse([]Sample{idle, active}, Options{Adjust: true})
	c := r.Comparisons[0]
	if l := r.Levels[0]; l.Value != 0 || l.Adjusted == 0 {
		t.Fatalf("control is %+v", l)
	}
	if everything := Everything(); !c.Relative.Unknown || c.Relative.Fixed != everything || c.Relative.Always != everything || c.Absolute.Unknown || c.P > 0.001 {
		t.Errorf("against an adjusted 0: %+v", c)
	}
}
