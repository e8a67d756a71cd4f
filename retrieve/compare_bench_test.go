package retrieve_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/lectern-dev/lectern/rerank"
)

// BenchmarkCompare compares two rerankers for the learners of the demo platform, as a
// preview does: ten places each, all that is known of the learners kept from before.
func BenchmarkCompare(b *testing.B) {
	d := newDemoWorld(b, 1)
	draft := rerank.DefaultConfig()
	draft.Weights.Home.Freshness, draft.Weights.Home.Popularity = 0.1, 0.1
	changed, err := rerank.New(draft, "draft")
	if err != nil {
		b.Fatal(err)
	}
	pair := []rerank.Reranker{linearDefault(b), changed}
	compare := func(i int) {
		c, err := d.engine.Compare(context.Background(), home(d.people[i%len(d.people)].ref), pair, 10)
		if err != nil || len(c.Lists) != 2 || len(c.Lists[1].Items) != 10 {
			b.Fatalf("%d lists, %v", len(c.Lists), err)
		}
	}
	for i := range d.people {
		compare(i)
	}
	var from, to syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &from)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		compare(n)
		n++
	}
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &to)
	cpu := time.Duration(to.Utime.Nano() + to.Stime.Nano() - from.Utime.Nano() - from.Stime.Nano())
	b.ReportMetric(float64(cpu.Microseconds())/float64(n), "cpu-µs")
}
