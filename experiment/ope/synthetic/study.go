package synthetic

import (
	"context"
	"math"
	"runtime"
	"sync"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/experiment/ope"
	"github.com/lectern-dev/lectern/rerank"
)

// Target is something that a log is asked about, and the way to run it.
type Target struct {
	Name    string
	Request ope.Request
	Serving Serving
}

// Logging is how the lists of the log are made.
func Logging() Serving {
	return Serving{Settings: Settings(), Explore: Exploring(), Posterior: 2}
}

// Targets are ten that such a log tells of, and three that it does not.
func Targets() (told, untold []Target) {
	policy := func(name string, posterior int64) Target {
		t := Target{Name: name, Serving: Logging(), Request: ope.Request{Policy: name, Posterior: posterior}}
		t.Serving.Explore.Policy = name
		if name == ope.PolicyUniform {
			t.Serving.Explore.Policy, t.Serving.Explore.Floor = explore.PolicyNone, 1
		}
		if posterior > 0 {
			t.Name += " of another posterior"
			t.Serving.Posterior = posterior
		}
		return t
	}
	draft := func(name string, explores bool, change func(w *rerank.TermWeights)) Target {
		cfg := Settings()
		change(&cfg.Weights.Home)
		t := Target{Name: name, Serving: Logging(), Request: ope.Request{Settings: &cfg, SettingsName: "draft", Explore: &explores}}
		t.Serving.Settings, t.Serving.Plain = cfg, !explores
		return t
	}
	told = []Target{
		policy(explore.PolicyNone, 0), policy(ope.PolicyUniform, 0), policy(explore.PolicyEpsilon, 0), policy(explore.PolicyLinUCB, 0),
		policy(explore.PolicyEpsilon, 1), policy(explore.PolicyLinUCB, 1), policy(explore.PolicyThompson, 1),
		draft("no exploration", false, func(*rerank.TermWeights) {}),
		draft("draft: a little more quality", true, func(w *rerank.TermWeights) { w.Quality += 0.003 }),
		draft("draft: a little less popularity", true, func(w *rerank.TermWeights) { w.Popularity -= 0.003 }),
	}
	untold = []Target{
		draft("draft: much more quality", true, func(w *rerank.TermWeights) { w.Quality += 0.5 }),
		draft("draft: popularity alone", false, func(w *rerank.TermWeights) { *w = rerank.TermWeights{Popularity: 1} }),
		draft("draft: the order turned around", true, func(w *rerank.TermWeights) { *w = rerank.TermWeights{Novelty: 1, Freshness: 1} }),
	}
	return told, untold
}

// Study asks many logs about targets whose truth is known.
type Study struct {
	Repetitions int
	People      int
	PerPerson   int
	TruthPeople int
	Draws       int // resamples behind an interval
	Seed        uint64
	Model       string
	Config      ope.Config
	Targets     []Target // nil: all of Targets
}

// DefaultStudy is what the documentation tells of.
func DefaultStudy() Study {
	c := ope.DefaultConfig()
	return Study{Repetitions: 200, People: 400, PerPerson: 4, TruthPeople: 60_000, Draws: 400, Seed: 1, Model: ope.ModelItem, Config: c}
}

// targetDraws is how often a random target is drawn for each list: the least, for what
// its chances lack in accuracy does not make an estimate wrong in the mean, as it would
// be of the logged ones.
const targetDraws = 100

// Row is what came of one target.
type Row struct {
	Target  string             `json:"target"`
	Truth   float64            `json:"truth"`
	Logged  float64            `json:"logged"`  // what the logging policy earns in truth
	Refused int                `json:"refused"` // of the repetitions
	Asked   int                `json:"asked"`
	Support float64            `json:"support"` // means over the repetitions
	Effect  float64            `json:"effective"`
	By      map[string]*Scores `json:"estimators"`
}

// Scores are how an estimator did: where it was not refused, but for KeptBack.
type Scores struct {
	Held     int     `json:"held"`      // intervals that hold the truth
	GainHeld int     `json:"gain_held"` // intervals of the difference that hold the true one
	KeptBack int     `json:"kept_back"` // intervals without the truth in them that refusing kept back
	Bias     float64 `json:"bias"`
	Error    float64 `json:"error"` // root mean square
	Width    float64 `json:"width"` // of intervals, mean
}

// Answered is how many repetitions were not refused.
func (r *Row) Answered() int { return r.Asked - r.Refused }

// Run asks. report, where it is not nil, is told after every repetition. Where ctx ends
// first, the rows are of what was asked by then, beside its error.
func (s Study) Run(ctx context.Context, report func(done, of int)) ([]Row, error) {
	w, err := New(ctx, s.Seed)
	if err != nil {
		return nil, err
	}
	targets := s.Targets
	if targets == nil {
		told, untold := Targets()
		targets = append(told, untold...)
	}
	const truths = 1 << 40 // people that no log has
	logged, _, err := w.Truth(Logging(), truths, s.TruthPeople)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(targets))
	for i, t := range targets {
		rows[i] = Row{Target: t.Name, Logged: logged, By: map[string]*Scores{}}
		if rows[i].Truth, _, err = w.Truth(t.Serving, truths, s.TruthPeople); err != nil {
			return nil, err
		}
		for _, name := range ope.Estimators() {
			rows[i].By[name] = &Scores{}
		}
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	next, done := 0, 0
	for range max(1, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for {
				mu.Lock()
				rep := next
				next++
				stop := rep >= s.Repetitions || err != nil || ctx.Err() != nil
				mu.Unlock()
				if stop {
					return
				}
				results, failed := s.repeat(ctx, w, targets, uint64(rep))
				mu.Lock()
				switch {
				case failed == nil:
					for i := range results {
						rows[i].take(&results[i])
					}
					if done++; report != nil {
						report(done, s.Repetitions)
					}
				case ctx.Err() == nil && err == nil:
					err = failed
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if err == nil {
		err = ctx.Err()
	}
	for i := range rows {
		rows[i].finish()
	}
	return rows, err
}

// repeat asks one log about all targets.
func (s Study) repeat(ctx context.Context, w *World, targets []Target, rep uint64) ([]ope.Result, error) {
	log, err := w.Record(ctx, Logging(), 10_000_000+10*rep, s.People, s.PerPerson)
	if err != nil {
		return nil, err
	}
	cfg := Exploring()
	explorer, err := w.Explorer(cfg, Logging().Posterior)
	if err != nil {
		return nil, err
	}
	service, err := ope.New(ope.Deps{
		Log: log, Step: &remembered{explorer, map[asked][][]explore.Chance{}}, StepDraws: targetDraws, Explore: explore.Fixed{Config: cfg, Name: "e1"}, Config: s.Config, Clock: lectern.Clock(End),
	})
	if err != nil {
		return nil, err
	}
	out := make([]ope.Result, len(targets))
	for i, t := range targets {
		req := t.Request
		req.Base, req.BaseName, req.Reward, req.Model, req.Anyway = Settings(), SettingsName, ope.RewardSum, s.Model, true
		settle := 10.0
		req.Draws, req.Seed, req.SettleDays = s.Draws, rep, &settle
		report, err := service.Estimate(ctx, req)
		if err != nil {
			return nil, err
		}
		out[i] = report.Results[0]
	}
	return out, nil
}

func (r *Row) take(res *ope.Result) {
	r.Asked++
	r.Support += res.Overlap.Support
	r.Effect += res.Overlap.Effective
	if len(res.Refused) > 0 {
		r.Refused++
		for _, e := range res.Estimates {
			if r.Truth < e.Low || e.High < r.Truth {
				r.By[e.Estimator].KeptBack++
			}
		}
		return
	}
	for _, e := range res.Estimates {
		s := r.By[e.Estimator]
		if e.Low <= r.Truth && r.Truth <= e.High {
			s.Held++
		}
		if gain := r.Truth - r.Logged; e.Gain.Low <= gain && gain <= e.Gain.High {
			s.GainHeld++
		}
		s.Bias += e.Value - r.Truth
		s.Error += (e.Value - r.Truth) * (e.Value - r.Truth)
		s.Width += e.High - e.Low
	}
}

func (r *Row) finish() {
	n := float64(max(r.Asked, 1))
	r.Support, r.Effect = r.Support/n, r.Effect/n
	n = float64(max(r.Answered(), 1))
	for _, s := range r.By {
		s.Bias, s.Error, s.Width = s.Bias/n, math.Sqrt(s.Error/n), s.Width/n
	}
}
