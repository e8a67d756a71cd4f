package main

import (
	"context"
	"math"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/skills"
)

// newSkills makes an empty index of the skill graph, nil where skills are switched
// off.
func newSkills(c skills.Config) (*skills.Index, error) {
	if !c.Enabled {
		return nil, nil
	}
	g, err := c.Open()
	if err != nil {
		return nil, err
	}
	return skills.NewIndex(skills.NewMatcher(g), skills.IndexOptions{Prior: takenBefore}), nil
}

// takenBefore says roughly how many have taken a course, in quarters of a doubling,
// so that a single enrolment does not move it in every list.
func takenBefore(c lectern.Course) float64 {
	n := max(c.Stated.Enrolments, c.Stated.RatingCount, 0)
	return math.Round(4*math.Log2(1+float64(n))) / 4
}

// skillSink hands what the pipeline read on to what tags courses.
type skillSink struct{ index *skills.Index }

var _ indexing.Sink = skillSink{}

func (s skillSink) Apply(ctx context.Context, b indexing.Batch) error {
	courses := make([]lectern.Course, len(b.Upserts))
	for i, u := range b.Upserts {
		courses[i] = u.Course
		courses[i].Stated.RatingCount = max(u.Course.Stated.RatingCount, u.Stats.RatingCount)
	}
	return s.index.Apply(ctx, courses, b.Deletes, b.Reset)
}

// runSkills tags courses until ctx ends.
func (e *engine) runSkills(ctx context.Context) error {
	if e.skills == nil {
		return nil
	}
	return e.skills.Run(ctx)
}

// fillSkills tags courses without the fields that must not help.
func fillSkills(ctx context.Context, x *skills.Index, courses []lectern.Course, leaveOut []lectern.CourseField) error {
	if x == nil {
		return nil
	}
	kept := make([]lectern.Course, len(courses))
	for i, c := range courses {
		kept[i] = without(c, leaveOut)
	}
	if err := x.Apply(ctx, kept, nil, true); err != nil {
		return err
	}
	return x.Refresh(ctx)
}
