package retrieve

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Histories reads how ratings came in. lectern.SentimentStore is one.
type Histories interface {
	// RatingHistories returns the ratings by month of the given courses, oldest first.
	RatingHistories(ctx context.Context, ids []string) (map[string][]lectern.RatingMonth, error)
}

// historiesAtOnce is how many courses' histories are held at a time: a large catalogue's
// would take more memory than the catalogue.
const historiesAtOnce = 2000

// rated is what Facts.Recent was made of.
type rated struct {
	count int
	mean  float64
}

func ratedOf(s *lectern.CourseStats) rated { return rated{s.RatingCount, s.RatingMean} }

// keepRecent takes over the decayed ratings of a course as it was, as far as they are
// still those of its ratings.
func (e *entry) keepRecent(old *entry) {
	if old.stated == e.stated && old.recentOf == ratedOf(&e.stats) {
		e.facts.Recent, e.facts.RecentAt, e.recentOf = old.facts.Recent, old.facts.RecentAt, old.recentOf
	}
}

// stale reports whether a course has ratings that its decayed ones do not tell of.
func (e *entry) stale() bool { return e.recentOf != ratedOf(&e.stats) }

// readRecent decays the ratings of the courses whose decayed ones are not theirs. Without
// a history their mean of all time stands in; they are asked for again later.
func (c *Catalog) readRecent(ctx context.Context, entries []*entry) error {
	if c.histories == nil {
		return nil
	}
	var stale []*entry
	for _, e := range entries {
		if e.stale() {
			stale = append(stale, e)
		}
	}
	at := lectern.Timestamp(c.clock())
	for part := range slices.Chunk(stale, historiesAtOnce) {
		ids := make([]string, len(part))
		for i, e := range part {
			ids[i] = e.facts.ID
		}
		months, err := c.histories.RatingHistories(ctx, ids)
		if err != nil {
			return fmt.Errorf("read the histories of ratings: %w", err)
		}
		for _, e := range part {
			e.setRecent(months[e.facts.ID], at)
		}
	}
	return nil
}

// refreshRecent decays the ratings of the courses whose statistics have moved on to these,
// and returns copies of those courses by id: as many as could be read.
func (c *Catalog) refreshRecent(ctx context.Context, stats map[string]lectern.CourseStats) (map[string]*entry, error) {
	if c.histories == nil {
		return nil, nil
	}
	var moved []*entry
	c.mu.RLock()
	for id, old := range c.byID {
		if s := stats[id]; old.recentOf != ratedOf(&s) {
			e := *old
			e.setStats(s, &c.cfg)
			moved = append(moved, &e)
		}
	}
	c.mu.RUnlock()
	err := c.readRecent(ctx, moved)
	out := make(map[string]*entry, len(moved))
	for _, e := range moved {
		out[e.facts.ID] = e
	}
	return out, err
}

// setRecent weighs a course's ratings with every half-life that settings may name. A
// month's ratings are as old as its middle. What the platform states beyond the ratings
// that are known one by one, with the mean that is left for it, is taken to be as old as
// those; where none is known it has no age, and no weight here.
func (e *entry) setRecent(months []lectern.RatingMonth, at time.Time) {
	e.facts.Recent, e.facts.RecentAt, e.recentOf = [4]rerank.RecentRating{}, at, ratedOf(&e.stats)
	known, stars := 0.0, 0.0
	for _, m := range months {
		known += float64(m.Count)
		stars += float64(m.Count) * m.Mean
	}
	if known == 0 {
		return
	}
	rest, restMean := max(0, e.facts.RatingWeight-known), 0.0
	if rest > 0 {
		restMean = (e.facts.RatingWeight*e.facts.RatingMean - stars) / rest
		restMean = min(max(restMean, lectern.MinStars), lectern.MaxStars)
	}
	for i, halfLife := range rerank.RatingHalfLives()[1:] {
		n, sum := 0.0, 0.0
		for _, m := range months {
			age := at.Sub(middleOf(m.Month)).Hours() / 24
			w := float64(m.Count) * math.Exp2(-max(0, age)/halfLife)
			n += w
			sum += w * m.Mean
		}
		left := n / known // of one rating
		n += left * rest
		sum += left * rest * restMean
		if n > 0 {
			e.facts.Recent[i] = rerank.RecentRating{Weight: n, Mean: sum / n}
		}
	}
}

// middleOf is the middle of a month.
func middleOf(first time.Time) time.Time { return first.Add(first.AddDate(0, 1, 0).Sub(first) / 2) }
