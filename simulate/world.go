package simulate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
)

// WorldOptions says what a simulation begins with.
type WorldOptions struct {
	Demo     demo.Options  // the platform; Now lies after its last event
	Start    time.Time     // when the simulation begins
	New      int           // courses without an event that come while it runs
	Interval time.Duration // between one of them and the next; the first comes with the start
}

// World is a platform with its truth as it stands when a simulation begins.
type World struct {
	Truth    demo.Truth
	Start    time.Time
	Courses  []lectern.Course // published by then
	New      []lectern.Course // come later, in order of PublishedAt
	Learners []lectern.Learner
	Reviews  []lectern.Review
	Events   []lectern.Event // before the start
}

// NewWorld generates a platform and moves it in time, so that its present is the start.
// The new courses are drawn by lot from those that everybody may take, and nothing that
// was done with them is known.
func NewWorld(o WorldOptions) (*World, error) {
	if o.Demo.Courses < 1 || o.Demo.Learners < 1 {
		return nil, errors.New("a simulation needs courses and learners")
	}
	o.Demo.Now = o.Start
	p := demo.Generate(o.Demo)
	w := &World{Truth: p.Truth, Start: lectern.Timestamp(o.Start), Learners: p.Learners}
	held := w.draw(p.Courses, o)
	if len(held) < o.New {
		return nil, fmt.Errorf("%d new courses are too many: %d of %d may be taken by everybody", o.New, len(held), len(p.Courses))
	}
	for _, r := range p.Reviews {
		if !held[r.CourseID] {
			w.Reviews = append(w.Reviews, r)
		}
	}
	for _, e := range p.Events {
		if !held[e.CourseID] && e.OccurredAt.Before(w.Start) {
			w.Events = append(w.Events, e)
		}
	}
	return w, nil
}

// draw parts the courses and returns the ids of those that come later.
func (w *World) draw(courses []lectern.Course, o WorldOptions) map[string]bool {
	held := map[string]bool{}
	for _, i := range rand.New(rand.NewPCG(o.Demo.Seed, 31)).Perm(len(courses)) { //nolint:gosec // a simulation
		c := courses[i]
		a := c.Availability
		if len(w.New) == o.New {
			break
		}
		if (a.Status != "" && a.Status != lectern.StatusOpen) || len(a.Regions)+len(a.Organisations) > 0 || a.EnrolFrom != nil || a.EnrolUntil != nil {
			continue
		}
		at := w.Start.Add(time.Duration(len(w.New)) * o.Interval)
		c.PublishedAt, c.UpdatedAt = &at, nil
		w.New = append(w.New, c)
		held[c.ID] = true
	}
	for _, c := range courses {
		if !held[c.ID] {
			w.Courses = append(w.Courses, c)
		}
	}
	return held
}
