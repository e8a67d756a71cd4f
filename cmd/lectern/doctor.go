package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/indexing"
)

// minFreeBytes of disk are wanted before the doctor stops warning.
const minFreeBytes = 1 << 30

func newDoctorCommand() *cobra.Command {
	var deep bool
	cmd := &cobra.Command{
		Use: "doctor", Args: noArgs,
		Short: "Check configuration, disk, schema and rows, and say how to mend what is wrong",
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := doctor{out: cmd.OutOrStdout()}
			err := withUnmigratedExistingStore(cmd, func(env environment) error { return d.examine(cmd.Context(), env, deep) })
			if err != nil {
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
	return withConfigFlags(cmd)
}

// doctor prints findings as it goes and counts the faults.
type doctor struct {
	out    io.Writer
	faults int
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

func (d *doctor) examine(ctx context.Context, env environment, deep bool) error {
	d.good("the configuration is valid; data in %s", env.config.Data)
	d.disk(env.config.Data)
	if current, err := d.schema(ctx, env); err != nil || !current {
		return err
	}
	if err := d.rows(ctx, env); err != nil {
		return err
	}
	if !deep {
		return nil
	}
	lines, err := env.store.Check(ctx)
	if err != nil {
		return fmt.Errorf("check the rows: %w", err)
	}
	for _, line := range lines {
		d.fault("restore the data folder from a backup, or export and import again", "%s", line)
	}
	if len(lines) == 0 {
		d.good("every row is sound")
	}
	return d.compare(ctx, env)
}

func (d *doctor) disk(folder string) {
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
	if s.PendingJobs > 0 {
		d.note("%d jobs wait for a server", s.PendingJobs)
	}
	return nil
}

// compare builds the index from the store, as a start does, and holds the two
// against each other.
func (d *doctor) compare(ctx context.Context, env environment) (err error) {
	e, err := newEngine(ctx, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close(ctx)) }()
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- e.pipeline.Run(running) }()
	defer func() { stop(); err = errors.Join(err, <-done) }()

	if err := e.pipeline.CatchUp(ctx); err != nil {
		return fmt.Errorf("build the index: %w", err)
	}
	differences, err := e.pipeline.Compare(ctx)
	if err != nil {
		return fmt.Errorf("compare store and index: %w", err)
	}
	waiting := 0
	for _, diff := range differences {
		if diff.Kind == indexing.DifferenceUnembedded {
			waiting++
			continue
		}
		d.fault("run `lectern reindex`", "store and index disagree: %s", diff)
	}
	if waiting > 0 {
		d.note("%d courses wait for their vector; a running server embeds them", waiting)
	}
	if len(differences) == waiting {
		stats, err := indexOf(e.pipeline).Stats(ctx)
		if err != nil {
			return err
		}
		d.good("store and index agree: %d courses, %d with a vector", stats.Points, stats.Vectors[lectern.VectorContent])
	}
	return nil
}
