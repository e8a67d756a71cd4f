package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// TestFailedWriteLeavesNeighbours checks that writes that fail, or panic, undo
// themselves and nothing else of their group.
func TestFailedWriteLeavesNeighbours(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	const n = 60
	errs := make([]error, n)
	release := s.HoldWriterForTest() // so that all of them end up in one group
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			switch i % 3 {
			case 0:
				_, errs[i] = s.PutCourses(t.Context(), []lectern.CoursePatch{course(fmt.Sprint(i))})
			case 1:
				errs[i] = s.WriteThenForTest(t.Context(), fmt.Sprint("failed", i), func() error { return errors.New("no") })
			default:
				errs[i] = s.WriteThenForTest(t.Context(), fmt.Sprint("failed", i), func() error { panic("oh") })
			}
		})
	}
	s.AwaitQueueForTest(n)
	release()
	wg.Wait()
	// And one that fails all alone, which takes another way back.
	if err := s.WriteThenForTest(t.Context(), "failed alone", func() error { return errors.New("no") }); err == nil {
		t.Error("a write that fails is acknowledged")
	}
	for i, err := range errs {
		if failed := err != nil; failed != (i%3 != 0) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st.Courses != n/3 {
		t.Errorf("%d courses, want %d", st.Courses, n/3)
	}
	if found, err := s.MentionsForTest(t.Context(), "failed"); err != nil || len(found) > 0 {
		t.Errorf("failed writes are in %v, %v", found, err)
	}
}

// TestQueuedWriteIsTakenBack checks that a write whose caller gives up while it
// is queued is never done.
func TestQueuedWriteIsTakenBack(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	release := s.HoldWriterForTest()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.PutCourses(ctx, []lectern.CoursePatch{course("a")})
		done <- err
	}()
	s.AwaitQueueForTest(1)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	release()
	if _, err := s.PutCourses(t.Context(), []lectern.CoursePatch{course("b")}); err != nil {
		t.Fatal(err)
	}
	if cs, err := s.Courses(t.Context(), []string{"a", "b"}); err != nil || len(cs) != 1 || cs[0].ID != "b" {
		t.Errorf("courses %v, %v", cs, err)
	}
}

// TestTwoProcesses stands two stores on one file, as a server and an import are.
func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	stores := []*sqlite.Store{open(t, path), open(t, path)}
	const batches, size = 25, 200
	var wg sync.WaitGroup
	for p, s := range stores {
		wg.Go(func() {
			for b := range batches {
				events := make([]lectern.EventWrite, size)
				for i := range events {
					events[i] = event(fmt.Sprintf("%d-%d-%d", p, b, i), "l", "a")
				}
				if _, err := s.AppendEvents(t.Context(), events); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		st, err := s.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := int64(len(stores) * batches * size); st.Events != want || st.Learners != 1 {
			t.Errorf("%d events of %d learners, want %d of 1", st.Events, st.Learners, want)
		}
	}
}

func TestCloseFinishesAndRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	s := open(t, path)
	if _, err := s.PutCourses(t.Context(), []lectern.CoursePatch{course("a")}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	_, err := s.PutCourses(t.Context(), []lectern.CoursePatch{course("b")})
	if lectern.ErrorCode(err) != lectern.CodeUnavailable {
		t.Errorf("a write to a closed store: %v", err)
	}
	if cs, err := open(t, path).Courses(t.Context(), []string{"a"}); err != nil || len(cs) != 1 {
		t.Errorf("after reopening: %v, %v", cs, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, path := range []string{"", filepath.Join(t.TempDir(), "no", "such", "folder", "x.db")} {
		if s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path}); err == nil {
			t.Errorf("%q opens", path)
			_ = s.Close()
		}
	}
	odd := filepath.Join(t.TempDir(), "a b?c#d%20é.db")
	open(t, odd)
	if again := open(t, odd); again.Ping(t.Context()) != nil {
		t.Error("a path with odd characters does not work")
	}
}

func TestRescueJobs(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	if _, err := s.PutCourses(ctx, []lectern.CoursePatch{course("a")}); err != nil {
		t.Fatal(err)
	}
	if err := s.ExecForTest(ctx, `UPDATE river_job SET state = 'running', attempt = 1`); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		if n, err := s.RescueJobs(ctx); err != nil || n != want {
			t.Errorf("rescued %d, %v, want %d", n, err, want)
		}
	}
	if st, err := s.Stats(ctx); err != nil || st.PendingJobs != 1 {
		t.Errorf("%d pending jobs, %v", st.PendingJobs, err)
	}
}

// TestCheckFinds damages a database in each way that Check knows.
func TestCheckFinds(t *testing.T) {
	for name, c := range map[string]struct{ damage, want string }{
		"stale hash":        {`UPDATE courses SET title = 'changed behind our back'`, "stale content hash"},
		"bad list":          {`UPDATE courses SET skills = '{'`, "stored list"},
		"out of feed":       {`DELETE FROM course_changes`, "not in the change feed"},
		"orphan":            {`PRAGMA foreign_keys = OFF; DELETE FROM learners`, "point at missing rows of learners"},
		"no identity":       {`DELETE FROM identities`, "no identity"},
		"wrong kind":        {`UPDATE learners SET anonymous = 1`, "contradict"},
		"cut vector":        {`UPDATE embeddings SET vector = x'0000'`, "whole numbers of floats"},
		"cut review vector": {`UPDATE review_embeddings SET vector = x'0000'`, "whole numbers of floats"},
		"incomplete":        {`DELETE FROM artefact_chunks`, "incomplete"},
		"index out of step": {`PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, '(course_id)', '(learner_id)') WHERE name = 'events_course'; PRAGMA writable_schema = RESET`, "database file"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			path := filepath.Join(t.TempDir(), "lectern.db")
			s := open(t, path)
			_, errCourses := s.PutCourses(ctx, []lectern.CoursePatch{course("a")})
			_, errEvents := s.AppendEvents(ctx, []lectern.EventWrite{event("e", "l", "a"), event("f", "m", "a")})
			errVectors := s.PutVectors(ctx, "f", map[lectern.ContentHash][]float32{lectern.HashContent("x"): {1}})
			errReviews := s.PutReviewVectors(ctx, "f", map[string][]float32{"a": {1}})
			_, errArtefact := s.PutArtefact(ctx, lectern.Artefact{Kind: "k"}, []byte("body"))
			if err := errors.Join(errCourses, errEvents, errVectors, errReviews, errArtefact); err != nil {
				t.Fatal(err)
			}
			if found, err := s.Check(ctx); err != nil || len(found) > 0 {
				t.Fatalf("before: %v, %v", found, err)
			}
			if err := s.ExecForTest(ctx, c.damage); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			found, err := open(t, path).Check(ctx)
			if err != nil || !strings.Contains(strings.Join(found, "\n"), c.want) {
				t.Errorf("found %q, %v; want %q", found, err, c.want)
			}
		})
	}
}

func TestPanicIsLogged(t *testing.T) {
	var log bytes.Buffer
	s, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "x.db"), Logger: slog.New(slog.NewTextHandler(&log, nil)), LockTimeout: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = s.WriteThenForTest(t.Context(), "x", func() error { panic("the reason") })
	if lectern.ErrorCode(err) != lectern.CodeInternal {
		t.Errorf("error %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "the reason") {
		t.Errorf("log: %s", log.String())
	}
}
