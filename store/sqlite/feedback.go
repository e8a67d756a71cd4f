package sqlite

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

var _ lectern.FeedbackStore = (*Store)(nil)

// PutFeedback implements lectern.FeedbackStore. A report that is made again is open
// again.
func (s *Store) PutFeedback(ctx context.Context, ref lectern.LearnerRef, f lectern.Feedback) (lectern.WriteResult, error) {
	if err := checkFeedback(ref, f); err != nil {
		return lectern.WriteResult{}, err
	}
	f.At = lectern.Timestamp(f.At)
	if f.Until != nil {
		until := lectern.Timestamp(*f.Until)
		f.Until = &until
	}
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
	people := newPeople(tx)
	learner, found, err := people.findRef(ctx, ref)
	if err != nil {
		return none, err
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
		if learner, err = people.ref(ctx, ref); err != nil {
			return none, err
		}
	}
	courses, err := lookUpCourses(ctx, tx, []string{f.CourseID})
	if err != nil {
		return none, err
	}
	course, err := courses.ref(ctx, f.CourseID)
	if err != nil {
		return none, err
	}
	err = tx.logFeedback(ctx, -1, "learner_id = ? AND (feedback_id = ? OR course_id = ? AND kind = ?)", learner, f.ID, course.id, string(f.Kind))
	if err != nil {
		return none, err
	}
	replaced, err := tx.q.ReplaceFeedback(ctx, sqlcgen.ReplaceFeedbackParams{
		LearnerID: &learner, FeedbackID: &f.ID, CourseID: course.id, Kind: string(f.Kind),
	})
	if err != nil {
		return none, err
	}
	if err := tx.q.InsertFeedback(ctx, feedbackRow(f, learner, course.id)); err != nil {
		return none, err
	}
	if err := tx.logFeedback(ctx, 1, "feedback_id = ?", f.ID); err != nil {
		return none, err
	}
	if err := tx.profileMoved(ctx, learner); err != nil {
		return none, err
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
	if err := checkRef(ref); err != nil {
		return err
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
	case !utf8.ValidString(f.Comment):
		return lectern.Invalid("a comment is not text", lectern.NewFieldError("comment", "", "is not valid UTF-8 text", ""))
	}
	return nil
}

func feedbackRow(f lectern.Feedback, learner, course int64) sqlcgen.InsertFeedbackParams {
	row := sqlcgen.InsertFeedbackParams{
		FeedbackID: &f.ID, LearnerID: &learner, CourseID: course, Kind: string(f.Kind), At: micros(f.At),
		Until: microsOrNil(f.Until), Reason: string(f.Reason), Comment: f.Comment, RankingID: strOrNil(f.RankingID),
		Surface: string(f.Surface), ListRow: string(f.Row), Term: f.Term, ConfigVersion: f.ConfigVersion,
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
		CourseID: course, Kind: lectern.FeedbackKind(r.Kind), At: fromMicros(r.At), Until: timeOrNil(r.Until),
		Reason: lectern.ReportReason(r.Reason), Comment: r.Comment, Surface: lectern.Surface(r.Surface),
		Row: lectern.Row(r.ListRow), Term: r.Term, ConfigVersion: r.ConfigVersion,
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
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		learner, err := s.resolve(ctx, tx.q, ref)
		if err != nil {
			return err
		}
		if err := tx.logFeedback(ctx, -1, "learner_id = ? AND feedback_id = ?", learner, id); err != nil {
			return err
		}
		n, err := tx.q.DeleteFeedback(ctx, &learner, &id)
		switch {
		case err != nil:
			return err
		case n == 0:
			return notFound("feedback")
		}
		return tx.profileMoved(ctx, learner)
	})
}

// Feedback implements lectern.FeedbackStore.
func (s *Store) Feedback(ctx context.Context, ref lectern.LearnerRef) ([]lectern.Feedback, error) {
	id, err := s.resolve(ctx, s.read, ref)
	if err != nil {
		return nil, err
	}
	return feedbackOfLearner(ctx, s.read, id)
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
func (s *Store) holding(ctx context.Context, learner int64) ([]lectern.Feedback, error) {
	said, err := feedbackOfLearner(ctx, s.read, learner)
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
	if f.Limit <= 0 {
		return nil, ctx.Err()
	}
	rows, err := s.read.Reports(ctx, sqlcgen.ReportsParams{
		Since: micros(f.Since), Course: f.CourseID, Statuses: statusList(f.Statuses), MaxRows: int64(f.Limit),
	})
	if err != nil {
		return nil, err
	}
	out := make([]lectern.Report, len(rows))
	for i, r := range rows {
		out[i] = lectern.Report{
			Feedback: feedbackOf(r.Feedback, r.ExternalID), Status: lectern.ReportStatus(r.Feedback.Status),
			Note: r.Feedback.Note, By: r.Feedback.SetBy,
		}
		if r.Feedback.SetAt != nil {
			out[i].SetAt = fromMicros(*r.Feedback.SetAt)
		}
	}
	return out, nil
}

// statusList is a JSON array, empty for none.
func statusList(statuses []lectern.ReportStatus) string {
	if len(statuses) == 0 {
		return "[]"
	}
	return jsonText(statuses)
}

// SetReports implements lectern.FeedbackStore. Errors: CodeInvalid for an unknown
// state.
func (s *Store) SetReports(ctx context.Context, courseID string, from []lectern.ReportStatus, to lectern.Report) (int, error) {
	if err := checkReport(to); err != nil {
		return 0, err
	}
	var n int64
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) (err error) {
		at := tx.now
		if !to.SetAt.IsZero() {
			at = to.SetAt
		}
		n, err = tx.q.SetReports(ctx, sqlcgen.SetReportsParams{
			Status: string(to.Status), Note: to.Note, SetBy: to.By, SetAt: microsOrNil(&at),
			Course: courseID, FromStatuses: statusList(from),
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
	if !utf8.ValidString(r.Note) {
		return lectern.Invalid("a note is not text", lectern.NewFieldError("note", "", "is not valid UTF-8 text", ""))
	}
	return nil
}

// absorbFeedback hands what a visitor said to a learner; of what both said in one
// kind about one course, what was said last stays.
func (tx *writeTx) absorbFeedback(ctx context.Context, from, to int64) error {
	err := tx.logFeedback(ctx, -1, `id IN (SELECT f.id FROM feedback f
JOIN feedback g ON g.course_id = f.course_id AND g.kind = f.kind AND g.learner_id <> f.learner_id
WHERE f.learner_id IN (?1, ?2) AND g.learner_id IN (?1, ?2) AND (g.at > f.at OR g.at = f.at AND g.id > f.id))`, from, to)
	if err != nil {
		return err
	}
	if err := tx.q.DropOlderFeedback(ctx, &from, &to); err != nil {
		return err
	}
	return tx.q.MoveFeedback(ctx, &to, &from)
}
