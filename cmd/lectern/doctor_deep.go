package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed/openai"
	"github.com/lectern-dev/lectern/indexing"
)

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

// compare brings the index level with the store, as a start does, and holds the
// two against each other. That they cannot be compared is a fault too.
func (d *doctor) compare(ctx context.Context, env environment) error {
	err := d.compareAll(ctx, env)
	if err == nil || ctx.Err() != nil {
		return err
	}
	d.fault("mend what is told above, or see the servers' logs; then run this again", "store and index were not compared to the end: %v", err)
	return nil
}

func (d *doctor) compareAll(ctx context.Context, env environment) (err error) {
	env.config.Skills.Enabled = false // nothing here asks for them
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
	differences, err := compareSettled(ctx, e.pipeline)
	if err != nil {
		return fmt.Errorf("compare store and index: %w", err)
	}
	if len(differences) > 0 && d.mends {
		if err := d.mend(ctx, e.pipeline, differences); err != nil {
			return fmt.Errorf("mend the index: %w", err)
		}
		if differences, err = compareSettled(ctx, e.pipeline); err != nil {
			return fmt.Errorf("compare store and index: %w", err)
		}
	}
	return d.tellDifferences(ctx, e, differences)
}

// mend writes anew what differs. While the embedding server is away that is
// everything but what waits for a vector.
func (d *doctor) mend(ctx context.Context, p *indexing.Pipeline, differences []indexing.Difference) error {
	n, err := p.Mend(ctx, differences)
	if openai.OutcomeOf(err) != "" {
		d.fault("see to the embedding server, then run this again; a running server embeds them too", "courses without a vector were not embedded: %v", err)
		var rest []indexing.Difference
		for _, diff := range differences {
			if diff.Kind != indexing.DifferenceUnembedded {
				rest = append(rest, diff)
			}
		}
		n, err = p.Mend(ctx, rest)
	}
	if err != nil {
		return err
	}
	d.note("%d courses were written anew: %d differences", n, len(differences))
	return nil
}

// compareSettled looks again at what differs, up to three times: while courses are
// being embedded the index is always a little behind. What stays is wrong.
func compareSettled(ctx context.Context, p *indexing.Pipeline) ([]indexing.Difference, error) {
	const looks, pause = 3, time.Second
	found, err := compareWhenFilled(ctx, p)
	unembedded := func(d indexing.Difference) bool { return d.Kind == indexing.DifferenceUnembedded }
	for range looks {
		if err != nil || !slices.ContainsFunc(found, func(d indexing.Difference) bool { return !unembedded(d) }) {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
		before := found
		found, err = compareWhenFilled(ctx, p)
		found = slices.DeleteFunc(found, func(d indexing.Difference) bool {
			return !unembedded(d) && !slices.ContainsFunc(before, func(b indexing.Difference) bool {
				return b.CourseID == d.CourseID && b.Kind == d.Kind
			})
		})
	}
	return found, err
}

// compareWhenFilled compares once a shared index that is being made is there.
func compareWhenFilled(ctx context.Context, p *indexing.Pipeline) ([]indexing.Difference, error) {
	const patience, pause = 30 * time.Second, 250 * time.Millisecond
	for begin := time.Now(); ; {
		found, err := p.Compare(withoutAsking(ctx))
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
