package recs

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lectern-dev/lectern"
)

// Strengths say what an event of each kind tells of interest. A kind that is not
// named says nothing.
type Strengths map[lectern.EventType]float64

// DefaultStrengths rise from a click to a completion. Dropping a course and
// dismissing one take interest back.
func DefaultStrengths() Strengths {
	return Strengths{
		lectern.EventClick: 0.2, lectern.EventSave: 0.5, lectern.EventEnrol: 1,
		lectern.EventProgress: 1, lectern.EventComplete: 1.5, lectern.EventRate: 1,
		lectern.EventDrop: -1, lectern.EventDismiss: -1,
	}
}

// likedStars is the rating from which on one speaks for a course.
const likedStars = 3

// maxEventLine bounds a line of JSON, in bytes.
const maxEventLine = 1 << 20

// readEvents reads events as JSON lines. A visitor's events are those of the
// learner that an event with both ids says the visitor is.
func (l *Log) readEvents(in *bufio.Reader, strengths Strengths) error {
	l.Timed, l.Events = true, true
	visitors := make(map[string]string) // anonymous id → learner id
	names := make(map[string]bool)      // events by id
	err := eachJSON(in, &l.Problems, func(line []byte) error {
		var e lectern.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		if e.ID != "" && names[e.ID] {
			return nil // events are sent again until somebody says yes
		}
		names[e.ID] = true
		if e.LearnerID != "" && e.AnonymousID != "" {
			visitors[e.AnonymousID] = e.LearnerID
		}
		return l.addEvent(e, strengths)
	})
	if err == nil {
		l.signIn(visitors)
	}
	return err
}

// visitorPrefix tells an anonymous id from a learner id of the same letters. No id
// may hold it.
const visitorPrefix = "\x00"

// addEvent adds a row where the event speaks of a course.
func (l *Log) addEvent(e lectern.Event, strengths Strengths) error {
	if e.Type == lectern.EventSearch || e.Type == lectern.EventView {
		return nil
	}
	who, err := readID("learner_id", e.LearnerID)
	if e.LearnerID == "" && e.AnonymousID != "" {
		who, err = readID("anonymous_id", e.AnonymousID)
		who = visitorPrefix + who
	}
	if err != nil {
		return err
	}
	what, err := readID("course_id", e.CourseID)
	if err != nil {
		return err
	}
	if e.OccurredAt.IsZero() {
		return errors.New("occurred_at is missing")
	}
	r, ok := rowOf(e, strengths)
	if !ok {
		return fmt.Errorf("type %s is unknown", quoteShort(string(e.Type)))
	}
	r.Learner, r.Item = l.Learner(who), l.Item(what)
	l.Rows = append(l.Rows, r)
	return nil
}

// rowOf says what an event means for its course.
func rowOf(e lectern.Event, strengths Strengths) (Row, bool) {
	r := Row{Weight: float32(strengths[e.Type]), At: e.OccurredAt.Unix()}
	switch e.Type {
	case lectern.EventClick, lectern.EventSave:
	case lectern.EventEnrol, lectern.EventProgress, lectern.EventComplete:
		r.Taken, r.Wanted = true, true
	case lectern.EventRate:
		r.Taken = true
		if e.Value != nil && *e.Value < likedStars {
			r.Weight = -r.Weight
		}
	case lectern.EventDrop, lectern.EventDismiss:
		r.Taken = true
	default:
		return Row{}, false
	}
	return r, true
}

// signIn gives the events of visitors to the learners whom they turned out to be.
func (l *Log) signIn(visitors map[string]string) {
	to := make([]int32, len(l.Learners))
	for i, id := range l.Learners {
		to[i] = int32(i)
		if len(id) > 0 && id[:1] == visitorPrefix {
			if learner, ok := visitors[id[1:]]; ok {
				if n, known := l.learnerOf[learner]; known {
					to[i] = n
				}
			}
		}
	}
	for i := range l.Rows {
		l.Rows[i].Learner = to[l.Rows[i].Learner]
	}
}
