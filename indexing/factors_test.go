package indexing

import (
	"fmt"
	"hash/fnv"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/lectern-dev/lectern"
)

// model is the collaborative model in use, as several processes see it.
type model struct{ version atomic.Int64 }

// without is a course that no model knows.
const without = "c0002"

// factorOf is a course's factor under a version.
func factorOf(version int64, id string) []float32 {
	if id == without {
		return nil
	}
	v := []float32{0, 0, 0, 0}
	h := fnv.New32()
	_, _ = h.Write([]byte(id))
	v[(int64(h.Sum32())+version)%4] = 1
	return v
}

func (m *model) factors() *Factors {
	v := m.version.Load()
	if v == 0 {
		return nil
	}
	return &Factors{Version: v, Dim: 4, Of: func(id string) []float32 { return factorOf(v, id) }}
}

func (m *model) use(o *Options) {
	o.Dense, o.Factors = map[string]int{lectern.VectorCF: 4}, m.factors
}

func (r *rig) holds(t *testing.T, version int64) {
	t.Helper()
	until(t, fmt.Sprintf("the index holds factors of %d", version), func() bool { return r.FactorsHeld() == version })
	r.settled(t)
	r.store.mu.Lock()
	var ids []string
	for id := range r.store.courses {
		ids = append(ids, id)
	}
	r.store.mu.Unlock()
	index, _ := r.Generation()
	got, err := index.Vectors(t.Context(), lectern.VectorCF, ids)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		if want := factorOf(version, id); !slices.Equal(got[i], want) {
			t.Errorf("%s has the factor %v, not %v", id, got[i], want)
		}
	}
	r.agrees(t)
}

// settled waits until what has changed is embedded and in the index.
func (r *rig) settled(t *testing.T) {
	t.Helper()
	unembedded := func(d Difference) bool { return d.Kind == DifferenceUnembedded }
	until(t, "every course has its vector", func() bool {
		found, err := r.Compare(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc(found, unembedded)
	})
}

func TestFactors(t *testing.T) {
	for _, shared := range []bool{false, true} {
		t.Run(map[bool]string{false: "in the process", true: "shared"}[shared], func(t *testing.T) {
			m, b := newMemory(), newBackend()
			m.put(someCourses(30)...)
			var one, two model
			var first, second *rig
			if shared {
				first, _ = replica(t, m, b, "one", one.use)
				first.wait(t, "vectors answer", vectorsReady)
				second, _ = replica(t, m, b, "two", two.use)
			} else {
				first = newRig(t, m, one.use)
				first.start(t)
				second = first
			}
			first.wait(t, "vectors answer", vectorsReady)
			second.wait(t, "vectors answer", vectorsReady)
			if n := first.FactorsHeld(); n != 0 {
				t.Errorf("without a model: %d", n)
			}
			for _, version := range []int64{7, 8, 7} { // and back
				one.version.Store(version)
				two.version.Store(version)
				first.holds(t, version)
				second.holds(t, version)
			}
			m.put(course("new", "brand new"), course("c0001", "a new name"))
			m.remove("c0003")
			second.holds(t, 7)

			// A new generation has them too.
			if err := first.Reindex(t.Context(), "", nil); err != nil {
				t.Fatal(err)
			}
			first.holds(t, 7)
			second.holds(t, 7)
		})
	}
}

// A process that has died left an index that holds factors of two versions.
func TestFactorsHalfWritten(t *testing.T) {
	m, b := newMemory(), newBackend()
	m.put(someCourses(30)...)
	var before model
	before.version.Store(7)
	first, stop := replica(t, m, b, "one", before.use)
	first.wait(t, "vectors answer", vectorsReady)
	first.holds(t, 7)
	version := first.Ready().Version
	stop()

	x, err := b.at(version)
	if err != nil {
		t.Fatal(err)
	}
	p := lectern.Point{ID: "c0001", Dense: map[string][]float32{lectern.VectorCF: factorOf(8, "c0001")}}
	if err := x.Upsert(t.Context(), []lectern.Point{p}); err != nil {
		t.Fatal(err)
	}
	if err := m.SetFeedPosition(t.Context(), factorsName(version), -1); err != nil {
		t.Fatal(err)
	}
	next, _ := replica(t, m, b, "two", before.use) // the old model, after a way back
	next.wait(t, "vectors answer", vectorsReady)
	next.holds(t, 7)
}

// What Compare calls wrong, Mend writes anew.
func TestWrongFactor(t *testing.T) {
	m := newMemory()
	m.put(someCourses(10)...)
	var mod model
	mod.version.Store(3)
	r := newRig(t, m, mod.use)
	r.start(t)
	r.wait(t, "vectors answer", vectorsReady)
	r.holds(t, 3)
	l := r.line.Load()
	l.cf.written.Store(nil)
	courses, _ := m.Courses(t.Context(), []string{"c0001"})
	if err := r.rewrite(t.Context(), l, courses); err != nil {
		t.Fatal(err)
	}
	l.cf.written.Store(mod.factors())
	found, err := r.Compare(t.Context())
	if err != nil || len(found) != 1 || found[0].Kind != DifferenceFactor || found[0].CourseID != "c0001" {
		t.Fatalf("%v, %v", found, err)
	}
	if _, err := r.Mend(t.Context(), found); err != nil {
		t.Fatal(err)
	}
	r.holds(t, 3)
}

// Factors that the index has no room for stay out of it, and nothing waits for them.
func TestFactorsWithoutRoom(t *testing.T) {
	m, b := newMemory(), newBackend()
	m.put(someCourses(10)...)
	var mod model
	mod.version.Store(3)
	r, _ := replica(t, m, b, "one", func(o *Options) { mod.use(o); o.Dense[lectern.VectorCF] = 8 })
	r.wait(t, "vectors answer", vectorsReady)
	m.put(course("new", "brand new"))
	r.settled(t)
	if got := r.find(t, "brand"); got != "new" || r.FactorsHeld() != 0 {
		t.Errorf("finds %q, holds %d", got, r.FactorsHeld())
	}
	r.agrees(t)
}
