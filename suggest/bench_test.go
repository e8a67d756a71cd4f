package suggest

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// BenchmarkSuggest types queries at catalogues of several sizes and reports the
// median and the 99th percentile by the number of letters, and the memory of the
// snapshot.
func BenchmarkSuggest(b *testing.B) {
	for _, size := range []int{5_000, 100_000} {
		courses := synthetic(size)
		before := heap()
		s := suggesterOf(b, courses)
		perCourse := float64(heap()-before) / float64(size)
		for _, letters := range []int{1, 2, 3, 5, 8, 16} {
			b.Run(fmt.Sprintf("courses=%d/letters=%d", size, letters), func(b *testing.B) {
				measure(b, s, typed(courses, letters, false), perCourse)
			})
		}
		b.Run(fmt.Sprintf("courses=%d/typo", size), func(b *testing.B) { measure(b, s, typed(courses, 16, true), perCourse) })
		runtime.KeepAlive(courses)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// typed is the beginnings of 500 titles, with the third letter missing.
func typed(courses []lectern.Course, letters int, typo bool) []string {
	var out []string
	for i := range 500 {
		t := courses[i*len(courses)/500].Title
		t = t[:min(letters, len(t))]
		if typo {
			t = t[:2] + t[3:]
		}
		out = append(out, t)
	}
	return out
}

func measure(b *testing.B, s *Suggester, queries []string, perCourse float64) {
	b.ReportAllocs()
	var times []time.Duration
	i := 0
	for b.Loop() {
		began := time.Now()
		if _, err := s.Suggest(b.Context(), lectern.SuggestRequest{Query: queries[i%len(queries)]}); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(began))
		i++
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(perCourse, "B/course")
}

func BenchmarkRebuild(b *testing.B) {
	for _, size := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint("courses=", size), func(b *testing.B) {
			s := suggesterOf(b, synthetic(size))
			for b.Loop() {
				s.Rebuild()
			}
		})
	}
}
