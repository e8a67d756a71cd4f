package indexing

import (
	"context"
	"encoding/binary"
	"runtime"
	"slices"
	"sync"

	"github.com/lectern-dev/lectern"
)

// tracked is what is remembered about a course in the index.
type tracked struct {
	hash   lectern.ContentHash
	vector bool
	words  bool
}

// textKey is the part of a content hash by which trained texts are remembered.
func textKey(h lectern.ContentHash) uint64 { return binary.LittleEndian.Uint64(h[:8]) }

// line is a generation in the making or in use: its index, and what went in.
type line struct {
	words LexicalEncoder
	// follows says that another process writes the index, or another part of this
	// one: the line only counts words and remembers courses.
	follows bool
	// written says that the line is only there to be written to: a shared index on
	// its way to or ahead of the processes that search it.
	written bool
	cf      factored

	mu      sync.Mutex
	gen     *Generation
	courses map[string]tracked // listed ones
	vectors int
	worded  int
	empty   map[lectern.ContentHash]struct{} // texts that the embedder knows nothing of
}

func newLine(gen *Generation, words LexicalEncoder) *line {
	return &line{
		words: words, gen: gen,
		courses: map[string]tracked{}, empty: map[lectern.ContentHash]struct{}{},
	}
}

// generation returns the index with its embedder.
func (l *line) generation() *Generation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gen
}

// index returns the generation's index.
func (l *line) index() lectern.VectorIndex { return l.generation().Index }

// setEmbedder puts another embedder of the same fingerprint in place.
func (l *line) setEmbedder(e lectern.Embedder, version int64) *Generation {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gen = &Generation{Index: l.gen.Index, Embedder: e, Version: version}
	return l.gen
}

// setGeneration puts another generation in place of a line that follows.
func (l *line) setGeneration(g *Generation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gen = g
	l.cf.held.Store(0) // until somebody has looked
	clear(l.empty)
}

// wordMode says where the sparse side of a point comes from.
type wordMode int

const (
	wordsCounted wordMode = iota // Put: this line keeps the lexicon
	wordsOnly                    // DocVector: another line keeps it
	wordsLater                   // none in this pass
)

// item is an entry on its way into the index.
type item struct {
	Entry
	hash    lectern.ContentHash
	reviews []float32 // what the reviews say; nil where none do
}

// apply brings items and deletes into the index, and remembers them.
func (l *line) apply(ctx context.Context, items []item, deletes []string, mode wordMode) error {
	var live []item
	gone := slices.Clone(deletes)
	for _, it := range items {
		switch {
		case !listed(&it.Course):
			gone = append(gone, it.Course.ID)
		case !it.StatsOnly:
			live = append(live, it)
		}
	}
	if err := l.write(ctx, live, gone, mode); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range gone {
		l.forget(id)
		if mode != wordsOnly {
			l.words.Remove(id)
		}
	}
	for _, it := range live {
		l.forget(it.Course.ID)
		t := tracked{hash: it.hash, vector: len(it.Vector) > 0, words: mode != wordsLater}
		l.courses[it.Course.ID] = t
		l.vectors += one(t.vector)
		l.worded += one(t.words)
	}
	return nil
}

// write brings points into the index, or only counts their words.
func (l *line) write(ctx context.Context, live []item, gone []string, mode wordMode) error {
	if l.follows {
		parallel(len(live), func(i int) { l.words.Put(live[i].Course) })
		return nil
	}
	points := make([]lectern.Point, len(live))
	parallel(len(live), func(i int) { points[i] = l.point(&live[i], mode) })
	index := l.index()
	if len(gone) > 0 {
		if err := index.Delete(ctx, gone); err != nil {
			return err
		}
	}
	if len(points) > 0 {
		return index.Upsert(ctx, points)
	}
	return nil
}

// forget drops a course; the caller holds l.mu.
func (l *line) forget(id string) {
	t := l.courses[id]
	l.vectors -= one(t.vector)
	l.worded -= one(t.words)
	delete(l.courses, id)
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// point is what the index holds of a course.
func (l *line) point(it *item, mode wordMode) lectern.Point {
	p := lectern.Point{ID: it.Course.ID, Payload: lectern.PayloadOf(it.Course)}
	if len(it.Vector)+len(it.reviews) > 0 {
		p.Dense = make(map[string][]float32, 2)
	}
	if len(it.Vector) > 0 {
		p.Dense[lectern.VectorContent] = it.Vector
	}
	if len(it.reviews) > 0 {
		p.Dense[lectern.VectorReviews] = it.reviews
	}
	l.addFactor(&p)
	var words lectern.SparseVector
	switch mode {
	case wordsCounted:
		words = l.words.Put(it.Course)
	case wordsOnly:
		words = l.words.DocVector(it.Course)
	case wordsLater:
	}
	if len(words.Indices) > 0 {
		p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: words}
	}
	return p
}

// lacks reports whether a listed course has no vector although the line has an
// embedder, or is not known at all.
func (l *line) lacks(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.courses[id]
	return !ok || !t.vector
}

// missing returns up to limit courses that should be embedded.
func (l *line) missing(limit int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gen.Embedder == nil || l.vectors == len(l.courses) {
		return nil
	}
	var ids []string
	for id, t := range l.courses {
		if len(ids) == limit {
			break
		}
		if _, known := l.empty[t.hash]; !t.vector && !known {
			ids = append(ids, id)
		}
	}
	return ids
}

// markEmpty remembers texts that have no vector, so that nobody asks again.
func (l *line) markEmpty(fingerprint string, hashes []lectern.ContentHash) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gen.Fingerprint() != fingerprint {
		return
	}
	for _, h := range hashes {
		l.empty[h] = struct{}{}
	}
}

// drift is how much the listed texts differ from those trained on: the larger
// of new and gone texts, as a share of the trained ones.
func (l *line) drift(trained map[uint64]struct{}) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := make(map[uint64]struct{}, len(l.courses))
	fresh, kept := 0, 0
	for _, t := range l.courses {
		key := textKey(t.hash)
		if _, dup := seen[key]; dup {
			continue
		}
		seen[key] = struct{}{}
		if _, ok := trained[key]; ok {
			kept++
		} else {
			fresh++
		}
	}
	return float64(max(fresh, len(trained)-kept)) / float64(max(1, len(trained)))
}

// parallel calls f for 0 to n-1, on all cores when that is worth it.
func parallel(n int, f func(i int)) {
	const share = 32
	workers := min(runtime.GOMAXPROCS(0), (n+share-1)/share)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w * n / workers; i < (w+1)*n/workers; i++ {
				f(i)
			}
		})
	}
	wg.Wait()
}
