package learner

import (
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// Fold returns a profile with the learner's feedback, as it holds at a time, in its
// entries. Nothing of it is stored, so that taking feedback back is exact; entries of
// a folded profile must not be written back.
//
//   - More weighs as Strengths.More beside what was done with the course, and no less
//     whatever was done before; a refusal before it is forgotten.
//   - Less weighs as a dismissal, and no more whatever was done before.
//   - Not now and a report leave the course out of lists, without a word on taste.
//   - Known makes it a completed course, without a word on taste either.
//
// All but more keep the course out of lists: StateLeftOut.
func (c Config) Fold(p lectern.Profile, at time.Time) lectern.Profile {
	p.Feedback = lectern.HoldingFeedback(p.Feedback, at)
	if len(p.Feedback) == 0 {
		return p
	}
	entries := make([]lectern.ProfileEntry, len(p.Entries), len(p.Entries)+len(p.Feedback))
	copy(entries, p.Entries)
	place := make(map[string]int, len(entries))
	for i, e := range entries {
		place[e.CourseID] = i
	}
	for _, f := range slices.Backward(p.Feedback) { // as it was said
		i, ok := place[f.CourseID]
		if !ok {
			i = len(entries)
			place[f.CourseID] = i
			entries = append(entries, lectern.ProfileEntry{CourseID: f.CourseID, WeightAt: f.At, HalfLife: c.HalfLife, LastAt: f.At})
		}
		c.fold(&entries[i], f)
	}
	p.Entries = entries
	return p
}

// fold lays one thing that was said over an entry.
func (c Config) fold(e *lectern.ProfileEntry, f lectern.Feedback) {
	switch f.Kind {
	case lectern.FeedbackMore:
		c.weighIn(e, f, c.Strengths.More)
		if f.At.Before(e.LastAt) {
			return
		}
		if gone := lectern.StateDropped; e.State&gone != 0 && e.State&lectern.StateCompleted == 0 {
			// What they left is not to be gone on with, but it no longer speaks against it.
			e.State = e.State&^(gone|lectern.StateEnrolled|lectern.StateProgressed) | lectern.StateRated
		}
		e.State &^= lectern.StateDismissed
		e.LastAt = f.At
	case lectern.FeedbackLess:
		c.weighIn(e, f, c.Strengths.Dismiss)
		e.State |= lectern.StateDismissed | lectern.StateLeftOut
		if f.At.After(e.LastAt) {
			e.LastAt = f.At
		}
	case lectern.FeedbackKnown:
		e.State |= lectern.StateCompleted | lectern.StateLeftOut
	case lectern.FeedbackNotNow, lectern.FeedbackReport:
		e.State |= lectern.StateLeftOut
	}
}

// weighIn adds what was said to an entry's weight. What was done before it is not
// stronger than it: the sum is on its side, by its own weight at least.
func (c Config) weighIn(e *lectern.ProfileEntry, f lectern.Feedback, strength float64) {
	said := &lectern.ProfileDelta{HalfLife: c.HalfLife}
	last, state := e.LastAt, e.State
	overrules := !f.At.Before(e.LastAt)
	add(e, strength, f.At, said)
	e.LastAt, e.State = last, state
	switch least := decayed(strength, f.At, e.WeightAt, c.HalfLife); {
	case !overrules:
	case strength > 0:
		e.Weight = max(e.Weight, least)
	default:
		e.Weight = min(e.Weight, least)
	}
}

// lapses returns when the first of a profile's feedback lapses, zero for never.
func lapses(p lectern.Profile) time.Time {
	var first time.Time
	for _, f := range p.Feedback {
		if f.Until != nil && (first.IsZero() || f.Until.Before(first)) {
			first = *f.Until
		}
	}
	return first
}

// onlySaid reports whether an entry is there only because feedback left a course out:
// the learner did nothing with it.
func onlySaid(e weighted) bool {
	return e.weight == 0 && e.state&lectern.StateLeftOut != 0 && e.state&^(lectern.StateLeftOut|lectern.StateCompleted) == 0
}
