package main

import (
	"context"
	"fmt"
	"io"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/experiment/learn"
	"github.com/lectern-dev/lectern/simulate"
)

// policyOff and policyOracle are what may explore beside the policies.
const (
	policyOff    = "off"    // nothing explores
	policyOracle = "oracle" // the best of the pool, by the truth
)

// beginExploring lets the site's lists explore and take part in experiments, and what is
// learnt and counted follow the site's clock. policy is "" for what the settings say.
func (s *simSite) beginExploring(ctx context.Context, policy string, lots io.Reader) error {
	secret := make([]byte, 32)
	if _, err := io.ReadFull(lots, secret); err != nil {
		return err
	}
	if _, err := s.store.Secret(ctx, secretExplore, secret); err != nil {
		return fmt.Errorf("keep the secret of exploration: %w", err)
	}
	s.ranker.Assigner, s.ranker.Trials, s.ranker.Draft = s.experiments.assigner(), s.experiments.tried(), draft
	learner, err := learn.New(learn.Options{
		Store: s.store, Settings: s.exploring, Switch: breaker{s.store, s.exploring}, Clock: s.Now, Log: s.homeSite.log,
	}, s.config.Learning)
	if err != nil {
		return err
	}
	s.learn = func(ctx context.Context) error {
		for moved := true; moved; {
			if moved, err = learner.Step(ctx); err != nil {
				return fmt.Errorf("learn: %w", err)
			}
		}
		return s.learning.keeper.Look(ctx)
	}
	s.settles = append(s.settles, s.learn, func(ctx context.Context) error {
		_, err := learner.Guard(ctx)
		return err
	}, func(ctx context.Context) error {
		_, err := s.analytics.CatchUp(ctx)
		return err
	}, s.experiments.LookAtResults)
	if err := s.experiments.NoteHoldout(ctx); err != nil {
		return err
	}
	if policy == policyOff {
		return nil
	}
	settings := policySettings{s.exploring, policy}
	lists, err := newExplorer(ctx, s.environment, settings, s.learning.keeper, s.log, nil)
	if err != nil {
		return err
	}
	s.log.explorer, s.ranker.Explorer = lists.Explorer, lists.Explorer
	return nil
}

// askOracle lets the truth fill the exploring places, instead of a policy.
func (s *simSite) askOracle(sim *simulate.Simulation) {
	if s.ranker.Explorer == nil {
		return
	}
	s.ranker.Explorer = simulate.Oracle{Within: s.ranker.Explorer, Value: func(req *lectern.ExploreRequest, id string) float64 {
		return sim.Expected(req.Learner, id, req.At)
	}}
	s.log.explorer = s.ranker.Explorer
}

// policySettings are settings with a policy in the place of theirs; "" is theirs.
type policySettings struct {
	explore.Settings
	policy string
}

// Current implements explore.Settings.
func (p policySettings) Current() (*explore.Config, string) {
	cfg, name := p.Settings.Current()
	if p.policy == "" || p.policy == cfg.Policy {
		return cfg, name
	}
	changed := *cfg
	changed.Policy = p.policy
	if p.policy == policyOracle {
		changed.Policy = explore.PolicyNone
	}
	return &changed, name
}
