package sqlite

import (
	"context"
	"fmt"
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
