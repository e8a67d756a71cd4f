package sqlite

import (
	"context"
	"fmt"
	"math"
	"reflect"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// PutReviews implements lectern.ReviewStore.
func (s *Store) PutReviews(ctx context.Context, reviews []lectern.Review) ([]lectern.WriteResult, error) {
	results := make([]lectern.WriteResult, len(reviews))
	if len(reviews) == 0 {
		return results, nil
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		mentioned := make([]string, 0, len(reviews))
		for _, r := range reviews {
			if checkID("course_id", r.CourseID) == nil {
				mentioned = append(mentioned, r.CourseID)
			}
		}
		courses, err := lookUpCourses(ctx, tx, mentioned)
		if err != nil {
			return err
		}
		w := &reviewWrite{tx: tx, courses: courses, people: newPeople(tx), moved: map[int64]bool{}, said: map[string]bool{}}
		for i, r := range reviews {
			if results[i], err = w.put(ctx, r); err != nil {
				return fmt.Errorf("review %q: %w", r.ID, err)
			}
		}
		if err := tx.statsChanged(ctx, w.moved, courses); err != nil {
			return err
		}
		return s.enqueueEmbedReviews(ctx, tx, sortedKeys(w.said))
	})
	return resultsOrNil(results, err)
}

// statsChanged puts those of the moved courses that exist into the feed.
func (tx *writeTx) statsChanged(ctx context.Context, moved map[int64]bool, courses *courseIDs) error {
	known := make(map[int64]bool, len(moved))
	for _, ref := range courses.byID {
		if ref.known && moved[ref.id] {
			known[ref.id] = true
		}
	}
	return tx.changedAll(ctx, known, lectern.ChangeStats)
}

// reviewWrite is one batch of reviews on its way in.
type reviewWrite struct {
	tx      *writeTx
	courses *courseIDs
	people  *people
	moved   map[int64]bool  // courses whose statistics move
	said    map[string]bool // known courses whose reviews with text change
}

func (w *reviewWrite) put(ctx context.Context, r lectern.Review) (lectern.WriteResult, error) {
	row, err := reviewRow(r)
	if err != nil {
		return rejected(err), nil
	}
	ref, err := w.courses.ref(ctx, r.CourseID)
	if err != nil {
		return lectern.WriteResult{}, err
	}
	row.CourseID = ref.id
	if r.LearnerID != "" {
		id, err := w.people.learner(ctx, r.LearnerID)
		if err != nil {
			return lectern.WriteResult{}, err
		}
		row.LearnerID = &id
	}
	stored, err := w.tx.q.ReviewByID(ctx, r.ID)
	switch {
	case isNoRows(err):
		err = w.tx.q.InsertReview(ctx, sqlcgen.InsertReviewParams{
			ReviewID: row.ReviewID, Source: row.Source, CourseID: row.CourseID, LearnerID: row.LearnerID,
			StarsTenths: row.StarsTenths, Text: row.Text, Language: row.Language, Helpful: row.Helpful,
			WrittenAt: row.WrittenAt, Day: row.Day, SortAt: row.SortAt,
		})
		w.moved[ref.id] = true
		if !ref.known {
			return outcome(lectern.OutcomeParked), err // its embedding is queued when the course comes
		}
		if row.Text != "" {
			w.said[r.CourseID] = true
		}
		return outcome(lectern.OutcomeCreated), err
	case err != nil:
		return lectern.WriteResult{}, err
	}
	row.ID = stored.ID
	if reflect.DeepEqual(row, stored) {
		return outcome(lectern.OutcomeUnchanged), nil
	}
	w.moved[ref.id] = true
	if ref.known && (row.Text != "" || stored.Text != "" && stored.CourseID == ref.id) {
		w.said[r.CourseID] = true
	}
	if stored.CourseID != ref.id {
		if err := w.leave(ctx, stored); err != nil {
			return lectern.WriteResult{}, err
		}
		if err := w.tx.q.MoveHold(ctx, ref.id, stored.ID); err != nil {
			return lectern.WriteResult{}, err
		}
	}
	return outcome(lectern.OutcomeUpdated), w.tx.q.UpdateReview(ctx, sqlcgen.UpdateReviewParams{
		ID: row.ID, Source: row.Source, CourseID: row.CourseID, LearnerID: row.LearnerID,
		StarsTenths: row.StarsTenths, Text: row.Text, Language: row.Language, Helpful: row.Helpful,
		WrittenAt: row.WrittenAt, Day: row.Day, SortAt: row.SortAt,
	})
}

// leave notes that a review goes away from the course it was stored with, which
// may not be among those that the batch mentions.
func (w *reviewWrite) leave(ctx context.Context, stored sqlcgen.Review) error {
	course, err := w.tx.q.KnownCourse(ctx, stored.CourseID)
	if isNoRows(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if stored.Text != "" {
		w.said[course] = true
	}
	return w.tx.changed(ctx, stored.CourseID, lectern.ChangeStats)
}

// reviewRow encodes a review; its errors reject the review. The references are
// left to the caller.
func reviewRow(r lectern.Review) (sqlcgen.Review, error) {
	if err := checkID("id", r.ID); err != nil {
		return sqlcgen.Review{}, err
	}
	if err := checkID("course_id", r.CourseID); err != nil {
		return sqlcgen.Review{}, err
	}
	if r.LearnerID != "" {
		if err := checkID("learner_id", r.LearnerID); err != nil {
			return sqlcgen.Review{}, err
		}
	}
	row := sqlcgen.Review{
		ReviewID: r.ID, Source: r.Source, Text: r.Text, Language: r.Language,
		Helpful: int64(r.Helpful), SortAt: math.MinInt64,
	}
	if r.Stars != nil {
		tenths, err := starsTenths("stars", *r.Stars)
		if err != nil {
			return sqlcgen.Review{}, err
		}
		row.StarsTenths = &tenths
	}
	if r.WrittenAt != nil {
		at := micros(*r.WrittenAt)
		day := dayOf(at)
		row.WrittenAt, row.Day, row.SortAt = &at, &day, at
	}
	return row, nil
}

// Reviews implements lectern.ReviewStore. An unknown after is CodeNotFound.
func (s *Store) Reviews(ctx context.Context, courseID, after string, limit int) ([]lectern.Review, error) {
	return s.reviews(ctx, courseID, after, limit, s.read.ReviewsBefore)
}

// AllReviews implements lectern.SentimentStore.
func (s *Store) AllReviews(ctx context.Context, courseID, after string, limit int) ([]lectern.Review, error) {
	return s.reviews(ctx, courseID, after, limit, func(ctx context.Context, from sqlcgen.ReviewsBeforeParams) ([]sqlcgen.ReviewsBeforeRow, error) {
		rows, err := s.read.AllReviewsBefore(ctx, sqlcgen.AllReviewsBeforeParams(from))
		out := make([]sqlcgen.ReviewsBeforeRow, len(rows))
		for i, r := range rows {
			out[i] = sqlcgen.ReviewsBeforeRow(r)
		}
		return out, err
	})
}

func (s *Store) reviews(ctx context.Context, courseID, after string, limit int,
	before func(context.Context, sqlcgen.ReviewsBeforeParams) ([]sqlcgen.ReviewsBeforeRow, error),
) ([]lectern.Review, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	course, err := s.read.CourseID(ctx, courseID)
	if isNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	from := sqlcgen.ReviewsBeforeParams{CourseID: course, SortAt: math.MaxInt64, ID: math.MaxInt64, MaxRows: int64(limit)}
	if after != "" {
		r, err := s.read.ReviewByID(ctx, after)
		if isNoRows(err) || err == nil && r.CourseID != course {
			return nil, notFound("review of this course to go on from")
		}
		if err != nil {
			return nil, err
		}
		from.SortAt, from.ID = r.SortAt, r.ID
	}
	rows, err := before(ctx, from)
	if err != nil {
		return nil, err
	}
	out := make([]lectern.Review, len(rows))
	for i, r := range rows {
		out[i] = reviewOf(courseID, r.Learner, r.Held, r.Review)
	}
	return out, nil
}

func reviewOf(courseID, learnerID, held string, r sqlcgen.Review) lectern.Review {
	out := lectern.Review{
		ID: r.ReviewID, Source: r.Source, CourseID: courseID, LearnerID: learnerID, Text: r.Text,
		Language: r.Language, Helpful: int(r.Helpful), WrittenAt: timeOrNil(r.WrittenAt),
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
		r, err := tx.q.ReviewByID(ctx, id)
		if isNoRows(err) {
			return notFound("review")
		}
		if err != nil {
			return err
		}
		if _, err := tx.q.DeleteReview(ctx, r.ID); err != nil {
			return err
		}
		w := &reviewWrite{tx: tx, said: map[string]bool{}}
		if err := w.leave(ctx, r); err != nil {
			return err
		}
		return s.enqueueEmbedReviews(ctx, tx, sortedKeys(w.said))
	})
}
