package analytics_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/analytics"
	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
	"github.com/lectern-dev/lectern/store/sqlite"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

type ctx = context.Context

// store is what the tests write to and read from.
type store interface {
	analytics.Store
	analytics.ReadStore
	lectern.EventStore
	lectern.FeedbackStore
	DaySums(ctx ctx, from, split, to int, f func(before, after lectern.Tally) error) error
	PutCourses(ctx ctx, patches []lectern.CoursePatch) ([]lectern.WriteResult, error)
	PutLearners(ctx ctx, learners []lectern.Learner) ([]lectern.WriteResult, error)
	PutRankings(ctx ctx, rankings []lectern.Ranking) error
	MergeVisitor(ctx ctx, anonymousID, learnerID string) error
	DeleteLearner(ctx ctx, ref lectern.LearnerRef) error
}

func openSQLite(t *testing.T) store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// onBoth runs a test on both backends.
func onBoth(t *testing.T, f func(t *testing.T, open func(t *testing.T) store)) {
	t.Run("sqlite", func(t *testing.T) { f(t, openSQLite) })
	t.Run("postgres", func(t *testing.T) {
		server := pgtest.Start(t)
		f(t, func(t *testing.T) store {
			t.Helper()
			o := postgres.Options{Config: postgres.DefaultConfig()}
			o.DSN = server.DSN(t)
			s, err := postgres.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			return s
		})
	})
}

func keeper(t *testing.T, s store, change func(*analytics.Config)) *analytics.Keeper {
	t.Helper()
	c := analytics.DefaultConfig()
	c.TimeZone, c.Settle = "Europe/Berlin", 0
	if change != nil {
		change(&c)
	}
	k, err := analytics.New(analytics.Options{Store: s, Config: c, Clock: time.Now, Logger: discard()})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// world is a log of a few people, lists and courses, made from a seed.
type world struct {
	lists  []lectern.Ranking
	events []lectern.EventWrite
}

const courses = 8

func course(i int) string { return fmt.Sprintf("c%d", i) }

func learner(i int) lectern.LearnerRef { return lectern.LearnerRef{ID: fmt.Sprintf("l%d", i)} }

// makeWorld makes lists and events about them. With indirect, some events cite no list.
func makeWorld(seed uint64, n int, indirect bool) world {
	rng := rand.New(rand.NewPCG(seed, 7))
	var w world
	for i := range 12 {
		r := lectern.Ranking{
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Learner: learner(i % 4),
			Surface: lectern.Surfaces()[i%3], Segment: lectern.SegmentActive, CreatedAt: start.Add(time.Duration(i) * 7 * time.Hour), Served: 5,
			RequestHash: "h", ConfigVersion: "v1",
		}
		for _, c := range rng.Perm(courses) {
			r.Items = append(r.Items, lectern.RankedItem{CourseID: course(c), Propensity: 1})
		}
		if i%3 == 0 {
			r.Arms = []lectern.ArmRef{{Experiment: "x", Arm: "b"}, {Experiment: "y", Arm: "a"}}
		}
		if i%2 == 0 {
			r.Items[2].Propensity = 0.25
			r.Exploration = &lectern.Exploration{Policy: "thompson", Places: []int{2}, By: []string{"policy"}, Slate: []int{0, 1, 2, 3}}
		}
		w.lists = append(w.lists, r)
	}
	kinds := []lectern.EventType{
		lectern.EventView, lectern.EventView, lectern.EventClick, lectern.EventClick, lectern.EventSave, lectern.EventEnrol,
		lectern.EventProgress, lectern.EventProgress, lectern.EventComplete, lectern.EventRate, lectern.EventDrop, lectern.EventDismiss,
	}
	for i := range n {
		r := w.lists[rng.IntN(len(w.lists))]
		place := rng.IntN(courses)
		e := lectern.Event{
			ID: fmt.Sprintf("e%d", i), Type: kinds[rng.IntN(len(kinds))], LearnerID: r.Learner.ID, CourseID: r.Items[place].CourseID,
			OccurredAt: r.CreatedAt.Add(time.Duration(rng.IntN(60*24*5)) * time.Minute), RankingID: r.ID, Position: &place,
		}
		switch e.Type {
		case lectern.EventProgress:
			v := float64(rng.IntN(11)) / 10
			e.Value = &v
		case lectern.EventRate:
			v := float64(1 + rng.IntN(5))
			e.Value = &v
		}
		if indirect && rng.IntN(3) == 0 {
			e.RankingID, e.Position = "", nil
		}
		w.events = append(w.events, lectern.EventWrite{Event: e})
	}
	return w
}

func (w world) found(t *testing.T, s store) {
	t.Helper()
	var patches []lectern.CoursePatch
	for i := range courses {
		hours := float64(3*i) + 0.1
		patches = append(patches, lectern.CoursePatch{
			Replace: true, Course: lectern.Course{ID: course(i), Title: "Course", Provider: fmt.Sprintf("p%d", i%3), WorkloadHours: &hours},
		})
	}
	check(t, results(s.PutCourses(t.Context(), patches)))
	var people []lectern.Learner
	for i := range 4 {
		people = append(people, lectern.Learner{ID: learner(i).ID})
	}
	check(t, results(s.PutLearners(t.Context(), people)))
	check(t, s.PutRankings(t.Context(), w.lists))
}

func results(all []lectern.WriteResult, err error) error {
	for _, r := range all {
		if err == nil {
			err = r.Err
		}
	}
	return err
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// everything is all that metrics are made of, without zeros.
type everything struct {
	Cells   map[string]lectern.MetricSums
	Courses map[string][5]float64
	Spans   []lectern.LearnerSpan
}

func read(t *testing.T, s store) everything {
	t.Helper()
	const from, to = 20000, 21000
	all := everything{Cells: map[string]lectern.MetricSums{}, Courses: map[string][5]float64{}}
	for _, arms := range []bool{false, true} {
		found, err := s.MetricCells(t.Context(), lectern.MetricQuery{From: from, To: to, Arms: arms, By: []lectern.MetricDimension{
			lectern.ByDay, lectern.BySurface, lectern.ByRow, lectern.ByExperiment, lectern.ByArm, lectern.BySegment, lectern.ByPosition, lectern.ByExplored,
		}})
		check(t, err)
		for _, c := range found {
			sums := c.MetricSums
			c.MetricSums = lectern.MetricSums{}
			zero := true
			for _, p := range sums.Parts() {
				if math.Abs(*p) < 1e-9 {
					*p = 0
				}
				zero = zero && *p == 0
			}
			if !zero {
				all.Cells[fmt.Sprint(c)] = sums
			}
		}
	}
	found, err := s.MetricCourses(t.Context(), from, to, 1)
	check(t, err)
	for _, c := range found {
		if v := [5]float64{c.Impressions, c.Clicks, c.Enrols, c.Ratings, c.Stars}; v != [5]float64{} {
			all.Courses[fmt.Sprint(c.Day, " ", c.CourseID)] = v
		}
	}
	all.Spans, err = s.LearnerSpans(t.Context(), from, to, 1)
	check(t, err)
	return all
}

func same(t *testing.T, what string, want, got everything) {
	t.Helper()
	near := cmpopts.EquateApprox(0, 1e-9)
	if d := cmp.Diff(want, got, near); d != "" {
		t.Errorf("%s differ:\n%s", what, d)
	}
}

func TestRebuildAgrees(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t *testing.T) store) {
		w := makeWorld(1, 400, true)
		s := open(t)
		w.found(t, s)
		k := keeper(t, s, func(c *analytics.Config) { c.Batch = 7 })
		rng := rand.New(rand.NewPCG(3, 3))
		for chunk := range slices.Chunk(w.events, 37) {
			check(t, results(s.AppendEvents(t.Context(), chunk)))
			check(t, results(s.AppendEvents(t.Context(), chunk))) // duplicates
			said(t, s, rng)
			for range 3 {
				_, err := k.Step(t.Context())
				check(t, err)
			}
		}
		_, err := k.CatchUp(t.Context())
		check(t, err)
		want := read(t, s)
		if len(want.Cells) < 100 || len(want.Spans) == 0 || len(want.Courses) == 0 {
			t.Fatalf("there is little to compare: %d cells", len(want.Cells))
		}
		for _, batch := range []int{1, 1000} {
			_, err := keeper(t, s, func(c *analytics.Config) { c.Batch = batch }).Rebuild(t.Context(), nil)
			check(t, err)
			same(t, fmt.Sprintf("metrics rebuilt in batches of %d", batch), want, read(t, s))
		}
	})
}

// said gives some feedback and takes some back.
func said(t *testing.T, s store, rng *rand.Rand) {
	t.Helper()
	for range 3 {
		n := rng.IntN(100)
		kinds := lectern.FeedbackKinds()
		f := lectern.Feedback{
			ID: fmt.Sprintf("f%d", n), CourseID: course(n % courses), Kind: kinds[n%len(kinds)], At: start.Add(time.Duration(rng.IntN(5000)) * time.Minute),
			RankingID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n%12),
		}
		if f.Kind == lectern.FeedbackReport {
			f.Reason = lectern.ReportOther
		}
		if _, err := s.PutFeedback(t.Context(), learner(n%4), f); err != nil {
			t.Fatal(err)
		}
		if rng.IntN(3) == 0 {
			check(t, s.DeleteFeedback(t.Context(), learner(n%4), f.ID))
		}
	}
}

// Events that cite their list count the same in whatever order they come.
func TestOrderOfArrival(t *testing.T) {
	onBoth(t, testOrderOfArrival)
}

func testOrderOfArrival(t *testing.T, open func(t *testing.T) store) {
	w := makeWorld(2, 300, false)
	run := func(events []lectern.EventWrite, batch int) everything {
		s := open(t)
		w.found(t, s)
		check(t, results(s.AppendEvents(t.Context(), events)))
		_, err := keeper(t, s, func(c *analytics.Config) { c.Batch = batch }).CatchUp(t.Context())
		check(t, err)
		return read(t, s)
	}
	byTime := slices.Clone(w.events)
	slices.SortFunc(byTime, func(a, b lectern.EventWrite) int { return a.Event.OccurredAt.Compare(b.Event.OccurredAt) })
	want := run(byTime, 1000)
	for seed := range uint64(3) {
		shuffled := slices.Clone(w.events)
		rng := rand.New(rand.NewPCG(seed, 11))
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		same(t, "metrics of events out of order", want, run(shuffled, 13))
	}
}

// While everything is counted anew, the sums in use are whole at every moment, and go
// on; in the end nothing is missing that happened meanwhile.
func TestRebuildIsNotSeen(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t *testing.T) store) {
		w := makeWorld(6, 300, false)
		for i := range w.events {
			if e := &w.events[i].Event; e.LearnerID == "l3" {
				e.LearnerID, e.AnonymousID = "", "v3"
			}
		}
		s := open(t)
		w.found(t, s)
		check(t, results(s.AppendEvents(t.Context(), w.events[:200])))
		live := keeper(t, s, nil)
		_, err := live.CatchUp(t.Context())
		check(t, err)
		want := read(t, s)
		// Half of a rebuild is killed; nobody sees anything of it.
		stopped, stop := context.WithCancel(t.Context())
		_, err = keeper(t, s, func(c *analytics.Config) { c.Batch = 20 }).Rebuild(stopped, func(n int) {
			if n > 60 {
				stop()
			}
		})
		if err == nil {
			t.Fatal("a rebuild went on after its end")
		}
		same(t, "metrics after half a rebuild", want, read(t, s))
		steps := 0
		_, err = keeper(t, s, func(c *analytics.Config) { c.Batch = 20 }).Rebuild(t.Context(), func(int) {
			steps++
			same(t, fmt.Sprintf("metrics after step %d of a rebuild", steps), want, read(t, s))
			if steps == 5 { // life goes on
				check(t, results(s.AppendEvents(t.Context(), w.events[200:])))
				check(t, s.MergeVisitor(t.Context(), "v3", "l1"))
				_, err := live.CatchUp(t.Context())
				check(t, err)
				want = read(t, s)
			}
		})
		check(t, err)
		if steps < 10 {
			t.Errorf("%d steps", steps)
		}
		_, err = live.CatchUp(t.Context())
		check(t, err)
		same(t, "metrics after a rebuild", want, read(t, s))
	})
}

// Of two rebuilds by different settings, one is told.
func TestTwoRebuilds(t *testing.T) {
	w := makeWorld(8, 100, false)
	s := openSQLite(t)
	w.found(t, s)
	check(t, results(s.AppendEvents(t.Context(), w.events)))
	first, err := 0, error(nil)
	_, outer := keeper(t, s, func(c *analytics.Config) { c.Batch = 20 }).Rebuild(t.Context(), func(int) {
		if first++; first == 2 {
			_, err = keeper(t, s, func(c *analytics.Config) { c.TimeZone = "UTC" }).Rebuild(t.Context(), nil)
		}
	})
	check(t, err)
	if lectern.ErrorCode(outer) != lectern.CodeConflict {
		t.Errorf("the rebuild that was overtaken: %v", outer)
	}
	p, err := s.MetricProgress(t.Context(), lectern.MetricsInUse)
	if err != nil || !strings.Contains(p.Definition, "UTC") {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestMergeAndErasure(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t *testing.T) store) {
		w := makeWorld(4, 250, false)
		for i := range w.events { // two of the four people are visitors at first
			e := &w.events[i].Event
			if e.LearnerID == "l3" {
				e.LearnerID, e.AnonymousID = "", "v3"
			}
		}
		s := open(t)
		w.found(t, s)
		check(t, results(s.AppendEvents(t.Context(), w.events)))
		k := keeper(t, s, func(c *analytics.Config) { c.Batch = 40 })
		_, err := k.Step(t.Context())
		check(t, err)
		_, err = k.Step(t.Context())
		check(t, err)
		check(t, s.MergeVisitor(t.Context(), "v3", "l1")) // who has touched the same courses
		_, err = k.CatchUp(t.Context())
		check(t, err)
		want := read(t, s)
		_, err = k.Rebuild(t.Context(), nil)
		check(t, err)
		same(t, "metrics after a merge", want, read(t, s))

		check(t, s.DeleteLearner(t.Context(), lectern.LearnerRef{ID: "l1"}))
		_, err = k.CatchUp(t.Context())
		check(t, err)
		got := read(t, s)
		if d := cmp.Diff(want.Cells, got.Cells, cmpopts.EquateApprox(0, 1e-9)); d != "" {
			t.Errorf("an erasure changed the sums:\n%s", d)
		}
		hours := func(e everything) (h float64) {
			for _, d := range e.Spans {
				h += d.Hours
			}
			return h
		}
		if hours(got) >= hours(want) {
			t.Errorf("days of an erased learner are still there: %v hours of %v", hours(got), hours(want))
		}
	})
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
