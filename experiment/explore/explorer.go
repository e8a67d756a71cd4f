package explore

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
)

// Settings gives what is in use, under the name that lists cite. It may be another one
// for every request; read only.
type Settings interface {
	Current() (cfg *Config, name string)
}

// Fixed is settings that never change.
type Fixed struct {
	Config Config
	Name   string
}

// Current returns them.
func (f Fixed) Current() (*Config, string) { return &f.Config, f.Name }

// Deps are what an Explorer works with.
type Deps struct {
	Settings   Settings
	Posteriors Posteriors // nil: nothing is learnt
	Counts     *Counts    // nil: those of this process alone
	Followed   bool       // a Follower adds what the log of lists has to Counts
	Secret     []byte     // the same on every replica
	Logger     *slog.Logger
}

// Explorer fills the places of lists that explore, and says with which probability. It
// is safe for concurrent use.
type Explorer struct {
	Deps
	lots   lots
	models *models
	meter  *meter
	rooms  sync.Pool // of *room
}

var _ lectern.Explorer = (*Explorer)(nil)

// New returns an explorer.
func New(deps Deps) (*Explorer, error) {
	m, err := newModels(deps.Posteriors)
	if err != nil {
		return nil, err
	}
	if deps.Counts == nil {
		deps.Counts = NewCounts()
	}
	e := &Explorer{Deps: deps, lots: newLots(deps.Secret), models: m, meter: newMeter()}
	e.rooms.New = func() any { return new(room) }
	return e, nil
}

// room is memory for one list, used again.
type room struct {
	setting setting
	filler  filler
	learned learned
	dice    dice
	list    list   // as it stood, and then with some choices made
	moved   []bool // beside the places
	fresh   []string
}

// Explore fills the exploring places of a list; see lectern.Explorer.
func (e *Explorer) Explore(req *lectern.ExploreRequest) ([]int, *lectern.Exploration) {
	cfg, name := e.Settings.Current()
	room := e.rooms.Get().(*room)
	defer e.rooms.Put(room)
	seed, most, why := e.admits(cfg, req)
	if why != "" {
		e.meter.skip(why)
		return nil, nil
	}
	t := &room.setting
	t.cfg, t.req, t.counts = cfg, req, e.Counts
	defer func() { t.cfg, t.req, t.counts = nil, nil, nil }()
	if !t.lay(most) {
		e.meter.skip(skipPool)
		return nil, nil
	}
	policy := cfg.Policy
	if req.Policy != "" {
		policy = req.Policy
	}
	p, version, err := e.policy(room, cfg, policy)
	if err != nil {
		e.meter.skip(skipPolicy)
		e.Logger.Warn("a list does not explore: its policy is not known", "policy", policy, "error", err)
		return nil, nil
	}
	l, by := room.filler.fill(&t.scene, p, room.dice.source(seed, streamFill), make([]string, 0, len(t.places)))
	x := recordOf(t, l)
	x.Policy, x.Settings, x.Posterior, x.Seed, x.By = policy, name, version, seed, by
	x.Features, x.Strength = bandit.F1Name, strength(cfg, policy, version)
	e.count(room, x, l)
	order := make([]int, len(req.Items))
	for at := range order {
		order[at] = at
	}
	for at, slot := range l {
		order[at] = int(slot)
	}
	return order, x
}

// The reasons for which a list does not explore.
const (
	skipOff     = "off"
	skipNobody  = "nobody"
	skipDenied  = "not_allowed"
	skipSurface = "surface"
	skipShare   = "share"
	skipCap     = "learner_cap"
	skipPool    = "nothing_to_try"
	skipPolicy  = "unknown_policy"
	skipCount   = "counting" // what others showed today is not known yet
)

// admits decides whether a list explores, with which seed and at how many places at
// most.
func (e *Explorer) admits(cfg *Config, req *lectern.ExploreRequest) (seed uint64, most int, why string) {
	if why := protects(cfg, req.Learner, req.Allowed); why != "" {
		return 0, 0, why
	}
	switch {
	case len(cfg.Places.of(req.Surface, req.Row)) == 0:
		return 0, 0, skipSurface
	case e.Counts.counting():
		return 0, 0, skipCount
	case !e.shares(cfg, req.Learner):
		return 0, 0, skipShare
	}
	seed = e.lots.seed(req)
	if most = e.Counts.left(seed, cfg.Caps.PerLearner, req.At); most == 0 {
		return 0, 0, skipCap
	}
	return seed, most, ""
}

// protects says why nothing is tried out on somebody, whatever the list; "" for nothing.
func protects(cfg *Config, ref lectern.LearnerRef, allowed bool) string {
	switch {
	case !cfg.Enabled:
		return skipOff
	case ref.IsZero():
		return skipNobody
	case !allowed:
		return skipDenied
	}
	return ""
}

// shares reports whether somebody is among those whose lists explore.
func (e *Explorer) shares(cfg *Config, ref lectern.LearnerRef) bool {
	return cfg.Share >= 1 || e.lots.taken(ref) < cfg.Share
}

// Tries reports whether anything may be tried out on somebody at all, on whichever
// surface. allowed is ExploreRequest.Allowed.
func (e *Explorer) Tries(ref lectern.LearnerRef, allowed bool) bool {
	cfg, _ := e.Settings.Current()
	return protects(cfg, ref, allowed) == "" && e.shares(cfg, ref)
}

// policy readies a policy for the list in a room.
func (e *Explorer) policy(room *room, cfg *Config, name string) (policy, int64, error) {
	if name == PolicyNone {
		return keep{}, 0, nil
	}
	model, version, fell := e.models.current()
	if fell != nil {
		e.meter.fellBack()
		if fell.first {
			e.Logger.Warn("lists explore by the prior: the newest posterior cannot be used", "version", fell.version, "error", fell.err)
		}
	}
	l := &room.learned
	if err := l.of(name, strength(cfg, name, version)); err != nil {
		return nil, 0, err
	}
	l.look(&room.setting.scene)
	l.rows = bandit.RequestRows(l.rows, room.setting.req, l.slots)
	l.policy.Prepare(&l.scores, model, l.rows)
	return l, version, nil
}

// count notes what the first page shows that would not have stood there.
func (e *Explorer) count(room *room, x *lectern.Exploration, l list) {
	t := &room.setting
	room.list, room.moved = t.scene.moved(l, room.list, room.moved)
	e.meter.explored(x.By, room.moved)
	room.fresh = room.fresh[:0]
	for at := range min(t.req.Served, len(t.req.Items)) {
		i := at
		if at < len(l) {
			i = int(l[at])
		}
		if it := &t.req.Items[i]; it.Age >= 0 && it.Age <= float64(t.cfg.NewCourses.Days) {
			room.fresh = append(room.fresh, it.CourseID)
		}
	}
	c := e.Counts
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, place := range x.Places {
		if room.moved[i] && place < t.req.Served {
			it := &t.req.Items[l[place]]
			c.triedLocked(x.Seed, it.CourseID, it.Provider, t.req.At)
		}
	}
	c.showLocked(room.fresh)
	clear(room.fresh)
	if e.Followed {
		c.madeLocked(x.Seed, t.req.At)
	}
}

// moved says, beside the exploring places, whether another course was put there than
// the one that stood there when its turn came. It works in the room of two slices,
// which it returns.
func (s *scene) moved(actual, l list, out []bool) (list, []bool) {
	l, out = s.begin(l), cleared(out, len(s.places))
	for i, place := range s.places {
		if l[place] == actual[place] {
			continue
		}
		out[i] = true
		if from := slices.Index(l, actual[place]); from >= 0 {
			s.put(l, from, place)
		}
	}
	return l, out
}

// Finish sets the propensities of a recorded list; see lectern.Explorer. The items and
// the exploration of r are replaced, not changed: others may hold them.
func (e *Explorer) Finish(ctx context.Context, r *lectern.Ranking) error {
	if r.Exploration == nil {
		return nil
	}
	began := time.Now() // a duration is a measurement, not a part of the list
	cells, draws, err := e.cells(ctx, r, r.Exploration.Draws, mostVisits)
	e.meter.finished(time.Since(began), err)
	if err != nil {
		return err
	}
	x := *r.Exploration
	x.Draws = draws
	r.Exploration, r.Items = &x, slices.Clone(r.Items)
	for at, c := range cells {
		r.Items[at].Propensity, r.Items[at].PropensityError = c.chance, c.error
	}
	return nil
}

// cells finds the probabilities of the places of a recorded list.
func (e *Explorer) cells(ctx context.Context, r *lectern.Ranking, draws, visits int) ([]cell, int, error) {
	s, actual, err := sceneOf(r)
	if err != nil {
		return nil, 0, err
	}
	p, err := e.recorded(ctx, r, s)
	if err != nil {
		return nil, 0, err
	}
	if l, ok := p.(*learned); ok {
		l.scores.Many()
	}
	if draws < leastDraws {
		draws = leastDraws
	}
	cells, used := chancesWithin(visits, s, p, actual, draws, source(r.Exploration.Seed, streamChance))
	return cells, used, nil
}

// recorded readies the policy that a list was made by.
func (e *Explorer) recorded(ctx context.Context, r *lectern.Ranking, s *scene) (policy, error) {
	x := r.Exploration
	if x.Policy == PolicyNone {
		return keep{}, nil
	}
	if set := bandit.F1Name; x.Features != set {
		return nil, lectern.Errorf(lectern.CodeInvalid, "the list %s was made with features %q, this version makes %q", r.ID, x.Features, set)
	}
	model, err := e.models.at(ctx, x.Posterior)
	if err != nil {
		return nil, err
	}
	l := &learned{}
	if err := l.of(x.Policy, x.Strength); err != nil {
		return nil, err
	}
	l.look(s)
	l.rows = bandit.PoolRows(nil, r, l.slots)
	l.policy.Prepare(&l.scores, model, l.rows)
	return l, nil
}

// SettingsName names the settings in use.
func (e *Explorer) SettingsName() string {
	_, name := e.Settings.Current()
	return name
}
