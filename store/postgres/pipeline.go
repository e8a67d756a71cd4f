package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// pipeline gathers statements whose results nobody reads, to send them in one
// round trip: make queries of it with sqlcgen.New.
type pipeline struct{ batch pgx.Batch }

var _ sqlcgen.DBTX = (*pipeline)(nil)

// errNoResults is a mistake of ours: only :exec queries can be gathered.
var errNoResults = errors.New("a gathered query has no results")

// Exec implements sqlcgen.DBTX.
func (p *pipeline) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	p.batch.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

// send runs what was gathered, in order, up to the first that fails.
func (p *pipeline) send(ctx context.Context, tx pgx.Tx) error {
	if p.batch.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, &p.batch).Close()
}

// Query implements sqlcgen.DBTX.
func (*pipeline) Query(context.Context, string, ...any) (pgx.Rows, error) { return nil, errNoResults }

// QueryRow implements sqlcgen.DBTX.
func (*pipeline) QueryRow(context.Context, string, ...any) pgx.Row { return noRow{} }

// CopyFrom implements sqlcgen.DBTX.
func (*pipeline) CopyFrom(context.Context, pgx.Identifier, []string, pgx.CopyFromSource) (int64, error) {
	return 0, errNoResults
}

// SendBatch implements sqlcgen.DBTX. Nothing of ours nests pipelines.
func (*pipeline) SendBatch(context.Context, *pgx.Batch) pgx.BatchResults { return nil }

type noRow struct{}

func (noRow) Scan(...any) error { return errNoResults }
