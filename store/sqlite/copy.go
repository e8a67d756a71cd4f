package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/transfer"
)

var _ transfer.Store = (*Store)(nil)

func placeholder(int) string { return "?" }

// DumpRows implements transfer.Store.
func (s *Store) DumpRows(ctx context.Context, t transfer.Table, after transfer.Position, limit int) ([]transfer.Row, error) {
	query := "SELECT " + t.Names() + " FROM " + t.Name + t.Condition(after, placeholder) + " LIMIT ?"
	return s.rows(ctx, t.Columns, query, append(slices.Clone(after.Values), limit)...)
}

func (s *Store) rows(ctx context.Context, columns []transfer.Column, query string, args ...any) ([]transfer.Row, error) {
	found, err := s.readDB.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }() // Err has told
	var out []transfer.Row
	for found.Next() {
		row, into := make(transfer.Row, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := found.Scan(into...); err != nil {
			return nil, err
		}
		for i, c := range columns {
			if row[i], err = dumped(c, row[i]); err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
		}
		out = append(out, row)
	}
	return out, found.Err()
}

// dumped turns a value of the driver's into one that travels.
func dumped(c transfer.Column, v any) (any, error) {
	if v == nil {
		if c.Type == transfer.Blob && !c.Null {
			return []byte{}, nil // how the driver returns an empty one
		}
		return nil, nil
	}
	switch c.Type {
	case transfer.Bool:
		return v != int64(0), nil
	case transfer.Texts:
		text, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("a list is a %T", v)
		}
		list, err := decodeList(text)
		if err == nil && list == nil {
			list = []string{}
		}
		return list, err
	case transfer.Real:
		if n, ok := v.(int64); ok {
			return float64(n), nil
		}
	case transfer.Blob:
		b, ok := v.([]byte)
		if !ok {
			return nil, fmt.Errorf("bytes are a %T", v)
		}
		return slices.Clone(b), nil
	}
	return v, nil
}

// restored is the reverse of dumped.
func restored(v any) any {
	switch v := v.(type) {
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case []string:
		return encodeList(v)
	}
	return v
}

// RestoreRows implements transfer.Store.
func (s *Store) RestoreRows(ctx context.Context, t transfer.Table, rows []transfer.Row) error {
	query := "INSERT INTO " + t.Name + " (" + t.Names() + ") VALUES (?" + strings.Repeat(", ?", len(t.Columns)-1) + ") ON CONFLICT DO NOTHING"
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		for _, row := range rows {
			values := make([]any, len(row))
			for i, v := range row {
				values[i] = restored(v)
			}
			if _, err := tx.stmts.ExecContext(ctx, query, values...); err != nil {
				return err
			}
		}
		return nil
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
	err := s.readDB.QueryRowContext(ctx, "SELECT count(*) FROM "+t.Name).Scan(&n)
	return n, err
}

// WaitingJobs implements transfer.Store.
func (s *Store) WaitingJobs(ctx context.Context) (courses, reviews []string, err error) {
	rows, err := s.readDB.QueryContext(ctx, `SELECT kind, json(args) FROM river_job
		WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled') ORDER BY id`)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }() // Err has told
	for rows.Next() {
		var kind, args string
		if err := rows.Scan(&kind, &args); err != nil {
			return nil, nil, err
		}
		var job lectern.EmbedCoursesJob // both kinds have these arguments
		if err := json.Unmarshal([]byte(args), &job); err != nil {
			return nil, nil, fmt.Errorf("read a job: %w", err)
		}
		switch kind {
		case job.Kind():
			courses = append(courses, job.CourseIDs...)
		case lectern.EmbedReviewsJob{}.Kind():
			reviews = append(reviews, job.CourseIDs...)
		}
	}
	return distinct(courses), distinct(reviews), rows.Err()
}

// SettleRows implements transfer.Store.
func (s *Store) SettleRows(ctx context.Context, courses, reviews []string) error {
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if err := s.enqueueEmbed(ctx, tx, courses); err != nil {
			return err
		}
		return s.enqueueEmbedReviews(ctx, tx, reviews)
	})
	if err != nil {
		return err
	}
	_, err = s.queueDB.ExecContext(ctx, "ANALYZE")
	return err
}
