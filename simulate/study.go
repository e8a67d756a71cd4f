package simulate

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// begin settles how an enrolment will go. That of one learner in one course is the same
// whenever it comes.
func (s *Simulation) begin(l *learner, c *course, in shown, at time.Time) {
	if s.lot(l.index, lotBegin, c.index) >= s.begins(l) {
		return // never begins
	}
	delay := 1 + int(startDelays*s.lot(l.index, lotDelay, c.index))
	e := &enrolment{
		course: c, shown: in, at: at, step: s.step(l, c), stop: 2,
		next: at.Add(time.Duration(delay)*24*time.Hour - time.Hour),
	}
	if s.lot(l.index, lotFinish, c.index) >= s.completion(l, c) {
		e.stop = stopsBy * s.lot(l.index, lotStop, c.index)
		e.silent = s.lot(l.index, lotSilent, c.index) < s.options.Behaviour.Silent
	}
	l.active = append(l.active, e)
}

// study is one session with a course under way. Platforms tell of it without the list
// that once led to the course.
func (s *Simulation) study(ctx context.Context, l *learner, e *enrolment) error {
	at := later(e.next, s.midnight(s.options.First))
	next := math.Min(1, e.done+e.step)
	e.next = e.next.Add(time.Duration(s.options.Behaviour.StudyDays) * 24 * time.Hour)
	var events []lectern.Event
	switch {
	case e.stop < 1 && next > e.stop:
		s.leave(l, e)
		if e.stop > 0.02 && e.stop > e.done { // got a bit further before stopping
			events = append(events, s.progress(l, e, e.stop, at))
		}
		if !e.silent {
			s.today.Drops++
			events = append(events, s.says(l, lectern.EventDrop, e.course.ID, at.Add(time.Minute)))
			events = s.rate(l, e, events, at, s.options.Behaviour.RatesDrop, true)
		}
	case next >= 1-1e-9:
		s.leave(l, e)
		s.today.Completions++
		if e.done == 0 { // all in one session
			events = append(events, s.progress(l, e, 0.5, at))
		}
		s.earn(lectern.EventComplete, e.shown, at, 1)
		events = append(events, s.says(l, lectern.EventComplete, e.course.ID, at.Add(time.Minute)))
		l.finishes(e.course)
		events = s.rate(l, e, events, at, s.options.Behaviour.RatesDone, false)
	default:
		events = append(events, s.progress(l, e, next, at))
		e.done = next
	}
	if len(events) == 0 {
		return nil
	}
	return s.site.Append(ctx, events)
}

func (s *Simulation) leave(l *learner, e *enrolment) {
	l.active = slices.DeleteFunc(l.active, func(o *enrolment) bool { return o == e })
}

func (s *Simulation) progress(l *learner, e *enrolment, done float64, at time.Time) lectern.Event {
	if e.done == 0 {
		s.today.Progressed++
	}
	s.earnProgress(e, done, at)
	ev := s.says(l, lectern.EventProgress, e.course.ID, at)
	done = math.Round(done*1000) / 1000
	ev.Value = &done
	return ev
}

// rate gives stars: round(4.3 + 0.6 quality + mood + 0.7 noise), one learner in twelve
// let down, as on the demo platform.
func (s *Simulation) rate(l *learner, e *enrolment, events []lectern.Event, at time.Time, share float64, dropped bool) []lectern.Event {
	c := e.course
	if s.lot(l.index, lotRated, c.index) >= share {
		return events
	}
	mood := 0.5*(s.affinity(l, c.truth.Topic)-0.5) - 0.35*math.Max(l.gap(c), 0)
	if dropped {
		mood -= 1.3
	}
	noise := math.Sqrt2 * math.Erfinv(2*math.Min(math.Max(s.lot(l.index, lotStars, c.index), 1e-9), 1-1e-9)-1)
	x := 4.3 + 0.6*c.truth.Quality + mood + 0.7*noise
	if s.lot(l.index, lotMood, c.index) < 1.0/12 {
		x -= 2
	}
	stars := math.Min(5, math.Max(1, math.Round(x)))
	s.today.Ratings++
	s.today.Stars += int(stars)
	ev := s.says(l, lectern.EventRate, c.ID, at.Add(2*time.Minute))
	ev.Value = &stars
	return append(events, ev)
}

// begun takes up the courses that learners had under way before the simulation.
func (s *Simulation) begun(w *World) {
	for _, e := range w.Events {
		l, c := s.byID[e.LearnerID], s.courses[e.CourseID]
		if l == nil || c == nil {
			continue
		}
		i := slices.IndexFunc(l.active, func(a *enrolment) bool { return a.course == c })
		switch e.Type {
		case lectern.EventEnrol:
			if i < 0 && s.midnight(s.options.First).Sub(e.OccurredAt) < 90*24*time.Hour {
				s.resume(l, c, e.OccurredAt)
			}
		case lectern.EventProgress:
			if i >= 0 && e.Value != nil {
				l.active[i].done = math.Max(l.active[i].done, *e.Value)
			}
		case lectern.EventComplete, lectern.EventDrop:
			if i >= 0 {
				s.leave(l, l.active[i])
			}
		}
	}
}

// resume goes on with an enrolment of before; nothing that comes of it is put down to a
// list of the simulation.
func (s *Simulation) resume(l *learner, c *course, at time.Time) {
	n := len(l.active)
	s.begin(l, c, shown{}, at)
	if len(l.active) == n {
		return
	}
	e := l.active[n]
	for e.next.Before(s.midnight(s.options.First)) {
		e.next = e.next.Add(time.Duration(s.options.Behaviour.StudyDays) * 24 * time.Hour)
	}
	e.stop = math.Max(e.stop, stopsBy*s.lot(l.index, lotStep, c.index))
}
