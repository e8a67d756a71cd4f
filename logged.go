package lectern

import (
	"context"
	"time"
)

// LoggedList is a recorded list with what was done about it.
type LoggedList struct {
	Ranking Ranking // without its learner; its first items only
	Person  int64   // stands for the learner or visitor; 0 is nobody
	Events  []Citation
}

// Citation is an event that cites a list.
type Citation struct {
	Type     EventType
	CourseID string
	Position *int // 0-based place in the list, where the event says it
	At       time.Time
}

// LogCursor is a place in the log of lists.
type LogCursor struct {
	CreatedAt time.Time
	ID        string
}

// ListLog reads lists together with the events that cite them.
type ListLog interface {
	// LoggedLists returns up to limit lists that events cite, made from since on and
	// before the cursor (the time, or at that time a smaller id), newest first, each
	// with its first items, and the cursor to go on from (zero when there is no more).
	LoggedLists(ctx context.Context, since time.Time, before LogCursor, limit, items int) ([]LoggedList, LogCursor, error)
}
