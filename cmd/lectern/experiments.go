package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"

	cryptorand "crypto/rand"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/experiment"
	"github.com/lectern-dev/lectern/experiment/stats"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/settings"
	"github.com/lectern-dev/lectern/training"
)

// trials has what running experiments name ready to rank with, and knows what they may
// name.
type trials struct {
	store    relational
	settings *settings.Service
	file     rerank.Config
	keeper   *training.Keeper // nil where no lists are made
	trainer  *training.Trainer
	log      *slog.Logger

	mu        sync.RWMutex
	rerankers map[int64]rerank.Reranker
	models    map[int64]*training.Scorer
}

var (
	_ experiment.Versions = (*trials)(nil)
	_ retrieve.Trials     = (*trials)(nil)
)

// newExperiments wires experiments around an open store, and looks which are running.
func newExperiments(ctx context.Context, e *engine) (*experiments, error) {
	t := newTrials(e.environment, e.settings, e.models, e.trainer)
	service, err := keptExperiments(e.environment, t)
	if err != nil {
		return nil, err
	}
	if err := service.Look(ctx); err != nil {
		return nil, err
	}
	return &experiments{Service: service, trials: t, engine: e}, nil
}

func newTrials(env environment, s *settings.Service, keeper *training.Keeper, trainer *training.Trainer) *trials {
	return &trials{
		store: env.store, settings: s, file: env.config.Rerank, keeper: keeper, trainer: trainer, log: env.log,
		rerankers: make(map[int64]rerank.Reranker), models: make(map[int64]*training.Scorer),
	}
}

// keptExperiments reads and writes experiments.
func keptExperiments(env environment, t *trials) (*experiment.Service, error) {
	days, err := env.config.Analytics.Definition()
	if err != nil {
		return nil, err
	}
	clock := env.clock
	if clock == nil {
		clock = lectern.SystemClock
	}
	return experiment.New(experiment.Options{
		Config: env.config.Experiments, Store: env.store, Versions: t, Log: env.store, Looks: env.store, Day: days.Day, ModelKind: training.Kind,
		ListsKept: env.config.Store.RankingRetention,
		NewID:     func() string { return "x-" + strings.ToLower(cryptorand.Text()[:10]) },
		Clock:     clock, Logger: env.log,
	}), nil
}

// CheckSettings implements experiment.Versions.
func (t *trials) CheckSettings(ctx context.Context, version int64) error {
	_, err := t.compile(ctx, version)
	return err
}

// compile makes the reranker of a version; 0 is the configuration file's.
func (t *trials) compile(ctx context.Context, version int64) (rerank.Reranker, error) {
	if version == 0 {
		return rerank.NewLinear(t.file)
	}
	v, err := t.store.Settings(ctx, lectern.SettingsRerank, version)
	if err != nil {
		if lectern.ErrorCode(err) == lectern.CodeNotFound {
			return nil, lectern.Errorf(lectern.CodeNotFound, "there is no version %d of the rerank settings", version)
		}
		return nil, fmt.Errorf("read rerank settings %d: %w", version, err)
	}
	cfg, err := rerank.Parse(v.Body)
	if err != nil {
		return nil, lectern.Errorf(lectern.CodeRefused, "this build cannot read version %d of the rerank settings", version)
	}
	return rerank.New(cfg, settings.Name(version))
}

// CheckModel implements experiment.Versions.
func (t *trials) CheckModel(ctx context.Context, version int64) error {
	_, err := t.artefact(ctx, version)
	return err
}

func (t *trials) artefact(ctx context.Context, version int64) (lectern.Artefact, error) {
	all, err := t.store.Artefacts(ctx, training.Kind)
	if err != nil {
		return lectern.Artefact{}, fmt.Errorf("list the models: %w", err)
	}
	for _, a := range all {
		if a.Version == version {
			return a, nil
		}
	}
	return lectern.Artefact{}, lectern.Errorf(lectern.CodeNotFound, "there is no version %d of the collaborative model", version)
}

// SettingsInUse implements experiment.Versions.
func (t *trials) SettingsInUse(ctx context.Context) (int64, error) {
	d, err := t.settings.Get(ctx)
	return d.Version, err
}

// ModelInUse implements experiment.Versions.
func (t *trials) ModelInUse(ctx context.Context) (int64, error) {
	a, err := t.store.ActiveArtefact(ctx, training.Kind)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return 0, nil
	}
	return a.Version, err
}

// ActivateModel implements experiment.Versions.
func (t *trials) ActivateModel(ctx context.Context, version int64) error {
	_, err := t.trainer.Activate(ctx, version)
	return err
}

// ActivateSettings implements experiment.Versions.
func (t *trials) ActivateSettings(ctx context.Context, version int64, author, comment string) error {
	_, err := t.settings.Activate(ctx, version, settings.Change{Author: author, Comment: comment})
	return err
}

// Hold implements experiment.Versions. What cannot be read is left out and told: lists
// then take part in nothing that names it.
func (t *trials) Hold(ctx context.Context, versions, models []int64) error {
	if t.keeper == nil { // no lists are made
		return nil
	}
	t.mu.RLock()
	hadRerankers, hadModels := t.rerankers, t.models
	t.mu.RUnlock()
	rerankers := make(map[int64]rerank.Reranker, len(versions))
	for _, v := range versions {
		r, err := hadRerankers[v], error(nil)
		if r == nil {
			r, err = t.compile(ctx, v)
		}
		if failed, err := t.leftOut(ctx, "rerank settings", v, err); err != nil {
			return err
		} else if !failed {
			rerankers[v] = r
		}
	}
	scorers := make(map[int64]*training.Scorer, len(models))
	for _, v := range models {
		s, err := hadModels[v], error(nil)
		if s == nil {
			s, err = t.load(ctx, v)
		}
		if failed, err := t.leftOut(ctx, "collaborative model", v, err); err != nil {
			return err
		} else if !failed {
			scorers[v] = s
		}
	}
	t.mu.Lock()
	t.rerankers, t.models = rerankers, scorers
	t.mu.Unlock()
	return nil
}

// leftOut tells what is wrong with a version from a store that does not answer.
func (t *trials) leftOut(ctx context.Context, what string, version int64, err error) (bool, error) {
	switch lectern.ErrorCode(err) {
	case "":
		return false, nil
	case lectern.CodeNotFound, lectern.CodeRefused, lectern.CodeInvalid, lectern.CodeUnknownField:
		t.log.ErrorContext(ctx, "what an experiment names cannot be used here; nobody is in its arms here", "part", what, "version", version, "error", err)
		return true, nil
	}
	return false, err
}

func (t *trials) load(ctx context.Context, version int64) (*training.Scorer, error) {
	a, err := t.artefact(ctx, version)
	if err != nil {
		return nil, err
	}
	return t.keeper.Ready(ctx, a)
}

// Reranker implements retrieve.Trials.
func (t *trials) Reranker(version int64) rerank.Reranker {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.rerankers[version]
}

// Model implements retrieve.Trials.
func (t *trials) Model(version int64) retrieve.CollaborativeModel {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if s := t.models[version]; s != nil {
		return s
	}
	return nil
}

// draft makes one list of two.
func draft(a, b []string, n int, rng *rand.Rand) (ids []string, teams []int) {
	ids, drafted := stats.TeamDraft(a, b, n, rng)
	teams = make([]int, len(drafted))
	for i, t := range drafted {
		teams[i] = int(t)
	}
	return ids, teams
}

// experiments is what administrators do about experiments.
type experiments struct {
	*experiment.Service
	trials *trials
	engine *engine
}

var _ api.Experiments = (*experiments)(nil)

// Standings implements api.Experiments.
func (x *experiments) Standings(ctx context.Context, ref lectern.LearnerRef, surface lectern.Surface, row lectern.Row) ([]experiment.Standing, error) {
	req, protected, err := x.engine.ranker.Asks(ctx, ref, surface, row)
	if err != nil {
		return nil, err
	}
	list := x.Assigner().Standings(&req, protected)
	return list, addExposures(ctx, x.engine.store, req.Learner, list)
}

// addExposures says what somebody was exposed to.
func addExposures(ctx context.Context, store lectern.ExperimentStore, ref lectern.LearnerRef, list []experiment.Standing) error {
	met, err := store.Exposures(ctx, ref)
	if err != nil {
		return fmt.Errorf("read exposures: %w", err)
	}
	for i := range list {
		for _, m := range met {
			if m.Experiment == list[i].Experiment {
				at := m.At
				list[i].ExposedAt, list[i].ExposedArm, list[i].Crossed = &at, m.Arm, m.Crossed
			}
		}
	}
	return nil
}

// assigner says who is in which arm, nil where nobody is in any.
func (x *experiments) assigner() lectern.Assigner {
	if x == nil {
		return nil
	}
	return x.Assigner()
}

// tried has what arms name, nil where nobody is in any.
func (x *experiments) tried() retrieve.Trials {
	if x == nil {
		return nil
	}
	return x.trials
}
