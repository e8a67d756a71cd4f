package searchlog

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// CountReader is the part of lectern.SearchStore that reports need.
type CountReader interface {
	SearchCounts(ctx context.Context, q lectern.SearchCountQuery) ([]lectern.SearchCount, error)
	Reformulations(ctx context.Context, from, to time.Time, within time.Duration, limit int) ([]lectern.Reformulation, error)
}

// Report says what was searched for in a period, and what came of it. No part of
// it names a learner.
type Report struct {
	From, To    time.Time
	Searches    int                     // first pages of searches
	Queries     int                     // distinct, by their folded form
	Zero        int                     // searches that found nothing
	Opened      int                     // searches of which something was opened
	Partial     bool                    // there were more distinct queries than are counted in the totals
	Top         []lectern.SearchCount   // most searches first
	ZeroResults []lectern.SearchCount   // most searches without a result first
	LowClick    []lectern.SearchCount   // found something that nearly nobody opened, most such searches first
	Trending    []lectern.SearchCount   // searched for more than before, the strongest rise first
	Corrections []lectern.Reformulation // followed by a query of which something was opened, most learners first
}

const (
	// MinLowClick is how many searches with results tell that nobody opens them.
	MinLowClick = 5
	// maxLowClick is the share of searches with results that may be opened still.
	maxLowClick = 0.1
	// maxTotals bounds the distinct queries of the totals.
	maxTotals = 100_000
	// reformulated is the time within which a second query mends the first.
	reformulated = 5 * time.Minute
	// reportPool is how many rows are looked at for each that is shown.
	reportPool = 10
)

// NewReport reads the searches of the days before to. Lists hold at most limit
// queries each.
func NewReport(ctx context.Context, store CountReader, days, limit int, to time.Time) (Report, error) {
	r := Report{From: to.AddDate(0, 0, -days), To: to}
	count := func(order lectern.SearchOrder, limit int) ([]lectern.SearchCount, error) {
		return store.SearchCounts(ctx, lectern.SearchCountQuery{
			From: r.From, To: to, HalfLife: to.Sub(r.From), Order: order, Limit: limit,
		})
	}
	all, err := count(lectern.SearchesByCount, maxTotals)
	if err != nil {
		return Report{}, err
	}
	r.total(all)
	r.Top = slices.Clone(all[:min(limit, len(all))])
	if r.ZeroResults, err = count(lectern.SearchesByZero, limit); err != nil {
		return Report{}, err
	}
	missed, err := count(lectern.SearchesByMissed, limit*reportPool)
	if err != nil {
		return Report{}, err
	}
	r.LowClick = first(missed, limit, lowClick)
	growing, err := count(lectern.SearchesByGrowing, limit*reportPool)
	if err != nil {
		return Report{}, err
	}
	growing = slices.Clone(growing)
	slices.SortStableFunc(growing, func(a, b lectern.SearchCount) int { return cmp.Compare(trend(b), trend(a)) })
	r.Trending = first(growing, limit, func(c lectern.SearchCount) bool { return trend(c) >= minTrend })
	pairs, err := store.Reformulations(ctx, r.From, to, reformulated, limit*reportPool)
	if err != nil {
		return Report{}, err
	}
	r.Corrections = first(pairs, limit, func(p lectern.Reformulation) bool { return p.Opened > 0 })
	return r, nil
}

// total adds the queries up.
func (r *Report) total(all []lectern.SearchCount) {
	r.Queries, r.Partial = len(all), len(all) >= maxTotals
	for _, c := range all {
		r.Searches += c.Searches
		r.Zero += c.Zero
		r.Opened += c.Opened
	}
}

// lowClick reports a query whose results nearly nobody opens.
func lowClick(c lectern.SearchCount) bool {
	found := c.Searches - c.Zero
	return found >= MinLowClick && float64(c.Opened) <= maxLowClick*float64(found)
}

// first returns the first rows that are wanted.
func first[T any](rows []T, limit int, wanted func(T) bool) []T {
	out := make([]T, 0, min(limit, len(rows)))
	for _, row := range rows {
		if len(out) == limit {
			break
		}
		if wanted(row) {
			out = append(out, row)
		}
	}
	return out
}
