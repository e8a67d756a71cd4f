package postgres

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

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
	var out []lectern.CourseStats
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		t := &courseTotals{q: q, byID: map[int64]*lectern.CourseStats{}, tenths: map[int64]int64{}}
		if err := t.start(ctx, ids); err != nil {
			return err
		}
		if err := t.addRatings(ctx); err != nil {
			return err
		}
		if err := t.addActivity(ctx, at, halfLife); err != nil {
			return err
		}
		if err := t.addSentiment(ctx); err != nil {
			return err
		}
		out = t.inOrder(ids)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// courseTotals gathers the statistics of some courses, or of all.
type courseTotals struct {
	q      *sqlcgen.Queries
	some   bool // only those in order
	order  []int64
	byID   map[int64]*lectern.CourseStats
	tenths map[int64]int64
}

func (t *courseTotals) start(ctx context.Context, ids []string) error {
	add := func(id int64, externalID string) {
		t.order = append(t.order, id)
		t.byID[id] = &lectern.CourseStats{CourseID: externalID, Activity: map[lectern.EventType]float64{}}
	}
	if ids == nil {
		rows, err := t.q.StatsCourses(ctx)
		for _, r := range rows {
			add(r.CourseID, r.ExternalID)
		}
		return err
	}
	t.some = true
	rows, err := t.q.StatsCoursesOf(ctx, textsOf(ids))
	for _, r := range rows {
		add(r.CourseID, r.ExternalID)
	}
	return err
}

func (t *courseTotals) addRatings(ctx context.Context) error {
	if !t.some {
		ratings, err := t.q.RatingTotals(ctx)
		if err != nil {
			return err
		}
		for _, r := range ratings {
			t.add(r.CourseID, r.N, r.Tenths, 0)
		}
		reviews, err := t.q.ReviewTotals(ctx)
		for _, r := range reviews {
			t.add(r.CourseID, r.N, r.Tenths, r.Texts)
		}
		if err != nil {
			return err
		}
		held, err := t.q.HeldStars(ctx)
		for _, h := range held {
			t.add(h.CourseID, -h.N, -h.Tenths, 0)
		}
		return err
	}
	ratings, err := t.q.RatingTotalsOf(ctx, t.order)
	if err != nil {
		return err
	}
	for _, r := range ratings {
		t.add(r.CourseID, r.N, r.Tenths, 0)
	}
	reviews, err := t.q.ReviewTotalsOf(ctx, t.order)
	for _, r := range reviews {
		t.add(r.CourseID, r.N, r.Tenths, r.Texts)
	}
	if err != nil {
		return err
	}
	held, err := t.q.HeldStarsOf(ctx, t.order)
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

func (t *courseTotals) addActivity(ctx context.Context, at time.Time, halfLife time.Duration) error {
	since := int32(math.MinInt32)
	first := at.Unix()/int64(day/time.Second) - 2 - int64(float64(halfLife)*activityHorizon/float64(day))
	if first > math.MinInt32 {
		since = int32(min(first, math.MaxInt32))
	}
	var rows []sqlcgen.CourseActivity
	var err error
	if t.some {
		rows, err = t.q.ActivityOf(ctx, t.order, since)
	} else {
		rows, err = t.q.Activity(ctx, since)
	}
	if err != nil {
		return err
	}
	for _, r := range rows {
		c := t.byID[r.CourseID]
		if c == nil {
			continue
		}
		noon := time.Unix(int64(r.Day)*int64(day/time.Second), 0).Add(day / 2)
		age := max(0, at.Sub(noon))
		c.Activity[lectern.EventType(r.Type)] += float64(r.N) * math.Exp2(-float64(age)/float64(halfLife))
	}
	return nil
}

// addSentiment adds what the reviews say.
func (t *courseTotals) addSentiment(ctx context.Context) error {
	var rows []sqlcgen.SentimentsRow
	var err error
	if t.some {
		var some []sqlcgen.SentimentsOfRow
		some, err = t.q.SentimentsOf(ctx, t.order)
		for _, r := range some {
			rows = append(rows, sqlcgen.SentimentsRow(r))
		}
	} else {
		rows, err = t.q.Sentiments(ctx)
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
