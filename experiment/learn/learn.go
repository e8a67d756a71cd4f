package learn

import (
	"context"
	"log/slog"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/experiment/explore"
)

// items of a list that are read: nobody looks further down.
const items = 200

// Store is what a learner reads and writes.
type Store interface {
	lectern.OutcomeLog
	lectern.LearningStore
	lectern.PosteriorStore
}

// Settings gives the settings of exploration that are in use, under their name.
type Settings interface {
	Current() (cfg *explore.Config, name string)
}

// Options are what a learner is made of.
type Options struct {
	Store    Store
	Settings Settings
	Switch   Switch      // nil: guardrails stop nothing
	Leads    func() bool // whether this process is the one that learns; nil: it is
	Clock    lectern.Clock
	Log      *slog.Logger
	Meters   Meters // nil: nobody counts
}

// Meters is told what is learnt, as it is stored.
type Meters interface {
	// Learnt tells of credits that were stored, and how old the last event was by then.
	Learnt(credits []lectern.Credit, lag time.Duration)
	// Published tells of a new version of the posterior.
	Published(version int64)
	// Tripped tells that a guardrail stopped exploration.
	Tripped(guardrail string, surface lectern.Surface)
}

// Learner learns from the log of events, one step after the other. Of several that
// take the same step one succeeds.
type Learner struct {
	Options
	cfg Config

	rebuilding rebuilding
}

// New returns a learner.
func New(o Options, cfg Config) (*Learner, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if o.Leads == nil {
		o.Leads = func() bool { return true }
	}
	if o.Meters == nil {
		o.Meters = silent{}
	}
	return &Learner{Options: o, cfg: cfg}, nil
}

type silent struct{}

func (silent) Learnt([]lectern.Credit, time.Duration) {}
func (silent) Published(int64)                        {}
func (silent) Tripped(string, lectern.Surface)        {}

// Run learns while this process leads, and watches the guardrails, until ctx ends.
func (l *Learner) Run(ctx context.Context) error {
	tick, look := time.NewTicker(l.cfg.Poll), time.NewTicker(l.cfg.Guard)
	defer tick.Stop()
	defer look.Stop()
	due := true
	watch := func() { // between steps too: while there is much to learn, harm goes on
		select {
		case <-look.C:
			due = true
		default:
		}
		if !due {
			return
		}
		due = false
		if _, err := l.Guard(ctx); err != nil && ctx.Err() == nil {
			l.Log.Warn("cannot look at the guardrails of exploration", slog.Any("err", err))
		}
	}
	for {
		if l.Leads() {
			l.catchUp(ctx, watch)
			watch()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-look.C:
			due = true
		}
	}
}

// catchUp takes steps while there is something to learn, and calls watch after each.
func (l *Learner) catchUp(ctx context.Context, watch func()) {
	for ctx.Err() == nil && l.Leads() {
		moved, err := l.Step(ctx)
		switch {
		case err == nil && moved:
			watch()
			continue
		case err == nil, ctx.Err() != nil:
		case lectern.ErrorCode(err) == lectern.CodePrecondition:
			l.Log.Info("another process learns", slog.Any("err", err))
		default:
			l.Log.Warn("cannot learn from the log of events", slog.Any("err", err))
		}
		return
	}
}

// Step learns from the next events of the log, and reports whether there were any. The
// posterior is published where it is due. Errors: CodePrecondition where another process
// has taken the same step: nothing of this one is stored.
func (l *Learner) Step(ctx context.Context) (moved bool, err error) {
	state, err := l.begun(ctx)
	if err != nil {
		return false, err
	}
	cfg, _ := l.Settings.Current()
	moved, _, err = l.advance(ctx, state, cfg, l.due)
	if lectern.ErrorCode(err) == lectern.CodeRefused {
		l.Log.Info("what was learnt is of another build: learning everything anew", slog.Any("err", err))
		return true, l.Rebuild(ctx, nil)
	}
	return moved, err
}

// begun is the state of the run in use, which begins where there is none.
func (l *Learner) begun(ctx context.Context) (lectern.LearningState, error) {
	state, err := l.Store.Learning(ctx, 0)
	if lectern.ErrorCode(err) != lectern.CodeNotFound {
		return state, err
	}
	if _, err = l.Store.StartLearning(ctx, l.Clock()); err != nil {
		return state, err
	}
	return l.Store.Learning(ctx, 0)
}

// due reports whether a posterior that has changed is to be published.
func (l *Learner) due(ctx context.Context) (bool, error) {
	newest, err := l.Store.Posteriors(ctx, 1)
	if err != nil || len(newest) == 0 {
		return err == nil, err
	}
	return l.Clock().Sub(newest[0].CreatedAt) >= l.cfg.Publish, nil
}

// advance takes the next step of a run, and returns the state after it. It asks publish
// where there is something to publish.
func (l *Learner) advance(ctx context.Context, state lectern.LearningState, cfg *explore.Config, publish func(context.Context) (bool, error)) (
	moved bool, next lectern.LearningState, err error) {
	posterior, err := decode(state, cfg)
	if err != nil {
		return false, state, err
	}
	outcomes, position, err := l.Store.ScanOutcomes(ctx, state.Position, l.cfg.Batch, longest(cfg.Rewards), items)
	if err != nil {
		return false, state, err
	}
	if outcomes, position = l.settled(outcomes, position); len(outcomes) == 0 {
		position = state.Position
	}
	book := &ledger{rewards: cfg.Rewards, posterior: posterior}
	if book.counted, err = l.counted(ctx, state.Run, outcomes); err != nil {
		return false, state, err
	}
	for i := range outcomes {
		book.add(&outcomes[i])
	}
	step := lectern.LearningStep{
		Run: state.Run, Revision: state.Revision, Position: position, Credits: book.credits,
		Features: posterior.Set().Name, Posterior: posterior.Encode(), At: l.Clock(),
	}
	if len(book.credits) > 0 || state.Published == 0 {
		if step.Publish, err = l.publishes(ctx, posterior, publish); err != nil {
			return false, state, err
		}
	}
	if len(outcomes) == 0 && !step.Publish {
		return false, state, nil
	}
	version, err := l.Store.ApplyLearning(ctx, step)
	if err != nil {
		return false, state, err
	}
	l.tell(outcomes, book.credits, version)
	state.Position, state.Revision, state.Features, state.Posterior = position, state.Revision+1, step.Features, step.Posterior
	if len(book.credits) > 0 || step.Publish {
		state.Published = version
	}
	return len(outcomes) > 0, state, nil
}

// settled leaves out outcomes from the first one on whose event cites a list that may yet
// be stored: lists are stored a moment after they were answered with, and whoever clicks
// at once is faster. What was passed by would never count.
func (l *Learner) settled(outcomes []lectern.Outcome, position int64) ([]lectern.Outcome, int64) {
	now := l.Clock()
	for i := range outcomes {
		e := &outcomes[i].Event
		if e.RankingID == "" || outcomes[i].Direct || now.Sub(e.ReceivedAt).Abs() >= l.cfg.Settle {
			continue
		}
		if i > 0 {
			position = outcomes[i-1].Seq
		}
		return outcomes[:i], position
	}
	return outcomes, position
}

// publishes asks publish, except about a posterior that has learnt nothing while there
// is no other one to be replaced.
func (l *Learner) publishes(ctx context.Context, p *bandit.Posterior, publish func(context.Context) (bool, error)) (bool, error) {
	if p.Impressions() == 0 {
		if others, err := l.Store.Posteriors(ctx, 1); err != nil || len(others) == 0 {
			return false, err
		}
	}
	return publish(ctx)
}

func (l *Learner) tell(outcomes []lectern.Outcome, credits []lectern.Credit, version int64) {
	if n := len(outcomes); n > 0 {
		l.Meters.Learnt(credits, max(0, l.Clock().Sub(outcomes[n-1].Event.ReceivedAt)))
	}
	if version > 0 {
		l.Meters.Published(version)
		l.Log.Debug("posterior published", slog.Int64("version", version))
	}
}

// decode reads the posterior of a state, with what the settings say of it. Errors:
// CodeRefused for one of other features than this build's.
func decode(state lectern.LearningState, cfg *explore.Config) (*bandit.Posterior, error) {
	halfLife := days(cfg.Learning.HalfLifeDays)
	if state.Features == "" {
		return bandit.NewPosterior(bandit.F1(), cfg.Learning.Ridge, halfLife), nil
	}
	p, err := bandit.Decode(state.Posterior, bandit.F1())
	if err != nil {
		return nil, err
	}
	p.Tune(cfg.Learning.Ridge, halfLife)
	return p, nil
}

// counted returns what of the lists of outcomes has counted in a run.
func (l *Learner) counted(ctx context.Context, run int64, outcomes []lectern.Outcome) (map[credited]bool, error) {
	var ids []string
	for i := range outcomes {
		if _, ok := teaches(&outcomes[i]); ok {
			ids = append(ids, outcomes[i].List.ID)
		}
	}
	rewards, err := l.Store.Rewards(ctx, run, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[credited]bool, len(rewards))
	for _, r := range rewards {
		out[credited{r.RankingID, r.CourseID, r.Name}] = true
	}
	return out, nil
}
