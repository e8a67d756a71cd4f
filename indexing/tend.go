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
	if err := t.fill(ctx); err != nil {
		return err
	}
	t.train(ctx)
	return nil
}

// watch takes over an embedder that another process made active.
func (t *tender) watch(ctx context.Context) error {
	p := t.p
	if p.o.Fixed != nil || !p.training.TryLock() {
		return nil // our own training is about to activate one
	}
	defer p.training.Unlock()
	a, err := p.o.Store.ActiveArtefact(ctx, ArtefactEmbedder)
	switch {
	case lectern.ErrorCode(err) == lectern.CodeNotFound:
		return nil
	case err != nil:
		return fmt.Errorf("find the active embedder: %w", err)
	case a.Version == p.gen.Load().Version || a.Version == t.unreadable:
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
	p.learned(texts)
	t.measured = false
	if err := p.adopt(ctx, e, a.Version, false); err != nil {
		return err
	}
	p.o.Logger.Info("indexing: took over an embedder", slog.Int64("version", a.Version))
	return nil
}

// fill embeds what the job queue left out: courses that came between a switch
// and the vectors made for it, or that are listed again.
func (t *tender) fill(ctx context.Context) error {
	p := t.p
	if t.busy(min(time.Second, p.o.Config.QuietPeriod)) {
		return nil // the queue is probably at it
	}
	for ctx.Err() == nil {
		l := p.line.Load()
		ids := l.missing(lectern.MaxEmbedBatch)
		if len(ids) == 0 {
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
	err := p.train(ctx, reason, nil)
	t.dueSince, t.measured = time.Time{}, false
	if err != nil && ctx.Err() == nil {
		t.notBefore = p.o.Clock().Add(p.o.Config.RetryTraining)
		p.o.Logger.Error("indexing: cannot train an embedder", slog.Any("err", err),
			slog.Duration("retry_in", p.o.Config.RetryTraining))
	}
}

// reason says why an embedder should be trained, "" if none should.
func (t *tender) reason() string {
	p := t.p
	if p.o.Fixed != nil {
		return ""
	}
	p.mu.Lock()
	changed, trained := p.state.changed, p.trained
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
	}
	if !t.measured || t.lookedAt != changed {
		t.drift, t.lookedAt, t.measured = l.drift(trained), changed, true
	}
	if t.drift >= p.o.Config.RetrainShare {
		return fmt.Sprintf("%.0f %% of the texts are new or gone", 100*t.drift)
	}
	return ""
}
