package indexing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/lease"
)

// LeaseReindex is the lease under which one process at a time makes or switches
// generations.
const LeaseReindex = "reindex"

// Keys of an embedder artefact's Meta.
const (
	metaMaker   = "embedder" // name of the maker
	metaDim     = "dim"
	metaCourses = "courses"
	metaReason  = "reason"
	metaSeconds = "seconds"
)

// Stage says what a reindex is at.
type Stage string

// The stages of a reindex, in order.
const (
	StageMaking    Stage = "training" // or connecting
	StageEmbedding Stage = "embedding"
	StageFilling   Stage = "filling" // a new shared index
	StageChecking  Stage = "checking"
	StageSwitching Stage = "switching"
)

// Progress is told how far a reindex is; done and total count courses.
type Progress func(stage Stage, done, total int)

func (f Progress) tell(stage Stage, done, total int) {
	if f != nil {
		f(stage, done, total)
	}
}

func (f Progress) at(stage Stage) func(done, total int) {
	return func(done, total int) { f.tell(stage, done, total) }
}

// Reindex makes a new embedder with the named maker ("" for the configured one),
// embeds every course and review with it, fills a new index beside the one in
// use, checks it and switches to it. Requests go on being answered, and writes
// are in the new index too. It works whether Run does or not. Errors: CodeInvalid
// for an unknown maker, or an empty catalogue to learn from; CodeConflict while
// another process is at it.
func (p *Pipeline) Reindex(ctx context.Context, maker string, progress Progress) error {
	if maker == "" {
		maker = p.o.Embedder
	}
	return p.train(ctx, "asked for", maker, progress)
}

// exclusively runs f while no other process makes or switches generations.
func (p *Pipeline) exclusively(ctx context.Context, f func(context.Context) error) error {
	p.training.Lock()
	defer p.training.Unlock()
	p.update(func(s *state) { s.training = true })
	defer p.update(func(s *state) { s.training = false })
	err := lease.Hold(ctx, p.o.Store, LeaseReindex, p.holder, p.o.Logger, f)
	if errors.Is(err, lease.ErrHeld) {
		return lectern.Errorf(lectern.CodeConflict, "another process is reindexing at the moment")
	}
	return err
}

// train makes a new embedder and switches to it once every course has its vector.
func (p *Pipeline) train(ctx context.Context, reason, maker string, progress Progress) error {
	if _, ok := p.o.Makers[maker]; !ok {
		return lectern.Invalid("there is no such embedder",
			lectern.NewFieldError("embedder", maker, "is not configured", strings.Join(p.makers(), ", ")))
	}
	return p.exclusively(ctx, func(ctx context.Context) error {
		if err := p.Load(ctx); err != nil {
			return err
		}
		start := p.o.Clock()
		progress.tell(StageMaking, 0, 0)
		e, a, err := p.make(ctx, reason, maker)
		if err != nil {
			return err
		}
		made := p.o.Clock()
		if err := p.putIntoService(ctx, e, a, progress); err != nil {
			return err
		}
		p.o.Logger.Info("indexing: switched to a new embedder", slog.String("reason", reason), slog.Int64("version", a.Version),
			slog.String("fingerprint", a.Fingerprint), slog.Duration("making", made.Sub(start)),
			slog.Duration("embedding", p.o.Clock().Sub(made)))
		return p.prune(ctx)
	})
}

func (p *Pipeline) makers() []string {
	var names []string
	for name := range p.o.Makers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// make makes an embedder and stores it as an artefact that is not active yet.
func (p *Pipeline) make(ctx context.Context, reason, maker string) (lectern.Embedder, lectern.Artefact, error) {
	m := p.o.Makers[maker]
	start := p.o.Clock()
	a := lectern.Artefact{Kind: ArtefactEmbedder, CreatedAt: start, Meta: map[string]string{metaMaker: maker, metaReason: reason}}
	var e lectern.Embedder
	var keys []uint64
	var model []byte
	var err error
	if m.Connect != nil {
		if e, model, err = m.Connect(ctx); err != nil {
			return nil, a, fmt.Errorf("connect the embedder: %w", err)
		}
	} else {
		var texts []string
		if texts, keys, err = p.texts(ctx); err != nil {
			return nil, a, err
		}
		if len(texts) == 0 {
			return nil, a, lectern.Errorf(lectern.CodeInvalid, "there is no course to learn from")
		}
		if e, model, err = m.Train(ctx, texts); err != nil {
			return nil, a, fmt.Errorf("train an embedder on %d courses: %w", len(texts), err)
		}
		a.Meta[metaCourses] = strconv.Itoa(len(texts))
	}
	a.Fingerprint = e.Fingerprint()
	a.Meta[metaDim] = strconv.Itoa(e.Dim())
	a.Meta[metaSeconds] = strconv.FormatFloat(p.o.Clock().Sub(start).Seconds(), 'f', 1, 64)
	if a.Version, err = p.o.Store.PutArtefact(ctx, a, EncodeArtefact(keys, model)); err != nil {
		return nil, a, fmt.Errorf("store the new embedder: %w", err)
	}
	return e, a, nil
}

// putIntoService embeds what has no vector under e yet, brings its index up to
// date, checks it and switches to it.
func (p *Pipeline) putIntoService(ctx context.Context, e lectern.Embedder, a lectern.Artefact, progress Progress) error {
	p.setPending(e)
	defer p.setPending(nil)
	total, err := p.o.Store.CountCourses(ctx)
	if err != nil {
		return fmt.Errorf("count courses: %w", err)
	}
	if _, err := p.embedAll(ctx, e, total, progress.at(StageEmbedding)); err != nil {
		return err
	}
	if p.o.Shared != nil {
		if err := p.prepareShared(ctx, e, a.Version, progress); err != nil {
			return err
		}
	}
	progress.tell(StageSwitching, total, total)
	if err := p.o.Store.ActivateArtefact(ctx, ArtefactEmbedder, a.Version); err != nil {
		return fmt.Errorf("activate the new embedder: %w", err)
	}
	_, keys, err := p.artefactKeys(ctx, a.Version)
	if err != nil {
		return err
	}
	p.learned(a, keys)
	return p.adopt(ctx, e, a.Version)
}

func (p *Pipeline) artefactKeys(ctx context.Context, version int64) ([]byte, []uint64, error) {
	body, err := p.o.Store.ArtefactBody(ctx, ArtefactEmbedder, version)
	if err != nil {
		return nil, nil, fmt.Errorf("read embedder %d: %w", version, err)
	}
	keys, model, err := DecodeArtefact(body)
	return model, keys, err
}

// prepareShared brings the shared index of a generation that is not in use yet
// level with the store, checks it, and points the aliases to it. What changes
// from then on is the leader's to write.
func (p *Pipeline) prepareShared(ctx context.Context, e lectern.Embedder, version int64, progress Progress) error {
	w, err := p.openWriter(ctx, &Generation{Embedder: e, Version: version}, progress.at(StageFilling))
	if err != nil {
		return err
	}
	if err := p.level(ctx, w); err != nil {
		return err
	}
	total := w.line.size()
	progress.tell(StageChecking, total, total)
	if err := p.checkShared(ctx, w); err != nil {
		return err
	}
	return p.pointAliases(ctx, version)
}

func (p *Pipeline) setPending(e lectern.Embedder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = e
}

// found makes the first generation of all: with an embedder that need not learn,
// which fills in vectors as they are made, or, for a shared index, of words.
func (p *Pipeline) found(ctx context.Context) error {
	return p.exclusively(ctx, func(ctx context.Context) error {
		switch _, err := p.o.Store.ActiveArtefact(ctx, ArtefactEmbedder); {
		case err == nil:
			return nil // another process was faster
		case lectern.ErrorCode(err) != lectern.CodeNotFound:
			return fmt.Errorf("find the active embedder: %w", err)
		}
		var e lectern.Embedder
		a := lectern.Artefact{Kind: ArtefactEmbedder, CreatedAt: p.o.Clock(), Meta: map[string]string{metaReason: "words come first"}}
		if p.o.Makers[p.o.Embedder].Connect != nil {
			made, artefact, err := p.make(ctx, "there is no embedder", p.o.Embedder)
			switch {
			case err == nil:
				e, a = made, artefact
			case p.o.Shared == nil || ctx.Err() != nil:
				return err
			default: // words can be searched without it
				p.o.Logger.Error("indexing: the embedder cannot be reached; beginning with words", slog.Any("err", err))
			}
		}
		var err error
		if e == nil {
			if a.Version, err = p.o.Store.PutArtefact(ctx, a, EncodeArtefact(nil, nil)); err != nil {
				return fmt.Errorf("store the first generation: %w", err)
			}
		}
		if p.o.Shared != nil {
			if err := p.prepareShared(ctx, e, a.Version, nil); err != nil {
				return err
			}
		}
		if err := p.o.Store.ActivateArtefact(ctx, ArtefactEmbedder, a.Version); err != nil {
			return fmt.Errorf("activate the first generation: %w", err)
		}
		p.learned(a, nil)
		return p.adopt(ctx, e, a.Version)
	})
}

// makerOf names the maker of an artefact.
func makerOf(a lectern.Artefact) string {
	if name := a.Meta[metaMaker]; name != "" {
		return name
	}
	return DefaultMaker
}

// GenerationInfo describes a generation that there is a way to.
type GenerationInfo struct {
	Version     int64
	Active      bool
	Embedder    string // name of its maker, "" for words only
	Fingerprint string
	Dim         int
	CreatedAt   time.Time
	Reason      string
	Indexed     bool // its shared index is kept; without shared indexes, always true
}

// Generations lists what Switch can switch to, newest first.
func (p *Pipeline) Generations(ctx context.Context) ([]GenerationInfo, error) {
	artefacts, err := p.o.Store.Artefacts(ctx, ArtefactEmbedder)
	if err != nil {
		return nil, fmt.Errorf("list embedders: %w", err)
	}
	var indexed []int64
	if p.o.Shared != nil {
		if indexed, err = p.o.Shared.Versions(ctx); err != nil {
			return nil, fmt.Errorf("list the shared indexes: %w", err)
		}
	}
	out := make([]GenerationInfo, len(artefacts))
	for i, a := range artefacts {
		dim, _ := strconv.Atoi(a.Meta[metaDim]) // absent for words
		out[i] = GenerationInfo{
			Version: a.Version, Active: a.Active, Fingerprint: a.Fingerprint, Dim: dim,
			CreatedAt: a.CreatedAt, Reason: a.Meta[metaReason],
			Indexed: p.o.Shared == nil || slices.Contains(indexed, a.Version),
		}
		if a.Fingerprint != "" {
			out[i].Embedder = makerOf(a)
		}
	}
	return out, nil
}

// Previous returns the version that Switch goes back to: the newest below the one
// in use. Errors: CodeNotFound.
func (p *Pipeline) Previous(ctx context.Context) (int64, error) {
	all, err := p.Generations(ctx)
	if err != nil {
		return 0, err
	}
	seen := false
	for _, g := range all {
		if seen && g.Fingerprint != "" {
			return g.Version, nil
		}
		seen = seen || g.Active
	}
	return 0, lectern.Errorf(lectern.CodeNotFound, "there is no older generation to go back to")
}

// Switch brings a generation that was in use before up to date, with what has
// changed since, and puts it into service. Errors: CodeNotFound; CodeConflict.
func (p *Pipeline) Switch(ctx context.Context, version int64, progress Progress) error {
	return p.exclusively(ctx, func(ctx context.Context) error {
		if err := p.Load(ctx); err != nil {
			return err
		}
		artefacts, err := p.o.Store.Artefacts(ctx, ArtefactEmbedder)
		if err != nil {
			return fmt.Errorf("list embedders: %w", err)
		}
		i := slices.IndexFunc(artefacts, func(a lectern.Artefact) bool { return a.Version == version })
		if i < 0 || artefacts[i].Fingerprint == "" {
			return lectern.Errorf(lectern.CodeNotFound, "there is no generation %d to switch to", version)
		}
		progress.tell(StageMaking, 0, 0)
		e, _, err := p.open(ctx, artefacts[i])
		if err != nil {
			return err
		}
		if err := p.putIntoService(ctx, e, artefacts[i], progress); err != nil {
			return err
		}
		p.o.Logger.Info("indexing: switched to a generation kept from before", slog.Int64("version", version))
		return nil
	})
}
