package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// recentDepth bounds the searches of a learner that are looked through for
// distinct ones.
const recentDepth = 1000

// PutSearches implements lectern.SearchStore.
func (s *Store) PutSearches(ctx context.Context, searches []lectern.Search) error {
	if len(searches) == 0 {
		return ctx.Err()
	}
	var rows sqlcgen.InsertSearchesParams
	var names []identity
	for _, search := range searches {
		if err := checkSearch(search); err != nil {
			return err
		}
		rows.RankingIds = append(rows.RankingIds, search.RankingID)
		rows.Ats = append(rows.Ats, lectern.Timestamp(search.At))
		rows.Queries = append(rows.Queries, search.Query)
		rows.Folded = append(rows.Folded, search.Folded)
		rows.Surfaces = append(rows.Surfaces, string(search.Surface))
		rows.Results = append(rows.Results, int64(search.Results))
		rows.Degraded = append(rows.Degraded, search.Degraded)
		if name, named := rankingOf(search.Learner); named {
			names = append(names, name)
		}
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		people, err := tx.findPeople(ctx, names)
		if err != nil {
			return err
		}
		rows.LearnerIds = make([]int64, len(searches)) // 0 is nobody
		for i, search := range searches {
			if name, named := rankingOf(search.Learner); named {
				rows.LearnerIds[i] = people[name].id
			}
		}
		// One who is erased before the commit makes the row's reference fail, and
		// the next try finds nobody.
		return tx.q.InsertSearches(ctx, rows)
	})
}

func checkSearch(search lectern.Search) error {
	if err := checkID("ranking_id", search.RankingID); err != nil {
		return err
	}
	for _, who := range identities(search.Learner) {
		if err := checkID("learner", who.externalID); err != nil {
			return err
		}
	}
	if search.Surface != lectern.SurfaceSearch && search.Surface != lectern.SurfaceAutocomplete {
		return lectern.Invalid("unknown surface", lectern.NewFieldError("surface", search.Surface,
			"keeps no search log", fmt.Sprint([]lectern.Surface{lectern.SurfaceSearch, lectern.SurfaceAutocomplete})))
	}
	if len(search.Query) > lectern.MaxSearchQuery {
		return lectern.Invalid("a query is too long", lectern.NewFieldError("query", search.Query,
			fmt.Sprintf("has %d bytes", len(search.Query)), fmt.Sprintf("at most %d bytes", lectern.MaxSearchQuery)))
	}
	if search.Results < 0 {
		return lectern.Invalid("a number is out of range", lectern.NewFieldError("results", search.Results, "is negative", "0 or more"))
	}
	if err := checkText("query", search.Query, search.Folded); err != nil {
		return err
	}
	return checkTime("at", search.At)
}

// RecentSearches implements lectern.SearchStore.
func (s *Store) RecentSearches(ctx context.Context, ref lectern.LearnerRef, limit int) ([]lectern.Search, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	var out []lectern.Search
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		out = nil
		id, err := resolve(ctx, q, ref)
		if err != nil {
			return err
		}
		name, err := q.IdentityOf(ctx, id)
		if err != nil {
			return goneMeanwhile(err)
		}
		whose := lectern.LearnerRef{ID: name.ExternalID}
		if name.Kind == kindVisitor {
			whose = lectern.LearnerRef{AnonymousID: name.ExternalID}
		}
		rows, err := q.RecentSearches(ctx, &id, recentDepth, rowLimit(limit))
		for _, r := range rows {
			out = append(out, lectern.Search{
				RankingID: r.RankingID, At: r.At, Learner: whose, Surface: lectern.Surface(r.Surface),
				Query: r.Query, Folded: r.Folded, Results: int(r.Results), Degraded: r.Degraded,
			})
		}
		return err
	})
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return nil, nil
	}
	return out, err
}

// SearchCounts implements lectern.SearchStore.
func (s *Store) SearchCounts(ctx context.Context, q lectern.SearchCountQuery) ([]lectern.SearchCount, error) {
	if err := checkOrder(q.Order); err != nil || q.Limit <= 0 {
		return nil, err
	}
	since := q.From
	if q.Order == lectern.SearchesByGrowing {
		since = q.From.Add(-q.To.Sub(q.From))
	}
	if err := checkPeriod(since, q.To); err != nil {
		return nil, err
	}
	args := sqlcgen.SearchCountsParams{
		Since: lectern.Timestamp(since), FromAt: lectern.Timestamp(q.From), ToAt: lectern.Timestamp(q.To),
		HalfLifeSeconds: math.Inf(1), // at which every age is none
		MinOpeners:      int64(q.MinOpeners), SortBy: string(q.Order), MaxRows: rowLimit(q.Limit),
	}
	if q.HalfLife > 0 {
		args.HalfLifeSeconds = q.HalfLife.Seconds()
	}
	var out []lectern.SearchCount
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.SearchCounts(ctx, args)
		out = make([]lectern.SearchCount, len(rows))
		for i, r := range rows {
			out[i] = lectern.SearchCount{
				Folded: r.Folded, Query: r.Spelling, Searches: int(r.Searches), Zero: int(r.Zero), Opened: int(r.Opened),
				Missed: int(r.Missed), Openers: int(r.Openers), Before: int(r.Earlier), Position: r.Position,
				Results: int(r.Results), Weight: r.Weight, Last: r.LastAt,
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func checkOrder(o lectern.SearchOrder) error {
	known := []lectern.SearchOrder{
		lectern.SearchesByCount, lectern.SearchesByZero, lectern.SearchesByMissed, lectern.SearchesByWeight, lectern.SearchesByGrowing,
	}
	if slices.Contains(known, o) {
		return nil
	}
	return lectern.Invalid("unknown order", lectern.NewFieldError("order", o, "is unknown", fmt.Sprint(known)))
}

func checkPeriod(from, to time.Time) error {
	if err := checkTime("from", from); err != nil {
		return err
	}
	return checkTime("to", to)
}

// Reformulations implements lectern.SearchStore.
func (s *Store) Reformulations(ctx context.Context, from, to time.Time, within time.Duration, limit int) ([]lectern.Reformulation, error) {
	if err := checkPeriod(from, to); err != nil || limit <= 0 {
		return nil, err
	}
	args := sqlcgen.ReformulationsParams{
		FromAt: lectern.Timestamp(from), ToAt: lectern.Timestamp(to), WithinMicroseconds: within.Microseconds(), MaxRows: rowLimit(limit),
	}
	var out []lectern.Reformulation
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.Reformulations(ctx, args)
		out = make([]lectern.Reformulation, len(rows))
		for i, r := range rows {
			out[i] = lectern.Reformulation{
				From: r.FromQuery, To: r.ToQuery, Count: int(r.Times), Learners: int(r.Learners),
				Opened: int(r.Opened), FromZero: int(r.FromZero),
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ForgetSearchers implements lectern.SearchStore.
func (s *Store) ForgetSearchers(ctx context.Context, before time.Time) (int, error) {
	if err := checkTime("before", before); err != nil {
		return 0, err
	}
	before = lectern.Timestamp(before)
	return s.prune(ctx, func(ctx context.Context, q *sqlcgen.Queries) (int64, error) {
		return q.ForgetSearchers(ctx, before, pruneBatch)
	})
}

// DeleteSearchesBefore implements lectern.SearchStore.
func (s *Store) DeleteSearchesBefore(ctx context.Context, t time.Time) (int, error) {
	if err := checkTime("before", t); err != nil {
		return 0, err
	}
	t = lectern.Timestamp(t)
	return s.prune(ctx, func(ctx context.Context, q *sqlcgen.Queries) (int64, error) {
		return q.DeleteSearchesBefore(ctx, t, pruneBatch)
	})
}
