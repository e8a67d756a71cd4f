package indexing

import (
	"context"
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern"
)

const (
	checkSample  = 64   // courses looked at one by one before a switch
	checkRounds  = 5    // looks at a count that writes keep moving
	checkSelf    = 0.99 // a vector's score with itself, quantised or not
	checkMissing = 0.1  // share of the sample that an approximate search may miss
)

// checkShared makes sure that a new shared index holds what it should before
// anybody searches it: as many points as the store has courses, and for a sample
// exactly the store's facts and vectors, each found by its own vector.
func (p *Pipeline) checkShared(ctx context.Context, w *writer) error {
	if err := p.checkCount(ctx, w); err != nil {
		return err
	}
	sample, err := p.sample(ctx, w)
	if err != nil {
		return err
	}
	diffs, err := p.compare(ctx, w.line, sample)
	if err != nil {
		return err
	}
	diffs = withoutUnembedded(diffs)
	if len(diffs) > 0 {
		// Somebody may have changed a course since: level and look again.
		if err := p.level(ctx, w); err != nil {
			return err
		}
		if diffs, err = p.again(ctx, w.line, diffs); err != nil {
			return err
		}
		diffs = withoutUnembedded(diffs)
	}
	if len(diffs) > 0 {
		return lectern.Errorf(lectern.CodeInternal, "index %d is not what the store says: %d of %d courses looked at differ, first %s",
			w.version, len(diffs), len(sample), diffs[0])
	}
	return p.checkSearch(ctx, w, sample)
}

// checkCount compares numbers, several times, as writes go on meanwhile.
func (p *Pipeline) checkCount(ctx context.Context, w *writer) error {
	var points, courses int
	for range checkRounds {
		if err := p.level(ctx, w); err != nil {
			return err
		}
		stats, err := w.line.index().Stats(ctx)
		if err != nil {
			return fmt.Errorf("count index %d: %w", w.version, err)
		}
		if courses, err = p.o.Store.CountCourses(ctx); err != nil {
			return fmt.Errorf("count courses: %w", err)
		}
		if points = stats.Points; points == courses {
			return nil
		}
	}
	if gap := max(points-courses, courses-points); gap*1000 > courses {
		return lectern.Errorf(lectern.CodeInternal, "index %d has %d points for %d courses", w.version, points, courses)
	}
	return nil
}

// sample reads courses from all over the catalogue.
func (p *Pipeline) sample(ctx context.Context, w *writer) ([]lectern.Course, error) {
	w.line.mu.Lock()
	ids := make([]string, 0, checkSample)
	for id := range w.line.courses { // in Go's random order
		if len(ids) == checkSample {
			break
		}
		ids = append(ids, id)
	}
	w.line.mu.Unlock()
	if len(ids) == 0 { // opened, not filled: what comes first must do
		courses, _, err := p.o.Store.ScanCourses(ctx, 0, checkSample)
		if err != nil {
			return nil, fmt.Errorf("read a sample: %w", err)
		}
		return courses, nil
	}
	courses, err := p.o.Store.Courses(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read a sample: %w", err)
	}
	return courses, nil
}

// checkSearch looks every vector of the sample up.
func (p *Pipeline) checkSearch(ctx context.Context, w *writer, sample []lectern.Course) error {
	e := w.line.generation().Embedder
	if e == nil {
		return nil
	}
	items, err := p.items(ctx, e, sample, nil)
	if err != nil {
		return err
	}
	var queries []lectern.VectorQuery
	for i := range items {
		if len(items[i].Vector) > 0 {
			queries = append(queries, lectern.VectorQuery{Vector: lectern.VectorContent, Dense: items[i].Vector, K: 1})
		}
	}
	if len(queries) == 0 {
		return nil
	}
	lists, err := w.line.index().Search(ctx, queries)
	if err != nil {
		return fmt.Errorf("search index %d: %w", w.version, err)
	}
	missed := 0
	for _, hits := range lists {
		missed += one(len(hits) == 0 || hits[0].Score < checkSelf)
	}
	if float64(missed) > checkMissing*float64(len(queries)) {
		return lectern.Errorf(lectern.CodeInternal, "index %d does not find %d of %d courses by their own vectors", w.version, missed, len(queries))
	}
	return nil
}

// withoutUnembedded leaves out what is the store's lack and not the index's:
// vectors that are still to be made come with the feed.
func withoutUnembedded(diffs []Difference) []Difference {
	return slices.DeleteFunc(diffs, func(d Difference) bool { return d.Kind == DifferenceUnembedded })
}
