package learner

import (
	"cmp"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// session says how much each course meant in the learner's last session: going
// back from the newest event, events of one session id, or within SessionGap of each
// other, no more than SessionLength in all. A course means there what was done with
// it there, whatever it meant before. events come newest first.
func (c Config) session(events []lectern.Event) map[string]float64 {
	out := make(map[string]float64)
	var last, newest *lectern.Event
	for i := range events {
		e := &events[i]
		weight, state := c.strength(*e)
		if e.CourseID == "" || state == 0 {
			continue
		}
		if last == nil {
			last, newest = e, e
		}
		if !c.together(last.OccurredAt, e.OccurredAt, last.SessionID != "" && last.SessionID == e.SessionID) ||
			newest.OccurredAt.Sub(e.OccurredAt) > c.SessionLength {
			break
		}
		last = e
		out[e.CourseID] += weight
	}
	return out
}

// sessionOf stands in for session where no events are read: the latest event of
// each course is all there is, and courses count alike.
func (c Config) sessionOf(entries []weighted) map[string]float64 {
	out := make(map[string]float64)
	recent := slices.DeleteFunc(slices.Clone(entries), onlySaid)
	slices.SortFunc(recent, func(a, b weighted) int {
		return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.id, b.id))
	})
	for i, e := range recent {
		if e.at.IsZero() || i > 0 && !c.together(recent[i-1].at, e.at, false) || recent[0].at.Sub(e.at) > c.SessionLength {
			break
		}
		out[e.id] = 1
	}
	return out
}

// together reports whether two events belong to one session.
func (c Config) together(later, earlier time.Time, sameID bool) bool {
	return sameID || later.Sub(earlier) <= c.SessionGap
}

// inSession are the points of the last session, as they weigh there. What the
// learner turned down is not of it.
func inSession(session map[string]float64, points []point) []point {
	var out []point
	for _, p := range points {
		if w := session[p.id]; p.weight > 0 && p.stated < 0 && w > 0 {
			p.weight = w
			out = append(out, p)
		}
	}
	return out
}
