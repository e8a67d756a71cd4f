package api

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/feedback"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// withFeedback takes feedback into the store of the environment.
func withFeedback(t *testing.T) func(*Deps, *Config) {
	t.Helper()
	return func(d *Deps, _ *Config) {
		store := d.Courses.(*sqlite.Store)
		keeper, err := settings.New(settings.Options{
			Config: settings.DefaultConfig(), Store: store, File: rerank.DefaultConfig(), Clock: d.Clock, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		s := feedback.New(feedback.Options{
			Store: store, Rankings: store, Courses: store, Learners: store, Rules: keeper, Clock: d.Clock, Random: d.Random,
		})
		d.Feedback, d.Reports, d.RerankConfig = s, s, keeper
	}
}

// listed are courses that a list of ada's holds.
func (e *env) listed() {
	e.t.Helper()
	ctx := e.t.Context()
	var patches []lectern.CoursePatch
	for _, id := range []string{"go-1", "go-2"} {
		patches = append(patches, lectern.CoursePatch{Replace: true, Course: lectern.Course{
			ID: id, Title: "Go " + id, Provider: "Uni", Availability: lectern.Availability{Status: lectern.StatusOpen},
		}})
	}
	if _, err := e.store.PutCourses(ctx, patches); err != nil {
		e.t.Fatal(err)
	}
	if _, err := e.store.PutLearners(ctx, []lectern.Learner{{ID: "ada"}}); err != nil {
		e.t.Fatal(err)
	}
	err := e.store.PutRankings(ctx, []lectern.Ranking{{
		ID: "rk", Learner: lectern.LearnerRef{ID: "ada"}, Surface: lectern.SurfaceHome, Row: lectern.RowForYou, CreatedAt: e.now, ConfigVersion: "v3",
		Weights: []lectern.TermWeight{{Name: "similarity", Weight: 0.4}, {Name: "popularity", Weight: 0.6}},
		Items:   []lectern.RankedItem{{CourseID: "go-1", Terms: []float64{0.9, 0.8}}, {CourseID: "go-2", Terms: []float64{0.9, 0.1}}},
	}})
	if err != nil {
		e.t.Fatal(err)
	}
}

func TestFeedback(t *testing.T) {
	e := newEnv(t, withFeedback(t))
	e.listed()
	const path = "/v1/learners/ada/feedback"
	said := func() []feedback.Document {
		t.Helper()
		var out struct{ Feedback []feedback.Document }
		e.call(lectern.ScopeServer, http.MethodGet, path, "").want(http.StatusOK, "").into(&out)
		return out.Feedback
	}
	if got := said(); len(got) != 0 {
		t.Errorf("at first: %+v", got)
	}
	body := `{"id": "f1", "kind": "report", "course_id": "go-1", "ranking_id": "rk", "position": 0, "reason": "outdated", "comment": "of 2009"}`
	zero := 0
	want := feedback.Document{
		ID: "f1", Kind: lectern.FeedbackReport, CourseID: "go-1", At: e.now, Reason: lectern.ReportOutdated, Comment: "of 2009", RankingID: "rk",
		Position: &zero, Surface: lectern.SurfaceHome, Row: lectern.RowForYou, Term: "popularity", ConfigVersion: "v3", Holds: true,
	}
	var got feedback.Document
	a := e.call(lectern.ScopePublic, http.MethodPost, path, body, header{"X-Learner-Token", e.token("ada")}).want(http.StatusCreated, "")
	a.into(&got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c := a.header.Get("Cache-Control"); !strings.Contains(c, "no-store") {
		t.Errorf("Cache-Control %q", c)
	}
	e.call(lectern.ScopeServer, http.MethodPost, path, body).want(http.StatusOK, "").into(&got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sent again (-want +got):\n%s", diff)
	}
	e.call(lectern.ScopeServer, http.MethodPost, path, `{"kind": "not_now", "course_id": "go-2", "days": 3}`).want(http.StatusCreated, "").into(&got)
	if got.Until == nil || !got.Until.Equal(e.now.AddDate(0, 0, 3)) || len(got.ID) < 16 {
		t.Errorf("not now: %+v", got)
	}
	if all := said(); len(all) != 2 || all[0].ID != got.ID || !all[0].Holds {
		t.Errorf("said: %+v", all)
	}
	e.call(lectern.ScopePublic, http.MethodPost, path, body).want(http.StatusForbidden, lectern.CodeForbidden)
	e.call(lectern.ScopePublic, http.MethodDelete, path+"/f1", "", header{"X-Learner-Token", e.token("bob")}).want(http.StatusForbidden, lectern.CodeForbidden)
	e.call(lectern.ScopeServer, http.MethodDelete, "/v1/learners/bob/feedback/f1", "").want(http.StatusNotFound, lectern.CodeNotFound)
	e.call(lectern.ScopePublic, http.MethodDelete, path+"/f1", "", header{"X-Learner-Token", e.token("ada")}).want(http.StatusNoContent, "")
	e.call(lectern.ScopeServer, http.MethodDelete, path+"/f1", "").want(http.StatusNotFound, lectern.CodeNotFound).mentions("f1")
	if all := said(); len(all) != 1 {
		t.Errorf("taken back: %+v", all)
	}
	e.call(lectern.ScopeServer, http.MethodGet, "/v1/learners/nobody/feedback", "").want(http.StatusNotFound, lectern.CodeNotFound).mentions("nobody")
	e.call("", http.MethodGet, "/metrics", "").want(http.StatusOK, "").mentions(
		`lectern_feedback_total{kind="report",surface="home"} 1`, `lectern_feedback_total{kind="not_now",surface=""} 1`,
		`lectern_reports_total{reason="outdated",surface="home"} 1`)
}

func TestFeedbackOfVisitors(t *testing.T) {
	e := newEnv(t, withFeedback(t))
	e.listed()
	const path = "/v1/visitors/v/feedback"
	e.call(lectern.ScopePublic, http.MethodGet, path, "").want(http.StatusNotFound, lectern.CodeNotFound)
	e.call(lectern.ScopePublic, http.MethodPost, path, `{"id": "f1", "kind": "less_like_this", "course_id": "go-1"}`).want(http.StatusCreated, "")
	e.call(lectern.ScopePublic, http.MethodGet, path, "").want(http.StatusOK, "").mentions("f1")
	e.call(lectern.ScopePublic, http.MethodPost, path, `{"kind": "more_like_this", "course_id": "go-2", "ranking_id": "rk"}`).
		want(http.StatusBadRequest, lectern.CodeInvalid).mentions("ranking_id")
	// Signed in, it is the learner's, and a public key alone no longer does.
	e.call(lectern.ScopeServer, http.MethodPost, "/v1/learners/ada/merge", `{"anonymous_id": "v"}`).want(http.StatusNoContent, "")
	e.call(lectern.ScopePublic, http.MethodGet, path, "").want(http.StatusForbidden, lectern.CodeForbidden)
	e.call(lectern.ScopePublic, http.MethodPost, path, `{"kind": "more_like_this", "course_id": "go-2"}`).want(http.StatusForbidden, lectern.CodeForbidden)
	e.call(lectern.ScopePublic, http.MethodDelete, path+"/f1", "").want(http.StatusForbidden, lectern.CodeForbidden)
	e.call(lectern.ScopePublic, http.MethodDelete, path+"/f1", "", header{"X-Learner-Token", e.token("ada")}).want(http.StatusNoContent, "")
}

func TestFeedbackMistakes(t *testing.T) {
	e := newEnv(t, withFeedback(t))
	e.listed()
	const path = "/v1/learners/ada/feedback"
	for _, tt := range []struct {
		name, body string
		status     int
		code       lectern.Code
		mentions   []string
	}{
		{"everything at once", `{"id": "` + strings.Repeat("x", 200) + `", "kind": "hate", "course_id": "zzz", "ranking_id": "zzz", "position": -1, "days": 0, "reason": "dull", "comment": "x"}`,
			http.StatusBadRequest, lectern.CodeInvalid,
			[]string{`"id"`, `"kind"`, `"course_id"`, `"ranking_id"`, `"position"`, `"days"`, `"reason"`, `"comment"`, "more_like_this, less_like_this"}},
		{"nothing", `{}`, http.StatusBadRequest, lectern.CodeInvalid, []string{`"kind"`, `"course_id"`}},
		{"an unknown course", `{"kind": "know_it", "course_id": "zzz"}`, http.StatusNotFound, lectern.CodeNotFound, []string{"zzz"}},
		{"an unknown field", `{"kind": "know_it", "course_id": "go-1", "stars": 1}`, http.StatusBadRequest, lectern.CodeUnknownField, []string{"stars"}},
		{"a number for a word", `{"kind": 7, "course_id": "go-1"}`, http.StatusBadRequest, lectern.CodeInvalid, []string{"kind"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e.on(t).call(lectern.ScopeServer, http.MethodPost, path, tt.body).want(tt.status, tt.code).mentions(tt.mentions...)
		})
	}
	e.call(lectern.ScopeServer, http.MethodPost, path, `{"id": "f", "kind": "know_it", "course_id": "go-1"}`).want(http.StatusCreated, "")
	e.call(lectern.ScopeServer, http.MethodPost, "/v1/learners/bob/feedback", `{"id": "f", "kind": "know_it", "course_id": "go-1"}`).
		want(http.StatusConflict, lectern.CodeConflict).mentions(`"id"`)
	none := newEnv(t)
	for _, call := range [][2]string{{http.MethodGet, path}, {http.MethodDelete, path + "/f"}} {
		none.call(lectern.ScopeServer, call[0], call[1], "").want(http.StatusServiceUnavailable, lectern.CodeUnavailable)
	}
	none.call(lectern.ScopeAdmin, http.MethodGet, "/v1/admin/reports", "").want(http.StatusServiceUnavailable, lectern.CodeUnavailable)
}

func TestReportsRound(t *testing.T) {
	e := newEnv(t, withFeedback(t))
	e.listed()
	for _, who := range []string{"ada", "bob"} {
		body := `{"kind": "report", "course_id": "go-1", "reason": "outdated", "comment": "of ` + who + `"}`
		e.call(lectern.ScopeServer, http.MethodPost, "/v1/learners/"+who+"/feedback", body).want(http.StatusCreated, "")
	}
	e.call(lectern.ScopeServer, http.MethodPost, "/v1/learners/ada/feedback", `{"kind": "report", "course_id": "go-2", "reason": "other", "ranking_id": "rk"}`).want(http.StatusCreated, "")
	list := func(query string) (courses []feedback.CourseReports, terms []feedback.TermReports) {
		t.Helper()
		var out struct {
			Courses []feedback.CourseReports
			Terms   []feedback.TermReports
		}
		e.call(lectern.ScopeAdmin, http.MethodGet, "/v1/admin/reports"+query, "").want(http.StatusOK, "").into(&out)
		return out.Courses, out.Terms
	}
	courses, _ := list("?status=open,in_review&since=2026-01-01")
	if len(courses) != 2 || courses[0].CourseID != "go-1" || courses[0].Reports != 2 || len(courses[0].SuggestedRules) != 2 || courses[0].Title != "Go go-1" {
		t.Fatalf("reports %+v", courses)
	}
	if _, terms := list("?group=term"); len(terms) != 2 || terms[1].Term != "similarity" {
		t.Errorf("by term %+v", terms)
	}
	if c, _ := list("?course_id=go-2&limit=1"); len(c) != 1 || c[0].CourseID != "go-2" {
		t.Errorf("of a course %+v", c)
	}
	for _, query := range []string{"?status=gone", "?since=yesterday", "?group=provider", "?limit=0"} {
		e.call(lectern.ScopeAdmin, http.MethodGet, "/v1/admin/reports"+query, "").want(http.StatusBadRequest, lectern.CodeInvalid)
	}

	// Two clicks: the list, and the rule that it suggests.
	a := e.call(lectern.ScopeAdmin, http.MethodPost, "/v1/admin/reports/go-1/rule", `{"action": "hide"}`).want(http.StatusCreated, "")
	var made feedback.RuleMade
	a.into(&made)
	if made.Version != 1 || made.Resolved != 2 || a.header.Get("ETag") != `"v1"` || made.Rule.ID != courses[0].SuggestedRules[1].ID {
		t.Errorf("made %+v", made)
	}
	e.call(lectern.ScopeAdmin, http.MethodGet, "/v1/admin/config/rerank", "").want(http.StatusOK, "").mentions("report-hide-go-1")
	e.call(lectern.ScopeAdmin, http.MethodPost, "/v1/admin/reports/go-1/rule", `{"action": "hide"}`).want(http.StatusOK, "")
	e.call(lectern.ScopeAdmin, http.MethodPost, "/v1/admin/reports/go-2/rule", `{"action": "bury"}`, header{"If-Match", `"v0"`}).
		want(http.StatusPreconditionFailed, lectern.CodePrecondition).mentions("v1")
	e.call(lectern.ScopeAdmin, http.MethodPost, "/v1/admin/reports/go-2/rule", `{"action": "pin", "strength": 3, "surfaces": ["tv"], "until": "2020-01-01T00:00:00Z"}`).
		want(http.StatusBadRequest, lectern.CodeInvalid).mentions(`"action"`, `"strength"`, `"surfaces[0]"`, `"until"`)
	e.call(lectern.ScopeAdmin, http.MethodPost, "/v1/admin/reports/nothing/rule", `{"action": "bury"}`).want(http.StatusNotFound, lectern.CodeNotFound)
	e.call(lectern.ScopeAdmin, http.MethodPost, "/v1/admin/reports/go-2/rule", `{"action": "bury", "strength": 1}`, header{"If-Match", `"v1"`}).want(http.StatusCreated, "").mentions(`"v2"`)
	if c, _ := list("?status=open"); len(c) != 0 {
		t.Errorf("still open: %+v", c)
	}

	var set struct {
		Changed int
		Course  feedback.CourseReports
	}
	e.call(lectern.ScopeAdmin, http.MethodPatch, "/v1/admin/reports/go-1", `{"status": "rejected", "note": "it is up to date", "from": ["resolved"]}`).want(http.StatusOK, "").into(&set)
	if set.Changed != 2 || set.Course.Status != lectern.ReportRejected || set.Course.Note != "it is up to date" || set.Course.By == "" {
		t.Errorf("set %+v", set)
	}
	e.call(lectern.ScopeAdmin, http.MethodPatch, "/v1/admin/reports/go-1", `{}`).want(http.StatusBadRequest, lectern.CodeInvalid).mentions(`"status"`)
	e.call(lectern.ScopeAdmin, http.MethodPatch, "/v1/admin/reports/nothing", `{"note": "x"}`).want(http.StatusNotFound, lectern.CodeNotFound)

	// Who is erased leaves the report, and nothing of themselves.
	e.call(lectern.ScopeServer, http.MethodDelete, "/v1/learners/bob", "").want(http.StatusNoContent, "")
	body := e.call(lectern.ScopeAdmin, http.MethodGet, "/v1/admin/reports?course_id=go-1", "").want(http.StatusOK, "").mentions("of ada", `"reports":2`).body
	if strings.Contains(body, "bob") {
		t.Errorf("the reports mention who was erased: %s", body)
	}
}
