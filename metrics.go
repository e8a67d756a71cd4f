package lectern

import (
	"context"
	"time"
)

// The places of a list that metrics tell apart: 0 to MetricPositions-1, then
// MetricPositions for all beyond, and NoPosition for what is of no place.
const (
	MetricPositions = 21
	NoPosition      = -1
)

// MetricSums are what is summed up of a cell: a tally and what only cells have.
type MetricSums struct {
	Tally
	Views      float64 `json:"views"`       // view events
	KeptWeight float64 `json:"kept_weight"` // exploring places seen that kept their course: sum of 1/propensity
	KeptClicks float64 `json:"kept_clicks"` // those of them that were clicked: sum of 1/propensity
}

// MetricCell is what was counted on one day under one combination of what metrics are
// told apart by.
type MetricCell struct {
	Day        int     // days since 1970-01-01 in the platform's time zone
	Surface    Surface // "" is of no list
	Row        Row
	Experiment string // "" is everybody
	Arm        string
	Segment    Segment // "" is of no list
	Position   int
	Explored   string // Exploration.By of the place, "" where it did not explore
	MetricSums
}

// MetricCourse is what one course got in one span of days.
type MetricCourse struct {
	Day      int // the first of the span
	CourseID string
	Provider string // as in the catalogue; not read on writes

	Impressions, Clicks, Enrols, Ratings, Stars float64
}

// PersonDay is what one person did on one day.
type PersonDay struct {
	Person int64
	DayTally
}

// MetricProgress is how far metrics have come in the logs. Definition says by which
// definitions they count; changing them asks for a recomputation.
type MetricProgress struct {
	Definition string
	Events     int64
	Lists      int64
	Feedback   int64
	Merges     int64 // rises when people become one
}

// TakenKey names a person and a course.
type TakenKey struct {
	Person   int64
	CourseID string
}

// ListMark is what has been counted of a list.
type ListMark struct {
	RankingID string
	Person    int64
	State     string
}

// TakenMark is what has been counted of a person and a course. ID is set of one that
// waits to be counted as one with the person's own.
type TakenMark struct {
	TakenKey
	ID    int64
	State string
}

// MetricRun names one of two sets of sums.
type MetricRun int

// The sets of sums. What is counted anew takes the place of what is in use at once.
const (
	MetricsInUse MetricRun = iota
	MetricsAnew
)

// MetricBatch is one step of the metrics.
type MetricBatch struct {
	Run      MetricRun
	From, To MetricProgress
	Cells    []MetricCell   // to be added
	Courses  []MetricCourse // to be added
	Days     []PersonDay    // to be added
	Lists    []ListMark     // in place of those there are
	Taken    []TakenMark    // in place of those there are
	Settled  []int64        // of merged marks
}

// FeedbackChange is one entry of the log of feedback.
type FeedbackChange struct {
	Seq       int64
	Person    int64 // 0 is gone
	CourseID  string
	Kind      FeedbackKind
	At        time.Time
	RankingID string
	Position  *int
	Sign      int // 1 said, -1 taken back
}

// MetricStore keeps the sums behind the metrics.
type MetricStore interface {
	// MetricProgress returns how far they have come; zero at first, and where nothing is
	// counted anew.
	MetricProgress(ctx context.Context, run MetricRun) (MetricProgress, error)
	// MetricMarks returns what has been counted of lists, by id, and of people and
	// courses; unknown ones are left out. A list has the person of its mark or, without
	// one, whom it was made for.
	MetricMarks(ctx context.Context, run MetricRun, lists []string, taken []TakenKey) (map[string]ListMark, map[TakenKey]string, error)
	// MergedMarks returns up to limit marks of visitors about courses that the learner
	// whom they became had touched too, oldest first. Their person is that learner.
	MergedMarks(ctx context.Context, run MetricRun, limit int) ([]TakenMark, error)
	// ApplyMetrics does one step in one transaction. Errors: CodePrecondition when the
	// metrics are not where b.From says, or somebody in it is gone, with nothing done.
	ApplyMetrics(ctx context.Context, b MetricBatch) error
	// StartMetrics begins to count anew, beside what is in use: from nothing.
	StartMetrics(ctx context.Context, definition string) error
	// UseMetrics puts what was counted anew in the place of what is in use, in one
	// transaction, from where it has come on. Errors: CodePrecondition when it is not
	// where from says, with nothing done.
	UseMetrics(ctx context.Context, from MetricProgress) error
	// FeedbackChanges returns up to limit entries of the log of feedback after a place
	// in it, in order; what is read once is complete up to there.
	FeedbackChanges(ctx context.Context, after int64, limit int) ([]FeedbackChange, error)
}

// MetricDimension is what cells are told apart by.
type MetricDimension string

// The dimensions.
const (
	ByDay        MetricDimension = "day"
	BySurface    MetricDimension = "surface"
	ByRow        MetricDimension = "row"
	ByExperiment MetricDimension = "experiment"
	ByArm        MetricDimension = "arm"
	BySegment    MetricDimension = "segment"
	ByPosition   MetricDimension = "position"
	ByExplored   MetricDimension = "explored"
)

// MetricQuery selects cells of the days From to To and sums them up by some dimensions;
// the others are zero in the answer.
type MetricQuery struct {
	From, To   int
	By         []MetricDimension
	Arms       bool     // cells of arms; otherwise those of everybody
	Experiment string   // "" is all
	Arm        string   // "" is all
	Surface    *Surface // nil is all
	Row        *Row     // nil is all
	Segment    *Segment // nil is all
	Position   *int     // nil is all
}

// LearnerSpan is what signed-in learners did in one span of days.
type LearnerSpan struct {
	Day      int     // the first of the span
	Learners float64 // who were served a list or did something
	Hours    float64 // of study, their sum
	Squares  float64 // sum of the squares of each learner's hours
}

// ProviderCourses is how many open courses a provider has.
type ProviderCourses struct {
	Provider string
	Courses  int
}

// MetricReader reads the sums behind the metrics.
type MetricReader interface {
	// MetricCells returns sums, ordered by the dimensions that were asked for.
	MetricCells(ctx context.Context, q MetricQuery) ([]MetricCell, error)
	// MetricCourses returns, for spans of so many days from the first day on, what
	// each course got.
	MetricCourses(ctx context.Context, from, to, span int) ([]MetricCourse, error)
	// NewCourses returns the courses published (by UTC) from one day to another, with
	// their day of publication and what they got within so many days from it on.
	NewCourses(ctx context.Context, from, to, within int) ([]MetricCourse, error)
	// MetricProviders returns the providers of open courses.
	MetricProviders(ctx context.Context) ([]ProviderCourses, error)
	// LearnerSpans returns, for spans of so many days from the first day on, what
	// learners did.
	LearnerSpans(ctx context.Context, from, to, span int) ([]LearnerSpan, error)
}

// TallyColumns names what Tally.Parts returns.
func TallyColumns() []string {
	return []string{
		"lists", "list_clicks", "impressions", "clicks", "saves", "enrols", "progressed", "completions", "drops",
		"dismissals", "hours", "ratings", "stars", "liked", "disliked", "reports",
		"clicked", "enrolled", "dismissed", "reported", "begun", "completed", "dropped",
	}
}

// Parts returns where each part of the tally stands, in the order of TallyColumns.
func (t *Tally) Parts() []*float64 {
	return []*float64{
		&t.Lists, &t.ListClicks, &t.Impressions, &t.Clicks, &t.Saves, &t.Enrols, &t.Progressed, &t.Completions, &t.Drops,
		&t.Dismissals, &t.Hours, &t.Ratings, &t.Stars, &t.Liked, &t.Disliked, &t.Reports,
		&t.Clicked, &t.Enrolled, &t.Dismissed, &t.Reported, &t.Begun, &t.Completed, &t.Dropped,
	}
}

// MetricColumns names what MetricSums.Parts returns.
func MetricColumns() []string {
	return append(TallyColumns(), "views", "kept_weight", "kept_clicks")
}

// Parts returns where each sum stands, in the order of MetricColumns.
func (m *MetricSums) Parts() []*float64 {
	return append(m.Tally.Parts(), &m.Views, &m.KeptWeight, &m.KeptClicks)
}
