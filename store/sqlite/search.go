package sqlite

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// recentDepth bounds the searches of a learner that are looked through for
// distinct ones.
const recentDepth = 1000

// PutSearches implements lectern.SearchStore.
func (s *Store) PutSearches(ctx context.Context, searches []lectern.Search) error {
	if len(searches) == 0 {
		return ctx.Err()
	}
	for _, search := range searches {
		if err := checkSearch(search); err != nil {
			return err
		}
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		people := newPeople(tx)
		for _, search := range searches {
			row := sqlcgen.InsertSearchParams{
				RankingID: search.RankingID, At: micros(search.At), Query: search.Query, Folded: search.Folded,
				Surface: string(search.Surface), Results: int64(search.Results), Degraded: boolInt(search.Degraded),
			}
			if !search.Learner.IsZero() {
				id, known, err := people.findRef(ctx, search.Learner)
				if err != nil {
					return err
				}
				if known {
					row.LearnerID = &id
				}
			}
			if err := tx.q.InsertSearch(ctx, row); err != nil {
				return fmt.Errorf("search %q: %w", search.RankingID, err)
			}
		}
		return nil
	})
}

func checkSearch(search lectern.Search) error {
	if err := checkID("ranking_id", search.RankingID); err != nil {
		return err
	}
	if err := checkRef(search.Learner); err != nil {
		return err
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
	return nil
}

// RecentSearches implements lectern.SearchStore.
func (s *Store) RecentSearches(ctx context.Context, ref lectern.LearnerRef, limit int) ([]lectern.Search, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	id, err := s.resolve(ctx, s.read, ref)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	name, err := s.read.IdentityOf(ctx, id)
	if isNoRows(err) { // erased meanwhile
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	whose := lectern.LearnerRef{ID: name.ExternalID}
	if name.Kind == kindVisitor {
		whose = lectern.LearnerRef{AnonymousID: name.ExternalID}
	}
	rows, err := s.read.RecentSearches(ctx, &id, recentDepth, int64(limit))
	if err != nil {
		return nil, err
	}
	out := make([]lectern.Search, len(rows))
	for i, r := range rows {
		out[i] = lectern.Search{
			RankingID: r.RankingID, At: fromMicros(r.At), Learner: whose, Surface: lectern.Surface(r.Surface),
			Query: r.Query, Folded: r.Folded, Results: int(r.Results), Degraded: r.Degraded != 0,
		}
	}
	return out, nil
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
	halfLife := math.Inf(1) // at which every age is none
	if q.HalfLife > 0 {
		halfLife = float64(q.HalfLife) / float64(time.Microsecond)
	}
	rows, err := s.read.SearchCounts(ctx, sqlcgen.SearchCountsParams{
		Since: micros(since), FromAt: micros(q.From), ToAt: micros(q.To), HalfLife: halfLife,
		MinOpeners: int64(q.MinOpeners), SortBy: string(q.Order), MaxRows: int64(q.Limit),
	})
	if err != nil {
		return nil, err
	}
	out := make([]lectern.SearchCount, len(rows))
	for i, r := range rows {
		out[i] = lectern.SearchCount{
			Folded: r.Folded, Query: r.Spelling, Searches: int(r.Searches), Zero: int(r.Zero), Opened: int(r.Opened),
			Missed: int(r.Missed), Openers: int(r.Openers), Before: int(r.Earlier), Position: r.Position,
			Results: int(r.Results), Weight: r.Weight, Last: fromMicros(r.LastAt),
		}
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

// Reformulations implements lectern.SearchStore.
func (s *Store) Reformulations(ctx context.Context, from, to time.Time, within time.Duration, limit int) ([]lectern.Reformulation, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	rows, err := s.read.Reformulations(ctx, sqlcgen.ReformulationsParams{
		FromAt: micros(from), ToAt: micros(to), Within: within.Microseconds(), MaxRows: int64(limit),
	})
	if err != nil {
		return nil, err
	}
	out := make([]lectern.Reformulation, len(rows))
	for i, r := range rows {
		out[i] = lectern.Reformulation{
			From: r.FromQuery, To: r.ToQuery, Count: int(r.Times), Learners: int(r.Learners),
			Opened: int(r.Opened), FromZero: int(r.FromZero),
		}
	}
	return out, nil
}

// ForgetSearchers implements lectern.SearchStore.
func (s *Store) ForgetSearchers(ctx context.Context, before time.Time) (int, error) {
	return s.prune(ctx, func(ctx context.Context, tx *writeTx) (int64, error) {
		return tx.q.ForgetSearchers(ctx, micros(before), pruneBatch)
	})
}

// DeleteSearchesBefore implements lectern.SearchStore.
func (s *Store) DeleteSearchesBefore(ctx context.Context, t time.Time) (int, error) {
	return s.prune(ctx, func(ctx context.Context, tx *writeTx) (int64, error) {
		return tx.q.DeleteSearchesBefore(ctx, micros(t), pruneBatch)
	})
}
