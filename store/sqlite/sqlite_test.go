package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite"
	"github.com/lectern-dev/lectern/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return inspected{open(t, filepath.Join(t.TempDir(), "lectern.db"))}
	})
}

// inspected lets the suite look for a text anywhere in the database.
type inspected struct{ *sqlite.Store }

func (s inspected) Mentions(ctx context.Context, text string) ([]string, error) {
	return s.MentionsForTest(ctx, text)
}

func open(tb testing.TB, path string) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), sqlite.Options{Path: path})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	if err := s.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

func course(id string) lectern.CoursePatch {
	return lectern.CoursePatch{Replace: true, Course: lectern.Course{ID: id, Title: "Course " + id}}
}

func event(id, learner, courseID string) lectern.EventWrite {
	return lectern.EventWrite{
		Event: lectern.Event{
			ID: id, Type: lectern.EventClick, LearnerID: learner, CourseID: courseID,
			OccurredAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		},
		Delta: &lectern.ProfileDelta{Weight: 1, HalfLife: 30 * 24 * time.Hour, State: lectern.StateClicked},
	}
}

func TestMigrateDownAndUpAgain(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	before, err := s.MigrationStatus(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range before {
		if !m.Applied {
			t.Errorf("migration %d is not applied after Migrate", m.Version)
		}
	}
	for _, version := range []int64{3, 0} {
		if err := s.MigrateDown(ctx, version); err != nil {
			t.Fatalf("down to %d: %v", version, err)
		}
		status, err := s.MigrationStatus(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range status {
			if m.Applied != (m.Version <= version) {
				t.Errorf("down to %d: migration %d applied = %v", version, m.Version, m.Applied)
			}
		}
	}
	tables, err := s.TablesForTest(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(tables); got != "[goose_db_version]" {
		t.Errorf("tables after migrating down to 0: %s", got)
	}
	if err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutCourses(ctx, []lectern.CoursePatch{course("a")}); err != nil {
		t.Fatal(err)
	}
}
