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

// BenchmarkRebuild counts a log of lists and events, most of which cite one, anew.
func BenchmarkRebuild(b *testing.B) {
	benchOnBoth(b, func(b *testing.B, open func() store) {
		s, n := open(), 0
		lists, events := benchLog(b)
		if err := s.PutRankings(b.Context(), lists); err != nil {
			b.Fatal(err)
		}
		benchAppend(b, s, events)
		k := benchKeeper(b, s)
		for b.Loop() {
			counted, err := k.Rebuild(b.Context(), nil)
			if err != nil {
				b.Fatal(err)
			}
			n += counted
		}
		report(b, n, len(lists), len(events))
	})
}

// BenchmarkFollow counts the same log as it grows: 200 events at a time, each lot with
// the lists that it cites, while the metrics have caught up before. Only counting is
// timed, not the writing of lists and events.
func BenchmarkFollow(b *testing.B) {
	benchOnBoth(b, func(b *testing.B, open func() store) {
		const lots = benchEvents / 200
		lists, events := benchLog(b)
		n := 0
		for b.Loop() {
			b.StopTimer()
			s := open()
			k := benchKeeper(b, s)
			for i := range lots {
				err := s.PutRankings(b.Context(), lists[i*len(lists)/lots:(i+1)*len(lists)/lots])
				if err != nil {
					b.Fatal(err)
				}
				benchAppend(b, s, events[i*len(events)/lots:(i+1)*len(events)/lots])
				b.StartTimer()
				counted, err := k.CatchUp(b.Context())
				b.StopTimer()
				if err != nil {
					b.Fatal(err)
				}
				n += counted
			}
			b.StartTimer()
		}
		report(b, n, len(lists), len(events))
	})
}

// report says how many rows were counted a second, and how many of them were events.
func report(b *testing.B, n, lists, events int) {
	b.Helper()
	seconds := b.Elapsed().Seconds()
	b.ReportMetric(float64(n)/seconds, "rows/s")
	b.ReportMetric(float64(n)*float64(events)/float64(lists+events)/seconds, "events/s")
}

func benchOnBoth(b *testing.B, f func(b *testing.B, open func() store)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) {
		f(b, func() store {
			s, err := sqlite.Open(b.Context(), sqlite.Options{Path: filepath.Join(b.TempDir(), "lectern.db")})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = s.Close() })
			benchFound(b, s, s.Migrate(b.Context()))
			return s
		})
	})
	b.Run("postgres", func(b *testing.B) {
		server := pgtest.Start(b)
		f(b, func() store {
			o := postgres.Options{Config: postgres.DefaultConfig()}
			o.DSN = server.DSN(b)
			s, err := postgres.Open(b.Context(), o)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = s.Close() })
			benchFound(b, s, s.Migrate(b.Context()))
			return s
		})
	})
}

func benchKeeper(b *testing.B, s store) *analytics.Keeper {
	b.Helper()
	k, err := analytics.New(analytics.Options{Store: s, Config: analytics.DefaultConfig(), Clock: time.Now, Logger: discard()})
	if err != nil {
		b.Fatal(err)
	}
	return k
}

func benchAppend(b *testing.B, s store, events []lectern.EventWrite) {
	b.Helper()
	if err := results(s.AppendEvents(b.Context(), events)); err != nil {
		b.Fatal(err)
	}
}

// benchFound stores courses and people.
func benchFound(b *testing.B, s store, err error) {
	b.Helper()
	var patches []lectern.CoursePatch
	for i := range benchCourses {
		hours := 10.0
		patches = append(patches, lectern.CoursePatch{Replace: true, Course: lectern.Course{ID: course(i), Title: "Course", WorkloadHours: &hours}})
	}
	if err == nil {
		err = results(s.PutCourses(b.Context(), patches))
	}
	var people []lectern.Learner
	for i := range benchPeople {
		people = append(people, lectern.Learner{ID: learner(i).ID})
	}
	if err == nil {
		err = results(s.PutLearners(b.Context(), people))
	}
	if err != nil {
		b.Fatal(err)
	}
}

// benchLog makes the log.
func benchLog(b *testing.B) (lists []lectern.Ranking, events []lectern.EventWrite) {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
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
	kinds := []lectern.EventType{lectern.EventView, lectern.EventView, lectern.EventView, lectern.EventClick, lectern.EventEnrol, lectern.EventProgress}
	for i := range benchEvents {
		r, place, half := &lists[i*benchLists/benchEvents], rng.IntN(12), rng.Float64()
		e := lectern.Event{
			ID: fmt.Sprintf("e%d", i), Type: kinds[rng.IntN(len(kinds))], LearnerID: r.Learner.ID, CourseID: r.Items[place].CourseID,
			OccurredAt: r.CreatedAt.Add(time.Minute), RankingID: r.ID, Position: &place, Value: &half,
		}
		events = append(events, lectern.EventWrite{Event: e})
	}
	return lists, events
}
