package stats

import (
	"math"
	"testing"
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
