package simulate

import (
	"context"
	"time"

	"github.com/lectern-dev/lectern"
)

// Site is the platform that learners visit: an engine in process whose clock is moved by
// hand, or a server that is asked over HTTP and keeps its own time.
type Site interface {
	Lister
	// Until lets time go by until t. A site that keeps its own time does nothing.
	Until(ctx context.Context, t time.Time) error
	// Settle does what a server does in the background: statistics, profiles, learning,
	// metrics.
	Settle(ctx context.Context) error
	// PutCourses adds courses that are new.
	PutCourses(ctx context.Context, courses []lectern.Course) error
	// Append records events.
	Append(ctx context.Context, events []lectern.Event) error
	// Say records feedback.
	Say(ctx context.Context, ref lectern.LearnerRef, f lectern.Feedback) error
}

// Lister makes the lists that learners are shown.
type Lister interface {
	// List makes a list.
	List(ctx context.Context, req lectern.ListRequest) (lectern.List, error)
	// Home makes a home page.
	Home(ctx context.Context, req lectern.HomeRequest) (lectern.Home, error)
}

// Records is a site that shows what it has recorded of a list.
type Records interface {
	// Ranking returns the record of a list. Errors: CodeNotFound.
	Ranking(ctx context.Context, id string) (lectern.Ranking, error)
}
