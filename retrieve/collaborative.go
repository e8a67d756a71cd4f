package retrieve

import (
	"context"

	"github.com/lectern-dev/lectern"
)

// Collaborative gives the model in use of what others did.
type Collaborative interface {
	// Collaborative returns the model in use, nil while there is none. The caller
	// keeps to it for a whole request.
	Collaborative() CollaborativeModel
}

// CollaborativeModel scores courses by behaviour. It is safe for concurrent use
// and works in memory.
type CollaborativeModel interface {
	// Version is that of the artefact.
	Version() int64
	// Top returns the k best courses for a learner who did this, among those that
	// allow lets pass, by falling score in [0, 1]; nil when nothing can be said.
	Top(touched []lectern.Touch, k int, allow func(courseID string) bool) []lectern.Hit
	// Scores returns how the model ranks each course for that learner, in [0, 1], 1 for
	// the model's first of all courses; NaN for a course it does not know.
	Scores(touched []lectern.Touch, ids []string) []float64
	// Factor is the learner as a query for the index's VectorCF, unit length; nil
	// when nothing can be said, or while the index holds factors of another version.
	Factor(touched []lectern.Touch) []float32
	// Next returns up to k courses that people take after this one, by falling lift
	// scaled to [0, 1]: complements, not twins.
	Next(courseID string, k int, allow func(courseID string) bool) []lectern.Hit
	// Similar returns up to k courses that the same people take, scores in [0, 1].
	Similar(courseID string, k int, allow func(courseID string) bool) []lectern.Hit
}

// Neighbours knows what similar learners take.
type Neighbours interface {
	// Liked returns up to k courses that learners with similar profiles took, by falling
	// weight scaled to [0, 1]; nil when there are none. version is that of the profile:
	// answers for one version may be kept. Errors: CodeUnavailable, CodeDeadline.
	Liked(ctx context.Context, ref lectern.LearnerRef, version int64, k int) ([]lectern.Hit, error)
}

// Outcomes is a Neighbours that also knows what became of the courses that they took.
type Outcomes interface {
	// Outcomes returns how many learners with similar profiles started and finished a
	// course; nil where there are none. They are those whom Liked is about, and after it
	// the answer is cheap. Errors: as of Liked.
	Outcomes(ctx context.Context, ref lectern.LearnerRef, version int64) (func(courseID string) (started, finished float64), error)
}

// Velocities knows which courses gain on their own past. *analytics-like counters
// of the store are one.
type Velocities interface {
	// Trending returns courses by falling trend in (0, 1], those alone that gain.
	Trending() []lectern.Hit
}
