package experiment

import (
	"context"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// Run looks for changes until ctx ends: when the store says so, and every Config.Poll.
func (s *Service) Run(ctx context.Context) error {
	hints := make(chan struct{}, 1)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		s.watch(ctx, hints)
	}()
	defer func() { <-watching }()
	tick := time.NewTicker(s.o.Config.Poll)
	defer tick.Stop()
	failing := false
	for {
		err := s.Look(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			s.o.Logger.WarnContext(ctx, "the experiments cannot be looked up; those that were running here stay", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-hints:
		case <-tick.C:
		}
	}
}

// watch passes the store's hints on, where it gives any.
func (s *Service) watch(ctx context.Context, hints chan<- struct{}) {
	watcher, ok := s.o.Store.(lectern.ExperimentWatcher)
	if !ok {
		return
	}
	err := watcher.WatchExperiments(ctx, func() {
		select {
		case hints <- struct{}{}:
		default: // one is waiting already
		}
	})
	if err != nil && ctx.Err() == nil {
		s.o.Logger.WarnContext(ctx, "the experiments are only polled", "error", err)
	}
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
		if x.Plan != nil && x.Plan.Settings != nil {
			settings = append(settings, x.Plan.Settings[:]...)
		}
	}
	slices.Sort(settings)
	slices.Sort(models)
	return slices.Compact(settings), slices.Compact(models)
}
