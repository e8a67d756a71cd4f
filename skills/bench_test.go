package skills_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

// benchCourses are texts as long as a catalogue's (about 1,200 bytes), made of the
// graph's own names, which is the worst case: every other word is found.
func benchCourses(g *skills.Graph) []lectern.Course {
	all := g.Skills()
	out := make([]lectern.Course, 500)
	for i := range out {
		var b strings.Builder
		for n := 0; b.Len() < 1000; n++ {
			s := all[(i*37+n*101)%len(all)]
			b.WriteString("In this course you will work on " + s.Name + " and see how it is used by people at work. ")
		}
		out[i] = lectern.Course{
			Title: all[i*3%len(all)].Name + " for everyone", Description: b.String(),
			Syllabus: []string{"Week one: getting started", "Week two: " + all[i*5%len(all)].Name, "Week three: a project of your own"},
		}
	}
	return out
}

func BenchmarkTag(b *testing.B) {
	g := shippedGraph(b)
	m := skills.NewMatcher(g)
	courses := benchCourses(g)
	b.ReportAllocs()
	bytes := 0
	start := time.Now()
	n := 0
	for b.Loop() {
		c := courses[n%len(courses)]
		m.Tag(c)
		bytes += len(c.Description)
		n++
	}
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "courses/s")
	b.SetBytes(int64(bytes / n))
}

func BenchmarkExpand(b *testing.B) {
	m := skills.NewMatcher(shippedGraph(b))
	queries := []string{"machine learning", "how do I become a data analyst", "speak without fear in front of people", "pyth", "nothing of the sort at all", "c++ for beginners", "machne lerning"}
	var times []time.Duration
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		start := time.Now()
		m.Expand(queries[n%len(queries)])
		times = append(times, time.Since(start))
		n++
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds()), "p99-ns")
}

func BenchmarkDefault(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := skills.Default(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewMatcher(b *testing.B) {
	g := shippedGraph(b)
	b.ReportAllocs()
	for b.Loop() {
		skills.NewMatcher(g)
	}
}

func BenchmarkExpandPrefix(b *testing.B) {
	m := skills.NewMatcher(shippedGraph(b))
	queries := []string{"mach", "machine le", "how do I become a data an", "speak without fe", "pyth", "nothing of the sort at al", "c+", "statistcs for begin"}
	var times []time.Duration
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		start := time.Now()
		m.ExpandPrefix(queries[n%len(queries)])
		times = append(times, time.Since(start))
		n++
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds()), "p99-ns")
}
