package stats

import (
	"fmt"
	"math"
)

// State is where an experiment stands.
type State string

// The states.
const (
	StateBlocked      State = "blocked"         // sample-ratio mismatch: nothing can be said
	StateNotEnough    State = "not_enough_data" // before the burn-in
	StateHarm         State = "harm"            // a treatment spoils a guardrail
	StateWinner       State = "winner"          // an arm is better
	StateNoDifference State = "no_difference"   // no treatment differs by as much as matters
	StateRunning      State = "running"         // undecided
)

// Findings are what a verdict is made from, all at one look.
type Findings struct {
	Arms          []string // names, control first
	Metric        string   // the primary one
	LowerIsBetter bool
	Margin        float64 // least effect that matters, as a share of control
	Planned       float64 // units; 0 is not planned
	Split         SplitResult
	Primary       Result
	Guards        []GuardResult // of all guardrails and treatments
}

// Verdict is where an experiment stands, and why.
type Verdict struct {
	State  State  `json:"state"`
	Arm    string `json:"arm,omitempty"`    // the winner, or the arm that does harm
	Metric string `json:"metric,omitempty"` // that decides
	Reason string `json:"reason"`           // a plain sentence
	// Day is the day of the experiment, from 1, at whose look a verdict that stays was
	// reached, and Date its date; 0 and "" of one that is still open.
	Day  int    `json:"day,omitempty"`
	Date string `json:"date,omitempty"`
}

// Decide gives the verdict. It rests on always-valid intervals alone, so that it may be
// asked for at every look; a winner has also been shown to be safe by every guardrail.
func Decide(f *Findings) Verdict {
	if f.Split.Broken {
		return Verdict{State: StateBlocked, Reason: fmt.Sprintf(
			"The arms did not get the people they were to get (shares %s, planned %s; p = %.2g): something loses or moves people in one arm, and no difference can be trusted until it is found.",
			percents(f.Split.Shares), percents(f.Split.Planned), f.Split.P)}
	}
	for i := range f.Guards {
		if g := &f.Guards[i]; g.State == GuardHarm {
			return Verdict{State: StateHarm, Arm: f.Arms[g.Arm], Metric: g.Metric, Reason: fmt.Sprintf(
				"%s does harm: %s is %.3g where %s has %.3g, beyond the %s that were allowed.",
				f.Arms[g.Arm], g.Metric, g.Treated, f.Arms[0], g.Control, unsigned(g.Margin))}
		}
	}
	ready := len(f.Primary.Comparisons) > 0
	for i := range f.Primary.Comparisons {
		ready = ready && f.Primary.Comparisons[i].Ready
	}
	if !ready {
		return Verdict{State: StateNotEnough, Metric: f.Metric, Reason: fmt.Sprintf(
			"Not enough data on %s yet: each arm needs some more people, and some more who did anything.", f.Metric)}
	}
	return f.primary()
}

// primary decides by the primary metric.
func (f *Findings) primary() Verdict {
	good := 1.0
	if f.LowerIsBetter {
		good = -1
	}
	lead, worse, within := -1, 0, 0
	for i := range f.Primary.Comparisons {
		c := &f.Primary.Comparisons[i]
		low, high := c.Absolute.Always.Low, c.Absolute.Always.High
		if f.LowerIsBetter {
			low, high = -high, -low
		}
		switch {
		case low > 0 && (lead < 0 || good*c.Absolute.Value > good*f.Primary.Comparisons[lead].Absolute.Value):
			lead = i
		case high < 0:
			worse++
		}
		if r := c.Relative.Always; f.Margin > 0 && r.Low > -f.Margin && r.High < f.Margin {
			within++
		}
	}
	n := len(f.Primary.Comparisons)
	switch {
	case lead >= 0:
		return f.leads(&f.Primary.Comparisons[lead])
	case worse == n:
		return Verdict{State: StateWinner, Arm: f.Arms[0], Metric: f.Metric, Reason: fmt.Sprintf(
			"%s stays: every other arm is worse on %s.", f.Arms[0], f.Metric)}
	case within == n:
		return Verdict{State: StateNoDifference, Metric: f.Metric, Reason: fmt.Sprintf(
			"No arm differs from %s on %s by as much as %s.", f.Arms[0], f.Metric, unsigned(f.Margin))}
	}
	return f.undecided()
}

// leads is the verdict on the best of the arms that are better than control.
func (f *Findings) leads(c *Comparison) Verdict {
	arm, gain := f.Arms[c.Arm], fmt.Sprintf("%s (between %s and %s)", percent(c.Relative.Value), percent(c.Relative.Always.Low), percent(c.Relative.Always.High))
	for i := range f.Guards {
		if g := &f.Guards[i]; g.Arm == c.Arm && g.State != GuardSafe {
			return Verdict{State: StateRunning, Metric: g.Metric, Reason: fmt.Sprintf(
				"%s is better than %s on %s by %s, but it is not yet shown that %s is no worse than the %s allowed.",
				arm, f.Arms[0], f.Metric, gain, g.Metric, unsigned(g.Margin))}
		}
	}
	return Verdict{State: StateWinner, Arm: arm, Metric: f.Metric, Reason: fmt.Sprintf(
		"%s is better than %s on %s by %s.", arm, f.Arms[0], f.Metric, gain)}
}

func (f *Findings) undecided() Verdict {
	units := 0.0
	for i := range f.Primary.Levels {
		units += f.Primary.Levels[i].Units
	}
	v := Verdict{State: StateRunning, Metric: f.Metric}
	switch {
	case f.Planned <= 0:
		v.Reason = fmt.Sprintf("Undecided: %s may still be better or worse, or the same.", f.Metric)
	case units < f.Planned:
		v.Reason = fmt.Sprintf("Undecided after %.0f of %.0f planned people.", units, f.Planned)
	default:
		v.Reason = fmt.Sprintf("Undecided, although all %.0f planned people are in: go on, or stop without a winner.", f.Planned)
	}
	return v
}

func percent(x float64) string {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return "any amount"
	}
	return fmt.Sprintf("%+.1f %%", 100*x)
}

func unsigned(x float64) string { return fmt.Sprintf("%.3g %%", 100*x) }

func percents(v []float64) string {
	out := ""
	for i, x := range v {
		if i > 0 {
			out += " : "
		}
		out += fmt.Sprintf("%.1f", 100*x)
	}
	return out
}
