package main

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed/openai"
	"github.com/lectern-dev/lectern/index/qdrant"
)

// meters gather what the outside backends tell of their calls.
type meters struct {
	mu        sync.Mutex
	embedders []*openai.Embedder // made in this process, those out of use too
	calls     map[qdrantCall]*callTotals
}

type qdrantCall struct{ operation, outcome string }

type callTotals struct {
	count   float64
	seconds float64
	tries   float64
}

func (m *meters) addEmbedder(e *openai.Embedder) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.embedders = append(m.embedders, e)
}

func (m *meters) observeQdrant(c qdrant.Call) {
	key := qdrantCall{c.Operation, "ok"}
	if c.Err != nil {
		key.outcome = string(lectern.ErrorCode(c.Err))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls == nil {
		m.calls = map[qdrantCall]*callTotals{}
	}
	t := m.calls[key]
	if t == nil {
		t = &callTotals{}
		m.calls[key] = t
	}
	t.count++
	t.seconds += c.Took.Seconds()
	t.tries += float64(c.Tries)
}

// What the outside backends report.
var ( // descriptions never change
	descLeader = prometheus.NewDesc("lectern_leader",
		"1 while this process does what one at a time may: write the shared index, train, tidy up.", nil, nil)
	descGeneration = prometheus.NewDesc("lectern_index_generation",
		"Version of the index and embedder in use.", nil, nil)

	descEmbedRequests = prometheus.NewDesc("lectern_embedding_requests_total",
		"Requests to the embedding server, by how they ended; spared ones were not sent.", []string{"outcome"}, nil)
	descEmbedRetries = prometheus.NewDesc("lectern_embedding_retries_total",
		"Further attempts at requests to the embedding server.", nil, nil)
	descEmbedTexts = prometheus.NewDesc("lectern_embedding_texts_total",
		"Texts that the embedding server embedded.", []string{"kind"}, nil)
	descEmbedCut = prometheus.NewDesc("lectern_embedding_cut_texts_total",
		"Texts that were longer than the model reads.", nil, nil)
	descEmbedTokens = prometheus.NewDesc("lectern_embedding_tokens_total",
		"Tokens that the embedding server billed.", nil, nil)
	descEmbedCost = prometheus.NewDesc("lectern_embedding_cost_total",
		"Cost of the tokens at the configured price, in its currency.", nil, nil)
	descEmbedSeconds = prometheus.NewDesc("lectern_embedding_busy_seconds_total",
		"Seconds spent in requests to the embedding server, added up.", nil, nil)
	descEmbedInFlight = prometheus.NewDesc("lectern_embedding_requests_in_flight",
		"Requests to the embedding server under way.", nil, nil)
	descEmbedBreaker = prometheus.NewDesc("lectern_embedding_breaker_open",
		"1 while the embedding server is left alone after failures.", nil, nil)

	descQdrantCalls = prometheus.NewDesc("lectern_qdrant_calls_total",
		"Calls to Qdrant, by operation and outcome.", []string{"operation", "outcome"}, nil)
	descQdrantSeconds = prometheus.NewDesc("lectern_qdrant_call_seconds_total",
		"Seconds that calls to Qdrant took, tries and waits included.", []string{"operation", "outcome"}, nil)
	descQdrantTries = prometheus.NewDesc("lectern_qdrant_tries_total",
		"Tries that the calls to Qdrant took.", []string{"operation", "outcome"}, nil)
	descQdrantBreaker = prometheus.NewDesc("lectern_qdrant_breaker_open",
		"1 while searches do not try to reach Qdrant after failures.", nil, nil)
)

// backendsCollector reports on the outside backends that are in use.
type backendsCollector struct{ engine *engine }

var _ prometheus.Collector = (*backendsCollector)(nil)

// Describe implements prometheus.Collector.
func (*backendsCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descLeader, descGeneration, descEmbedRequests, descEmbedRetries, descEmbedTexts, descEmbedCut, descEmbedTokens,
		descEmbedCost, descEmbedSeconds, descEmbedInFlight, descEmbedBreaker,
		descQdrantCalls, descQdrantSeconds, descQdrantTries, descQdrantBreaker,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *backendsCollector) Collect(out chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	send(descLeader, prometheus.GaugeValue, boolValue(c.engine.leads()))
	send(descGeneration, prometheus.GaugeValue, float64(c.engine.pipeline.Ready().Version))
	m := c.engine.meters
	m.mu.Lock()
	defer m.mu.Unlock()
	m.collectEmbedders(send)
	if c.engine.indexes == nil {
		return
	}
	for key, t := range m.calls {
		send(descQdrantCalls, prometheus.CounterValue, t.count, key.operation, key.outcome)
		send(descQdrantSeconds, prometheus.CounterValue, t.seconds, key.operation, key.outcome)
		send(descQdrantTries, prometheus.CounterValue, t.tries, key.operation, key.outcome)
	}
	send(descQdrantBreaker, prometheus.GaugeValue, boolValue(c.engine.indexes.BreakerState() != "closed"))
}

// collectEmbedders adds up all that were made, so that counters never fall; the
// caller holds m.mu.
func (m *meters) collectEmbedders(send func(*prometheus.Desc, prometheus.ValueType, float64, ...string)) {
	if len(m.embedders) == 0 {
		return
	}
	var sum openai.Stats
	requests := map[openai.Outcome]uint64{}
	open := false
	for _, e := range m.embedders {
		s := e.Stats()
		for outcome, n := range s.Requests {
			requests[outcome] += n
		}
		sum.InFlight += s.InFlight
		sum.Documents += s.Documents
		sum.Queries += s.Queries
		sum.CutTexts += s.CutTexts
		sum.Retries += s.Retries
		sum.Tokens += s.Tokens
		sum.Cost += s.Cost
		sum.Busy += s.Busy
		open = s.Breaker == "open" // of the one in use, which was made last
	}
	for outcome, n := range requests {
		send(descEmbedRequests, prometheus.CounterValue, float64(n), string(outcome))
	}
	send(descEmbedRetries, prometheus.CounterValue, float64(sum.Retries))
	send(descEmbedTexts, prometheus.CounterValue, float64(sum.Documents), "document")
	send(descEmbedTexts, prometheus.CounterValue, float64(sum.Queries), "query")
	send(descEmbedCut, prometheus.CounterValue, float64(sum.CutTexts))
	send(descEmbedTokens, prometheus.CounterValue, float64(sum.Tokens))
	send(descEmbedCost, prometheus.CounterValue, sum.Cost)
	send(descEmbedSeconds, prometheus.CounterValue, sum.Busy.Seconds())
	send(descEmbedInFlight, prometheus.GaugeValue, float64(sum.InFlight))
	send(descEmbedBreaker, prometheus.GaugeValue, boolValue(open))
}
