package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern/analytics"
	"github.com/lectern-dev/lectern/experiment/learn"
	"github.com/lectern-dev/lectern/experiment/ope"
)

// checkJudged acts on a list that explored, and reads over HTTP what is made of it: what
// was learnt, what is estimated, what is counted, and what is said to bad questions.
func checkJudged(s *testServer, key string, d *deployment, learner string, list *listAnswer) {
	a := admin{s, key}
	a.t.Helper()
	var lines strings.Builder
	sent := 0
	act := func(kind, course string) {
		sent++
		fmt.Fprintf(&lines, `{"id":"judged-%d","type":%q,"learner_id":%q,"course_id":%q,"ranking_id":%q,"occurred_at":%q}`+"\n",
			sent, kind, learner, course, list.RankingID, time.Now().UTC().Format(time.RFC3339Nano))
	}
	for _, it := range list.Items {
		act("view", it.CourseID)
	}
	act("click", list.Items[3].CourseID) // which explores
	act("click", list.Items[0].CourseID)
	act("click", list.Items[0].CourseID) // counts once
	status, answer := a.do(http.MethodPost, "/v1/events/batch", a.key, "application/x-ndjson", lines.String())
	if status != http.StatusOK || strings.Contains(string(answer), "rejected") {
		a.t.Fatalf("events: %d %s", status, answer)
	}

	var learnt learn.Status
	eventually(a.t, time.Minute, "what was seen and clicked is learnt", func() bool {
		a.get("/v1/admin/explore/status", a.key, &learnt)
		return learnt.Learning.Rewards > 1
	})
	clicks := slices.IndexFunc(learnt.Rewards, func(r learn.Earned) bool { return r.Name == "click" })
	if clicks < 0 || learnt.Rewards[clicks].Explored != 1 || learnt.Rewards[clicks].Others != 1 || learnt.Learning.Impressions != int64(len(list.Items)) {
		a.t.Errorf("learnt %+v, %+v", learnt.Learning, learnt.Rewards)
	}
	checkEstimates(a)
	checkMetrics(a, len(list.Items))
	checkGoals(a)
	if out := d.run("metrics", "--metrics", "clicks,exploration_spend", "--by", "explored"); !strings.Contains(out, "Clicks") {
		a.t.Errorf("metrics at the command line:\n%s", out)
	}
	if out := d.run("metrics", "rebuild"); !strings.Contains(out, "counted") {
		a.t.Errorf("metrics rebuild:\n%s", out)
	}
	checkMetrics(a, len(list.Items))
}

// refuses sends what is not acceptable, and looks for words in what is said of it.
func (a admin) refuses(want int, method, path, body string, words ...string) {
	a.t.Helper()
	status, _, answer := a.exchange(method, path, "", body)
	if status != want {
		a.t.Errorf("%s %s %s: %d, want %d: %s", method, path, body, status, want, answer)
	}
	for _, w := range words {
		if !strings.Contains(answer, w) {
			a.t.Errorf("%s %s %s: %q is not in %s", method, path, body, w, answer)
		}
	}
}

// checkEstimates asks for what one list of one person cannot tell.
func checkEstimates(a admin) {
	a.t.Helper()
	const path = rerankPath + "/estimate"
	status, _, answer := a.exchange(http.MethodPost, path, "", `{"policy":"linucb","reward":"click","settle_days":0,"lists":"explored"}`)
	var got struct {
		Results []struct {
			Refused   []string
			Estimates []ope.Estimate
			Overlap   ope.Overlap
		}
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusOK {
		a.t.Fatalf("an estimate: %d %s", status, answer)
	}
	if len(got.Results) != 1 || len(got.Results[0].Estimates) != 0 || len(got.Results[0].Refused) == 0 ||
		!strings.Contains(got.Results[0].Refused[0], "at least") {
		a.t.Errorf("an estimate from one list: %+v", got)
	}
	a.refuses(http.StatusBadRequest, http.MethodPost, path, `{"policy":"best"}`, "policy", "thompson")
	a.refuses(http.StatusBadRequest, http.MethodPost, path, `{"policy":"none","reward":"fame"}`, "reward", "click")
	a.refuses(http.StatusNotFound, http.MethodPost, path, `{"version":99}`, "99")
	a.refuses(http.StatusBadRequest, http.MethodPost, path, `{"patch":{"weights":{"home":{"novelty":-1}}}}`, "patch.weights.home.novelty")
}

// checkMetrics reads what came of the lists that were shown.
func checkMetrics(a admin, seen int) {
	a.t.Helper()
	const path = "/v1/admin/metrics"
	var got analytics.Report
	value := func(name string) float64 {
		for _, row := range got.Rows {
			if row.Keys["surface"] == "home" && row.Values[name].Value != nil {
				return *row.Values[name].Value
			}
		}
		return -1
	}
	eventually(a.t, time.Minute, "lists, views and clicks are counted", func() bool {
		a.get(path+"?by=surface&metrics=lists,impressions,clicks,ctr,exploration_spend&compare=previous", a.key, &got)
		return value("impressions") >= float64(seen) && value("clicks") >= 2
	})
	if want := 2 / float64(seen); value("clicks") != 2 || value("impressions") != float64(seen) || value("ctr") != want || value("lists") < 1 || !got.Views || got.TimeZone != "UTC" {
		a.t.Errorf("metrics: %+v", got)
	}
	a.refuses(http.StatusBadRequest, http.MethodGet, path+"?metrics=click", "", `did you mean \"clicks\"?`)
	a.refuses(http.StatusBadRequest, http.MethodGet, path+"?from=2026-02-01&to=2026-01-01", "", "is after to")
	a.refuses(http.StatusBadRequest, http.MethodGet, path+"?by=day,row,arm", "", "at most 2")
	a.refuses(http.StatusBadRequest, http.MethodGet, path+"?arm=b", "", "the experiment of the arm")
}

// checkGoals sets a goal of the platform, once.
func checkGoals(a admin) {
	a.t.Helper()
	const path = "/v1/admin/metrics/goals"
	a.refuses(http.StatusBadRequest, http.MethodPut, path, `{"satisfaction":{"target":3}}`, "satisfaction.target")
	a.refuses(http.StatusBadRequest, http.MethodPut, path, `{"satisfied":{}}`, "satisfied")
	if status, _, answer := a.exchange(http.MethodPut, path, "", `{"weekly_hours":{"baseline":1,"target":3}}`); status != http.StatusOK || !strings.Contains(answer, `"version":1`) {
		a.t.Errorf("a goal: %d %s", status, answer)
	}
	if status, _, answer := a.exchange(http.MethodPut, path, `"g0"`, `{"weekly_hours":{"target":4}}`); status != http.StatusPreconditionFailed {
		a.t.Errorf("a goal from an old version: %d %s", status, answer)
	}
	if status, _, answer := a.exchange(http.MethodGet, path, "", ""); status != http.StatusOK || !strings.Contains(answer, `"target":3`) {
		a.t.Errorf("the goals: %d %s", status, answer)
	}
}
