package sqlite

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// ratingCell is what ratings are counted by.
type ratingCell struct {
	course int64
	source string
	day    int64
	tenths int64
}

// cellCount is a cell's highest occurrence number before and within a batch.
type cellCount struct {
	stored, now int64
}

// PutRatings implements lectern.ReviewStore. The batch is folded into its cells
// first, so that the database sees two statements whatever the batch's size.
func (s *Store) PutRatings(ctx context.Context, ratings []lectern.Rating) ([]lectern.WriteResult, error) {
	results := make([]lectern.WriteResult, len(ratings))
	if len(ratings) == 0 {
		return results, nil
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		return tx.putRatings(ctx, ratings, results)
	})
	return resultsOrNil(results, err)
}

func (tx *writeTx) putRatings(ctx context.Context, ratings []lectern.Rating, results []lectern.WriteResult) error {
	mentioned := map[string]struct{}{}
	for _, r := range ratings {
		if checkID("course_id", r.CourseID) == nil {
			mentioned[r.CourseID] = struct{}{}
		}
	}
	courses, err := lookUpCourses(ctx, tx, sortedKeys(mentioned))
	if err != nil {
		return err
	}
	cellOf := make([]int, len(ratings)) // -1 where rejected
	index := make(map[ratingCell]int)
	var cells []ratingCell
	for i, r := range ratings {
		cellOf[i] = -1
		cell, err := ratingCellOf(r)
		if err != nil {
			results[i] = rejected(err)
			continue
		}
		ref, err := courses.ref(ctx, r.CourseID)
		if err != nil {
			return err
		}
		cell.course = ref.id
		at, ok := index[cell]
		if !ok {
			at = len(cells)
			index[cell] = at
			cells = append(cells, cell)
		}
		cellOf[i] = at
	}
	counts, err := tx.ratingCounts(ctx, cells)
	if err != nil {
		return err
	}
	for i, r := range ratings {
		if cellOf[i] < 0 {
			continue
		}
		c := &counts[cellOf[i]]
		switch {
		case int64(r.Occurrence) <= c.now:
			results[i] = outcome(lectern.OutcomeUnchanged)
			continue
		case courses.byID[r.CourseID].known:
			results[i] = outcome(lectern.OutcomeCreated)
		default:
			results[i] = outcome(lectern.OutcomeParked)
		}
		c.now = int64(r.Occurrence)
	}
	return tx.writeRatingCells(ctx, cells, counts, courses)
}

// ratingCounts reads the stored counts of cells.
func (tx *writeTx) ratingCounts(ctx context.Context, cells []ratingCell) ([]cellCount, error) {
	counts := make([]cellCount, len(cells))
	rows, err := tx.q.RatingCells(ctx, cellsText(cells, nil))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		counts[r.Cell] = cellCount{stored: r.N, now: r.N}
	}
	return counts, nil
}

func (tx *writeTx) writeRatingCells(ctx context.Context, cells []ratingCell, counts []cellCount, courses *courseIDs) error {
	moved := map[int64]bool{}
	var grown []ratingCell
	var n []int64
	for i, c := range cells {
		if counts[i].now > counts[i].stored {
			grown = append(grown, c)
			n = append(n, counts[i].now)
			moved[c.course] = true
		}
	}
	if len(grown) == 0 {
		return nil
	}
	if err := tx.q.UpsertRatingCells(ctx, cellsText(grown, n)); err != nil {
		return err
	}
	return tx.statsChanged(ctx, moved, courses)
}

// cellsText encodes cells, with counts where given, as the JSON that the
// queries read.
func cellsText(cells []ratingCell, n []int64) string {
	b := make([]byte, 0, 48*len(cells)+2)
	b = append(b, '[')
	var source, quoted string
	for i, c := range cells {
		if i > 0 {
			b = append(b, ',')
		}
		if i == 0 || c.source != source {
			source, quoted = c.source, jsonText(c.source)
		}
		b = append(b, '[')
		b = strconv.AppendInt(b, c.course, 10)
		b = append(b, ',')
		b = append(b, quoted...)
		b = append(b, ',')
		b = strconv.AppendInt(b, c.day, 10)
		b = append(b, ',')
		b = strconv.AppendInt(b, c.tenths, 10)
		if n != nil {
			b = append(b, ',')
			b = strconv.AppendInt(b, n[i], 10)
		}
		b = append(b, ']')
	}
	return string(append(b, ']'))
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
	return ratingCell{source: r.Source, day: dayOf(micros(r.Day)), tenths: tenths}, nil
}

// RatingHistory implements lectern.ReviewStore. Starred reviews without a date
// belong to no month and are left out.
func (s *Store) RatingHistory(ctx context.Context, courseID string) ([]lectern.RatingMonth, error) {
	course, err := s.read.CourseID(ctx, courseID)
	if isNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	days, err := s.read.RatingDays(ctx, course)
	if err != nil {
		return nil, err
	}
	var out []lectern.RatingMonth
	var tenths int64
	for _, d := range days {
		at := fromMicros(d.Day * microsPerDay)
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
	held, err := s.read.HeldStarsOf(ctx, jsonText([]int64{course}))
	for _, h := range held {
		if h.Day != nil {
			out = withoutHeld(out, fromMicros(*h.Day*microsPerDay), h.N, h.Tenths)
		}
	}
	return out, err
}

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

// activityHorizon is how many half-lives back events still count: at 40 they
// weigh less than a trillionth.
const activityHorizon = 40

// CourseStats implements lectern.ReviewStore. Events are counted by day, and a
// day's events are taken to be as old as its noon.
func (s *Store) CourseStats(ctx context.Context, ids []string, at time.Time, halfLife time.Duration) ([]lectern.CourseStats, error) {
	if halfLife <= 0 {
		return nil, lectern.Invalid("a half-life must be positive",
			lectern.NewFieldError("half_life", halfLife, "is not positive", "more than 0"))
	}
	if ids != nil && len(ids) == 0 {
		return nil, ctx.Err()
	}
	st, err := s.newCourseTotals(ctx, ids)
	if err != nil {
		return nil, err
	}
	if err := st.addRatings(ctx); err != nil {
		return nil, err
	}
	if err := st.addActivity(ctx, micros(at), max(1, halfLife.Microseconds())); err != nil {
		return nil, err
	}
	if err := st.addSentiment(ctx); err != nil {
		return nil, err
	}
	return st.inOrder(ids), nil
}

// courseTotals gathers the statistics of some courses or, with an empty
// filter, of all.
type courseTotals struct {
	store  *Store
	filter string // JSON array of internal ids
	order  []int64
	byID   map[int64]*lectern.CourseStats
	tenths map[int64]int64
}

func (s *Store) newCourseTotals(ctx context.Context, ids []string) (*courseTotals, error) {
	t := &courseTotals{store: s, byID: map[int64]*lectern.CourseStats{}, tenths: map[int64]int64{}}
	add := func(id int64, externalID string) {
		t.order = append(t.order, id)
		t.byID[id] = &lectern.CourseStats{CourseID: externalID, Activity: map[lectern.EventType]float64{}}
	}
	if ids == nil {
		rows, err := s.read.StatsCourses(ctx)
		for _, r := range rows {
			add(r.CourseID, r.ExternalID)
		}
		return t, err
	}
	rows, err := s.read.StatsCoursesOf(ctx, jsonText(distinct(ids)))
	for _, r := range rows {
		add(r.CourseID, r.ExternalID)
	}
	t.filter = jsonText(append([]int64{}, t.order...))
	return t, err
}

func (t *courseTotals) addRatings(ctx context.Context) error {
	if t.filter == "" {
		ratings, err := t.store.read.RatingTotals(ctx)
		if err != nil {
			return err
		}
		for _, r := range ratings {
			t.add(r.CourseID, r.N, r.Tenths, 0)
		}
		reviews, err := t.store.read.ReviewTotals(ctx)
		for _, r := range reviews {
			t.add(r.CourseID, r.N, r.Tenths, r.Texts)
		}
		if err != nil {
			return err
		}
		held, err := t.store.read.HeldStars(ctx)
		for _, h := range held {
			t.add(h.CourseID, -h.N, -h.Tenths, 0)
		}
		return err
	}
	ratings, err := t.store.read.RatingTotalsOf(ctx, t.filter)
	if err != nil {
		return err
	}
	for _, r := range ratings {
		t.add(r.CourseID, r.N, r.Tenths, 0)
	}
	reviews, err := t.store.read.ReviewTotalsOf(ctx, t.filter)
	for _, r := range reviews {
		t.add(r.CourseID, r.N, r.Tenths, r.Texts)
	}
	if err != nil {
		return err
	}
	held, err := t.store.read.HeldStarsOf(ctx, t.filter)
	for _, h := range held {
		t.add(h.CourseID, -h.N, -h.Tenths, 0)
	}
	return err
}

func (t *courseTotals) add(course, n, tenths, texts int64) {
	c := t.byID[course]
	if c == nil {
		return // parked
	}
	c.RatingCount += int(n)
	c.ReviewCount += int(texts)
	t.tenths[course] += tenths
	c.RatingMean = 0
	if c.RatingCount > 0 {
		c.RatingMean = float64(t.tenths[course]) / 10 / float64(c.RatingCount)
	}
}

func (t *courseTotals) addActivity(ctx context.Context, at, halfLife int64) error {
	since := dayOf(at) - 1
	if span := float64(halfLife) * activityHorizon / float64(microsPerDay); span < 1e6 {
		since -= int64(span)
	} else {
		since = math.MinInt64
	}
	var rows []sqlcgen.CourseActivity
	var err error
	if t.filter == "" {
		rows, err = t.store.read.Activity(ctx, since)
	} else {
		rows, err = t.store.read.ActivityOf(ctx, t.filter, since)
	}
	if err != nil {
		return err
	}
	for _, r := range rows {
		if c := t.byID[r.CourseID]; c != nil {
			age := max(0, at-(r.Day*microsPerDay+microsPerDay/2))
			c.Activity[lectern.EventType(r.Type)] += float64(r.N) * math.Exp2(-float64(age)/float64(halfLife))
		}
	}
	return nil
}

// addSentiment adds what the reviews say.
func (t *courseTotals) addSentiment(ctx context.Context) error {
	var rows []sqlcgen.SentimentsRow
	var err error
	if t.filter == "" {
		rows, err = t.store.read.Sentiments(ctx)
	} else {
		var some []sqlcgen.SentimentsOfRow
		some, err = t.store.read.SentimentsOf(ctx, t.filter)
		for _, r := range some {
			rows = append(rows, sqlcgen.SentimentsRow(r))
		}
	}
	for _, r := range rows {
		if c := t.byID[r.CourseID]; c != nil {
			c.Sentiment, c.SentimentWeight = r.Score, r.Weight
		}
	}
	return err
}

func (t *courseTotals) inOrder(ids []string) []lectern.CourseStats {
	out := make([]lectern.CourseStats, 0, len(t.order))
	for _, id := range t.order {
		out = append(out, *t.byID[id])
	}
	if ids == nil {
		return out
	}
	place := make(map[string]int, len(ids))
	for i, id := range slices.Backward(ids) {
		place[id] = i
	}
	slices.SortFunc(out, func(a, b lectern.CourseStats) int {
		return cmp.Compare(place[a.CourseID], place[b.CourseID])
	})
	return out
}
