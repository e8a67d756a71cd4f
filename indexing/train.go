package indexing

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
)

// Load loads the active embedder from the store if that has not been done. With
// none, or one that cannot be read, there are only words until one is trained.
// Run calls it; others may, to embed without running.
func (p *Pipeline) Load(ctx context.Context) error {
	p.loading.Lock()
	defer p.loading.Unlock()
	if p.loaded || p.o.Fixed != nil {
		return nil
	}
	a, err := p.o.Store.ActiveArtefact(ctx, ArtefactEmbedder)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		p.loaded = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the active embedder: %w", err)
	}
	e, texts, err := p.open(ctx, a)
	if err != nil {
		if ctx.Err() != nil || unreachable(err) {
			return err
		}
		p.o.Logger.Error("indexing: the active embedder cannot be read; training another",
			slog.Int64("version", a.Version), slog.Any("err", err))
		p.loaded = true
		return nil
	}
	p.learned(texts)
	p.setEmbedder(p.line.Load(), e, a.Version)
	p.loaded = true
	return nil
}

// unreachable reports whether err is the store's rather than the artefact's.
func unreachable(err error) bool {
	switch lectern.ErrorCode(err) {
	case lectern.CodeUnavailable, lectern.CodeDeadline:
		return true
	}
	return false
}

// open reads an artefact and makes its embedder.
func (p *Pipeline) open(ctx context.Context, a lectern.Artefact) (lectern.Embedder, []uint64, error) {
	body, err := p.o.Store.ArtefactBody(ctx, ArtefactEmbedder, a.Version)
	if err != nil {
		return nil, nil, fmt.Errorf("read embedder %d: %w", a.Version, err)
	}
	texts, model, err := DecodeArtefact(body)
	if err != nil {
		return nil, nil, err
	}
	e, err := p.o.Load(model)
	if err != nil {
		return nil, nil, fmt.Errorf("load embedder %d: %w", a.Version, err)
	}
	if a.Fingerprint != "" && e.Fingerprint() != a.Fingerprint {
		return nil, nil, lectern.Errorf(lectern.CodeInvalid, "embedder %d has the fingerprint %s instead of %s",
			a.Version, e.Fingerprint(), a.Fingerprint)
	}
	return e, texts, nil
}

// learned remembers what the newest model was trained on.
func (p *Pipeline) learned(texts []uint64) {
	set := make(map[uint64]struct{}, len(texts))
	for _, t := range texts {
		set[t] = struct{}{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trained, p.hasModel = set, true
}

// TrainEmbedder is the worker for lectern.TrainEmbedderJob.
func (p *Pipeline) TrainEmbedder(ctx context.Context, job lectern.TrainEmbedderJob) error {
	return p.train(ctx, job.Reason, nil)
}

// Reindex trains a new embedder on the catalogue as it is, embeds every course
// with it and switches to it; with a fixed embedder it only fills in what has no
// vector and reads the index anew. progress, which may be nil, is told how many
// courses have their vector. It works whether Run does or not. Errors: CodeInvalid
// for an empty catalogue.
func (p *Pipeline) Reindex(ctx context.Context, progress func(done, total int)) error {
	return p.train(ctx, "asked for", progress)
}

// train makes a new embedder and switches to it once every course has its vector.
func (p *Pipeline) train(ctx context.Context, reason string, progress func(done, total int)) error {
	p.training.Lock()
	defer p.training.Unlock()
	p.update(func(s *state) { s.training = true })
	defer p.update(func(s *state) { s.training = false })
	if e := p.o.Fixed; e != nil {
		if err := p.embedAll(ctx, e, 0, progress); err != nil {
			return err
		}
		return p.adopt(ctx, e, p.gen.Load().Version, true)
	}
	if err := p.Load(ctx); err != nil {
		return err
	}
	start := p.o.Clock()
	texts, keys, err := p.texts(ctx)
	if err != nil {
		return err
	}
	if len(texts) == 0 {
		return lectern.Errorf(lectern.CodeInvalid, "there is no course to learn from")
	}
	e, model, err := p.o.Train(ctx, texts)
	if err != nil {
		return fmt.Errorf("train an embedder on %d courses: %w", len(texts), err)
	}
	trained := p.o.Clock()
	total := len(texts)
	version, err := p.o.Store.PutArtefact(ctx, lectern.Artefact{
		Kind: ArtefactEmbedder, Fingerprint: e.Fingerprint(), CreatedAt: start,
		Meta: map[string]string{
			"courses": strconv.Itoa(total), "dim": strconv.Itoa(e.Dim()), "reason": reason,
			"seconds": strconv.FormatFloat(trained.Sub(start).Seconds(), 'f', 1, 64),
		},
	}, EncodeArtefact(keys, model))
	if err != nil {
		return fmt.Errorf("store the new embedder: %w", err)
	}
	p.setPending(e)
	defer p.setPending(nil)
	if err := p.embedAll(ctx, e, total, progress); err != nil {
		return err
	}
	if err := p.o.Store.ActivateArtefact(ctx, ArtefactEmbedder, version); err != nil {
		return fmt.Errorf("activate the new embedder: %w", err)
	}
	p.learned(keys)
	if err := p.adopt(ctx, e, version, false); err != nil {
		return err
	}
	p.o.Logger.Info("indexing: switched to a new embedder", slog.String("reason", reason), slog.Int64("version", version),
		slog.Int("courses", total), slog.Duration("training", trained.Sub(start)),
		slog.Duration("embedding", p.o.Clock().Sub(trained)))
	return p.prune(ctx)
}

func (p *Pipeline) setPending(e lectern.Embedder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = e
}

// texts reads what an embedder is trained on, with its keys.
func (p *Pipeline) texts(ctx context.Context) (texts []string, keys []uint64, err error) {
	for after := int64(0); ; {
		courses, next, err := p.o.Store.ScanCourses(ctx, after, p.o.Config.Page)
		if err != nil {
			return nil, nil, fmt.Errorf("read courses to learn from: %w", err)
		}
		for i := range courses {
			if listed(&courses[i]) {
				text := courses[i].EmbeddingText()
				texts = append(texts, text)
				keys = append(keys, textKey(lectern.HashContent(text)))
			}
		}
		if next == 0 {
			return texts, keys, nil
		}
		after = next
	}
}

// prune drops old embedders, and the vectors of those that are gone.
func (p *Pipeline) prune(ctx context.Context) error {
	if _, err := p.o.Store.PruneArtefacts(ctx, ArtefactEmbedder, p.o.Config.KeepArtefacts-1); err != nil {
		return fmt.Errorf("drop old embedders: %w", err)
	}
	left, err := p.o.Store.Artefacts(ctx, ArtefactEmbedder)
	if err != nil {
		return fmt.Errorf("list embedders: %w", err)
	}
	keep := []string{p.gen.Load().Fingerprint()}
	for _, a := range left {
		keep = append(keep, a.Fingerprint)
	}
	if _, err := p.o.Store.PruneVectors(ctx, keep); err != nil {
		return fmt.Errorf("drop vectors of old embedders: %w", err)
	}
	return nil
}

// tend looks after the embedder until ctx ends: it takes over what another
// process activated, embeds what was left out, and trains when it is time.
func (p *Pipeline) tend(ctx context.Context) {
	if p.Wait(ctx, func(r Readiness) bool { return r.Scanned }) != nil {
		return
	}
	t := tender{p: p}
	tick := time.NewTicker(p.o.Config.Check)
	defer tick.Stop()
	for {
		p.retry(ctx, "look after the embedder", t.look)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
