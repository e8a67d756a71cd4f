package lectern

import (
	"encoding/json"
	"time"
)

// EventSchemaVersion is the version of Event that this build writes.
const EventSchemaVersion = 1

// EventType is what happened.
type EventType string

// The events that Lectern understands.
const (
	EventView     EventType = "view"     // the item came into view
	EventClick    EventType = "click"    // opened from a list or a link
	EventSave     EventType = "save"     // bookmarked
	EventEnrol    EventType = "enrol"    // joined the course
	EventProgress EventType = "progress" // Value: share done in [0, 1]
	EventComplete EventType = "complete" // finished
	EventRate     EventType = "rate"     // Value: stars in [1, 5]
	EventDrop     EventType = "drop"     // left the course
	EventDismiss  EventType = "dismiss"  // said no to the suggestion
	EventSearch   EventType = "search"   // Query: what was searched
)

// EventTypes lists every known event type.
func EventTypes() []EventType {
	return []EventType{
		EventView, EventClick, EventSave, EventEnrol, EventProgress,
		EventComplete, EventRate, EventDrop, EventDismiss, EventSearch,
	}
}

// Event is one thing that a learner or visitor did. Events are append-only;
// ID is made by the client, and a second event with the same ID is a duplicate.
type Event struct {
	ID            string          `json:"id"`
	SchemaVersion int             `json:"schema_version,omitempty"` // 0 means EventSchemaVersion
	Type          EventType       `json:"type"`
	LearnerID     string          `json:"learner_id,omitempty"`   // one of the two ids must be set;
	AnonymousID   string          `json:"anonymous_id,omitempty"` // both together sign the visitor in
	CourseID      string          `json:"course_id,omitempty"`    // required except for search
	OccurredAt    time.Time       `json:"occurred_at"`
	ReceivedAt    time.Time       `json:"received_at,omitzero"` // set by the server
	RankingID     string          `json:"ranking_id,omitempty"` // the list that caused it
	Position      *int            `json:"position,omitempty"`   // 0-based place in that list
	Surface       Surface         `json:"surface,omitempty"`
	SessionID     string          `json:"session_id,omitempty"`
	Value         *float64        `json:"value,omitempty"`
	Query         string          `json:"query,omitempty"`
	Properties    json.RawMessage `json:"properties,omitempty"` // a JSON object, kept as it came
}

// EventWrite is an event with what it adds to its learner's profile; Delta is
// nil where it adds nothing.
type EventWrite struct {
	Event Event
	Delta *ProfileDelta
}
