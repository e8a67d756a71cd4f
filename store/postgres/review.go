package postgres

import (
	"context"
	"reflect"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// PutReviews implements lectern.ReviewStore.
func (s *Store) PutReviews(ctx context.Context, reviews []lectern.Review) ([]lectern.WriteResult, error) {
	results := make([]lectern.WriteResult, len(reviews))
	if len(reviews) == 0 {
		return results, nil
	}
	rows := make([]sqlcgen.Review, len(reviews))
	var accepted []int
	for i, r := range reviews {
		var err error
		if rows[i], err = reviewRow(r); err != nil {
			results[i] = rejected(err)
			continue
		}
		accepted = append(accepted, i)
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		w := &reviewWrite{tx: tx, left: map[int64]bool{}}
		if err := w.lookUp(ctx, reviews, accepted); err != nil {
			return err
		}
		for _, i := range accepted {
			results[i] = outcome(w.put(reviews[i], rows[i]))
		}
		return w.store(ctx)
	})
	return resultsOrNil(results, err)
}

// reviewWrite is one batch of reviews on its way in.
type reviewWrite struct {
	tx       *writeTx
	courses  map[string]courseRef
	learners map[string]int64
	byID     map[string]*reviewState
	staged   []*reviewState
	left     map[int64]bool // courses that reviews go away from; set where the review has text
	moved    []int64        // reviews that do
}

// reviewState is a review as the batch has left it so far.
type reviewState struct {
	row            sqlcgen.Review
	exists, staged bool
}

// lookUp reads all that the batch mentions, in the order in which writes lock.
func (w *reviewWrite) lookUp(ctx context.Context, reviews []lectern.Review, accepted []int) (err error) {
	var ids, courses, learners []string
	for _, i := range accepted {
		r := reviews[i]
		ids, courses = append(ids, r.ID), append(courses, r.CourseID)
		if r.LearnerID != "" {
			learners = append(learners, r.LearnerID)
		}
	}
	if w.courses, err = w.tx.courseIDs(ctx, courses, true); err != nil {
		return err
	}
	if err := w.awaitCourses(ctx); err != nil {
		return err
	}
	if len(learners) > 0 {
		if w.learners, err = w.tx.learnerIDs(ctx, learners); err != nil {
			return err
		}
	}
	w.byID = make(map[string]*reviewState, len(ids))
	rows, err := w.tx.q.ReviewsByID(ctx, distinct(ids))
	for _, r := range rows {
		w.byID[r.ReviewID] = &reviewState{row: r, exists: true}
	}
	return err
}

// awaitCourses waits for the writes of courses that are unknown so far. Whoever
// comes second of a course and its reviews queues the embedding of the reviews,
// so neither must overlook the other.
func (w *reviewWrite) awaitCourses(ctx context.Context) error {
	var unknown []int64
	for _, ref := range w.courses {
		if !ref.known {
			unknown = append(unknown, ref.id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	if err := w.tx.q.LockCourseIDs(ctx, unknown); err != nil {
		return err
	}
	rows, err := w.tx.q.KnownCourses(ctx, unknown)
	for _, r := range rows {
		w.courses[r.ExternalID] = courseRef{id: r.ID, known: true}
	}
	return err
}

// put stages one review.
func (w *reviewWrite) put(r lectern.Review, row sqlcgen.Review) lectern.WriteOutcome {
	ref := w.courses[r.CourseID]
	row.CourseID = ref.id
	if r.LearnerID != "" {
		id := w.learners[r.LearnerID]
		row.LearnerID = &id
	}
	st := w.byID[r.ID]
	if st == nil {
		st = &reviewState{}
		w.byID[r.ID] = st
	}
	stored := st.row
	row.ID, row.SortAt = stored.ID, stored.SortAt // which the server fills in
	if st.exists && reflect.DeepEqual(row, stored) {
		return lectern.OutcomeUnchanged
	}
	w.tx.changed(lectern.ChangeStats, ref.id)
	moved := st.exists && stored.CourseID != ref.id
	if moved {
		w.left[stored.CourseID] = w.left[stored.CourseID] || stored.Text != ""
		w.moved = append(w.moved, stored.ID)
	}
	if ref.known && (row.Text != "" || st.exists && !moved && stored.Text != "") {
		w.tx.embedReviews = append(w.tx.embedReviews, r.CourseID)
	}
	existed := st.exists
	st.row, st.exists = row, true
	if !st.staged {
		st.staged = true
		w.staged = append(w.staged, st)
	}
	switch {
	case existed:
		return lectern.OutcomeUpdated
	case !ref.known:
		return lectern.OutcomeParked // its embedding is queued when the course comes
	}
	return lectern.OutcomeCreated
}

// store writes what was staged.
func (w *reviewWrite) store(ctx context.Context) error {
	if len(w.staged) == 0 {
		return nil
	}
	var p sqlcgen.UpsertReviewsParams
	for _, st := range w.staged {
		r := st.row
		p.ReviewIds = append(p.ReviewIds, r.ReviewID)
		p.Sources = append(p.Sources, r.Source)
		p.Courses = append(p.Courses, r.CourseID)
		p.Learners = append(p.Learners, orZero(r.LearnerID))
		p.StarsTenths = append(p.StarsTenths, orZero(r.StarsTenths))
		p.Texts = append(p.Texts, r.Text)
		p.Languages = append(p.Languages, r.Language)
		p.Helpful = append(p.Helpful, r.Helpful)
		p.Dated = append(p.Dated, r.WrittenAt != nil)
		p.WrittenAts = append(p.WrittenAts, orZero(r.WrittenAt))
		p.Days = append(p.Days, orZero(r.Day))
	}
	if err := w.tx.q.UpsertReviews(ctx, p); err != nil {
		return err
	}
	if len(w.moved) > 0 {
		if err := w.tx.q.MoveHolds(ctx, w.moved); err != nil {
			return err
		}
	}
	return w.tx.leave(ctx, w.left)
}

func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// leave notes that reviews go away from courses, which may not be among those
// that the batch mentions. The reviews had text where left is set.
func (tx *writeTx) leave(ctx context.Context, left map[int64]bool) error {
	if len(left) == 0 {
		return nil
	}
	ids := sortedKeys(left)
	tx.changed(lectern.ChangeStats, ids...)
	known, err := tx.q.KnownCourses(ctx, ids)
	for _, c := range known {
		if left[c.ID] {
			tx.embedReviews = append(tx.embedReviews, c.ExternalID)
		}
	}
	return err
}

// reviewRow encodes a review; its errors reject the review. The references are
// left to the caller.
func reviewRow(r lectern.Review) (sqlcgen.Review, error) {
	if err := checkReview(r); err != nil {
		return sqlcgen.Review{}, err
	}
	row := sqlcgen.Review{
		ReviewID: r.ID, Source: r.Source, Text: r.Text, Language: r.Language,
		Helpful: int64(r.Helpful), WrittenAt: timestampOrNil(r.WrittenAt),
	}
	if r.Stars != nil {
		tenths, err := starsTenths("stars", *r.Stars)
		if err != nil {
			return sqlcgen.Review{}, err
		}
		row.StarsTenths = &tenths
	}
	if row.WrittenAt != nil {
		day := dayOf(*row.WrittenAt)
		row.Day = &day
	}
	return row, nil
}

func checkReview(r lectern.Review) error {
	checks := []error{
		checkID("id", r.ID), checkID("course_id", r.CourseID),
		checkText("source", r.Source), checkText("text", r.Text), checkText("language", r.Language),
	}
	if r.LearnerID != "" {
		checks = append(checks, checkID("learner_id", r.LearnerID))
	}
	if r.WrittenAt != nil {
		checks = append(checks, checkTime("written_at", *r.WrittenAt))
	}
	if i := slices.IndexFunc(checks, func(err error) bool { return err != nil }); i >= 0 {
		return checks[i]
	}
	return nil
}

// Reviews implements lectern.ReviewStore. An unknown after is CodeNotFound.
func (s *Store) Reviews(ctx context.Context, courseID, after string, limit int) ([]lectern.Review, error) {
	return s.reviews(ctx, courseID, after, limit, false)
}

// AllReviews implements lectern.SentimentStore.
func (s *Store) AllReviews(ctx context.Context, courseID, after string, limit int) ([]lectern.Review, error) {
	return s.reviews(ctx, courseID, after, limit, true)
}

func (s *Store) reviews(ctx context.Context, courseID, after string, limit int, all bool) ([]lectern.Review, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	var out []lectern.Review
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		out = nil
		course, err := courseIDOf(ctx, q, courseID)
		if err != nil || course == 0 {
			return err
		}
		var from int64
		if after != "" {
			if from, err = reviewAfter(ctx, q, course, after); err != nil {
				return err
			}
		}
		rows, err := reviewPage(ctx, q, course, from, rowLimit(limit), all)
		for _, r := range rows {
			out = append(out, reviewOf(courseID, r.Learner, r.Held, r.Review))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// reviewPage reads reviews, with text or all, from a review on; 0 is the start.
func reviewPage(ctx context.Context, q *sqlcgen.Queries, course, from int64, limit int32, all bool) (out []sqlcgen.ReviewsBeforeRow, err error) {
	switch {
	case from == 0 && all:
		rows, err := q.AllNewestReviews(ctx, course, limit)
		for _, r := range rows {
			out = append(out, sqlcgen.ReviewsBeforeRow(r))
		}
		return out, err
	case from == 0:
		rows, err := q.NewestReviews(ctx, course, limit)
		for _, r := range rows {
			out = append(out, sqlcgen.ReviewsBeforeRow(r))
		}
		return out, err
	case all:
		rows, err := q.AllReviewsBefore(ctx, from, course, limit)
		for _, r := range rows {
			out = append(out, sqlcgen.ReviewsBeforeRow(r))
		}
		return out, err
	}
	return q.ReviewsBefore(ctx, from, course, limit)
}

// reviewAfter finds the review that a page goes on from.
func reviewAfter(ctx context.Context, q *sqlcgen.Queries, course int64, reviewID string) (int64, error) {
	gone := notFound("review of this course to go on from")
	if !isText(reviewID) {
		return 0, gone
	}
	r, err := q.ReviewByID(ctx, reviewID)
	if isNoRows(err) || err == nil && r.CourseID != course {
		return 0, gone
	}
	return r.ID, err
}

func reviewOf(courseID, learnerID, held string, r sqlcgen.Review) lectern.Review {
	out := lectern.Review{
		ID: r.ReviewID, Source: r.Source, CourseID: courseID, LearnerID: learnerID, Text: r.Text,
		Language: r.Language, Helpful: int(r.Helpful), WrittenAt: r.WrittenAt,
		Held: lectern.HoldStatus(held),
	}
	if r.StarsTenths != nil {
		stars := float64(*r.StarsTenths) / 10
		out.Stars = &stars
	}
	return out
}

// DeleteReview implements lectern.ReviewStore.
func (s *Store) DeleteReview(ctx context.Context, id string) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if !isText(id) {
			return notFound("review")
		}
		rows, err := tx.q.ReviewsByID(ctx, []string{id}) // and locks it
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return notFound("review")
		}
		if _, err := tx.q.DeleteReview(ctx, rows[0].ID); err != nil {
			return err
		}
		return tx.leave(ctx, map[int64]bool{rows[0].CourseID: rows[0].Text != ""})
	})
}
