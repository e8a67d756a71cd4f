package stats

import "math"

// Guard is what a treatment may not spoil.
type Guard struct {
	Metric string `json:"metric"`
	// Margin is how much worse than control a treatment may be, as a share of control:
	// 0.02 allows 2 %.
	Margin        float64 `json:"margin"`
	LowerIsBetter bool    `json:"lower_is_better"`
}

// GuardState says how a treatment does by a guardrail.
type GuardState string

// The states of a guardrail.
const (
	GuardOpen GuardState = "open" // neither is shown
	GuardSafe GuardState = "safe" // not worse than the margin allows
	GuardHarm GuardState = "harm" // worse than the margin allows
)

// GuardResult is one treatment by one guardrail.
type GuardResult struct {
	Guard
	Arm   int        `json:"arm"`
	State GuardState `json:"state"`

	Control float64 `json:"control"` // the metric there
	Treated float64 `json:"treated"`
	Value   float64 `json:"value"` // relative change, as it is: above 0 is more, good or bad
	// Bounds are the one-sided bounds of the relative change, each of which holds at all
	// looks by itself.
	Bounds Interval `json:"bounds"`
	SafeP  float64  `json:"safe_p"` // always-valid, of being worse than the margin
	HarmP  float64  `json:"harm_p"` // always-valid, of not being so
}

// Guardrail tests each treatment against control for non-inferiority and, the other way
// around, for harm beyond the margin. Harm is the alarm of any of so many guardrails
// (0 is 1) and of any treatment, so that these share alpha; safety needs all of them,
// so that none has to be shared (an intersection-union test, Berger 1982). A variance in
// opts is that of the guardrail's own metric.
func Guardrail(arms []Sample, g Guard, guards int, opts Options) []GuardResult {
	opts = opts.filled()
	base := Analyse(arms, opts)
	out := make([]GuardResult, 0, len(base.Comparisons))
	for i := range base.Comparisons {
		c := &base.Comparisons[i]
		out = append(out, c.guard(g, opts.Alpha, float64(max(guards, 1)*len(base.Comparisons))))
	}
	return out
}

func (c *Comparison) guard(g Guard, alpha, among float64) GuardResult {
	r := GuardResult{
		Guard: g, Arm: c.Arm, State: GuardOpen, Control: c.control.Adjusted, Treated: c.treated.Adjusted,
		Value: c.Relative.Value, Bounds: Everything(), SafeP: 1, HarmP: 1,
	}
	if !c.Ready || c.clock <= 0 {
		return r
	}
	good := 1.0 // the direction in which more is better
	if g.LowerIsBetter {
		good = -1
	}
	// How far the treatment lies on the good side of control less the margin.
	limit := 1 - good*g.Margin
	se := math.Sqrt(c.treated.SE*c.treated.SE + limit*limit*c.control.SE*c.control.SE)
	z := fromT(good*(c.treated.Adjusted-limit*c.control.Adjusted)/se, c.DF)
	r.SafeP = min(1, math.Exp(-logEvidenceAbove(z, c.clock)))
	r.HarmP = min(1, among*math.Exp(-logEvidenceAbove(-z, c.clock)))

	_, safe := c.around(toT(reachAbove(c.clock, alpha), c.DF))
	_, harm := c.around(toT(reachAbove(c.clock, alpha/among), c.DF))
	if r.Bounds = (Interval{safe.Low, harm.High}); g.LowerIsBetter {
		r.Bounds = Interval{harm.Low, safe.High}
	}
	switch {
	case r.HarmP <= alpha:
		r.State = GuardHarm
	case r.SafeP <= alpha:
		r.State = GuardSafe
	}
	return r
}
