package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index/qdrant"
	"github.com/lectern-dev/lectern/jobs"
	"github.com/lectern-dev/lectern/store/postgres"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// The backends, as the configuration names them.
const (
	driverSQLite   = "sqlite"
	driverPostgres = "postgres"
	driverMemory   = "memory"
	driverQdrant   = "qdrant"
	driverLocal    = "local"
	driverOpenAI   = "openai"
)

// relational is a store as the commands use it, whichever backend it is.
type relational interface {
	lectern.CourseStore
	lectern.ReviewStore
	lectern.LearnerStore
	lectern.ProfileStore
	lectern.EventStore
	lectern.RankingStore
	lectern.ListLog
	lectern.OutcomeLog
	lectern.LearningStore
	lectern.PosteriorStore
	lectern.SearchStore
	lectern.VectorStore
	lectern.ArtefactStore
	lectern.KeyStore
	lectern.StatsStore
	lectern.LeaseStore
	lectern.SentimentStore
	lectern.SettingsStore
	lectern.ExperimentStore
	lectern.ExperimentLog
	lectern.ExperimentLooks
	lectern.FeedbackStore
	lectern.OutcomeLog
	lectern.MetricStore
	lectern.MetricReader

	// CountCourses returns how many courses are open or unlisted.
	CountCourses(ctx context.Context) (int, error)
	// ProfileKey returns the number that stands for a learner in the feed of profiles.
	ProfileKey(ctx context.Context, ref lectern.LearnerRef) (int64, error)
	// CompactProfileChanges removes the feed's entries that newer ones have made void.
	CompactProfileChanges(ctx context.Context, after, upTo int64) (int, error)
	// CatchUpProfileChanges puts everybody into the feed who is not there; with gone
	// also those there again who are gone.
	CatchUpProfileChanges(ctx context.Context, gone bool) (int, error)
	// PruneProfileChanges removes the feed's entries of those who are gone.
	PruneProfileChanges(ctx context.Context, upTo int64) (int, error)
	// LeaseHolder returns who holds a lease now, "" for nobody.
	LeaseHolder(ctx context.Context, name string) (string, error)
	// Migrate brings the schema up to date; MigrateDown takes it back to a version.
	Migrate(ctx context.Context) error
	MigrateDown(ctx context.Context, version int64) error
	MigrationStatus(ctx context.Context) ([]lectern.MigrationState, error)
	Close() error
}

var (
	_ relational = (*sqlite.Store)(nil)
	_ relational = (*postgres.Store)(nil)
)

// embedded reports whether the store is a file that one server works on.
func (c Config) embedded() bool { return c.Store.Driver == driverSQLite }

// place names the store for people, without a password.
func (c Config) place() string {
	if c.embedded() {
		return c.DatabasePath()
	}
	return postgres.Describe(c.Store.Postgres)
}

// openRelational opens the configured store without migrating it.
func openRelational(ctx context.Context, e *environment) (relational, error) {
	if e.config.embedded() {
		return openSQLite(ctx, e)
	}
	store, err := postgres.Open(ctx, postgres.Options{
		Config: e.config.Store.Postgres, Clock: lectern.SystemClock, Logger: e.log,
	})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", e.config.place(), err)
	}
	return store, nil
}

func openSQLite(ctx context.Context, e *environment) (relational, error) {
	path := e.config.DatabasePath()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	store, err := sqlite.Open(ctx, sqlite.Options{Path: path, Clock: lectern.SystemClock, Logger: e.log})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return store, nil
}

// mustExist reports a data folder without a database. A PostgreSQL database that
// is not there refuses the connection by itself.
func (e *environment) mustExist() error {
	if !e.config.embedded() {
		return nil
	}
	_, err := os.Stat(e.config.DatabasePath())
	if errors.Is(err, fs.ErrNotExist) {
		return lectern.Errorf(lectern.CodeNotFound, "there is no data in %s (looked for %s): name another folder with --data, or import something first",
			e.config.Data, e.config.DatabasePath())
	}
	return err
}

// openIndexes connects to the shared indexes, nil where each process keeps an
// index of its own.
func openIndexes(ctx context.Context, env environment, m *meters) (*qdrant.Indexes, error) {
	if env.config.Index.Driver != driverQdrant {
		return nil, nil
	}
	owner, err := ownerOf(ctx, env.store)
	if err != nil {
		return nil, err
	}
	indexes, err := qdrant.New(qdrant.Options{
		Config: env.config.Index.Qdrant, Logger: env.log, Observe: m.observeQdrant, Owner: owner, TakeOver: env.takeOver,
	})
	if err != nil {
		return nil, fmt.Errorf("prepare for Qdrant at %s: %w", env.config.Index.Qdrant.Address, err)
	}
	return indexes, nil
}

// secretOwner is the name of the secret that tells a store from others where it
// cannot do so by itself.
const secretOwner = "index owner"

// ownerOf names the database, so that a copy of it does not switch its indexes.
func ownerOf(ctx context.Context, store relational) (string, error) {
	if pg, ok := store.(*postgres.Store); ok {
		if identity, err := pg.Identity(ctx); err == nil {
			return identity, nil
		}
		// A provider may keep that from its users.
	}
	secret, err := store.Secret(ctx, secretOwner, randomBytes(12))
	if err != nil {
		return "", fmt.Errorf("read the store's name: %w", err)
	}
	return hex.EncodeToString(secret), nil
}

// worker is a running queue.
type worker interface {
	Start(context.Context) error
	Stop(context.Context) error
}

// newWorker returns the workers of the queue in the store's database.
func newWorker(store relational, h jobs.Handlers, o jobs.Options) (worker, error) {
	switch s := store.(type) {
	case *sqlite.Store:
		o.Rescue = s.RescueJobs // nobody else works this queue
		return jobs.New(s.RiverDriver(), h, o)
	case *postgres.Store:
		return jobs.New(s.RiverDriver(), h, o)
	}
	return nil, lectern.Errorf(lectern.CodeInternal, "no queue for a store of type %T", store)
}
