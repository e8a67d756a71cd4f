package lectern

import "context"

// Row names one row of a home page.
type Row string

// The rows of a home page.
const (
	RowContinue Row = "continue" // courses under way
	RowForYou   Row = "for_you"  // everything that is known of the learner
	RowBecause  Row = "because"  // like a course that the learner completed
	RowNext     Row = "next"     // what others took after it: complements, not twins
	RowLikeYou  Row = "like_you" // what similar learners take
	RowTrending Row = "trending" // gaining on its own past
	RowNew      Row = "new"      // new, and near what the learner likes
	RowExplore  Row = "explore"  // good, and unlike what the learner has seen
)

// Rows lists every row, in the order of a learner of whom nothing is known.
func Rows() []Row {
	return []Row{RowContinue, RowForYou, RowNext, RowBecause, RowLikeYou, RowTrending, RowNew, RowExplore}
}

// HomeRequest asks for a home page.
type HomeRequest struct {
	Learner LearnerRef // nobody is fine
	Filter  Filter     // the caller's own filters
	FitTime bool       // only courses whose hours fit the learner's weekly budget
	Limit   int        // items in a row, ≥ 1
	Explain bool
}

// Home is a page of rows. No course is in two of them, and none is empty.
type Home struct {
	Rows     []HomeRow
	Degraded []string
	Timings  []Timing
}

// HomeRow is one row: a list that was recorded by itself. Further pages of it are
// asked for as a list with ListRequest.Row.
type HomeRow struct {
	Row   Row
	Title Reason // what stands above it: a code with parameters
	List  List
}

// HomeMaker makes home pages.
type HomeMaker interface {
	// Home returns the rows for a learner, best first. Errors: as of Ranker.List.
	Home(ctx context.Context, req HomeRequest) (Home, error)
}
