package homes

import (
	"context"
	"time"

	"github.com/lectern-dev/lectern"
)

// Site is the platform under test: all that serves, with a clock that is moved by
// hand.
type Site interface {
	// Now is the time that the site believes it is.
	Now() time.Time
	// Pass lets time go by, and brings what follows events by itself up to date:
	// statistics, trends, similar learners.
	Pass(ctx context.Context, d time.Duration) error
	// Train lets collaborative models learn from what has happened.
	Train(ctx context.Context) error
	// Open lists the courses that anybody may be shown.
	Open(ctx context.Context) ([]lectern.Course, error)
	// Answer makes a list, with what every source of it had.
	Answer(ctx context.Context, req lectern.ListRequest, k int) (Answer, error)
	// Top is the first k of a list that has no sources to tell apart.
	Top(ctx context.Context, req lectern.ListRequest, k int) ([]string, error)
	// Home makes a home page.
	Home(ctx context.Context, req lectern.HomeRequest) (lectern.Home, error)
	// Profile is what the site has recorded of a learner.
	Profile(ctx context.Context, ref lectern.LearnerRef) (lectern.Profile, error)
	// PutLearners signs learners up.
	PutLearners(ctx context.Context, learners []lectern.Learner) error
	// PutCourses adds courses, with nothing but their content.
	PutCourses(ctx context.Context, courses []lectern.Course) error
	// Append records events.
	Append(ctx context.Context, events []lectern.Event) error
}

// Answer is a list with the stages it came from.
type Answer struct {
	Sources []Source
	List    []string // best first
}

// Source is what one candidate source offered, best first.
type Source struct {
	Name string
	IDs  []string
}

// TopK is the length of the lists that are judged.
const TopK = 10

// home asks for the list of recommendations.
func home(ref lectern.LearnerRef) lectern.ListRequest {
	return lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: ref, Limit: TopK}
}
