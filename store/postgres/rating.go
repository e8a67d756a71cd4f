package postgres

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// ratingCell is what ratings are counted by.
type ratingCell struct {
	course int64
	source string
	day    int32
	tenths int32
}

// PutRatings implements lectern.ReviewStore. The batch is folded into its cells
// first, so that the server sees one statement whatever the batch's size.
func (s *Store) PutRatings(ctx context.Context, ratings []lectern.Rating) ([]lectern.WriteResult, error) {
	results := make([]lectern.WriteResult, len(ratings))
	if len(ratings) == 0 {
		return results, nil
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		w := &ratingWrite{tx: tx, ratings: ratings, results: results}
		return w.put(ctx)
	})
	return resultsOrNil(results, err)
}

// ratingWrite is one batch of ratings on its way in.
type ratingWrite struct {
	tx      *writeTx
	ratings []lectern.Rating
	results []lectern.WriteResult

	courses map[string]courseRef
	cellOf  []int // by rating; -1 where rejected
	cells   []ratingCell
	index   map[ratingCell]int
}

func (w *ratingWrite) put(ctx context.Context) error {
	mentioned := map[string]struct{}{}
	for _, r := range w.ratings {
		if checkID("course_id", r.CourseID) == nil {
			mentioned[r.CourseID] = struct{}{}
		}
	}
	var err error
	if w.courses, err = w.tx.courseIDs(ctx, sortedKeys(mentioned), true); err != nil {
		return err
	}
	w.fold()
	if len(w.cells) == 0 {
		return nil
	}
	before, err := w.write(ctx)
	if err != nil {
		return err
	}
	w.judge(before)
	return nil
}

// fold finds the cell of each rating and rejects those that have none.
func (w *ratingWrite) fold() {
	w.cellOf = make([]int, len(w.ratings))
	w.index = make(map[ratingCell]int)
	for i, r := range w.ratings {
		cell, err := ratingCellOf(r)
		if err != nil {
			w.cellOf[i], w.results[i] = -1, rejected(err)
			continue
		}
		cell.course = w.courses[r.CourseID].id
		at, ok := w.index[cell]
		if !ok {
			at = len(w.cells)
			w.index[cell] = at
			w.cells = append(w.cells, cell)
		}
		w.cellOf[i] = at
	}
}

// write makes sure of the highest occurrence of each cell, and returns the count
// that the cells had before.
func (w *ratingWrite) write(ctx context.Context) ([]int64, error) {
	n := len(w.cells)
	p := sqlcgen.PutRatingCellsParams{
		Courses: make([]int64, n), Sources: make([]string, n), Days: make([]int32, n),
		Tenths: make([]int32, n), Counts: make([]int64, n),
	}
	for i, c := range w.cells {
		p.Courses[i], p.Sources[i], p.Days[i], p.Tenths[i] = c.course, c.source, c.day, c.tenths
	}
	for i, r := range w.ratings {
		if at := w.cellOf[i]; at >= 0 {
			p.Counts[at] = max(p.Counts[at], int64(r.Occurrence))
		}
	}
	rows, err := w.tx.q.PutRatingCells(ctx, p)
	if err != nil {
		return nil, err
	}
	before := make([]int64, n)
	for _, r := range rows {
		before[w.index[ratingCell{r.CourseID, r.Source, r.Day, r.StarsTenths}]] = r.N
	}
	for i, c := range w.cells {
		if p.Counts[i] > before[i] {
			w.tx.changed(lectern.ChangeStats, c.course)
		}
	}
	return before, nil
}

// judge tells for each rating what became of it, as if they had come one by one.
func (w *ratingWrite) judge(counts []int64) {
	for i, r := range w.ratings {
		at := w.cellOf[i]
		switch {
		case at < 0:
			continue
		case int64(r.Occurrence) <= counts[at]:
			w.results[i] = outcome(lectern.OutcomeUnchanged)
			continue
		case w.courses[r.CourseID].known:
			w.results[i] = outcome(lectern.OutcomeCreated)
		default:
			w.results[i] = outcome(lectern.OutcomeParked)
		}
		counts[at] = int64(r.Occurrence)
	}
}

// ratingCellOf validates a rating and returns its cell without the course.
func ratingCellOf(r lectern.Rating) (ratingCell, error) {
	if err := checkID("course_id", r.CourseID); err != nil {
		return ratingCell{}, err
	}
	tenths, err := starsTenths("stars", r.Stars)
	if err != nil {
		return ratingCell{}, err
	}
	if r.Occurrence < 1 {
		return ratingCell{}, lectern.Invalid("occurrence numbers start at 1",
			lectern.NewFieldError("occurrence", r.Occurrence, "is below 1", "1 or more"))
	}
	if r.Day.IsZero() {
		return ratingCell{}, lectern.Invalid("a rating needs a day",
			lectern.NewFieldError("day", "", "is missing", "a date"))
	}
	if err := checkTime("day", r.Day); err != nil {
		return ratingCell{}, err
	}
	if err := checkText("source", r.Source); err != nil {
		return ratingCell{}, err
	}
	return ratingCell{source: r.Source, day: dayOf(r.Day), tenths: tenths}, nil
}

// RatingHistory implements lectern.ReviewStore. Starred reviews without a date
// belong to no month and are left out.
func (s *Store) RatingHistory(ctx context.Context, courseID string) ([]lectern.RatingMonth, error) {
	var days []sqlcgen.RatingDaysRow
	var held []sqlcgen.HeldStarsOfRow
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) (err error) {
		course, err := courseIDOf(ctx, q, courseID)
		if err != nil || course == 0 {
			days, held = nil, nil
			return err
		}
		if days, err = q.RatingDays(ctx, course); err != nil {
			return err
		}
		held, err = q.HeldStarsOf(ctx, []int64{course})
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []lectern.RatingMonth
	var tenths int64
	for _, d := range days {
		at := dayTime(d.Day)
		month := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
		if len(out) == 0 || !out[len(out)-1].Month.Equal(month) {
			out = append(out, lectern.RatingMonth{Month: month})
			tenths = 0
		}
		m := &out[len(out)-1]
		m.Count += int(d.N)
		tenths += d.Tenths
		m.Mean = float64(tenths) / 10 / float64(m.Count)
	}
	for _, h := range held {
		if h.Day != nil {
			out = withoutHeld(out, dayTime(*h.Day), h.N, h.Tenths)
		}
	}
	return out, nil
}

func dayTime(n int32) time.Time { return time.Unix(int64(n)*int64(day/time.Second), 0).UTC() }

// withoutHeld takes the stars of one day's held reviews away from a history.
func withoutHeld(months []lectern.RatingMonth, day time.Time, n, tenths int64) []lectern.RatingMonth {
	month := time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
	at := slices.IndexFunc(months, func(m lectern.RatingMonth) bool { return m.Month.Equal(month) })
	if at < 0 {
		return months
	}
	m := &months[at]
	left := math.Round(10*m.Mean*float64(m.Count)) - float64(tenths)
	if m.Count -= int(n); m.Count <= 0 {
		return slices.Delete(months, at, at+1)
	}
	m.Mean = left / 10 / float64(m.Count)
	return months
}

// courseIDOf returns the internal id of a course that was ever mentioned, else 0.
func courseIDOf(ctx context.Context, q *sqlcgen.Queries, externalID string) (int64, error) {
	if !isText(externalID) {
		return 0, nil // no course can have this id
	}
	id, err := q.CourseID(ctx, externalID)
	if isNoRows(err) {
		return 0, nil
	}
	return id, err
}
