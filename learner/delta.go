package learner

import (
	"github.com/lectern-dev/lectern"
)

// Delta returns what an event adds to its learner's profile, nil where it adds
// nothing: views, searches, and events without a course.
func (c Config) Delta(e lectern.Event) *lectern.ProfileDelta {
	if e.CourseID == "" {
		return nil
	}
	weight, state := c.strength(e)
	if state == 0 {
		return nil
	}
	return &lectern.ProfileDelta{Weight: weight, HalfLife: c.HalfLife, State: state, Progress: shareDone(e)}
}

// strength returns an event's weight and the state it leaves behind, 0 for the
// types that leave none.
func (c Config) strength(e lectern.Event) (float64, lectern.CourseState) {
	s := c.Strengths
	switch e.Type {
	case lectern.EventClick:
		return s.Click, lectern.StateClicked
	case lectern.EventSave:
		return s.Save, lectern.StateSaved
	case lectern.EventEnrol:
		return s.Enrol, lectern.StateEnrolled
	case lectern.EventProgress:
		return s.Enrol + (s.Progress-s.Enrol)*shareDone(e), lectern.StateProgressed
	case lectern.EventComplete:
		return s.Complete, lectern.StateCompleted
	case lectern.EventRate:
		if e.Value == nil {
			return 0, lectern.StateRated
		}
		const middle = (lectern.MinStars + lectern.MaxStars) / 2
		stars := min(max(*e.Value, lectern.MinStars), lectern.MaxStars)
		if stars < middle {
			return s.RateLow * (middle - stars) / (middle - lectern.MinStars), lectern.StateRated
		}
		return s.Rate * (stars - middle) / (lectern.MaxStars - middle), lectern.StateRated
	case lectern.EventDrop:
		return s.Drop, lectern.StateDropped
	case lectern.EventDismiss:
		return s.Dismiss, lectern.StateDismissed
	}
	return 0, 0
}

// shareDone is how much of its course an event says is done, in [0, 1].
func shareDone(e lectern.Event) float64 {
	switch {
	case e.Type == lectern.EventComplete:
		return 1
	case e.Type == lectern.EventProgress && e.Value != nil && *e.Value > 0: // NaN is not
		return min(*e.Value, 1)
	}
	return 0
}
