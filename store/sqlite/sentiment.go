package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

var _ lectern.SentimentStore = (*Store)(nil)

// PutReviewSummaries implements lectern.SentimentStore.
func (s *Store) PutReviewSummaries(ctx context.Context, summaries []lectern.ReviewSummary) error {
	if len(summaries) == 0 {
		return ctx.Err()
	}
	ids := make([]string, len(summaries))
	bodies := make([]string, len(summaries))
	for i, sum := range summaries {
		ids[i] = sum.CourseID
		sum.MadeAt = lectern.Timestamp(sum.MadeAt)
		body, err := json.Marshal(sum)
		if err != nil {
			return lectern.Invalid("a summary of reviews cannot be stored", lectern.NewFieldError("summary", err, "is not JSON", ""))
		}
		bodies[i] = string(body)
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		courses, err := lookUpCourses(ctx, tx, ids)
		if err != nil {
			return err
		}
		moved := map[int64]bool{}
		for i, sum := range summaries {
			ref := courses.byID[sum.CourseID]
			if !ref.known {
				continue
			}
			differs, err := tx.putSummary(ctx, ref.id, sum, bodies[i])
			if err != nil {
				return fmt.Errorf("summary of the reviews of course %q: %w", sum.CourseID, err)
			}
			if differs {
				moved[ref.id] = true
			}
		}
		return tx.changedAll(ctx, moved, lectern.ChangeSentiment)
	})
}

// putSummary reports whether the numbers that ranking reads are others than before.
func (tx *writeTx) putSummary(ctx context.Context, course int64, sum lectern.ReviewSummary, body string) (bool, error) {
	before, err := tx.q.SummaryNumbers(ctx, course)
	if err != nil && !isNoRows(err) {
		return false, err
	}
	differs := before.Weight != sum.Weight || (before.Score == nil) != (sum.Score == nil) ||
		sum.Score != nil && *before.Score != *sum.Score
	return differs, tx.q.PutReviewSummary(ctx, sqlcgen.PutReviewSummaryParams{
		CourseID: course, Score: sum.Score, Weight: sum.Weight, Body: body,
	})
}

// ReviewSummary implements lectern.SentimentStore.
func (s *Store) ReviewSummary(ctx context.Context, courseID string) (lectern.ReviewSummary, error) {
	var out lectern.ReviewSummary
	body, err := s.read.ReviewSummary(ctx, courseID)
	if isNoRows(err) {
		return out, notFound("summary of reviews")
	}
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		return out, fmt.Errorf("summary of the reviews of course %q: %w", courseID, err)
	}
	out.CourseID = courseID
	return out, nil
}

// PutHeldReviews implements lectern.SentimentStore.
func (s *Store) PutHeldReviews(ctx context.Context, courseID string, held []lectern.HeldReview) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		course, err := tx.q.CourseID(ctx, courseID)
		if isNoRows(err) {
			return nil
		}
		if err != nil {
			return err
		}
		before, err := tx.q.PendingHolds(ctx, course)
		if err != nil {
			return err
		}
		drop := make(map[int64]bool, len(before))
		for _, id := range before {
			drop[id] = true
		}
		more := false
		for _, h := range held {
			id, fresh, err := tx.putHold(ctx, course, h)
			if err != nil {
				return fmt.Errorf("hold review %q: %w", h.ReviewID, err)
			}
			more = more || fresh
			delete(drop, id)
		}
		for _, id := range sortedKeys(drop) {
			if err := tx.q.DropHold(ctx, id); err != nil {
				return err
			}
		}
		if !more && len(drop) == 0 {
			return nil
		}
		if _, err := tx.q.KnownCourse(ctx, course); isNoRows(err) {
			return nil // parked
		} else if err != nil {
			return err
		}
		return tx.changed(ctx, course, lectern.ChangeStats)
	})
}

// putHold holds one review, unless it is another course's or was decided on, and
// returns its internal id, 0 where it is not held for this course. fresh says that it
// was not held before.
func (tx *writeTx) putHold(ctx context.Context, course int64, h lectern.HeldReview) (id int64, fresh bool, err error) {
	r, err := tx.q.ReviewByID(ctx, h.ReviewID)
	if isNoRows(err) || err == nil && r.CourseID != course {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	row := sqlcgen.PutHoldParams{
		ReviewID: r.ID, CourseID: course, Rule: h.Rule, Detail: h.Detail, HeldAt: micros(h.HeldAt),
		Status: string(lectern.HoldPending),
	}
	switch before, err := tx.q.HoldByReview(ctx, r.ID); {
	case isNoRows(err):
		fresh = true
	case err != nil:
		return 0, false, err
	case before.Status != string(lectern.HoldPending):
		return r.ID, false, nil
	case before.Rule == h.Rule:
		row.HeldAt = before.HeldAt
	}
	return r.ID, fresh, tx.q.PutHold(ctx, row)
}

// HeldReviews implements lectern.SentimentStore.
func (s *Store) HeldReviews(ctx context.Context, courseID string, status lectern.HoldStatus, after string, limit int) ([]lectern.HeldReview, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	course, ok, err := s.heldCourse(ctx, courseID)
	if err != nil || !ok {
		return nil, err
	}
	from := sqlcgen.HeldReviewsParams{
		Status: string(status), CourseID: course, HeldAt: math.MaxInt64, ReviewID: math.MaxInt64, MaxRows: int64(limit),
	}
	if after != "" {
		h, err := s.read.HoldOf(ctx, after)
		if isNoRows(err) {
			return nil, notFound("held review to go on from")
		}
		if err != nil {
			return nil, err
		}
		from.HeldAt, from.ReviewID = h.HeldAt, h.ReviewID
	}
	rows, err := s.read.HeldReviews(ctx, from)
	if err != nil {
		return nil, err
	}
	out := make([]lectern.HeldReview, len(rows))
	for i, r := range rows {
		out[i] = heldOf(r.Course, r.Learner, r.Review, r.HeldReview)
	}
	return out, nil
}

// CountHeldReviews implements lectern.SentimentStore.
func (s *Store) CountHeldReviews(ctx context.Context, courseID string, status lectern.HoldStatus) (int, error) {
	course, ok, err := s.heldCourse(ctx, courseID)
	if err != nil || !ok {
		return 0, err
	}
	n, err := s.read.CountHeldReviews(ctx, string(status), course)
	return int(n), err
}

// heldCourse returns the internal id of a course, 0 for all; ok is false where it was
// never mentioned.
func (s *Store) heldCourse(ctx context.Context, courseID string) (id int64, ok bool, err error) {
	if courseID == "" {
		return 0, true, nil
	}
	id, err = s.read.CourseID(ctx, courseID)
	if isNoRows(err) {
		return 0, false, nil
	}
	return id, err == nil, err
}

func heldOf(courseID, learnerID string, of sqlcgen.Review, r sqlcgen.HeldReview) lectern.HeldReview {
	review := reviewOf(courseID, "", "", of)
	return lectern.HeldReview{
		ReviewID: of.ReviewID, CourseID: courseID, Rule: r.Rule, Detail: r.Detail, HeldAt: fromMicros(r.HeldAt),
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
	var out lectern.HeldReview
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		r, err := tx.q.ReviewByID(ctx, reviewID)
		if isNoRows(err) {
			return notFound("review")
		}
		if err != nil {
			return err
		}
		row, err := tx.q.HoldByReview(ctx, r.ID)
		if isNoRows(err) {
			row, err = sqlcgen.HeldReview{ReviewID: r.ID, CourseID: r.CourseID, Rule: lectern.RuleByHand, HeldAt: micros(at)}, nil
		}
		if err != nil {
			return err
		}
		decided := micros(at)
		row.Status, row.DecidedBy, row.DecidedAt = string(status), by, &decided
		if err := tx.q.PutHold(ctx, sqlcgen.PutHoldParams(row)); err != nil {
			return err
		}
		name, err := tx.q.CourseName(ctx, r.CourseID)
		if err != nil {
			return err
		}
		learner, err := tx.q.ReviewLearner(ctx, r.ID)
		if err != nil {
			return err
		}
		out = heldOf(name, learner, r, row)
		if _, err := tx.q.KnownCourse(ctx, r.CourseID); isNoRows(err) {
			return nil // parked
		} else if err != nil {
			return err
		}
		return tx.changed(ctx, r.CourseID, lectern.ChangeStats)
	})
	if err != nil {
		return lectern.HeldReview{}, err
	}
	return out, nil
}

// RatingHistories implements lectern.SentimentStore.
func (s *Store) RatingHistories(ctx context.Context, ids []string) (map[string][]lectern.RatingMonth, error) {
	names := map[int64]string{}
	var months []sqlcgen.RatingMonthsRow
	if ids == nil {
		courses, err := s.read.StatsCourses(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range courses {
			names[c.CourseID] = c.ExternalID
		}
		if months, err = s.read.RatingMonths(ctx); err != nil {
			return nil, err
		}
	} else {
		courses, err := s.read.CourseIDs(ctx, jsonText(distinct(ids)))
		if err != nil {
			return nil, err
		}
		for _, c := range courses {
			names[c.ID] = c.ExternalID
		}
		rows, err := s.read.RatingMonthsOf(ctx, jsonText(slices.Concat([]int64{}, sortedKeys(names))))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			months = append(months, sqlcgen.RatingMonthsRow(r))
		}
	}
	out := make(map[string][]lectern.RatingMonth, len(names))
	for _, m := range months {
		name, ok := names[m.CourseID]
		month, err := time.Parse("2006-01", m.Month)
		if !ok || err != nil {
			continue // parked, or of a year that nothing else can say either
		}
		out[name] = append(out[name], lectern.RatingMonth{Month: month, Count: int(m.N), Mean: float64(m.Tenths) / 10 / float64(m.N)})
	}
	held, err := s.read.HeldStars(ctx) // few, whichever courses are asked for
	for _, h := range held {
		if name, ok := names[h.CourseID]; ok && h.Day != nil {
			out[name] = withoutHeld(out[name], fromMicros(*h.Day*microsPerDay), h.N, h.Tenths)
			if len(out[name]) == 0 {
				delete(out, name)
			}
		}
	}
	return out, err
}

// ReviewAuthors implements lectern.SentimentStore.
func (s *Store) ReviewAuthors(ctx context.Context, courseID string, learnerIDs []string) (map[string]lectern.ReviewAuthor, error) {
	out := make(map[string]lectern.ReviewAuthor, len(learnerIDs))
	if len(learnerIDs) == 0 {
		return out, ctx.Err()
	}
	course, err := s.read.CourseID(ctx, courseID)
	if err != nil && !isNoRows(err) {
		return nil, err
	}
	rows, err := s.read.ReviewAuthors(ctx, course, int64(lectern.StateTook), jsonText(distinct(learnerIDs)))
	for _, r := range rows {
		out[r.ExternalID] = lectern.ReviewAuthor{Since: fromMicros(r.CreatedAt), Reviews: int(r.Reviews), Took: r.Took}
	}
	return out, err
}
