package api

import (
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/analytics"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// metricsEnv is a server with metrics of one list: its third item was clicked, enrolled
// in, and half done.
func metricsEnv(t *testing.T) *env {
	t.Helper()
	var keeper *analytics.Keeper
	e := newEnv(t, func(d *Deps, _ *Config) {
		store, ok := d.Rankings.(*sqlite.Store)
		if !ok {
			t.Fatal("the store is another one")
		}
		reader, err := analytics.NewReader(store, analytics.DefaultConfig(), d.Clock)
		if err != nil {
			t.Fatal(err)
		}
		d.PlatformMetrics, d.Goals = reader, analytics.GoalKeeper{Settings: store, Reader: reader}
		keeper, err = analytics.New(analytics.Options{Store: store, Config: analytics.DefaultConfig(), Clock: d.Clock, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
	})
	ctx, hours, half, third := t.Context(), 10.0, 0.5, 0.3
	at := testNow().Add(-2 * time.Hour)
	r := lectern.Ranking{
		ID: "00000000-0000-4000-8000-000000000001", Learner: lectern.LearnerRef{ID: "ada"}, Surface: lectern.SurfaceHome,
		Segment: lectern.SegmentNew, CreatedAt: at, Served: 4, ConfigVersion: "v1", RequestHash: "h",
	}
	var patches []lectern.CoursePatch
	for _, id := range []string{"a", "b", "c", "d"} {
		r.Items = append(r.Items, lectern.RankedItem{CourseID: id, Propensity: 1})
		patches = append(patches, lectern.CoursePatch{Replace: true, Course: lectern.Course{ID: id, Title: id, Provider: id, WorkloadHours: &hours}})
	}
	_, err := e.store.PutCourses(ctx, patches)
	if err == nil {
		_, err = e.store.PutLearners(ctx, []lectern.Learner{{ID: "ada"}})
	}
	if err == nil {
		err = e.store.PutRankings(ctx, []lectern.Ranking{r})
	}
	event := func(id string, kind lectern.EventType, after time.Duration, cites string, value *float64) lectern.EventWrite {
		return lectern.EventWrite{Event: lectern.Event{
			ID: id, Type: kind, LearnerID: "ada", CourseID: "c", OccurredAt: at.Add(after), RankingID: cites, Value: value, ReceivedAt: at,
		}}
	}
	if err == nil {
		_, err = e.store.AppendEvents(ctx, []lectern.EventWrite{
			event("1", lectern.EventClick, time.Minute, r.ID, nil),
			event("2", lectern.EventClick, 2*time.Minute, r.ID, nil), // the same item again
			event("3", lectern.EventEnrol, 3*time.Minute, "", nil),
			event("4", lectern.EventProgress, time.Hour, "", &half),
			event("5", lectern.EventProgress, 30*time.Minute, "", &third), // late, and less than half
		})
	}
	if err == nil {
		_, err = keeper.CatchUp(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestMetrics(t *testing.T) {
	e := metricsEnv(t)
	got := e.call(lectern.ScopeAdmin, "GET", "/v1/admin/metrics?metrics=lists,impressions,clicks,ctr,list_ctr,enrolments,enrolment_rate,hours,begun,"+
		"completion_rate,hours_per_learner_week,coverage,provider_gini,stars,exploration_spend&compare=previous", "")
	if got.status != http.StatusOK {
		t.Fatalf("%d: %s", got.status, got.body)
	}
	var r analytics.Report
	if err := json.Unmarshal([]byte(got.body), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 1 || r.Views || r.From != "2026-01-04" || r.To != "2026-01-31" || r.TimeZone != "UTC" || r.PreviousFrom != "2025-12-07" {
		t.Errorf("%+v", r)
	}
	// Clicking the third item shows three to have been seen; 10 hours half done are 5,
	// of one learner in four weeks of which one was spent learning.
	want := map[string]float64{
		"lists": 1, "impressions": 3, "clicks": 1, "ctr": 1.0 / 3, "list_ctr": 1, "enrolments": 1, "enrolment_rate": 1.0 / 3, "hours": 5,
		"begun": 1, "hours_per_learner_week": 5, "coverage": 3.0 / 4, "provider_gini": 1.0 / 4, "exploration_spend": 0,
	}
	for name, v := range r.Rows[0].Values {
		w, known := want[name]
		switch {
		case known != (v.Value != nil):
			t.Errorf("%s is %+v", name, v)
		case known && (*v.Value-w > 1e-9 || w-*v.Value > 1e-9):
			t.Errorf("%s is %v, want %v", name, *v.Value, w)
		}
	}
	if v := r.Rows[0].Values["completion_rate"]; v.Waiting == nil || *v.Waiting != 1 {
		t.Errorf("an enrolment of today waits to be judged: %+v", v)
	}
	if c := r.Rows[0].Values["clicks"].Compared; c == nil || *c.Previous != 0 || *c.Absolute != 1 || c.Relative != nil {
		t.Errorf("against nothing: %+v", c)
	}
}

func TestMetricsFormatsAndFaults(t *testing.T) {
	e := metricsEnv(t)
	e.checks = false // lines of batches are described otherwise
	const target = "/v1/admin/metrics?metrics=clicks&by=position"
	if got := e.call(lectern.ScopeAdmin, "GET", target+"&format=csv", "").body; !strings.Contains(got, "\n2,clicks,count,1,") {
		t.Errorf("CSV:\n%s", got)
	}
	if got := e.call(lectern.ScopeAdmin, "GET", target, "", header{"Accept", "application/x-ndjson"}).body; !strings.Contains(got, `{"keys":{"position":2},"metric":"clicks","unit":"count","value":1}`) {
		t.Errorf("NDJSON:\n%s", got)
	}
	for query, want := range map[string]string{
		"metrics=click":                 `did you mean \"clicks\"?`,
		"by=surfaces":                   `did you mean \"surface\"?`,
		"by=day,row,arm":                "at most 2",
		"from=2026-02-01&to=2026-01-01": "is after to",
		"from=yesterday":                "is no date",
		"from=2001-01-01":               "at most 800 days",
		"surface=serach":                `did you mean \"search\"?`,
		"position=first":                "is no position",
		"arm=b":                         "the experiment of the arm",
		"compare=last":                  "previous, none",
		"format=xml":                    "json, ndjson, csv",
	} {
		got := e.call(lectern.ScopeAdmin, "GET", "/v1/admin/metrics?"+query, "")
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

func TestGoals(t *testing.T) {
	e := metricsEnv(t)
	const target = "/v1/admin/metrics/goals"
	if got := e.call(lectern.ScopeAdmin, "GET", target, ""); got.status != http.StatusOK || !strings.Contains(got.body, `"version":0`) {
		t.Fatalf("%d: %s", got.status, got.body)
	}
	const goals = `{"weekly_hours": {"baseline": 1, "target": 3}, "satisfaction": {"target": 0.8}}`
	if got := e.call(lectern.ScopeAdmin, "PUT", target, goals); got.status != http.StatusOK || !strings.Contains(got.body, `"version":1`) {
		t.Fatalf("%d: %s", got.status, got.body)
	}
	if got := e.call(lectern.ScopeAdmin, "PUT", target, goals, header{"If-Match", `"g0"`}); got.status != http.StatusPreconditionFailed {
		t.Errorf("from an old version: %d: %s", got.status, got.body)
	}
	for body, want := range map[string]string{
		`{"satisfaction": {"target": 3}}`: "satisfaction.target", `{"satisfied": {}}`: "satisfied",
	} {
		if got := e.call(lectern.ScopeAdmin, "PUT", target, body); got.status != http.StatusBadRequest || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d: %s", body, got.status, got.body)
		}
	}

	page := func(key string) (int, string) {
		got := e.call("", "POST", "/admin/goals", url.Values{"key": {key}}.Encode(), header{"Content-Type", "application/x-www-form-urlencoded"})
		return got.status, got.body
	}
	status, body := page(e.keys[lectern.ScopeAdmin])
	if status != http.StatusOK || !strings.Contains(body, "Hours per learner and week") || !strings.Contains(body, "5.00 h so far") {
		t.Errorf("%d:\n%s", status, body)
	}
	if strings.Contains(body, e.keys[lectern.ScopeAdmin]) {
		t.Error("the page holds the key")
	}
	if status, body := page(e.keys[lectern.ScopePublic]); status != http.StatusOK || !strings.Contains(body, "needs an admin key") || strings.Contains(body, "Baseline") {
		t.Errorf("with a public key: %d", status)
	}
	if status, body := page("lk_none"); status != http.StatusOK || !strings.Contains(body, "no key of this server") {
		t.Errorf("without a key: %d", status)
	}
}

// What is not there yet is said in words: no goals, a goal without a target, no figure.
func TestGoalsPageInWords(t *testing.T) {
	part := func(x float64) *float64 { return &x }
	weeks := []analytics.Week{{From: "2026-01-05", To: "2026-01-11", Complete: true}, {From: "2026-01-12", To: "2026-01-18", Value: part(0.5)}}
	for name, tt := range map[string]struct {
		report      analytics.GoalReport
		version     int64
		says, omits []string
	}{
		"nothing at all": {
			analytics.GoalReport{Unit: analytics.UnitShare, Weeks: weeks[:1]}, 0,
			[]string{"No goals have been set yet", "Nothing has been counted yet", "not set", "Set the goals with"}, []string{"Dashed", "<svg", "version 0"},
		},
		"no week that is over": {
			analytics.GoalReport{Unit: analytics.UnitShare, Weeks: weeks, Baseline: part(0.4)}, 2,
			[]string{"Goals in version 2", "none has a figure", "40.0 %", "not set", "Dashed", "<svg", "50.0 % so far"}, []string{"Nothing has been counted"},
		},
		"gone back": {
			analytics.GoalReport{Unit: analytics.UnitShare, Weeks: weeks, Baseline: part(0.4), Target: part(0.6), Current: part(0.35), Reached: part(-0.25)}, 2,
			[]string{"behind the baseline by 25 %", "width:0%"}, []string{"not set", "none has a figure", "-25"},
		},
	} {
		report := &analytics.GoalsReport{Reports: []analytics.GoalReport{tt.report}}
		report.Version = tt.version
		page, err := template.New("goals").Parse(goalsHTML)
		var b strings.Builder
		if err == nil {
			err = page.Execute(&b, goalsView{Report: viewOf(report)})
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.says {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: the page does not say %q", name, want)
			}
		}
		for _, not := range tt.omits {
			if strings.Contains(b.String(), not) {
				t.Errorf("%s: the page says %q", name, not)
			}
		}
	}
}
