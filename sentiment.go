package lectern

import (
	"context"
	"time"
)

// Aspect is one thing that reviews of courses speak about.
type Aspect string

// The aspects.
const (
	AspectTeaching    Aspect = "teaching"
	AspectContent     Aspect = "content"
	AspectPace        Aspect = "pace" // and difficulty
	AspectAssignments Aspect = "assignments"
	AspectSupport     Aspect = "support"
	AspectValue       Aspect = "value"
)

// Aspects lists every aspect.
func Aspects() []Aspect {
	return []Aspect{AspectTeaching, AspectContent, AspectPace, AspectAssignments, AspectSupport, AspectValue}
}

// ReviewSummary is what the reviews of one course say.
type ReviewSummary struct {
	CourseID string          `json:"course_id"`
	Model    string          `json:"model"`           // name and version of what read them
	Reviews  int             `json:"reviews"`         // with text
	Read     int             `json:"read"`            // that count in Score
	Unread   int             `json:"unread"`          // in a language that the model does not read: neutral
	Held     int             `json:"held"`            // held back, see HeldReview
	Score    *float64        `json:"score,omitempty"` // mean probability that a review is positive, weighted by recency, in [0, 1]; nil when none is read
	Weight   float64         `json:"weight"`          // reviews that Score weighs as, for damping
	Positive float64         `json:"positive"`        // share of those read that are called positive: above the cut that the model has learnt, .5 of the lexicon
	Aspects  []AspectSummary `json:"aspects,omitempty"`
	Trend    []OpinionMonth  `json:"trend,omitempty"` // of those read, by month, oldest first
	MadeAt   time.Time       `json:"made_at"`
}

// OpinionMonth is what the reviews of one month say.
type OpinionMonth struct {
	Month time.Time `json:"month"` // first day, UTC
	Read  int       `json:"read"`
	Score float64   `json:"score"` // mean probability that a review is positive
}

// AspectSummary is what they say about one aspect.
type AspectSummary struct {
	Aspect   Aspect  `json:"aspect"`
	Score    float64 `json:"score"`    // in [0, 1], damped by count
	Mentions int     `json:"mentions"` // sentences
	Quotes   []Quote `json:"quotes"`   // two at most, of different reviews
}

// Quote is a sentence of a review.
type Quote struct {
	ReviewID  string     `json:"review_id"`
	Text      string     `json:"text"`
	Score     float64    `json:"score"` // probability that it is positive
	WrittenAt *time.Time `json:"written_at,omitempty"`
}

// HeldReview is a review that does not count, because it looks like one of many made
// to move a score, or because somebody said so.
type HeldReview struct {
	ReviewID string
	CourseID string
	Rule     string // what held it: "repeats", "copies", "one_off_accounts", "burst", or RuleByHand
	Detail   string // a sentence with the numbers behind it
	HeldAt   time.Time
	Status   HoldStatus
	By       string // id of the API key that decided; "" while nobody has

	// Of the review: the store fills these in and takes them from nobody.
	LearnerID string // "" is unknown, or erased
	Text      string
	Stars     *float64
	WrittenAt *time.Time
}

// RuleByHand is the rule of a review that somebody held without one.
const RuleByHand = "by_hand"

// HoldStatus is what became of a review that was held back.
type HoldStatus string

// The states of a held review. Upheld and released ones are never judged again.
const (
	HoldPending  HoldStatus = "pending"  // does not count
	HoldUpheld   HoldStatus = "upheld"   // does not count
	HoldReleased HoldStatus = "released" // counts
)

// HoldStatuses lists every status.
func HoldStatuses() []HoldStatus { return []HoldStatus{HoldPending, HoldUpheld, HoldReleased} }

// Counts reports whether a review with this status counts and is shown; "" is that of
// one that was never held.
func (s HoldStatus) Counts() bool { return s == "" || s == HoldReleased }

// ReviewAuthor is what the store knows of somebody who wrote a review of a course.
type ReviewAuthor struct {
	Since   time.Time // first heard of
	Reviews int       // courses that they reviewed, but for reviews of other courses that do not count
	Took    bool      // has started, or got on with, or completed the course
}

// StateTook are the states of those who have taken a course, or are taking it.
const StateTook = StateEnrolled | StateProgressed | StateCompleted

// SentimentStore keeps what reviews say.
type SentimentStore interface {
	// PutReviewSummaries stores summaries by course, in place of those before, and
	// puts a ChangeSentiment into the feed for each whose score or weight changed.
	// Unknown courses are skipped.
	PutReviewSummaries(ctx context.Context, s []ReviewSummary) error
	// ReviewSummary returns one. Errors: CodeNotFound.
	ReviewSummary(ctx context.Context, courseID string) (ReviewSummary, error)
	// PutHeldReviews holds reviews back, all of one course, in place of the pending
	// ones of that course; those that were decided on stay as they are. One that was
	// pending by the same rule keeps its HeldAt. Reviews of other courses are skipped.
	// Where others are held than before a ChangeStats goes into the feed, because held
	// reviews are no ratings either.
	PutHeldReviews(ctx context.Context, courseID string, held []HeldReview) error
	// HeldReviews returns up to limit, newest first, of one course ("" is all) and one
	// status ("" is all), after the held review with this id ("" at first). Errors:
	// CodeNotFound where that is not held any more.
	HeldReviews(ctx context.Context, courseID string, status HoldStatus, after string, limit int) ([]HeldReview, error)
	// CountHeldReviews returns how many HeldReviews there are without a limit.
	CountHeldReviews(ctx context.Context, courseID string, status HoldStatus) (int, error)
	// AllReviews is ReviewStore.Reviews with those without text too.
	AllReviews(ctx context.Context, courseID, after string, limit int) ([]Review, error)
	// DecideHeldReview sets the status, to upheld or released, also of a review that
	// nothing has held (RuleByHand), and puts a ChangeStats of its course into the
	// feed. Errors: CodeInvalid, CodeNotFound where there is no such review.
	DecideHeldReview(ctx context.Context, reviewID string, status HoldStatus, by string, at time.Time) (HeldReview, error)
	// RatingHistories returns the ratings by month of the given courses, or of all
	// when ids is nil, by course id, oldest first, as ReviewStore.RatingHistory counts.
	RatingHistories(ctx context.Context, ids []string) (map[string][]RatingMonth, error)
	// ReviewAuthors returns what is known of the learners with these ids, who reviewed
	// a course; unknown ones are left out.
	ReviewAuthors(ctx context.Context, courseID string, learnerIDs []string) (map[string]ReviewAuthor, error)
}
