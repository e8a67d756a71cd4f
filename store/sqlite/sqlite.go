// Package sqlite keeps Lectern's rows in one SQLite file: the embedded default.
// It runs WAL with synchronous FULL, so an acknowledged write survives a kill
// and a power cut; group commit shares the cost of that between writers.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	_ "modernc.org/sqlite" // registers the driver

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/quiet"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// Options says where the file is and how the store behaves. Zero values of all
// but Path mean the defaults.
type Options struct {
	Path    string        // the database file; its folder must exist
	Clock   lectern.Clock // lectern.SystemClock when nil
	Logger  *slog.Logger  // silent when nil
	Readers int           // connections that only read; 4 when 0
	// LockTimeout bounds the wait for another process's write; 30 s when 0.
	LockTimeout time.Duration
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = lectern.SystemClock
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = 30 * time.Second
	}
	return o
}

// Store is the SQLite implementation of every store interface of the root
// package. It is safe for concurrent use, and two processes may have the same
// file open.
type Store struct {
	opts    Options
	clock   lectern.Clock
	log     *slog.Logger
	readDB  *sql.DB
	writeDB *sql.DB // one connection, owned by the writer
	queueDB *sql.DB // one connection, for migrations and the job queue
	stmts   *statements
	read    *sqlcgen.Queries
	writer  *writer
	river   *river.Client[*sql.Tx] // inserts jobs only

	closeOnce sync.Once
	closeErr  error
}

var (
	_ lectern.CourseStore   = (*Store)(nil)
	_ lectern.ReviewStore   = (*Store)(nil)
	_ lectern.LearnerStore  = (*Store)(nil)
	_ lectern.EventStore    = (*Store)(nil)
	_ lectern.RankingStore  = (*Store)(nil)
	_ lectern.SearchStore   = (*Store)(nil)
	_ lectern.VectorStore   = (*Store)(nil)
	_ lectern.LeaseStore    = (*Store)(nil)
	_ lectern.ArtefactStore = (*Store)(nil)
	_ lectern.KeyStore      = (*Store)(nil)
	_ lectern.StatsStore    = (*Store)(nil)
)

// Open opens the file, creating it where there is none. It does not migrate:
// until Migrate has run on a new file, every method fails.
// Errors: CodeUnavailable when the file cannot be opened.
func Open(ctx context.Context, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	if opts.Path == "" {
		return nil, lectern.Invalid("a SQLite store needs a path")
	}
	s := &Store{opts: opts, clock: opts.Clock, log: opts.Logger}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(lectern.Errorf(lectern.CodeUnavailable, "open %s: %w", opts.Path, err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	unlock, err := s.lockFile(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	lock := s.opts.LockTimeout.Milliseconds()
	// The queue's connection comes first: it turns WAL on, which is kept in the file.
	if s.queueDB, err = openPool(ctx, s.opts.Path, 1, lock, 8, false); err != nil {
		return err
	}
	// The writer waits for its lock in Go, in small steps, hence the short timeout.
	if s.writeDB, err = openPool(ctx, s.opts.Path, 1, writerBusyMillis, 64, false); err != nil {
		return err
	}
	if s.readDB, err = openPool(ctx, s.opts.Path, s.opts.Readers, lock, 16, true); err != nil {
		return err
	}
	s.stmts = newStatements(s.readDB)
	s.read = sqlcgen.New(s.stmts)

	s.river, err = river.NewClient(riversqlite.New(s.queueDB), &river.Config{
		Logger: quiet.Logger(s.log), MaxAttempts: maxJobAttempts,
	})
	if err != nil {
		return fmt.Errorf("job queue: %w", err)
	}
	s.writer, err = startWriter(ctx, s.writeDB, s.opts)
	return err
}

// openPool opens a pool of connections that all carry the same pragmas.
func openPool(ctx context.Context, path string, conns int, busyMillis int64, cacheMiB int, readOnly bool) (*sql.DB, error) {
	q := url.Values{}
	q.Set("_txlock", "immediate")
	for _, p := range []string{
		fmt.Sprintf("busy_timeout(%d)", busyMillis),
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"foreign_keys(1)",
		fmt.Sprintf("cache_size(-%d)", cacheMiB*1024),
		"wal_autocheckpoint(4000)", // pages: 16 MB of log before it is folded in
		"temp_store(MEMORY)",
	} {
		q.Add("_pragma", p)
	}
	if readOnly {
		q.Add("_pragma", "query_only(1)")
	}
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Close finishes the writes that are queued and closes the file. Stop the
// workers that use RiverDriver first. Closing again does nothing.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		if s.writer != nil {
			s.closeErr = s.writer.stop()
		}
		if s.stmts != nil {
			s.closeErr = errors.Join(s.closeErr, s.stmts.Close())
		}
		for _, db := range []*sql.DB{s.readDB, s.writeDB, s.queueDB} {
			if db != nil {
				s.closeErr = errors.Join(s.closeErr, db.Close())
			}
		}
	})
	return s.closeErr
}
