package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
)

var day1 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// TestServer has every test a database of its own on one server.
func TestServer(t *testing.T) {
	server := pgtest.Start(t)
	for name, test := range map[string]func(t *testing.T, dsn string){
		"patches together":    testPatchesTogether,
		"order of the feed":   testFeedOrder,
		"listen":              testListen,
		"hints are gathered":  testHintsAreGathered,
		"sessions are killed": testSessionsAreKilled,
		"deadline":            testDeadline,
		"what is not text":    testNotText,
		"times out of range":  testOddTimes,
		"information":         testInfo,
		"statement modes":     testStatementModes,
	} {
		t.Run(name, func(t *testing.T) { test(t, server.DSN(t)) })
	}
}

// testPatchesTogether has two replicas change different fields of one course,
// which does not exist at first. None may undo what the other one did.
func testPatchesTogether(t *testing.T, dsn string) {
	stores := []*postgres.Store{open(t, dsn), open(t, dsn)}
	const rounds = 20
	for round := range rounds {
		id := fmt.Sprint("c", round)
		patches := []lectern.CoursePatch{
			{Course: lectern.Course{ID: id, Title: "T", Provider: "P"}, Fields: []lectern.CourseField{lectern.FieldTitle, lectern.FieldProvider}},
			{Course: lectern.Course{ID: id, Title: "T", Language: "pt"}, Fields: []lectern.CourseField{lectern.FieldTitle, lectern.FieldLanguage}},
		}
		created := make(chan lectern.WriteOutcome, len(stores))
		var g errgroup.Group
		for i, s := range stores {
			g.Go(func() error {
				res, err := s.PutCourses(t.Context(), patches[i:i+1])
				if err == nil {
					created <- res[0].Outcome
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if a, b := <-created, <-created; a == b {
			t.Errorf("both replicas report %s", a)
		}
		got, err := stores[0].Courses(t.Context(), []string{id})
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		if got[0].Provider != "P" || got[0].Language != "pt" {
			t.Errorf("a patch was lost: %+v", got[0])
		}
	}
}

// testFeedOrder follows the feed while several replicas write the same courses
// in every way that changes it: the follower must meet the last change of each.
func testFeedOrder(t *testing.T, dsn string) {
	const replicas, writes, courses = 4, 30, 12
	follower := open(t, dsn)
	patches := make([]lectern.CoursePatch, courses)
	for i := range patches {
		patches[i] = course(fmt.Sprint("c", i))
	}
	if _, err := follower.PutCourses(t.Context(), patches); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int64{}
	var after int64
	follow := func() error {
		for {
			page, err := follower.CourseChanges(t.Context(), after, 5)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, c := range page {
				after = c.Seq
				seen[c.CourseID+" "+string(c.Kind)] = c.Seq
			}
		}
	}
	var writers errgroup.Group
	for r := range replicas {
		s := open(t, dsn)
		writers.Go(func() error {
			for i := range writes {
				if err := changeSomething(t.Context(), s, r, i, courses); err != nil {
					return err
				}
			}
			return nil
		})
	}
	done := make(chan error, 1)
	go func() { done <- writers.Wait() }()
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
		if err := follow(); err != nil {
			t.Fatal(err)
		}
	}
	last := map[string]int64{}
	all, err := follower.CourseChanges(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		last[c.CourseID+" "+string(c.Kind)] = c.Seq
	}
	if diff := cmp.Diff(last, seen); diff != "" {
		t.Errorf("the follower missed changes (-feed +seen):\n%s", diff)
	}
	if len(last) < 2*courses {
		t.Errorf("only %d entries in the feed", len(last))
	}
}

// changeSomething touches half of the courses, in an order of its own.
func changeSomething(ctx context.Context, s *postgres.Store, replica, i, courses int) error {
	var patches []lectern.CoursePatch
	var ratings []lectern.Rating
	var reviews []lectern.Review
	for n := range courses / 2 {
		id := fmt.Sprint("c", (i*(replica+1)+n*5)%courses)
		p := course(id)
		p.Course.Description = fmt.Sprint("written by ", replica, " in ", i)
		patches = append(patches, p)
		ratings = append(ratings, lectern.Rating{CourseID: id, Day: day1.AddDate(0, 0, i), Stars: 4, Occurrence: replica + 1})
		reviews = append(reviews, lectern.Review{ID: fmt.Sprint("r", n), CourseID: id, Text: fmt.Sprint(replica, i), LearnerID: fmt.Sprint("l", (n+i)%4)})
	}
	var err error
	switch i % 3 {
	case 0:
		_, err = s.PutCourses(ctx, patches)
	case 1:
		_, err = s.PutRatings(ctx, ratings)
	default:
		_, err = s.PutReviews(ctx, reviews)
	}
	return err
}

func testListen(t *testing.T, dsn string) {
	listener, writer := open(t, dsn), open(t, dsn)
	ctx, cancel := context.WithCancel(t.Context())
	hints := make(chan struct{}, 1000)
	ended := make(chan error, 1)
	go func() { ended <- listener.Listen(ctx, func() { hints <- struct{}{} }) }()
	heard := func(what string) {
		t.Helper()
		select {
		case <-hints:
		case <-time.After(patience):
			t.Fatalf("no hint %s", what)
		}
	}
	put := func(id string) {
		t.Helper()
		if _, err := writer.PutCourses(t.Context(), []lectern.CoursePatch{course(id)}); err != nil {
			t.Fatal(err)
		}
	}
	heard("at the start")
	put("a")
	heard("of a change")
	put("a") // changes nothing
	for _, write := range []func() error{
		func() error {
			return writer.PutVectors(t.Context(), "f", map[lectern.ContentHash][]float32{lectern.HashContent("x"): {1}})
		},
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-hints:
		t.Error("a hint of nothing")
	case <-time.After(100 * time.Millisecond):
	}
	terminate(t, dsn, "lectern feed")
	heard("after the connection was lost")
	put("b")
	heard("on the new connection")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func testHintsAreGathered(t *testing.T, dsn string) {
	s := open(t, dsn)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const changes = 50
	first := make(chan struct{})
	hold, calls := make(chan struct{}), make(chan struct{}, 1000)
	n := 0
	go func() {
		_ = s.Listen(ctx, func() {
			n++
			if n == 1 {
				close(first)
				<-hold // notifications pile up meanwhile
				return
			}
			calls <- struct{}{}
		})
	}()
	<-first
	for i := range changes {
		if _, err := s.PutCourses(t.Context(), []lectern.CoursePatch{course(fmt.Sprint("c", i))}); err != nil {
			t.Fatal(err)
		}
	}
	close(hold)
	<-calls
	// They are gathered for a moment, in which a busy machine may not read all of them.
	told := 1
	for quiet := false; !quiet; {
		select {
		case <-calls:
			told++
		case <-time.After(200 * time.Millisecond):
			quiet = true
		}
	}
	if told > changes/2 {
		t.Errorf("%d hints that came together are told by %d calls", changes, told)
	}
}
