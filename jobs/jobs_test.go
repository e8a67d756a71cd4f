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

	"github.com/riverqueue/river/riverdriver"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/jobs"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// queue opens a store, whose job queue is worked here.
func queue(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "jobs.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func runner(t *testing.T, s *sqlite.Store, h jobs.Handlers, opts jobs.Options) *jobs.Runner[*sql.Tx] {
	t.Helper()
	if h.EmbedCourses == nil {
		h.EmbedCourses = func(context.Context, lectern.EmbedCoursesJob) error { return nil }
	}
	if h.TrainEmbedder == nil {
		h.TrainEmbedder = func(context.Context, lectern.TrainEmbedderJob) error { return nil }
	}
	r, err := jobs.New(s.RiverDriver(), h, opts)
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
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// patience bounds every wait: what takes longer is not slow but broken.
const patience = time.Minute

// receive waits for a value.
func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
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

// TestWriteToVector follows a course from the write that queues its embedding
// to the worker, over a process that dies with the job in its hands.
func TestWriteToVector(t *testing.T) {
	s := queue(t)
	put := func(id string) {
		t.Helper()
		p := lectern.CoursePatch{Replace: true, Course: lectern.Course{ID: id, Title: "Course " + id}}
		if _, err := s.PutCourses(t.Context(), []lectern.CoursePatch{p}); err != nil {
			t.Fatal(err)
		}
	}
	put("taken by a process that died")
	row, err := s.RiverDriver().GetExecutor().JobGetAvailable(t.Context(), &riverdriver.JobGetAvailableParams{
		ClientID: "dead", MaxAttemptedBy: 10, MaxToLock: 10, Queue: "default",
	})
	if err != nil || len(row) != 1 {
		t.Fatal(row, err)
	}
	worked := make(chan []string, 4)
	r := runner(t, s, jobs.Handlers{EmbedCourses: func(_ context.Context, j lectern.EmbedCoursesJob) error {
		worked <- j.CourseIDs
		return nil
	}}, jobs.Options{Rescue: s.RescueJobs})
	start(t, r)
	if got := receive(t, worked); !slices.Equal(got, []string{"taken by a process that died"}) {
		t.Errorf("rescued %v", got)
	}
	put("new")
	written := time.Now()
	if got := receive(t, worked); !slices.Equal(got, []string{"new"}) {
		t.Errorf("worked %v", got)
	}
	t.Logf("%v from the write to the worker", time.Since(written))
}

// TestReviewToVector follows a review from the write to the worker, and an
// enqueued job beside it.
func TestReviewToVector(t *testing.T) {
	s := queue(t)
	p := lectern.CoursePatch{Replace: true, Course: lectern.Course{ID: "a", Title: "Course a"}}
	if _, err := s.PutCourses(t.Context(), []lectern.CoursePatch{p}); err != nil {
		t.Fatal(err)
	}
	worked := make(chan []string, 4)
	r := runner(t, s, jobs.Handlers{EmbedReviews: func(_ context.Context, j lectern.EmbedReviewsJob) error {
		worked <- j.CourseIDs
		return nil
	}}, jobs.Options{ID: "replica-1"})
	start(t, r)
	reviews := []lectern.Review{{ID: "1", CourseID: "a", Text: "good"}, {ID: "2", CourseID: "a", Text: "bad"}, {ID: "3", CourseID: "later", Text: "x"}}
	if _, err := s.PutReviews(t.Context(), reviews); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, worked); !slices.Equal(got, []string{"a"}) {
		t.Errorf("worked %v", got)
	}
	p.Course.ID = "later"
	if _, err := s.PutCourses(t.Context(), []lectern.CoursePatch{p}); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, worked); !slices.Equal(got, []string{"later"}) {
		t.Errorf("worked %v once the course came", got)
	}
	if queued, err := r.Enqueue(t.Context(), lectern.EmbedReviewsJob{CourseIDs: []string{"b"}}); err != nil || !queued {
		t.Fatal(queued, err)
	}
	if got := receive(t, worked); !slices.Equal(got, []string{"b"}) {
		t.Errorf("worked %v", got)
	}
}

// TestReviewsWithoutHandler wants jobs that nobody has a use for to go away.
func TestReviewsWithoutHandler(t *testing.T) {
	s := queue(t)
	r := runner(t, s, jobs.Handlers{}, jobs.Options{})
	if _, err := r.Enqueue(t.Context(), lectern.EmbedReviewsJob{CourseIDs: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	start(t, r)
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		st, err := s.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if st.PendingJobs == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d jobs are still waiting", st.PendingJobs)
		}
	}
}

func TestTrainIsUnique(t *testing.T) {
	s := queue(t)
	running, release := make(chan string, 4), make(chan struct{})
	r := runner(t, s, jobs.Handlers{TrainEmbedder: func(_ context.Context, j lectern.TrainEmbedderJob) error {
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
	for deadline := time.Now().Add(patience); !enqueue("fourth"); {
		if time.Now().After(deadline) {
			t.Fatal("a finished job still swallows the next")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestPeriodicFollowsTheLeader has two runners on one queue, as two replicas
// would, of which one is made the leader and then the other.
func TestPeriodicFollowsTheLeader(t *testing.T) {
	s := queue(t)
	var leader atomic.Value
	leader.Store("nobody")
	ran := make(chan string, 100)
	for _, name := range []string{"a", "b"} {
		start(t, runner(t, s, jobs.Handlers{}, jobs.Options{
			Leader: func() bool { return leader.Load() == name },
			Periodic: []jobs.Periodic{{
				Name: "retention", Every: time.Hour, RunOnStart: true,
				Run: func(context.Context) error { ran <- name; return nil },
			}},
		}))
	}
	for _, name := range []string{"a", "b"} {
		leader.Store(name)
		elected := time.Now()
		if got := receive(t, ran); got != name {
			t.Errorf("%s ran, the leader is %s", got, name)
		}
		t.Logf("%v from the election to the first run", time.Since(elected))
	}
	if len(ran) > 0 {
		t.Errorf("%s ran once more", <-ran)
	}
}

func TestRefuses(t *testing.T) {
	s := queue(t)
	if _, err := jobs.New(s.RiverDriver(), jobs.Handlers{}, jobs.Options{}); err == nil {
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
		if _, err := jobs.New(s.RiverDriver(), h, jobs.Options{Periodic: tasks}); err == nil {
			t.Errorf("periodic tasks %d are accepted", i)
		}
	}
	if _, err := runner(t, s, h, jobs.Options{}).Enqueue(t.Context(), oddJob{}); err == nil {
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
