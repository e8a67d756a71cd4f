package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

var _ lectern.FeedbackStore = (*Store)(nil)

// PutFeedback implements lectern.FeedbackStore. A report that is made again is open
// again.
func (s *Store) PutFeedback(ctx context.Context, ref lectern.LearnerRef, f lectern.Feedback) (lectern.WriteResult, error) {
	if err := checkFeedback(ref, f); err != nil {
		return lectern.WriteResult{}, err
	}
	f.At, f.Until = lectern.Timestamp(f.At), timestampOrNil(f.Until)
	var result lectern.WriteResult
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) (err error) {
		result, err = tx.putFeedback(ctx, ref, f)
		return err
	})
	if err != nil {
		return lectern.WriteResult{}, err
	}
	return result, nil
}

func (tx *writeTx) putFeedback(ctx context.Context, ref lectern.LearnerRef, f lectern.Feedback) (lectern.WriteResult, error) {
	var none lectern.WriteResult
	courses, err := tx.courseIDs(ctx, []string{f.CourseID}, true)
	if err != nil {
		return none, err
	}
	who := identities(ref)[:1] // the learner id where there is one, as with events
	people, err := tx.findPeople(ctx, who)
	if err != nil {
		return none, err
	}
	person, found := people[who[0]]
	learner := person.id
	if found {
		if _, err := tx.lockPeople(ctx, []int64{learner}, false); err != nil {
			return none, err
		}
	}
	stored, err := tx.q.FeedbackByID(ctx, &f.ID)
	switch {
	case isNoRows(err):
	case err != nil:
		return none, err
	case !found || stored.Feedback.LearnerID == nil || *stored.Feedback.LearnerID != learner:
		return none, takenFeedback(f.ID)
	case sameFeedback(feedbackOf(stored.Feedback, stored.ExternalID), f):
		return outcome(lectern.OutcomeUnchanged), nil
	}
	if !found {
		created, err := tx.createPeople(ctx, who)
		if err != nil {
			return none, err
		}
		learner = created[0]
	}
	return tx.replaceFeedback(ctx, learner, feedbackRow(f, learner, courses[f.CourseID].id))
}

// replaceFeedback writes a row in place of those that it takes the place of.
// Errors: errRaced.
func (tx *writeTx) replaceFeedback(
	ctx context.Context, learner int64, row sqlcgen.InsertFeedbackParams,
) (lectern.WriteResult, error) {
	err := tx.noteFeedback(ctx, -1, "learner_id = $1 AND (feedback_id = $2 OR course_id = $3 AND kind = $4)",
		learner, row.FeedbackID, row.CourseID, row.Kind)
	if err != nil {
		return lectern.WriteResult{}, err
	}
	replaced, err := tx.q.ReplaceFeedback(ctx, sqlcgen.ReplaceFeedbackParams{
		LearnerID: &learner, FeedbackID: row.FeedbackID, CourseID: row.CourseID, Kind: row.Kind,
	})
	if err != nil {
		return lectern.WriteResult{}, err
	}
	n, err := tx.q.InsertFeedback(ctx, row)
	if err == nil && n == 0 {
		err = errRaced // somebody else has taken the id
	}
	if err != nil {
		return lectern.WriteResult{}, err
	}
	if err := tx.noteFeedback(ctx, 1, "feedback_id = $1", row.FeedbackID); err != nil {
		return lectern.WriteResult{}, err
	}
	tx.profileChanged(learner)
	if err := tx.q.BumpProfiles(ctx, []int64{learner}); err != nil {
		return lectern.WriteResult{}, err
	}
	if replaced > 0 {
		return outcome(lectern.OutcomeUpdated), nil
	}
	return outcome(lectern.OutcomeCreated), nil
}

// takenFeedback refuses an id that somebody else's feedback has.
func takenFeedback(id string) error {
	return &lectern.Error{
		Code: lectern.CodeConflict, Message: "this id belongs to other feedback",
		Fields: []lectern.FieldError{lectern.NewFieldError("id", id, "is taken", "an id of its own")},
	}
}

// checkFeedback says why feedback cannot be stored.
func checkFeedback(ref lectern.LearnerRef, f lectern.Feedback) error {
	if ref.IsZero() {
		return lectern.Invalid("feedback needs somebody who gives it", lectern.NewFieldError("learner", "", "is missing", ""))
	}
	for _, who := range identities(ref) {
		if err := checkID("learner", who.externalID); err != nil {
			return err
		}
	}
	if err := checkID("id", f.ID); err != nil {
		return err
	}
	if err := checkID("course_id", f.CourseID); err != nil {
		return err
	}
	switch {
	case !slices.Contains(lectern.FeedbackKinds(), f.Kind):
		return lectern.Invalid("unknown kind of feedback",
			lectern.NewFieldError("kind", f.Kind, "is unknown", fmt.Sprint(lectern.FeedbackKinds())))
	case f.At.IsZero():
		return lectern.Invalid("feedback needs a time", lectern.NewFieldError("at", "", "is missing", ""))
	case f.Kind == lectern.FeedbackReport && !slices.Contains(lectern.ReportReasons(), f.Reason):
		return lectern.Invalid("a report needs a reason",
			lectern.NewFieldError("reason", f.Reason, "is unknown", fmt.Sprint(lectern.ReportReasons())))
	}
	until := f.At
	if f.Until != nil {
		until = *f.Until
	}
	return errors.Join(
		checkTime("at", f.At), checkTime("until", until), checkText("comment", f.Comment), checkText("ranking_id", f.RankingID),
		checkText("surface", string(f.Surface), string(f.Row)), checkText("term", f.Term, f.ConfigVersion),
	)
}

func feedbackRow(f lectern.Feedback, learner, course int64) sqlcgen.InsertFeedbackParams {
	row := sqlcgen.InsertFeedbackParams{
		FeedbackID: f.ID, LearnerID: learner, CourseID: course, Kind: string(f.Kind), At: f.At, Until: f.Until,
		Reason: string(f.Reason), Comment: f.Comment, Surface: string(f.Surface), ListRow: string(f.Row), Term: f.Term,
		ConfigVersion: f.ConfigVersion,
	}
	if f.RankingID != "" {
		row.RankingID = &f.RankingID
	}
	if f.Position != nil {
		n := int64(*f.Position)
		row.Position = &n
	}
	if f.Kind == lectern.FeedbackReport {
		row.Status = string(lectern.ReportOpen)
	}
	return row
}

func feedbackOf(r sqlcgen.Feedback, course string) lectern.Feedback {
	f := lectern.Feedback{
		CourseID: course, Kind: lectern.FeedbackKind(r.Kind), At: r.At, Until: r.Until, Reason: lectern.ReportReason(r.Reason),
		Comment: r.Comment, Surface: lectern.Surface(r.Surface), Row: lectern.Row(r.ListRow), Term: r.Term,
		ConfigVersion: r.ConfigVersion,
	}
	if r.FeedbackID != nil {
		f.ID = *r.FeedbackID
	}
	if r.RankingID != nil {
		f.RankingID = *r.RankingID
	}
	if r.Position != nil {
		n := int(*r.Position)
		f.Position = &n
	}
	return f
}

// sameFeedback compares what is stored with what is written, whose times are rounded.
func sameFeedback(a, b lectern.Feedback) bool {
	until := a.Until == nil && b.Until == nil || a.Until != nil && b.Until != nil && a.Until.Equal(*b.Until)
	position := a.Position == nil && b.Position == nil || a.Position != nil && b.Position != nil && *a.Position == *b.Position
	same := until && position && a.At.Equal(b.At)
	a.At, a.Until, a.Position = b.At, b.Until, b.Position
	return same && a == b
}

// DeleteFeedback implements lectern.FeedbackStore.
func (s *Store) DeleteFeedback(ctx context.Context, ref lectern.LearnerRef, id string) error {
	if !isText(id) {
		return notFound("feedback")
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		learner, err := resolve(ctx, tx.q, ref)
		if err != nil {
			return err
		}
		if _, err := tx.lockPeople(ctx, []int64{learner}, false); err != nil {
			return err
		}
		if err := tx.noteFeedback(ctx, -1, "learner_id = $1 AND feedback_id = $2", learner, id); err != nil {
			return err
		}
		n, err := tx.q.DeleteFeedback(ctx, learner, id)
		switch {
		case err != nil:
			return err
		case n == 0:
			return notFound("feedback")
		}
		tx.profileChanged(learner)
		return tx.q.BumpProfiles(ctx, []int64{learner})
	})
}

// Feedback implements lectern.FeedbackStore.
func (s *Store) Feedback(ctx context.Context, ref lectern.LearnerRef) ([]lectern.Feedback, error) {
	var out []lectern.Feedback
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		id, err := resolve(ctx, q, ref)
		if err != nil {
			return err
		}
		out, err = feedbackOfLearner(ctx, q, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func feedbackOfLearner(ctx context.Context, q *sqlcgen.Queries, learner int64) ([]lectern.Feedback, error) {
	rows, err := q.FeedbackOf(ctx, &learner)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	out := make([]lectern.Feedback, len(rows))
	for i, r := range rows {
		out[i] = feedbackOf(r.Feedback, r.ExternalID)
	}
	return out, nil
}

// holding is what a profile says of the learner's feedback.
func (s *Store) holding(ctx context.Context, q *sqlcgen.Queries, learner int64) ([]lectern.Feedback, error) {
	said, err := feedbackOfLearner(ctx, q, learner)
	if err != nil {
		return nil, err
	}
	held := lectern.HoldingFeedback(said, s.clock())
	for i := range held {
		held[i].Comment = ""
	}
	return held, nil
}

// Reports implements lectern.FeedbackStore.
func (s *Store) Reports(ctx context.Context, f lectern.ReportFilter) ([]lectern.Report, error) {
	if f.Limit <= 0 || !isText(f.CourseID) {
		return nil, ctx.Err()
	}
	var out []lectern.Report
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.Reports(ctx, sqlcgen.ReportsParams{
			Since: f.Since, Course: f.CourseID, Statuses: statusList(f.Statuses), MaxRows: rowLimit(f.Limit),
		})
		out = make([]lectern.Report, len(rows))
		for i, r := range rows {
			out[i] = lectern.Report{
				Feedback: feedbackOf(r.Feedback, r.ExternalID), Status: lectern.ReportStatus(r.Feedback.Status),
				Note: r.Feedback.Note, By: r.Feedback.SetBy,
			}
			if r.Feedback.SetAt != nil {
				out[i].SetAt = *r.Feedback.SetAt
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func statusList(statuses []lectern.ReportStatus) []string {
	out := make([]string, 0, len(statuses))
	for _, s := range statuses {
		if isText(string(s)) {
			out = append(out, string(s))
		}
	}
	return out
}

// SetReports implements lectern.FeedbackStore. Errors: CodeInvalid for an unknown
// state.
func (s *Store) SetReports(ctx context.Context, courseID string, from []lectern.ReportStatus, to lectern.Report) (int, error) {
	if err := checkReport(to); err != nil {
		return 0, err
	}
	if !isText(courseID) {
		return 0, ctx.Err()
	}
	var n int64
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) (err error) {
		at := tx.now
		if !to.SetAt.IsZero() {
			at = lectern.Timestamp(to.SetAt)
		}
		n, err = tx.q.SetReports(ctx, sqlcgen.SetReportsParams{
			Status: string(to.Status), Note: to.Note, SetBy: to.By, SetAt: at, Course: courseID, FromStatuses: statusList(from),
		})
		return err
	})
	return int(n), err
}

func checkReport(r lectern.Report) error {
	if !slices.Contains(lectern.ReportStatuses(), r.Status) {
		return lectern.Invalid("unknown state of a report",
			lectern.NewFieldError("status", r.Status, "is unknown", fmt.Sprint(lectern.ReportStatuses())))
	}
	return errors.Join(checkText("note", r.Note), checkText("by", r.By), checkTime("set_at", r.SetAt))
}
