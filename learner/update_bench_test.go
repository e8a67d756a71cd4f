package learner_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
)

// BenchmarkProfileUpdate takes in one event of a learner of forty or two hundred courses
// in five topics and makes their taste anew: what an event costs until the next list
// heeds it. "store" is the part of it that writes the event and the profile.
func BenchmarkProfileUpdate(b *testing.B) {
	for _, n := range []int{40, 200} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := wide(rand.New(rand.NewPCG(1, 2)), 5, n/5, 256, 0.7)
			store, cfg := openStore(b), learner.DefaultConfig()
			ref := lectern.LearnerRef{ID: "l"}
			count := 0
			at := now.Add(-300 * 24 * time.Hour)
			event := func() lectern.EventWrite {
				types := []lectern.EventType{lectern.EventEnrol, lectern.EventClick, lectern.EventSave, lectern.EventComplete}
				e := lectern.Event{
					ID: fmt.Sprint("e-", count), Type: types[count/n%len(types)], LearnerID: ref.ID,
					CourseID: fmt.Sprintf("%d-%d", count%5, count/5%(n/5)), OccurredAt: at,
				}
				count++
				at = at.Add(time.Minute)
				return lectern.EventWrite{Event: e, Delta: cfg.Delta(e)}
			}
			add := func() {
				if _, err := store.AppendEvents(b.Context(), []lectern.EventWrite{event()}); err != nil {
					b.Fatal(err)
				}
			}
			for range n {
				add()
			}
			p, err := learner.NewProfiles(store, cfg, func() time.Time { return now })
			if err != nil {
				b.Fatal(err)
			}
			var all, written []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				add()
				written = append(written, time.Since(start))
				if _, taste, err := p.Load(b.Context(), ref, m, m); err != nil || len(taste.Vectors) < 2 {
					b.Fatal(len(taste.Vectors), err)
				}
				all = append(all, time.Since(start))
			}
			for name, took := range map[string][]time.Duration{"": all, "store-": written} {
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds()), name+"p50-µs")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), name+"p99-µs")
			}
		})
	}
}
