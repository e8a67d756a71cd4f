package main

import (
	"context"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/jobs"
	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/selection"
	"github.com/lectern-dev/lectern/neighbours"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/training"
)

// newModels wires what has the collaborative model in use in memory, and loads it.
// That it cannot be loaded keeps nobody from answering without.
func newModels(ctx context.Context, e *engine) *training.Keeper {
	k := training.NewKeeper(training.KeeperOptions{
		Store: e.store, New: newModel, Logger: e.log,
		Scorer: training.ScorerOptions{
			Unit: e.config.Learner.Strengths.Enrol, Dim: e.config.Index.Qdrant.CFDimensions,
			Held: func() int64 { return e.pipeline.FactorsHeld() },
		},
	})
	if err := k.Look(ctx); err != nil {
		e.log.Warn("the collaborative model cannot be looked up; it takes part once it can", "error", err)
	}
	return k
}

// newTrainer wires what trains models.
func newTrainer(env environment, holder string) (*training.Trainer, error) {
	return training.New(training.Options{
		Config: env.config.Training,
		Snapshot: training.SnapshotOptions{
			Noise: env.config.Noise, Strength: strengthOf(env.config), MaxWeight: env.config.Learner.MaxCourseWeight,
		},
		Store: env.store, Fit: selection.Fit, Object: listsObjection(env), Specs: cf.Specs(), Floor: popularName,
		Dim: env.config.Index.Qdrant.CFDimensions, Holder: holder, Clock: lectern.SystemClock, Logger: env.log,
	})
}

// listsObjection measures the pipeline that would serve with a model.
func listsObjection(env environment) func(context.Context, string, cf.Params, uint64) (string, error) {
	return func(ctx context.Context, name string, params cf.Params, seed uint64) (string, error) {
		return pipelineObjection(ctx, env, name, params, seed)
	}
}

// strengthOf returns what an event says for its course, as profiles count it.
func strengthOf(c Config) func(lectern.Event) float64 {
	return func(e lectern.Event) float64 {
		if d := c.Learner.Delta(e); d != nil {
			return d.Weight
		}
		return 0
	}
}

// newModel makes an unfitted model by name.
func newModel(name string, params cf.Params) (cf.Model, error) {
	spec, ok := cf.SpecByName(name)
	if !ok {
		return nil, lectern.Errorf(lectern.CodeInvalid, "this build has no model %q", name)
	}
	return spec.New(params)
}

// collaborative hands the model in use to what makes lists.
type collaborative struct{ models *training.Keeper }

var (
	_ retrieve.Collaborative      = collaborative{}
	_ retrieve.CollaborativeModel = (*training.Scorer)(nil)
)

// collaborativeOf returns nil where nothing keeps models.
func collaborativeOf(models *training.Keeper) retrieve.Collaborative {
	if models == nil {
		return nil
	}
	return collaborative{models}
}

// Collaborative implements retrieve.Collaborative.
func (c collaborative) Collaborative() retrieve.CollaborativeModel {
	if s := c.models.Current(); s != nil {
		return s
	}
	return nil
}

// learnerFactor makes learners' vectors of the model in use.
func (c collaborative) learnerFactor() (int64, neighbours.Factor) {
	s := c.models.Current()
	if s == nil || s.Dim() == 0 {
		return 0, nil
	}
	return s.Version(), s.LearnerFactor
}

// trainModels trains when it is time. A training that is cut off at ending, or
// killed, begins anew at the next start.
func (e *engine) trainModels(ending <-chan struct{}) jobs.Periodic {
	schedule := training.NewSchedule(e.trainer, countEvents(e.store))
	return jobs.Periodic{
		Name: "train_models", Every: training.CheckEvery, RunOnStart: true,
		Run: func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			done := make(chan struct{})
			defer close(done)
			go func() { // ends with this run
				select {
				case <-ending:
					cancel()
				case <-done:
				}
			}()
			_, err := schedule.Check(ctx)
			if ctx.Err() != nil {
				return nil
			}
			return err
		},
	}
}

// factors are those of the model in use, for the index.
func (c collaborative) factors() *indexing.Factors {
	s := c.models.Current()
	if s == nil || s.Dim() == 0 {
		return nil
	}
	return &indexing.Factors{Version: s.Version(), Dim: s.Dim(), Of: s.ItemFactor}
}
