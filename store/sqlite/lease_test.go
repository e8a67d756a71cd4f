package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/lectern-dev/lectern/store/sqlite"
)

// TestLeaseBetweenProcesses has two stores on one file, as two processes would,
// and a clock that the test turns.
func TestLeaseBetweenProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	open(t, path) // migrates
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	stores := map[string]*sqlite.Store{}
	for _, holder := range []string{"a", "b"} {
		s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Clock: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		stores[holder] = s
	}
	for _, step := range []struct {
		after  time.Duration
		holder string
		want   bool
	}{
		{0, "a", true},
		{9 * time.Second, "b", false},
		{0, "a", true}, // until 19 s
		{9 * time.Second, "b", false},
		{time.Second - time.Microsecond, "b", false},
		{time.Microsecond, "b", true}, // over at 19 s sharp
		{0, "a", false},
	} {
		now = now.Add(step.after)
		held, err := stores[step.holder].AcquireLease(t.Context(), "leader", step.holder, 10*time.Second)
		if err != nil || held != step.want {
			t.Errorf("at %s, %s: %v, %v, want %v", now.Format("05.000000"), step.holder, held, err, step.want)
		}
	}
}
