package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/quiet"
	"github.com/lectern-dev/lectern/migrations"
)

// Migrate brings the schema up to date: our own migrations, then the job
// queue's. It is harmless on a schema that is up to date, and waits for another
// process that migrates the same file.
func (s *Store) Migrate(ctx context.Context) (err error) {
	unlock, err := s.lockFile(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	p, err := s.goose()
	if err != nil {
		return err
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if pending {
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	m, err := s.riverMigrator()
	if err != nil {
		return err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate job queue: %w", err)
	}
	return nil
}

// lockFile waits until no other process opens or migrates the same file. SQLite
// waits for no lock while it turns WAL on, and what is pending of migrations is
// looked up before their transaction.
func (s *Store) lockFile(ctx context.Context) (unlock func() error, err error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	lock := flock.New(s.opts.Path + ".lock")
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return nil, lectern.Errorf(lectern.CodeUnavailable, "lock %s against other processes that open or migrate it: %w", s.opts.Path, err)
	}
	return lock.Unlock, nil
}

const (
	lockWait = 5 * time.Minute // migrating a large store may take as long
	lockPoll = 20 * time.Millisecond
)

// MigrateDown takes our migrations back to version; 0 removes every table, the
// job queue's too. What the tables held is lost.
func (s *Store) MigrateDown(ctx context.Context, version int64) error {
	p, err := s.goose()
	if err != nil {
		return err
	}
	if version == 0 {
		m, err := s.riverMigrator()
		if err != nil {
			return err
		}
		if _, err := m.Migrate(ctx, rivermigrate.DirectionDown, &rivermigrate.MigrateOpts{TargetVersion: -1}); err != nil {
			return fmt.Errorf("migrate job queue down: %w", err)
		}
	}
	if _, err := p.DownTo(ctx, version); err != nil {
		return fmt.Errorf("migrate down: %w", err)
	}
	return nil
}

// MigrationStatus lists our migrations in order.
func (s *Store) MigrationStatus(ctx context.Context) ([]lectern.MigrationState, error) {
	p, err := s.goose()
	if err != nil {
		return nil, err
	}
	all, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("migration status: %w", err)
	}
	out := make([]lectern.MigrationState, len(all))
	for i, m := range all {
		out[i] = lectern.MigrationState{
			Version: m.Source.Version,
			Name:    m.Source.Path,
			Applied: m.State == goose.StateApplied,
		}
	}
	return out, nil
}

func (s *Store) goose() (*goose.Provider, error) {
	files, err := fs.Sub(migrations.FS, "sqlite")
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.queueDB, files, goose.WithDisableGlobalRegistry(true))
	return p, err
}

func (s *Store) riverMigrator() (*rivermigrate.Migrator[*sql.Tx], error) {
	return rivermigrate.New(riversqlite.New(s.queueDB), &rivermigrate.Config{Logger: quiet.Logger(s.log)})
}
