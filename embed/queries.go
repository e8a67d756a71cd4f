package embed

import (
	"context"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// flightTime bounds a query that is embedded for callers who may all have left.
// Embedders that ask a server have a shorter limit of their own.
const flightTime = 10 * time.Second

// QueryStats says where query vectors came from.
type QueryStats struct {
	Kept   uint64 // answered from memory
	Shared uint64 // answered by a call that another caller had made
	Asked  uint64 // passed to the embedder
}

// QueryStats returns the figures so far.
func (c *Cache) QueryStats() QueryStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// flight is a query under way. vector and err are set before done is closed.
type flight struct {
	done   chan struct{}
	vector []float32
	err    error
}

// embedQueries serves queries from memory where it can, and joins what other
// callers have asked for already. The rest is asked for in one call that goes on
// when its caller leaves: others may have joined, the answer is of use to whoever
// asks next, and only the embedder's own time limit tells it that a server is slow.
func (c *Cache) embedQueries(ctx context.Context, texts []string) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, queryEnded(err)
	}
	out := make([][]float32, len(texts))
	waits, own := c.board(texts, out)
	if len(own) > 0 {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightTime)
		go func() { // ends with the embedder's call
			defer cancel()
			c.fly(bounded, own)
		}()
	}
	for i, f := range waits {
		if f == nil {
			continue
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, queryEnded(ctx.Err())
		}
		if f.err != nil {
			return nil, f.err
		}
		out[i] = slices.Clone(f.vector)
	}
	return out, nil
}

func queryEnded(err error) error {
	return lectern.Errorf(lectern.CodeDeadline, "embedding a query was cut short: %w", err)
}

// board puts kept vectors into out. For the other texts it returns the flights to
// wait for, and which of them the caller must see to.
func (c *Cache) board(texts []string, out [][]float32) (waits []*flight, own []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	waits = make([]*flight, len(texts))
	for i, s := range texts {
		if e, ok := c.queries[s]; ok {
			c.recent.MoveToFront(e)
			out[i] = slices.Clone(e.Value.(queryVector).vector)
			c.stats.Kept++
			continue
		}
		f, ok := c.flights[s]
		if ok {
			c.stats.Shared++
		} else {
			f = &flight{done: make(chan struct{})}
			c.flights[s] = f
			own = append(own, s)
			c.stats.Asked++
		}
		waits[i] = f
	}
	return waits, own
}

// fly embeds queries and lands them whatever happens: nobody above it would catch
// a panic.
func (c *Cache) fly(ctx context.Context, texts []string) {
	var vectors [][]float32
	var err error
	defer func() {
		if cause := recover(); cause != nil {
			err = lectern.Errorf(lectern.CodeInternal, "the embedder panicked: %v", cause)
		}
		c.land(texts, vectors, err)
	}()
	vectors, err = c.embedder.Embed(ctx, lectern.EmbedQuery, texts)
}

// land keeps the vectors of queries and wakes those who wait.
func (c *Cache) land(texts []string, vectors [][]float32, err error) {
	if err == nil && len(vectors) != len(texts) {
		err = lectern.Errorf(lectern.CodeInternal, "the embedder returned %d vectors for %d texts", len(vectors), len(texts))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, s := range texts {
		f := c.flights[s]
		delete(c.flights, s)
		if f.err = err; err == nil {
			f.vector = vectors[i]
			c.remember(s, f.vector)
		}
		close(f.done)
	}
}

// remember keeps a query's vector, in place of the one that was used longest ago.
// The lock is held.
func (c *Cache) remember(s string, v []float32) {
	c.queries[s] = c.recent.PushFront(queryVector{s, v})
	if c.recent.Len() > c.limit {
		oldest := c.recent.Back()
		c.recent.Remove(oldest)
		delete(c.queries, oldest.Value.(queryVector).text)
	}
}
