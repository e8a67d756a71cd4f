package noise

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// actsOf marks the events that count as something a learner did. Views are the
// page's doing, tens at a time; players report progress on one course over and
// over, of which one a minute is an act.
func actsOf(events []Weighted) []bool {
	acts := make([]bool, len(events))
	var reported map[string]time.Time // last act of progress, by course
	for i := range events {
		e := &events[i].Event
		switch e.Type {
		case lectern.EventView:
		case lectern.EventProgress:
			last, ok := reported[e.CourseID]
			if ok && e.OccurredAt.Sub(last) < time.Minute {
				continue
			}
			if reported == nil {
				reported = make(map[string]time.Time)
			}
			reported[e.CourseID] = e.OccurredAt
			acts[i] = true
		default:
			acts[i] = true
		}
	}
	return acts
}

// caught reports whether a machine did this.
func (r Bots) caught(events []Weighted, acts []bool) bool {
	if len(events) <= min(r.PerMinute, r.PerDay) {
		return false
	}
	var day, minute int64
	var onDay, inMinute, minutes int
	for i := range events {
		if !acts[i] {
			continue
		}
		at := events[i].Event.OccurredAt.Unix()
		if d := floorDiv(at, 24*60*60); d != day {
			day, onDay, minutes = d, 0, 0
		}
		if m := floorDiv(at, 60); m != minute {
			minute, inMinute = m, 0
		}
		onDay++
		inMinute++
		if inMinute == r.PerMinute+1 {
			minutes++
		}
		if onDay > r.PerDay || minutes >= r.Minutes {
			return true
		}
	}
	return false
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// creatorIDs is the key of Course.Extra that names a course's creators, as an
// array of learner ids.
const creatorIDs = "creator_ids"

// apply lowers events on courses of the learner's own.
func (r Creator) apply(events []Weighted, course func(id string) (lectern.Course, bool)) {
	type key struct{ course, learner string }
	var known map[key]bool
	for i := range events {
		e := &events[i].Event
		if e.CourseID == "" || e.LearnerID == "" {
			continue
		}
		k := key{e.CourseID, e.LearnerID}
		own, ok := known[k]
		if !ok {
			c, found := course(e.CourseID)
			own = found && createdBy(c, e.LearnerID)
			if known == nil {
				known = make(map[key]bool)
			}
			known[k] = own
		}
		if own {
			events[i].lower(firedCreator, 0)
		}
	}
}

// CreatorsOf returns the part of a course that the rules read, and whether it names
// anybody: what a caller has to keep of courses.
func CreatorsOf(c *lectern.Course) (lectern.Course, bool) {
	part := lectern.Course{ID: c.ID, Instructors: c.Instructors}
	if raw, ok := c.Extra[creatorIDs]; ok {
		part.Extra = map[string]json.RawMessage{creatorIDs: raw}
	}
	return part, len(part.Instructors) > 0 || part.Extra != nil
}

// createdBy reports whether a learner is among the creators of a course.
func createdBy(c lectern.Course, learner string) bool {
	if slices.Contains(c.Instructors, learner) {
		return true
	}
	raw := c.Extra[creatorIDs]
	if len(raw) == 0 {
		return false
	}
	var ids []json.RawMessage
	if json.Unmarshal(raw, &ids) != nil {
		return false
	}
	for _, id := range ids {
		var s string
		if json.Unmarshal(id, &s) != nil {
			s = string(id) // a number stands for its digits
		}
		if s == learner {
			return true
		}
	}
	return false
}

// apply lowers clicks that were left at once. A second click on the same course
// is a repeat, and no sign of having left.
func (r ShortClicks) apply(events []Weighted) {
	var later *lectern.Event // the click that came next
	var other *lectern.Event // the next one on another course than the click at hand
	for i := len(events) - 1; i >= 0; i-- {
		e := &events[i].Event
		if e.Type != lectern.EventClick {
			continue
		}
		if later != nil && later.CourseID != e.CourseID {
			other = later
		}
		later = e
		left := other != nil && other.OccurredAt.Sub(e.OccurredAt) < r.Dwell
		if left || r.brief(e) {
			events[i].lower(firedShortClicks, 0)
		}
	}
}

// brief reports whether the page says that the look was short.
func (r ShortClicks) brief(e *lectern.Event) bool {
	ms, ok := Dwell(e)
	return ok && ms < float64(r.Dwell)/float64(time.Millisecond)
}

// Dwell returns for how many milliseconds the learner looked, by the event's
// properties.dwell_ms, where the page says so: the one property that a rule reads.
func Dwell(e *lectern.Event) (ms float64, ok bool) {
	if len(e.Properties) == 0 || !bytes.Contains(e.Properties, []byte(`"dwell_ms"`)) {
		return 0, false
	}
	var p struct {
		Dwell *float64 `json:"dwell_ms"`
	}
	if json.Unmarshal(e.Properties, &p) != nil || p.Dwell == nil || *p.Dwell < 0 {
		return 0, false
	}
	return *p.Dwell, true
}

// apply lowers the acts that come after as many as a minute may have.
func (r Bursts) apply(events []Weighted, acts []bool) {
	if len(events) <= r.PerMinute {
		return
	}
	oldest, within := 0, 0 // acts from oldest on that are in the last minute
	for i := range events {
		if !acts[i] {
			continue
		}
		for ; oldest < i && events[i].Event.OccurredAt.Sub(events[oldest].Event.OccurredAt) >= time.Minute; oldest++ {
			if acts[oldest] {
				within--
			}
		}
		if within++; within > r.PerMinute {
			events[i].lower(firedBursts, r.Weight)
		}
	}
}

// run is one act on one course with its repeats.
type run struct {
	start time.Time
	last  int // place of the event that came last
	n     int // events so far
}

// apply lowers repeats. What another rule took out altogether repeats nothing, so
// that of a course that was clicked by the way and then again, one click counts.
func (r Repeats) apply(events []Weighted) {
	type key struct {
		kind   lectern.EventType
		course string
	}
	var runs map[key]run
	for i := range events {
		e := &events[i].Event
		if e.CourseID == "" || events[i].Weight == 0 {
			continue
		}
		if runs == nil {
			runs = make(map[key]run)
		}
		k := key{e.Type, e.CourseID}
		at, ok := runs[k]
		switch {
		case !ok || e.OccurredAt.Sub(at.start) >= r.Window:
			runs[k] = run{start: e.OccurredAt, last: i, n: 1}
			continue
		case lastSays(e.Type):
			// The one before gives way to this one, and so do its own repeats.
			events[at.last].lower(firedRepeats, math.Pow(r.Share, float64(at.n)))
		default:
			events[i].lower(firedRepeats, math.Pow(r.Share, float64(at.n)))
		}
		at.last = i
		at.n++
		runs[k] = at
	}
}

// lastSays reports whether the last of several events says what holds: how far a
// learner is, or what they think now.
func lastSays(t lectern.EventType) bool {
	return t == lectern.EventProgress || t == lectern.EventRate
}
