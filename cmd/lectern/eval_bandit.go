package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/simulate"
)

// banditEval is what lectern eval bandit was asked to do.
type banditEval struct {
	first    uint64 // seed
	seeds    int
	workers  int
	world    simulate.WorldOptions
	options  simulate.Options
	fresh    int    // new courses, over the first half of the days
	good     int    // of these, so many are good and sought
	folder   string // that lists are kept in; "" keeps none
	explore  explore.Config
	asJSON   bool
	progress func(format string, args ...any)
}

// banditSeed is the first seed of the published table. Settings were chosen on other
// seeds, from 101 on.
const banditSeed = 1

func defaultBanditEval() banditEval {
	o := banditEval{first: banditSeed, seeds: 20, workers: 2, options: simulate.DefaultOptions(), fresh: 24, good: 8, explore: explore.DefaultConfig()}
	o.world.Demo = demo.DefaultOptions(demoPresent())
	o.world.Demo.Courses, o.world.Demo.Learners, o.world.Demo.Reviews, o.world.Demo.Events = 600, 450, 1000, 11_000
	o.world.Start = demoPresent().Truncate(24 * time.Hour)
	o.options.Learners, o.options.Visits, o.options.Pages, o.options.Searches = 450, 0.3, 0, 0
	return o
}

func newEvalBanditCommand() *cobra.Command {
	o := defaultBanditEval()
	cmd := &cobra.Command{
		Use: "bandit", Args: noArgs,
		Short: "Compare the policies of exploration on simulated learners, whose wishes are known",
		Long: `Makes a demo platform for every seed and lets its learners visit for some weeks, while
new courses come. The lists are made once by all that serves, without exploration; then
every policy explores the same lists, learners react to what it shows them, and it learns
from that:

  off             nothing explores
  none            the list as it is, but for the uniform floor and new courses
  epsilon_greedy  the best expected reward, and at times anything
  linucb          upper confidence bounds of a linear model
  thompson        linear Thompson sampling
  best_linear     the best of the pool by weights of the same features that are fitted to
                  the true chances: about what a linear policy may come to
  wish            the best of the pool by the true chances, as if the learner had not been
                  shown any of it before
  oracle          the best of the pool by the true chances

What learners do is drawn by the same lots under every policy, and differences are taken
seed by seed. docs/measured/bandit-table.md has the figures and says how each is made.`,
		Example: `  lectern eval bandit
  lectern eval bandit --seeds 3 --days 14 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.seeds < 1 || o.workers < 1 || o.fresh < 0 || o.good < 0 {
				return usageError{errors.New("--seeds and --workers are at least 1, --new-courses and --good-courses at least 0")}
			}
			env, err := loadEnvironment(cmd)
			if err != nil {
				return err
			}
			o.progress = func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) }
			table, err := o.run(cmd.Context(), env.config)
			if err != nil {
				return err
			}
			if o.asJSON {
				return printJSON(cmd.OutOrStdout(), table)
			}
			return o.write(cmd.OutOrStdout(), table)
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&o.first, "seed", o.first, "the first seed")
	flags.IntVar(&o.seeds, "seeds", o.seeds, "seeds, each with a platform and learners of its own")
	flags.IntVar(&o.workers, "workers", o.workers, "seeds at a time")
	flags.IntVar(&o.options.Days, "days", o.options.Days, "days that are simulated")
	flags.IntVar(&o.world.Demo.Courses, "courses", o.world.Demo.Courses, "courses of a platform, new ones included")
	flags.IntVar(&o.world.Demo.Learners, "learners", o.world.Demo.Learners, "learners of a platform")
	flags.IntVar(&o.world.Demo.Events, "events", o.world.Demo.Events, "events of a platform")
	flags.IntVar(&o.options.Learners, "visitors", o.options.Learners, "learners who visit")
	flags.Float64Var(&o.options.Visits, "visits", o.options.Visits, "visits of one of them in a day, on average")
	flags.IntVar(&o.fresh, "new-courses", o.fresh, "new courses, which come over the first half of the days")
	flags.IntVar(&o.good, "good-courses", o.good, "of the new courses, so many are good and fit five learners or more, as far as there are such")
	flags.StringVar(&o.folder, "lists", "", "folder that keeps the lists of each seed (100 MB and more), to compare other settings on them in seconds")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
	return withConfigFlags(cmd)
}

func (o *banditEval) write(w io.Writer, t simulate.PolicyTable) error { return t.Write(w) }

// policies are the lines of the table.
func banditPolicies() []string {
	return []string{
		policyOff, explore.PolicyNone, explore.PolicyEpsilon, explore.PolicyLinUCB, explore.PolicyThompson,
		policyLinear, policyWish, policyOracle,
	}
}

// banditBaselines are the policies that others are compared with; costs are against the
// first.
func banditBaselines() []string {
	return []string{policyOff, explore.PolicyNone, explore.PolicyEpsilon}
}

// run compares the policies over all seeds.
func (o *banditEval) run(ctx context.Context, config Config) (simulate.PolicyTable, error) {
	out := make([][]simulate.PolicyRun, o.seeds)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.workers)
	for i := range o.seeds {
		group.Go(func() error {
			begin := time.Now()
			seen, err := o.record(ctx, config, o.first+uint64(i)) //nolint:gosec // small
			if err != nil {
				return err
			}
			made := time.Since(begin)
			for _, policy := range banditPolicies() {
				r, err := o.replay(ctx, seen, policy, o.explore)
				if err != nil {
					return err
				}
				out[i] = append(out[i], simulate.PolicyRun{Policy: policy, Seed: seen.seed, Run: r})
			}
			o.progress("seed %d: %d lists made in %s, %d policies in %s", seen.seed, seen.lists, made.Round(time.Second), len(banditPolicies()),
				(time.Since(begin) - made).Round(time.Second))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return simulate.PolicyTable{}, err
	}
	return simulate.ComparePolicies("policies of exploration", banditBaselines(), slices.Concat(out...))
}

// banditDimensions are enough to tell some hundred courses apart, and quick.
const banditDimensions = 64

// recordedWorld is a world with the lists that an engine made for its learners.
type recordedWorld struct {
	seed   uint64
	world  *simulate.World
	slates slates
	lists  int
}

// options of a simulation of a seed.
func (o *banditEval) of(seed uint64) simulate.Options {
	s := o.options
	s.Seed = seed
	s.Worths = nil
	for _, r := range o.explore.Rewards {
		s.Worths = append(s.Worths, simulate.Worth{Name: r.Name, Event: r.Event, Value: r.Value, WithinDays: r.WithinDays, AtLeast: r.AtLeast})
	}
	return s
}

// record makes a seed's world and lets learners visit once, with everything that serves
// and no exploration.
func (o *banditEval) record(ctx context.Context, config Config, seed uint64) (seen *recordedWorld, err error) {
	world := o.world
	world.Demo.Seed, world.New, world.Good = seed, o.fresh, o.good
	world.Interval = time.Duration(o.options.Days) * 24 * time.Hour / time.Duration(2*max(o.fresh, 1))
	w, err := simulate.NewWorld(world)
	if err != nil {
		return nil, usageError{err}
	}
	if old, err := o.kept(seed); err != nil || old != nil {
		if err != nil {
			return nil, err
		}
		return &recordedWorld{seed: seed, world: w, slates: old.Slates, lists: old.Lists}, nil
	}
	dir, err := os.MkdirTemp("", "lectern-eval-bandit-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	config.Embed.Dimensions = min(config.Embed.Dimensions, banditDimensions)
	s, err := openSimSite(ctx, filepath.Clean(dir), config, w.Start, seed, policyOff)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	if err := s.fill(ctx, w); err != nil {
		return nil, err
	}
	seen = &recordedWorld{seed: seed, world: w, slates: slates{}}
	s.ranker.Explorer, s.log.quiet, s.learn, s.settles = seen.slates, true, nil, nil
	sim, err := simulate.New(w, s, o.of(seed))
	if err != nil {
		return nil, err
	}
	result, err := sim.Run(ctx)
	if err != nil {
		return nil, err
	}
	seen.lists = result.Total().Lists
	return seen, o.keep(seen)
}

// replay lets a policy explore a world's lists.
func (o *banditEval) replay(ctx context.Context, seen *recordedWorld, policy string, config explore.Config) (simulate.Run, error) {
	var model *bandit.Model
	if policy == policyLinear {
		fit := newLinearFit(config.Learning.Ridge)
		if _, err := o.replayed(ctx, seen, policy, config, fit.explorer); err != nil {
			return simulate.Run{}, err
		}
		var err error
		if model, err = fit.model(); err != nil {
			return simulate.Run{}, err
		}
	}
	return o.replayed(ctx, seen, policy, config, func(within lectern.Explorer, sim *simulate.Simulation) lectern.Explorer {
		switch policy {
		case policyLinear:
			return linearBest(within, model)
		case policyWish:
			return simulate.Oracle{Within: within, Value: func(req *lectern.ExploreRequest, id string) float64 {
				return sim.Unbored(req.Learner, id, req.At)
			}}
		case policyOracle:
			return simulate.Oracle{Within: within, Value: func(req *lectern.ExploreRequest, id string) float64 {
				return sim.Expected(req.Learner, id, req.At)
			}}
		}
		return within
	})
}

// replayed lets learners look at a world's lists as an explorer changes them, over the
// one that the settings make.
func (o *banditEval) replayed(ctx context.Context, seen *recordedWorld, policy string, config explore.Config,
	over func(within lectern.Explorer, sim *simulate.Simulation) lectern.Explorer,
) (simulate.Run, error) {
	config.Guardrails.Enabled = false
	config.Policy = policy
	switch policy {
	case policyOff:
		config.Enabled, config.Policy = false, explore.PolicyNone
	case policyLinear, policyWish, policyOracle:
		config.Policy = explore.PolicyNone
	}
	learner := newMemoryLearner(config)
	explorer, err := explore.New(explore.Deps{
		Settings: explore.Fixed{Config: config, Name: "e0"}, Posteriors: learner, Secret: fmt.Appendf(nil, "seed %d", seen.seed),
	})
	if err != nil {
		return simulate.Run{}, err
	}
	site := &replaySite{slates: seen.slates, next: map[string]int{}, learner: learner}
	sim, err := simulate.New(seen.world, site, o.of(seen.seed))
	if err != nil {
		return simulate.Run{}, err
	}
	site.knows, site.explorer = sim.Knows, over(explorer, sim)
	return sim.Run(ctx)
}
