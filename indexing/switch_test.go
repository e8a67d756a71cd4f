package indexing

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index"
)

// TestFingerprintsNeverMeet asks for index and embedder over and over while the
// embedder is replaced and courses change: every vector in the index must be the
// embedder's own.
func TestFingerprintsNeverMeet(t *testing.T) {
	m := newMemory()
	courses := someCourses(60)
	m.put(courses...)
	r := newRig(t, m, func(o *Options) { o.Config.RetrainShare = 100 })
	r.start(t)
	r.wait(t, "vectors answer", vectorsReady)
	ctx, cancel := context.WithCancel(t.Context())
	checked := make(chan int)
	go func() {
		n := 0
		defer func() { checked <- n }()
		ids := make([]string, len(courses))
		for i := range courses {
			ids[i] = courses[i].ID
		}
		for ; ctx.Err() == nil; n++ {
			x, e := r.Generation()
			vectors, err := x.Vectors(context.Background(), lectern.VectorContent, ids)
			if err != nil {
				t.Errorf("Vectors: %v", err)
				return
			}
			for i, v := range vectors {
				want, _ := e.Embed(ctx, lectern.EmbedDocument, []string{courses[i].EmbeddingText()})
				if !slices.Equal(v, want[0]) {
					t.Errorf("%s has a vector that is not of %s", ids[i], e.Fingerprint())
					return
				}
			}
		}
	}()
	seen := map[string]bool{}
	for i := range 8 {
		m.put(course(fmt.Sprint("more ", i), fmt.Sprint("another text ", i)))
		var calls, last int
		if err := r.Reindex(t.Context(), "", func(_ Stage, done, total int) { calls, last = calls+1, done-total }); err != nil {
			t.Fatal(err)
		}
		if calls == 0 || last != 0 {
			t.Errorf("progress was told %d times and ended at %d", calls, last)
		}
		seen[r.Ready().Fingerprint] = true
	}
	cancel()
	if n := <-checked; n == 0 {
		t.Error("nothing was checked")
	}
	if len(seen) != 8 {
		t.Errorf("%d different embedders, want 8", len(seen))
	}
	r.wait(t, "vectors answer", vectorsReady)
	r.agrees(t)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.artefacts) != 3 || len(m.vectors) != 3 {
		t.Errorf("%d artefacts and vectors of %d embedders are kept, want 3", len(m.artefacts), len(m.vectors))
	}
}

// TestAnotherProcessReindexes lets one pipeline train without running, as the
// command does, and another take it over.
func TestAnotherProcessReindexes(t *testing.T) {
	m := newMemory()
	m.put(someCourses(30)...)
	server := newRig(t, m, func(o *Options) { o.Config.RetrainShare = 100 })
	server.start(t)
	server.wait(t, "vectors answer", vectorsReady)
	before := server.Ready().Fingerprint
	m.put(course("late", "a late course"))

	command := newRig(t, m, nil)
	if err := command.Reindex(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	server.wait(t, "the server has the new embedder", func(s Readiness) bool {
		return vectorsReady(s) && s.Fingerprint != before
	})
	server.agrees(t)
}

// gated is an index whose first write waits.
type gated struct {
	lectern.VectorIndex
	Inspector
	first sync.Once
	began chan<- struct{}
	goOn  <-chan struct{}
}

func (g *gated) Upsert(ctx context.Context, points []lectern.Point) error {
	g.first.Do(func() {
		g.began <- struct{}{}
		<-g.goOn
	})
	return g.VectorIndex.Upsert(ctx, points)
}

// TestChangesDuringASwitch changes courses that the new index has read already
// and the old one goes on showing.
func TestChangesDuringASwitch(t *testing.T) {
	m := newMemory()
	m.put(someCourses(40)...)
	began, goOn := make(chan struct{}), make(chan struct{})
	var gate atomic.Bool
	r := newRig(t, m, func(o *Options) {
		o.Config.RetrainShare = 100
		o.NewIndex = func() lectern.VectorIndex {
			x := index.New(index.Options{})
			if !gate.Load() {
				return x
			}
			return &gated{VectorIndex: x, Inspector: x, began: began, goOn: goOn}
		}
	})
	r.start(t)
	r.wait(t, "vectors answer", vectorsReady)
	gate.Store(true)
	m.put(course("more", "so that another embedder comes out"))
	done := make(chan error, 1)
	go func() { done <- r.Reindex(context.Background(), "", nil) }()
	<-began
	m.put(course("c0001", "changed meanwhile"))
	m.put(course("new", "added meanwhile"))
	m.remove("c0002")
	r.catchUp(t)
	if got := r.find(t, "meanwhile"); got != "c0001 new" {
		t.Errorf("the old index found %q during the switch", got)
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := r.find(t, "meanwhile"); got != "c0001 new" {
		t.Errorf("the new index found %q after the switch", got)
	}
	r.wait(t, "vectors answer", vectorsReady)
	r.agrees(t)
}
