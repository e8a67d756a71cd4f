package learner

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// Profiles reads learners' profiles and makes tastes of them. Both are kept in
// memory by learner, profile version and the embedder's fingerprint; the version
// is read from the store at every call, so that a list follows the learner's last
// event. It is safe for concurrent use.
type Profiles struct {
	store lectern.LearnerStore
	from  Sources
	cfg   Config
	clock lectern.Clock

	mu    sync.Mutex
	byRef map[lectern.LearnerRef]*list.Element // of *kept
	order *list.List                           // most recently used first
}

// kept is one learner in memory.
type kept struct {
	ref     lectern.LearnerRef
	profile lectern.Profile // folded
	lapses  time.Time       // when the first of its feedback does, zero for never
	study   study

	known       known
	fingerprint string // of the embedder that known was made with; "" without one
	at          time.Time
}

// NewProfiles returns a reader of what the store's profiles say by themselves.
// Errors: CodeInvalid naming the keys at fault.
func NewProfiles(store lectern.LearnerStore, cfg Config, clock lectern.Clock) (*Profiles, error) {
	return NewProfilesFrom(store, Sources{}, cfg, clock)
}

// NewProfilesFrom returns a reader that asks other sources too. Errors: CodeInvalid
// naming the keys at fault.
func NewProfilesFrom(store lectern.LearnerStore, from Sources, cfg Config, clock lectern.Clock) (*Profiles, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Profiles{
		store: store, from: from, cfg: cfg, clock: clock,
		byRef: make(map[lectern.LearnerRef]*list.Element), order: list.New(),
	}, nil
}

// Load returns a learner's profile, with their feedback folded in, and taste. index and embedder belong together;
// embedder may be nil. When one of the two does not answer, the taste is partial:
// the profile still says what was seen and what may be shown. Errors: CodeNotFound
// for a learner nobody knows, and those of the store.
func (p *Profiles) Load(
	ctx context.Context, ref lectern.LearnerRef, index lectern.VectorIndex, embedder lectern.Embedder,
) (lectern.Profile, Taste, error) {
	k, err := p.load(ctx, ref, index, embedder)
	return k.profile, k.known.taste, err
}

// load returns all that is known of a learner, from memory while nothing changed.
func (p *Profiles) load(
	ctx context.Context, ref lectern.LearnerRef, index lectern.VectorIndex, embedder lectern.Embedder,
) (kept, error) {
	version, err := p.store.ProfileVersion(ctx, ref)
	if err != nil {
		if lectern.ErrorCode(err) == lectern.CodeNotFound {
			p.Forget(ref)
		}
		return kept{}, fmt.Errorf("read a profile's version: %w", err)
	}
	fingerprint := ""
	if embedder != nil {
		fingerprint = embedder.Fingerprint()
	}
	now := p.clock()
	have, ok := p.lookup(ref)
	fresh := ok && have.profile.Version == version && now.Sub(have.at) < p.cfg.ttl(have.known) &&
		(have.lapses.IsZero() || now.Before(have.lapses))
	if fresh && have.fingerprint == fingerprint {
		return have, nil
	}
	next := kept{ref: ref, profile: have.profile, lapses: have.lapses, study: have.study, fingerprint: fingerprint, at: now}
	if !fresh {
		if next.profile, err = p.store.Profile(ctx, ref); err != nil {
			return kept{}, fmt.Errorf("read a profile: %w", err)
		}
		next.profile = p.cfg.Fold(next.profile, now)
		next.lapses = lapses(next.profile)
		next.study = p.readStudy(ctx, ref, next.profile.Learner)
	}
	next.known = p.know(ctx, next.profile, next.study, now, index, embedder)
	if !next.known.taste.Partial && !next.study.failed {
		p.keep(next)
	}
	return next, nil
}

// missingTTL is how long a taste is kept that lacks the vector of a course, which
// may be on its way.
const missingTTL = 5 * time.Second

func (c Config) ttl(k known) time.Duration {
	if k.missing {
		return min(missingTTL, c.CacheTTL)
	}
	return c.CacheTTL
}

func (p *Profiles) lookup(ref lectern.LearnerRef) (kept, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	el, ok := p.byRef[ref]
	if !ok {
		return kept{}, false
	}
	p.order.MoveToFront(el)
	return *el.Value.(*kept), true
}

func (p *Profiles) keep(k kept) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if el, ok := p.byRef[k.ref]; ok {
		el.Value = &k
		p.order.MoveToFront(el)
		return
	}
	p.byRef[k.ref] = p.order.PushFront(&k)
	for p.order.Len() > p.cfg.CacheSize {
		last := p.order.Back()
		delete(p.byRef, last.Value.(*kept).ref)
		p.order.Remove(last)
	}
}

// Forget drops what is kept of a learner in memory. Call it when one is erased.
func (p *Profiles) Forget(ref lectern.LearnerRef) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if el, ok := p.byRef[ref]; ok {
		delete(p.byRef, ref)
		p.order.Remove(el)
	}
}
