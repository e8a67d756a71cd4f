package indexing

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/lectern-dev/lectern"
)

// tender holds what one goroutine remembers between two looks.
type tender struct {
	p *Pipeline

	unreadable int64     // version that could not be loaded
	counted    time.Time // when the shared index was last counted
	fruitless  [3]int64  // version, position and gap at which nothing could be embedded
	passAt     int64     // where in the catalogue fillShared goes on
	passMade   int       // vectors that it made since it was at the beginning
	waitsSince time.Time // since when missing vectors are left to the queue
	urgent     bool      // nothing is left to the queue until all have been through
	lookedAt   int64     // state.changed at the last measurement of drift
	measured   bool      // drift was measured at lookedAt
	drift      float64   // then
	dueSince   time.Time // since when training waits for quiet; zero when it is not due
	notBefore  time.Time // of a training, after one that failed
}

// look does what is due now.
func (t *tender) look(ctx context.Context) error {
	if err := t.watch(ctx); err != nil {
		return err
	}
	if err := t.p.watchFactors(ctx); err != nil {
		return err
	}
	if err := t.count(ctx); err != nil {
		return err
	}
	if !t.p.o.leads() {
		return nil
	}
	if t.p.founding() {
		switch err := t.p.found(ctx); {
		case lectern.ErrorCode(err) == lectern.CodeConflict:
			return nil // another process is at it
		case err != nil:
			return err
		}
		t.urgent = true // what was queued before there was an embedder is nobody's but ours
	}
	fill := t.fill
	if t.p.o.Shared != nil {
		fill = t.fillShared
	}
	if err := fill(ctx); err != nil {
		return err
	}
	t.train(ctx)
	return nil
}

// watch takes over an embedder that another process made active.
func (t *tender) watch(ctx context.Context) error {
	p := t.p
	if !p.training.TryLock() {
		return nil // our own training is about to activate one
	}
	defer p.training.Unlock()
	a, err := p.o.Store.ActiveArtefact(ctx, ArtefactEmbedder)
	switch {
	case lectern.ErrorCode(err) == lectern.CodeNotFound:
		return nil
	case err != nil:
		return fmt.Errorf("find the active embedder: %w", err)
	case a.Version == t.unreadable:
		return nil
	}
	if g := p.gen.Load(); a.Version == g.Version {
		if p.o.Shared != nil && g.absent() {
			return p.enter(ctx, g.Embedder, g.Version)
		}
		return nil
	}
	e, texts, err := p.open(ctx, a)
	if err != nil {
		if ctx.Err() != nil || unreachable(err) {
			return err
		}
		t.unreadable = a.Version
		p.o.Logger.Error("indexing: the active embedder cannot be read", slog.Int64("version", a.Version), slog.Any("err", err))
		return nil
	}
	p.learned(a, texts)
	t.measured = false
	if err := p.adopt(ctx, e, a.Version); err != nil {
		return err
	}
	p.o.Logger.Info("indexing: took over an embedder", slog.Int64("version", a.Version))
	return nil
}

// fill embeds what the job queue left out: courses that came between a switch
// and the vectors made for it, or that are listed again.
func (t *tender) fill(ctx context.Context) error {
	p := t.p
	for ctx.Err() == nil {
		l := p.line.Load()
		ids := l.missing(lectern.MaxEmbedBatch)
		if len(ids) == 0 {
			t.urgent = false
			return nil
		}
		if len(ids) < lectern.MaxEmbedBatch && t.leftToQueue(int64(len(ids))) {
			return nil
		}
		courses, err := p.o.Store.Courses(ctx, ids)
		if err != nil {
			return fmt.Errorf("read courses without a vector: %w", err)
		}
		e := l.generation().Embedder
		made, err := p.embed(ctx, e, courses)
		if err != nil {
			return err
		}
		if made == 0 {
			// The vectors are in the store, or the courses have gone: the feed will say.
			return nil
		}
		if err := p.CatchUp(ctx); err != nil {
			return err
		}
	}
	return nil
}

// count asks a shared index what it holds: often while something is missing.
func (t *tender) count(ctx context.Context) error {
	p := t.p
	if p.o.Shared == nil || p.gen.Load().absent() {
		return nil
	}
	r := p.Ready()
	pause := 30 * p.o.Config.Check
	if !r.WordsReady() || r.Vectors < r.Courses {
		pause = 2 * p.o.Config.Check
	}
	if now := p.o.Clock(); now.Sub(t.counted) < pause {
		return nil
	}
	s, err := p.gen.Load().Index.Stats(ctx)
	if err != nil {
		return fmt.Errorf("count the shared index: %w", err)
	}
	t.counted = p.o.Clock()
	p.update(func(state *state) { state.shared = s })
	return nil
}

// fillSlice is how long fillShared works before the tender looks around again: the
// generation may have been switched meanwhile.
const fillSlice = 2 * time.Second

// fillShared is fill for a shared index: its leader does not remember which
// courses have a vector, so while some lack one it goes through all of them, a
// slice at a time.
func (t *tender) fillShared(ctx context.Context) error {
	p := t.p
	g := p.gen.Load()
	if g.Embedder == nil || g.absent() {
		return nil
	}
	r := p.Ready()
	gap := [3]int64{g.Version, r.Position, int64(r.Courses - r.Vectors)}
	if gap[2] <= 0 || gap == t.fruitless || t.leftToQueue(gap[2]) {
		return nil
	}
	for begun := p.o.Clock(); p.o.Clock().Sub(begun) < fillSlice; {
		courses, next, err := p.o.Store.ScanCourses(ctx, t.passAt, min(embedPage, p.o.Config.EmbedBatch))
		if err != nil {
			return fmt.Errorf("read courses without a vector: %w", err)
		}
		made, err := p.embed(ctx, g.Embedder, courses)
		t.passMade += made
		if err != nil {
			return err
		}
		if t.passAt = next; next == 0 {
			break
		}
	}
	if t.passAt != 0 {
		return nil // the rest at the next look
	}
	if t.passMade == 0 { // empty texts, or vectors that are on their way
		t.fruitless = gap
	}
	t.passMade, t.urgent = 0, false
	return p.embedAllReviews(ctx, g.Embedder)
}

// leftToQueue reports whether missing vectors are probably what the job queue is
// embedding at the moment: few, of texts that have just changed. Under a steady
// stream of changes that would always be so; then it is believed for a while only.
func (t *tender) leftToQueue(missing int64) bool {
	p := t.p
	now := p.o.Clock()
	if t.urgent || missing > lectern.MaxEmbedBatch || !t.busy(min(time.Second, p.o.Config.QuietPeriod)) {
		t.waitsSince = time.Time{}
		return false
	}
	if t.waitsSince.IsZero() {
		t.waitsSince = now
	}
	return now.Sub(t.waitsSince) < lookAgain*p.o.Config.Check
}

// busy reports whether texts changed less than d ago.
func (t *tender) busy(d time.Duration) bool {
	t.p.mu.Lock()
	changed := t.p.state.changed
	t.p.mu.Unlock()
	return t.p.o.Clock().Sub(time.UnixMicro(changed)) < d
}

// train trains when there is no embedder, or when the catalogue is no longer
// what the embedder was trained on, and texts have not changed for a while.
func (t *tender) train(ctx context.Context) {
	p := t.p
	reason := t.reason()
	now := p.o.Clock()
	if reason == "" {
		t.dueSince = time.Time{}
		return
	}
	if t.dueSince.IsZero() {
		t.dueSince = now
	}
	waited := now.Sub(t.dueSince) >= p.o.Config.MaxWait
	if now.Before(t.notBefore) || (t.busy(p.o.Config.QuietPeriod) && !waited) {
		return
	}
	err := p.train(ctx, reason, p.o.Embedder, nil)
	t.dueSince, t.measured = time.Time{}, false
	if err != nil {
		t.failed(ctx, err)
	}
}

// failed puts the next attempt off.
func (t *tender) failed(ctx context.Context, err error) {
	if ctx.Err() != nil || lectern.ErrorCode(err) == lectern.CodeConflict {
		return // somebody else is at it
	}
	c := t.p.o.Config
	t.notBefore = t.p.o.Clock().Add(c.RetryTraining)
	t.p.o.Logger.Error("indexing: cannot make an embedder", slog.Any("err", err), slog.Duration("retry_in", c.RetryTraining))
}

// founding reports whether there is no generation at all, and need not be a
// catalogue to make one.
func (p *Pipeline) founding() bool {
	return p.gen.Load().Version == 0 && (p.o.Shared != nil || p.o.Makers[p.o.Embedder].Connect != nil)
}

// reason says why an embedder should be trained, "" if none should.
func (t *tender) reason() string {
	p := t.p
	p.mu.Lock()
	changed, trained, trains := p.state.changed, p.trained, p.trains
	p.mu.Unlock()
	l := p.line.Load()
	l.mu.Lock()
	courses, active := len(l.courses), l.gen.Embedder != nil
	l.mu.Unlock()
	switch {
	case courses == 0:
		return ""
	case !active:
		return "there is no embedder"
	case !trains || p.o.Makers[p.o.Embedder].Train == nil:
		return "" // changing the embedder is for people to decide
	}
	if !t.measured || t.lookedAt != changed {
		t.drift, t.lookedAt, t.measured = l.drift(trained), changed, true
	}
	if t.drift >= p.o.Config.RetrainShare {
		return fmt.Sprintf("%.0f %% of the texts are new or gone", 100*t.drift)
	}
	return ""
}
