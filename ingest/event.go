package ingest

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

type event = lectern.Event

var eventSchema = newSchema(Events, map[string]string{"received_at": setByServer},
	binding[event]{idField("id", true), func(e *event, v value) { e.ID = v.text }},
	binding[event]{numberField("schema_version", TypeInteger, 1, lectern.EventSchemaVersion), func(e *event, v value) { e.SchemaVersion = int(v.number) }},
	binding[event]{Field{Name: "type", Type: TypeEnum, Allowed: names(lectern.EventTypes()), Required: true}, func(e *event, v value) { e.Type = lectern.EventType(v.text) }},
	binding[event]{idField("learner_id", false), func(e *event, v value) { e.LearnerID = v.text }},
	binding[event]{idField("anonymous_id", false), func(e *event, v value) { e.AnonymousID = v.text }},
	binding[event]{idField("course_id", false), func(e *event, v value) { e.CourseID = v.text }},
	binding[event]{Field{Name: "occurred_at", Type: TypeTime, Required: true}, func(e *event, v value) { e.OccurredAt = v.time }},
	binding[event]{Field{Name: "ranking_id", Type: TypeID, Max: MaxRankingIDBytes}, func(e *event, v value) { e.RankingID = v.text }},
	binding[event]{numberField("position", TypeInteger, 0, MaxPosition), func(e *event, v value) {
		if !v.null {
			n := int(v.number)
			e.Position = &n
		}
	}},
	binding[event]{wordField("surface", append(lectern.Surfaces(), lectern.SurfaceAutocomplete)), func(e *event, v value) { e.Surface = lectern.Surface(v.text) }},
	binding[event]{idField("session_id", false), func(e *event, v value) { e.SessionID = v.text }},
	binding[event]{numberField("value", TypeNumber, 0, lectern.MaxStars), func(e *event, v value) { e.Value = v.numberPtr() }},
	binding[event]{textField("query", MaxQueryChars), func(e *event, v value) { e.Query = v.text }},
	binding[event]{Field{Name: "properties", Type: TypeObject, Max: MaxObjectBytes}, func(e *event, v value) {
		if !v.null {
			e.Properties = json.RawMessage(v.text)
		}
	}},
)

// DecodeEvent decodes canonical JSON against the system clock.
func DecodeEvent(data []byte) (lectern.Event, error) { return Decoder{}.Event(data) }

// Event decodes canonical JSON.
func (d Decoder) Event(data []byte) (lectern.Event, error) {
	return decodeJSON(d, Events, data, d.EventRecord)
}

// EventRecord decodes a record.
func (d Decoder) EventRecord(rec Record) (lectern.Event, error) {
	rec, problems := d.withID(rec)
	e := lectern.Event{SchemaVersion: lectern.EventSchemaVersion}
	_, more := eventSchema.read(rec, &e)
	problems = append(problems, more...)
	for i := range problems {
		if problems[i].Field == "value" { // its range depends on the type, as far as that is known
			problems[i].Allowed = valueAllowed(e.Type)
		}
	}
	for _, p := range checkEvent(e, d.clock()()) {
		if !named(problems, p.Field) { // say what is wrong with a field once
			problems = append(problems, p)
		}
	}
	if err := invalid(Events, problems); err != nil {
		return lectern.Event{}, err
	}
	return e, nil
}

// checkEvent checks what depends on more than one field.
func checkEvent(e lectern.Event, now time.Time) []lectern.FieldError {
	var problems []lectern.FieldError
	if e.LearnerID == "" && e.AnonymousID == "" {
		problems = append(problems, missing("learner_id", "is required where there is no anonymous_id", "an id"))
	}
	if e.CourseID == "" && e.Type != lectern.EventSearch {
		problems = append(problems, missing("course_id", "is required for every event but search", "an id"))
	}
	if e.Query == "" && e.Type == lectern.EventSearch {
		problems = append(problems, missing("query", "is required for search", "a text"))
	}
	if latest := now.Add(MaxFuture); e.OccurredAt.After(latest) {
		problems = append(problems, lectern.NewFieldError("occurred_at", e.OccurredAt.Format(time.RFC3339),
			"lies more than 24 hours in the future", "at most "+latest.Format(time.RFC3339)))
	}
	return append(problems, checkEventValue(e)...)
}

// valueRange is what the value of an event may be; ok is false for the types that
// have none.
func valueRange(t lectern.EventType) (low, high float64, ok bool) {
	switch t {
	case lectern.EventProgress:
		return 0, 1, true
	case lectern.EventRate:
		return lectern.MinStars, lectern.MaxStars, true
	}
	return 0, 0, false
}

// valueAllowed says what valueRange says in words.
func valueAllowed(t lectern.EventType) string {
	low, high, ok := valueRange(t)
	if !ok {
		return "a value for progress (0 to 1) or rate (1 to 5) only"
	}
	return "a number from " + trimNumber(low) + " to " + trimNumber(high)
}

func checkEventValue(e lectern.Event) []lectern.FieldError {
	low, high, ok := valueRange(e.Type)
	switch {
	case !ok && (e.Value == nil || !slices.Contains(lectern.EventTypes(), e.Type)):
		return nil
	case !ok:
		return []lectern.FieldError{lectern.NewFieldError("value", *e.Value, "has no meaning for "+string(e.Type), valueAllowed(e.Type))}
	case e.Value == nil:
		return []lectern.FieldError{missing("value", "is required for "+string(e.Type), valueAllowed(e.Type))}
	case *e.Value < low || *e.Value > high:
		return []lectern.FieldError{lectern.NewFieldError("value", *e.Value, "is out of range for "+string(e.Type), valueAllowed(e.Type))}
	}
	return nil
}
