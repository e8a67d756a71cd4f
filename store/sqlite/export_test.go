package sqlite

import (
	"context"
	"fmt"
	"runtime"
)

// TablesForTest lists the tables of the database, sorted.
func (s *Store) TablesForTest(ctx context.Context) ([]string, error) {
	return s.column(ctx, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
}

// MentionsForTest lists the columns that hold text anywhere.
func (s *Store) MentionsForTest(ctx context.Context, text string) ([]string, error) {
	tables, err := s.TablesForTest(ctx)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, table := range tables {
		columns, err := s.column(ctx, `SELECT name FROM pragma_table_info(?)`, table)
		if err != nil {
			return nil, err
		}
		for _, c := range columns {
			n, err := s.column(ctx, fmt.Sprintf(`SELECT count(*) FROM %q WHERE instr(CAST(%q AS TEXT), ?) > 0`, table, c), text)
			if err != nil {
				return nil, err
			}
			if n[0] != "0" {
				found = append(found, table+"."+c)
			}
		}
	}
	return found, nil
}

func (s *Store) column(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.queueDB.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// ExecForTest runs statements past the store.
func (s *Store) ExecForTest(ctx context.Context, sql string) error {
	_, err := s.queueDB.ExecContext(ctx, sql)
	return err
}

// WriteThenForTest maps a course id in a write whose outcome is then's.
func (s *Store) WriteThenForTest(ctx context.Context, externalID string, then func() error) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if _, err := tx.q.InsertCourseID(ctx, externalID); err != nil {
			return err
		}
		return then()
	})
}

// HoldWriterForTest keeps the writer busy until release is called.
func (s *Store) HoldWriterForTest() (release func()) {
	held, free := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.write(context.Background(), func(context.Context, *writeTx) error {
			close(held)
			<-free
			return nil
		})
	}()
	<-held
	return func() { close(free) }
}

// AwaitQueueForTest returns once n writes are queued.
func (s *Store) AwaitQueueForTest(n int) {
	for len(s.writer.queue) < n {
		runtime.Gosched()
	}
}
