package neighbours

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// background is how many of all learners take a course, by a sample of them. What
// everybody takes says little of somebody's neighbours.
type background struct {
	at       time.Time
	learners int
	takes    map[string]int
}

const (
	usualEvery = 15 * time.Minute
	usualPages = 8   // places in the feed that the sample is taken from
	usualPage  = 125 // learners from each
)

// refreshUsual takes the sample anew when it is old. last is an end of the feed.
func (l *Learners) refreshUsual(ctx context.Context, last int64) error {
	now := l.o.Clock()
	if b := l.usual.Load(); b != nil && now.Sub(b.at) < usualEvery || last <= 0 {
		return nil
	}
	next := &background{at: now, takes: map[string]int{}}
	seen := map[int64]bool{}
	r := rand.New(rand.NewPCG(uint64(last), uint64(now.UnixNano()))) //nolint:gosec // a sample, no secret
	for page := range usualPages {
		after := int64(0) // a small feed is read from its start
		if page > 0 {
			after = r.Int64N(last)
		}
		changes, err := l.o.Store.ProfileChanges(ctx, after, usualPage)
		if err != nil {
			return fmt.Errorf("read the feed of profiles: %w", err)
		}
		var keys []int64
		for _, c := range changes {
			if !c.Gone && !seen[c.Key] {
				seen[c.Key] = true
				keys = append(keys, c.Key)
			}
		}
		byKey, err := l.o.Store.EntriesByKey(ctx, keys)
		if err != nil {
			return fmt.Errorf("read learners' entries: %w", err)
		}
		for _, entries := range byKey {
			next.learners++
			for _, e := range entries {
				if e.Weight > 0 {
					next.takes[e.CourseID]++
				}
			}
		}
	}
	l.usual.Store(next)
	return nil
}

// dampen returns what a course's weight is divided by: a power of the share of
// learners who take it, smoothed so that rare courses are no outliers.
func (b *background) dampen(course string, by float64) float64 {
	if b == nil || b.learners == 0 || by == 0 {
		return 1
	}
	share := (float64(b.takes[course]) + 2) / (float64(b.learners) + 4)
	return math.Pow(share, by)
}
