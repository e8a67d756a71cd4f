package indexing

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lectern-dev/lectern"
)

// Points carry the factors of the collaborative model in use, as lectern.VectorCF.
// A factor compares with those of its own model only. So all points of an index have
// factors of one version, or it says that it holds none: before factors of another
// version are written, the index is marked as holding none; then every point is
// written anew, a page at a time, between the changes of the feed; then the index is
// marked with the new version.

// Factors are those of one collaborative model.
type Factors struct {
	Version int64 // of the model, above 0
	Dim     int   // length of every factor
	// Of returns a course's factor, [Dim]float32 of unit length, nil for none.
	Of func(courseID string) []float32
}

// factorsFor returns those of the model in use, nil while there is none, or while
// a line's index has no room for them.
func (p *Pipeline) factorsFor(l *line) *Factors {
	if p.o.Factors == nil {
		return nil
	}
	if f := p.o.Factors(); f != nil && f.Of != nil && f.Dim == l.cf.room {
		return f
	}
	return nil
}

func (f *Factors) version() int64 {
	if f == nil {
		return 0
	}
	return f.Version
}

// factored is a line's part in this.
type factored struct {
	room    int                     // length of the factors that the index has room for
	written atomic.Pointer[Factors] // what points are written with now
	held    atomic.Int64            // version whose factors all points have, 0 for none
}

// carry makes a line write points with these, all of whose points have them.
func (l *line) carry(f *Factors) {
	l.cf.written.Store(f)
	l.cf.held.Store(f.version())
}

// addFactor puts a course's factor into its point.
func (l *line) addFactor(p *lectern.Point) {
	f := l.cf.written.Load()
	if f == nil {
		return
	}
	if v := f.Of(p.ID); len(v) > 0 {
		if p.Dense == nil {
			p.Dense = make(map[string][]float32, 1)
		}
		p.Dense[lectern.VectorCF] = v
	}
}

// FactorsHeld returns the version of the model whose factors the points of the index
// in use have, 0 while that is none. Of a shared index it may be a moment late in
// saying so, and is never early.
func (p *Pipeline) FactorsHeld() int64 { return p.line.Load().cf.held.Load() }

// suitable returns the factors that a line's points should have; nil where that
// cannot be said.
func (p *Pipeline) suitable(l *line) *Factors {
	if f := p.factorsFor(l); f != nil && f.Version == l.cf.held.Load() {
		return f
	}
	return nil
}

// withFactors puts the factors that the index has into points that are held against
// it, and reports which of them are not the model's.
func (p *Pipeline) withFactors(ctx context.Context, l *line, ids []string, points []lectern.Point) ([]bool, error) {
	wrong := make([]bool, len(ids))
	if p.o.Factors == nil {
		return wrong, nil
	}
	f := p.suitable(l)
	has, err := l.index().Vectors(ctx, lectern.VectorCF, ids)
	if err != nil {
		return nil, fmt.Errorf("ask the index: %w", err)
	}
	for i := range points {
		delete(points[i].Dense, lectern.VectorCF)
		if f != nil {
			wrong[i] = !slices.Equal(has[i], f.Of(ids[i]))
		}
		if len(has[i]) == 0 {
			continue
		}
		if points[i].Dense == nil {
			points[i].Dense = make(map[string][]float32, 1)
		}
		points[i].Dense[lectern.VectorCF] = has[i]
	}
	return wrong, nil
}

// refactor brings the index in this process to the factors of the model in use. Only
// the follower calls it, so nobody else writes meanwhile.
func (p *Pipeline) refactor(ctx context.Context) error {
	l := p.line.Load()
	f := p.factorsFor(l)
	if l.follows || f.version() == l.cf.held.Load() {
		return nil
	}
	begin := p.o.Clock()
	l.cf.held.Store(0)
	l.cf.written.Store(f)
	l.mu.Lock()
	ids := make([]string, 0, len(l.courses))
	for id := range l.courses {
		ids = append(ids, id)
	}
	l.mu.Unlock()
	slices.Sort(ids)
	for page := range slices.Chunk(ids, factorPage) {
		// What is read after the feed is as new as the feed, or newer.
		if err := p.advance(ctx); err != nil {
			return err
		}
		courses, err := p.o.Store.Courses(ctx, page)
		if err != nil {
			return fmt.Errorf("read courses for their factors: %w", err)
		}
		if err := p.rewrite(ctx, l, courses); err != nil {
			return err
		}
	}
	l.cf.held.Store(f.version())
	p.factorsWritten(f, len(ids), begin)
	return nil
}

// factorPage is how many points are written between two looks at the feed.
const factorPage = 500

// rewrite writes the points of courses as the store has them now.
func (p *Pipeline) rewrite(ctx context.Context, l *line, courses []lectern.Course) error {
	items, err := p.items(ctx, l.generation().Embedder, courses, nil)
	if err != nil {
		return err
	}
	return l.apply(ctx, items, nil, wordsOnly)
}

func (p *Pipeline) factorsWritten(f *Factors, courses int, begin time.Time) {
	p.o.Logger.Info("indexing: the factors of a model are in the index", slog.Int64("model", f.version()),
		slog.Int("courses", courses), slog.Duration("took", p.o.Clock().Sub(begin)))
}

// factorsName is the name under which a shared index says whose factors it holds.
func factorsName(version int64) string { return fmt.Sprintf("cf/%d", version) }

// readFactors returns whose factors the shared index of a version holds, 0 for
// nobody's.
func (p *Pipeline) readFactors(ctx context.Context, version int64) (int64, error) {
	held, err := p.o.Store.FeedPosition(ctx, factorsName(version))
	if err != nil {
		return 0, fmt.Errorf("read whose factors index %d holds: %w", version, err)
	}
	return held, nil
}

// markFactors remembers whose factors the shared index of a version holds; 0 for
// nobody's.
func (p *Pipeline) markFactors(ctx context.Context, version, model int64) error {
	if model == 0 {
		model = -1 // forget
	}
	if err := p.o.Store.SetFeedPosition(ctx, factorsName(version), model); err != nil {
		return fmt.Errorf("store whose factors index %d holds: %w", version, err)
	}
	return nil
}

// openFactors makes a writer write as the index is: with factors only where it holds
// those of the model in use.
func (p *Pipeline) openFactors(ctx context.Context, w *writer) error {
	held, err := p.readFactors(ctx, w.version)
	if err != nil {
		return err
	}
	if f := p.factorsFor(w.line); f.version() == held {
		w.line.carry(f)
	}
	return nil
}

// levelFactors brings the shared index in use to the factors of the model in use.
// Between marking it and writing the first factor it waits for every process to
// have seen the mark; it then returns, to be called again.
func (p *Pipeline) levelFactors(ctx context.Context, w *writer) error {
	f := p.factorsFor(w.line)
	if f.version() == w.line.cf.held.Load() {
		return nil
	}
	if !w.marked {
		w.line.carry(nil) // what the feed brings meanwhile has no factor
		if err := p.markFactors(ctx, w.version, 0); err != nil {
			return err
		}
		w.marked, w.markedAt = true, p.o.Clock()
	}
	if f == nil || p.o.Clock().Sub(w.markedAt) < unnoticed*p.o.Config.Check {
		return nil
	}
	begin, courses := p.o.Clock(), 0
	w.line.cf.written.Store(f)
	for after := int64(0); ; {
		if err := p.level(ctx, w); err != nil {
			return err
		}
		page, next, err := p.o.Store.ScanCourses(ctx, after, factorPage)
		if err != nil {
			return fmt.Errorf("read courses for their factors: %w", err)
		}
		if err := p.rewrite(ctx, w.line, page); err != nil {
			return err
		}
		if courses += len(page); next == 0 {
			break
		}
		if after = next; p.factorsFor(w.line).version() != f.version() {
			return nil // another one is in use by now
		}
	}
	if err := p.markFactors(ctx, w.version, f.version()); err != nil {
		return err
	}
	w.marked = false
	w.line.cf.held.Store(f.version())
	p.factorsWritten(f, courses, begin)
	return nil
}

// watchFactors looks whose factors the shared index in use holds.
func (p *Pipeline) watchFactors(ctx context.Context) error {
	if p.o.Shared == nil || p.o.Factors == nil {
		return nil
	}
	l := p.line.Load()
	held, err := p.readFactors(ctx, l.generation().Version)
	if err != nil {
		l.cf.held.Store(0)
		return err
	}
	l.cf.held.Store(held)
	return nil
}
