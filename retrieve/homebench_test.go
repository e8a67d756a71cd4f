package retrieve_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/viterin/vek/vek32"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/retrieve"
)

// factorModel scores by factors of 64 dimensions, as a factorised model does: the work
// of one without its learning.
type factorModel struct {
	items []string
	at    map[string]int
	rows  [][]float32
}

func newFactorModel(items []string) *factorModel {
	r := rand.New(rand.NewPCG(5, 6))
	m := &factorModel{items: items, at: make(map[string]int, len(items)), rows: make([][]float32, len(items))}
	for i, id := range items {
		m.at[id] = i
		m.rows[i] = make([]float32, 64)
		for j := range m.rows[i] {
			m.rows[i][j] = float32(r.NormFloat64())
		}
	}
	return m
}

func (m *factorModel) Version() int64 { return 1 }

// query is the sum of what was touched.
func (m *factorModel) query(touched []lectern.Touch) []float32 {
	q := make([]float32, 64)
	for _, t := range touched {
		if i, ok := m.at[t.CourseID]; ok {
			for j, x := range m.rows[i] {
				q[j] += x
			}
		}
	}
	return q
}

func (m *factorModel) score(q []float32, i int) float32 { return vek32.Dot(m.rows[i], q) }

func (m *factorModel) best(q []float32, k int, allow func(string) bool) []lectern.Hit {
	out := make([]lectern.Hit, 0, k+1) // rising
	for i, id := range m.items {
		s := m.score(q, i)
		if len(out) == k && s <= out[0].Score || !allow(id) {
			continue
		}
		at, _ := slices.BinarySearchFunc(out, s, func(h lectern.Hit, s float32) int { return cmp.Compare(h.Score, s) })
		if out = slices.Insert(out, at, lectern.Hit{ID: id, Score: s}); len(out) > k {
			out = slices.Delete(out, 0, 1)
		}
	}
	slices.Reverse(out)
	return out
}

func (m *factorModel) Top(touched []lectern.Touch, k int, allow func(string) bool) []lectern.Hit {
	return m.best(m.query(touched), k, allow)
}

func (m *factorModel) Scores(touched []lectern.Touch, ids []string) []float64 {
	q, out := m.query(touched), make([]float64, len(ids))
	for i, id := range ids {
		out[i] = float64(m.score(q, m.at[id])) / 1000
	}
	return out
}

func (m *factorModel) Factor(touched []lectern.Touch) []float32 {
	q := m.query(touched)
	norm := 0.0
	wide := make([]float64, len(q))
	for i, x := range q {
		wide[i] = float64(x)
		norm += wide[i] * wide[i]
	}
	return unit32(wide, norm)
}

func (m *factorModel) Next(id string, k int, allow func(string) bool) []lectern.Hit {
	return m.Similar(id, k, allow)
}

// Similar knows fifty others of every course.
func (m *factorModel) Similar(id string, k int, allow func(string) bool) []lectern.Hit {
	var out []lectern.Hit
	for step := 1; step <= 50 && len(out) < k; step++ {
		if other := m.items[(m.at[id]+step*37)%len(m.items)]; allow(other) {
			out = append(out, lectern.Hit{ID: other, Score: 1 / float32(step)})
		}
	}
	return out
}

// BenchmarkHome makes whole home pages of eight rows of ten for learners with four
// interests and forty courses: anew for every request, as after an event, and kept; and
// only what goes into them, the candidates of all sources.
func BenchmarkHome(b *testing.B) {
	for _, n := range []int{5_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkHome(b, n) })
	}
}

// benchLearners is how many learners take turns.
const benchLearners = 200

func benchmarkHome(b *testing.B, n int) {
	courses := bigCatalogue(n)
	ids := make([]string, n)
	for i, c := range courses {
		ids[i] = c.ID
	}
	model := newFactorModel(ids)
	w := newWorld(b, courses, func(w *world, c *retrieve.Config, _ *rerankConfig) {
		w.embedder = randomEmbedder{}
		c.Home.CacheCourses = 10_000
		w.others = retrieve.Deps{Collaborative: oneModel{model}, Neighbours: &fakeNeighbours{hits: hitsOf(ids[:200])}, Velocities: trends(hitsOf(ids[200:700]))}
		w.tastes = fourInterests()
	})
	points := make([]lectern.Point, 0, 1000)
	for i, c := range courses { // factors in the index
		v, err := w.index.Vectors(context.Background(), lectern.VectorContent, []string{c.ID})
		if err != nil {
			b.Fatal(err)
		}
		points = append(points, lectern.Point{
			ID: c.ID, Payload: lectern.PayloadOf(c),
			Dense: map[string][]float32{lectern.VectorContent: v[0], lectern.VectorCF: model.Factor([]lectern.Touch{{CourseID: c.ID}})},
		})
		if len(points) == cap(points) || i == len(courses)-1 {
			if err := w.index.Upsert(context.Background(), points); err != nil {
				b.Fatal(err)
			}
			points = points[:0]
		}
	}
	refs := make([]lectern.LearnerRef, benchLearners)
	r := rand.New(rand.NewPCG(9, 9))
	for i := range refs {
		refs[i] = lectern.LearnerRef{ID: fmt.Sprintf("learner-%d", i)}
		for j := range 40 {
			w.act(refs[i], []lectern.EventType{lectern.EventEnrol, lectern.EventComplete, lectern.EventClick}[j%3], ids[r.IntN(n)])
		}
	}
	page := func(ref lectern.LearnerRef) error {
		h, err := w.engine.Home(context.Background(), lectern.HomeRequest{Learner: ref, Limit: 10})
		if err == nil && len(h.Rows) < 7 {
			err = fmt.Errorf("%d rows", len(h.Rows))
		}
		return err
	}
	run := func(b *testing.B, before func(i int), work func(lectern.LearnerRef) error) {
		var took []time.Duration
		var from, to syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &from)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			ref := refs[i%benchLearners]
			before(i)
			start := time.Now()
			if err := work(ref); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(start))
		}
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &to)
		cpu := time.Duration(to.Utime.Nano() + to.Stime.Nano() - from.Utime.Nano() - from.Stime.Nano())
		b.ReportMetric(float64(cpu.Microseconds())/float64(len(took)), "cpu-µs") // what other processes do to the clock aside
		slices.Sort(took)
		b.ReportMetric(float64(took[0].Microseconds()), "min-µs") // near to a machine with nothing else to do
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	}
	for _, ref := range refs {
		w.page(lectern.HomeRequest{Learner: ref, Limit: 10})
	}
	b.Run("kept", func(b *testing.B) { run(b, func(int) {}, page) })
	b.Run("made", func(b *testing.B) { run(b, func(i int) { w.engine.Forget(refs[i%benchLearners]) }, page) })
	b.Run("candidates", func(b *testing.B) { // of all sources, made one list
		run(b, func(int) {}, func(ref lectern.LearnerRef) error {
			n, err := w.engine.Candidates(context.Background(), ref)
			if err == nil && n < 500 {
				err = fmt.Errorf("%d candidates", n)
			}
			return err
		})
	})
}

func hitsOf(ids []string) []lectern.Hit {
	out := make([]lectern.Hit, len(ids))
	for i, id := range ids {
		out[i] = lectern.Hit{ID: id, Score: 1 / float32(i+1)}
	}
	return out
}

// fourInterests gives everybody four interests, a last session and something turned
// down, in the space of randomEmbedder.
func fourInterests() func(*learner.Taste) {
	r := rand.New(rand.NewPCG(3, 4))
	var vectors [][]float32
	for range 6 {
		vectors = append(vectors, randomUnit(r))
	}
	return func(t *learner.Taste) {
		t.Vectors, t.Shares = vectors[:4], []float64{0.4, 0.3, 0.2, 0.1}
		t.Recent, t.Away = vectors[4], vectors[5]
	}
}
