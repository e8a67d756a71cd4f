package postgres

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/quiet"
)

// Options says which server holds the rows and how the store behaves. Clock and
// Logger may be left out.
type Options struct {
	Config
	Clock  lectern.Clock // lectern.SystemClock when nil
	Logger *slog.Logger  // silent when nil
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = lectern.SystemClock
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return o
}

// Store is the PostgreSQL implementation of every store interface of the root
// package. It is safe for concurrent use, and any number of processes may work
// on the same database.
type Store struct {
	opts    Options
	clock   lectern.Clock
	log     *slog.Logger
	pool    *pgxpool.Pool
	river   *river.Client[pgx.Tx] // inserts jobs only
	appends *appendShare
}

var (
	_ lectern.CourseStore   = (*Store)(nil)
	_ lectern.ReviewStore   = (*Store)(nil)
	_ lectern.LearnerStore  = (*Store)(nil)
	_ lectern.EventStore    = (*Store)(nil)
	_ lectern.RankingStore  = (*Store)(nil)
	_ lectern.SearchStore   = (*Store)(nil)
	_ lectern.VectorStore   = (*Store)(nil)
	_ lectern.ArtefactStore = (*Store)(nil)
	_ lectern.KeyStore      = (*Store)(nil)
	_ lectern.LeaseStore    = (*Store)(nil)
	_ lectern.StatsStore    = (*Store)(nil)
)

// Open connects to the server. It does not migrate: until Migrate has run on a
// new database, every method fails. Errors: CodeInvalid for settings that are
// not usable, CodeUnavailable when the server does not answer, CodeRefused when
// it is too old.
func Open(ctx context.Context, opts Options) (*Store, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	cfg, err := poolConfig(opts.Config, opts.DSN, opts.MaxConns, opts.pooled())
	if err != nil {
		return nil, err
	}
	s := &Store{opts: opts, clock: opts.Clock, log: opts.Logger, appends: newAppendShare()}
	if s.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, openFailed(err)
	}
	s.river, err = river.NewClient(riverpgxv5.New(s.pool), &river.Config{
		Logger: quiet.Logger(s.log), MaxAttempts: maxJobAttempts,
	})
	if err == nil {
		err = s.checkServer(ctx)
	}
	if err != nil {
		s.pool.Close()
		return nil, err
	}
	return s, nil
}

// Close waits for the queries that run and closes the connections. Stop the
// workers that use RiverDriver and the callers of Listen first. Closing again
// does nothing.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// poolConfig says how connections to dsn are made. Behind a pooler nothing is
// set for a session, because the next transaction may have another.
func poolConfig(c Config, dsn string, maxConns int, pooled bool) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		// Not err, which may show the password.
		return nil, lectern.Invalid("the address of PostgreSQL cannot be read")
	}
	cfg.MaxConns = int32(maxConns) //nolint:gosec // validated
	cfg.MaxConnIdleTime = c.IdleTimeout
	cfg.MaxConnLifetime = c.MaxConnAge
	cfg.MaxConnLifetimeJitter = c.MaxConnAge / 10
	conn := cfg.ConnConfig
	conn.ConnectTimeout = c.ConnectTimeout
	if !c.PreparedStatements {
		conn.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	params := conn.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "lectern"
	}
	if !pooled {
		// A transaction whose process hangs must not hold its locks for ever.
		params["idle_in_transaction_session_timeout"] = millis(idleInTransaction)
		if c.StatementTimeout > 0 {
			params["statement_timeout"] = millis(c.StatementTimeout)
		}
	}
	cfg.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID,
			Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}
	return cfg, nil
}

// idleInTransaction is after how long the server ends a transaction whose
// process says nothing.
const idleInTransaction = 30 * time.Second

func millis(d time.Duration) string { return strconv.FormatInt(max(1, d.Milliseconds()), 10) }

// oldestServer is the oldest major version that is supported.
const oldestServer = 15

// checkServer asks the server for its version.
func (s *Store) checkServer(ctx context.Context) error {
	var number int
	var version string
	err := s.pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::integer, current_setting('server_version')`).
		Scan(&number, &version)
	if err != nil {
		return openFailed(err)
	}
	return checkVersion(number, version)
}

func checkVersion(number int, version string) error {
	if number/10_000 < oldestServer {
		return lectern.Errorf(lectern.CodeRefused, "the server is PostgreSQL %s; Lectern needs %d or newer", version, oldestServer)
	}
	return nil
}

// Ping implements lectern.StatsStore.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("ping: %w", fail(err))
	}
	return nil
}
