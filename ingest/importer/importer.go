// Package importer runs one import: files are read, mapped, checked and written
// in batches, and every acknowledged row is durable.
package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ingest/mapping"
	"github.com/lectern-dev/lectern/ingest/source"
)

// Options say what to import and how.
type Options struct {
	Kind  ingest.Kind
	Files []string
	// Mapping says which column feeds which field. Without it, files are JSON
	// lines in canonical form, or CSV whose headings are our field names.
	Mapping *mapping.Mapping
	Replace bool // courses and learners are overwritten whole, not patched
	DryRun  bool // write nothing; show the first mapped rows
	Strict  bool // rejects, or a file that breaks off, make Run return an error
	// RejectsPath is the file that rejected rows are appended to; "" keeps none.
	RejectsPath string
	// Part imports one share of the rows and skips the others, for processes that
	// import the same files at once. Rows that cannot be read belong to a part by
	// their text.
	Part      Part
	BatchRows int       // rows a commit; 0 is 2,000, or 20,000 for ratings
	Out       io.Writer // acknowledgements, dry run and summary
	Err       io.Writer // warnings and progress
	Progress  bool      // draw a progress bar on Err; see IsTerminal
}

// The batches of an import.
const (
	defaultBatchRows       = 2_000
	defaultRatingBatchRows = 20_000  // ratings are small
	maxBatchBytes          = 8 << 20 // of raw rows, however few
	shownRows              = 5       // by a dry run
)

// IsTerminal reports whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Run imports files in order. After each commit it prints "committed N" to Out:
// the first N rows of this run, over all files and with rejected rows and those
// of other parts included, are dealt with and survive any kill. At the end it
// prints the summary.
//
// Errors: CodeInvalid before anything is written, for a file that cannot be
// opened or a mapping that does not fit; CodeInvalid at the end when nothing
// could be imported, or with Strict when anything could not; and the store's
// errors. The summary counts what was written in each case.
func Run(ctx context.Context, opts Options, svc ingest.Service) (Summary, error) {
	opts = opts.orDefault()
	if err := opts.Part.validate(); err != nil {
		return Summary{}, err
	}
	plans, err := plan(opts)
	if err != nil {
		return Summary{}, err
	}
	d := ingest.Decoder{Replace: opts.Replace, Clock: svc.Clock}
	switch opts.Kind {
	case ingest.Courses:
		return run(ctx, opts, plans, svc, lane[lectern.CoursePatch]{
			decode: d.CourseRecord, put: svc.PutCoursesOnce, check: svc.CheckCourses(),
			key: func(p lectern.CoursePatch) string { return p.Course.ID },
		})
	case ingest.Reviews:
		return run(ctx, opts, plans, svc, lane[lectern.Review]{
			decode: d.ReviewRecord, put: svc.PutReviewsOnce,
			key: reviewCourse, course: reviewCourse,
		})
	case ingest.Ratings:
		return run(ctx, opts, plans, svc, lane[lectern.Rating]{
			decode: d.RatingRecord, put: svc.PutRatings,
			key: ratingCourse, course: ratingCourse,
			number: ingest.NewOccurrences().Number, // over all files of the run
		})
	case ingest.Learners:
		return run(ctx, opts, plans, svc, lane[ingest.LearnerPatch]{
			decode: d.LearnerRecord, put: svc.PutLearnersOnce,
			key: func(p ingest.LearnerPatch) string { return p.Learner.ID },
		})
	case ingest.Events:
		return run(ctx, opts, plans, svc, lane[lectern.Event]{
			decode: d.EventRecord, put: svc.AppendEvents, course: func(e lectern.Event) string { return e.CourseID },
			// The visitor first: which learner a visitor becomes is a matter of order.
			key: func(e lectern.Event) string { return cmp.Or(e.AnonymousID, e.LearnerID) },
		})
	}
	_, err = ingest.ParseKind(string(opts.Kind))
	return Summary{}, err
}

func reviewCourse(r lectern.Review) string { return r.CourseID }

func ratingCourse(r lectern.Rating) string { return r.CourseID }

func (o Options) orDefault() Options {
	if o.BatchRows <= 0 {
		o.BatchRows = defaultBatchRows
		if o.Kind == ingest.Ratings {
			o.BatchRows = defaultRatingBatchRows
		}
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Err == nil {
		o.Err = io.Discard
	}
	return o
}

// lane is what differs between kinds.
type lane[T any] struct {
	decode func(ingest.Record) (T, error)
	put    func(context.Context, []T) ([]lectern.WriteResult, error)
	key    func(T) string                              // what decides the part; see Part
	course func(T) string                              // of rows that may be parked; nil for others
	check  func(context.Context, []T) ([]error, error) // which rows put would reject; nil when that does not depend on the store
	number func([]T)                                   // gives rows what depends on the rows before; may be nil
}

// filePlan is one file that was found to fit the mapping.
type filePlan struct {
	path    string
	opts    source.Options
	size    int64            // bytes
	binding *mapping.Binding // nil for canonical JSON lines
}

// plan opens every file once, so that what cannot work fails before anything is
// written.
func plan(opts Options) ([]filePlan, error) {
	if len(opts.Files) == 0 {
		return nil, lectern.Invalid("no file to import")
	}
	plans := make([]filePlan, 0, len(opts.Files))
	for _, path := range opts.Files {
		p, err := planFile(opts, path)
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}

func planFile(opts Options, path string) (filePlan, error) {
	p := filePlan{path: path}
	if opts.Mapping != nil {
		p.opts = opts.Mapping.Source
	}
	f, err := source.Open(path, p.opts)
	if err != nil {
		return p, err
	}
	defer func() { _ = f.Close() }() // read only
	_, p.size = f.Progress()
	if d, told := f.Delimiter(); told {
		p.opts.Delimiter = d
		fmt.Fprintf(opts.Err, "note: %s: the columns are taken to be separated by %q, as the headings are; a mapping can say it with delimiter\n", path, string(d))
	}
	m := opts.Mapping
	if m == nil {
		if f.Format == source.JSONL {
			return p, nil
		}
		if m, err = mapping.ForHeader(path, opts.Kind, f.Header()); err != nil {
			return p, err
		}
	}
	if p.binding, err = m.Bind(path, f.Header()); err != nil {
		return p, err
	}
	if f.Format == source.JSONL {
		return p, checkKeys(opts, m, f)
	}
	return p, nil
}

// checkKeys looks into the first rows of a file without headings for the columns
// that the mapping names. A key may well come later, so one that is missing is a
// warning; that none is there is an error.
func checkKeys(opts Options, m *mapping.Mapping, f *source.File) error {
	const rows = 200
	seen := map[string]bool{}
	n := 0
	for ; n < rows; n++ {
		row, err := f.Next()
		if err != nil {
			break
		}
		keys, err := source.Flatten(row.Raw)
		if err != nil {
			continue
		}
		for k := range keys {
			seen[k] = true
		}
	}
	var missing []string
	for _, c := range m.Columns() {
		if !seen[c] {
			missing = append(missing, c)
		}
	}
	switch {
	case len(missing) == 0 || len(seen) == 0:
		return nil
	case len(missing) == len(m.Columns()):
		known := make([]string, 0, len(seen))
		for k := range seen {
			known = append(known, k)
		}
		slices.Sort(known)
		return lectern.Invalid(fmt.Sprintf("the mapping %s does not fit %s: its rows have none of the columns %s; they have %s",
			m.Name, f.Path, strings.Join(missing, ", "), strings.Join(known, ", ")))
	}
	fmt.Fprintf(opts.Err, "warning: %s: the first %d rows have no %s\n", f.Path, n, strings.Join(missing, ", "))
	return nil
}

// run reads in one goroutine and writes in another.
func run[T any](ctx context.Context, opts Options, plans []filePlan, svc ingest.Service, l lane[T]) (Summary, error) {
	clock := svc.Clock
	if clock == nil {
		clock = lectern.SystemClock
	}
	w := &writer[T]{opts: opts, lane: l, clock: clock, started: clock(), missing: map[string]struct{}{}}
	w.sum = newSummary(opts, len(plans))
	batches := make(chan batch[T], 2)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(batches)
		r := &reader[T]{opts: opts, lane: l, out: batches}
		return r.run(ctx, plans)
	})
	group.Go(func() error { return w.run(ctx, batches) })
	err := group.Wait()
	closeErr := w.close()
	w.sum.MissingCourses = len(w.missing)
	w.sum.Duration = clock().Sub(w.started)
	if err = errors.Join(err, closeErr); err != nil {
		return w.sum, err
	}
	w.sum.print(opts.Out)
	return w.sum, w.sum.verdict(opts.Strict)
}

// writer takes batches to the store, in order.
type writer[T any] struct {
	opts    Options
	lane    lane[T]
	clock   lectern.Clock
	started time.Time
	sum     Summary
	rejects *rejectFile
	missing map[string]struct{}
	bar     progress
}

func (w *writer[T]) run(ctx context.Context, batches <-chan batch[T]) error {
	if w.opts.Progress && !w.opts.DryRun {
		w.bar = newProgress(w.opts.Err, w.opts.Kind)
	}
	for b := range batches {
		if w.opts.DryRun {
			if err := w.preview(ctx, b); err != nil {
				return err
			}
			continue
		}
		if err := w.write(ctx, b); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// write makes one batch durable and then acknowledges it.
func (w *writer[T]) write(ctx context.Context, b batch[T]) error {
	if len(b.rows) > 0 {
		results, err := w.lane.put(ctx, b.items)
		if err != nil {
			return fmt.Errorf("write rows after the first %d: %w", w.sum.Read, err)
		}
		if len(results) != len(b.items) {
			return fmt.Errorf("the store answered %d results for %d rows", len(results), len(b.items))
		}
		for i, res := range results {
			w.tally(&b, i, res)
		}
	}
	w.sum.add(b.read, b.skipped, b.broken, b.rejects)
	if err := w.reject(b.rejects); err != nil {
		return err
	}
	w.bar.clear()
	if b.read > 0 {
		if _, err := fmt.Fprintf(w.opts.Out, "committed %d\n", w.sum.Read); err != nil {
			return fmt.Errorf("acknowledge: %w", err)
		}
	}
	if b.broken != "" {
		fmt.Fprintln(w.opts.Err, "error:", b.broken)
	}
	w.bar.set(b.bytesRead, b.bytesTotal, w.sum.Read)
	return nil
}

// tally counts one row's outcome; a row that the store rejects joins the
// batch's rejects.
func (w *writer[T]) tally(b *batch[T], i int, res lectern.WriteResult) {
	switch res.Outcome {
	case lectern.OutcomeCreated:
		w.sum.Created++
	case lectern.OutcomeUpdated:
		w.sum.Updated++
	case lectern.OutcomeUnchanged:
		w.sum.Unchanged++
	case lectern.OutcomeDuplicate:
		w.sum.Duplicate++
	case lectern.OutcomeParked:
		w.sum.Parked++
		if w.lane.course != nil {
			w.missing[w.lane.course(b.items[i])] = struct{}{}
		}
	default:
		b.rejects = append(b.rejects, newReject(w.opts.Kind, b.path, b.rows[i], res.Err))
	}
}

// reject appends rows to the rejects file and waits until they are on disk.
func (w *writer[T]) reject(rejects []Reject) error {
	if len(rejects) == 0 || w.opts.RejectsPath == "" {
		return nil
	}
	if w.rejects == nil {
		f, err := openRejects(w.opts.RejectsPath, w.started)
		if err != nil {
			return err
		}
		w.rejects = f
	}
	return w.rejects.write(rejects)
}

// preview shows a dry run's first rows, and counts what the store would reject
// with what was rejected already.
func (w *writer[T]) preview(ctx context.Context, b batch[T]) error {
	valid := len(b.items)
	if w.lane.check != nil && valid > 0 {
		refused, err := w.lane.check(ctx, b.items)
		if err != nil {
			return fmt.Errorf("check rows after the first %d: %w", w.sum.Read, err)
		}
		for i, err := range refused {
			if err != nil {
				b.rejects = append(b.rejects, newReject(w.opts.Kind, b.path, b.rows[i], err))
				valid--
			}
		}
	}
	for _, s := range b.samples {
		fmt.Fprint(w.opts.Out, s)
	}
	w.sum.add(b.read, b.skipped, b.broken, b.rejects)
	w.sum.Valid += valid
	if b.broken != "" {
		fmt.Fprintln(w.opts.Err, "error:", b.broken)
	}
	return nil
}

func (w *writer[T]) close() error {
	w.bar.clear()
	if w.rejects == nil {
		return nil
	}
	return w.rejects.close()
}

// base names a file for people.
func base(path string) string { return filepath.Base(path) }
