package retrieve

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/fusion"
)

var _ Velocities = (*Catalog)(nil)

// Trending returns the courses that gain on their own past, as of the last time
// that RefreshStats looked. Read only.
func (c *Catalog) Trending() []lectern.Hit {
	if hits := c.trends.Load(); hits != nil {
		return *hits
	}
	return nil
}

// finishedHalfLife is that of enrolments and completions: to finish a course takes
// weeks, so those of a month would be of different people.
const finishedHalfLife = 365 * 24 * time.Hour

// lately is what is measured with half-lives of its own.
type lately struct {
	week map[string]float64   // activity of late, by course
	year map[string]finishers // by course
}

// finishers is who started a course, and who of them finished it.
type finishers struct{ started, finished float64 }

// finishersOf counts them. Whoever finished has started, though a platform may not say so.
func finishersOf(activity map[lectern.EventType]float64) finishers {
	finished := activity[lectern.EventComplete]
	return finishers{max(activity[lectern.EventEnrol], finished), finished}
}

// lately reads the activity of every course of late, and over a year; nil while what was
// read is young enough.
func (c *Catalog) lately(ctx context.Context) (*lately, error) {
	now := c.clock()
	c.write.Lock()
	due := c.trendsAt.IsZero() || now.Sub(c.trendsAt) >= c.trending.Refresh || now.Before(c.trendsAt)
	if due {
		c.trendsAt = now
	}
	c.write.Unlock()
	if !due {
		return nil, nil
	}
	out, err := c.readLately(ctx, now)
	if err != nil {
		c.write.Lock()
		c.trendsAt = time.Time{}
		c.write.Unlock()
	}
	return out, err
}

func (c *Catalog) readLately(ctx context.Context, now time.Time) (*lately, error) {
	week, err := c.stats.CourseStats(ctx, nil, now, c.trending.HalfLife)
	if err != nil {
		return nil, fmt.Errorf("read the late activity of all courses: %w", err)
	}
	year, err := c.stats.CourseStats(ctx, nil, now, finishedHalfLife)
	if err != nil {
		return nil, fmt.Errorf("read who finished all courses: %w", err)
	}
	out := &lately{week: make(map[string]float64, len(week)), year: make(map[string]finishers, len(year))}
	for _, s := range week {
		if a := c.cfg.Weights.sum(s.Activity); a > 0 {
			out.week[s.CourseID] = a
		}
	}
	for _, s := range year {
		if f := finishersOf(s.Activity); f.started > 0 {
			out.year[s.CourseID] = f
		}
	}
	return out, nil
}

// setTrends holds every course's activity of late against what its own past lets
// expect. Both are sums that decay, one fast and one slowly; at an even pace their
// ratio is that of the half-lives, or, of a course that is young, of what of them its
// age has filled. Where the whole platform gains, a course must gain more.
// z = (fast − expected)/√(expected + prior), as of counts that vary like a Poisson
// variable; the trend is z/(z + 3), of those with z ≥ MinZ. The caller holds c.write.
func (c *Catalog) setTrends(entries []*entry, lately map[string]float64) {
	now, cfg := c.clock(), c.trending
	expected := make([]float64, len(entries))
	fast, due := 0.0, 0.0
	for i, e := range entries {
		expected[i] = e.activity * paceRatio(now.Sub(e.facts.PublishedAt), cfg.HalfLife, c.cfg.HalfLife, e.facts.PublishedAt.IsZero())
		fast += lately[e.facts.ID]
		due += expected[i]
	}
	growth := 1.0
	if due > 0 {
		growth = max(1, fast/due)
	}
	var hits []lectern.Hit
	for i, e := range entries {
		have, want := lately[e.facts.ID], growth*expected[i]
		if e.payload.Status != lectern.StatusOpen || have < cfg.MinActivity {
			continue
		}
		if z := (have - want) / math.Sqrt(want+cfg.Prior); z >= cfg.MinZ {
			hits = append(hits, lectern.Hit{ID: e.facts.ID, Score: float32(z / (z + 3))})
		}
	}
	slices.SortFunc(hits, fusion.ByScore)
	hits = slices.Clip(hits[:min(len(hits), cfg.Courses)])
	c.trends.Store(&hits)
}

// paceRatio is what a fast decaying sum is of a slow one, for a course of an age at
// an even pace.
func paceRatio(age, fast, slow time.Duration, ageless bool) float64 {
	ratio := fast.Seconds() / slow.Seconds()
	if ageless {
		return ratio
	}
	filled := func(halfLife time.Duration) float64 {
		return -math.Expm1(-math.Ln2 * max(age.Seconds(), 1) / halfLife.Seconds())
	}
	return ratio * filled(fast) / filled(slow)
}
