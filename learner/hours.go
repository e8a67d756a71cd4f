package learner

import (
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// hoursEstimate is how much a learner studies in a week with study.
type hoursEstimate struct {
	hours    float64
	evidence int // weeks
}

const week = 7 * 24 * time.Hour

// estimateHours reads how many hours a week a learner studies from the progress
// they made: the course's hours × the share done since the last word of it, laid
// evenly over the time since then, StudyGap at most, as nobody studies through a
// break. Courses at the same time add up. The estimate is the median of the weeks
// with study, which one week of holidays or of catching up does not move. Weeks are
// counted back from the newest event. events come newest first.
func (c Config) estimateHours(events []lectern.Event, hours map[string]float64) hoursEstimate {
	type under struct {
		share float64
		at    time.Time
	}
	way := make(map[string]under)
	weeks := make(map[int]float64)
	if len(events) == 0 {
		return hoursEstimate{}
	}
	newest := events[0].OccurredAt
	for _, e := range slices.Backward(events) {
		total := hours[e.CourseID]
		if total <= 0 {
			continue
		}
		share := 1.0
		switch e.Type {
		case lectern.EventEnrol:
			if _, ok := way[e.CourseID]; !ok {
				way[e.CourseID] = under{0, e.OccurredAt}
			}
			continue
		case lectern.EventProgress:
			if e.Value == nil {
				continue
			}
			share = min(max(*e.Value, 0), 1)
		case lectern.EventComplete:
		default:
			continue
		}
		before, ok := way[e.CourseID]
		if ok && share <= before.share {
			continue
		}
		way[e.CourseID] = under{share, e.OccurredAt}
		if ok { // else nobody knows when they began
			spread(weeks, total*(share-before.share), newest, before.at, e.OccurredAt, c.StudyGap)
		}
	}
	studied := make([]float64, 0, len(weeks))
	for _, h := range weeks {
		if h >= leastStudy {
			studied = append(studied, min(h, c.MaxHours))
		}
	}
	if len(studied) == 0 {
		return hoursEstimate{}
	}
	slices.Sort(studied)
	n := len(studied)
	return hoursEstimate{hours: max(0.5, math.Round(studied[(n-1)/2]+studied[n/2])/2), evidence: n}
}

// leastStudy is how many hours make a week one with study.
const leastStudy = 0.1

// spread lays hours evenly over the time from one moment to another, or over its
// last part where it is longer than most, by weeks before newest.
func spread(weeks map[int]float64, hours float64, newest, from, to time.Time, most time.Duration) {
	if to.Sub(from) > most {
		from = to.Add(-most)
	}
	first, last := newest.Sub(to), newest.Sub(from)
	if last <= first {
		weeks[int(first/week)] += hours
		return
	}
	for w := first / week; w*week < last; w++ {
		part := min(last, (w+1)*week) - max(first, w*week)
		weeks[int(w)] += hours * float64(part) / float64(last-first)
	}
}

// pace says how intensively somebody learns who studies so many hours a week.
func (c Config) pace(hours float64) lectern.Pace {
	switch {
	case hours < c.SteadyHours:
		return lectern.PaceRelaxed
	case hours < c.IntensiveHours:
		return lectern.PaceSteady
	}
	return lectern.PaceIntensive
}
