package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// AppendEvents implements lectern.EventStore. An anonymous id that comes first
// with a learner's id is that learner's from then on. Small calls that come at
// the same time share a transaction.
func (s *Store) AppendEvents(ctx context.Context, events []lectern.EventWrite) ([]lectern.WriteResult, error) {
	if len(events) == 0 || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(events) > maxShared {
		return s.appendAlone(ctx, events)
	}
	return s.appends.run(ctx, events, s.appendAlone)
}

// appendAlone appends in a transaction of its own.
func (s *Store) appendAlone(ctx context.Context, events []lectern.EventWrite) ([]lectern.WriteResult, error) {
	results := make([]lectern.WriteResult, len(events))
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		clear(results)
		w := eventWrite{tx: tx, events: events, results: results}
		return w.run(ctx)
	})
	return resultsOrNil(results, err)
}

// checkEvent says why an event cannot be stored.
func checkEvent(e lectern.EventWrite) error {
	ev := e.Event
	if err := checkEventIDs(ev); err != nil {
		return err
	}
	switch {
	case !slices.Contains(lectern.EventTypes(), ev.Type):
		return lectern.Invalid("unknown event type",
			lectern.NewFieldError("type", ev.Type, "is unknown", fmt.Sprint(lectern.EventTypes())))
	case ev.CourseID == "" && ev.Type != lectern.EventSearch:
		return lectern.Invalid("an event needs a course_id", lectern.NewFieldError("course_id", "", "is missing", ""))
	case ev.OccurredAt.IsZero():
		return lectern.Invalid("an event needs a time", lectern.NewFieldError("occurred_at", "", "is missing", ""))
	case ev.Value != nil && (math.IsNaN(*ev.Value) || math.IsInf(*ev.Value, 0)):
		return lectern.Invalid("a value must be finite", lectern.NewFieldError("value", *ev.Value, "is not finite", ""))
	case ev.Position != nil && (*ev.Position <= noPosition || *ev.Position > math.MaxInt32):
		return lectern.Invalid("a position is out of range", lectern.NewFieldError("position", *ev.Position, "is out of range", ""))
	case ev.SchemaVersion < 0 || ev.SchemaVersion > math.MaxInt32:
		return lectern.Invalid("unknown schema version",
			lectern.NewFieldError("schema_version", ev.SchemaVersion, "is out of range", ""))
	case ev.Properties != nil && !json.Valid(ev.Properties):
		return lectern.Invalid("properties are not JSON", lectern.NewFieldError("properties", "", "is not valid JSON", ""))
	case e.Delta != nil && (e.Delta.HalfLife <= 0 || math.IsNaN(e.Delta.Weight) || math.IsInf(e.Delta.Weight, 0) ||
		!(e.Delta.Progress >= 0 && e.Delta.Progress <= 1)):
		return lectern.Invalid("a profile delta needs a finite weight, a positive half-life and a share done in [0, 1]")
	}
	for field, text := range map[string]string{
		"ranking_id": ev.RankingID, "surface": string(ev.Surface), "session_id": ev.SessionID, "query": ev.Query,
		"properties": string(ev.Properties),
	} {
		if err := checkText(field, text); err != nil {
			return err
		}
	}
	if err := checkTime("occurred_at", ev.OccurredAt); err != nil {
		return err
	}
	return checkTime("received_at", ev.ReceivedAt)
}

func checkEventIDs(ev lectern.Event) error {
	if err := checkID("id", ev.ID); err != nil {
		return err
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
	return nil
}

// noPosition stands for an event without a position in the arrays of
// InsertEvents.
const noPosition = math.MinInt32

// addEvent puts one event at the end of the arrays.
func addEvent(to *sqlcgen.InsertEventsParams, e lectern.Event, learnerID, courseID int64) {
	version, position, value := lectern.EventSchemaVersion, noPosition, math.NaN()
	if e.SchemaVersion != 0 {
		version = e.SchemaVersion
	}
	if e.Position != nil {
		position = *e.Position
	}
	if e.Value != nil {
		value = *e.Value
	}
	to.EventIds = append(to.EventIds, e.ID)
	to.SchemaVersions = append(to.SchemaVersions, int32(version)) //nolint:gosec // checkEvent bounds it
	to.Types = append(to.Types, string(e.Type))
	to.LearnerIds = append(to.LearnerIds, learnerID)
	to.CourseIds = append(to.CourseIds, courseID)
	to.OccurredAts = append(to.OccurredAts, e.OccurredAt)
	to.ReceivedAts = append(to.ReceivedAts, e.ReceivedAt)
	to.RankingIds = append(to.RankingIds, e.RankingID)
	to.Positions = append(to.Positions, int32(position)) //nolint:gosec // checkEvent bounds it
	to.Surfaces = append(to.Surfaces, string(e.Surface))
	to.SessionIds = append(to.SessionIds, e.SessionID)
	to.Vals = append(to.Vals, value)
	to.Queries = append(to.Queries, e.Query)
	to.Properties = append(to.Properties, string(e.Properties))
}

func eventOf(r sqlcgen.Event, course *string, who identity) lectern.Event {
	e := lectern.Event{
		ID:            r.EventID,
		SchemaVersion: int(r.SchemaVersion),
		Type:          lectern.EventType(r.Type),
		OccurredAt:    r.OccurredAt,
		ReceivedAt:    r.ReceivedAt,
		Surface:       lectern.Surface(r.Surface),
		SessionID:     r.SessionID,
		Value:         r.Value,
		Query:         r.Query,
		Properties:    r.Properties,
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
	return e
}

// LearnerEvents implements lectern.EventStore. An unknown learner has none.
func (s *Store) LearnerEvents(ctx context.Context, ref lectern.LearnerRef, limit int) ([]lectern.Event, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	var out []lectern.Event
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		out = nil
		id, err := resolve(ctx, q, ref)
		if err != nil {
			return err
		}
		name, err := q.IdentityOf(ctx, id)
		if err != nil {
			return goneMeanwhile(err)
		}
		rows, err := q.LearnerEvents(ctx, id, rowLimit(limit))
		if err != nil {
			return err
		}
		for _, r := range rows {
			out = append(out, eventOf(r.Event, r.Course, identity{name.Kind, name.ExternalID}))
		}
		return nil
	})
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return nil, nil
	}
	return out, err
}

// ScanEvents implements lectern.EventStore.
func (s *Store) ScanEvents(ctx context.Context, after int64, limit int) ([]lectern.Event, int64, error) {
	if limit <= 0 {
		return nil, 0, ctx.Err()
	}
	var out []lectern.Event
	var next int64
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		out, next = nil, 0
		rows, err := q.EventsAfter(ctx, after, rowLimit(limit))
		if err != nil {
			return err
		}
		for _, r := range rows {
			out = append(out, eventOf(r.Event, r.Course, identity{r.LearnerKind, r.Learner}))
		}
		if len(rows) == limit {
			next = rows[limit-1].Event.ID
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return out, next, nil
}

// rowLimit is limit as a query takes it.
func rowLimit(limit int) int32 { return int32(min(limit, math.MaxInt32)) } //nolint:gosec // bounded
