package experiment

import (
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/watch"
)

// Run looks for changes until ctx ends: when the store says so, and every Config.Poll.
func (s *Service) Run(ctx context.Context) error {
	loop := watch.Loop{
		Every: s.o.Config.Poll, Look: s.Look, What: "the experiments", Stay: "those that were running here stay", Logger: s.o.Logger,
	}
	if store, ok := s.o.Store.(lectern.ExperimentWatcher); ok {
		loop.Hints = store.WatchExperiments
	}
	return loop.Run(ctx)
}

// Look puts the experiments of the store to use here, once the versions that they name
// are ready.
func (s *Service) Look(ctx context.Context) error {
	select {
	case s.look <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.look }()
	revision, err := s.o.Store.ExperimentRevision(ctx)
	if err != nil || revision == s.revision {
		return err
	}
	all, revision, err := s.all(ctx)
	if err != nil {
		return err
	}
	settings, models := named(all)
	if err := s.o.Versions.Hold(ctx, settings, models); err != nil {
		return err
	}
	s.assigner.use(all)
	s.revision = revision
	return nil
}

// named are the versions that running experiments name.
func named(all []*stored) (settings, models []int64) {
	for _, x := range all {
		if x.State != lectern.ExperimentRunning {
			continue
		}
		for _, a := range x.Arms {
			if a.Settings != nil {
				settings = append(settings, *a.Settings)
			}
			if a.Model != nil {
				models = append(models, *a.Model)
			}
		}
		if x.Plan == nil {
			continue
		}
		if x.Plan.Settings != nil {
			settings = append(settings, x.Plan.Settings[:]...)
		}
		if x.Plan.Model != nil {
			models = append(models, *x.Plan.Model)
		}
	}
	slices.Sort(settings)
	slices.Sort(models)
	return slices.Compact(settings), slices.Compact(models)
}
