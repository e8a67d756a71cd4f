package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
)

// simulated runs a small simulation with more flags, and returns what it printed.
func simulated(t *testing.T, args ...string) (days []struct{ Visits, Lists, Impressions int }) {
	t.Helper()
	out := mustRun(t, append([]string{
		"simulate", "--courses", "80", "--learners", "60", "--reviews", "100", "--events", "800",
		"--visitors", "40", "--visits", "1", "--new-courses", "3", "--start", "2026-01-15", "--json",
	}, args...)...)
	var run struct {
		Days []struct{ Visits, Lists, Impressions int }
	}
	if out == "" { // only prepared
		return nil
	}
	if err := json.Unmarshal([]byte(out), &run); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return run.Days
}

// TestSimulate lets days go by in a folder, with an experiment and a holdout, and looks at
// what they left behind: lists and events in the store, a look at the experiment on every
// day, the holdout noted on the days of the simulation, and the truth in a file.
func TestSimulate(t *testing.T) {
	if testing.Short() {
		t.Skip("trains embedders and simulates learners; run without -short")
	}
	t.Parallel()
	d := embedded(t)
	truth := filepath.Join(t.TempDir(), "truth.ndjson")
	held := []string{"--data", d.data, "--experiments.holdout", "0.3"}
	if days := simulated(t, append(held, "--prepare")...); days != nil {
		t.Errorf("preparing printed %v", days)
	}
	file := filepath.Join(t.TempDir(), "same.json")
	if err := os.WriteFile(file, []byte(`{"id":"same","name":"A/A","aa":true,"arms":[{"name":"a"},{"name":"b"}],"primary":{"metric":"enrols"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run("experiments", "create", file)
	d.run("experiments", "start", "same")
	days := simulated(t, append(held, "--days", "3", "--truth", truth, "--effect", "same/b:clicks=1.5")...)
	if len(days) != 3 || days[0].Visits == 0 || days[2].Lists == 0 {
		t.Fatalf("days %+v", days)
	}
	lists := 0
	for _, day := range days {
		lists += day.Lists
	}
	d.withStore(func(s relational) {
		_, kinds := simulatedEvents(t, s)
		for _, typ := range []lectern.EventType{lectern.EventView, lectern.EventClick} {
			if kinds[typ] == 0 {
				t.Errorf("no %s among %v", typ, kinds)
			}
		}
		look, err := s.ExperimentLook(t.Context(), "same")
		if err != nil || !strings.Contains(string(look.Body), `"looked":4`) { // the midnight after the third day is in the fourth
			t.Errorf("the looks at the experiment: %s, %v", look.Body, err)
		}
	})
	checkTruth(t, truth, lists)

	// It goes on where it was, and a change of the holdout is one of those days.
	simulated(t, "--data", d.data, "--experiments.holdout", "0.2", "--days", "2")
	if out := d.run("experiments", "holdout", "--experiments.holdout", "0.2", "--days", "6"); !strings.Contains(out, "The holdout changed on 2026-01-18") {
		t.Errorf("the holdout:\n%s", out)
	}
	if out := d.run("metrics", "--from", "2026-01-15", "--to", "2026-01-19"); !strings.Contains(out, "2026-01-15") {
		t.Errorf("metrics:\n%s", out)
	}
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"has no arm", []string{"--data", d.data, "--effect", "same/c:clicks=1.5"}},
		{"no experiment", []string{"--data", d.data, "--effect", "other/c:clicks=1.5"}},
		{"is not one of thompson", []string{"--policy", "magic"}},
		{"needs --data", []string{"--prepare"}},
		{"is not a day", []string{"--start", "tomorrow"}},
	} {
		if code, _, errs := runCommand(t, append([]string{"simulate", "--days", "1"}, tt.args...)...); code == 0 || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: status %d, %s", tt.args, code, errs)
		}
	}
}

// TestSimulateStopped: days that were begun and not ended are not gone on with.
func TestSimulateStopped(t *testing.T) {
	if testing.Short() {
		t.Skip("trains embedders and simulates learners; run without -short")
	}
	t.Parallel()
	d := embedded(t)
	simulated(t, "--data", d.data, "--prepare")
	child := childCommand(t, io.Discard, "simulate", "--data", d.data, "--days", "2000")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "days go by", func() bool {
		f, _, err := readSimulated(d.data)
		return err == nil && f.Begun
	})
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	code, _, errs := runCommand(t, "simulate", "--data", d.data, "--days", "1")
	if code == 0 || !strings.Contains(errs, "was stopped on its way, after day 0") {
		t.Errorf("status %d, %s", code, errs)
	}
}

// TestSimulateAgain: the same seed and days give the same events.
func TestSimulateAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("trains embedders and simulates learners; run without -short")
	}
	t.Parallel()
	var runs [2][]lectern.Event
	for i := range runs {
		d := embedded(t)
		simulated(t, "--data", d.data, "--days", "3")
		d.withStore(func(s relational) { runs[i], _ = simulatedEvents(t, s) })
	}
	if len(runs[0]) < 800 {
		t.Errorf("%d events", len(runs[0]))
	}
	if diff := cmp.Diff(runs[0], runs[1], cmpopts.IgnoreFields(lectern.Event{}, "ReceivedAt")); diff != "" {
		t.Errorf("one run (-) is not as the other (+):\n%s", diff)
	}
}

// simulatedEvents reads all events of a store, and how many there are of each type.
func simulatedEvents(t *testing.T, s relational) ([]lectern.Event, map[lectern.EventType]int) {
	t.Helper()
	events, err := allEvents(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[lectern.EventType]int{}
	for _, e := range events {
		if e.RankingID != "" {
			kinds[e.Type]++
		}
	}
	return events, kinds
}

// checkTruth reads the truth, which tells of every list.
func checkTruth(t *testing.T, path string, lists int) {
	t.Helper()
	text, err := os.ReadFile(path) //nolint:gosec // of this test
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for line := range strings.Lines(string(text)) {
		var row struct{ Kind string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		kinds[row.Kind]++
	}
	if kinds["learner"] != 40 || kinds["course"] == 0 || kinds["list"] != lists {
		t.Errorf("%v for %d lists", kinds, lists)
	}
}
