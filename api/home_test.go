package api

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// fixedHome answers with two rows and remembers what it was asked.
type fixedHome struct {
	last lectern.HomeRequest
	fail error
}

func (f *fixedHome) Home(_ context.Context, req lectern.HomeRequest) (lectern.Home, error) {
	f.last = req
	list := func(id string, courses ...string) lectern.List {
		l := lectern.List{RankingID: id, Total: 9, NextCursor: "more", ConfigVersion: "c1", Model: 7}
		for i, c := range courses {
			l.Items = append(l.Items, lectern.Item{
				Course: lectern.Course{ID: c, Title: c, Syllabus: []string{"long"}}, Position: i, Score: .5,
				Sources: []string{"popular"}, Reasons: []lectern.Reason{{Code: "popular"}},
			})
		}
		return l
	}
	return lectern.Home{Degraded: []string{"semantic"}, Rows: []lectern.HomeRow{
		{Row: lectern.RowContinue, Title: lectern.Reason{Code: "row_continue"}, List: list("r1", "a")},
		{Row: lectern.RowBecause, Title: lectern.Reason{Code: "row_because", Params: map[string]string{"title": "Statistics"}}, List: list("r2", "b", "c")},
	}}, f.fail
}

func TestHome(t *testing.T) {
	home := &fixedHome{}
	e := newEnv(t, func(d *Deps, _ *Config) { d.Home = home })
	tests := []struct {
		name, target string
		headers      []header
		scope        lectern.Scope
		want         lectern.HomeRequest
	}{
		{"nobody", "/v1/home", nil, lectern.ScopePublic, lectern.HomeRequest{Limit: 12}},
		{"a learner, by the server", "/v1/learners/ada/home?limit=3&explain=true", nil, lectern.ScopeServer,
			lectern.HomeRequest{Learner: lectern.LearnerRef{ID: "ada"}, Limit: 3, Explain: true}},
		{"a learner, by token", "/v1/learners/ada/home?fit_time=true&level=beginner", []header{{"X-Learner-Token", e.token("ada")}}, lectern.ScopePublic,
			lectern.HomeRequest{Learner: lectern.LearnerRef{ID: "ada"}, Limit: 12, FitTime: true, Filter: lectern.Filter{Levels: []lectern.Level{lectern.LevelBeginner}}}},
		{"a visitor", "/v1/visitors/v-1/home", nil, lectern.ScopePublic,
			lectern.HomeRequest{Learner: lectern.LearnerRef{AnonymousID: "v-1"}, Limit: 12}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := e.on(t)
			a := e.call(tt.scope, http.MethodGet, tt.target, "", tt.headers...).want(http.StatusOK, "")
			if d := cmp.Diff(tt.want, home.last); d != "" {
				t.Error(d)
			}
			var got homeDTO
			a.into(&got)
			if len(got.Rows) != 2 || got.Rows[0].Row != "continue" || got.Rows[1].RankingID != "r2" || len(got.Rows[1].Items) != 2 || got.Rows[1].Model != 7 {
				t.Errorf("%+v", got.Rows)
			}
			if got.Rows[0].Items[0].Course.Syllabus != nil {
				t.Error("a list carries long texts")
			}
			if a.header.Get("Cache-Control") != "private, no-store" {
				t.Error("somebody may keep a personal page")
			}
		})
	}
	e.call(lectern.ScopePublic, http.MethodGet, "/v1/learners/ada/home", "").want(http.StatusForbidden, lectern.CodeForbidden)
	home.fail = lectern.Errorf(lectern.CodeDeadline, "too slow")
	e.call(lectern.ScopePublic, http.MethodGet, "/v1/home", "").want(http.StatusGatewayTimeout, lectern.CodeDeadline)
}

func TestRows(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a", "b", "c")
	tests := []struct {
		target string
		want   lectern.ListRequest
	}{
		{"/v1/rows/trending?limit=2", lectern.ListRequest{Surface: lectern.SurfaceHome, Row: lectern.RowTrending, Limit: 2}},
		{"/v1/learners/ada/rows/for_you?limit=2&fit_time=true",
			lectern.ListRequest{Surface: lectern.SurfaceHome, Row: lectern.RowForYou, Learner: lectern.LearnerRef{ID: "ada"}, FitTime: true, Limit: 2}},
		{"/v1/visitors/v/rows/because?limit=2&course=a",
			lectern.ListRequest{Surface: lectern.SurfaceHome, Row: lectern.RowBecause, CourseID: "a", Learner: lectern.LearnerRef{AnonymousID: "v"}, Limit: 2}},
		{"/v1/courses/a/next?limit=2&learner=ada",
			lectern.ListRequest{Surface: lectern.SurfaceNext, CourseID: "a", Learner: lectern.LearnerRef{ID: "ada"}, Limit: 2}},
		{"/v1/catalog/trending?limit=2", lectern.ListRequest{Surface: lectern.SurfaceTrending, Limit: 2}},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			e := e.on(t)
			var got listDTO
			e.call(lectern.ScopeServer, http.MethodGet, tt.target, "").want(http.StatusOK, "").into(&got)
			if d := cmp.Diff(tt.want, e.ranker.seen()); d != "" {
				t.Error(d)
			}
			if len(got.Items) != 2 || got.NextCursor == nil {
				t.Errorf("%+v", got)
			}
		})
	}
	e.call(lectern.ScopeServer, http.MethodGet, "/v1/learners/ada/rows/for_yuo", "").want(http.StatusNotFound, lectern.CodeNotFound).mentions("for_you", "trending")
	e.call(lectern.ScopeServer, http.MethodGet, "/v1/home", "").want(http.StatusServiceUnavailable, lectern.CodeUnavailable)
}
