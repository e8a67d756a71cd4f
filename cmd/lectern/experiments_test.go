package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

const experimentsPath = "/v1/admin/experiments"

// trialAnswer is what the test reads of an experiment.
type trialAnswer struct {
	ID, ETag, State string
	Version         int
	Plan            *struct {
		Buckets  []struct{ From, To int }
		Settings []int64
	}
	Outcome *struct {
		Promoted string
		Settings int64
	}
	History []struct{ Action, Author, Comment string }
}

// trial sends a request that must be answered with a status, and reads the experiment.
func (a admin) trial(want int, method, path, match, body string, words ...string) (x trialAnswer) {
	a.t.Helper()
	status, _, answer := a.exchange(method, experimentsPath+path, match, body)
	if status != want {
		a.t.Fatalf("%s %s: %d, want %d: %s", method, path, status, want, answer)
	}
	for _, w := range words {
		if !strings.Contains(answer, w) {
			a.t.Errorf("%s %s: %q is not in %s", method, path, w, answer)
		}
	}
	if status < 300 && answer != "" {
		if err := json.Unmarshal([]byte(answer), &x); err != nil {
			a.t.Fatal(err)
		}
	}
	return x
}

// versionFor is by which settings a learner's list is made, and the list's id.
func (a admin) versionFor(learner string) (version, ranking string, items []string) {
	a.t.Helper()
	var l struct {
		listAnswer
		Version string `json:"config_version"`
	}
	a.get("/v1/learners/"+learner+"/recommendations", a.key, &l)
	return l.Version, l.RankingID, l.ids()
}

// TestExperiments is the whole round of an experimenter, over HTTP and on both
// databases.
func TestExperiments(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testExperiments)
}

func testExperiments(t *testing.T, d *deployment) {
	key, server := d.key("admin"), d.key("server")
	a := admin{d.start("--explore.enabled=false"), key}
	a.up()
	for i := range 6 {
		a.must(http.MethodPut, fmt.Sprintf("/v1/courses/c%d", i), server, fmt.Sprintf(`{"title":"Course %d","published_at":%q}`,
			i, time.Now().UTC().AddDate(-i, 0, -1).Format(time.RFC3339)))
	}
	people := make([]string, 40)
	for i := range people {
		people[i] = fmt.Sprintf("learner-%d", i)
		a.must(http.MethodPut, "/v1/learners/"+people[i], server, `{}`)
	}
	eventually(t, 30*time.Second, "the courses in a list", func() bool { _, _, items := a.versionFor(people[0]); return len(items) == 6 })
	a.vectors(6)
	file, _ := a.ok(http.MethodGet, "", "", "")
	a.ok(http.MethodPatch, "", file, `{"weights":{"home":{"freshness":1}},"rules":[{"id":"old","action":"pin","courses":["c5"],"position":0}]}`)
	a.ok(http.MethodPost, "/versions/0/activate", "", `{}`)
	control, _, _ := a.versionFor(people[0])

	checkDrafts(a)
	const definition = `{"id":"fresh","name":"Fresh first","surfaces":["home"],"share":0.9,
		"arms":[{"name":"control","percent":50},{"name":"fresh","settings":1,"percent":50}],
		"primary":{"metric":"enrols","minimum_effect":0.1},"guardrails":[{"metric":"drop_rate","margin":0.2}]}`
	x := a.trial(http.StatusCreated, http.MethodPost, "", "", definition)
	a.trial(http.StatusConflict, http.MethodPost, "", "", definition, "fresh")
	a.trial(http.StatusConflict, http.MethodGet, "/fresh/results", "", "", "not started")
	a.trial(http.StatusPreconditionRequired, http.MethodPatch, "/fresh", "", `{"days":14}`)
	x = a.trial(http.StatusOK, http.MethodPatch, "/fresh", x.ETag, `{"days":14}`, `"days":14`)
	a.trial(http.StatusPreconditionFailed, http.MethodPatch, "/fresh", `"1"`, `{"days":15}`, `\"2\"`)
	x = a.trial(http.StatusOK, http.MethodPost, "/fresh/start", x.ETag, `{"comment":"go"}`, `"state":"running"`)
	if len(x.Plan.Buckets) != 1 || x.Plan.Buckets[0].To != 9000 {
		t.Errorf("buckets %v", x.Plan.Buckets)
	}
	checkRunning(a, x)

	arms := checkArms(a, people, control)
	a.kill()
	a.testServer = d.start("--explore.enabled=false")
	a.up()
	a.vectors(6)
	again := map[string]string{}
	for _, who := range people {
		again[who], _, _ = a.versionFor(who)
	}
	if d := cmp.Diff(arms, again); d != "" {
		t.Errorf("a restart changed arms: %s", d)
	}

	a.trial(http.StatusBadRequest, http.MethodPost, "/fresh/stop", "", `{"promote":"frsh"}`, "control, fresh")
	a.trial(http.StatusBadRequest, http.MethodPost, "/fresh/stop", "", `{"promote":"control"}`, "names no version")
	x = a.trial(http.StatusOK, http.MethodPost, "/fresh/stop", "", `{"promote":"fresh","comment":"won"}`, `"state":"stopped"`)
	if x.Outcome == nil || x.Outcome.Promoted != "fresh" || x.Outcome.Settings != 1 {
		t.Errorf("outcome %+v", x.Outcome)
	}
	if len(x.History) != 5 || x.History[4].Action != "stopped" || x.History[4].Comment != "won" || x.History[4].Author != strings.Split(key, "_")[1] {
		t.Errorf("history %+v", x.History)
	}
	if _, answer := a.ok(http.MethodGet, "/versions", "", ""); !strings.Contains(answer, "arm fresh of experiment fresh: won") {
		t.Errorf("the history of the settings does not name the experiment: %s", answer)
	}
	for _, who := range people[:5] {
		if version, _, _ := a.versionFor(who); version != "v1" {
			t.Errorf("%s has %s after the promotion", who, version)
		}
	}
	a.trial(http.StatusConflict, http.MethodPatch, "/fresh", "*", `{"days":3}`, "stopped", "create another")
	a.trial(http.StatusConflict, http.MethodPost, "/fresh/start", "", "", "only drafts are started")
	a.trial(http.StatusConflict, http.MethodPost, "/fresh/stop", "", "", "only running ones")
	a.trial(http.StatusConflict, http.MethodDelete, "/fresh", "", "", "only drafts are deleted")
	checkDuel(a, d, server, people)
	if out := d.run("experiments", "list"); !strings.Contains(out, "fresh") || !strings.Contains(out, "stopped") {
		t.Errorf("the command lists %s", out)
	}
	if out := d.run("experiments", "results", "fresh"); !strings.Contains(out, "enrols") {
		t.Errorf("the command says %s", out)
	}
	for _, tt := range [][]string{{"--experiment", "fersh", `did you mean "fresh"?`}, {"--experiment", "fresh", "--arm", "frsh", `did you mean "fresh"?`}} {
		asked, want := tt[:len(tt)-1], tt[len(tt)-1]
		if code, _, stderr := runCommand(t, d.with(append([]string{"metrics"}, asked...))...); code != 1 || !strings.Contains(stderr, want) {
			t.Errorf("metrics %v: %d %s", asked, code, stderr)
		}
	}
}

// checkDrafts tries what is not acceptable.
func checkDrafts(a admin) {
	a.t.Helper()
	draft := func(rest string) string { return `{"name":"x",` + rest + `}` }
	const arms, primary = `"arms":[{"name":"a"},{"name":"b","settings":1}]`, `"primary":{"metric":"enrols"}`
	for body, words := range map[string][]string{
		draft(`"arms":[{"name":"a","percent":50},{"name":"b","settings":1,"percent":40}],` + primary): {"arms", "90 %", "100 %"},
		draft(arms + `,"primary":{"metric":"enrolls"}`):                                               {"primary.metric", `did you mean \"enrols\"?`, "completion_rate"},
		draft(`"arms":[{"name":"a"},{"name":"b","settings":99}],` + primary):                          {"arms[1].settings", "no version 99"},
		draft(`"arms":[{"name":"a"},{"name":"b","model":99}],` + primary):                             {"arms[1].model", "no version 99"},
		draft(`"armz":[],` + arms + `,` + primary):                                                    {"armz", "arms"},
		draft(arms + `,"layer":"no good",` + primary):                                                 {"layer"},
	} {
		a.trial(http.StatusBadRequest, http.MethodPost, "", "", body, words...)
	}
	a.trial(http.StatusNotFound, http.MethodGet, "/nothing", "", "", "nothing")
	x := a.trial(http.StatusCreated, http.MethodPost, "", "", draft(arms+`,`+primary))
	a.trial(http.StatusNoContent, http.MethodDelete, "/"+x.ID, "", "")
	a.trial(http.StatusNotFound, http.MethodGet, "/"+x.ID, "", "")
}

// checkRunning tries what a running experiment stands in the way of.
func checkRunning(a admin, x trialAnswer) {
	a.t.Helper()
	a.trial(http.StatusConflict, http.MethodPatch, "/fresh", x.ETag, `{"days":21}`, "running", "ramp")
	a.trial(http.StatusOK, http.MethodPatch, "/fresh", x.ETag, `{"ramp":[{"from":"2026-01-01T00:00:00Z","share":1}]}`, "2026-01-01")
	a.trial(http.StatusBadRequest, http.MethodPatch, "/fresh", "*", `{"ramp":[{"from":"2026-01-01T00:00:00Z","share":0.5}]}`, "only grows")
	a.trial(http.StatusConflict, http.MethodDelete, "/fresh", "", "", "only drafts")
	a.trial(http.StatusCreated, http.MethodPost, "", "", `{"id":"second","name":"2","share":0.2,"arms":[{"name":"a"},{"name":"b","settings":1}],"primary":{"metric":"clicks"}}`)
	a.trial(http.StatusConflict, http.MethodPost, "/second/start", "", "", "at most 0.1", "10 %", "fresh has 90 %")
	a.trial(http.StatusOK, http.MethodPatch, "/second", "*", `{"share":null,"buckets":[{"from":8999,"to":9500}]}`)
	a.trial(http.StatusConflict, http.MethodPost, "/second/start", "", "", "overlaps", "9000 to 10000")
	a.trial(http.StatusOK, http.MethodPatch, "/second", "*", `{"buckets":null,"layer":"other"}`)
	a.trial(http.StatusConflict, http.MethodPost, "/second/start", "", "", "the rerank settings", "fresh")
	a.trial(http.StatusNoContent, http.MethodDelete, "/second", "", "")
}

// checkArms makes everybody's list, and holds arms, exposures and results together. It
// returns by which settings each list was made.
func checkArms(a admin, people []string, control string) map[string]string {
	t := a.t
	t.Helper()
	got, counts := map[string]string{}, map[string]int{}
	for _, who := range people {
		version, _, items := a.versionFor(who)
		got[who] = version
		counts[version]++
		if version == "v1" && items[0] != "c5" || version == control && items[0] == "c5" {
			t.Errorf("%s by %s: %v", who, version, items)
		}
	}
	if len(counts) != 2 || counts["v1"] < 8 || counts[control] < 8 {
		t.Errorf("settings %v", counts)
	}
	exposed := 0
	for _, who := range people {
		var in struct {
			Assignments []struct {
				Experiment, Arm, Why string
				ExposedArm           string `json:"exposed_arm"`
			}
		}
		eventually(t, 30*time.Second, "the exposure", func() bool {
			a.get(experimentsPath+"/assignments?surface=home&learner="+who, a.key, &in)
			return len(in.Assignments) == 1 && in.Assignments[0].ExposedArm == in.Assignments[0].Arm
		})
		if arm := in.Assignments[0].Arm; (arm == "fresh") != (got[who] == "v1") || arm == "" && in.Assignments[0].Why != "layer" {
			t.Errorf("%s: %+v by %s", who, in.Assignments[0], got[who])
		}
		if in.Assignments[0].Arm != "" {
			exposed++
		}
	}
	var results struct {
		Verdict struct{ State, Reason string }
		Arms    []struct {
			Name   string
			People int
		}
		Metrics []struct{ Metric, Role string }
	}
	a.get(experimentsPath+"/fresh/results", a.key, &results)
	if len(results.Arms) != 2 || results.Arms[0].People+results.Arms[1].People != exposed || results.Arms[1].People != counts["v1"] {
		t.Errorf("%d were exposed, %v: %+v", exposed, counts, results)
	}
	if results.Verdict.State == "" || results.Verdict.Reason == "" || results.Metrics[0].Metric != "enrols" || results.Metrics[1].Role != "guardrail" {
		t.Errorf("results %+v", results)
	}
	if status, table := a.do(http.MethodGet, experimentsPath+"/fresh/results?format=csv", a.key, "", ""); status != http.StatusOK || !strings.Contains(string(table), "fresh,running,") {
		t.Errorf("%d %s", status, table)
	}
	return got
}

// checkDuel interleaves two versions, and lets everybody prefer the second.
func checkDuel(a admin, d *deployment, server string, people []string) {
	t := a.t
	t.Helper()
	a.trial(http.StatusCreated, http.MethodPost, "", "", `{"id":"duel","name":"Duel","kind":"interleaving","surfaces":["home"],"arms":[{"name":"file","settings":0},{"name":"one","settings":1}]}`)
	a.trial(http.StatusOK, http.MethodPost, "/duel/start", "", "", `"settings":[0,1]`)
	var lists []string
	for _, who := range people[:10] {
		version, ranking, items := a.versionFor(who)
		_, _, again := a.versionFor(who)
		if !strings.Contains(version, "+v1") || len(items) != 6 || !cmp.Equal(items, again) {
			t.Errorf("%s: %v by %s, then %v", who, items, version, again)
		}
		lists = append(lists, ranking)
	}
	clicks := 0
	for i, id := range lists {
		d.inTest(t).stored(id)
		var r lectern.Ranking
		d.withStore(func(s relational) {
			var err error
			if r, err = s.Ranking(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		})
		if len(r.Arms) != 1 || r.Arms[0] != (lectern.ArmRef{Experiment: "duel", Arm: "interleaved"}) || r.Exploration != nil {
			t.Fatalf("ranking %+v", r)
		}
		for at, item := range r.Items {
			if item.Team == 2 {
				clicks++
				a.must(http.MethodPost, "/v1/events", server, fmt.Sprintf(`{"id":"duel-%s","type":"click","learner_id":%q,"course_id":%q,"ranking_id":%q,"position":%d,"occurred_at":%q}`,
					people[i], people[i], item.CourseID, id, at, time.Now().UTC().Format(time.RFC3339)))
				break
			}
		}
	}
	var results struct {
		Duel struct {
			People, Share float64
			Lists         int
		} `json:"interleaving"`
		Verdict struct{ State, Reason string }
	}
	a.get(experimentsPath+"/duel/results", a.key, &results)
	if clicks == 0 || results.Duel.People != float64(clicks) || results.Duel.Lists != clicks || results.Duel.Share != 0 {
		t.Errorf("%d clicks: %+v", clicks, results)
	}
}
