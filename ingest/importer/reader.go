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
	read    int    // rows, rejected and skipped ones included
	skipped int    // rows of other parts
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
		bad, unreadable := errors.AsType[*source.RowError](err)
		switch {
		case unreadable:
			fault := lectern.NewFieldError(bad.Field, bad.Value, bad.Reason, "")
			r.reject(p, row, lectern.Invalid("the row cannot be read", fault))
		case err != nil:
			if !errors.Is(err, io.EOF) {
				r.batch.broken = err.Error()
			}
			return r.flush(ctx, f)
		default:
			r.take(p, row)
		}
		r.batch.read++
		if r.batch.read-r.batch.skipped >= r.opts.BatchRows || r.bytes >= maxBatchBytes {
			if err := r.flush(ctx, f); err != nil {
				return err
			}
		}
	}
}

// take puts a row into the batch, unless it is another part's.
func (r *reader[T]) take(p filePlan, row source.Row) {
	item, rec, origins, err := r.row(p, row)
	switch {
	case err != nil:
		r.reject(p, row, err)
	case !r.opts.Part.has(r.lane.key(item)):
		r.batch.skipped++
	default:
		if r.explains() {
			r.sample(row, rec, origins)
		}
		r.batch.items = append(r.batch.items, item)
		r.batch.rows = append(r.batch.rows, row)
		r.bytes += len(row.Raw)
	}
}

// reject puts a row that cannot be imported into the batch, in the one part that
// has to tell of it.
func (r *reader[T]) reject(p filePlan, row source.Row, err error) {
	if !r.opts.Part.has(row.Raw) {
		r.batch.skipped++
		return
	}
	r.batch.rejects = append(r.batch.rejects, newReject(r.opts.Kind, p.path, row, err))
	r.bytes += len(row.Raw)
}

// explains reports whether the next row is shown by a dry run.
func (r *reader[T]) explains() bool { return r.opts.DryRun && r.shown < shownRows }

// row maps and checks one row. All of its problems are told together. The
// record and where its fields come from are for samples.
func (r *reader[T]) row(p filePlan, row source.Row) (item T, rec ingest.Record, origins []mapping.Origin, err error) {
	var problems []lectern.FieldError
	if p.binding == nil {
		if rec, err = ingest.ParseRecord(r.opts.Kind, []byte(row.Raw)); err != nil {
			return item, nil, nil, err
		}
	} else {
		rec, problems, origins = p.binding.Map(row, r.explains())
	}
	item, err = r.lane.decode(rec)
	if problems != nil {
		err = joinProblems(problems, err)
	}
	return item, rec, origins, err
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
	size := min(r.batch.read-r.batch.skipped, r.opts.BatchRows)
	r.batch = batch[T]{path: r.batch.path, items: make([]T, 0, size), rows: make([]source.Row, 0, size)}
	r.bytes = 0
	return nil
}
