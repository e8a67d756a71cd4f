package sqlite

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// AppendEvents implements lectern.EventStore. An anonymous id that comes first
// with a learner's id is that learner's from then on.
func (s *Store) AppendEvents(ctx context.Context, events []lectern.EventWrite) ([]lectern.WriteResult, error) {
	results := make([]lectern.WriteResult, len(events))
	if len(events) == 0 {
		return results, nil
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		w, err := newEventWrite(ctx, tx, events)
		if err != nil {
			return err
		}
		for i, e := range events {
			if results[i], err = w.put(ctx, e); err != nil {
				return fmt.Errorf("event %q: %w", e.Event.ID, err)
			}
		}
		return w.flush(ctx)
	})
	return resultsOrNil(results, err)
}

type activityKey struct {
	course, day int64
	kind        string
}

type entryKey struct{ learner, course int64 }

// eventWrite is one batch of events on its way in. Events, profile entries and
// activity counts are gathered and written at the end of the batch, the latter
// two once per row.
type eventWrite struct {
	tx       *writeTx
	courses  *courseIDs
	people   *people
	known    map[string]bool // event ids that are stored
	rows     []sqlcgen.InsertEventParams
	activity map[activityKey]int64
	entries  map[entryKey]sqlcgen.ProfileEntry
}

func newEventWrite(ctx context.Context, tx *writeTx, events []lectern.EventWrite) (*eventWrite, error) {
	var ids, courses, learners, visitors []string
	for _, e := range events {
		if checkEvent(e) == nil {
			ids = append(ids, e.Event.ID)
			learners = append(learners, e.Event.LearnerID)
			visitors = append(visitors, e.Event.AnonymousID)
			if e.Event.CourseID != "" {
				courses = append(courses, e.Event.CourseID)
			}
		}
	}
	w := &eventWrite{
		tx:       tx,
		people:   newPeople(tx),
		known:    map[string]bool{},
		activity: map[activityKey]int64{},
		entries:  map[entryKey]sqlcgen.ProfileEntry{},
	}
	known, err := tx.q.KnownEvents(ctx, jsonText(distinct(ids)))
	if err != nil {
		return nil, err
	}
	for _, id := range known {
		w.known[id] = true
	}
	if err := errors.Join(w.people.prefetch(ctx, kindLearner, learners), w.people.prefetch(ctx, kindVisitor, visitors)); err != nil {
		return nil, err
	}
	w.courses, err = lookUpCourses(ctx, tx, courses)
	return w, err
}

func (w *eventWrite) put(ctx context.Context, e lectern.EventWrite) (lectern.WriteResult, error) {
	if err := checkEvent(e); err != nil {
		return rejected(err), nil
	}
	ev := e.Event
	if w.known[ev.ID] {
		return outcome(lectern.OutcomeDuplicate), nil
	}
	w.known[ev.ID] = true
	if ev.LearnerID != "" && ev.AnonymousID != "" {
		if err := w.merge(ctx, ev.AnonymousID, ev.LearnerID); err != nil {
			return lectern.WriteResult{}, err
		}
	}
	learner, err := w.people.ref(ctx, lectern.LearnerRef{ID: ev.LearnerID, AnonymousID: ev.AnonymousID})
	if err != nil {
		return lectern.WriteResult{}, err
	}
	row := eventRow(ev, learner, w.tx.now.UnixMicro())
	done := lectern.OutcomeCreated
	if ev.CourseID != "" {
		course, err := w.courses.ref(ctx, ev.CourseID)
		if err != nil {
			return lectern.WriteResult{}, err
		}
		if !course.known {
			done = lectern.OutcomeParked
		}
		row.CourseID = &course.id
		w.activity[activityKey{course.id, dayOf(row.OccurredAt), row.Type}]++
		if e.Delta != nil {
			w.addDelta(learner, deltaEntry(course.id, ev.OccurredAt, *e.Delta))
		}
	}
	w.rows = append(w.rows, row)
	return outcome(done), nil
}

func (w *eventWrite) addDelta(learner int64, e sqlcgen.ProfileEntry) {
	key := entryKey{learner, e.CourseID}
	if gathered, ok := w.entries[key]; ok {
		e = combine(gathered, e)
	}
	w.entries[key] = e
}

// merge is people.merge, except that the common case, a visitor who has long
// become this learner, costs nothing, and that another learner's visitor is left
// alone.
func (w *eventWrite) merge(ctx context.Context, anonymousID, learnerID string) error {
	from, found, err := w.people.find(ctx, identity{kindVisitor, anonymousID})
	if err != nil {
		return err
	}
	if found {
		to, ok, err := w.people.find(ctx, identity{kindLearner, learnerID})
		if err != nil || ok && from == to {
			return err
		}
		visitor, err := w.tx.q.LearnerByID(ctx, from)
		if err != nil {
			return err
		}
		if visitor.Anonymous == 0 {
			return nil // another learner's, who was here before: the event says who it is of
		}
		// The merge moves what is stored, so what is gathered is stored first.
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	return w.people.merge(ctx, anonymousID, learnerID, true)
}

func (w *eventWrite) flush(ctx context.Context) error {
	if err := w.tx.insertEvents(ctx, w.rows); err != nil {
		return err
	}
	w.rows = w.rows[:0]
	if len(w.activity) > 0 {
		counts := make([][4]any, 0, len(w.activity))
		for key, n := range w.activity {
			counts = append(counts, [4]any{key.course, key.day, key.kind, n})
		}
		if err := w.tx.q.AddActivity(ctx, jsonText(counts)); err != nil {
			return err
		}
		clear(w.activity)
	}
	return w.flushProfiles(ctx)
}

// flushProfiles folds the gathered entries into the stored ones.
func (w *eventWrite) flushProfiles(ctx context.Context) error {
	if len(w.entries) == 0 {
		return nil
	}
	entries := make([]sqlcgen.ProfileEntry, 0, len(w.entries))
	learners := map[int64]bool{}
	for key, e := range w.entries {
		e.LearnerID = key.learner
		entries = append(entries, e)
		learners[key.learner] = true
	}
	clear(w.entries)
	// In the order of the table, so that neighbours share pages.
	slices.SortFunc(entries, func(a, b sqlcgen.ProfileEntry) int {
		return cmp.Or(cmp.Compare(a.LearnerID, b.LearnerID), cmp.Compare(a.CourseID, b.CourseID))
	})
	if err := w.tx.addToProfiles(ctx, entries); err != nil {
		return err
	}
	if err := w.tx.q.BumpProfiles(ctx, jsonText(sortedKeys(learners))); err != nil {
		return err
	}
	return w.tx.profilesChanged(ctx, learners)
}

// checkEvent says why an event cannot be stored.
func checkEvent(e lectern.EventWrite) error {
	ev := e.Event
	if err := checkID("id", ev.ID); err != nil {
		return err
	}
	if !slices.Contains(lectern.EventTypes(), ev.Type) {
		return lectern.Invalid("unknown event type",
			lectern.NewFieldError("type", ev.Type, "is unknown", fmt.Sprint(lectern.EventTypes())))
	}
	if ev.LearnerID == "" && ev.AnonymousID == "" {
		return lectern.Invalid("an event needs a learner_id or an anonymous_id",
			lectern.NewFieldError("learner_id", "", "is missing", ""))
	}
	for _, id := range []struct{ field, value string }{
		{"learner_id", ev.LearnerID}, {"anonymous_id", ev.AnonymousID}, {"course_id", ev.CourseID},
	} {
		if id.value != "" {
			if err := checkID(id.field, id.value); err != nil {
				return err
			}
		}
	}
	switch {
	case ev.CourseID == "" && ev.Type != lectern.EventSearch:
		return lectern.Invalid("an event needs a course_id", lectern.NewFieldError("course_id", "", "is missing", ""))
	case ev.OccurredAt.IsZero():
		return lectern.Invalid("an event needs a time", lectern.NewFieldError("occurred_at", "", "is missing", ""))
	case ev.Value != nil && (math.IsNaN(*ev.Value) || math.IsInf(*ev.Value, 0)):
		return lectern.Invalid("a value must be finite", lectern.NewFieldError("value", *ev.Value, "is not finite", ""))
	case ev.Properties != nil && !json.Valid(ev.Properties):
		return lectern.Invalid("properties are not JSON", lectern.NewFieldError("properties", "", "is not valid JSON", ""))
	case e.Delta != nil && (e.Delta.HalfLife <= 0 || math.IsNaN(e.Delta.Weight) || math.IsInf(e.Delta.Weight, 0) ||
		!(e.Delta.Progress >= 0 && e.Delta.Progress <= 1)):
		return lectern.Invalid("a profile delta needs a finite weight, a positive half-life and a share done in [0, 1]")
	}
	return nil
}

func eventRow(e lectern.Event, learner, now int64) sqlcgen.InsertEventParams {
	row := sqlcgen.InsertEventParams{
		EventID:       e.ID,
		SchemaVersion: int64(e.SchemaVersion),
		Type:          string(e.Type),
		LearnerID:     learner,
		OccurredAt:    micros(e.OccurredAt),
		ReceivedAt:    now,
		RankingID:     strOrNil(e.RankingID),
		Surface:       string(e.Surface),
		SessionID:     e.SessionID,
		Value:         e.Value,
		Query:         e.Query,
	}
	if e.SchemaVersion == 0 {
		row.SchemaVersion = lectern.EventSchemaVersion
	}
	if !e.ReceivedAt.IsZero() {
		row.ReceivedAt = micros(e.ReceivedAt)
	}
	if e.Position != nil {
		n := int64(*e.Position)
		row.Position = &n
	}
	if e.Properties != nil {
		text := string(e.Properties)
		row.Properties = &text
	}
	return row
}

func eventOf(r sqlcgen.Event, course *string, who identity) lectern.Event {
	e := lectern.Event{
		ID:            r.EventID,
		SchemaVersion: int(r.SchemaVersion),
		Type:          lectern.EventType(r.Type),
		OccurredAt:    fromMicros(r.OccurredAt),
		ReceivedAt:    fromMicros(r.ReceivedAt),
		Surface:       lectern.Surface(r.Surface),
		SessionID:     r.SessionID,
		Value:         r.Value,
		Query:         r.Query,
	}
	if who.kind == kindVisitor {
		e.AnonymousID = who.externalID
	} else {
		e.LearnerID = who.externalID
	}
	if course != nil {
		e.CourseID = *course
	}
	if r.RankingID != nil {
		e.RankingID = *r.RankingID
	}
	if r.Position != nil {
		n := int(*r.Position)
		e.Position = &n
	}
	if r.Properties != nil {
		e.Properties = json.RawMessage(*r.Properties)
	}
	return e
}

// LearnerEvents implements lectern.EventStore. An unknown learner has none.
func (s *Store) LearnerEvents(ctx context.Context, ref lectern.LearnerRef, limit int) ([]lectern.Event, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	id, err := s.resolve(ctx, s.read, ref)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	name, err := s.read.IdentityOf(ctx, id)
	if isNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := s.read.LearnerEvents(ctx, id, int64(limit))
	if err != nil {
		return nil, err
	}
	out := make([]lectern.Event, len(rows))
	for i, r := range rows {
		out[i] = eventOf(r.Event, r.Course, identity{name.Kind, name.ExternalID})
	}
	return out, nil
}

// ScanEvents implements lectern.EventStore.
func (s *Store) ScanEvents(ctx context.Context, after int64, limit int) ([]lectern.Event, int64, error) {
	if limit <= 0 {
		return nil, 0, ctx.Err()
	}
	rows, err := s.read.EventsAfter(ctx, after, int64(limit))
	if err != nil {
		return nil, 0, err
	}
	out := make([]lectern.Event, len(rows))
	for i, r := range rows {
		out[i] = eventOf(r.Event, r.Course, identity{r.LearnerKind, r.Learner})
	}
	if len(rows) < limit {
		return out, 0, nil
	}
	return out, rows[len(rows)-1].Event.ID, nil
}
