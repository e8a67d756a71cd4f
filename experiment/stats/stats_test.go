package stats

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func near(t *testing.T, what string, got, want, by float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > by {
		t.Errorf("%s = %.10g, want %.10g", what, got, want)
	}
}

func sampleOf(values ...float64) Sample {
	var s Sample
	for _, v := range values {
		s.Add(Unit{Value: v, Per: 1})
	}
	return s
}

// The extra hours of sleep of Student (1908), as every table of Welch's test has them:
// R's t.test(extra ~ group, data = sleep) gives t = -1.8608, df = 17.776, p = 0.07939
// and the interval (-3.3654832, 0.2054832).
func TestWelchSleep(t *testing.T) {
	a := sampleOf(0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
	b := sampleOf(1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
	c := Analyse([]Sample{a, b}, Options{}).Comparisons[0]
	near(t, "t", c.Absolute.Value/c.SE, 1.8608, 5e-5)
	near(t, "df", c.DF, 17.776, 5e-4)
	near(t, "p", c.P, 0.07939, 5e-6)
	near(t, "low", c.Absolute.Fixed.Low, -0.2054832, 5e-8)
	near(t, "high", c.Absolute.Fixed.High, 3.3654832, 5e-8)
}

// At the planned size and variance the sequence is narrowest, √(1+k) errors to each side,
// whatever the shares of the arms and the other treatments are.
func TestClockAtPlan(t *testing.T) {
	for name, arms := range map[string][]Sample{
		"halves": {arm(2000, 1, 1), arm(2000, 1, 2)}, "uneven": {arm(3000, 1, 1), arm(1000, 1, 2)},
		"three": {arm(2000, 1, 1), arm(1000, 1, 2), arm(1000, 1, 3)},
	} {
		alpha := 0.05 / float64(len(arms)-1)
		for _, opts := range []Options{{Units: 4000}, {Units: 4000, Variance: 0.25}} {
			for _, c := range Analyse(arms, opts).Comparisons {
				near(t, name, c.clock/best(alpha), 1, 0.08)
				near(t, name, width(c.Absolute.Always)/2/c.SE, math.Sqrt(1+best(alpha)), 0.02)
			}
		}
	}
}

func TestLooks(t *testing.T) {
	var l Looks
	for _, c := range []Comparison{
		{AlwaysP: 1, Absolute: Effect{Always: Everything()}, Relative: Effect{Always: Everything()}},
		{AlwaysP: 0.03, Absolute: Effect{Always: Interval{1, 5}}, Relative: Effect{Always: Interval{0.1, 0.5}}},
		{AlwaysP: 0.2, Absolute: Effect{Always: Interval{-1, 3}}, Relative: Effect{Always: Interval{-0.1, 0.3}}},
	} {
		l.Add(&c)
	}
	want := Looks{Count: 3, Absolute: Interval{1, 3}, Relative: Interval{0.1, 0.3}, P: 0.03}
	if d := cmp.Diff(want, l); d != "" {
		t.Error(d)
	}
}

func TestIntervalJSON(t *testing.T) {
	for want, in := range map[string]Interval{`{"low":null,"high":null}`: Everything(), `{"low":-1.5,"high":null}`: {-1.5, math.Inf(1)}, `{"low":0,"high":2}`: {0, 2}} {
		text, err := json.Marshal(in)
		if err != nil || string(text) != want {
			t.Errorf("%v is %s (%v), want %s", in, text, err, want)
		}
		var back Interval
		if err := json.Unmarshal(text, &back); err != nil || back != in {
			t.Errorf("%s is %v (%v), want %v", text, back, err, in)
		}
	}
}
