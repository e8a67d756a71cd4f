package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/indexing"
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
differs. The exit status is 1 when there is a fault. Servers may run meanwhile.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if mend && !deep {
				return usageError{errors.New("doctor: --mend goes with --deep")}
			}
			env, err := loadEnvironment(cmd)
			if err != nil {
				return err
			}
			d := doctor{out: cmd.OutOrStdout(), mends: mend}
			if err := d.visit(cmd.Context(), env, deep); err != nil {
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
	indexes, err := openIndexes(env, &meters{})
	if err != nil || indexes == nil {
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
	if !current {
		return d.withoutStore(ctx, env)
	}
	if err := d.rows(ctx, env); err != nil {
		return err
	}
	e := &engine{environment: env, meters: &meters{}, holder: holderName(), words: text.NewLexicon(text.DefaultParams())}
	e.catalog = retrieve.NewCatalog(env.config.Retrieve, env.store, lectern.SystemClock)
	if err := e.newPipeline(); err != nil {
		return err
	}
	if e.indexes != nil {
		defer func() { err = errors.Join(err, e.indexes.Close()) }()
	}
	working, err := d.atWork(ctx, env)
	if err != nil {
		return err
	}
	generations, reachable := d.generations(ctx, e)
	d.embedder(ctx, env, active(generations))
	if e.indexes != nil {
		reachable = d.qdrant(ctx, e, active(generations), working)
	}
	if !deep {
		return nil
	}
	if err := d.check(ctx, env); err != nil {
		return err
	}
	if !reachable {
		d.note("store and index were not compared: see above")
		return nil
	}
	return d.compare(ctx, env)
}

// check looks for damage and contradictions in the rows.
func (d *doctor) check(ctx context.Context, env environment) error {
	lines, err := env.store.Check(ctx)
	if err != nil {
		return fmt.Errorf("check the rows: %w", err)
	}
	mend := "restore the data folder from a backup, or export and import again"
	if !env.config.embedded() {
		mend = "restore the database from a backup"
	}
	for _, line := range lines {
		d.fault(mend, "%s", line)
	}
	if len(lines) == 0 {
		d.good("every row is sound")
	}
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

// compare brings the index level with the store, as a start does, and holds the
// two against each other.
func (d *doctor) compare(ctx context.Context, env environment) (err error) {
	e, err := newEngine(ctx, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close(ctx)) }()
	running, stop := context.WithCancel(ctx)
	var parts errgroup.Group
	parts.Go(func() error { return e.pipeline.Run(running) })
	if e.leader != nil { // where no server runs, a shared index is ours to write
		parts.Go(func() error { return e.leader.Run(running) })
	}
	defer func() { stop(); err = errors.Join(err, parts.Wait()) }()

	if err := e.pipeline.CatchUp(ctx); err != nil {
		return fmt.Errorf("build the index: %w", err)
	}
	differences, err := compareWhenFilled(ctx, e.pipeline)
	if err != nil {
		return fmt.Errorf("compare store and index: %w", err)
	}
	if len(differences) > 0 && d.mends {
		n, err := e.pipeline.Mend(ctx, differences)
		if err != nil {
			return fmt.Errorf("mend the index: %w", err)
		}
		d.note("%d courses were written anew: %d differences", n, len(differences))
		if differences, err = e.pipeline.Compare(ctx); err != nil {
			return fmt.Errorf("compare store and index: %w", err)
		}
	}
	return d.tellDifferences(ctx, e, differences)
}

// compareWhenFilled compares once a shared index that is being made is there.
func compareWhenFilled(ctx context.Context, p *indexing.Pipeline) ([]indexing.Difference, error) {
	const patience, pause = 30 * time.Second, 250 * time.Millisecond
	for begin := time.Now(); ; {
		found, err := p.Compare(ctx)
		if lectern.ErrorCode(err) != lectern.CodeUnavailable || time.Since(begin) > patience {
			return found, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// maxToldDifferences are told one by one; of the rest, how many there are.
const maxToldDifferences = 20

func (d *doctor) tellDifferences(ctx context.Context, e *engine, differences []indexing.Difference) error {
	mend := "run `lectern doctor --deep --mend`"
	if d.mends {
		mend = "run `lectern reindex`, which makes the index anew"
	}
	waiting, told := 0, 0
	for _, diff := range differences {
		if diff.Kind == indexing.DifferenceUnembedded {
			waiting++
			continue
		}
		if told++; told <= maxToldDifferences {
			d.fault(mend, "store and index disagree: %s", diff)
		}
	}
	if more := told - maxToldDifferences; more > 0 {
		d.fault(mend, "store and index disagree in %d more courses", more)
	}
	if waiting > 0 {
		d.note("%d courses wait for their vector; a running server embeds them, and so does `lectern doctor --deep --mend`", waiting)
	}
	if told == 0 {
		stats, err := indexOf(e.pipeline).Stats(ctx)
		if err != nil {
			return err
		}
		d.good("store and index agree: %d courses, %d with a vector", stats.Points, stats.Vectors[lectern.VectorContent])
	}
	return nil
}
