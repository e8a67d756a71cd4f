package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/settings"
)

// newSettings wires what keeps the reranker's settings, and puts those of the store
// to use.
func newSettings(ctx context.Context, env environment, catalog *retrieve.Catalog) (*settings.Service, error) {
	s, err := keptSettings(env, catalog)
	if err != nil {
		return nil, err
	}
	return s, s.Load(ctx)
}

// keptSettings reads and writes settings; those of the file are in use. catalog tells
// which rules are about the same courses, and which about none; nil knows no course.
func keptSettings(env environment, catalog *retrieve.Catalog) (*settings.Service, error) {
	return settings.New(settings.Options{
		Config: env.config.Settings, Store: env.store, File: env.config.Rerank,
		Warn:  func(c rerank.Config) []settings.Warning { return doubts(c.Rules, catalog, lectern.SystemClock()) },
		Clock: lectern.SystemClock, Logger: env.log,
	})
}

// doubts says which rules want contrary things, and which do nothing at a time.
func doubts(rules []rerank.Rule, catalog *retrieve.Catalog, at time.Time) []settings.Warning {
	facts := func(string) *rerank.Facts { return nil }
	idle := rerank.IdleRules(rules, at, nil, nil)
	if catalog != nil && catalog.Len() > 0 { // else nothing is known of any course yet
		facts = catalog.Facts
		idle = rerank.IdleRules(rules, at, catalog.Facts, catalog.Names)
	}
	var out []settings.Warning
	for _, c := range rerank.Clashes(rules, facts) {
		out = append(out, settings.Warning{Kind: settings.WarnClash, Rules: c.Rules[:], Wins: c.Wins, Courses: c.Courses, Message: c.Message})
	}
	for _, r := range idle {
		out = append(out, settings.Warning{Kind: settings.WarnNoEffect, Rules: []string{r.Rule}, Courses: r.Courses, Message: r.Message})
	}
	return out
}

// settingsMeters are what settings of one kind report.
type settingsMeters struct {
	version, since, unreadable *prometheus.Desc
}

func (m settingsMeters) describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.version, m.since, m.unreadable} {
		out <- d
	}
}

// usedSettings are settings of any kind.
type usedSettings interface {
	InUse() (version int64, since time.Time)
	Unreadable() int64
}

func (m settingsMeters) collect(out chan<- prometheus.Metric, of usedSettings) {
	gauge := func(d *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	version, since := of.InUse()
	seconds := 0.0
	if !since.IsZero() {
		seconds = float64(since.UnixMilli()) / 1000
	}
	gauge(m.version, float64(version))
	gauge(m.since, seconds)
	gauge(m.unreadable, float64(of.Unreadable()))
}

// settingsCollector reports on the settings.
type settingsCollector struct {
	engine  *engine
	rerank  settingsMeters
	explore settingsMeters
	enabled *prometheus.Desc
}

var _ prometheus.Collector = (*settingsCollector)(nil)

func newSettingsCollector(e *engine) *settingsCollector {
	return &settingsCollector{
		engine: e,
		rerank: settingsMeters{
			version: prometheus.NewDesc("lectern_rerank_config_version",
				"Version of the rerank settings in use in this process, 0 for the configuration file's.", nil, nil),
			since: prometheus.NewDesc("lectern_rerank_config_activated_timestamp_seconds",
				"Since when that version is the one to use, 0 where it never was chosen.", nil, nil),
			unreadable: prometheus.NewDesc("lectern_rerank_config_unreadable_version",
				"Version that should be in use but that this build cannot read, 0 for none.", nil, nil),
		},
		explore: settingsMeters{
			version: prometheus.NewDesc("lectern_explore_config_version",
				"Version of the exploration settings in use in this process, 0 for the configuration file's.", nil, nil),
			since: prometheus.NewDesc("lectern_explore_config_activated_timestamp_seconds",
				"Since when that version is the one to use, 0 where it never was chosen.", nil, nil),
			unreadable: prometheus.NewDesc("lectern_explore_config_unreadable_version",
				"Version that should be in use but that this build cannot read, 0 for none.", nil, nil),
		},
		enabled: prometheus.NewDesc("lectern_explore_enabled", "Whether lists explore in this process: 1 or 0.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *settingsCollector) Describe(out chan<- *prometheus.Desc) {
	c.rerank.describe(out)
	c.explore.describe(out)
	out <- c.enabled
}

// Collect implements prometheus.Collector.
func (c *settingsCollector) Collect(out chan<- prometheus.Metric) {
	c.rerank.collect(out, c.engine.settings)
	c.explore.collect(out, c.engine.exploring)
	on := 0.0
	if cfg, _ := c.engine.exploring.Current(); cfg.Enabled {
		on = 1
	}
	out <- prometheus.MustNewConstMetric(c.enabled, prometheus.GaugeValue, on)
}

// settings tells which settings are in use, and whether this build can read them.
func (d *doctor) settings(ctx context.Context, env environment) error {
	s, err := keptSettings(env, nil)
	if err != nil {
		return err
	}
	if err := s.Look(ctx); err != nil {
		return err
	}
	if v := s.Unreadable(); v != 0 {
		d.fault("take what is unknown away with `lectern config rerank patch`, go back with `lectern config rerank activate`, or run the build that wrote it",
			"this build cannot read the rerank settings in use, %s: it ranks by %s", settings.Name(v), s.Reranker().Version())
		return nil
	}
	d.good("lists are made by the settings %s", s.Reranker().Version())
	return d.exploring(ctx, env)
}
