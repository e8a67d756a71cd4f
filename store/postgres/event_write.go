package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// eventLock is the name of the right to number events and changes of profiles
// among advisory locks. It is one right for both, since most writes do both.
const eventLock int64 = 7310579603203

type activityKey struct {
	course int64
	day    int32
	kind   lectern.EventType
}

type entryKey struct{ learner, course int64 }

// eventWrite is one batch of events on its way in: which of them are new, then
// whose they are, then what they add, and their rows last of all, under the lock
// that makes the order of their ids the order of commits.
type eventWrite struct {
	tx      *writeTx
	events  []lectern.EventWrite
	results []lectern.WriteResult
	courses map[string]courseRef
	people  *personPlan
}

func (w *eventWrite) run(ctx context.Context) error {
	fresh, err := w.claim(ctx)
	if err != nil || len(fresh) == 0 {
		return err
	}
	var courses []string
	var names []identity
	for _, i := range fresh {
		ev := w.events[i].Event
		if ev.CourseID != "" {
			courses = append(courses, ev.CourseID)
		}
		names = append(names, identities(lectern.LearnerRef{ID: ev.LearnerID, AnonymousID: ev.AnonymousID})...)
	}
	if w.courses, err = w.tx.courseIDs(ctx, courses, true); err != nil {
		return err
	}
	if w.people, err = planPeople(ctx, w.tx, names); err != nil {
		return err
	}
	whose := make([]*planned, len(fresh))
	for n, i := range fresh {
		whose[n] = w.people.of(w.events[i].Event)
	}
	if err := w.people.apply(ctx, whose); err != nil {
		return err
	}
	return w.store(ctx, fresh, whose)
}

// claim settles what is rejected and what is a duplicate, and returns the places
// of the events that are new. A transaction that is storing one of them right
// now is waited for.
func (w *eventWrite) claim(ctx context.Context) ([]int, error) {
	var eventIDs []string
	var times []time.Time
	first := make(map[string]int, len(w.events))
	for i, e := range w.events {
		if err := checkEvent(e); err != nil {
			w.results[i] = rejected(err)
			continue
		}
		w.results[i] = outcome(lectern.OutcomeDuplicate)
		if _, seen := first[e.Event.ID]; !seen {
			first[e.Event.ID] = i
			eventIDs = append(eventIDs, e.Event.ID)
			times = append(times, e.Event.OccurredAt)
		}
	}
	if len(first) == 0 {
		return nil, nil
	}
	ids, err := w.tx.q.InsertEventKeys(ctx, eventIDs, times)
	if err != nil {
		return nil, err
	}
	fresh := make([]int, len(ids))
	for n, id := range ids {
		fresh[n] = first[id]
	}
	slices.Sort(fresh) // the order in which they came
	return fresh, nil
}

// store writes the new events and what they add to profiles and counts.
func (w *eventWrite) store(ctx context.Context, fresh []int, whose []*planned) error {
	var rows sqlcgen.InsertEventsParams
	activity := map[activityKey]int64{}
	entries := map[entryKey]sqlcgen.ProfileEntry{}
	for n, i := range fresh {
		e, learner := w.events[i], whose[n].last().id
		e.Event.OccurredAt = lectern.Timestamp(e.Event.OccurredAt)
		e.Event.ReceivedAt = lectern.Timestamp(e.Event.ReceivedAt)
		if e.Event.ReceivedAt.IsZero() {
			e.Event.ReceivedAt = w.tx.now
		}
		done, course := lectern.OutcomeCreated, courseRef{}
		if e.Event.CourseID != "" {
			course = w.courses[e.Event.CourseID]
			if !course.known {
				done = lectern.OutcomeParked
			}
			activity[activityKey{course.id, dayOf(e.Event.OccurredAt), e.Event.Type}]++
			if e.Delta != nil {
				gather(entries, deltaEntry(learner, course.id, e.Event.OccurredAt, *e.Delta))
			}
		}
		addEvent(&rows, e.Event, learner, course.id)
		w.results[i] = outcome(done)
	}
	added := make([]sqlcgen.ProfileEntry, 0, len(entries))
	for _, e := range entries {
		added = append(added, e)
	}
	slices.SortFunc(added, byLearnerAndCourse)
	if err := w.tx.foldProfiles(ctx, added); err != nil {
		return err
	}
	var line pipeline
	q := sqlcgen.New(&line)
	for _, queued := range []error{
		putEntries(ctx, q, added),
		w.tx.bumpProfiles(ctx, q, added),
		addActivity(ctx, q, activity),
		q.AwaitTurn(ctx, eventLock),
		w.tx.putProfileFeed(ctx, q),
		q.InsertEvents(ctx, rows),
	} {
		if queued != nil {
			return queued
		}
	}
	return line.send(ctx, w.tx.tx)
}

func gather(entries map[entryKey]sqlcgen.ProfileEntry, e sqlcgen.ProfileEntry) {
	key := entryKey{e.LearnerID, e.CourseID}
	if gathered, ok := entries[key]; ok {
		e = combine(gathered, e)
	}
	entries[key] = e
}

func (tx *writeTx) bumpProfiles(ctx context.Context, q *sqlcgen.Queries, entries []sqlcgen.ProfileEntry) error {
	var ids []int64
	for _, e := range entries { // in the order of learners
		if len(ids) == 0 || ids[len(ids)-1] != e.LearnerID {
			ids = append(ids, e.LearnerID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	tx.profileChanged(ids...)
	return q.BumpProfiles(ctx, ids)
}

func addActivity(ctx context.Context, q *sqlcgen.Queries, activity map[activityKey]int64) error {
	if len(activity) == 0 {
		return nil
	}
	keys := make([]activityKey, 0, len(activity))
	for key := range activity {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b activityKey) int {
		return cmp.Or(cmp.Compare(a.course, b.course), cmp.Compare(a.day, b.day), cmp.Compare(a.kind, b.kind))
	})
	var p sqlcgen.AddActivityParams
	for _, key := range keys {
		p.Courses = append(p.Courses, key.course)
		p.Days = append(p.Days, key.day)
		p.Types = append(p.Types, string(key.kind))
		p.Counts = append(p.Counts, activity[key])
	}
	return q.AddActivity(ctx, p)
}
