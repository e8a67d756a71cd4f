package indexing

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// Load loads the active embedder from the store if that has not been done. With
// none, or one that cannot be read, there are only words until one is trained.
// Run calls it; others may, to embed without running.
func (p *Pipeline) Load(ctx context.Context) error {
	p.loading.Lock()
	defer p.loading.Unlock()
	if p.loaded {
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
	p.learned(a, texts)
	if p.o.Shared == nil {
		p.setEmbedder(p.line.Load(), e, a.Version)
	} else if err := p.enter(ctx, e, a.Version); err != nil {
		// The embedder is known; the index is opened when it can be reached.
		p.o.Logger.Error("indexing: the shared index cannot be opened yet", slog.Int64("version", a.Version), slog.Any("err", err))
		p.setEmbedder(p.line.Load(), e, a.Version)
	}
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

// open reads an artefact and makes its embedder; nil for a generation of words.
func (p *Pipeline) open(ctx context.Context, a lectern.Artefact) (lectern.Embedder, []uint64, error) {
	body, err := p.o.Store.ArtefactBody(ctx, ArtefactEmbedder, a.Version)
	if err != nil {
		return nil, nil, fmt.Errorf("read embedder %d: %w", a.Version, err)
	}
	texts, model, err := DecodeArtefact(body)
	if err != nil {
		return nil, nil, err
	}
	if a.Fingerprint == "" {
		return nil, nil, nil
	}
	name := makerOf(a)
	maker, ok := p.o.Makers[name]
	if !ok {
		return nil, nil, lectern.Errorf(lectern.CodeInvalid, "embedder %d was made by %q, which is not configured here", a.Version, name)
	}
	e, err := maker.Load(model)
	if err != nil {
		return nil, nil, fmt.Errorf("load embedder %d: %w", a.Version, err)
	}
	if e.Fingerprint() != a.Fingerprint {
		return nil, nil, lectern.Errorf(lectern.CodeInvalid, "embedder %d has the fingerprint %s instead of %s",
			a.Version, e.Fingerprint(), a.Fingerprint)
	}
	return e, texts, nil
}

// learned remembers what the newest model was trained on. One that was not
// trained here has learnt nothing, and nothing makes it outdated.
func (p *Pipeline) learned(a lectern.Artefact, texts []uint64) {
	set := make(map[uint64]struct{}, len(texts))
	for _, t := range texts {
		set[t] = struct{}{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trained, p.trains = set, p.o.Makers[makerOf(a)].Train != nil
}

// TrainEmbedder is the worker for lectern.TrainEmbedderJob.
func (p *Pipeline) TrainEmbedder(ctx context.Context, job lectern.TrainEmbedderJob) error {
	return p.train(ctx, job.Reason, p.o.Embedder, nil)
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

// prune drops old embedders, and the vectors of those that are gone. The version
// that was in use before stays whatever the configuration says: it is the way
// back, and other servers use it until they have looked. Killed reindexes may have
// left newer versions that never were in use, which must not take its place.
func (p *Pipeline) prune(ctx context.Context, before int64) error {
	all, err := p.o.Store.Artefacts(ctx, ArtefactEmbedder)
	if err != nil {
		return fmt.Errorf("list embedders: %w", err)
	}
	downToBefore := 0 // apart from the active one
	for _, a := range all {
		if a.Version >= before && !a.Active {
			downToBefore++
		}
	}
	keep := max(p.o.Config.KeepArtefacts-1, downToBefore)
	if _, err := p.o.Store.PruneArtefacts(ctx, ArtefactEmbedder, keep); err != nil {
		return fmt.Errorf("drop old embedders: %w", err)
	}
	left, err := p.o.Store.Artefacts(ctx, ArtefactEmbedder)
	if err != nil {
		return fmt.Errorf("list embedders: %w", err)
	}
	fingerprints := []string{p.gen.Load().Fingerprint()}
	for _, a := range left {
		fingerprints = append(fingerprints, a.Fingerprint)
	}
	if _, err := p.o.Store.PruneVectors(ctx, fingerprints); err != nil {
		return fmt.Errorf("drop vectors of old embedders: %w", err)
	}
	return p.pruneShared(ctx, left, before)
}

// pruneShared drops all shared indexes but the one in use, the one before and the
// newest others. The caller is the only one that makes indexes.
func (p *Pipeline) pruneShared(ctx context.Context, artefacts []lectern.Artefact, before int64) error {
	if p.o.Shared == nil {
		return nil
	}
	versions, err := p.o.Shared.Versions(ctx)
	if err != nil {
		return fmt.Errorf("list the shared indexes: %w", err)
	}
	active := p.gen.Load().Version
	kept := 1 // the active one
	if before != active && slices.Contains(versions, before) {
		kept++
	}
	var superfluous []int64
	for _, v := range slices.Backward(versions) {
		if v == active || v == before {
			continue
		}
		complete, err := p.complete(ctx, artefacts, v)
		if err != nil {
			return err
		}
		if complete && kept < p.o.Config.KeepIndexes {
			kept++
			continue
		}
		superfluous = append(superfluous, v)
	}
	if len(superfluous) == 0 {
		return nil
	}
	// Two switches in a row may have passed a server by between its looks.
	if err := sleep(ctx, unnoticed*p.o.Config.Check); err != nil {
		return err
	}
	for _, v := range superfluous {
		if err := p.dropShared(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// unnoticed times Config.Check is how long a server may go on searching an index
// after another process has switched from it.
const unnoticed = 2

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// complete reports whether a version of the shared index was once filled, with
// the vectors of an embedder that is still kept.
func (p *Pipeline) complete(ctx context.Context, artefacts []lectern.Artefact, version int64) (bool, error) {
	if !slices.ContainsFunc(artefacts, func(a lectern.Artefact) bool { return a.Version == version && a.Fingerprint != "" }) {
		return false, nil
	}
	_, filled, err := p.readPosition(ctx, version)
	return filled, err
}

// dropShared drops a version of the shared index and where it stood.
func (p *Pipeline) dropShared(ctx context.Context, version int64) error {
	if err := p.forgetPosition(ctx, version); err != nil {
		return err
	}
	if err := p.markFactors(ctx, version, 0); err != nil {
		return err
	}
	if err := p.o.Shared.Drop(ctx, version); err != nil {
		return fmt.Errorf("drop index %d: %w", version, err)
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
