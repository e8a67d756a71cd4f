package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Store is what a backend offers to be copied from and to.
type Store interface {
	// DumpRows returns up to limit rows of a table after a position, in the order
	// of the table's key.
	DumpRows(ctx context.Context, t Table, after Position, limit int) ([]Row, error)
	// RestoreRows stores rows as they are, in one transaction. A row that is there
	// already is left as it is.
	RestoreRows(ctx context.Context, t Table, rows []Row) error
	// LastPosition returns the first Lead columns of the last row in the order of
	// the key, as a position before it; the beginning where there is no row.
	LastPosition(ctx context.Context, t Table) (Position, error)
	// CountRows counts a table's rows.
	CountRows(ctx context.Context, t Table) (int64, error)
	// WaitingJobs returns the courses that jobs still have to embed, and those
	// whose reviews they have to.
	WaitingJobs(ctx context.Context) (courses, reviews []string, err error)
	// SettleRows is called once after the last row. It queues the jobs and makes
	// the store ready for writes of its own.
	SettleRows(ctx context.Context, courses, reviews []string) error

	FeedPosition(ctx context.Context, name string) (int64, error)
	SetFeedPosition(ctx context.Context, name string, seq int64) error
}

// Progress says how far one table is. It is told after every page.
type Progress struct {
	Table       Table
	Checking    bool
	Done, Total int64
}

// Report says what a copy has done.
type Report struct {
	Copied  int64 // rows that were sent, those included that were there already
	Cleaned int64 // rows with text that not every backend can keep
	Again   bool  // the copy had been finished before: it was only checked
	Tables  []TableReport
}

// TableReport is the outcome for one table.
type TableReport struct {
	Table        Table
	Source       Sum
	Target       Sum
	AlreadyThere int64 // rows that the target had at the start
}

// Options say whose data is copied and who is told.
type Options struct {
	// Identity tells the source from every other store and never changes: a copy
	// is only gone on with from the same source.
	Identity []byte
	Progress func(Progress) // may be nil
}

// marker is the name under which the target remembers its source.
const marker = "copy"

// identityOf returns the number that stands for a source, even, and odd when the
// copy is finished.
func identityOf(o Options) (unfinished, finished int64) {
	h := sha256.Sum256(o.Identity)
	n := int64(binary.BigEndian.Uint64(h[:8])>>2)<<1 + 2 //nolint:gosec // 62 bits
	return n, n + 1
}

// Copy moves everything from one store to another that is empty, or that an
// earlier copy from the same source was filling, and checks that both hold the
// same at the end. It may be killed and called again at any time; after it has
// finished, it only checks. Nobody else may write to either meanwhile. Errors:
// CodeConflict when the target holds anything else, or when they differ at the end.
func Copy(ctx context.Context, from, to Store, o Options) (Report, error) {
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	var report Report
	unfinished, finished := identityOf(o)
	stand, err := to.FeedPosition(ctx, marker)
	if err != nil {
		return report, fmt.Errorf("ask the target for an earlier copy: %w", err)
	}
	report.Again = stand == finished
	if stand != unfinished && stand != finished {
		if err := mustBeEmpty(ctx, to); err != nil {
			return report, err
		}
		if err := to.SetFeedPosition(ctx, marker, unfinished); err != nil {
			return report, fmt.Errorf("mark the target: %w", err)
		}
	}
	for _, t := range Tables() {
		have, err := to.CountRows(ctx, t)
		if err != nil {
			return report, fmt.Errorf("count %s in the target: %w", t.Label, err)
		}
		report.Tables = append(report.Tables, TableReport{Table: t, AlreadyThere: have})
		if report.Again {
			continue
		}
		if err := report.copyTable(ctx, from, to, t, have, o.Progress); err != nil {
			return report, fmt.Errorf("copy %s: %w", t.Label, err)
		}
	}
	if err := report.check(ctx, from, to, o.Progress); err != nil || report.Again {
		return report, err
	}
	courses, reviews, err := from.WaitingJobs(ctx)
	if err != nil {
		return report, fmt.Errorf("read what waits to be embedded: %w", err)
	}
	if err := to.SettleRows(ctx, courses, reviews); err != nil {
		return report, fmt.Errorf("settle the target: %w", err)
	}
	if err := to.SetFeedPosition(ctx, marker, finished); err != nil {
		return report, fmt.Errorf("mark the target as complete: %w", err)
	}
	return report, nil
}

// Unfinished reports whether a copy into a store was begun and has not ended.
func Unfinished(ctx context.Context, to interface {
	FeedPosition(ctx context.Context, name string) (int64, error)
}) (bool, error) {
	stand, err := to.FeedPosition(ctx, marker)
	if err != nil {
		return false, fmt.Errorf("ask for an unfinished copy: %w", err)
	}
	return stand > 0 && stand%2 == 0, nil // as identityOf makes them
}

func mustBeEmpty(ctx context.Context, to Store) error {
	for _, t := range Tables() {
		n, err := to.CountRows(ctx, t)
		if err != nil {
			return fmt.Errorf("count %s in the target: %w", t.Label, err)
		}
		if n > 0 {
			return lectern.Errorf(lectern.CodeConflict,
				"the target is not empty, and not from an earlier copy of this source: it holds %d %s; name an empty one", n, t.Label)
		}
	}
	return nil
}

// copyTable sends what the target does not have yet.
func (r *Report) copyTable(ctx context.Context, from, to Store, t Table, have int64, progress func(Progress)) error {
	total, err := from.CountRows(ctx, t)
	if err != nil {
		return err
	}
	if have == total {
		return nil // check looks closer
	}
	var after Position
	if have > 0 && t.Lead > 0 { // rows arrive in this order, so that those before it are there
		if after, err = to.LastPosition(ctx, t); err != nil {
			return err
		}
	}
	done := have
	for {
		rows, err := from.DumpRows(ctx, t, after, t.Page)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil
		}
		after = t.Position(rows[len(rows)-1])
		for _, row := range rows {
			if clean(row) {
				r.Cleaned++
			}
		}
		if err := to.RestoreRows(ctx, t, rows); err != nil {
			return err
		}
		r.Copied += int64(len(rows))
		done = min(total, done+int64(len(rows)))
		progress(Progress{Table: t, Done: done, Total: total})
	}
}

// check reads both sides again and compares them.
func (r *Report) check(ctx context.Context, from, to Store, progress func(Progress)) error {
	var differ []string
	for i := range r.Tables {
		t := &r.Tables[i]
		if err := addUp(ctx, from, t.Table, &t.Source, func(int64) {}); err != nil {
			return fmt.Errorf("check %s of the source: %w", t.Table.Label, err)
		}
		tell := func(done int64) {
			progress(Progress{Table: t.Table, Checking: true, Done: done, Total: t.Source.Rows})
		}
		if err := addUp(ctx, to, t.Table, &t.Target, tell); err != nil {
			return fmt.Errorf("check %s of the target: %w", t.Table.Label, err)
		}
		switch {
		case t.Source.Equal(&t.Target):
		case t.Source.Rows != t.Target.Rows:
			differ = append(differ, fmt.Sprintf("%s (%d in the source, %d in the target)", t.Table.Label, t.Source.Rows, t.Target.Rows))
		default:
			differ = append(differ, fmt.Sprintf("%s (as many, but not the same)", t.Table.Label))
		}
	}
	switch {
	case len(differ) == 0:
		return nil
	case r.Again:
		return lectern.Errorf(lectern.CodeConflict, "the copy was finished before, and one side has changed since; nothing was written. They differ in %s",
			strings.Join(differ, ", "))
	}
	return lectern.Errorf(lectern.CodeConflict, "source and target differ, perhaps because somebody wrote to one of them meanwhile; "+
		"copy to an empty target. They differ in %s", strings.Join(differ, ", "))
}

func addUp(ctx context.Context, s Store, t Table, sum *Sum, tell func(done int64)) error {
	var after Position
	for {
		rows, err := s.DumpRows(ctx, t, after, t.Page)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil
		}
		after = t.Position(rows[len(rows)-1])
		for _, row := range rows {
			clean(row)
			sum.Add(row)
		}
		tell(sum.Rows)
	}
}
