package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
	"github.com/lectern-dev/lectern/store/storetest"
)

func TestStore(t *testing.T) {
	server := pgtest.Start(t)
	migrated := server.DSN(t)
	if err := open(t, migrated).Close(); err != nil {
		t.Fatal(err)
	}
	storetest.Run(t, func(t *testing.T) storetest.Store {
		dsn := server.Copy(t, migrated)
		return inspected{openUnmigrated(t, dsn), dsn}
	})
}

// inspected is a store whose rows the suite may search.
type inspected struct {
	*postgres.Store
	dsn string
}

var _ storetest.Inspector = inspected{}

// Mentions implements storetest.Inspector.
func (s inspected) Mentions(ctx context.Context, text string) ([]string, error) {
	conn, err := pgx.Connect(ctx, s.dsn)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, `SELECT c.table_name, c.column_name FROM information_schema.columns c
		JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'`)
	if err != nil {
		return nil, err
	}
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Table, Column string }])
	if err != nil {
		return nil, err
	}
	var out []string
	for _, c := range columns {
		var n int
		query := fmt.Sprintf(`SELECT count(*) FROM %s WHERE position($1 IN %s::text) > 0 OR
			position(encode($1::bytea, 'hex') IN %s::text) > 0`, c.Table, c.Column, c.Column)
		if err := conn.QueryRow(ctx, query, text).Scan(&n); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", c.Table, c.Column, err)
		}
		if n > 0 {
			out = append(out, c.Table+"."+c.Column)
		}
	}
	return out, nil
}
