package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern/training"
)

// importLearning fills the store with as much of the demo platform as models need.
func (d *deployment) importLearning() {
	d.t.Helper()
	files := filepath.Join(d.t.TempDir(), "demo")
	mustRun(d.t, "demo", "--out", files, "--courses", "80", "--learners", "300", "--reviews", "10", "--events", "12000")
	for _, kind := range []string{"courses", "learners", "events"} {
		d.run("import", kind, filepath.Join(files, kind+".jsonl"))
	}
}

// fewEnough are settings with which the imported rows are enough to learn from.
func fewEnough() []string {
	return []string{"--training.min_events", "200", "--training.min_learners", "50"}
}

func (d *deployment) train(more ...string) (v trained) {
	d.t.Helper()
	out := d.run(append(append([]string{"train", "--json"}, fewEnough()...), more...)...)
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		d.t.Fatalf("%v in %s", err, out)
	}
	return v
}

// trained is what `lectern train --json` prints, as far as it matters here.
type trained struct {
	Version   int64
	Activated bool
	Refused   string
	Selected  string
	Items     int
	Models    []map[string]any
	Noise     []struct {
		Name, Says string
		On         bool
	}
}

// A model that is trained beside servers comes into use in each of them, with its
// factors in the index; so does the way back.
func TestTraining(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testTraining)
}

func testTraining(t *testing.T, d *deployment) {
	d.importLearning()
	if out := d.run("models", "list"); !strings.Contains(out, "no model yet") {
		t.Error(out)
	}
	if v := d.train("--dry-run"); v.Version != 0 || v.Activated || v.Selected == "" || len(v.Models) < 3 || len(v.Noise) != 5 {
		t.Errorf("%+v", v)
	}
	admin := d.key("admin")
	servers := []*testServer{d.start("--training.enabled", "false", "--explore.enabled=false")}
	if d.postgres != nil {
		servers = append(servers, d.start("--training.enabled", "false", "--explore.enabled=false"))
	}
	for _, s := range servers {
		s.ready(admin)
		if v := s.metric("lectern_model_version"); v != "0" {
			t.Errorf("model %s is in use", v)
		}
	}
	inUse := func(version int64) {
		t.Helper()
		want := strconv.FormatInt(version, 10)
		for i, s := range servers {
			took := eventually(t, 30*time.Second, "model "+want+" in use", func() bool { return s.metric("lectern_model_version") == want })
			eventually(t, 30*time.Second, "its factors in the index", func() bool { return s.metric("lectern_model_factors_version") == want })
			t.Logf("replica %d uses model %d after %v", i, version, took)
		}
	}
	first := d.train()
	if !first.Activated || first.Refused != "" || first.Items < 30 {
		t.Fatalf("%+v", first)
	}
	inUse(first.Version)
	if vectors := servers[0].metric(`lectern_index_vectors{vector="cf"}`); d.postgres == nil && vectors == "" {
		t.Error("the index has no factors")
	}
	second := d.train()
	if !second.Activated || second.Version <= first.Version {
		t.Fatalf("%+v", second)
	}
	inUse(second.Version)
	if out := d.run("models", "activate", fmt.Sprint(first.Version)); !strings.Contains(out, "is in use") {
		t.Error(out)
	}
	inUse(first.Version)
	code, _, stderr := runCommand(t, d.with([]string{"models", "activate", "99"})...)
	if code != 1 || !strings.Contains(stderr, fmt.Sprintf("there are %d, %d", second.Version, first.Version)) {
		t.Errorf("status %d: %s", code, stderr)
	}

	var listed struct{ Models []training.Version }
	servers[0].get("/v1/admin/models", admin, &listed)
	if len(listed.Models) != 2 || listed.Models[0].Version != second.Version || !listed.Models[1].Active {
		t.Errorf("%+v", listed)
	}
	servers[0].must(http.MethodPost, fmt.Sprintf("/v1/admin/models/%d/activate", second.Version), admin, "")
	inUse(second.Version)
	if out := d.run("models", "list"); !strings.Contains(out, second.Selected) || strings.Count(out, "\n") != 3 {
		t.Error(out)
	}
	d.checkDeep()
}

// The leader trains by itself as soon as there is enough, and a restart goes on with
// the model.
func TestTrainsByItself(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	d := embedded(t)
	d.importLearning()
	s := d.start(append(fewEnough(), "--explore.enabled=false")...)
	eventually(t, time.Minute, "a model", func() bool { return s.metric("lectern_model_version") == "1" })
	eventually(t, time.Minute, "the end of the training", func() bool { return s.metric("lectern_model_training") == "0" })
	if n := s.metric("lectern_model_training_failures_total"); n != "0" {
		t.Errorf("%s failures", n)
	}
	s.kill()
	s = d.start(append(fewEnough(), "--explore.enabled=false")...)
	eventually(t, time.Second, "the model after a restart", func() bool { return s.metric("lectern_model_version") == "1" })
	d.checkDeep()
}

func TestTrainingRefusesTooLittle(t *testing.T) {
	d := embedded(t)
	d.importDemo(20, "courses")
	code, _, stderr := runCommand(t, d.with([]string{"train"})...)
	if code != 1 || !strings.Contains(stderr, "too little to learn from") || !strings.Contains(stderr, "training.min_events is 1000") {
		t.Errorf("status %d: %s", code, stderr)
	}
}
