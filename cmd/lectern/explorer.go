package main

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/indexing"
)

// secretExplore is the name of the secret that lists' seeds are drawn from.
const secretExplore = "explore"

// lists is what explores in the lists of a server, and replays them.
type lists struct {
	*explore.Explorer
	follower *explore.Follower
	rankings rankingReader
}

// rankingReader finds recorded lists.
type rankingReader interface {
	Ranking(ctx context.Context, id string) (lectern.Ranking, error)
}

var _ api.Replayer = (*lists)(nil)

// newExplorer wires what fills exploring places. What is counted is counted here alone,
// unless follow is set.
func newExplorer(ctx context.Context, env environment, settings explore.Settings, posteriors explore.Posteriors, rankings rankingReader, follow explore.Facts) (*lists, error) {
	secret, err := env.store.Secret(ctx, secretExplore, randomBytes(32))
	if err != nil {
		return nil, fmt.Errorf("read the secret of exploration: %w", err)
	}
	x := &lists{rankings: rankings}
	counts := explore.NewCounts()
	if follow != nil {
		x.follower = explore.NewFollower(env.store, counts, follow, settings, lectern.SystemClock, env.log)
	}
	x.Explorer, err = explore.New(explore.Deps{
		Settings: settings, Posteriors: posteriors, Counts: counts, Followed: follow != nil, Secret: secret, Logger: env.log,
	})
	return x, err
}

// beginExploring lets the lists that this engine serves explore. Those of evaluations
// never do.
func (e *engine) beginExploring(ctx context.Context) (err error) {
	facts := func(id string) (provider string, published time.Time, ok bool) {
		f := e.catalog.Facts(id)
		if f == nil {
			return "", time.Time{}, false
		}
		return f.Provider, f.PublishedAt, true
	}
	if e.lists, err = newExplorer(ctx, e.environment, e.exploring, e.learning.keeper, e.live, facts); err != nil {
		return err
	}
	e.lists.follower.KeepBy(countShelf{e.store}, e.learning.leads)
	e.recorder.FinishBy(e.lists)
	e.ranker.Explorer = e.lists.Explorer
	return nil
}

// run counts what is shown, once the catalogue is there to tell which courses are new.
func (x *lists) run(ctx context.Context, tasks *errgroup.Group, p *indexing.Pipeline) {
	tasks.Go(func() error {
		if err := p.Wait(ctx, indexing.Readiness.WordsReady); err != nil {
			return nil //nolint:nilerr // the server ends
		}
		return x.follower.Run(ctx)
	})
}

// Replay fills a recorded list again. One that was made this moment is finished first.
func (x *lists) Replay(ctx context.Context, rankingID string, draws int) (*explore.Replay, error) {
	r, err := x.rankings.Ranking(ctx, rankingID)
	if err != nil {
		return nil, err
	}
	if e := r.Exploration; e != nil && len(e.Places) > 0 && e.Places[0] < len(r.Items) && r.Items[e.Places[0]].Propensity == 0 {
		if err := x.Finish(ctx, &r); err != nil {
			return nil, err
		}
	}
	return x.Explorer.Replay(ctx, &r, draws)
}

// What lists that explore report.
var ( // descriptions never change
	descExploreLists = prometheus.NewDesc("lectern_explore_lists_total",
		"Lists of this process: explored, or why they did not explore.", []string{"outcome"}, nil)
	descExploreChoices = prometheus.NewDesc("lectern_explore_choices_total",
		"Exploring places that were filled: by the policy, by the uniform floor, or with new courses that were owed impressions.", []string{"by"}, nil)
	descExploreRaised = prometheus.NewDesc("lectern_explore_raised_total",
		"Exploring places that hold another course than without exploration.", nil, nil)
	descExploreFinished = prometheus.NewDesc("lectern_explore_finished_total",
		"Lists whose propensities were found, or could not be.", []string{"outcome"}, nil)
	descExploreFellBack = prometheus.NewDesc("lectern_explore_prior_total",
		"Lists explored by the prior although something was learnt: the newest posterior cannot be used.", nil, nil)
	descExploreSeconds = prometheus.NewDesc("lectern_explore_finish_seconds_total",
		"Seconds that finding propensities took.", nil, nil)
)

// exploreCollector reports on lists that explore.
type exploreCollector struct{ engine *engine }

var _ prometheus.Collector = (*exploreCollector)(nil)

// Describe implements prometheus.Collector.
func (*exploreCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descExploreLists, descExploreChoices, descExploreRaised, descExploreFinished, descExploreFellBack, descExploreSeconds} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *exploreCollector) Collect(out chan<- prometheus.Metric) {
	if c.engine.lists == nil {
		return
	}
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	s := c.engine.lists.Stats()
	count(descExploreLists, float64(s.Explored), "explored")
	for why, n := range s.Skipped {
		count(descExploreLists, float64(n), why)
	}
	for by, n := range s.Choices {
		count(descExploreChoices, float64(n), by)
	}
	count(descExploreRaised, float64(s.Raised))
	count(descExploreFinished, float64(s.Finished), "ok")
	count(descExploreFinished, float64(s.Failed), "failed")
	count(descExploreFellBack, float64(s.FellBack))
	count(descExploreSeconds, s.FinishSeconds)
}
