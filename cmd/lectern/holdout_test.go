package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// holdoutAnswer is what the test reads of the comparison.
type holdoutAnswer struct {
	Share    float64
	Shares   []struct{ Share float64 }
	Warnings []string
	Verdict  struct{ State, Reason string }
	Groups   []struct {
		Name                            string
		People, Protected, Tried, Mixed int
	}
	Metrics []struct {
		Metric, Role string
		Levels       []struct{ Units, Value float64 }
	}
	Segments  []struct{ Segment string }
	Exposures []struct{ People []int }
}

const holdoutPath = experimentsPath + "/holdout"

// TestHoldout sets those held out against everybody else over HTTP, on both databases.
func TestHoldout(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testHoldout)
}

func testHoldout(t *testing.T, d *deployment) {
	key, server := d.key("admin"), d.key("server")
	a := admin{d.start("--explore.enabled=false", "--experiments.holdout=0.4"), key}
	a.up()
	a.must(http.MethodPut, "/v1/courses/c0", server, `{"title":"Course","published_at":"2026-01-01T00:00:00Z"}`)
	people := make([]string, 60)
	for i := range people {
		people[i] = fmt.Sprintf("learner-%d", i)
		a.must(http.MethodPut, "/v1/learners/"+people[i], server, fmt.Sprintf(`{"minor":%t}`, i == 0))
	}
	eventually(t, 30*time.Second, "the course in a list", func() bool { _, _, items := a.versionFor(people[0]); return len(items) == 1 })
	a.trial(http.StatusCreated, http.MethodPost, "", "", `{"id":"same","name":"A/A","aa":true,"arms":[{"name":"a"},{"name":"b"}],"primary":{"metric":"enrols"}}`)
	a.trial(http.StatusOK, http.MethodPost, "/same/start", "", "")
	a.trial(http.StatusBadRequest, http.MethodPost, "", "", `{"id":"holdout","name":"A/A","aa":true,"arms":[{"name":"a"},{"name":"b"}],"primary":{"metric":"enrols"}}`, "is not an id")

	eventually(t, 30*time.Second, "the experiment in use", func() bool {
		tried := false
		for _, who := range people[1:] {
			var in struct{ Assignments []struct{ Arm string } }
			a.get(experimentsPath+"/assignments?learner="+who, key, &in)
			tried = tried || len(in.Assignments) > 0 && in.Assignments[0].Arm != ""
		}
		return tried
	})
	held := checkHeld(a, server, people)
	var r holdoutAnswer
	defer func() {
		if t.Failed() {
			t.Logf("last said: %+v", r)
		}
	}()
	counted := func() bool {
		r = holdoutAnswer{}
		a.get(holdoutPath+"?days=2&metrics=enrols,clicks", key, &r)
		return r.Groups[0].People+r.Groups[1].People == len(people)-1 && r.Metrics[0].Levels[1].Value == 1 && len(r.Shares) == 1
	}
	eventually(t, time.Minute, "lists and enrolments are counted", counted)
	if g := r.Groups; g[0].Name != "held_out" || g[0].People != held || g[0].Tried != 0 || g[1].Tried != g[1].People || g[0].Protected+g[1].Protected != 1 {
		t.Errorf("%d are held out: %+v", held, g)
	}
	if r.Share != 0.4 || r.Verdict.State != "not_enough_data" || !strings.Contains(r.Verdict.Reason, "100 people") || len(r.Warnings) > 0 {
		t.Errorf("%+v", r)
	}
	if m := r.Metrics; len(m) != 2 || m[0].Role != "primary" || m[1].Metric != "clicks" || m[0].Levels[0].Value != 0 || len(r.Segments) != 1 || len(r.Exposures) == 0 {
		t.Errorf("%+v", r)
	}
	if status, table := a.do(http.MethodGet, holdoutPath+"?format=csv", key, "", ""); status != http.StatusOK || !strings.Contains(string(table), "enrols,primary,others,") {
		t.Errorf("%d %s", status, table)
	}
	a.trial(http.StatusBadRequest, http.MethodGet, "/holdout?metrics=enrolls", "", "", "did you mean", "enrols")
	a.trial(http.StatusBadRequest, http.MethodGet, "/holdout?from=yesterday", "", "", "2026-03-01")
	a.trial(http.StatusBadRequest, http.MethodGet, "/holdout?days=0", "", "", "days")
	a.trial(http.StatusBadRequest, http.MethodGet, "/holdout?format=xml", "", "", "json, csv")
	out := d.run("experiments", "holdout", "--experiments.holdout=0.4", "--days", "2", "--metrics", "enrols")
	if !strings.Contains(out, "40 % held out: not_enough_data") || !strings.Contains(out, "others") {
		t.Errorf("the command says %s", out)
	}

	// Another share from now on: before and after are not the same.
	a.kill()
	a.testServer = d.start("--explore.enabled=false", "--experiments.holdout=0.2")
	a.up()
	eventually(t, 30*time.Second, "the change is noted", func() bool {
		r = holdoutAnswer{}
		a.get(holdoutPath, key, &r)
		return r.Verdict.State == "blocked"
	})
	if len(r.Shares) != 2 || r.Share != 0.2 || !strings.Contains(r.Verdict.Reason, "The holdout changed on") {
		t.Errorf("%+v", r)
	}
	a.kill()
	a.testServer = d.start("--explore.enabled=false")
	a.up()
	a.trial(http.StatusConflict, http.MethodGet, "/holdout", "", "", "nobody is held out", "experiments.holdout")
}

// checkHeld makes everybody's list, and lets all who are not held out enrol. It returns
// how many are, of those on whom anything may be tried.
func checkHeld(a admin, server string, people []string) (held int) {
	t := a.t
	t.Helper()
	for _, who := range people {
		_, ranking, _ := a.versionFor(who)
		var in struct{ Assignments []struct{ Why, Arm string } }
		a.get(experimentsPath+"/assignments?learner="+who, a.key, &in)
		switch in.Assignments[0].Why {
		case "holdout":
			held++
		case "":
			a.must(http.MethodPost, "/v1/events", server, fmt.Sprintf(`{"id":"enrol-%s","type":"enrol","learner_id":%q,"course_id":"c0","ranking_id":%q,"position":0,"occurred_at":%q}`,
				who, who, ranking, time.Now().UTC().Format(time.RFC3339)))
		case "protected":
		default:
			t.Errorf("%s is in no arm: %s", who, in.Assignments[0].Why)
		}
	}
	if held < 10 || held > 40 {
		t.Errorf("%d of %d are held out", held, len(people))
	}
	return held
}
