package indexing

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/lectern-dev/lectern"
)

// A shared index is written by one process at a time: the leader, for the
// generation in use, and whoever reindexes, for the one that is to come. How far
// each has followed the feed stands in the store, so that a new leader goes on
// where the last one stopped. Points are written whole from the store, so writing
// one twice does no harm.

// feedName is the name under which a shared index says how far it is.
func feedName(version int64) string { return fmt.Sprintf("index %d", version) }

// readPosition returns up to where the shared index of a version has taken in the
// feed, and whether it was ever filled. What is stored is one more, as 0 stands
// for never.
func (p *Pipeline) readPosition(ctx context.Context, version int64) (position int64, filled bool, err error) {
	next, err := p.o.Store.FeedPosition(ctx, feedName(version))
	if err != nil {
		return 0, false, fmt.Errorf("read the position of index %d: %w", version, err)
	}
	return max(0, next-1), next > 0, nil
}

func (p *Pipeline) writePosition(ctx context.Context, version, position int64) error {
	if err := p.o.Store.SetFeedPosition(ctx, feedName(version), position+1); err != nil {
		return fmt.Errorf("store the position of index %d: %w", version, err)
	}
	return nil
}

// forgetPosition makes a version count as never filled.
func (p *Pipeline) forgetPosition(ctx context.Context, version int64) error {
	if err := p.o.Store.SetFeedPosition(ctx, feedName(version), -1); err != nil {
		return fmt.Errorf("forget the position of index %d: %w", version, err)
	}
	return nil
}

// writer brings the feed into one version of a shared index.
type writer struct {
	line     *line
	version  int64
	position int64     // everything up to here is in the index, and the store knows
	seen     time.Time // when the index was last found to be there and in use

	marked   bool      // as holding no factors, to be given others
	markedAt time.Time // when
}

// publishWhileLeading keeps the shared index level with the store whenever this
// process is the leader.
func (p *Pipeline) publishWhileLeading(ctx context.Context) {
	if p.o.Leader == nil {
		p.publishTerm(ctx)
		return
	}
	p.o.Leader.While(ctx, p.publishTerm)
}

// lookAgain times Config.Check is how often the leader makes sure that the index
// it writes to is there.
const lookAgain = 10

func (p *Pipeline) publishTerm(ctx context.Context) {
	// Until the catalogue is read, the generation in use is not settled.
	if p.Wait(ctx, func(r Readiness) bool { return r.Scanned }) != nil {
		return
	}
	var w *writer
	timer := time.NewTimer(p.o.Config.Poll)
	defer timer.Stop()
	for ctx.Err() == nil {
		p.retry(ctx, "write the shared index", func(ctx context.Context) (err error) {
			w, err = p.publishOnce(ctx, w)
			return err
		})
		timer.Reset(p.o.Config.Poll)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-p.publish:
		}
	}
}

// publishOnce brings the index in use level with the store, and returns the
// writer to go on with.
func (p *Pipeline) publishOnce(ctx context.Context, w *writer) (*writer, error) {
	g := p.gen.Load()
	if g.Version == 0 {
		return nil, nil // the tender makes the first
	}
	if w != nil && p.o.Clock().Sub(w.seen) > lookAgain*p.o.Config.Check {
		w = nil // somebody may have dropped the index, or pointed the alias elsewhere
	}
	if w == nil || w.version != g.Version {
		switch a, err := p.o.Store.ActiveArtefact(ctx, ArtefactEmbedder); {
		case err != nil:
			return nil, fmt.Errorf("find the generation in use: %w", err)
		case a.Version != g.Version:
			return nil, nil // the tender takes it over at its next look; the aliases are right already
		}
		var err error
		if w, err = p.openWriter(ctx, g, nil); err != nil {
			return nil, err
		}
		if err := p.pointAliases(ctx, g.Version); err != nil {
			return nil, err
		}
		if w.seen = p.o.Clock(); g.absent() {
			if err := p.enter(ctx, g.Embedder, g.Version); err != nil {
				return nil, err
			}
		}
	}
	for _, step := range []func(context.Context, *writer) error{p.levelFactors, p.level} {
		if err := step(ctx, w); err != nil {
			return nil, err // opened anew, in case the index has gone
		}
	}
	return w, nil
}

// pointAliases makes the version the store calls active the one that the backend
// calls so: somebody may have died between the two.
func (p *Pipeline) pointAliases(ctx context.Context, version int64) error {
	active, err := p.o.Shared.Active(ctx)
	if err != nil && lectern.ErrorCode(err) != lectern.CodeNotFound {
		return fmt.Errorf("find the shared index in use: %w", err)
	}
	if active == version {
		return nil
	}
	if err := p.o.Shared.Activate(ctx, version); err != nil {
		return fmt.Errorf("switch to index %d: %w", version, err)
	}
	return nil
}

// openWriter opens the index of a generation to write to, and fills it where it
// is not there or was never finished.
func (p *Pipeline) openWriter(ctx context.Context, g *Generation, progress func(done, total int)) (*writer, error) {
	position, filled, err := p.readPosition(ctx, g.Version)
	if err != nil {
		return nil, err
	}
	index, spec, err := p.o.Shared.Open(ctx, g.Version)
	switch {
	case lectern.ErrorCode(err) == lectern.CodeNotFound || (err == nil && !filled):
		return p.fillNew(ctx, g, progress)
	case err != nil:
		return nil, fmt.Errorf("open index %d: %w", g.Version, err)
	case spec.Fingerprint != g.Fingerprint():
		return nil, lectern.Errorf(lectern.CodeConflict, "index %d holds vectors of %q, not of %q", g.Version, spec.Fingerprint, g.Fingerprint())
	}
	w := &writer{line: p.writtenLine(index, g), version: g.Version, position: position}
	w.line.cf.room = spec.Dense[lectern.VectorCF] // it may have been made with other settings
	return w, p.openFactors(ctx, w)
}

func (p *Pipeline) writtenLine(index lectern.VectorIndex, g *Generation) *line {
	l := newLine(&Generation{Index: index, Embedder: g.Embedder, Version: g.Version}, p.o.Words)
	l.written = true
	l.cf.room = p.o.Dense[lectern.VectorCF]
	return l
}

// fillNew makes the index of a generation and fills it from the store.
func (p *Pipeline) fillNew(ctx context.Context, g *Generation, progress func(done, total int)) (*writer, error) {
	if err := p.forgetPosition(ctx, g.Version); err != nil {
		return nil, err
	}
	if err := p.markFactors(ctx, g.Version, 0); err != nil {
		return nil, err
	}
	after, err := p.lastChange(ctx)
	if err != nil {
		return nil, err
	}
	start := p.o.Clock()
	index, err := p.o.Shared.Create(ctx, p.spec(g))
	if err != nil {
		return nil, fmt.Errorf("make index %d: %w", g.Version, err)
	}
	w := &writer{line: p.writtenLine(index, g), version: g.Version, position: after}
	w.line.carry(p.factorsFor(w.line))
	total, err := p.o.Store.CountCourses(ctx)
	if err != nil {
		return nil, fmt.Errorf("count courses: %w", err)
	}
	err = p.eachPage(ctx, g.Embedder, func(items []item) error {
		if err := w.line.apply(ctx, items, nil, wordsOnly); err != nil {
			return err
		}
		if progress != nil {
			done := w.line.size()
			progress(done, max(done, total))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("fill index %d: %w", g.Version, err)
	}
	if err := p.writePosition(ctx, g.Version, after); err != nil {
		return nil, err
	}
	if err := p.markFactors(ctx, g.Version, w.line.cf.held.Load()); err != nil {
		return nil, err
	}
	p.o.Logger.Info("indexing: a shared index is filled", slog.Int64("version", g.Version),
		slog.Int("courses", w.line.size()), slog.Duration("took", p.o.Clock().Sub(start)))
	return w, nil
}

func (l *line) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.courses)
}

// spec is what an index of a generation must be able to hold.
func (p *Pipeline) spec(g *Generation) lectern.IndexSpec {
	s := lectern.IndexSpec{
		Version: g.Version, Fingerprint: g.Fingerprint(),
		Dense: map[string]int{}, Sparse: []string{lectern.VectorLexical},
	}
	for name, dim := range p.o.Dense {
		s.Dense[name] = dim
	}
	if e := g.Embedder; e != nil {
		s.Dense[lectern.VectorContent], s.Dense[lectern.VectorReviews] = e.Dim(), e.Dim()
	}
	return s
}

// level applies what the feed has beyond the writer's position.
func (p *Pipeline) level(ctx context.Context, w *writer) error {
	for {
		page, err := p.changes(ctx, w.line, w.position)
		if err != nil {
			return err
		}
		if page.last == w.position {
			return nil
		}
		if err := w.line.apply(ctx, page.items, page.deletes, wordsOnly); err != nil {
			return err
		}
		if err := p.writePosition(ctx, w.version, page.last); err != nil {
			return err
		}
		w.position = page.last
	}
}

// Lag returns how far the shared index of a version is behind the feed, in sequence
// numbers, which have gaps; 0 when it is level. It asks the store only.
func (p *Pipeline) Lag(ctx context.Context, version int64) (int64, error) {
	last, err := p.lastChange(ctx)
	if err != nil {
		return 0, err
	}
	at, _, err := p.readPosition(ctx, version)
	if err != nil {
		return 0, err
	}
	return max(0, last-at), nil
}

// publisherPoll is how often CatchUp asks how far the shared index is.
const publisherPoll = 20 * time.Millisecond

// waitForPublisher blocks until the shared index in use is at last.
func (p *Pipeline) waitForPublisher(ctx context.Context, last int64) error {
	if p.o.Shared == nil {
		return nil
	}
	tick := time.NewTicker(publisherPoll)
	defer tick.Stop()
	for {
		if v := p.gen.Load().Version; v != 0 {
			at, filled, err := p.readPosition(ctx, v)
			if err != nil {
				return err
			}
			if filled && at >= last {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// enter puts a generation of a shared index into service in this process.
func (p *Pipeline) enter(ctx context.Context, e lectern.Embedder, version int64) error {
	index, spec, err := p.o.Shared.Open(ctx, version)
	g := &Generation{Index: absentIndex{}, Embedder: e, Version: version}
	switch {
	case lectern.ErrorCode(err) == lectern.CodeNotFound:
		// Whoever leads makes it again; until then there is nothing to search.
	case err != nil:
		return fmt.Errorf("open index %d: %w", version, err)
	case spec.Fingerprint != g.Fingerprint():
		return lectern.Errorf(lectern.CodeConflict, "index %d holds vectors of %q, not of %q", version, spec.Fingerprint, g.Fingerprint())
	default:
		g.Index = index
	}
	// Counted before it is in use, so that readiness never goes by another's numbers.
	var counted lectern.IndexStats
	if !g.absent() {
		if counted, err = index.Stats(ctx); err != nil {
			return fmt.Errorf("count index %d: %w", version, err)
		}
	}
	p.line.Load().setGeneration(g)
	p.gen.Store(g)
	p.update(func(s *state) { s.shared = counted })
	return nil
}

// absent reports whether the shared index in use has not been opened.
func (g *Generation) absent() bool {
	_, absent := g.Index.(absentIndex)
	return absent
}
