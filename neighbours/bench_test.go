package neighbours

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index"
	"github.com/lectern-dev/lectern/internal/transfer"
	"github.com/lectern-dev/lectern/store/sqlite"
)

const (
	benchLearners = 100_000
	benchCourses  = 5_000
	benchTouched  = 10 // courses of a learner
	benchDim      = 256
	benchTopics   = 200
)

// benchWorld is a platform of a hundred thousand learners, each with courses of two
// topics out of two hundred.
type benchWorld struct {
	store   *sqlite.Store
	courses lectern.VectorIndex
	learner *Learners
	writer  *writer
}

func newBenchWorld(b *testing.B) *benchWorld {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	w := &benchWorld{store: openStore(b), courses: newMemory()}
	centres := make([][]float64, benchTopics)
	for i := range centres {
		centres[i] = make([]float64, benchDim)
		for j := range centres[i] {
			centres[i][j] = r.NormFloat64()
		}
	}
	points := make([]lectern.Point, benchCourses)
	for i := range points {
		v := make([]float64, benchDim)
		for j := range v {
			v[j] = centres[i%benchTopics][j] + r.NormFloat64()
		}
		points[i] = lectern.Point{ID: fmt.Sprint("course-", i), Dense: map[string][]float32{lectern.VectorContent: unit(v)}}
	}
	if err := w.courses.Upsert(b.Context(), points); err != nil {
		b.Fatal(err)
	}
	w.fill(b, r)
	space := Space{Version: 1, Fingerprint: "f", Courses: w.courses, Ready: true}
	var err error
	w.learner, err = New(Options{
		Config: DefaultConfig(), Store: w.store, Space: func() Space { return space },
		Asker: w.asker, MaxWeight: 10, Clock: func() time.Time { return noon }, Logger: slog.New(slog.DiscardHandler),
		New: func() lectern.VectorIndex { return index.New(index.Options{}) },
	})
	if err != nil {
		b.Fatal(err)
	}
	w.writer = &writer{l: w.learner}
	return w
}

// fill writes rows past the store's ways in, which would take minutes.
func (w *benchWorld) fill(b *testing.B, r *rand.Rand) {
	b.Helper()
	rows := map[string][]transfer.Row{}
	for i := range benchCourses {
		rows["course_ids"] = append(rows["course_ids"], transfer.Row{int64(i + 1), fmt.Sprint("course-", i)})
	}
	at := noon.UnixMicro()
	for l := range benchLearners {
		id := int64(l + 1)
		rows["learners"] = append(rows["learners"], transfer.Row{
			id, false, []string{}, "", nil, "", []string{}, "", []string{}, nil, nil, at, at, at, nil,
		})
		rows["identities"] = append(rows["identities"], transfer.Row{int64(0), fmt.Sprint("learner-", l), id})
		rows["learner_changes"] = append(rows["learner_changes"], transfer.Row{id, id})
		likes, taken := [2]int{r.IntN(benchTopics), r.IntN(benchTopics)}, map[int]bool{}
		for n := range benchTouched {
			course := likes[n%2] + benchTopics*r.IntN(benchCourses/benchTopics)
			if !taken[course] {
				taken[course] = true
				rows["profile_entries"] = append(rows["profile_entries"], transfer.Row{
					id, int64(course + 1), 3.0, at, halfLife.Microseconds(), int64(lectern.StateEnrolled), at,
				})
			}
		}
	}
	for _, t := range transfer.Tables() {
		for page := range slices.Chunk(rows[t.Name], 50_000) {
			if err := w.store.RestoreRows(b.Context(), t, page); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// asker answers from the index, as the taste of a learner is in memory when a list
// is made.
func (w *benchWorld) asker(ctx context.Context, ref lectern.LearnerRef) (Asker, error) {
	key, err := w.store.ProfileKey(ctx, ref)
	if err != nil {
		return Asker{}, err
	}
	v, err := w.learner.current.Load().index.Vectors(ctx, lectern.VectorContent, []string{idOf(key)})
	return Asker{Personal: true, Content: v[0]}, err
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkLearners fills the index with a hundred thousand learners, and asks for
// what similar ones took.
func BenchmarkLearners(b *testing.B) {
	w := newBenchWorld(b)
	before, start := heap(), time.Now()
	if err := w.writer.step(b.Context()); err != nil {
		b.Fatal(err)
	}
	took, held := time.Since(start), heap()-before
	b.Run("fill", func(b *testing.B) { // a thing of seconds, done once however often it is asked for
		b.ReportMetric(took.Seconds(), "s/fill")
		b.ReportMetric(float64(held)/(1<<20), "MB")
	})
	for _, way := range []string{"cells", "everybody"} {
		b.Run("liked/"+way, func(b *testing.B) {
			divided := w.learner.current.Load().divided.Load()
			if way == "everybody" {
				w.learner.current.Load().divided.Store(nil)
				defer w.learner.current.Load().divided.Store(divided)
			}
			r := rand.New(rand.NewPCG(3, 4))
			var took []time.Duration
			version := int64(len(way)) << 32
			b.ReportAllocs()
			for b.Loop() {
				version++ // never the kept answer
				start := time.Now()
				hits, err := w.learner.Liked(b.Context(), lectern.LearnerRef{ID: fmt.Sprint("learner-", r.IntN(benchLearners))}, version, 100)
				took = append(took, time.Since(start))
				if err != nil || len(hits) == 0 {
					b.Fatal(len(hits), err)
				}
			}
			percentiles(b, took)
		})
	}
	b.Run("liked/kept", func(b *testing.B) {
		ref := lectern.LearnerRef{ID: "learner-7"}
		b.ReportAllocs()
		for b.Loop() {
			if hits, err := w.learner.Liked(b.Context(), ref, -1, 100); err != nil || len(hits) == 0 {
				b.Fatal(len(hits), err)
			}
		}
	})
	b.Run("recall", func(b *testing.B) {
		s := w.learner.current.Load()
		r := rand.New(rand.NewPCG(5, 6))
		found, of := 0, 0
		for b.Loop() {
			q, err := s.index.Vectors(b.Context(), lectern.VectorContent, []string{idOf(int64(1 + r.IntN(benchLearners)))})
			if err != nil || q[0] == nil {
				b.Fatal(err)
			}
			near, err := s.nearest(b.Context(), lectern.VectorContent, q[0], 51)
			if err != nil {
				b.Fatal(err)
			}
			exact, err := s.index.Search(b.Context(), []lectern.VectorQuery{{Vector: lectern.VectorContent, Dense: q[0], K: 51}})
			if err != nil {
				b.Fatal(err)
			}
			want := ids(exact[0])
			for _, h := range near {
				if slices.Contains(want, h.ID) {
					found++
				}
			}
			of += len(want)
		}
		b.ReportMetric(float64(found)/float64(of), "recall@51")
	})
	b.Run("update", func(b *testing.B) { benchUpdate(b, w) })
}

// benchUpdate measures from an event to a point that is readable: append, follow.
func benchUpdate(b *testing.B, w *benchWorld) {
	b.Helper()
	var took []time.Duration
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		start := time.Now()
		_, err := w.store.AppendEvents(b.Context(), []lectern.EventWrite{{
			Event: lectern.Event{ID: fmt.Sprint("more-", n), Type: lectern.EventClick, LearnerID: fmt.Sprint("learner-", n%benchLearners),
				CourseID: fmt.Sprint("course-", n%benchCourses), OccurredAt: noon},
			Delta: &lectern.ProfileDelta{Weight: 1, HalfLife: halfLife, State: lectern.StateClicked},
		}})
		if err == nil {
			err = w.writer.step(b.Context())
		}
		took = append(took, time.Since(start))
		if err != nil {
			b.Fatal(err)
		}
	}
	percentiles(b, took)
}

func percentiles(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
