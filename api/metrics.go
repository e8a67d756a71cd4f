package api

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lectern-dev/lectern"
)

// metrics are what /metrics tells about requests. Labels are bounded: route
// templates, never paths; surfaces, stages, outcomes.
type metrics struct {
	inFlight prometheus.Gauge
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	size     *prometheus.HistogramVec
	stages   *prometheus.HistogramVec
	degraded *prometheus.CounterVec
	rows     *prometheus.CounterVec
	lists    *prometheus.CounterVec
	feedback *prometheus.CounterVec
	reports  *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "lectern_http_requests_in_flight", Help: "Requests that are being answered.",
		}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lectern_http_requests_total", Help: "Requests answered, by method, route template and status.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lectern_http_request_duration_seconds", Help: "Time to answer a request.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route"}),
		size: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lectern_http_response_size_bytes", Help: "Size of answers.",
			Buckets: prometheus.ExponentialBuckets(256, 4, 8),
		}, []string{"route"}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lectern_list_stage_duration_seconds", Help: "Time of one stage of making a list.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1},
		}, []string{"surface", "stage"}),
		degraded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lectern_lists_degraded_total", Help: "Lists that a part did not take part in.",
		}, []string{"surface", "part"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lectern_ingest_rows_total", Help: "Rows written by HTTP, by kind and outcome.",
		}, []string{"kind", "outcome"}),
		lists: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lectern_lists_total", Help: "Lists answered with, by surface: what feedback and reports are a share of.",
		}, []string{"surface"}),
		feedback: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lectern_feedback_total", Help: "What learners said about suggestions, by kind and by the surface of the list that it is about.",
		}, []string{"kind", "surface"}),
		reports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lectern_reports_total", Help: "Reports of poor suggestions, by reason and by the surface of the list that they are about.",
		}, []string{"reason", "surface"}),
	}
	for _, c := range []prometheus.Collector{m.inFlight, m.requests, m.duration, m.size, m.stages, m.degraded, m.rows, m.lists, m.feedback, m.reports} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) observe(method, route string, status int, took time.Duration, size int64) {
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(method, route).Observe(took.Seconds())
	m.size.WithLabelValues(route).Observe(float64(size))
}

func (m *metrics) list(surface lectern.Surface, l lectern.List) {
	m.lists.WithLabelValues(string(surface)).Inc()
	for _, t := range l.Timings {
		m.stages.WithLabelValues(string(surface), t.Stage).Observe(t.Duration.Seconds())
	}
	for _, part := range l.Degraded {
		m.degraded.WithLabelValues(string(surface), part).Inc()
	}
}

// said counts feedback. The surface is that of the list it is about, as it was
// recorded; "" where no list was cited.
func (m *metrics) said(f lectern.Feedback) {
	m.feedback.WithLabelValues(string(f.Kind), string(f.Surface)).Inc()
	if f.Kind == lectern.FeedbackReport {
		m.reports.WithLabelValues(string(f.Reason), string(f.Surface)).Inc()
	}
}

func (m *metrics) row(kind string, outcome lectern.WriteOutcome) {
	m.rows.WithLabelValues(kind, string(outcome)).Inc()
}
