package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// perSecond reports rows per second of a benchmark.
func perSecond(b *testing.B, what string, n int64) {
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), what+"/s")
}

func benchEvent(r *rand.Rand, id string) lectern.EventWrite {
	e := event(id, fmt.Sprint("learner-", r.IntN(5000)), fmt.Sprint("course-", r.IntN(1000)))
	e.Event.OccurredAt = e.Event.OccurredAt.Add(time.Duration(r.IntN(90*24)) * time.Hour)
	e.Event.SessionID = fmt.Sprint("session-", r.IntN(10000))
	return e
}

func BenchmarkAppendEvents(b *testing.B) {
	b.Run("batch1000", func(b *testing.B) {
		s := open(b, filepath.Join(b.TempDir(), "lectern.db"))
		r := rand.New(rand.NewPCG(1, 2))
		var n int64
		b.ReportAllocs()
		for b.Loop() {
			batch := make([]lectern.EventWrite, 1000)
			for i := range batch {
				n++
				batch[i] = benchEvent(r, fmt.Sprint("event-", n))
			}
			if _, err := s.AppendEvents(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, "events", n)
	})
	for _, writers := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("single/writers%d", writers), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "lectern.db"))
			var n, seed atomic.Int64
			b.SetParallelism((writers + 1) / 2) // times GOMAXPROCS, which is 2 here
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				r := rand.New(rand.NewPCG(1, uint64(seed.Add(1))))
				for pb.Next() {
					e := benchEvent(r, fmt.Sprint("event-", n.Add(1)))
					if _, err := s.AppendEvents(b.Context(), []lectern.EventWrite{e}); err != nil {
						b.Error(err)
						return
					}
				}
			})
			perSecond(b, "events", n.Load())
		})
	}
}

// BenchmarkPutRatings writes batches as an import does: the ratings of a course
// stand together, a fifth of them in cells of their own.
func BenchmarkPutRatings(b *testing.B) {
	const batchSize = 5000
	make5000 := func(r *rand.Rand, batch int) []lectern.Rating {
		seen := map[[3]int]int{}
		out := make([]lectern.Rating, batchSize)
		for i := range out {
			cell := [3]int{batch, r.IntN(300), 1 + min(4, r.IntN(12))}
			seen[cell]++
			out[i] = lectern.Rating{
				Source: "import", CourseID: fmt.Sprint("course-", cell[0]), Stars: float64(cell[2]),
				Day: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, cell[1]), Occurrence: seen[cell],
			}
		}
		return out
	}
	for _, again := range []bool{false, true} {
		b.Run(map[bool]string{false: "new", true: "again"}[again], func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "lectern.db"))
			r := rand.New(rand.NewPCG(1, 2))
			n := 0
			batch := make5000(r, 0)
			b.ReportAllocs()
			for b.Loop() {
				if !again {
					batch = make5000(r, n)
				}
				n++
				if _, err := s.PutRatings(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b, "ratings", int64(n*batchSize))
		})
	}
}

func BenchmarkPutCourses(b *testing.B) {
	const batchSize = 500
	for _, again := range []bool{false, true} {
		b.Run(map[bool]string{false: "new", true: "unchanged"}[again], func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "lectern.db"))
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				batch := make([]lectern.CoursePatch, batchSize)
				for i := range batch {
					id := n + i
					if again {
						id = i
					}
					batch[i] = course(fmt.Sprint("course-", id))
					batch[i].Course.Description = fmt.Sprint("A description of some length, of course number ", id)
					batch[i].Course.Skills = []string{"go", "databases", "testing"}
				}
				n += batchSize
				if _, err := s.PutCourses(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b, "courses", int64(n))
		})
	}
}

// BenchmarkProfile reads a profile of 50 courses.
func BenchmarkProfile(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "lectern.db"))
	for l := range 100 {
		var events []lectern.EventWrite
		for c := range 50 {
			events = append(events, event(fmt.Sprintf("%d-%d", l, c), fmt.Sprint("learner-", l), fmt.Sprint("course-", c)))
		}
		if _, err := s.AppendEvents(b.Context(), events); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("whole", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			i++
			p, err := s.Profile(b.Context(), lectern.LearnerRef{ID: fmt.Sprint("learner-", i%100)})
			if err != nil || len(p.Entries) != 50 {
				b.Fatal(len(p.Entries), err)
			}
		}
	})
	b.Run("version", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.ProfileVersion(b.Context(), lectern.LearnerRef{ID: "learner-7"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
