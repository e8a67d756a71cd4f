package stats

import (
	"encoding/json"
	"math"
)

// Interval is where a number lies. An end that is not known is infinite, and null in
// JSON.
type Interval struct {
	Low, High float64
}

// Everything is the interval that says nothing.
func Everything() Interval { return Interval{math.Inf(-1), math.Inf(1)} }

// Holds reports whether x lies in the interval.
func (i Interval) Holds(x float64) bool { return i.Low <= x && x <= i.High }

// Meet returns what two intervals share; where they share nothing, the second.
func (i Interval) Meet(o Interval) Interval {
	if m := (Interval{max(i.Low, o.Low), min(i.High, o.High)}); m.Low <= m.High {
		return m
	}
	return o
}

// MarshalJSON implements json.Marshaler.
func (i Interval) MarshalJSON() ([]byte, error) {
	var out struct {
		Low  *float64 `json:"low"`
		High *float64 `json:"high"`
	}
	if !math.IsInf(i.Low, 0) {
		out.Low = &i.Low
	}
	if !math.IsInf(i.High, 0) {
		out.High = &i.High
	}
	return json.Marshal(out)
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *Interval) UnmarshalJSON(b []byte) error {
	var in struct {
		Low  *float64 `json:"low"`
		High *float64 `json:"high"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*i = Everything()
	if in.Low != nil {
		i.Low = *in.Low
	}
	if in.High != nil {
		i.High = *in.High
	}
	return nil
}

// Defaults of Options.
const (
	DefaultAlpha   = 0.05
	DefaultUnits   = 10_000
	DefaultBurnIn  = 100
	DefaultNonZero = 25
)

// Options say how to compare. The zero Options are the defaults.
type Options struct {
	Alpha float64 // chance of a false alarm, over all treatments and looks; 0 is DefaultAlpha
	// Units are those planned over all arms, where always-valid intervals are to be
	// narrowest; 0 is DefaultUnits. A bad guess costs width, never validity.
	Units float64
	// Variance is the planned Sample.Variance at that size. With it the sequence's clock
	// is the information gathered, which is right also where people go on acting after no
	// more arrive; at 0 the clock is the number of units.
	Variance float64
	Adjust   bool    // by what people did before (CUPED)
	BurnIn   float64 // units that each arm needs before always-valid intervals say anything; 0 is DefaultBurnIn
	NonZero  float64 // units with a value other than 0, likewise, in the mean of the two arms; 0 is DefaultNonZero
}

func (o Options) filled() Options {
	fill := func(v *float64, d float64) {
		if *v <= 0 {
			*v = d
		}
	}
	fill(&o.Alpha, DefaultAlpha)
	fill(&o.Units, DefaultUnits)
	fill(&o.BurnIn, DefaultBurnIn)
	fill(&o.NonZero, DefaultNonZero)
	return o
}

// Effect is a difference between treatment and control.
type Effect struct {
	Value  float64  `json:"value"`
	Fixed  Interval `json:"fixed"`  // holds at one look chosen before the start
	Always Interval `json:"always"` // holds at all looks together
	// Unknown says that there is no such difference: an arm had nothing that the metric
	// could be a share of, or control is 0. Value is null in JSON then.
	Unknown bool `json:"-"`
}

// MarshalJSON implements json.Marshaler.
func (e Effect) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Value  *float64 `json:"value"`
		Fixed  Interval `json:"fixed"`
		Always Interval `json:"always"`
	}{known(e.Value, !e.Unknown), e.Fixed, e.Always})
}

// known is a number, or null.
func known(x float64, is bool) *float64 {
	if !is {
		return nil
	}
	return &x
}

// Comparison is one treatment against control. P-values and intervals allow for the
// number of treatments (Bonferroni).
type Comparison struct {
	Arm      int     `json:"arm"` // its place among the arms
	Absolute Effect  `json:"absolute"`
	Relative Effect  `json:"relative"` // 0.05 is 5 % above control
	SE       float64 `json:"se"`       // of the absolute difference
	DF       float64 `json:"df"`       // degrees of freedom (Welch 1947)
	P        float64 `json:"p"`        // at one look chosen before the start
	AlwaysP  float64 `json:"always_p"` // at this look; the least of all looks holds, too
	// LogEvidence is the log of the always-valid likelihood ratio against no effect (an
	// e-value), of this treatment alone.
	LogEvidence float64 `json:"log_evidence"`
	Ready       bool    `json:"ready"` // past the burn-in

	control, treated Level
	clock, z         float64
	alone            float64 // P of this treatment alone
}

// Result is a metric over the arms of an experiment.
type Result struct {
	Levels      []Level      `json:"levels"`      // beside the arms
	Comparisons []Comparison `json:"comparisons"` // of arms 1, 2, …, with arm 0
	// Reduction is the share of the variance that the adjustment took away, and
	// Correlation that of what people did before with what they did after: Reduction is
	// its square.
	Reduction   float64 `json:"reduction"`
	Correlation float64 `json:"correlation"`
}

// Analyse compares arms with the first, which is control.
func Analyse(arms []Sample, opts Options) Result {
	opts = opts.filled()
	var adjust adjustment
	if opts.Adjust {
		adjust = fitAdjustment(arms)
	}
	var r Result
	var units, plain, left float64
	for k := range arms {
		l := arms[k].level(&adjust)
		r.Levels = append(r.Levels, l)
		units += l.Units
		weight := l.Units * max(0, l.Units-1)
		plain += l.plain * weight
		left += l.SE * l.SE * weight
	}
	if plain > 0 {
		r.Reduction = max(0, 1-left/plain)
		r.Correlation = math.Sqrt(r.Reduction)
	}
	for k := 1; k < len(arms); k++ {
		c := compare(&r.Levels[0], &r.Levels[k], opts, units, float64(len(arms)-1))
		c.Arm = k
		r.Comparisons = append(r.Comparisons, c)
	}
	return r
}

// compare sets one treatment against control; units are all arms', among is the number
// of treatments that share alpha.
func compare(a, b *Level, opts Options, units, among float64) Comparison {
	c := Comparison{P: 1, AlwaysP: 1, alone: 1, control: *a, treated: *b}
	c.Absolute = Effect{Value: b.Adjusted - a.Adjusted, Fixed: Everything(), Always: Everything()}
	c.Relative = Effect{Fixed: Everything(), Always: Everything()}
	c.Absolute.Unknown = a.Empty() || b.Empty()
	// Of a control that did nothing, or that the adjustment takes past 0, nothing is a share.
	if c.Relative.Unknown = c.Absolute.Unknown || a.Value*a.Adjusted <= 0; !c.Relative.Unknown {
		c.Relative.Value = b.Adjusted/a.Adjusted - 1
	}
	va, vb := a.SE*a.SE, b.SE*b.SE
	c.SE = math.Sqrt(va + vb)
	if a.Units < 2 || b.Units < 2 || c.SE == 0 || c.Absolute.Unknown {
		return c
	}
	c.DF = (va + vb) * (va + vb) / (va*va/(a.Units-1) + vb*vb/(b.Units-1))
	alpha := opts.Alpha / among
	t := c.Absolute.Value / c.SE
	c.alone = tSurvival(t, c.DF)
	c.P = min(1, among*c.alone)
	c.Absolute.Fixed, c.Relative.Fixed = c.around(tQuantile(alpha, c.DF))

	c.clock = clockOf(a, b, c.SE, units, best(alpha), opts)
	c.z = fromT(t, c.DF)
	c.Ready = min(a.Units, b.Units) >= opts.BurnIn && a.nonZero+b.nonZero >= 2*opts.NonZero
	if c.Ready && c.clock > 0 {
		c.LogEvidence = logEvidence(c.z, c.clock)
		c.AlwaysP = min(1, among*math.Exp(-c.LogEvidence))
		c.Absolute.Always, c.Relative.Always = c.around(toT(reach(c.clock, alpha), c.DF))
	}
	return c
}

// clockOf returns the mixture's variance in squared standard errors: k at the planned
// size, and in proportion to the information about sums (or the units) before and after.
func clockOf(a, b *Level, se, units, k float64, opts Options) float64 {
	n := a.Units + b.Units
	planned := opts.Units * n / units
	if opts.Variance <= 0 {
		return k * n / planned
	}
	per := (a.Units*a.per + b.Units*b.per) / n
	sum := n * per * se
	return k * sum * sum / (planned * opts.Variance * (n/a.Units + n/b.Units))
}

// around returns the intervals that reach so many standard errors.
func (c *Comparison) around(reach float64) (absolute, relative Interval) {
	d := c.Absolute.Value
	absolute = Interval{d - reach*c.SE, d + reach*c.SE}
	if c.Relative.Unknown {
		return absolute, Everything()
	}
	return absolute, fieller(c.control.Adjusted, c.treated.Adjusted, c.control.SE, c.treated.SE, reach)
}

// fieller returns for which shares r of change treatment − (1+r) control lies within so
// many of its standard errors from 0 (Fieller 1954): the interval of a ratio without
// pretending that the control is known. Where control itself may be 0, that is anything.
func fieller(a, b, sa, sb, reach float64) Interval {
	if math.IsInf(reach, 0) {
		return Everything()
	}
	square := a*a - reach*reach*sa*sa
	if square <= 0 {
		return Everything()
	}
	cross := a * b
	rest := b*b - reach*reach*sb*sb
	root := math.Sqrt(max(0, cross*cross-square*rest))
	return Interval{(cross-root)/square - 1, (cross+root)/square - 1}
}
