package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
)

// TestLearnersAtTheCommandLine follows one learner from imported files to a profile
// in words, a correction that lasts, and a home page that nobody is said to have seen.
func TestLearnersAtTheCommandLine(t *testing.T) {
	t.Parallel()
	files, dir := t.TempDir(), t.TempDir()
	mustRun(t, "demo", "--out", files, "--courses", "150", "--learners", "60", "--events", "2500", "--reviews", "50")
	for _, kind := range []string{"courses", "learners", "events"} {
		mustRun(t, "import", kind, filepath.Join(files, kind+".jsonl"), "--data", dir)
	}
	id := busiestLearner(t, filepath.Join(files, "events.jsonl"))

	before := describedBy(t, "show", id, "--data", dir)
	if len(before.Interests) == 0 || before.EventsCounted == 0 {
		t.Fatalf("nothing is known of %s: %+v", id, before)
	}
	name := before.Interests[0].Name
	if text := mustRun(t, "learners", "show", id, "--data", dir); !strings.Contains(text, name) {
		t.Errorf("the text does not name %q:\n%s", name, text)
	}
	describedBy(t, "correct", id, "--remove-interest", name, "--weekly-hours", "3", "--pace", "relaxed", "--data", dir)
	after := describedBy(t, "show", id, "--data", dir)
	for _, n := range after.Interests {
		if n.Name == name {
			t.Errorf("%q is an interest again", name)
		}
	}
	if len(after.RemovedInterests) == 0 || after.WeeklyHours.Value == nil || *after.WeeklyHours.Value != 3 || after.Pace.Value != lectern.PaceRelaxed {
		t.Errorf("the correction did not last: %+v", after)
	}

	describedBy(t, "correct", id, "--interest", "weaving", "--data", dir)
	back := describedBy(t, "correct", id, "--interest", "", "--weekly-hours", "", "--data", dir)
	if len(back.Stated.Interests) != 0 || back.Stated.WeeklyHours != nil {
		t.Errorf("taken back, and yet %+v", back.Stated)
	}
	for _, hours := range []string{"some", "169", "-1", "NaN"} {
		code, _, stderr := runCommand(t, "learners", "correct", id, "--weekly-hours", hours, "--data", dir)
		if code != 2 || !strings.Contains(stderr, "a number from 0 to 168 is") || strings.Contains(stderr, "strconv") {
			t.Errorf("--weekly-hours %s: %d %s", hours, code, stderr)
		}
	}
	text := mustRun(t, "learners", "home", id, "--data", dir)
	if !strings.Contains(text, "for_you: home_") {
		t.Errorf("rows have no titles:\n%s", text)
	}

	var page lectern.Home
	if err := json.Unmarshal([]byte(mustRun(t, "learners", "home", id, "--json", "--data", dir)), &page); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range page.Rows {
		for _, it := range r.List.Items {
			if seen[it.Course.ID] {
				t.Errorf("%s stands in two rows", it.Course.ID)
			}
			seen[it.Course.ID] = true
		}
	}
	if len(page.Rows) < 2 {
		t.Errorf("%d rows", len(page.Rows))
	}
	if code, _, stderr := runCommand(t, "learners", "show", "nobody-knows", "--data", dir); code != 1 || !strings.Contains(stderr, "nobody-knows") {
		t.Errorf("%d %s", code, stderr)
	}
	if code, _, stderr := runCommand(t, "learners", "correct", id, "--remove-interest", "falconry", "--data", dir); code != 1 || !strings.Contains(stderr, "remove_interests") {
		t.Errorf("%d %s", code, stderr)
	}
}

func describedBy(t *testing.T, args ...string) learner.Description {
	t.Helper()
	var d learner.Description
	if err := json.Unmarshal([]byte(mustRun(t, append(append([]string{"learners"}, args...), "--json")...)), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// busiestLearner is the learner with most events in a file of them.
func busiestLearner(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	best := ""
	for line := range strings.Lines(string(text)) {
		var e lectern.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.LearnerID == "" {
			continue
		}
		counts[e.LearnerID]++
		if n := counts[e.LearnerID]; best == "" || n > counts[best] || n == counts[best] && e.LearnerID < best {
			best = e.LearnerID
		}
	}
	return best
}
