package openai

import (
	"maps"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// Stats are what an embedder has done since it was made.
type Stats struct {
	Requests      map[Outcome]uint64 // sent, by how they ended; OutcomeSpared was not sent
	InFlight      int
	Documents     uint64        // embedded
	Queries       uint64        // embedded
	CutTexts      uint64        // that were longer than the model reads
	HalvedBatches uint64        // that were too large for the server
	Retries       uint64        // further attempts
	Tokens        uint64        // as the server bills them
	Cost          float64       // of Tokens, at the configured price
	Busy          time.Duration // spent in requests, added up
	Breaker       string        // closed, half-open or open
	BreakerOpened uint64        // how often
}

// Stats returns the figures so far.
func (e *Embedder) Stats() Stats {
	state := e.breaker.State().String()
	e.stats.mu.Lock()
	defer e.stats.mu.Unlock()
	s := e.stats.Stats
	s.Requests = maps.Clone(s.Requests)
	s.Breaker = state
	s.Cost = float64(s.Tokens) * e.cfg.PricePerMillionTokens / 1e6
	return s
}

// counters are Stats under a lock; requests are too rare for more.
type counters struct {
	mu sync.Mutex
	Stats
}

func (c *counters) change(f func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Requests == nil {
		c.Requests = make(map[Outcome]uint64)
	}
	f(&c.Stats)
}

func (c *counters) cutText()     { c.change(func(s *Stats) { s.CutTexts++ }) }
func (c *counters) halvedBatch() { c.change(func(s *Stats) { s.HalvedBatches++ }) }
func (c *counters) retried()     { c.change(func(s *Stats) { s.Retries++ }) }
func (c *counters) opened()      { c.change(func(s *Stats) { s.BreakerOpened++ }) }
func (c *counters) spared()      { c.change(func(s *Stats) { s.Requests[OutcomeSpared]++ }) }
func (c *counters) begin()       { c.change(func(s *Stats) { s.InFlight++ }) }

func (c *counters) billed(tokens int) {
	c.change(func(s *Stats) { s.Tokens += uint64(max(tokens, 0)) })
}

func (c *counters) end(o Outcome, took time.Duration) {
	c.change(func(s *Stats) {
		s.InFlight--
		s.Requests[o]++
		s.Busy += took
	})
}

// embedded counts the texts that have got a vector.
func (c *counters) embedded(kind lectern.EmbedKind, vectors [][]float32) {
	n := uint64(0)
	for _, v := range vectors {
		if v != nil {
			n++
		}
	}
	c.change(func(s *Stats) {
		if kind == lectern.EmbedQuery {
			s.Queries += n
		} else {
			s.Documents += n
		}
	})
}
