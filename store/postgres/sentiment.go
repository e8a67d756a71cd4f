package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

var _ lectern.SentimentStore = (*Store)(nil)

// PutReviewSummaries implements lectern.SentimentStore.
func (s *Store) PutReviewSummaries(ctx context.Context, summaries []lectern.ReviewSummary) error {
	if len(summaries) == 0 {
		return ctx.Err()
	}
	byID := make(map[string]lectern.ReviewSummary, len(summaries))
	ids := make([]string, 0, len(summaries))
	for _, sum := range summaries {
		sum.MadeAt = lectern.Timestamp(sum.MadeAt)
		byID[sum.CourseID] = sum
		ids = append(ids, sum.CourseID)
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		courses, err := tx.q.HoldCourses(ctx, textsOf(ids))
		if err != nil {
			return err
		}
		var p sqlcgen.PutReviewSummariesParams
		after := make(map[int64]lectern.ReviewSummary, len(courses))
		for _, c := range courses {
			sum := byID[c.ExternalID]
			body, err := json.Marshal(sum)
			if err != nil {
				return lectern.Invalid("a summary of reviews cannot be stored", lectern.NewFieldError("summary", err, "is not JSON", ""))
			}
			after[c.CourseID] = sum
			p.Courses = append(p.Courses, c.CourseID)
			p.Scored = append(p.Scored, sum.Score != nil)
			p.Scores = append(p.Scores, orZero(sum.Score))
			p.Weights = append(p.Weights, sum.Weight)
			p.Bodies = append(p.Bodies, string(body))
		}
		if len(p.Courses) == 0 {
			return nil
		}
		before, err := tx.q.SummaryNumbers(ctx, p.Courses)
		if err != nil {
			return err
		}
		known := make(map[int64]sqlcgen.SummaryNumbersRow, len(before))
		for _, row := range before {
			known[row.CourseID] = row
		}
		for id, sum := range after {
			old := known[id] // the zero value is that of a course without a summary
			if old.Weight != sum.Weight || (old.Score == nil) != (sum.Score == nil) || sum.Score != nil && *old.Score != *sum.Score {
				tx.changed(lectern.ChangeSentiment, id)
			}
		}
		return tx.q.PutReviewSummaries(ctx, p)
	})
}

// ReviewSummary implements lectern.SentimentStore.
func (s *Store) ReviewSummary(ctx context.Context, courseID string) (lectern.ReviewSummary, error) {
	var out lectern.ReviewSummary
	if !isText(courseID) {
		return out, notFound("summary of reviews")
	}
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		out = lectern.ReviewSummary{}
		body, err := q.ReviewSummary(ctx, courseID)
		if isNoRows(err) {
			return notFound("summary of reviews")
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal(body, &out); err != nil {
			return fmt.Errorf("summary of the reviews of course %q: %w", courseID, err)
		}
		out.CourseID = courseID
		return nil
	})
	return out, err
}

// PutHeldReviews implements lectern.SentimentStore.
func (s *Store) PutHeldReviews(ctx context.Context, courseID string, held []lectern.HeldReview) error {
	byID := make(map[string]lectern.HeldReview, len(held))
	for _, h := range held {
		if err := checkText("held", h.Rule, h.Detail); err != nil {
			return err
		}
		byID[h.ReviewID] = h
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		course, err := courseIDOf(ctx, tx.q, courseID)
		if err != nil || course == 0 {
			return err
		}
		reviews, err := tx.q.ReviewsToHold(ctx, textsOf(sortedKeys(byID)), course)
		if err != nil {
			return err
		}
		p := sqlcgen.PutPendingHoldsParams{CourseID: course, Reviews: []int64{}}
		for _, r := range reviews {
			h := byID[r.ReviewID]
			p.Reviews = append(p.Reviews, r.ID)
			p.Rules = append(p.Rules, h.Rule)
			p.Details = append(p.Details, h.Detail)
			p.HeldAts = append(p.HeldAts, lectern.Timestamp(h.HeldAt))
		}
		before, err := tx.q.PendingHolds(ctx, course)
		if err != nil {
			return err
		}
		if err := tx.q.DropPendingHolds(ctx, course, p.Reviews); err != nil {
			return err
		}
		if len(p.Reviews) > 0 {
			if err := tx.q.PutPendingHolds(ctx, p); err != nil {
				return err
			}
		}
		after, err := tx.q.PendingHolds(ctx, course)
		if !slices.Equal(before, after) {
			tx.changed(lectern.ChangeStats, course)
		}
		return err
	})
}

// HeldReviews implements lectern.SentimentStore.
func (s *Store) HeldReviews(ctx context.Context, courseID string, status lectern.HoldStatus, after string, limit int) ([]lectern.HeldReview, error) {
	if limit <= 0 || !isText(string(status)) {
		return nil, ctx.Err()
	}
	var out []lectern.HeldReview
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		out = nil
		course, err := courseIDOf(ctx, q, courseID)
		if err != nil || course == 0 && courseID != "" {
			return err
		}
		p := sqlcgen.HeldReviewsParams{Status: string(status), CourseID: course, MaxRows: rowLimit(limit)}
		if after != "" {
			if p.AfterID, err = holdAfter(ctx, q, after); err != nil {
				return err
			}
		}
		rows, err := q.HeldReviews(ctx, p)
		for _, r := range rows {
			out = append(out, heldOf(r.Course, r.Learner, r.Review, r.HeldReview))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// holdAfter finds the held review that a page goes on from.
func holdAfter(ctx context.Context, q *sqlcgen.Queries, reviewID string) (int64, error) {
	gone := notFound("held review to go on from")
	if !isText(reviewID) {
		return 0, gone
	}
	id, err := q.HoldOf(ctx, reviewID)
	if isNoRows(err) {
		return 0, gone
	}
	return id, err
}

// CountHeldReviews implements lectern.SentimentStore.
func (s *Store) CountHeldReviews(ctx context.Context, courseID string, status lectern.HoldStatus) (int, error) {
	if !isText(string(status)) {
		return 0, ctx.Err()
	}
	var n int64
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		n = 0
		course, err := courseIDOf(ctx, q, courseID)
		if err != nil || course == 0 && courseID != "" {
			return err
		}
		n, err = q.CountHeldReviews(ctx, string(status), course)
		return err
	})
	return int(n), err
}

func heldOf(courseID, learnerID string, of sqlcgen.Review, r sqlcgen.HeldReview) lectern.HeldReview {
	review := reviewOf(courseID, "", "", of)
	return lectern.HeldReview{
		ReviewID: of.ReviewID, CourseID: courseID, Rule: r.Rule, Detail: r.Detail, HeldAt: r.HeldAt,
		Status: lectern.HoldStatus(r.Status), By: r.DecidedBy,
		LearnerID: learnerID, Text: review.Text, Stars: review.Stars, WrittenAt: review.WrittenAt,
	}
}

// DecideHeldReview implements lectern.SentimentStore.
func (s *Store) DecideHeldReview(ctx context.Context, reviewID string, status lectern.HoldStatus, by string, at time.Time) (lectern.HeldReview, error) {
	if status != lectern.HoldUpheld && status != lectern.HoldReleased {
		return lectern.HeldReview{}, lectern.Invalid("a review is upheld or released",
			lectern.NewFieldError("status", status, "is not a decision", "upheld, released"))
	}
	if err := checkText("by", by); err != nil {
		return lectern.HeldReview{}, err
	}
	var out lectern.HeldReview
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if !isText(reviewID) {
			return notFound("review")
		}
		rows, err := tx.q.ReviewsByID(ctx, []string{reviewID}) // and locks it
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return notFound("review")
		}
		course := rows[0].CourseID
		row, err := tx.q.DecideHold(ctx, sqlcgen.DecideHoldParams{
			ReviewID: rows[0].ID, CourseID: course, Rule: lectern.RuleByHand, At: lectern.Timestamp(at),
			Status: string(status), DecidedBy: by,
		})
		if err != nil {
			return err
		}
		tx.changed(lectern.ChangeStats, course)
		name, err := tx.q.CourseName(ctx, course)
		if err != nil {
			return err
		}
		learner, err := tx.q.ReviewLearner(ctx, rows[0].ID)
		out = heldOf(name, learner, rows[0], row)
		return err
	})
	if err != nil {
		return lectern.HeldReview{}, err
	}
	return out, nil
}

// RatingHistories implements lectern.SentimentStore.
func (s *Store) RatingHistories(ctx context.Context, ids []string) (map[string][]lectern.RatingMonth, error) {
	var out map[string][]lectern.RatingMonth
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		names := map[int64]string{}
		var months []sqlcgen.RatingMonthsRow
		if ids == nil {
			courses, err := q.StatsCourses(ctx)
			if err != nil {
				return err
			}
			for _, c := range courses {
				names[c.CourseID] = c.ExternalID
			}
			if months, err = q.RatingMonths(ctx); err != nil {
				return err
			}
		} else {
			courses, err := q.CourseIDs(ctx, textsOf(ids))
			if err != nil {
				return err
			}
			for _, c := range courses {
				names[c.ID] = c.ExternalID
			}
			rows, err := q.RatingMonthsOf(ctx, sortedKeys(names))
			if err != nil {
				return err
			}
			for _, r := range rows {
				months = append(months, sqlcgen.RatingMonthsRow(r))
			}
		}
		out = make(map[string][]lectern.RatingMonth, len(names))
		for _, m := range months {
			if name, ok := names[m.CourseID]; ok { // or it is parked
				out[name] = append(out[name], lectern.RatingMonth{
					Month: m.Month.Time, Count: int(m.N), Mean: float64(m.Tenths) / 10 / float64(m.N),
				})
			}
		}
		held, err := q.HeldStars(ctx) // few, whichever courses are asked for
		for _, h := range held {
			if name, ok := names[h.CourseID]; ok && h.Day != nil {
				out[name] = withoutHeld(out[name], dayTime(*h.Day), h.N, h.Tenths)
				if len(out[name]) == 0 {
					delete(out, name)
				}
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ReviewAuthors implements lectern.SentimentStore.
func (s *Store) ReviewAuthors(ctx context.Context, courseID string, learnerIDs []string) (map[string]lectern.ReviewAuthor, error) {
	out := make(map[string]lectern.ReviewAuthor, len(learnerIDs))
	if len(learnerIDs) == 0 {
		return out, ctx.Err()
	}
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		course, err := courseIDOf(ctx, q, courseID)
		if err != nil {
			return err
		}
		rows, err := q.ReviewAuthors(ctx, course, int32(lectern.StateTook), textsOf(learnerIDs))
		for _, r := range rows {
			out[r.ExternalID] = lectern.ReviewAuthor{Since: r.CreatedAt.UTC(), Reviews: int(r.Reviews), Took: r.Took}
		}
		return err
	})
	return out, err
}
