package explore

import (
	"maps"
	"sync"
	"time"
)

// Stats counts what an explorer has done since its process began.
type Stats struct {
	Explored int64            // lists
	Skipped  map[string]int64 // lists that did not explore, by reason
	Choices  map[string]int64 // of exploring places, by how they came about
	Raised   int64            // of which put another course there than would have stood there

	FellBack int64 // lists that were explored by the prior: the newest posterior cannot be used

	Finished      int64 // lists whose propensities were found
	Failed        int64 // lists whose propensities were not found
	FinishSeconds float64
}

// meter keeps Stats.
type meter struct {
	mu sync.Mutex
	s  Stats
}

func newMeter() *meter {
	return &meter{s: Stats{Skipped: make(map[string]int64), Choices: make(map[string]int64)}}
}

func (m *meter) skip(why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.s.Skipped[why]++
}

func (m *meter) explored(by []string, moved []bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.s.Explored++
	for i, how := range by {
		m.s.Choices[how]++
		if moved[i] {
			m.s.Raised++
		}
	}
}

func (m *meter) fellBack() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.s.FellBack++
}

func (m *meter) finished(took time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.s.FinishSeconds += took.Seconds()
	if err != nil {
		m.s.Failed++
		return
	}
	m.s.Finished++
}

// Stats returns the counts.
func (e *Explorer) Stats() Stats {
	e.meter.mu.Lock()
	defer e.meter.mu.Unlock()
	out := e.meter.s
	out.Skipped, out.Choices = maps.Clone(out.Skipped), maps.Clone(out.Choices)
	return out
}
