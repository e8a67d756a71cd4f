package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// TestFollowers sends learners through a server: they come into the index of
// learners, are corrected for noise within a second, and leave when they are erased.
func TestFollowers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testFollowers)
}

func testFollowers(t *testing.T, d *deployment) {
	d.importDemo(60, "courses")
	server := d.key("server")
	s := d.start("--explore.enabled=false")
	eventually(t, time.Minute, "readiness", func() bool { return s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
	var ids []string
	var list listAnswer
	s.get("/v1/learners/nobody/recommendations?limit=20", server, &list)
	if ids = list.ids(); len(ids) < 10 {
		t.Fatalf("%d courses", len(ids))
	}
	enrol := func(learner string, n int, kind string, repeat int) {
		t.Helper()
		for i := range repeat {
			s.must(http.MethodPost, "/v1/events", server, fmt.Sprintf(`{"id":"%s-%d-%s-%d","type":%q,"learner_id":%q,"course_id":%q,"occurred_at":%q}`,
				learner, n, kind, i, kind, learner, ids[n%len(ids)], time.Now().UTC().Format(time.RFC3339Nano)))
		}
	}
	for i := range 6 {
		enrol(fmt.Sprint("learner", i), i, "enrol", 1)
		enrol(fmt.Sprint("learner", i), i+1, "enrol", 1)
	}
	eventually(t, time.Minute, "learners in the index", func() bool { return s.metric("lectern_index_learners") == "6" })

	s.must(http.MethodDelete, "/v1/learners/learner2", server, "")
	eventually(t, 5*time.Second, "one less after an erasure", func() bool { return s.metric("lectern_index_learners") == "5" })

	// The same click ten times counts little more than once.
	enrol("noisy", 3, "click", 10)
	eventually(t, 5*time.Second, "a profile that is put right", func() bool {
		var p lectern.Profile
		d.withStore(func(store relational) {
			var err error
			if p, err = store.Profile(t.Context(), lectern.LearnerRef{ID: "noisy"}); err != nil {
				t.Fatal(err)
			}
		})
		return p.Entries[0].Weight > 0.9 && p.Entries[0].Weight < 2
	})
	eventually(t, time.Second, "a count of profiles put right", func() bool {
		n := s.metric("lectern_profiles_replaced_total")
		return n != "" && n != "0"
	})
}

// TestLearnersRebuild rebuilds profiles after a strength was changed.
func TestLearnersRebuild(t *testing.T) {
	folder := t.TempDir()
	files, data := filepath.Join(folder, "events.jsonl"), filepath.Join(folder, "data")
	var lines strings.Builder
	for i := range 20 {
		line, err := json.Marshal(lectern.Event{
			ID: fmt.Sprint("e", i), Type: lectern.EventSave, LearnerID: fmt.Sprint("l", i%4), CourseID: fmt.Sprint("c", i),
			OccurredAt: time.Date(2026, 3, 1, i%24, 0, 0, 0, time.UTC),
		})
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	if err := os.WriteFile(files, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "import", "events", files, "--data", data)
	rebuild := func(args ...string) string {
		t.Helper()
		return mustRun(t, append([]string{"learners", "rebuild", "--data", data}, args...)...)
	}
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"--dry-run"}, "4 profiles"},
		{[]string{"--dry-run"}, "0 differed"},
		{[]string{"--dry-run", "--learner.strengths.save", "2.5"}, "4 differed, by 0.5 at most; 0 replaced"},
		{[]string{"--learner", "l1", "--learner.strengths.save", "2.5"}, "5 courses of the profile differed, by 0.5 at most; replaced"},
		{[]string{"--learner", "l1", "--learner.strengths.save", "2.5"}, "is what its events make"},
		{[]string{"--learner.strengths.save", "2.5"}, "3 differed, by 0.5 at most; 3 replaced"},
		{[]string{"--learner.strengths.save", "2.5"}, "0 differed"},
	} {
		if out := rebuild(step.args...); !strings.Contains(out, step.want) {
			t.Errorf("rebuild %v: %q, want %q", step.args, out, step.want)
		}
	}
	if code, _, stderr := runCommand(t, "learners", "rebuild", "--data", data, "--learner", "nobody"); code == 0 || !strings.Contains(stderr, "no such learner") {
		t.Errorf("of nobody: status %d, %s", code, stderr)
	}
	if code, _, _ := runCommand(t, "learners", "rebuild", "--data", filepath.Join(folder, "nothing")); code == 0 {
		t.Error("rebuilt what is not there")
	}
}
