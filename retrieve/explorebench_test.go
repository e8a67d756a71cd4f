package retrieve_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/retrieve"
)

// counted keeps in mind what an explorer takes of its caller's thread.
type counted struct {
	lectern.Explorer
	took []time.Duration
}

func (c *counted) Explore(req *lectern.ExploreRequest) ([]int, *lectern.Exploration) {
	from := threadTime()
	order, x := c.Explorer.Explore(req)
	c.took = append(c.took, threadTime()-from)
	return order, x
}

// BenchmarkListExplored makes first pages for two hundred learners in turns, each with
// and without exploration, and tells what the whole of it adds to a list: laying the
// request out, the step, putting the list in its order, and the record.
func BenchmarkListExplored(b *testing.B) {
	for _, policy := range []string{explore.PolicyThompson, explore.PolicyLinUCB} {
		b.Run(policy, func(b *testing.B) { benchmarkExplored(b, policy) })
	}
}

func benchmarkExplored(b *testing.B, policy string) {
	w := newWorld(b, bigCatalogue(5_000), func(w *world, c *retrieve.Config, _ *rerankConfig) {
		w.embedder = randomEmbedder{}
	})
	cfg := explore.DefaultConfig()
	cfg.Policy, cfg.Caps.PerLearner, cfg.Quality, cfg.ScoreShare = policy, 0, 0, 0 // a full pool
	x, err := explore.New(explore.Deps{Settings: explore.Fixed{Config: cfg, Name: "e1"}, Secret: []byte("secret"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	explorer := &counted{Explorer: x}
	reqs := make([]lectern.ListRequest, benchLearners)
	for i := range reqs {
		ref := lectern.LearnerRef{ID: fmt.Sprintf("learner-%d", i)}
		for j := range 30 {
			w.act(ref, lectern.EventEnrol, fmt.Sprintf("course-%06d", (i*31+j*7)%5000))
		}
		reqs[i] = home(ref)
		reqs[i].Limit = 10
		w.list(reqs[i])
	}
	var took [2][]time.Duration
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		for n := range 2 {
			if w.engine.Explorer = nil; (i+n)%2 == 1 {
				w.engine.Explorer = explorer
			}
			from := threadTime()
			if _, err := w.engine.List(context.Background(), reqs[i%benchLearners]); err != nil {
				b.Fatal(err)
			}
			took[(i+n)%2] = append(took[(i+n)%2], threadTime()-from)
		}
	}
	if s := x.Stats(); s.Explored == 0 {
		b.Fatalf("nothing was explored: %v", s.Skipped)
	}
	at := func(of []time.Duration, q int) float64 {
		slices.Sort(of)
		return float64(of[len(of)*q/100].Nanoseconds()) / 1000
	}
	plain, with := at(took[0], 50), at(took[1], 50)
	b.ReportMetric(plain, "p50-plain-cpu-µs")
	b.ReportMetric(with-plain, "p50-added-cpu-µs")
	b.ReportMetric(with/plain, "p50-ratio")
	b.ReportMetric(at(took[0], 99), "p99-plain-cpu-µs")
	b.ReportMetric(at(took[1], 99)-at(took[0], 99), "p99-added-cpu-µs")
	b.ReportMetric(at(explorer.took, 50), "p50-step-cpu-µs")
	b.ReportMetric(at(explorer.took, 99), "p99-step-cpu-µs")
}
