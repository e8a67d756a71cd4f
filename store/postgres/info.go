package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern"
)

// Info describes the server, for whoever wants to know whether it suits.
type Info struct {
	Version    string        // as the server tells it
	Database   string        // name
	Bytes      int64         // size of the database
	MaxConns   int           // that the server takes, reserved ones not counted
	Conns      int           // of clients at the moment, in all its databases
	ClockAhead time.Duration // the server's clock less ours, give or take half of RoundTrip
	RoundTrip  time.Duration // of one small query
	Standby    bool          // it takes no writes
	Pooler     bool          // something between us and it lends sessions out; Config.DirectDSN must be set then
	// Misdirected is set when Config.DirectDSN leads to another database than
	// Config.DSN.
	Misdirected bool
}

// identify tells one database from any other. A server's start is unique enough.
const identify = `SELECT pg_postmaster_start_time(), oid::bigint FROM pg_database WHERE datname = current_database()`

// Info asks the server about itself.
func (s *Store) Info(ctx context.Context) (Info, error) {
	var out Info
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return Info{}, fail(err)
	}
	defer conn.Release()
	var pid uint32
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version'), current_database(),
			pg_database_size(current_database()),
			current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer,
			(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::integer,
			pg_is_in_recovery(), pg_backend_pid()::bigint`).
		Scan(&out.Version, &out.Database, &out.Bytes, &out.MaxConns, &out.Conns, &out.Standby, &pid)
	if err != nil {
		return Info{}, fail(err)
	}
	// A pooler makes up the process id that it tells its clients.
	out.Pooler = pid != conn.Conn().PgConn().PID()
	if out.ClockAhead, out.RoundTrip, err = compareClocks(ctx, conn.Conn(), s.clock); err != nil {
		return Info{}, fail(err)
	}
	if s.opts.pooled() {
		if out.Misdirected, err = s.misdirected(ctx, conn.Conn()); err != nil {
			return Info{}, fail(err)
		}
	}
	return out, nil
}

// compareClocks takes the quickest of a few looks at the server's clock.
func compareClocks(ctx context.Context, conn *pgx.Conn, clock lectern.Clock) (ahead, roundTrip time.Duration, err error) {
	for range 5 {
		var there time.Time
		before, started := clock(), time.Now()
		if err := conn.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&there); err != nil {
			return 0, 0, err
		}
		if took := time.Since(started); roundTrip == 0 || took < roundTrip {
			roundTrip = took
			ahead = there.Sub(before.Add(took / 2))
		}
	}
	return ahead, roundTrip, nil
}

// misdirected reports whether the direct address is that of another database.
func (s *Store) misdirected(ctx context.Context, conn *pgx.Conn) (bool, error) {
	wait, cancel := context.WithTimeout(ctx, s.opts.ConnectTimeout)
	defer cancel()
	direct, err := pgx.Connect(wait, s.opts.direct())
	if err != nil {
		return false, unavailable("the server at direct_dsn does not answer", err)
	}
	defer func() { _ = direct.Close(context.WithoutCancel(wait)) }()
	var here, there struct {
		started time.Time
		oid     int64
	}
	if err := conn.QueryRow(ctx, identify).Scan(&here.started, &here.oid); err != nil {
		return false, err
	}
	if err := direct.QueryRow(ctx, identify).Scan(&there.started, &there.oid); err != nil {
		return false, err
	}
	return here.oid != there.oid || !here.started.Equal(there.started), nil
}

// Identity tells this database from every other, copies of it included, and stays
// the same over restarts, failovers to a standby, and moves of its server.
func (s *Store) Identity(ctx context.Context) (string, error) {
	var cluster, oid int64
	err := s.pool.QueryRow(ctx, `SELECT system_identifier, (SELECT oid::bigint FROM pg_database WHERE datname = current_database())
		FROM pg_control_system()`).Scan(&cluster, &oid)
	if err != nil {
		return "", fmt.Errorf("ask the database who it is: %w", fail(err))
	}
	return fmt.Sprintf("postgres-%x-%x", uint64(cluster), uint64(oid)), nil //nolint:gosec // an identifier, not a number
}
