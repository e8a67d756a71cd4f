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
	Good     int           // of these, so many are good and sought, as far as there are such; the others come as the lot has it
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
	held, err := w.draw(p.Courses, o)
	if err != nil {
		return nil, err
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
func (w *World) draw(courses []lectern.Course, o WorldOptions) (map[string]bool, error) {
	lots := rand.New(rand.NewPCG(o.Demo.Seed, 31)) //nolint:gosec // a simulation
	var first, others []int
	for _, i := range lots.Perm(len(courses)) {
		switch {
		case !forAll(courses[i].Availability):
		case len(first) < min(o.Good, o.New) && w.sought(i, primary(courses[i].Language)):
			first = append(first, i)
		default:
			others = append(others, i)
		}
	}
	if n := len(first) + len(others); n < o.New {
		return nil, fmt.Errorf("%d new courses are too many: %d of %d may be taken by everybody", o.New, n, len(courses))
	}
	drawn := append(first, others[:o.New-len(first)]...)
	if o.Good > 0 {
		lots.Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	}
	held := map[string]bool{}
	for n, i := range drawn {
		c, at := courses[i], w.Start.Add(time.Duration(n)*o.Interval)
		c.PublishedAt, c.UpdatedAt = &at, nil
		w.New = append(w.New, c)
		held[c.ID] = true
	}
	for _, c := range courses {
		if !held[c.ID] {
			w.Courses = append(w.Courses, c)
		}
	}
	return held, nil
}

// forAll reports whether everybody may take a course at any time.
func forAll(a lectern.Availability) bool {
	return (a.Status == "" || a.Status == lectern.StatusOpen) && len(a.Regions)+len(a.Organisations) == 0 && a.EnrolFrom == nil && a.EnrolUntil == nil
}

// soughtBy is how many learners a good new course fits at least to be sought.
const soughtBy = 5

// sought reports whether a course is good and fits enough learners, by their wish for it
// when the simulation begins.
func (w *World) sought(i int, language string) bool {
	c := w.Truth.Courses[i]
	if c.Quality < GoodQuality {
		return false
	}
	n := 0
	for _, l := range w.Truth.Learners {
		reads := language == "" || language == "en" || language == l.Language
		if reads && 2*demo.Relevance(l, c) >= fitsFrom {
			n++
		}
	}
	return n >= soughtBy
}
