package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
)

// terminate ends the server's sessions with this application name, and returns
// how many there were.
func terminate(tb testing.TB, dsn, application string) int {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(tb.Context())) }()
	var n int
	err = conn.QueryRow(tb.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = $1`, application).Scan(&n)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// acknowledged is what the writers of one test know to be stored.
type acknowledged struct {
	sync.Mutex
	ratings, events, courses int
	failed                   int
	odd                      error // other than what an outage may look like
}

// writeUntil imports ratings, events and courses until done is closed, sending
// what failed again, as every caller would.
func writeUntil(ctx context.Context, s *postgres.Store, done <-chan struct{}, name string, ack *acknowledged) {
	const batch = 20
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		default:
		}
		var ratings []lectern.Rating
		var events []lectern.EventWrite
		for n := range batch {
			ratings = append(ratings, lectern.Rating{CourseID: fmt.Sprint("c", n%7), Source: name, Day: day1.AddDate(0, 0, i), Stars: 5, Occurrence: 1 + n/7})
			events = append(events, lectern.EventWrite{
				Event: lectern.Event{
					ID: fmt.Sprint(name, "-", i, "-", n), Type: lectern.EventClick, LearnerID: fmt.Sprint("l", n%3),
					CourseID: fmt.Sprint("c", n%7), OccurredAt: day1,
				},
				Delta: &lectern.ProfileDelta{Weight: 1, HalfLife: 24 * time.Hour, State: lectern.StateClicked},
			})
		}
		ack.until(func() error { _, err := s.PutRatings(ctx, ratings); return err })
		ack.until(func() error { _, err := s.AppendEvents(ctx, events); return err })
		ack.until(func() error {
			_, err := s.PutCourses(ctx, []lectern.CoursePatch{course(fmt.Sprint(name, "-", i))})
			return err
		})
		ack.Lock()
		ack.ratings, ack.events, ack.courses = ack.ratings+batch, ack.events+batch, ack.courses+1
		ack.Unlock()
	}
}

// until does a write again and again until it is acknowledged.
func (a *acknowledged) until(write func() error) {
	for {
		err := write()
		if err == nil {
			return
		}
		a.Lock()
		a.failed++
		if lectern.ErrorCode(err) != lectern.CodeUnavailable {
			a.odd = err
		}
		odd := a.odd
		a.Unlock()
		if odd != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// compare counts what is stored: all that was acknowledged, and each once.
func (a *acknowledged) compare(t *testing.T, s *postgres.Store) {
	t.Helper()
	if a.odd != nil {
		t.Fatalf("a write failed with %v", a.odd)
	}
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if int(st.Ratings) != a.ratings || int(st.Events) != a.events || int(st.Courses) != a.courses {
		t.Errorf("stored %d ratings, %d events, %d courses; acknowledged %d, %d, %d",
			st.Ratings, st.Events, st.Courses, a.ratings, a.events, a.courses)
	}
	weight := 0.0
	for l := range 3 {
		p, err := s.Profile(t.Context(), lectern.LearnerRef{ID: fmt.Sprint("l", l)})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Entries {
			weight += e.Weight
		}
	}
	if int(weight+0.5) != a.events {
		t.Errorf("the profiles weigh %g, want a weight of 1 for each of %d events", weight, a.events)
	}
	if int(st.PendingJobs) != a.courses {
		t.Errorf("%d jobs for %d courses", st.PendingJobs, a.courses)
	}
	if found, err := s.Check(t.Context()); err != nil || len(found) > 0 {
		t.Error(found, err)
	}
}

// outage lets two replicas write while disturb runs, and then compares.
func outage(t *testing.T, dsn string, disturb func(wrote func() bool)) {
	t.Helper()
	var ack acknowledged
	done := make(chan struct{})
	var writers sync.WaitGroup
	stores := []*postgres.Store{open(t, dsn), open(t, dsn)}
	for i, s := range stores {
		for n := range 2 {
			writers.Go(func() { writeUntil(t.Context(), s, done, fmt.Sprint("w", i, n), &ack) })
		}
	}
	disturb(func() bool { // waits for the next acknowledgement
		ack.Lock()
		before := ack.courses
		ack.Unlock()
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			ack.Lock()
			on, odd := ack.courses > before, ack.odd
			ack.Unlock()
			if on || odd != nil {
				return on
			}
		}
		return false
	})
	close(done)
	writers.Wait()
	t.Logf("%d batches acknowledged, %d writes failed", ack.courses, ack.failed)
	ack.compare(t, stores[0])
}

func testSessionsAreKilled(t *testing.T, dsn string) {
	killed := 0
	outage(t, dsn, func(wrote func() bool) {
		for range 15 {
			if !wrote() {
				t.Fatal("no write is acknowledged any more")
			}
			killed += terminate(t, dsn, "lectern")
		}
		wrote()
	})
	if killed < 15 {
		t.Errorf("only %d sessions were killed", killed)
	}
}

func TestServerIsKilled(t *testing.T) {
	server := pgtest.Start(t)
	outage(t, server.DSN(t), func(wrote func() bool) {
		for range 3 {
			if !wrote() {
				t.Fatal("no write is acknowledged any more")
			}
			server.Kill(t)
			server.Restart(t)
		}
		if !wrote() {
			t.Fatal("no write is acknowledged after the last restart")
		}
	})
}

// TestAway tells what callers see of a server that is not there.
func TestAway(t *testing.T) {
	server := pgtest.Start(t)
	dsn := server.DSN(t)
	s := open(t, dsn)
	terminate(t, dsn, "lectern")
	if _, err := s.Courses(t.Context(), []string{"a"}); err != nil {
		t.Errorf("a read on a lost connection: %v", err)
	}
	terminate(t, dsn, "lectern")
	if _, err := s.PutCourses(t.Context(), []lectern.CoursePatch{course("a")}); err != nil {
		t.Errorf("a write on a lost connection: %v", err)
	}
	server.Kill(t)
	_, errWrite := s.PutCourses(t.Context(), []lectern.CoursePatch{course("b")})
	_, errRead := s.Courses(t.Context(), []string{"a"})
	_, errStats := s.Stats(t.Context())
	opts := postgres.Options{Config: postgres.DefaultConfig()}
	opts.DSN = dsn
	_, errOpen := postgres.Open(t.Context(), opts)
	for what, err := range map[string]error{
		"write": errWrite, "read": errRead, "stats": errStats, "ping": s.Ping(t.Context()), "open": errOpen,
		"migrate": s.Migrate(t.Context()),
	} {
		if lectern.ErrorCode(err) != lectern.CodeUnavailable {
			t.Errorf("%s without a server: %v", what, err)
		}
	}
	server.Restart(t)
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping after a restart: %v", err)
	}
	got, err := s.Courses(t.Context(), []string{"a", "b"})
	if err != nil || len(got) != 1 {
		t.Errorf("courses after a restart: %v, %v", got, err)
	}
}

// testDeadline lets a write wait for a lock that another one holds.
func testDeadline(t *testing.T, dsn string) {
	s := open(t, dsn)
	if _, err := s.PutCourses(t.Context(), []lectern.CoursePatch{course("a")}); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE courses IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	impatient := postgres.Options{Config: postgres.DefaultConfig()}
	impatient.DSN, impatient.StatementTimeout = dsn, 3*time.Second // which is time enough to open it
	s2, err := postgres.Open(t.Context(), impatient)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s2.Close() }()
	changed := course("a")
	changed.Course.Title = "changed"
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, errCtx := s.PutCourses(ctx, []lectern.CoursePatch{changed})
	_, errServer := s2.PutCourses(t.Context(), []lectern.CoursePatch{changed})
	_, errRead := s2.Courses(t.Context(), []string{"a"})
	for what, err := range map[string]error{"context": errCtx, "server": errServer, "read": errRead} {
		if lectern.ErrorCode(err) != lectern.CodeDeadline {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.Courses(t.Context(), []string{"a"})
	if err != nil || len(got) != 1 || got[0].Title == "changed" {
		t.Errorf("after writes that were given up: %v, %v", got, err)
	}
}

func TestTooManyConnections(t *testing.T) {
	dsn := pgtest.Start(t).DSN(t)
	s := open(t, dsn)
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var full atomic.Bool
	for range info.MaxConns + 10 { // as superuser, who has a few more
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			full.Store(true)
			break
		}
		t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	}
	if !full.Load() {
		t.Fatal("the server takes any number of connections")
	}
	opts := postgres.Options{Config: postgres.DefaultConfig()}
	opts.DSN = dsn
	if _, err := postgres.Open(t.Context(), opts); lectern.ErrorCode(err) != lectern.CodeUnavailable {
		t.Errorf("open on a full server: %v", err)
	}
}
