package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/slate"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

var _ lectern.ListLog = (*Store)(nil)

// LoggedLists implements lectern.ListLog.
func (s *Store) LoggedLists(ctx context.Context, since time.Time, before lectern.LogCursor, limit, items int) (
	[]lectern.LoggedList, lectern.LogCursor, error) {
	var next lectern.LogCursor
	if limit <= 0 {
		return nil, next, ctx.Err()
	}
	rows, err := s.read.CitedRankings(ctx, sqlcgen.CitedRankingsParams{
		Since: micros(since), Before: micros(before.CreatedAt), BeforeID: before.ID, MaxRows: int64(limit),
	})
	if err != nil {
		return nil, next, err
	}
	out, ids, at := make([]lectern.LoggedList, len(rows)), make([]string, len(rows)), make(map[string]int, len(rows))
	for i, row := range rows {
		ids[i], at[row.RankingID] = row.RankingID, i
		if out[i].Ranking, err = slate.Head([]byte(row.Body), items); err != nil {
			return nil, next, fmt.Errorf("ranking %q: %w", row.RankingID, err)
		}
		if row.LearnerID != nil {
			out[i].Person = *row.LearnerID
		}
	}
	cited, err := s.read.Citations(ctx, jsonText(ids))
	if err != nil {
		return nil, next, err
	}
	for _, c := range cited {
		list := &out[at[c.RankingID]]
		e := lectern.Citation{Type: lectern.EventType(c.Type), CourseID: c.Course, At: fromMicros(c.OccurredAt)}
		if c.Position != nil {
			n := int(*c.Position)
			e.Position = &n
		}
		list.Events = append(list.Events, e)
	}
	if len(rows) == limit {
		last := rows[len(rows)-1]
		next = lectern.LogCursor{CreatedAt: fromMicros(last.CreatedAt), ID: last.RankingID}
	}
	return out, next, nil
}
