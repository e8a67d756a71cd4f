package analytics_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/analytics"
	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
	"github.com/lectern-dev/lectern/store/sqlite"
)

const (
	benchPeople  = 500
	benchCourses = 300
	benchLists   = 4000
	benchEvents  = 20_000
)

// BenchmarkRebuild counts a log of lists and events, most of which cite one.
func BenchmarkRebuild(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		s, err := sqlite.Open(b.Context(), sqlite.Options{Path: filepath.Join(b.TempDir(), "lectern.db")})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		benchRebuild(b, s, s.Migrate(b.Context()))
	})
	b.Run("postgres", func(b *testing.B) {
		o := postgres.Options{Config: postgres.DefaultConfig()}
		o.DSN = pgtest.Start(b).DSN(b)
		s, err := postgres.Open(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		benchRebuild(b, s, s.Migrate(b.Context()))
	})
}

func benchRebuild(b *testing.B, s store, err error) {
	b.Helper()
	if err == nil {
		err = benchLog(b, s)
	}
	if err != nil {
		b.Fatal(err)
	}
	k, err := analytics.New(analytics.Options{Store: s, Config: analytics.DefaultConfig(), Clock: time.Now, Logger: discard()})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		counted, err := k.Rebuild(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		n += counted
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}

func benchLog(b *testing.B, s store) error {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var patches []lectern.CoursePatch
	for i := range benchCourses {
		hours := 10.0
		patches = append(patches, lectern.CoursePatch{Replace: true, Course: lectern.Course{ID: course(i), Title: "Course", WorkloadHours: &hours}})
	}
	if err := results(s.PutCourses(b.Context(), patches)); err != nil {
		return err
	}
	var people []lectern.Learner
	for i := range benchPeople {
		people = append(people, lectern.Learner{ID: learner(i).ID})
	}
	if err := results(s.PutLearners(b.Context(), people)); err != nil {
		return err
	}
	var lists []lectern.Ranking
	for i := range benchLists {
		r := lectern.Ranking{
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Learner: learner(i % benchPeople), Surface: lectern.SurfaceHome,
			Segment: lectern.SegmentActive, CreatedAt: start.Add(time.Duration(i) * 10 * time.Minute), RequestHash: "h", ConfigVersion: "v1",
		}
		for range 100 {
			r.Items = append(r.Items, lectern.RankedItem{CourseID: course(rng.IntN(benchCourses)), Propensity: 1, Terms: []float64{.1, .2, .3, .4, .5, .6, .7, .8}})
		}
		lists = append(lists, r)
	}
	if err := s.PutRankings(b.Context(), lists); err != nil {
		return err
	}
	kinds := []lectern.EventType{lectern.EventView, lectern.EventView, lectern.EventView, lectern.EventClick, lectern.EventEnrol, lectern.EventProgress}
	var events []lectern.EventWrite
	for i := range benchEvents {
		r, place, half := &lists[i*benchLists/benchEvents], rng.IntN(12), rng.Float64()
		e := lectern.Event{
			ID: fmt.Sprintf("e%d", i), Type: kinds[rng.IntN(len(kinds))], LearnerID: r.Learner.ID, CourseID: r.Items[place].CourseID,
			OccurredAt: r.CreatedAt.Add(time.Minute), RankingID: r.ID, Position: &place, Value: &half,
		}
		events = append(events, lectern.EventWrite{Event: e})
	}
	return results(s.AppendEvents(b.Context(), events))
}
