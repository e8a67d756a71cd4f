package training

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Stats count what a Trainer did in this process.
type Stats struct {
	Running  bool
	Failures uint64        // trainings that ended with an error; neither cut off nor with too little to learn from
	Refused  uint64        // trainings whose model was not put to use
	Last     time.Duration // that the last successful training took; 0 before any
}

type counters struct {
	mu sync.Mutex
	Stats
}

func (c *counters) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Running = true
}

func (c *counters) end(out *Outcome, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Running = false
	switch {
	case errors.Is(err, ErrTooLittle), errors.Is(err, context.Canceled):
	case err != nil:
		c.Failures++
	default:
		c.Last = time.Duration(out.Version.Seconds * float64(time.Second))
		if !out.Activated {
			c.Refused++
		}
	}
}

// Stats returns what was done so far.
func (t *Trainer) Stats() Stats {
	t.stats.mu.Lock()
	defer t.stats.mu.Unlock()
	return t.stats.Stats
}
