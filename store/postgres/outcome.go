package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/slate"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

var _ lectern.OutcomeLog = (*Store)(nil)

// ScanOutcomes implements lectern.OutcomeLog.
func (s *Store) ScanOutcomes(ctx context.Context, after int64, limit int, within time.Duration, items int) (
	[]lectern.Outcome, int64, error) {
	if limit <= 0 {
		return nil, after, ctx.Err()
	}
	var out []lectern.Outcome
	next := after
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.OutcomesAfter(ctx, max(0, within).Microseconds(), after, rowLimit(limit))
		if err != nil {
			return err
		}
		var cited []string
		for _, r := range rows {
			if r.List != "" {
				cited = append(cited, r.List)
			}
		}
		lists, err := listHeads(ctx, q, cited, items)
		if err != nil {
			return err
		}
		out, next = make([]lectern.Outcome, len(rows)), after
		for i, r := range rows {
			out[i] = lectern.Outcome{
				Seq: r.Event.ID, Event: eventOf(r.Event, r.Course, identity{r.LearnerKind, r.Learner}), Person: r.Event.LearnerID,
				List: lists[r.List], Direct: r.Event.RankingID != nil && lists[r.List] != nil, Silent: r.Silent,
			}
			next = r.Event.ID
		}
		return nil
	})
	if err != nil {
		return nil, after, err
	}
	return out, next, nil
}

// listHeads returns the recorded lists with these ids, each with its first items and
// read once.
func listHeads(ctx context.Context, q *sqlcgen.Queries, ids []string, items int) (map[string]*lectern.Ranking, error) {
	out := make(map[string]*lectern.Ranking, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := q.RankingBodies(ctx, distinct(ids))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		head, err := slate.Head(r.Body, items)
		if err != nil {
			return nil, fmt.Errorf("ranking %q: %w", r.RankingID, err)
		}
		out[r.RankingID] = &head
	}
	return out, nil
}

// ScanRankings implements lectern.OutcomeLog.
func (s *Store) ScanRankings(ctx context.Context, after int64, limit, items int) ([]lectern.RankedList, int64, error) {
	if limit <= 0 {
		return nil, after, ctx.Err()
	}
	var out []lectern.RankedList
	next := after
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.RankingsAfter(ctx, after, rowLimit(limit))
		if err != nil {
			return err
		}
		out, next = make([]lectern.RankedList, len(rows)), after
		for i, r := range rows {
			out[i].Seq, next = r.Seq, r.Seq
			if r.LearnerID != nil {
				out[i].Person = *r.LearnerID
			}
			if out[i].Ranking, err = slate.Head(r.Body, items); err != nil {
				return fmt.Errorf("ranking %q: %w", r.RankingID, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, after, err
	}
	return out, next, nil
}
