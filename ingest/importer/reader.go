package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ingest/mapping"
	"github.com/lectern-dev/lectern/ingest/source"
)

// batch is what the reader hands to the writer: rows of one file, in order.
type batch[T any] struct {
	path    string
	items   []T
	rows    []source.Row // of items
	rejects []Reject
	read    int    // rows, rejected ones included
	broken  string // why the file ended early
	samples []string

	bytesRead, bytesTotal int64 // over all files
}

// reader turns files into batches.
type reader[T any] struct {
	opts  Options
	lane  lane[T]
	out   chan<- batch[T]
	batch batch[T]
	bytes int   // of raw rows in the batch
	shown int   // samples so far
	done  int64 // bytes of the files before this one
	total int64
}

func (r *reader[T]) run(ctx context.Context, plans []filePlan) error {
	for _, p := range plans {
		r.total += p.size
	}
	for _, p := range plans {
		f, err := source.Open(p.path, p.opts)
		if err != nil {
			return err
		}
		err = r.file(ctx, p, f)
		_ = f.Close() // read only
		if err != nil {
			return err
		}
		r.done += p.size
	}
	return nil
}

// file reads one file to its end, or to where it breaks off.
func (r *reader[T]) file(ctx context.Context, p filePlan, f *source.File) error {
	r.batch = batch[T]{path: p.path}
	for {
		row, err := f.Next()
		if bad, ok := errors.AsType[*source.RowError](err); ok {
			fault := lectern.NewFieldError(bad.Field, bad.Value, bad.Reason, "")
			r.batch.rejects = append(r.batch.rejects, newReject(r.opts.Kind, p.path, row, lectern.Invalid("the row cannot be read", fault)))
		} else if err != nil {
			if !errors.Is(err, io.EOF) {
				r.batch.broken = err.Error()
			}
			return r.flush(ctx, f)
		} else if item, err := r.row(p, row); err != nil {
			r.batch.rejects = append(r.batch.rejects, newReject(r.opts.Kind, p.path, row, err))
		} else {
			r.batch.items = append(r.batch.items, item)
			r.batch.rows = append(r.batch.rows, row)
		}
		r.batch.read++
		r.bytes += len(row.Raw)
		if r.batch.read >= r.opts.BatchRows || r.bytes >= maxBatchBytes {
			if err := r.flush(ctx, f); err != nil {
				return err
			}
		}
	}
}

// row maps and checks one row. All of its problems are told together.
func (r *reader[T]) row(p filePlan, row source.Row) (T, error) {
	var zero T
	var rec ingest.Record
	var origins []mapping.Origin
	var problems []lectern.FieldError
	explain := r.opts.DryRun && r.shown < shownRows
	if p.binding == nil {
		var err error
		if rec, err = ingest.ParseRecord(r.opts.Kind, []byte(row.Raw)); err != nil {
			return zero, err
		}
	} else {
		rec, problems, origins = p.binding.Map(row, explain)
	}
	item, err := r.lane.decode(rec)
	if problems != nil {
		return zero, joinProblems(problems, err)
	}
	if err == nil && explain {
		r.sample(row, rec, origins)
	}
	return item, err
}

// joinProblems puts what mapping and check found into one error, each field once.
func joinProblems(problems []lectern.FieldError, err error) error {
	seen := map[string]bool{}
	for _, p := range problems {
		seen[p.Field] = true
	}
	if e, ok := errors.AsType[*lectern.Error](err); ok {
		for _, p := range e.Fields {
			if !seen[p.Field] {
				problems = append(problems, p)
			}
		}
	}
	return lectern.Invalid("the row is not acceptable", problems...)
}

// sample describes a mapped row for a dry run.
func (r *reader[T]) sample(row source.Row, rec ingest.Record, origins []mapping.Origin) {
	r.shown++
	var b strings.Builder
	fmt.Fprintf(&b, "row %d (line %d of %s)\n", row.Number, row.Line, base(r.batch.path))
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if enc.Encode(rec) != nil {
		return // a record is always JSON
	}
	for _, o := range origins {
		fmt.Fprintf(&b, "  %s <- %s\n", o.Field, o.From)
	}
	r.batch.samples = append(r.batch.samples, b.String()+"\n")
}

// flush hands the batch over and starts the next.
func (r *reader[T]) flush(ctx context.Context, f *source.File) error {
	if r.batch.read == 0 && r.batch.broken == "" {
		return nil
	}
	if r.lane.number != nil {
		r.lane.number(r.batch.items)
	}
	read, _ := f.Progress()
	r.batch.bytesRead, r.batch.bytesTotal = r.done+read, r.total
	select {
	case r.out <- r.batch:
	case <-ctx.Done():
		return ctx.Err()
	}
	size := min(r.batch.read, r.opts.BatchRows)
	r.batch = batch[T]{path: r.batch.path, items: make([]T, 0, size), rows: make([]source.Row, 0, size)}
	r.bytes = 0
	return nil
}
