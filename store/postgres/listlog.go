package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/slate"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

var _ lectern.ListLog = (*Store)(nil)

// LoggedLists implements lectern.ListLog.
func (s *Store) LoggedLists(ctx context.Context, since time.Time, before lectern.LogCursor, limit, items int) (
	[]lectern.LoggedList, lectern.LogCursor, error) {
	if limit <= 0 {
		return nil, lectern.LogCursor{}, ctx.Err()
	}
	for field, t := range map[string]time.Time{"since": since, "before": before.CreatedAt} {
		if err := checkTime(field, t); err != nil {
			return nil, lectern.LogCursor{}, err
		}
	}
	since, until := lectern.Timestamp(since), lectern.Timestamp(before.CreatedAt)
	var out []lectern.LoggedList
	var next lectern.LogCursor
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		out, next = nil, lectern.LogCursor{}
		rows, err := q.CitedRankings(ctx, sqlcgen.CitedRankingsParams{
			Since: since, FirstDay: dayOf(since), LastDay: dayOf(until), Before: until, BeforeID: before.ID, MaxRows: rowLimit(limit),
		})
		if err != nil {
			return err
		}
		ids, at := make([]string, len(rows)), make(map[string]int, len(rows))
		out = make([]lectern.LoggedList, len(rows))
		for i, row := range rows {
			ids[i], at[row.RankingID] = row.RankingID, i
			if out[i].Ranking, err = slate.Head(row.Body, items); err != nil {
				return fmt.Errorf("ranking %q: %w", row.RankingID, err)
			}
			if row.LearnerID != nil {
				out[i].Person = *row.LearnerID
			}
		}
		cited, err := q.Citations(ctx, ids)
		if err != nil {
			return err
		}
		for _, c := range cited {
			list := &out[at[c.RankingID]]
			e := lectern.Citation{Type: lectern.EventType(c.Type), CourseID: c.Course, At: c.OccurredAt}
			if c.Position != nil {
				n := int(*c.Position)
				e.Position = &n
			}
			list.Events = append(list.Events, e)
		}
		if len(rows) == limit {
			last := rows[len(rows)-1]
			next = lectern.LogCursor{CreatedAt: last.CreatedAt, ID: last.RankingID}
		}
		return nil
	})
	return out, next, err
}
