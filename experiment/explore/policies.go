package explore

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
)

// Posteriors has what was learnt, by version. They are read only.
type Posteriors interface {
	// Current returns the newest version, from memory; nil and 0 while nothing has
	// been learnt.
	Current() (*bandit.Posterior, int64)
	// At returns a version. Errors: CodeNotFound when it is no longer kept.
	At(ctx context.Context, version int64) (*bandit.Posterior, error)
}

// models works posteriors out, each version once. Rewards count in their own standard
// deviation there: a record's Strength has what that is.
type models struct {
	from  Posteriors // nil: nothing is ever learnt
	prior *bandit.Model

	mu     sync.Mutex
	kept   map[int64]*bandit.Model
	oldest []int64
	said   int64 // newest version that cannot be used, which was said
}

// mostModels bounds the versions in memory: those of some minutes.
const mostModels = 32

func newModels(from Posteriors) (*models, error) {
	prior, err := bandit.NewPosterior(bandit.F1(), 1, 0).Model(1)
	return &models{from: from, prior: prior, kept: make(map[int64]*bandit.Model)}, err
}

// current is the newest version, if it fits the features of this build; else lists go
// on by the prior, as before anything was learnt. Then fell is not nil, and says why the
// first time that this version is met.
func (m *models) current() (model *bandit.Model, version int64, fell *fall) {
	if m.from == nil {
		return m.prior, 0, nil
	}
	p, version := m.from.Current()
	if p == nil || version == 0 {
		return m.prior, 0, nil
	}
	var err error
	if set := p.Set().Name; set != bandit.F1Name {
		err = lectern.Errorf(lectern.CodeInvalid, "it is of features %q, this version makes %q", set, bandit.F1Name)
	} else if model, err = m.work(version, p); err == nil {
		return model, version, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	first := m.said != version
	m.said = version
	return m.prior, 0, &fall{version, first, err}
}

// fall is why lists are explored by the prior though something was learnt.
type fall struct {
	version int64
	first   bool
	err     error
}

// at is a version; 0 is the prior.
func (m *models) at(ctx context.Context, version int64) (*bandit.Model, error) {
	if version == 0 {
		return m.prior, nil
	}
	m.mu.Lock()
	model := m.kept[version]
	m.mu.Unlock()
	if model != nil {
		return model, nil
	}
	if m.from == nil {
		return nil, lectern.Errorf(lectern.CodeNotFound, "the posterior %d is not kept", version)
	}
	p, err := m.from.At(ctx, version)
	if err != nil {
		return nil, err
	}
	return m.work(version, p)
}

func (m *models) work(version int64, p *bandit.Posterior) (*bandit.Model, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if model := m.kept[version]; model != nil {
		return model, nil
	}
	model, err := p.Model(1)
	if err != nil {
		return nil, err
	}
	if len(m.oldest) == mostModels {
		delete(m.kept, m.oldest[0])
		m.oldest = append(m.oldest[:0], m.oldest[1:]...)
	}
	m.kept[version], m.oldest = model, append(m.oldest, version)
	return model, nil
}

// strength is what a record says of how much a policy tries out. Nothing having been
// learnt, a prior of another precision than 1 is the same as other deviations.
func strength(cfg *Config, policy string, version int64) float64 {
	by := cfg.Learning.Noise
	if version == 0 {
		by /= math.Sqrt(cfg.Learning.Ridge)
	}
	switch policy {
	case PolicyThompson:
		return cfg.Spread * by
	case PolicyLinUCB:
		return cfg.Alpha * by
	case PolicyEpsilon:
		return cfg.Epsilon
	}
	return 0
}

// learned is a policy of package bandit, over the slots of a scene.
type learned struct {
	policy bandit.Policy
	scores bandit.Scores
	slots  []int // of the rows
	rows   []float64
}

// of returns the named policy. Errors: CodeInvalid for a name that is none.
func (l *learned) of(name string, strength float64) error {
	var err error
	l.policy, err = bandit.New(name, bandit.Params{Alpha: strength, Epsilon: strength, Spread: strength})
	return err
}

// look chooses the slots that can be chosen: the pool, and what may stand at an
// exploring place when its turn comes.
func (l *learned) look(s *scene) {
	l.slots = l.slots[:0]
	for i := range s.size {
		stands := i >= s.places[0] && i <= s.places[len(s.places)-1] && !s.fixed[i]
		if s.pool[i] || stands {
			l.slots = append(l.slots, i)
		}
	}
}

func (l *learned) draw(r *rand.Rand, scores []float64) {
	for i, x := range l.scores.Draw(r) {
		scores[l.slots[i]] = x
	}
}

func (l *learned) random() bool     { return !l.policy.Deterministic() }
func (l *learned) epsilon() float64 { return l.policy.Uniform() }
