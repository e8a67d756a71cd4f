package suggest

import (
	"hash/maphash"
	"slices"
	"sync"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// frequencies count in how many courses a word occurs, anywhere in their texts:
// titles alone take many words for rare that every description holds. They are an
// estimate from the first courses that came; what is changed or deleted later
// stays counted. Safe for concurrent use.
type frequencies struct {
	seed maphash.Seed

	mu      sync.Mutex
	courses int
	words   map[uint64]int32
}

// maxCounted is how many courses an estimate needs at most.
const maxCounted = 20_000

func newFrequencies() *frequencies {
	return &frequencies{seed: maphash.MakeSeed(), words: make(map[uint64]int32)}
}

// add counts the words of a course that was not counted before.
func (f *frequencies) add(a *text.Analyzer, c lectern.Course) {
	if f.full() {
		return
	}
	var own []uint64
	for _, w := range split(a, c.EmbeddingText(), false) {
		own = append(own, maphash.String(f.seed, w.folded))
	}
	slices.Sort(own)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.courses++
	for _, w := range slices.Compact(own) {
		f.words[w]++
	}
}

func (f *frequencies) full() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.courses >= maxCounted
}

// share is the share of the courses that hold a word.
func (f *frequencies) share(word string) float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return float64(f.words[maphash.String(f.seed, word)]) / float64(max(f.courses, 1))
}
