package main

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/experiment/learn"
	"github.com/lectern-dev/lectern/internal/lease"
)

// learning turns events into what exploration chooses by.
type learning struct {
	*learn.Learner
	keeper *learn.Keeper
	meters *learningMeters
	lease  *lease.Lease // nil where this process is alone
	log    *slog.Logger

	mu    sync.Mutex
	start func(task func(context.Context)) // nil while nothing runs
}

// leaseLearning is the lease of the process that learns and watches the guardrails. It is
// not the leader's: while an upgrade is rolled out, that may be a process whose build
// knows nothing of exploration, and others would explore with nobody watching.
const leaseLearning = "learning"

// newLearning wires what learns from the store of env. turn says which process does; nil
// where this one is alone.
func newLearning(env environment, settings *exploration, turn *lease.Lease) (*learning, error) {
	x := &learning{keeper: learn.NewKeeper(env.store, env.log), meters: newLearningMeters(), lease: turn, log: env.log}
	var err error
	x.Learner, err = learn.New(learn.Options{
		Store: env.store, Settings: settings, Switch: breaker{env.store, settings}, Leads: x.leads,
		Clock: lectern.SystemClock, Log: env.log, Meters: x.meters,
	}, env.config.Learning)
	return x, err
}

// leads reports whether this process is the one that learns.
func (x *learning) leads() bool { return x.lease == nil || x.lease.Held() }

// run learns, and keeps the newest posterior at hand, until ctx ends.
func (x *learning) run(ctx context.Context, tasks *errgroup.Group, poll time.Duration) {
	x.mu.Lock()
	x.start = func(task func(context.Context)) { tasks.Go(func() error { task(ctx); return nil }) }
	x.mu.Unlock()
	if x.lease != nil {
		tasks.Go(func() error { return x.lease.Run(ctx) })
	}
	tasks.Go(func() error { return x.Run(ctx) })
	tasks.Go(func() error { return x.keeper.Run(ctx, poll) })
}

// StartRebuild learns everything anew in the background. Errors: CodeConflict while that
// is under way; CodeUnavailable before the server runs.
func (x *learning) StartRebuild() error {
	x.mu.Lock()
	start := x.start
	x.mu.Unlock()
	switch {
	case start == nil:
		return lectern.Errorf(lectern.CodeUnavailable, "the server is not running yet: try again")
	case x.Rebuilding().Running:
		return lectern.Errorf(lectern.CodeConflict, "learning everything anew is under way: GET /v1/admin/explore/status tells how far it is")
	}
	start(func(ctx context.Context) {
		if err := x.Rebuild(ctx, nil); err != nil && ctx.Err() == nil {
			x.log.Error("not everything was learnt anew", "error", err)
		}
	})
	return nil
}

// learningMeters count what is learnt in this process.
type learningMeters struct {
	rewards *prometheus.CounterVec
	values  *prometheus.CounterVec
	trips   *prometheus.CounterVec
	lag     prometheus.Gauge
	steps   prometheus.Counter
}

var _ learn.Meters = (*learningMeters)(nil)

func newLearningMeters() *learningMeters {
	m := &learningMeters{
		rewards: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lectern_explore_rewards_total", Help: "Rewards of lists that explore that this process has counted: by name, and whether their place explores. seen is of what was seen, event:… of what guardrails watch.",
		}, []string{"reward", "explored"}),
		values: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lectern_explore_reward_value_total", Help: "What those rewards are worth.",
		}, []string{"explored"}),
		trips: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lectern_explore_guardrail_trips_total", Help: "How often a guardrail has stopped exploration from this process, on a surface or on all.",
		}, []string{"guardrail", "surface"}),
		lag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "lectern_explore_learning_lag_seconds", Help: "How old the last event was when this process had learnt from it.",
		}),
		steps: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "lectern_explore_learning_steps_total", Help: "Steps through the log of events that this process has taken.",
		}),
	}
	for _, name := range learn.Guardrails() { // from 0, or the first trip is no increase
		for _, surface := range append(lectern.Surfaces(), "") {
			m.trips.WithLabelValues(name, surfaceLabel(surface))
		}
	}
	return m
}

// Learnt implements learn.Meters.
func (m *learningMeters) Learnt(credits []lectern.Credit, lag time.Duration) {
	m.steps.Inc()
	m.lag.Set(lag.Seconds())
	for _, c := range credits {
		explored := "false"
		if c.Explored {
			explored = "true"
		}
		m.rewards.WithLabelValues(c.Name, explored).Inc()
		m.values.WithLabelValues(explored).Add(c.Value)
	}
}

// Published implements learn.Meters: the version that each replica uses is told instead.
func (*learningMeters) Published(int64) {}

// Tripped implements learn.Meters.
func (m *learningMeters) Tripped(guardrail string, surface lectern.Surface) {
	m.trips.WithLabelValues(guardrail, surfaceLabel(surface)).Inc()
}

// surfaceLabel names a surface, or all of them together.
func surfaceLabel(s lectern.Surface) string { return cmp.Or(string(s), "all") }

// What every replica tells of learning.
var ( // descriptions never change
	descPosterior = prometheus.NewDesc("lectern_explore_posterior_version",
		"Version of the posterior that this process explores by, 0 before anything was learnt.", nil, nil)
	descLearns = prometheus.NewDesc("lectern_explore_learns",
		"Whether this process is the one that learns and watches the guardrails: 1 or 0.", nil, nil)
)

// learningCollector reports on learning.
type learningCollector struct{ learning *learning }

var _ prometheus.Collector = learningCollector{}

func (c learningCollector) parts() []prometheus.Collector {
	m := c.learning.meters
	return []prometheus.Collector{m.rewards, m.values, m.trips, m.lag, m.steps}
}

// Describe implements prometheus.Collector.
func (c learningCollector) Describe(out chan<- *prometheus.Desc) {
	for _, p := range c.parts() {
		p.Describe(out)
	}
	out <- descPosterior
	out <- descLearns
}

// Collect implements prometheus.Collector.
func (c learningCollector) Collect(out chan<- prometheus.Metric) {
	for _, p := range c.parts() {
		p.Collect(out)
	}
	_, version := c.learning.keeper.Current()
	out <- prometheus.MustNewConstMetric(descPosterior, prometheus.GaugeValue, float64(version))
	learns := 0.0
	if c.learning.leads() {
		learns = 1
	}
	out <- prometheus.MustNewConstMetric(descLearns, prometheus.GaugeValue, learns)
}

var _ explore.Posteriors = (*learn.Keeper)(nil)
