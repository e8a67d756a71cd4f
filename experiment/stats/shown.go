package stats

// Shown is what looks at an experiment have shown so far, each with the day on which it
// was first shown. Tests that hold at all looks together may be acted on at any of them,
// so what one look has shown stays shown: nothing of it waits for a later look to agree.
// The zero Shown are no looks.
type Shown struct {
	Broken  int        `json:"broken,omitempty"`  // day of the sample-ratio mismatch
	Harm    []ShownDay `json:"harm,omitempty"`    // of guardrails and arms
	Safe    []ShownDay `json:"safe,omitempty"`    // likewise
	Verdict *Verdict   `json:"verdict,omitempty"` // the strongest that was reached, with its day
}

// ShownDay is what was shown of a guardrail and an arm, and when.
type ShownDay struct {
	Metric string `json:"metric"`
	Arm    int    `json:"arm"`
	Day    int    `json:"day"`
}

func shownOn(list []ShownDay, metric string, arm int) bool {
	for _, s := range list {
		if s.Metric == metric && s.Arm == arm {
			return true
		}
	}
	return false
}

// Add adds the look of a day and returns the verdict of all looks so far. A verdict once
// reached stays as it was given, until a stronger one: a broken split is stronger than
// harm, and harm than any about the primary metric.
func (s *Shown) Add(f *Findings, day int) Verdict {
	now := *f
	now.Guards = append([]GuardResult(nil), f.Guards...)
	if now.Split.Broken && s.Broken == 0 {
		s.Broken = day
	}
	for i := range now.Guards {
		g := &now.Guards[i]
		switch {
		case shownOn(s.Harm, g.Metric, g.Arm):
			g.State = GuardHarm
		case g.State == GuardHarm:
			s.Harm = append(s.Harm, ShownDay{g.Metric, g.Arm, day})
		case shownOn(s.Safe, g.Metric, g.Arm):
			g.State = GuardSafe
		case g.State == GuardSafe:
			s.Safe = append(s.Safe, ShownDay{g.Metric, g.Arm, day})
		}
	}
	return s.Reach(Decide(&now), day)
}

// Reach keeps a verdict that rests on always-valid evidence, if none as strong stands
// already, and returns the one that stands, or v where nothing is decided.
func (s *Shown) Reach(v Verdict, day int) Verdict {
	if strength(v.State) > 0 && (s.Verdict == nil || strength(v.State) > strength(s.Verdict.State)) {
		v.Day = day
		s.Verdict = &v
	}
	if s.Verdict != nil {
		return *s.Verdict
	}
	return v
}

// strength orders verdicts that stand; 0 is none.
func strength(s State) int {
	switch s {
	case StateBlocked:
		return 3
	case StateHarm:
		return 2
	case StateWinner, StateNoDifference:
		return 1
	}
	return 0
}
