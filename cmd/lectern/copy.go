package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest/importer"
	"github.com/lectern-dev/lectern/internal/lease"
	"github.com/lectern-dev/lectern/internal/transfer"
	"github.com/lectern-dev/lectern/store/postgres"
	"github.com/lectern-dev/lectern/store/sqlite"
)

func newCopyCommand() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use: "copy", Args: noArgs,
		Short: "Move everything from one store to another, such as from a data folder to PostgreSQL",
		Long: `Moves every row from one store to an empty other: courses, reviews, ratings,
learners with their profiles, events, lists shown, vectors, embedders, API keys and
secrets. Each side is a data folder or the address of a PostgreSQL database; one that
is left out is the configured store. No server may run on either side.

A copy that was killed goes on when it is started again, and one that is finished
only checks. At the end both sides are read again and compared by checksum. The
index is not copied: the first server on the target builds it from the rows.`,
		Example: `  lectern copy --from ./data --to postgres://lectern@db.example.org/lectern
  LECTERN_STORE__POSTGRES__DSN=… LECTERN_STORE__DRIVER=postgres lectern copy --from ./data`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := loadEnvironment(cmd)
			if err != nil {
				return err
			}
			if from == to { // also where both are left out
				return usageError{errors.New("copy: say with --from and --to which store to copy to which other")}
			}
			return runCopy(cmd.Context(), cmd, env, from, to)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "data folder or postgres:// address to read")
	cmd.Flags().StringVar(&to, "to", "", "data folder or postgres:// address to fill")
	return withConfigFlags(cmd)
}

// side is one end of a copy.
type side struct {
	environment
	release func() error
}

// at returns the environment with its store at an address: a data folder, or a
// PostgreSQL database. No address means the configured store.
func (e environment) at(address string) environment {
	switch {
	case address == "":
	case isPostgres(address):
		e.config.Store.Driver, e.config.Store.Postgres.DSN, e.config.Store.Postgres.DirectDSN = driverPostgres, address, ""
	default:
		e.config.Store.Driver, e.config.Data = driverSQLite, address
	}
	return e
}

// isPostgres tells the address of a database from a folder.
func isPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") ||
		strings.Contains(address, "host=") || strings.Contains(address, "dbname=")
}

func runCopy(ctx context.Context, cmd *cobra.Command, env environment, from, to string) (err error) {
	source, err := openSide(ctx, env.at(from), true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.release()) }()
	target, err := openSide(ctx, env.at(to), false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.release()) }()
	fmt.Fprintf(cmd.ErrOrStderr(), "from %s\nto   %s\n", source.config.place(), target.config.place())

	// The secret that signs cursors is as old as the store and differs from every
	// other's.
	identity, err := source.store.Secret(ctx, secretCursors, randomBytes(32))
	if err != nil {
		return fmt.Errorf("read the source's secret: %w", err)
	}
	rows := map[string]transfer.Store{}
	for name, s := range map[string]side{"from": source, "to": target} {
		store, ok := s.store.(transfer.Store)
		if !ok {
			return lectern.Errorf(lectern.CodeInternal, "a store of type %T cannot be copied", s.store)
		}
		rows[name] = store
	}
	return alone(ctx, source, func(ctx context.Context) error {
		return alone(ctx, target, func(ctx context.Context) error {
			begin := time.Now()
			shown := copyProgress{out: cmd.ErrOrStderr(), terminal: importer.IsTerminal(cmd.ErrOrStderr())}
			report, err := transfer.Copy(ctx, rows["from"], rows["to"], transfer.Options{Identity: identity, Progress: shown.show})
			shown.end()
			if err != nil {
				if ctx.Err() != nil {
					return fmt.Errorf("stopped; start it again to go on: %w", err)
				}
				return err
			}
			return printCopy(cmd.OutOrStdout(), report, time.Since(begin))
		})
	})
}

// openSide opens a store, up to date, that no server on this machine works on.
func openSide(ctx context.Context, env environment, mustExist bool) (side, error) {
	s := side{environment: env, release: func() error { return nil }}
	if mustExist {
		if err := s.mustExist(); err != nil {
			return s, err
		}
	}
	if err := s.config.Validate(); err != nil {
		return s, err
	}
	open := s.openMigrated
	if mustExist { // what is read must be whole
		open = s.environment.open
	}
	if err := open(ctx); err != nil {
		return s, err
	}
	s.release = s.store.Close
	if !s.config.embedded() {
		return s, nil
	}
	lock, err := lockFolder(s.config.Data)
	if err != nil {
		return s, errors.Join(err, s.store.Close())
	}
	s.release = func() error { return errors.Join(s.store.Close(), lock.Close()) }
	return s, nil
}

// alone runs f while no server works on a database: it takes the place of their
// leader. A copy that was killed a moment ago still holds it for some seconds.
func alone(ctx context.Context, s side, f func(context.Context) error) error {
	if s.config.embedded() {
		return f(ctx) // its folder is locked
	}
	holder, patience := holderName(), time.Now().Add(lease.TTL+lease.Renewal)
	for {
		began := false
		err := lease.Hold(ctx, s.store, leaseLeader, holder, s.log, func(ctx context.Context) error {
			began = true
			return f(ctx)
		})
		if began || !errors.Is(err, lease.ErrHeld) {
			return err
		}
		if time.Now().After(patience) {
			return lectern.Errorf(lectern.CodeConflict, "a server is running on %s: stop every server first", s.config.place())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lease.Renewal / 4):
		}
	}
}

// copyProgress shows one line per table.
type copyProgress struct {
	out      io.Writer
	terminal bool
	line     string    // what is being shown
	last     time.Time // when
	open     bool      // the line has no end yet
}

func (p *copyProgress) show(at transfer.Progress) {
	doing := "copying "
	if at.Checking {
		doing = "checking "
	}
	line := doing + at.Table.Label
	if !p.terminal {
		if line != p.line {
			fmt.Fprintf(p.out, "%s: %d rows\n", line, at.Total)
		}
		p.line = line
		return
	}
	if line != p.line {
		p.end()
	} else if time.Since(p.last) < 100*time.Millisecond && at.Done < at.Total {
		return
	}
	p.line, p.last, p.open = line, time.Now(), true
	fmt.Fprintf(p.out, "\r%s: %d of %d", line, at.Done, at.Total)
}

func (p *copyProgress) end() {
	if p.open {
		fmt.Fprintln(p.out)
	}
	p.open = false
}

func printCopy(out io.Writer, r transfer.Report, took time.Duration) error {
	var rows int64
	for _, t := range r.Tables {
		rows += t.Target.Rows
		if t.Target.Rows > 0 {
			fmt.Fprintf(out, "%10d  %-26s  %s\n", t.Target.Rows, t.Table.Label, t.Target.String())
		}
	}
	if r.Cleaned > 0 {
		fmt.Fprintf(out, "%d rows had characters that not every store can keep (U+0000, or no UTF-8); those were left out\n", r.Cleaned)
	}
	verb := "copied and compared"
	if r.Again {
		verb = "had been copied before; compared"
	}
	_, err := fmt.Fprintf(out, "%d rows %s in %.1f s: both sides hold the same\n", rows, verb, took.Seconds())
	return err
}

var (
	_ transfer.Store = (*sqlite.Store)(nil)
	_ transfer.Store = (*postgres.Store)(nil)
)
