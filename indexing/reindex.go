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
	metaBefore  = "before" // version in use when it was made
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
		before := p.gen.Load().Version
		start := p.o.Clock()
		progress.tell(StageMaking, 0, 0)
		c, err := p.make(ctx, reason, maker)
		if err != nil {
			return err
		}
		made := p.o.Clock()
		if err := p.putIntoService(ctx, c, progress); err != nil {
			return err
		}
		p.o.Logger.Info("indexing: switched to a new embedder", slog.String("reason", reason), slog.Int64("version", c.artefact.Version),
			slog.String("fingerprint", c.artefact.Fingerprint), slog.Duration("making", made.Sub(start)),
			slog.Duration("embedding", p.o.Clock().Sub(made)))
		return p.prune(ctx, before)
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

// candidate is a generation on its way into service.
type candidate struct {
	embedder lectern.Embedder
	artefact lectern.Artefact // Version is 0 until it is stored
	texts    []uint64         // keys of what it was trained on
	body     []byte
}

// store gives the candidate its version. That comes late, so that attempts that
// fail before do not push older generations out of those that are kept.
func (p *Pipeline) store(ctx context.Context, c *candidate) (err error) {
	if c.artefact.Version != 0 {
		return nil
	}
	if c.artefact.Version, err = p.o.Store.PutArtefact(ctx, c.artefact, c.body); err != nil {
		return fmt.Errorf("store the new embedder: %w", err)
	}
	return nil
}

// make makes an embedder.
func (p *Pipeline) make(ctx context.Context, reason, maker string) (*candidate, error) {
	m := p.o.Makers[maker]
	start := p.o.Clock()
	before := strconv.FormatInt(p.gen.Load().Version, 10)
	a := lectern.Artefact{Kind: ArtefactEmbedder, CreatedAt: start, Meta: map[string]string{metaMaker: maker, metaReason: reason, metaBefore: before}}
	c := &candidate{artefact: a}
	var model []byte
	var err error
	if m.Connect != nil {
		if c.embedder, model, err = m.Connect(ctx); err != nil {
			return nil, fmt.Errorf("connect the embedder: %w", err)
		}
	} else {
		var texts []string
		if texts, c.texts, err = p.texts(ctx); err != nil {
			return nil, err
		}
		if len(texts) == 0 {
			return nil, lectern.Errorf(lectern.CodeInvalid, "there is no course to learn from")
		}
		if c.embedder, model, err = m.Train(ctx, texts); err != nil {
			return nil, fmt.Errorf("train an embedder on %d courses: %w", len(texts), err)
		}
		a.Meta[metaCourses] = strconv.Itoa(len(texts))
	}
	c.body = EncodeArtefact(c.texts, model)
	c.artefact.Fingerprint = c.embedder.Fingerprint()
	a.Meta[metaDim] = strconv.Itoa(c.embedder.Dim())
	a.Meta[metaSeconds] = strconv.FormatFloat(p.o.Clock().Sub(start).Seconds(), 'f', 1, 64)
	return c, nil
}

// putIntoService embeds what has no vector under e yet, brings its index up to
// date, checks it and switches to it.
func (p *Pipeline) putIntoService(ctx context.Context, c *candidate, progress Progress) error {
	e := c.embedder
	p.setPending(e)
	defer p.setPending(nil)
	total, err := p.o.Store.CountCourses(ctx)
	if err != nil {
		return fmt.Errorf("count courses: %w", err)
	}
	if _, err := p.embedAll(ctx, e, total, progress.at(StageEmbedding)); err != nil {
		return err
	}
	fresh := c.artefact.Version == 0
	if err := p.store(ctx, c); err != nil {
		return err
	}
	if p.o.Shared != nil {
		if err := p.prepareShared(ctx, e, c.artefact.Version, progress); err != nil {
			if fresh { // one that is kept for a way back stays
				p.abandon(ctx, c.artefact.Version)
			}
			return err
		}
	}
	progress.tell(StageSwitching, total, total)
	return p.activate(ctx, c)
}

// activate makes a candidate the generation in use, here and by what the store says.
func (p *Pipeline) activate(ctx context.Context, c *candidate) error {
	if err := p.o.Store.ActivateArtefact(ctx, ArtefactEmbedder, c.artefact.Version); err != nil {
		return fmt.Errorf("activate generation %d: %w", c.artefact.Version, err)
	}
	p.learned(c.artefact, c.texts)
	return p.adopt(ctx, c.embedder, c.artefact.Version)
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

// abandon drops a shared index that did not come to be used. Where that fails too,
// the next reindex that succeeds does it.
func (p *Pipeline) abandon(ctx context.Context, version int64) {
	if p.gen.Load().Version == version {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer cancel()
	if err := p.dropShared(ctx, version); err != nil {
		p.o.Logger.Warn("indexing: an index that is not used stays for now", slog.Int64("version", version), slog.Any("err", err))
	}
}

const abandonTimeout = 5 * time.Second

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
		c := &candidate{
			artefact: lectern.Artefact{Kind: ArtefactEmbedder, CreatedAt: p.o.Clock(), Meta: map[string]string{metaReason: "words come first"}},
			body:     EncodeArtefact(nil, nil),
		}
		if p.o.Makers[p.o.Embedder].Connect != nil {
			made, err := p.make(ctx, "there is no embedder", p.o.Embedder)
			switch {
			case err == nil:
				c = made
			case p.o.Shared == nil || ctx.Err() != nil:
				return err
			default: // words can be searched without it
				p.o.Logger.Error("indexing: the embedder cannot be reached; beginning with words", slog.Any("err", err))
			}
		}
		if err := p.storeFirst(ctx, c); err != nil {
			return err
		}
		if p.o.Shared != nil {
			if err := p.prepareShared(ctx, c.embedder, c.artefact.Version, nil); err != nil {
				p.abandon(ctx, c.artefact.Version)
				return err
			}
		}
		return p.activate(ctx, c)
	})
}

// storeFirst stores the first candidate, or finds the one like it that an earlier
// attempt has stored.
func (p *Pipeline) storeFirst(ctx context.Context, c *candidate) error {
	earlier, err := p.o.Store.Artefacts(ctx, ArtefactEmbedder)
	if err != nil {
		return fmt.Errorf("list embedders: %w", err)
	}
	for _, a := range earlier {
		if a.Fingerprint == c.artefact.Fingerprint {
			c.artefact = a
			return nil
		}
	}
	return p.store(ctx, c)
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
	Before      int64 // version in use when it was made, 0 for none or unknown
	Indexed     bool  // its shared index is kept; without shared indexes, always true
}

// Generations lists what Switch can switch to, newest first.
func (p *Pipeline) Generations(ctx context.Context) ([]GenerationInfo, error) {
	artefacts, err := p.o.Store.Artefacts(ctx, ArtefactEmbedder)
	if err != nil {
		return nil, fmt.Errorf("list embedders: %w", err)
	}
	var there []int64
	if p.o.Shared != nil {
		if there, err = p.o.Shared.Versions(ctx); err != nil {
			return nil, fmt.Errorf("list the shared indexes: %w", err)
		}
	}
	out := make([]GenerationInfo, len(artefacts))
	for i, a := range artefacts {
		dim, _ := strconv.Atoi(a.Meta[metaDim])                   // absent for words
		before, _ := strconv.ParseInt(a.Meta[metaBefore], 10, 64) // absent for the first
		out[i] = GenerationInfo{
			Version: a.Version, Active: a.Active, Fingerprint: a.Fingerprint, Dim: dim,
			CreatedAt: a.CreatedAt, Reason: a.Meta[metaReason],
			Before: before, Indexed: p.o.Shared == nil,
		}
		if slices.Contains(there, a.Version) {
			if out[i].Indexed, err = p.complete(ctx, artefacts, a.Version); err != nil {
				return nil, err
			}
		}
		if a.Fingerprint != "" {
			out[i].Embedder = makerOf(a)
		}
	}
	return out, nil
}

// Previous returns the version that Switch goes back to: what the one in use
// replaced, or else the newest below it. Errors: CodeNotFound.
func (p *Pipeline) Previous(ctx context.Context) (int64, error) {
	all, err := p.Generations(ctx)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(all, func(g GenerationInfo) bool { return g.Active })
	if i >= 0 {
		for _, accept := range []func(g GenerationInfo) bool{
			func(g GenerationInfo) bool { return g.Version == all[i].Before },
			func(g GenerationInfo) bool { return g.Version < all[i].Version },
		} {
			if j := slices.IndexFunc(all, func(g GenerationInfo) bool { return g.Fingerprint != "" && accept(g) }); j >= 0 {
				return all[j].Version, nil
			}
		}
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
		e, texts, err := p.open(ctx, artefacts[i])
		if err != nil {
			return err
		}
		c := &candidate{embedder: e, artefact: artefacts[i], texts: texts}
		if err := p.putIntoService(ctx, c, progress); err != nil {
			return err
		}
		p.o.Logger.Info("indexing: switched to a generation kept from before", slog.Int64("version", version))
		return nil
	})
}
