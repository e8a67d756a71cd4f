package main

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/indexing"
)

const (
	// statsTimeout bounds what one scrape may wait for the store.
	statsTimeout = 2 * time.Second
	// statsEvery spares the store: counting rows reads whole tables.
	statsEvery = 30 * time.Second
)

// newRegistry returns the registry behind /metrics with the process's and the
// parts' own figures; the API adds those of HTTP.
func newRegistry(e *engine) (*prometheus.Registry, error) {
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&partsCollector{engine: e},
		&backendsCollector{engine: e},
		&modelsCollector{engine: e},
		&opinionsCollector{engine: e},
		&analyticsCollector{engine: e},
		newSettingsCollector(e),
		learningCollector{e.learning},
		&exploreCollector{engine: e},
		&profilesCollector{engine: e},
	} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return registry, nil
}

// What the parts report, read at each scrape.
var ( // descriptions never change
	descRows = prometheus.NewDesc("lectern_store_rows",
		"Rows in the store.", []string{"kind"}, nil)
	descParked = prometheus.NewDesc("lectern_store_parked_rows",
		"Rows that wait for a course that is not there yet.", []string{"kind"}, nil)
	descJobs = prometheus.NewDesc("lectern_jobs_pending",
		"Background jobs that are not done yet.", nil, nil)
	descLag = prometheus.NewDesc("lectern_feed_lag_changes",
		"Changes of the catalogue that the index has not taken in yet.", nil, nil)
	descCourses = prometheus.NewDesc("lectern_index_courses",
		"Courses in the index.", nil, nil)
	descVectors = prometheus.NewDesc("lectern_index_vectors",
		"Vectors in the index, by name.", []string{"vector"}, nil)
	descBytes = prometheus.NewDesc("lectern_index_memory_bytes",
		"Memory that the index holds, estimated.", nil, nil)
	descTraining = prometheus.NewDesc("lectern_embedder_training",
		"1 while an embedder is being trained or its vectors are being made.", nil, nil)
	descReady = prometheus.NewDesc("lectern_embedder_ready",
		"1 when meaning takes part in search: all courses that have a vector are in the index, or nine in ten of them in a shared one.", nil, nil)
	descSearchesDropped = prometheus.NewDesc("lectern_searches_dropped_total",
		"Searches that were never stored because the store did not keep up.", nil, nil)
	descDropped = prometheus.NewDesc("lectern_rankings_dropped_total",
		"Lists that were never stored because the store did not keep up.", nil, nil)
)

type partsCollector struct {
	engine *engine

	mu    sync.Mutex
	stats lectern.StoreStats
	at    time.Time // of stats
}

var _ prometheus.Collector = (*partsCollector)(nil)

// storeStats counts the store's rows, or remembers them.
func (c *partsCollector) storeStats(ctx context.Context) (lectern.StoreStats, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) < statsEvery {
		return c.stats, nil
	}
	s, err := c.engine.store.Stats(ctx)
	if err == nil {
		c.stats, c.at = s, time.Now()
	}
	return s, err
}

// Describe implements prometheus.Collector.
func (*partsCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descRows, descParked, descJobs, descLag, descCourses, descVectors, descBytes, descTraining, descReady, descDropped, descSearchesDropped, descOpinionHeld,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *partsCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), statsTimeout) // a scrape has none of its own
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ready := c.engine.pipeline.Ready()
	gauge(descTraining, boolValue(ready.Training))
	gauge(descReady, boolValue(ready.VectorsReady()))
	out <- prometheus.MustNewConstMetric(descDropped, prometheus.CounterValue, float64(c.engine.recorder.Dropped()))
	out <- prometheus.MustNewConstMetric(descSearchesDropped, prometheus.CounterValue, float64(c.engine.searches.log.Dropped()))
	if s, err := c.engine.pipeline.IndexStats(ctx); err == nil {
		gauge(descCourses, float64(s.Points))
		gauge(descBytes, float64(s.Bytes))
		for name, n := range s.Vectors {
			gauge(descVectors, float64(n), name)
		}
	}
	s, err := c.storeStats(ctx)
	if err != nil {
		c.engine.log.Warn("the store's figures are missing from a scrape", "error", err)
		return
	}
	for kind, n := range map[string]int64{
		"courses": s.Courses, "courses_retired": s.Retired, "reviews": s.Reviews, "ratings": s.Ratings,
		"learners": s.Learners, "visitors": s.Visitors, "events": s.Events, "rankings": s.Rankings, "searches": s.Searches,
	} {
		gauge(descRows, float64(n), kind)
	}
	for kind, n := range map[string]int64{"reviews": s.ParkedReviews, "ratings": s.ParkedRatings, "events": s.ParkedEvents} {
		gauge(descParked, float64(n), kind)
	}
	gauge(descJobs, float64(s.PendingJobs))
	gauge(descOpinionHeld, float64(s.HeldReviews))
	gauge(descLag, float64(c.lag(ctx, s, ready)))
}

// lag is how far the index is behind the store: the one in this process, or the
// shared one, which need not be reached to know.
func (c *partsCollector) lag(ctx context.Context, s lectern.StoreStats, ready indexing.Readiness) int64 {
	if !ready.Shared {
		return max(0, s.LastChange-ready.Position)
	}
	lag, err := c.engine.pipeline.Lag(ctx, ready.Version)
	if err != nil {
		c.engine.log.Warn("the index's lag is missing from a scrape", "error", err)
	}
	return lag
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
