package neighbours

import (
	"math"
	"sync"
	"time"
)

// taken is what learners took, beside an index in this process: to read it from the
// store would take longer than to find the learners. Numbers stand for courses.
type taken struct {
	mu      sync.RWMutex
	of      map[string]basket // by the learner's id in the index
	courses []string
	number  map[string]uint32
}

// basket is what one learner took, heaviest first.
type basket struct {
	at       int64   // seconds since 1970, of the weights
	halfLife float32 // of them, in seconds
	courses  []uint32
	weights  []float32
	ends     []uint32 // courses that were started, with finishedBit where they were finished
}

const finishedBit = 1 << 31

func newTaken() *taken {
	return &taken{of: map[string]basket{}, number: map[string]uint32{}}
}

// put remembers what speaks for a learner among entries that weigh so much at a time.
func (t *taken) put(id string, entries []weighed, at time.Time) {
	b := basket{at: at.Unix()}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range entries {
		if e.weight <= 0 && !e.started() {
			continue
		}
		n := t.numberOf(e.course)
		switch {
		case e.finished():
			b.ends = append(b.ends, n|finishedBit)
		case e.started():
			b.ends = append(b.ends, n)
		}
		if e.weight <= 0 {
			continue
		}
		b.halfLife = float32(e.halfLife.Seconds())
		b.courses, b.weights = append(b.courses, n), append(b.weights, float32(e.weight))
	}
	t.of[id] = b
}

// numberOf is the number that stands for a course. The caller holds t.mu.
func (t *taken) numberOf(course string) uint32 {
	n, known := t.number[course]
	if !known {
		n = uint32(len(t.courses)) //nolint:gosec // courses of one catalogue
		t.number[course] = n
		t.courses = append(t.courses, course)
	}
	return n
}

func (t *taken) remove(ids []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		delete(t.of, id)
	}
}

// add adds what a learner took, times a factor, to sums by course, and what became of it.
func (t *taken) add(id string, factor float64, at time.Time, sums map[string]float64, became ends) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	b := t.of[id]
	if age := at.Unix() - b.at; age > 0 && b.halfLife > 0 {
		factor *= math.Exp2(-float64(age) / float64(b.halfLife))
	}
	for i, n := range b.courses {
		sums[t.courses[n]] += factor * float64(b.weights[i])
	}
	for _, n := range b.ends {
		became.add(t.courses[n&^finishedBit], n&finishedBit != 0)
	}
}
