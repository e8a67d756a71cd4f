package sqlite

import (
	"context"
	"strings"

	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// bulkRows is how many rows one bulk statement writes. What is left over goes
// row by row through the generated query, so there are two statements a table.
const bulkRows = 40

// The bulk statements are not sqlc queries: it has no rows of parameters. They
// spare most of what a statement costs besides its rows, the update of the
// table's sequence above all.

// insertEvents writes new events.
func (tx *writeTx) insertEvents(ctx context.Context, rows []sqlcgen.InsertEventParams) error {
	const width = 14
	for len(rows) >= bulkRows {
		args := make([]any, 0, bulkRows*width)
		for _, r := range rows[:bulkRows] {
			args = append(args, r.EventID, r.SchemaVersion, r.Type, r.LearnerID, r.CourseID, r.OccurredAt,
				r.ReceivedAt, r.RankingID, r.Position, r.Surface, r.SessionID, r.Value, r.Query, r.Properties)
		}
		query := `INSERT INTO events (event_id, schema_version, type, learner_id, course_id, occurred_at,
			received_at, ranking_id, position, surface, session_id, value, query, properties) VALUES ` + tuples(width)
		if _, err := tx.stmts.ExecContext(ctx, query, args...); err != nil {
			return err
		}
		rows = rows[bulkRows:]
	}
	for _, r := range rows {
		if err := tx.q.InsertEvent(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// putProfileEntries writes profile entries over the stored ones.
func (tx *writeTx) putProfileEntries(ctx context.Context, rows []sqlcgen.ProfileEntry) error {
	const width = 8
	for len(rows) >= bulkRows {
		args := make([]any, 0, bulkRows*width)
		for _, r := range rows[:bulkRows] {
			args = append(args, r.LearnerID, r.CourseID, r.Weight, r.WeightAt, r.HalfLife, r.State, r.LastAt, r.Progress)
		}
		query := `INSERT OR REPLACE INTO profile_entries
			(learner_id, course_id, weight, weight_at, half_life, state, last_at, progress) VALUES ` + tuples(width)
		if _, err := tx.stmts.ExecContext(ctx, query, args...); err != nil {
			return err
		}
		rows = rows[bulkRows:]
	}
	for _, r := range rows {
		if err := tx.q.PutProfileEntry(ctx, sqlcgen.PutProfileEntryParams(r)); err != nil {
			return err
		}
	}
	return nil
}

// tuples returns the placeholders of bulkRows rows.
func tuples(width int) string {
	tuple := "(" + strings.Repeat(",?", width)[1:] + ")"
	return strings.Repeat(","+tuple, bulkRows)[1:]
}
