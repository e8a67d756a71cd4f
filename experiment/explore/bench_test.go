package explore

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// BenchmarkExplore is what exploration adds to a list of 200 on the request path, under
// each policy: a pool of 30, two places.
func BenchmarkExplore(b *testing.B) {
	posterior := learn(5000)
	for _, policy := range Policies() {
		b.Run(policy, func(b *testing.B) {
			e := explorer(b, posterior, func(c *Config) { c.Policy, c.ScoreShare, c.Quality, c.Caps.PerLearner = policy, 0, 0, 0 })
			reqs := make([]*lectern.ExploreRequest, 64)
			for i := range reqs {
				reqs[i] = request(rand.New(rand.NewPCG(1, uint64(i))), 200)
				reqs[i].Learner.ID = strconv.Itoa(i)
			}
			took, worked := make([]time.Duration, 0, 1<<20), make([]time.Duration, 0, 1<<20)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				began, from := time.Now(), threadTime()
				if _, x := e.Explore(reqs[i%len(reqs)]); x == nil {
					b.Fatal("nothing is explored")
				}
				if len(took) < cap(took) {
					took, worked = append(took, time.Since(began)), append(worked, threadTime()-from)
				}
			}
			report(b, took, "")
			report(b, worked, "cpu-") // what other processes do to the clock aside
		})
	}
}

// BenchmarkFinish finds the propensities of a list, after it has been served.
func BenchmarkFinish(b *testing.B) {
	posterior := learn(5000)
	for _, policy := range Policies() {
		b.Run(policy, func(b *testing.B) {
			e := explorer(b, posterior, func(c *Config) { c.Policy, c.ScoreShare, c.Quality, c.Caps.PerLearner = policy, 0, 0, 0 })
			lists := make([]*lectern.Ranking, 16)
			for i := range lists {
				req := request(rand.New(rand.NewPCG(1, uint64(i))), 200)
				order, x := e.Explore(req)
				lists[i] = recordedList(req, order, x)
			}
			var took, worked []time.Duration
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				began, from := time.Now(), threadTime()
				if err := e.Finish(context.Background(), lists[i%len(lists)]); err != nil {
					b.Fatal(err)
				}
				took, worked = append(took, time.Since(began)), append(worked, threadTime()-from)
			}
			report(b, took, "")
			report(b, worked, "cpu-")
		})
	}
}

// report says how long the slower half, and the slowest hundredth, took at least.
func report(b *testing.B, took []time.Duration, name string) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "p50-"+name+"µs")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-"+name+"µs")
}
