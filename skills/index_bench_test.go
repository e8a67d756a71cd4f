package skills_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

// benchCatalogue makes courses whose skills are as unevenly spread as a
// catalogue's: a few are in very many courses, most in few. The texts are short,
// since what is measured is the index, not the tagging.
func benchCatalogue(g *skills.Graph, n int) []lectern.Course {
	random := rand.New(rand.NewPCG(1, 2))
	all := slices.Clone(g.Skills())
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, id := range []string{"python", "machine-learning", "data-analysis", "sql", "project-management", "statistics", "public-speaking", "javascript"} {
		at := slices.IndexFunc(all, func(s skills.Skill) bool { return s.ID == id })
		all[i*3], all[at] = all[at], all[i*3]
	}
	often := rand.NewZipf(random, 1.1, 8, uint64(len(all)-1))
	pick := func() string { return all[often.Uint64()].Name }
	out := make([]lectern.Course, n)
	for i := range out {
		out[i] = lectern.Course{
			ID: fmt.Sprintf("course-%06d", i), Title: pick() + " for everyone",
			Description: "You will work on " + pick() + ". You will see " + pick() + " at work. Also covered, in the last weeks, is " + pick() + ".",
			Stated:      lectern.StatedStats{Enrolments: random.IntN(1000)},
		}
	}
	return out
}

const benchSize = 100_000

func benchIndex(b *testing.B) (*skills.Index, []lectern.Course) {
	g := shippedGraph(b)
	courses := benchCatalogue(g, benchSize)
	x := skills.NewIndex(skills.NewMatcher(g), skills.IndexOptions{Prior: byEnrolments})
	before := heap()
	refreshed(b, x, courses, nil, true)
	b.Logf("%d courses: %d MB", x.Len(), (heap()-before)>>20)
	runtime.KeepAlive(courses)
	return x, courses
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkIndex measures the questions and the changes at 100,000 courses.
func BenchmarkIndex(b *testing.B) {
	x, courses := benchIndex(b)
	m := x.Matcher()
	for _, query := range []string{"machine learning", "become a data analyst", "python for data analysis", "public speaking", "javascript web developer", "computing"} {
		terms := m.Expand(query)
		b.Run("rank/"+query, func(b *testing.B) {
			b.ReportAllocs()
			var times []time.Duration
			for b.Loop() {
				start := time.Now()
				x.Rank(terms, 50, nil)
				times = append(times, time.Since(start))
			}
			slices.Sort(times)
			read := 0
			for _, t := range terms {
				read += x.Count(t.SkillID)
			}
			b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), "p50-ns")
			b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds()), "p99-ns")
			b.ReportMetric(float64(read), "postings")
		})
	}
	b.Run("courses", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			x.Courses("machine-learning")
		}
	})
	b.Run("names", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for range x.Names() {
			}
		}
	})
	b.Run("change 10", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			batch := make([]lectern.Course, 10)
			for i := range batch {
				batch[i] = courses[(n*10+i)%len(courses)]
				batch[i].Title += fmt.Sprint(" ", n)
			}
			refreshed(b, x, batch, nil, false)
			n++
		}
	})
}
