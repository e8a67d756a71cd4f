package indexing

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern"
)

// DifferenceKind says in what store and index disagree.
type DifferenceKind string

// The ways in which they can disagree.
const (
	DifferenceMissing    DifferenceKind = "missing"      // not in the index, though listed
	DifferenceUnexpected DifferenceKind = "unexpected"   // in the index, though not listed
	DifferenceVector     DifferenceKind = "vector"       // another content vector than the store's
	DifferenceUnembedded DifferenceKind = "not_embedded" // no vector in the store, though the text has one
	DifferencePayload    DifferenceKind = "payload"      // other filters' values or words
	DifferenceFactor     DifferenceKind = "factor"       // another factor than the collaborative model's
	DifferenceCount      DifferenceKind = "count"        // more points than courses
)

// Difference is one disagreement between store and index.
type Difference struct {
	CourseID string // "" with DifferenceCount
	Kind     DifferenceKind
	Detail   string
}

// String is the difference as a line.
func (d Difference) String() string {
	if d.CourseID == "" {
		return fmt.Sprintf("index: %s: %s", d.Kind, d.Detail)
	}
	return fmt.Sprintf("course %s: %s: %s", d.CourseID, d.Kind, d.Detail)
}

// Inspector is an index that can be asked for what it holds. With one that
// cannot, Compare checks ids, vectors and counts only.
type Inspector interface {
	// Same reports for each point whether the index holds exactly it.
	Same(ctx context.Context, points []lectern.Point) ([]bool, error)
	// IDs returns the ids of all points.
	IDs(ctx context.Context) ([]string, error)
}

// Compare checks row by row that the index holds every open or unlisted course
// once, with the store's vector and the right payload, and nothing else. Run must
// be at work; what is still being embedded counts as a difference. It looks twice
// at what differs, so that writes in between do not show.
func (p *Pipeline) Compare(ctx context.Context) ([]Difference, error) {
	if err := p.CatchUp(ctx); err != nil {
		return nil, err
	}
	l := p.line.Load()
	var found []Difference
	seen := map[string]bool{}
	for after := int64(0); ; {
		courses, next, err := p.o.Store.ScanCourses(ctx, after, p.o.Config.Page)
		if err != nil {
			return nil, fmt.Errorf("read courses to compare: %w", err)
		}
		for i := range courses {
			seen[courses[i].ID] = true
		}
		diffs, err := p.compare(ctx, l, courses)
		if err != nil {
			return nil, err
		}
		found = append(found, diffs...)
		if next == 0 {
			break
		}
		after = next
	}
	extra, err := l.unknown(ctx, seen)
	if err != nil {
		return nil, err
	}
	found = append(found, extra...)
	if len(found) > 0 {
		if err := p.CatchUp(ctx); err != nil {
			return nil, err
		}
	}
	found, err = p.again(ctx, p.line.Load(), found)
	if err != nil {
		return nil, err
	}
	return p.compareCount(ctx, found)
}

// unknown returns the points of courses that the store does not have.
func (l *line) unknown(ctx context.Context, known map[string]bool) ([]Difference, error) {
	inspector, ok := l.index().(Inspector)
	if !ok {
		return nil, nil
	}
	ids, err := inspector.IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the index: %w", err)
	}
	var out []Difference
	for _, id := range ids {
		if !known[id] {
			out = append(out, Difference{id, DifferenceUnexpected, "in the index, not in the store"})
		}
	}
	return out, nil
}

// again looks once more at the courses that differed.
func (p *Pipeline) again(ctx context.Context, l *line, found []Difference) ([]Difference, error) {
	if len(found) == 0 {
		return nil, nil
	}
	ids := make([]string, 0, len(found))
	for _, d := range found {
		ids = append(ids, d.CourseID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var out []Difference
	for part := range slices.Chunk(ids, p.o.Config.Page) {
		courses, err := p.o.Store.Courses(ctx, part)
		if err != nil {
			return nil, fmt.Errorf("read courses to compare: %w", err)
		}
		diffs, err := p.compare(ctx, l, courses)
		if err != nil {
			return nil, err
		}
		out = append(out, diffs...)
		inIndex, err := l.index().Allowed(ctx, lectern.Filter{}, part)
		if err != nil {
			return nil, fmt.Errorf("ask the index: %w", err)
		}
		for i, id := range part {
			gone := !slices.ContainsFunc(courses, func(c lectern.Course) bool { return c.ID == id })
			if gone && inIndex[i] {
				out = append(out, Difference{id, DifferenceUnexpected, "in the index, not in the store"})
			}
		}
	}
	slices.SortFunc(out, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.CourseID, b.CourseID), cmp.Compare(a.Kind, b.Kind))
	})
	return out, nil
}

// compare checks some courses.
func (p *Pipeline) compare(ctx context.Context, l *line, courses []lectern.Course) ([]Difference, error) {
	e := l.generation().Embedder
	items, err := p.items(ctx, e, courses, nil)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(items))
	points := make([]lectern.Point, len(items))
	for i := range items {
		ids[i] = items[i].Course.ID
	}
	parallel(len(items), func(i int) { points[i] = l.point(&items[i], wordsOnly) })
	inIndex, err := l.index().Allowed(ctx, lectern.Filter{}, ids)
	if err != nil {
		return nil, fmt.Errorf("ask the index: %w", err)
	}
	vectors, err := l.index().Vectors(ctx, lectern.VectorContent, ids)
	if err != nil {
		return nil, fmt.Errorf("ask the index: %w", err)
	}
	wrongFactor, err := p.withFactors(ctx, l, ids, points)
	if err != nil {
		return nil, err
	}
	same := inIndex // an index that cannot tell is taken at its word
	if inspector, ok := l.index().(Inspector); ok {
		if same, err = inspector.Same(ctx, points); err != nil {
			return nil, fmt.Errorf("ask the index: %w", err)
		}
	}
	var out []Difference
	for i := range items {
		it := &items[i]
		var kind DifferenceKind
		var detail string
		switch want := listed(&it.Course); {
		case want && !inIndex[i]:
			kind, detail = DifferenceMissing, "in the store, not in the index"
		case !want && inIndex[i]:
			kind, detail = DifferenceUnexpected, "retired, but still in the index"
		case !want:
			continue
		case !slices.Equal(vectors[i], it.Vector):
			kind, detail = DifferenceVector, fmt.Sprintf("the index has %d numbers, the store %d", len(vectors[i]), len(it.Vector))
		case !same[i]:
			kind, detail = DifferencePayload, "filter values or words differ"
		case wrongFactor[i]:
			kind, detail = DifferenceFactor, "the index has another factor than the collaborative model"
		case e != nil && len(it.Vector) == 0:
			has, err := hasVector(ctx, e, it.Course)
			if err != nil {
				return nil, err
			}
			if !has {
				continue
			}
			kind, detail = DifferenceUnembedded, "the store has no vector of the active embedder for it"
		default:
			continue
		}
		out = append(out, Difference{it.Course.ID, kind, detail})
	}
	return out, nil
}

// hasVector reports whether the embedder knows anything of a course's text.
func hasVector(ctx context.Context, e lectern.Embedder, c lectern.Course) (bool, error) {
	v, err := e.Embed(ctx, lectern.EmbedDocument, []string{c.EmbeddingText()})
	if err != nil {
		return false, fmt.Errorf("embed a course to compare: %w", err)
	}
	return len(v) == 1 && len(v[0]) > 0, nil
}

// compareCount checks that no course is in the index more than once: ids that
// are right one by one must also add up.
func (p *Pipeline) compareCount(ctx context.Context, found []Difference) ([]Difference, error) {
	l := p.line.Load()
	s, err := l.index().Stats(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the index: %w", err)
	}
	l.mu.Lock()
	want := len(l.courses)
	l.mu.Unlock()
	if s.Points != want {
		found = append(found, Difference{Kind: DifferenceCount, Detail: fmt.Sprintf("%d points for %d courses", s.Points, want)})
	}
	return found, nil
}
