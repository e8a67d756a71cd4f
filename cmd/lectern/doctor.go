package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index/qdrant"
	"github.com/lectern-dev/lectern/internal/transfer"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/store/postgres"
	"github.com/lectern-dev/lectern/text"
)

// minFreeBytes of disk are wanted before the doctor stops warning.
const minFreeBytes = 1 << 30

func newDoctorCommand() *cobra.Command {
	var deep, mend bool
	cmd := &cobra.Command{
		Use: "doctor", Args: noArgs,
		Short: "Check every configured part, and say how to mend what is wrong",
		Long: `Checks the configuration, the disk, the store, the index, the embedder and who is at
work, and says how to mend what is wrong. With --deep it also reads every row and
compares store and index course by course; with --mend it then writes anew what
differs. The exit status is 1 when there is a fault that neither has mended. Servers
may run meanwhile.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if mend && !deep {
				return usageError{errors.New("doctor: --mend goes with --deep")}
			}
			env, err := loadEnvironment(cmd)
			if err != nil {
				return err
			}
			d := doctor{out: cmd.OutOrStdout(), mends: mend}
			if err := d.visit(cmd.Context(), env.forDoctor(), deep); err != nil {
				return err
			}
			if d.faults > 0 {
				return fmt.Errorf("faults found: %d", d.faults)
			}
			fmt.Fprintln(d.out, "all is well")
			return nil
		},
	}
	cmd.Flags().BoolVar(&deep, "deep", false, "also read every row, and compare store and index course by course")
	cmd.Flags().BoolVar(&mend, "mend", false, "with --deep, write anew what differs, and compare again")
	return withConfigFlags(cmd)
}

// doctor prints findings as it goes and counts the faults.
type doctor struct {
	out    io.Writer
	faults int
	mends  bool // differences between store and index
}

func (d *doctor) good(format string, args ...any) {
	fmt.Fprintf(d.out, "ok    "+format+"\n", args...)
}

// note is worth knowing and not wrong.
func (d *doctor) note(format string, args ...any) {
	fmt.Fprintf(d.out, "note  "+format+"\n", args...)
}

func (d *doctor) fault(mend, format string, args ...any) {
	d.faults++
	fmt.Fprintf(d.out, "FAULT "+format+"\n", args...)
	fmt.Fprintf(d.out, "      %s\n", mend)
}

// visit opens the store and examines everything. A store that cannot be opened is
// a fault; what can be examined without it still is.
func (d *doctor) visit(ctx context.Context, env environment, deep bool) error {
	if err := env.mustExist(); err != nil {
		return err
	}
	d.good("the configuration is valid; data in %s, rows in %s", env.config.Data, env.config.place())
	d.disk(env)
	if err := env.openUnmigrated(ctx); err != nil {
		if ctx.Err() != nil || env.config.embedded() {
			return err
		}
		d.unopened(err)
		return d.withoutStore(ctx, env)
	}
	return errors.Join(d.examine(ctx, env, deep), env.store.Close())
}

// withoutStore examines what stands beside a store that cannot be read.
func (d *doctor) withoutStore(ctx context.Context, env environment) error {
	if env.config.Embed.Driver == driverOpenAI {
		d.openai(ctx, env)
	}
	if env.config.Index.Driver != driverQdrant {
		return nil
	}
	// Whose it is, only the store could tell.
	indexes, err := qdrant.New(qdrant.Options{Config: env.config.Index.Qdrant, Logger: env.log})
	if err != nil {
		return err
	}
	d.reach(ctx, env, indexes)
	return indexes.Close()
}

func (d *doctor) examine(ctx context.Context, env environment, deep bool) (err error) {
	if store, ok := env.store.(*postgres.Store); ok {
		d.postgres(ctx, env, store)
	}
	current, err := d.schema(ctx, env)
	if err != nil {
		return err
	}
	if !current || d.halfCopied(ctx, env) {
		return d.withoutStore(ctx, env)
	}
	if err := d.rows(ctx, env); err != nil {
		return err
	}
	if err := d.opinions(ctx, env); err != nil {
		return err
	}
	if err := d.settings(ctx, env); err != nil {
		return err
	}
	e := &engine{environment: env, meters: &meters{}, holder: holderName(), words: text.NewLexicon(text.DefaultParams())}
	e.catalog = retrieve.NewCatalog(env.config.Retrieve, env.store, lectern.SystemClock)
	if err := e.newPipeline(ctx); err != nil {
		return err
	}
	if e.indexes != nil {
		defer func() { err = errors.Join(err, e.indexes.Close()) }()
	}
	working, err := d.atWork(ctx, env)
	if err != nil {
		return err
	}
	seen := d.index(ctx, e, working)
	d.embedder(ctx, env, active(seen.generations))
	if !deep {
		return nil
	}
	if err := d.check(ctx, env); err != nil {
		return err
	}
	if !seen.reachable {
		d.note("store and index were not compared: see above")
		return nil
	}
	if err := d.compare(ctx, env); err != nil {
		return err
	}
	d.indexAgain(ctx, e, seen, working)
	return nil
}

func (d *doctor) disk(env environment) {
	folder := env.config.Data
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) && !env.config.embedded() {
		d.note("the data folder %s is not there yet; an import makes it for rows that it rejects", folder)
		return
	}
	free, err := freeBytes(folder)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return
	case err != nil:
		d.fault("make the data folder readable", "cannot ask how full the disk is: %v", err)
		return
	}
	if free < minFreeBytes {
		d.fault("free some space: writes fail when the disk is full", "only %d MB are free", free>>20)
		return
	}
	d.good("%d GB of disk are free", free>>30)
}

// schema reports whether every migration is applied: without that nothing else
// can be read.
func (d *doctor) schema(ctx context.Context, env environment) (bool, error) {
	states, err := env.store.MigrationStatus(ctx)
	if err != nil {
		return false, fmt.Errorf("read the schema's version: %w", err)
	}
	missing := 0
	for _, s := range states {
		if !s.Applied {
			missing++
		}
	}
	if missing > 0 {
		d.fault("run `lectern migrate up`", "%d of %d migrations are not applied", missing, len(states))
		return false, nil
	}
	d.good("the schema is up to date (%d migrations)", len(states))
	return true, nil
}

// halfCopied tells of a copy into this store that has not ended.
func (d *doctor) halfCopied(ctx context.Context, env environment) bool {
	half, err := transfer.Unfinished(ctx, env.store)
	switch {
	case err != nil:
		d.fault("see whether the store is well", "%v", err)
	case half:
		d.fault("run the same `lectern copy` again, which goes on where it stopped; no server starts before", "%s is half a copy", env.config.place())
	}
	return half
}

func (d *doctor) rows(ctx context.Context, env environment) error {
	s, err := env.store.Stats(ctx)
	if err != nil {
		return fmt.Errorf("count the rows: %w", err)
	}
	d.good("%d courses (%d retired), %d reviews, %d ratings, %d learners, %d visitors, %d events, %d lists",
		s.Courses, s.Retired, s.Reviews, s.Ratings, s.Learners, s.Visitors, s.Events, s.Rankings)
	if n := s.ParkedReviews + s.ParkedRatings + s.ParkedEvents; n > 0 {
		d.note("%d reviews, %d ratings and %d events wait for courses that are not there", s.ParkedReviews, s.ParkedRatings, s.ParkedEvents)
	}
	return nil
}
