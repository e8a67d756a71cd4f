package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/transfer"
)

var _ transfer.Store = (*Store)(nil)

func placeholder(i int) string { return "$" + strconv.Itoa(i+1) }

// DumpRows implements transfer.Store.
func (s *Store) DumpRows(ctx context.Context, t transfer.Table, after transfer.Position, limit int) ([]transfer.Row, error) {
	query := "SELECT " + t.Names() + " FROM " + t.Name + t.Condition(after, placeholder) + " LIMIT " + strconv.Itoa(limit)
	args := make([]any, len(after.Values))
	for i, c := range t.KeyColumns()[:len(args)] {
		args[i] = restored(c, after.Values[i])
	}
	return s.rows(ctx, t.Columns, query, args...)
}

func (s *Store) rows(ctx context.Context, columns []transfer.Column, query string, args ...any) ([]transfer.Row, error) {
	found, err := s.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, fail(err)
	}
	out, err := pgx.CollectRows(found, func(r pgx.CollectableRow) (transfer.Row, error) {
		row, into := make(transfer.Row, len(columns)), make([]any, len(columns))
		for i, c := range columns {
			into[i] = destination(c)
		}
		if err := r.Scan(into...); err != nil {
			return nil, err
		}
		for i, c := range columns {
			row[i] = dumped(c, into[i])
		}
		return row, nil
	})
	return out, fail(err)
}

// destination returns where a column's value is scanned to.
func destination(c transfer.Column) any {
	switch c.Type {
	case transfer.Int:
		return new(pgtype.Int8)
	case transfer.Real:
		return new(pgtype.Float8)
	case transfer.Bool:
		return new(pgtype.Bool)
	case transfer.Blob:
		return new([]byte)
	case transfer.Texts:
		return new([]string)
	case transfer.Time, transfer.Sort:
		return new(pgtype.Timestamptz)
	}
	return new(pgtype.Text)
}

// dumped turns what was scanned into a value that travels.
func dumped(c transfer.Column, v any) any {
	switch v := v.(type) {
	case *pgtype.Int8:
		if v.Valid {
			return v.Int64
		}
	case *pgtype.Float8:
		if v.Valid {
			return v.Float64
		}
	case *pgtype.Bool:
		if v.Valid {
			return v.Bool
		}
	case *pgtype.Text:
		if v.Valid {
			return v.String
		}
	case *pgtype.Timestamptz:
		switch {
		case !v.Valid:
		case v.InfinityModifier == pgtype.NegativeInfinity:
			return int64(math.MinInt64)
		default:
			return v.Time.UnixMicro()
		}
	case *[]string:
		if *v == nil {
			return []string{}
		}
		return *v
	case *[]byte:
		if *v == nil && !c.Null {
			return []byte{}
		}
		return *v
	}
	return nil
}

// restored turns a value that travelled into one of the driver's.
func restored(c transfer.Column, v any) any {
	n, isInt := v.(int64)
	switch {
	case !isInt || c.Type == transfer.Int:
		return v
	case c.Type == transfer.Sort && n == math.MinInt64:
		return pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
	}
	return time.UnixMicro(n).UTC()
}

// RestoreRows implements transfer.Store.
func (s *Store) RestoreRows(ctx context.Context, t transfer.Table, rows []transfer.Row) error {
	names := make([]string, len(t.Columns))
	values := make([][]any, len(rows))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	for i, row := range rows {
		values[i] = make([]any, len(row))
		for j, v := range row {
			values[i][j] = restored(t.Columns[j], v)
		}
	}
	list := t.Names()
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		// COPY cannot leave out rows that are there, so it fills a table beside.
		const beside = "restored_rows"
		if err := tx.run(ctx, "CREATE TEMP TABLE "+beside+" ON COMMIT DROP AS SELECT "+list+" FROM "+t.Name+" LIMIT 0"); err != nil {
			return err
		}
		if _, err := tx.tx.CopyFrom(ctx, pgx.Identifier{beside}, names, pgx.CopyFromRows(values)); err != nil {
			return err
		}
		if t.Name == "events" {
			// An event's id is unique by another table, where one that came twice stops.
			err := tx.run(ctx, "INSERT INTO event_keys (event_id, occurred_at) SELECT event_id, occurred_at FROM "+beside+" ON CONFLICT DO NOTHING")
			if err != nil {
				return err
			}
		}
		return tx.run(ctx, "INSERT INTO "+t.Name+" ("+list+") SELECT "+list+" FROM "+beside+" ON CONFLICT DO NOTHING")
	})
}

// LastPosition implements transfer.Store.
func (s *Store) LastPosition(ctx context.Context, t transfer.Table) (transfer.Position, error) {
	key := t.KeyColumns()[:t.Lead]
	names := strings.Join(t.Key[:t.Lead], ", ")
	rows, err := s.rows(ctx, key, "SELECT "+names+" FROM "+t.Name+" ORDER BY "+strings.ReplaceAll(names, ",", " DESC,")+" DESC LIMIT 1")
	if err != nil || len(rows) == 0 {
		return transfer.Position{}, err
	}
	return transfer.Position{Values: rows[0], With: true}, nil
}

// CountRows implements transfer.Store.
func (s *Store) CountRows(ctx context.Context, t transfer.Table) (int64, error) {
	var n int64
	err := s.pool.QueryRow(ctx, "SELECT count(*) FROM "+t.Name).Scan(&n)
	return n, fail(err)
}

// WaitingJobs implements transfer.Store.
func (s *Store) WaitingJobs(ctx context.Context) (courses, reviews []string, err error) {
	rows, err := s.pool.Query(ctx, `SELECT kind, args::text FROM river_job
		WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled') ORDER BY id`)
	if err != nil {
		return nil, nil, fail(err)
	}
	waiting, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Kind, Args string }])
	if err != nil {
		return nil, nil, fail(err)
	}
	for _, w := range waiting {
		var job lectern.EmbedCoursesJob // both kinds have these arguments
		if err := json.Unmarshal([]byte(w.Args), &job); err != nil {
			return nil, nil, fmt.Errorf("read a job: %w", err)
		}
		switch w.Kind {
		case job.Kind():
			courses = append(courses, job.CourseIDs...)
		case lectern.EmbedReviewsJob{}.Kind():
			reviews = append(reviews, job.CourseIDs...)
		}
	}
	return distinct(courses), distinct(reviews), nil
}

// numbered names the tables whose rows get numbers, and the column.
func numbered() []string {
	return []string{"course_ids.id", "course_changes.seq", "learners.id", "learner_changes.seq", "reviews.id", "fingerprints.id", "api_keys.id", "searches.id", "feedback.id", "settings_activations.seq", "feedback_log.seq", "metric_merged.id"}
}

// SettleRows implements transfer.Store.
func (s *Store) SettleRows(ctx context.Context, courses, reviews []string) error {
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		tx.embedCourses, tx.embedReviews = slices.Clone(courses), slices.Clone(reviews)
		const goOn = "SELECT setval(%s, coalesce((SELECT max(%s) FROM %s), 0) + 1, false)"
		for _, name := range numbered() {
			table, column, _ := strings.Cut(name, ".")
			sequence := fmt.Sprintf("pg_get_serial_sequence('%s', '%s')", table, column)
			if err := tx.run(ctx, fmt.Sprintf(goOn, sequence, column, table)); err != nil {
				return err
			}
		}
		return tx.run(ctx, fmt.Sprintf(goOn, "'events_id_seq'", "id", "events")+"; "+fmt.Sprintf(goOn, "'rankings_seq'", "seq", "rankings"))
	})
	if err != nil {
		return err
	}
	if err := s.MaintainPartitions(ctx, s.clock()); err != nil {
		return err
	}
	for _, t := range transfer.Tables() { // plans are made from what is known of the rows
		if _, err := s.pool.Exec(ctx, "ANALYZE "+t.Name); err != nil {
			return fail(err)
		}
	}
	return nil
}
