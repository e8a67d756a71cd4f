package stats

import (
	"fmt"
	"math"
	"strings"
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
	Alpha         float64       // of the intervals; 0 is DefaultAlpha
	Day           int           // of the experiment, of this look; 0 is not said
	AA            bool          // the arms are the same
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
			percents(f.Split.Shares), percents(f.Split.Planned), f.Split.by)}
	}
	for i := range f.Guards {
		if g := &f.Guards[i]; g.State == GuardHarm {
			return Verdict{State: StateHarm, Arm: f.Arms[g.Arm], Metric: g.Metric, Reason: f.said(fmt.Sprintf(
				"%s does harm: %s is %.3g where %s has %.3g, beyond the %s that were allowed (always-valid p = %.2g). ",
				f.Arms[g.Arm], g.Metric, g.Treated, f.Arms[0], g.Control, unsigned(g.Margin), g.HarmP) + f.basis())}
		}
	}
	ready := len(f.Primary.Comparisons) > 0
	for i := range f.Primary.Comparisons {
		ready = ready && f.Primary.Comparisons[i].Ready
	}
	if !ready {
		return Verdict{State: StateNotEnough, Metric: f.Metric, Reason: f.said(fmt.Sprintf(
			"Not enough data on %s yet: each arm needs %d people, and the two together %d who did anything of it. ", f.Metric, DefaultBurnIn, 2*DefaultNonZero) + f.basis())}
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
		return Verdict{State: StateWinner, Arm: f.Arms[0], Metric: f.Metric, Reason: f.said(fmt.Sprintf(
			"%s stays: every other arm is worse on %s: %s. ", f.Arms[0], f.Metric, f.effects()) + f.basis())}
	case within == n:
		return Verdict{State: StateNoDifference, Metric: f.Metric, Reason: f.said(fmt.Sprintf(
			"No arm differs from %s on %s by as much as %s: %s. ", f.Arms[0], f.Metric, unsigned(f.Margin), f.effects()) + f.basis())}
	}
	return f.undecided()
}

// leads is the verdict on the best of the arms that are better than control.
func (f *Findings) leads(c *Comparison) Verdict {
	arm, gain := f.Arms[c.Arm], f.effect(c)
	for i := range f.Guards {
		if g := &f.Guards[i]; g.Arm == c.Arm && g.State != GuardSafe {
			return Verdict{State: StateRunning, Metric: g.Metric, Reason: f.said(fmt.Sprintf(
				"%s is better than %s on %s by %s, but it is not yet shown that %s is no worse than the %s allowed. ",
				arm, f.Arms[0], f.Metric, gain, g.Metric, unsigned(g.Margin)) + f.basis())}
		}
	}
	return Verdict{State: StateWinner, Arm: arm, Metric: f.Metric, Reason: f.said(fmt.Sprintf(
		"%s is better than %s on %s by %s. ", arm, f.Arms[0], f.Metric, gain) + f.basis())}
}

func (f *Findings) undecided() Verdict {
	units := 0.0
	for i := range f.Primary.Levels {
		units += f.Primary.Levels[i].Units
	}
	var how string
	switch {
	case f.Planned <= 0:
		how = fmt.Sprintf("Undecided after %.0f people (none were planned)", units)
	case units < f.Planned:
		how = fmt.Sprintf("Undecided after %.0f of %.0f planned people", units, f.Planned)
	default:
		how = fmt.Sprintf("Undecided, although all %.0f planned people are in: go on, or stop without a winner", f.Planned)
	}
	return Verdict{State: StateRunning, Metric: f.Metric, Reason: f.said(fmt.Sprintf("%s: on %s against %s, %s. ", how, f.Metric, f.Arms[0], f.effects()) + f.basis())}
}

// said says of an A/A test that it is one, before what came of it.
func (f *Findings) said(reason string) string {
	if !f.AA {
		return reason
	}
	found := "nothing was found so far, as it should be. "
	for i := range f.Primary.Comparisons {
		c := &f.Primary.Comparisons[i]
		if c.Ready && !c.Absolute.Always.Holds(0) {
			found = "a difference was found: a false alarm, or a fault of the experiment. "
		}
	}
	for i := range f.Guards {
		if f.Guards[i].State == GuardHarm {
			found = "harm was found: a false alarm, or a fault of the experiment. "
		}
	}
	return "This is an A/A test, whose arms are the same; " + found + reason
}

// effects are those of all treatments.
func (f *Findings) effects() string {
	out := make([]string, 0, len(f.Primary.Comparisons))
	for i := range f.Primary.Comparisons {
		c := &f.Primary.Comparisons[i]
		out = append(out, f.Arms[c.Arm]+" "+f.effect(c))
	}
	return strings.Join(out, "; ")
}

// effect is a treatment's, with its interval and what kind of one that is.
func (f *Findings) effect(c *Comparison) string {
	kind := f.level() + " always-valid interval"
	if n := len(f.Primary.Comparisons); n > 1 {
		kind += fmt.Sprintf(", over all %d treatments", n)
	}
	r := c.Relative
	if bounded(r.Always) && !r.Unknown {
		return fmt.Sprintf("%s (%s: %s to %s)", percent(r.Value), kind, percent(r.Always.Low), percent(r.Always.High))
	}
	// A share of a control that may be 0 says nothing: the difference itself does.
	if a := c.Absolute; bounded(a.Always) && !a.Unknown {
		return fmt.Sprintf("%+.3g (%s of the difference: %+.3g to %+.3g)", a.Value, kind, a.Always.Low, a.Always.High)
	}
	return "– (" + kind + " is not bounded yet)"
}

func bounded(i Interval) bool { return !math.IsInf(i.Low, 0) && !math.IsInf(i.High, 0) }

func (f *Findings) level() string {
	alpha := f.Alpha
	if alpha <= 0 {
		alpha = DefaultAlpha
	}
	return fmt.Sprintf("%.4g %%", 100*(1-alpha))
}

// basis is what a verdict rests on: people, the look, the guardrails.
func (f *Findings) basis() string {
	var people []string
	for i := range f.Primary.Levels {
		people = append(people, fmt.Sprintf("%s %.0f", f.Arms[i], f.Primary.Levels[i].Units))
	}
	out := "People: " + strings.Join(people, ", ")
	if f.Day > 0 {
		out += fmt.Sprintf("; look of day %d", f.Day)
	}
	if len(f.Guards) == 0 {
		return out + "; no guardrails."
	}
	var guards []string
	for i := range f.Guards {
		g := &f.Guards[i]
		guards = append(guards, fmt.Sprintf("%s of %s %s (margin %s)", g.Metric, f.Arms[g.Arm], g.State, unsigned(g.Margin)))
	}
	return out + "; guardrails at " + f.level() + ": " + strings.Join(guards, ", ") + "."
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
