package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/jobs"
)

// queue opens a database that holds the job queue only.
func queue(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "jobs.db")+
		"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	m, err := rivermigrate.New(riversqlite.New(db), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Migrate(t.Context(), rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
	return db
}

func runner(t *testing.T, db *sql.DB, h jobs.Handlers, opts jobs.Options) *jobs.Runner[*sql.Tx] {
	t.Helper()
	if h.EmbedCourses == nil {
		h.EmbedCourses = func(context.Context, lectern.EmbedCoursesJob) error { return nil }
	}
	if h.TrainEmbedder == nil {
		h.TrainEmbedder = func(context.Context, lectern.TrainEmbedderJob) error { return nil }
	}
	r, err := jobs.New(riversqlite.New(db), h, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func start(t *testing.T, r *jobs.Runner[*sql.Tx]) {
	t.Helper()
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// receive waits for a value; 20 s means that something is broken.
func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestWorkAndRetry(t *testing.T) {
	worked := make(chan []string, 4)
	var calls atomic.Int32
	r := runner(t, queue(t), jobs.Handlers{EmbedCourses: func(_ context.Context, j lectern.EmbedCoursesJob) error {
		if calls.Add(1) == 1 {
			return errors.New("the embedder is not ready")
		}
		worked <- j.CourseIDs
		return nil
	}}, jobs.Options{})
	start(t, r)
	want := []string{"a", "b"}
	if queued, err := r.Enqueue(t.Context(), lectern.EmbedCoursesJob{CourseIDs: want}); err != nil || !queued {
		t.Fatal(queued, err)
	}
	if got := receive(t, worked); !slices.Equal(got, want) {
		t.Errorf("worked %v, want %v", got, want)
	}
}

func TestTrainIsUnique(t *testing.T) {
	db := queue(t)
	running, release := make(chan string, 4), make(chan struct{})
	r := runner(t, db, jobs.Handlers{TrainEmbedder: func(_ context.Context, j lectern.TrainEmbedderJob) error {
		running <- j.Reason
		<-release
		return nil
	}}, jobs.Options{})
	enqueue := func(reason string) bool {
		t.Helper()
		queued, err := r.Enqueue(t.Context(), lectern.TrainEmbedderJob{Reason: reason})
		if err != nil {
			t.Fatal(err)
		}
		return queued
	}
	if !enqueue("first") || enqueue("second") {
		t.Error("a waiting job does not swallow the next")
	}
	start(t, r)
	if got := receive(t, running); got != "first" {
		t.Errorf("running %q", got)
	}
	if enqueue("third") {
		t.Error("a running job does not swallow the next")
	}
	close(release)
	for deadline := time.Now().Add(20 * time.Second); !enqueue("fourth"); {
		if time.Now().After(deadline) {
			t.Fatal("a finished job still swallows the next")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestPeriodic(t *testing.T) {
	ran := make(chan struct{}, 100)
	r := runner(t, queue(t), jobs.Handlers{}, jobs.Options{Periodic: []jobs.Periodic{{
		Name: "retention", Every: time.Hour, RunOnStart: true,
		Run: func(context.Context) error { ran <- struct{}{}; return nil },
	}}})
	start(t, r)
	receive(t, ran)
}

func TestRefuses(t *testing.T) {
	db := queue(t)
	if _, err := jobs.New(riversqlite.New(db), jobs.Handlers{}, jobs.Options{}); err == nil {
		t.Error("a runner without handlers is accepted")
	}
	h := jobs.Handlers{
		EmbedCourses:  func(context.Context, lectern.EmbedCoursesJob) error { return nil },
		TrainEmbedder: func(context.Context, lectern.TrainEmbedderJob) error { return nil },
	}
	run := func(context.Context) error { return nil }
	for i, tasks := range [][]jobs.Periodic{
		{{Name: "", Every: time.Hour, Run: run}},
		{{Name: "a", Run: run}},
		{{Name: "a", Every: time.Hour}},
		{{Name: "a", Every: time.Hour, Run: run}, {Name: "a", Every: time.Hour, Run: run}},
	} {
		if _, err := jobs.New(riversqlite.New(db), h, jobs.Options{Periodic: tasks}); err == nil {
			t.Errorf("periodic tasks %d are accepted", i)
		}
	}
	if _, err := runner(t, db, h, jobs.Options{}).Enqueue(t.Context(), oddJob{}); err == nil {
		t.Error("an unknown job is accepted")
	}
}

type oddJob struct{}

func (oddJob) Kind() string { return "odd" }

func TestRescueComesFirst(t *testing.T) {
	var order []string
	r := runner(t, queue(t), jobs.Handlers{}, jobs.Options{Rescue: func(context.Context) (int, error) {
		order = append(order, "rescue")
		return 1, nil
	}})
	start(t, r)
	if len(order) != 1 {
		t.Error("rescue did not run")
	}
	failing := runner(t, queue(t), jobs.Handlers{}, jobs.Options{Rescue: func(context.Context) (int, error) {
		return 0, fmt.Errorf("no database")
	}})
	if err := failing.Start(t.Context()); err == nil {
		t.Error("workers start although rescuing failed")
	}
}
