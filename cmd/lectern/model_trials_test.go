package main

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/training"
)

// TestModelTrials tries one collaborative model against another while a third one is
// trained, over HTTP and on both databases.
func TestModelTrials(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testModelTrials)
}

// modelTrial is a server with models, and people whose lists differ by them.
type modelTrial struct {
	admin
	server string // key
	people []string
}

// modelList is somebody's list, with what the model says of its courses.
type modelList struct {
	ranking string
	values  map[string]float64
}

// lists are everybody's list.
func (m modelTrial) lists() map[string]modelList {
	m.t.Helper()
	out := map[string]modelList{}
	for _, who := range m.people {
		var l struct {
			RankingID string `json:"ranking_id"`
			Items     []struct {
				CourseID string `json:"course_id"`
				Terms    []lectern.Term
			}
		}
		m.get("/v1/learners/"+who+"/recommendations?explain=true&limit=50", m.key, &l)
		values := map[string]float64{}
		for _, item := range l.Items {
			for _, t := range item.Terms {
				if t.Name == "collaborative" {
					values[item.CourseID] = t.Value
				}
			}
		}
		out[who] = modelList{l.RankingID, values}
	}
	return out
}

// apart is by how much models differ in what they say of the courses of two lists, as a
// share of all that they say, from 0 to 1. It rests on places among candidates, so that a
// few more of these move it a little.
func apart(a, b modelList) float64 {
	differ, all := 0.0, 0.0
	for id, v := range a.values {
		if w, both := b.values[id]; both {
			differ += math.Abs(v - w)
			all += max(v, w)
		}
	}
	if all == 0 {
		return 0
	}
	return differ / all
}

// far is how far apart lists are that show by which of two models they were made.
const far = 0.04

// model is that which the record of a list names, and its arms.
func (m modelTrial) model(l modelList) (model int64, arms []lectern.ArmRef) {
	m.t.Helper()
	var r struct {
		Model int64
		Arms  []lectern.ArmRef
	}
	eventually(m.t, 20*time.Second, "the list is recorded", func() bool {
		status, _ := m.do(http.MethodGet, "/v1/rankings/"+l.ranking, m.server, "", "")
		return status == http.StatusOK
	})
	m.get("/v1/rankings/"+l.ranking, m.server, &r)
	return r.Model, r.Arms
}

// uses waits until the server uses a version, its factors being in the index.
func (m modelTrial) uses(version int64) {
	m.t.Helper()
	for _, name := range []string{"lectern_model_version", "lectern_model_factors_version"} {
		eventually(m.t, 30*time.Second, name, func() bool { return m.metric(name) == fmt.Sprint(version) })
	}
}

// kept are the versions in the store, newest first.
func (m modelTrial) kept(want ...int64) {
	m.t.Helper()
	var listed struct{ Models []training.Version }
	m.get("/v1/admin/models", m.key, &listed)
	var got []int64
	for i := range listed.Models {
		got = append(got, listed.Models[i].Version)
	}
	if d := cmp.Diff(want, got); d != "" {
		m.t.Errorf("models in the store: %s", d)
	}
}

// made holds a list to the model that is to have made it: the record names it, and what it
// says of courses is what it said before, not what the other one said.
func (m modelTrial) made(when string, version int64, who string, got, want, other modelList) {
	m.t.Helper()
	if model, _ := m.model(got); model != version {
		m.t.Errorf("%s, %s: the record names model %d, not %d", when, who, model, version)
	}
	if apart(want, other) < far {
		return
	}
	if own, wrong := apart(got, want), apart(got, other); own >= wrong {
		m.t.Errorf("%s, %s: the list is %.3f from that of model %d, %.3f from the other's", when, who, own, version, wrong)
	}
}

func testModelTrials(t *testing.T, d *deployment) {
	d.importLearning()
	first, second := d.train("--training.models", "als").Version, d.train("--training.models", "session").Version
	m := modelTrial{admin: admin{d.start("--training.enabled=false", "--explore.enabled=false"), d.key("admin")}, server: d.key("server")}
	m.up()
	m.ready(m.key)
	d.embedded(m.testServer)
	for i := range 24 {
		m.people = append(m.people, fmt.Sprintf("learner-%05d", i+1))
	}
	by := map[int64]map[string]modelList{}
	for _, v := range []int64{first, second} {
		m.must(http.MethodPost, fmt.Sprintf("/v1/admin/models/%d/activate", v), m.key, "")
		m.uses(v)
		by[v] = m.lists()
	}
	differ, all := 0, 0.0
	for _, who := range m.people {
		by := apart(by[first][who], by[second][who])
		if all += by; by >= far {
			differ++
		}
	}
	t.Logf("the lists of %d of %d people show the model; they are %.3f apart in the mean", differ, len(m.people), all/float64(len(m.people)))
	if differ < len(m.people)/3 {
		t.Fatalf("what is said to %d of %d people differs by the model", differ, len(m.people))
	}

	m.trial(http.StatusCreated, http.MethodPost, "", "", fmt.Sprintf(`{"id":"models","name":"Models","arms":[{"name":"now"},{"name":"old","model":%d}],"primary":{"metric":"enrols"}}`, first))
	m.trial(http.StatusOK, http.MethodPost, "/models/start", "", "", fmt.Sprintf(`"model":%d`, second))
	arms := m.check("at the start", by, map[string]int64{"now": second, "old": first}, nil)

	// A training that keeps one version alone leaves what the arms need, and changes none.
	third := d.train("--training.keep", "1").Version
	m.uses(third)
	m.kept(third, second, first)
	m.check("after a training", by, map[string]int64{"now": second, "old": first}, arms)
	m.kill()
	m.testServer = d.start("--training.enabled=false", "--explore.enabled=false")
	m.up()
	m.uses(third)
	m.ready(m.key)
	d.embedded(m.testServer)
	m.check("after a restart", by, map[string]int64{"now": second, "old": first}, arms)
	m.noModel()

	m.trial(http.StatusBadRequest, http.MethodPost, "/models/stop", "", `{"promote":"now"}`, "names no version")
	m.trial(http.StatusOK, http.MethodPost, "/models/stop", "", `{"promote":"old"}`, `"promoted":"old"`, fmt.Sprintf(`"model":%d`, first))
	m.uses(first)
	for who, l := range m.lists() {
		m.made("after the promotion", first, who, l, by[first][who], by[second][who])
		if _, arms := m.model(l); len(arms) > 0 {
			t.Errorf("%s is in %v after the stop", who, arms)
		}
	}
	fourth := d.train("--training.keep", "1")
	if fourth.Activated {
		m.kept(fourth.Version)
	} else {
		m.kept(fourth.Version, first)
	}
	m.replays(d)
}

// check holds everybody's list to their arm's model, and returns their arms.
func (m modelTrial) check(when string, by map[int64]map[string]modelList, models map[string]int64, before map[string]string) map[string]string {
	m.t.Helper()
	got, counts := map[string]string{}, map[string]int{}
	for who, l := range m.lists() {
		_, arms := m.model(l)
		if len(arms) != 1 || arms[0].Experiment != "models" {
			m.t.Fatalf("%s: %s is in %v", when, who, arms)
		}
		got[who] = arms[0].Arm
		counts[got[who]]++
		version := models[got[who]]
		other := models["now"]
		if other == version {
			other = models["old"]
		}
		m.made(when+", arm "+got[who], version, who, l, by[version][who], by[other][who])
	}
	if counts["now"] < 3 || counts["old"] < 3 {
		m.t.Errorf("%s: arms %v", when, counts)
	}
	if before != nil {
		if d := cmp.Diff(before, got); d != "" {
			m.t.Errorf("%s: arms changed: %s", when, d)
		}
	}
	return got
}

// noModel sees that lists in which no model takes part are in no arm.
func (m modelTrial) noModel() {
	m.t.Helper()
	m.must(http.MethodPut, "/v1/learners/fresh", m.server, `{}`)
	_, ranking, _ := m.versionFor("fresh")
	if model, arms := m.model(modelList{ranking: ranking}); model != 0 || len(arms) > 0 {
		m.t.Errorf("somebody new has a list by model %d in %v", model, arms)
	}
	var l listAnswer
	m.get("/v1/search?q=data&learner="+m.people[0], m.server, &l)
	if model, arms := m.model(modelList{ranking: l.RankingID}); model != 0 || len(arms) > 0 {
		m.t.Errorf("a search by model %d in %v", model, arms)
	}
	var in struct {
		Assignments []struct{ Arm, Why string }
	}
	m.get(experimentsPath+"/assignments?surface=search&learner="+m.people[0], m.key, &in)
	if len(in.Assignments) != 1 || in.Assignments[0].Why != "model" {
		m.t.Errorf("%+v", in)
	}
}

// replays sees that lists that explored in an arm are filled again from their records
// when their model is gone.
func (m modelTrial) replays(d *deployment) {
	t := m.t
	t.Helper()
	last := d.train().Version
	other := d.train("--training.models", "session").Version
	m.kill()
	m.testServer = d.start("--training.enabled=false")
	m.up()
	m.ready(m.key)
	d.embedded(m.testServer)
	m.trial(http.StatusCreated, http.MethodPost, "", "", fmt.Sprintf(`{"id":"again","name":"Models","arms":[{"name":"a","model":%d},{"name":"b","model":%d}],"primary":{"metric":"enrols"}}`, last, other))
	m.trial(http.StatusOK, http.MethodPost, "/again/start", "", "")
	lists := m.lists()
	m.trial(http.StatusOK, http.MethodPost, "/again/stop", "", "")
	newest := d.train("--training.keep", "1")
	m.kept(newest.Version)
	explored := 0
	for who, l := range lists {
		model, arms := m.model(l)
		if want := map[string]int64{"a": last, "b": other}; len(arms) != 1 || model != want[arms[0].Arm] {
			t.Errorf("%s: model %d in %v", who, model, arms)
		}
		status, body := m.do(http.MethodGet, "/v1/admin/rankings/"+l.ranking+"/replay", m.key, "", "")
		switch {
		case status == http.StatusBadRequest && strings.Contains(string(body), "nothing was explored"):
		case status != http.StatusOK || !strings.Contains(string(body), `"same":true`):
			t.Errorf("%s: %d %s", who, status, body)
		default:
			explored++
		}
	}
	if explored == 0 {
		t.Error("no list explored")
	}
}
