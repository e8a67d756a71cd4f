package lectern

import (
	"context"
	"time"
)

// FeedbackKind is what a learner says to a suggestion.
type FeedbackKind string

// The kinds of feedback.
const (
	FeedbackMore   FeedbackKind = "more_like_this"
	FeedbackLess   FeedbackKind = "less_like_this"
	FeedbackNotNow FeedbackKind = "not_now" // leave the course out until Until
	FeedbackKnown  FeedbackKind = "know_it" // as good as completed, though not taken here
	FeedbackReport FeedbackKind = "report"  // the suggestion is poor, for a Reason
)

// FeedbackKinds lists every kind.
func FeedbackKinds() []FeedbackKind {
	return []FeedbackKind{FeedbackMore, FeedbackLess, FeedbackNotNow, FeedbackKnown, FeedbackReport}
}

// ReportReason is why a suggestion is poor.
type ReportReason string

// The reasons of reports.
const (
	ReportIrrelevant ReportReason = "irrelevant"   // nothing to do with me
	ReportWrongLevel ReportReason = "wrong_level"  //
	ReportOutdated   ReportReason = "outdated"     //
	ReportMisleading ReportReason = "misleading"   // not what its description says
	ReportQuality    ReportReason = "poor_quality" //
	ReportOffensive  ReportReason = "offensive"    //
	ReportRepeated   ReportReason = "too_often"    // shown again and again
	ReportOther      ReportReason = "other"        //
)

// ReportReasons lists every reason.
func ReportReasons() []ReportReason {
	return []ReportReason{
		ReportIrrelevant, ReportWrongLevel, ReportOutdated, ReportMisleading, ReportQuality,
		ReportOffensive, ReportRepeated, ReportOther,
	}
}

// Feedback is one thing a learner or visitor said about one course. It counts from
// the next list on, until it is taken back.
type Feedback struct {
	ID        string // made by the client, or for it
	CourseID  string
	Kind      FeedbackKind
	At        time.Time
	Until     *time.Time   // FeedbackNotNow
	Reason    ReportReason // FeedbackReport
	Comment   string       // FeedbackReport
	RankingID string       // the list it is about; "" is unknown
	Position  *int         // 0-based place in that list
	// What put the course there, of a report whose list is known.
	Surface       Surface
	Row           Row
	Term          string // that weighed most, beyond its neutral value
	ConfigVersion string
}

// HoldingFeedback returns what of a learner's feedback, newest first, counts at a
// time: of more, less, not now and known the last about each course that has not
// lapsed, and every report, which leaves the course out of the reporter's lists.
func HoldingFeedback(said []Feedback, at time.Time) []Feedback {
	type slot struct {
		course string
		report bool
	}
	taken := make(map[slot]bool, len(said))
	var out []Feedback
	for _, f := range said {
		s := slot{f.CourseID, f.Kind == FeedbackReport}
		if taken[s] || f.Until != nil && !f.Until.After(at) {
			continue
		}
		taken[s] = true
		out = append(out, f)
	}
	return out
}

// ReportStatus is what became of the reports about a course.
type ReportStatus string

// The states of a report.
const (
	ReportOpen     ReportStatus = "open"
	ReportLooking  ReportStatus = "in_review"
	ReportResolved ReportStatus = "resolved"
	ReportRejected ReportStatus = "rejected"
)

// ReportStatuses lists every state.
func ReportStatuses() []ReportStatus {
	return []ReportStatus{ReportOpen, ReportLooking, ReportResolved, ReportRejected}
}

// Report is one report as administrators see it: without who made it.
type Report struct {
	Feedback
	Status ReportStatus
	Note   string // of whoever looked at it
	By     string // id of the API key that set status or note last
	SetAt  time.Time
}

// ReportFilter narrows reports.
type ReportFilter struct {
	CourseID string         // "" is all
	Statuses []ReportStatus // none is all
	Since    time.Time      // zero is all
	Limit    int            // newest first; below 1 returns none
}

// FeedbackStore keeps what learners said about suggestions.
type FeedbackStore interface {
	// PutFeedback stores f for a learner or visitor, who is created if need be, in
	// place of what has its ID (which those who take feedback keep to one kind about one
	// course), and of what the same person said in the same kind
	// about the same course; of more, less, not now and known only the last counts.
	// The profile's version rises. Errors: CodeConflict when the ID is another's.
	PutFeedback(ctx context.Context, ref LearnerRef, f Feedback) (WriteResult, error)
	// DeleteFeedback takes it back. Errors: CodeNotFound.
	DeleteFeedback(ctx context.Context, ref LearnerRef, id string) error
	// Feedback returns what the learner said, newest first. Errors: CodeNotFound.
	Feedback(ctx context.Context, ref LearnerRef) ([]Feedback, error)
	// Reports returns reports, newest first. Those of erased learners stay, without
	// their comment, id and list.
	Reports(ctx context.Context, f ReportFilter) ([]Report, error)
	// SetReports sets status and note of every report about a course that is in one
	// of the given states, and returns how many.
	SetReports(ctx context.Context, courseID string, from []ReportStatus, to Report) (int, error)
}
