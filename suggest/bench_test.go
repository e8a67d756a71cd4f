package suggest

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
)

// BenchmarkSuggest types queries at catalogues of several sizes and reports the
// median and the 99th percentile by the number of letters, and the memory of the
// snapshot. A real catalogue is filled up by the demo generator; an invented one
// has words of few syllables, which are all alike, the worst for misspelt words.
func BenchmarkSuggest(b *testing.B) {
	for _, size := range benchSizes() {
		b.Run(fmt.Sprint("real=", size), func(b *testing.B) { typeAt(b, realistic(b, size)) })
		b.Run(fmt.Sprint("invented=", size), func(b *testing.B) { typeAt(b, synthetic(size)) })
	}
}

// benchSizes are how many courses the catalogues have. The largest takes minutes:
// it is left out unless LECTERN_TEST_LARGE is set.
func benchSizes() []int {
	sizes := []int{5_000, 100_000}
	if os.Getenv("LECTERN_TEST_LARGE") != "" {
		sizes = append(sizes, 250_000)
	}
	return sizes
}

// typeAt types the titles of a catalogue at it.
func typeAt(b *testing.B, courses []lectern.Course) {
	before := heap()
	s := suggesterOf(b, courses)
	perCourse := float64(heap()-before) / float64(len(courses))
	var all []string
	for letters := range 24 {
		queries := typed(courses, letters+1, false)
		all = append(all, queries...)
		if slices.Contains([]int{1, 2, 3, 5, 8, 16, 24}, letters+1) {
			b.Run(fmt.Sprint("letters=", letters+1), func(b *testing.B) { measure(b, s, queries, perCourse) })
		}
	}
	b.Run("typo", func(b *testing.B) { measure(b, s, typed(courses, 16, true), perCourse) })
	b.Run("typing", func(b *testing.B) { measure(b, s, all, perCourse) })
	runtime.KeepAlive(courses)
}

// realistic is a real catalogue, where there is one, filled up by the demo
// generator.
func realistic(tb testing.TB, n int) []lectern.Course {
	out := realCourses(tb)
	out = out[:min(len(out), n)]
	return append(out, demo.Catalog(n-len(out), 1, testNow())...)
}

// realCourses reads the titles, skills and providers of a real catalogue.
func realCourses(tb testing.TB) []lectern.Course {
	dir := os.Getenv("LECTERN_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "coursera-2021", "*.csv.gz"))
	if len(files) == 0 {
		tb.Log("no real catalogue: the demo generator's alone")
		return nil
	}
	f, err := os.Open(files[0])
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	rows, err := csv.NewReader(unzipped).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	column := func(row []string, name string) string {
		return row[slices.Index(rows[0], name)]
	}
	var out []lectern.Course
	for i, row := range rows[1:] {
		out = append(out, lectern.Course{
			ID: fmt.Sprint("real", i), Title: column(row, "title"), Provider: column(row, "provider"),
			Skills: strings.Split(column(row, "skill"), ","), Description: column(row, "description"),
		})
	}
	return out
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
		t := []rune(courses[i*len(courses)/500].Title)
		t = t[:min(letters, len(t))]
		if typo && len(t) > 2 {
			t = slices.Delete(t, 2, 3)
		}
		out = append(out, string(t))
	}
	return out
}

// asked is how often each query is asked; its quickest time counts, so that what
// else the machine does is not measured.
const asked = 3

func measure(b *testing.B, s *Suggester, queries []string, perCourse float64) {
	b.ReportAllocs()
	var times []time.Duration
	i := 0
	for b.Loop() {
		quickest := time.Hour
		for range asked {
			began := time.Now()
			if _, err := s.Suggest(b.Context(), lectern.SuggestRequest{Query: queries[i%len(queries)]}); err != nil {
				b.Fatal(err)
			}
			quickest = min(quickest, time.Since(began))
		}
		times = append(times, quickest)
		i += 7 // without a common factor with their number: all are asked
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
