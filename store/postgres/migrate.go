package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/quiet"
	"github.com/lectern-dev/lectern/migrations"
)

// migrateLock is the name of the right to migrate among advisory locks.
const migrateLock int64 = 7310579603202

// migrateWait is how often that right is asked for.
const migrateWait = 50 * time.Millisecond

// migrator migrates over connections of its own to the server itself, since a
// pooler in transaction mode can hold no lock beyond a transaction.
type migrator struct {
	pool  *pgxpool.Pool
	goose *goose.Provider
	river *rivermigrate.Migrator[pgx.Tx]
}

// withMigrator runs fn, alone among all processes where lock is set.
func (s *Store) withMigrator(ctx context.Context, lock bool, fn func(migrator) error) (err error) {
	c := s.opts.Config
	c.StatementTimeout = 0 // an index over many rows takes its time
	c.PreparedStatements = false
	cfg, err := poolConfig(c, c.direct(), 4, false)
	if err != nil {
		return err
	}
	m := migrator{}
	if m.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return fail(err)
	}
	defer m.pool.Close()
	files, err := fs.Sub(migrations.FS, "postgres")
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(m.pool)
	defer func() { err = errors.Join(err, db.Close()) }()
	if m.goose, err = goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true)); err != nil {
		return err
	}
	if m.river, err = rivermigrate.New(riverpgxv5.New(m.pool), &rivermigrate.Config{Logger: quiet.Logger(s.log)}); err != nil {
		return err
	}
	if !lock {
		return fail(fn(m))
	}
	return fail(m.alone(ctx, fn))
}

// alone runs fn while no other process migrates. The lock belongs to a session
// that ends with it, so it needs no unlocking.
func (m migrator) alone(ctx context.Context, fn func(migrator) error) error {
	pooled, err := m.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack()
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for {
		var held bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", migrateLock).Scan(&held); err != nil {
			return fmt.Errorf("wait for the right to migrate: %w", err)
		}
		if held {
			break
		}
		// Not a wait inside the server, whose open statement would in turn hold up
		// an index that is made concurrently.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(migrateWait):
		}
	}
	return fn(m)
}

// Migrate brings the schema up to date: our own migrations, then the job
// queue's. It is harmless on a schema that is up to date, and waits for another
// process that migrates the same database.
func (s *Store) Migrate(ctx context.Context) error {
	return s.withMigrator(ctx, true, func(m migrator) error {
		if _, err := m.goose.Up(ctx); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		if _, err := m.river.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("migrate job queue: %w", err)
		}
		return nil
	})
}

// MigrateDown takes our migrations back to version; 0 removes every table, the
// job queue's too. What the tables held is lost.
func (s *Store) MigrateDown(ctx context.Context, version int64) error {
	return s.withMigrator(ctx, true, func(m migrator) error {
		if version == 0 {
			opts := &rivermigrate.MigrateOpts{TargetVersion: -1}
			if _, err := m.river.Migrate(ctx, rivermigrate.DirectionDown, opts); err != nil {
				return fmt.Errorf("migrate job queue down: %w", err)
			}
		}
		if _, err := m.goose.DownTo(ctx, version); err != nil {
			return fmt.Errorf("migrate down: %w", err)
		}
		return nil
	})
}

// MigrationStatus lists our migrations in order.
func (s *Store) MigrationStatus(ctx context.Context) (out []lectern.MigrationState, err error) {
	err = s.withMigrator(ctx, false, func(m migrator) error {
		all, err := m.goose.Status(ctx)
		if err != nil {
			return fmt.Errorf("migration status: %w", err)
		}
		for _, step := range all {
			out = append(out, lectern.MigrationState{
				Version: step.Source.Version, Name: step.Source.Path, Applied: step.State == goose.StateApplied,
			})
		}
		return nil
	})
	return out, err
}
