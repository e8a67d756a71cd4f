package neighbours

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// end is how many learners started and finished a course.
type end struct {
	course            string
	started, finished uint16
}

// ends gathers them by course.
type ends map[string]end

// add counts a learner who started a course.
func (e ends) add(course string, finished bool) {
	n := e[course]
	n.course = course
	n.started++
	if finished {
		n.finished++
	}
	e[course] = n
}

// list returns the courses that most started, maxKept at most, by id.
func (e ends) list() []end {
	out := make([]end, 0, len(e))
	for _, n := range e {
		out = append(out, n)
	}
	byID := func(a, b end) int { return strings.Compare(a.course, b.course) }
	if len(out) > maxKept {
		slices.SortFunc(out, func(a, b end) int { return cmp.Or(cmp.Compare(b.started, a.started), byID(a, b)) })
		out = slices.Clone(out[:maxKept])
	}
	slices.SortFunc(out, byID)
	return out
}

// Outcomes returns how many of the learners whom Liked is about started and finished a
// course; nil where there are none. After Liked it is cheap. Errors: as of Liked.
func (l *Learners) Outcomes(ctx context.Context, ref lectern.LearnerRef, version int64) (func(courseID string) (started, finished float64), error) {
	a, err := l.answer(ctx, ref, version)
	if err != nil || len(a.ends) == 0 {
		return nil, err
	}
	return func(courseID string) (started, finished float64) {
		at, ok := slices.BinarySearchFunc(a.ends, courseID, func(e end, id string) int { return strings.Compare(e.course, id) })
		if !ok {
			return 0, 0
		}
		return float64(a.ends[at].started), float64(a.ends[at].finished)
	}, nil
}
