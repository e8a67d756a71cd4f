package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

func TestListsAskTheRanker(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a", "b", "c")
	ten := 10.5
	tests := []struct {
		target string
		want   lectern.ListRequest
	}{
		{"/v1/recommendations", lectern.ListRequest{Surface: lectern.SurfaceHome, Limit: 20}},
		{"/v1/learners/ada/recommendations?limit=5&explain=true",
			lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: lectern.LearnerRef{ID: "ada"}, Limit: 5, Explain: true}},
		{"/v1/visitors/v-1/recommendations",
			lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: lectern.LearnerRef{AnonymousID: "v-1"}, Limit: 20}},
		{"/v1/search?q=+statistics+&learner=ada",
			lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: "statistics", Learner: lectern.LearnerRef{ID: "ada"}, Limit: 20}},
		{"/v1/search?q=x&anonymous=v-1",
			lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: "x", Learner: lectern.LearnerRef{AnonymousID: "v-1"}, Limit: 20}},
		{"/v1/courses/a/similar?limit=100", lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: "a", Limit: 100}},
		{"/v1/search?q=x&level=beginner&level=mixed&max_hours=10.5&language=en,pt-BR&category=Arts,+Humanities&category=Law&provider=MIT",
			lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: "x", Limit: 20, Filter: lectern.Filter{
				Levels: []lectern.Level{"beginner", "mixed"}, MaxHours: &ten, Languages: []string{"en", "pt-BR"},
				Categories: []string{"Arts, Humanities", "Law"}, Providers: []string{"MIT"}}}},
		{"/v1/search?q=x&level=beginner,advanced", lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: "x", Limit: 20,
			Filter: lectern.Filter{Levels: []lectern.Level{"beginner", "advanced"}}}},
		{"/v1/courses/course-v1:edX+Demo%2F2024/similar",
			lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: "course-v1:edX+Demo/2024", Limit: 20}},
		{"/v1/search?q=" + url.QueryEscape("تعلّم الآلة 🎓"),
			lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: "تعلّم الآلة 🎓", Limit: 20}},
		{"/v1/search?q=" + url.QueryEscape(strings.Repeat("م", 500)),
			lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: strings.Repeat("م", 500), Limit: 20}},
	}
	for _, tt := range tests {
		t.Run(tt.target[:min(len(tt.target), 80)], func(t *testing.T) {
			e := e.on(t)
			e.call(lectern.ScopeServer, "GET", tt.target, "").want(http.StatusOK, "")
			if d := cmp.Diff(tt.want, e.ranker.seen()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestListDocument(t *testing.T) {
	e := newEnv(t)
	e.call(lectern.ScopeServer, "PUT", "/v1/courses/stat-1", `{"title":"Statistics <1>","language":"en","level":"beginner",
		"workload_hours":12,"syllabus":["one"],"extra":{"badge":"gold"},"stated":{"rating_mean":4.5,"rating_count":10}}`).want(http.StatusCreated, "")
	e.ranker.with = func(l *lectern.List) { l.Degraded = []string{"semantic"} }
	a := e.call(lectern.ScopePublic, "GET", "/v1/recommendations?explain=1", "").want(http.StatusOK, "")
	var got listDTO
	a.into(&got)
	if got.RankingID == "" || got.NextCursor != nil || got.Total != 1 || got.ConfigVersion != "c1" || len(got.Degraded) != 1 {
		t.Errorf("list: %s", a.body)
	}
	it := got.Items[0]
	if it.CourseID != "stat-1" || it.Course.Title != "Statistics <1>" || it.Course.Syllabus != nil || string(it.Course.Extra["badge"]) != `"gold"` {
		t.Errorf("item: %s", a.body)
	}
	want := []reasonDTO{{Code: "popular", Params: map[string]string{}, Text: "Popular with learners"}}
	if d := cmp.Diff(want, it.Reasons); d != "" {
		t.Error(d)
	}
	if len(it.Terms) != 1 || it.Terms[0].Contribution != it.Score {
		t.Errorf("terms: %+v", it.Terms)
	}
	if got := a.header.Get("Server-Timing"); got != "candidates;dur=1.5" {
		t.Errorf("Server-Timing %q", got)
	}
	if a.header.Get("Content-Language") != "en" || !strings.Contains(a.header.Get("Cache-Control"), "private") {
		t.Errorf("headers: %v", a.header)
	}
	plain := e.call(lectern.ScopePublic, "GET", "/v1/recommendations", "").want(http.StatusOK, "")
	if strings.Contains(plain.body, "terms") {
		t.Error("terms without explain")
	}
}

func TestCatalogueOfNoneAndOfOne(t *testing.T) {
	e := newEnv(t)
	for _, target := range []string{"/v1/recommendations", "/v1/search?q=anything", "/v1/visitors/v/recommendations"} {
		var l listDTO
		a := e.call(lectern.ScopePublic, "GET", target, "").want(http.StatusOK, "")
		a.into(&l)
		if len(l.Items) != 0 || l.Total != 0 || l.NextCursor != nil || !strings.Contains(a.body, `"items":[]`) {
			t.Errorf("%s: %s", target, a.body)
		}
	}
	e.call(lectern.ScopePublic, "GET", "/v1/courses", "").want(http.StatusOK, "").mentions(`"courses":[]`)
	e.putCourses("only")
	for _, target := range []string{"/v1/recommendations?limit=1", "/v1/search?q=anything", "/v1/courses/only/similar"} {
		var l listDTO
		e.call(lectern.ScopePublic, "GET", target, "").want(http.StatusOK, "").into(&l)
		if len(l.Items) != 1 || l.NextCursor != nil {
			t.Errorf("%s: %+v", target, l)
		}
	}
}

func TestListPaging(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a", "b", "c", "d", "e")
	seen, cursor, pages := "", "", 0
	for {
		var l listDTO
		e.call(lectern.ScopePublic, "GET", "/v1/search?q=x&limit=2"+cursor, "").want(http.StatusOK, "").into(&l)
		for _, it := range l.Items {
			seen += it.CourseID
		}
		if pages++; l.NextCursor == nil {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(*l.NextCursor)
	}
	if seen != "abcde" || pages != 3 {
		t.Errorf("saw %s on %d pages", seen, pages)
	}
	e.call(lectern.ScopePublic, "GET", "/v1/search?q=other"+cursor, "").want(http.StatusBadRequest, lectern.CodeCursorMismatch)
	e.call(lectern.ScopePublic, "GET", "/v1/search?q=x&cursor=garbage", "").want(http.StatusBadRequest, lectern.CodeInvalid)
	e.ranker.fail = lectern.Errorf(lectern.CodeCursorExpired, "the list is gone; start again")
	e.call(lectern.ScopePublic, "GET", "/v1/search?q=x"+cursor, "").want(http.StatusGone, lectern.CodeCursorExpired)
}

func TestNothingPersonalWithoutToken(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a")
	own, other := header{"X-Learner-Token", e.token("ada")}, header{"X-Learner-Token", e.token("bob")}
	// A visitor who has signed in: from now on the anonymous id names the learner.
	e.call(lectern.ScopeServer, "POST", "/v1/events", `{"id":"e1","type":"click","anonymous_id":"v-ada","course_id":"a","occurred_at":"2026-01-31T10:00:00Z"}`).want(http.StatusAccepted, "")
	e.call(lectern.ScopeServer, "POST", "/v1/learners/ada/merge", `{"anonymous_id":"v-ada"}`).want(http.StatusNoContent, "")
	tests := []struct {
		target            string
		bare, mine, wrong int // public key alone, with ada's token, with bob's
	}{
		{"/v1/learners/ada/recommendations", 403, 200, 403},
		{"/v1/search?q=x&learner=ada", 403, 200, 403},
		{"/v1/courses/a/similar?learner=ada", 403, 200, 403},
		{"/v1/visitors/v-ada/recommendations", 403, 200, 403},
		{"/v1/search?q=x&anonymous=v-ada", 403, 200, 403},
		{"/v1/visitors/v-new/recommendations", 200, 200, 200},
		{"/v1/search?q=x&anonymous=v-new", 200, 200, 200},
		{"/v1/search?q=x", 200, 200, 200},
		{"/v1/learners/ada", 403, 403, 403},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			e := e.on(t)
			for _, scope := range []lectern.Scope{lectern.ScopePublic, lectern.ScopeCreator} {
				if got := e.call(scope, "GET", tt.target, "").status; got != tt.bare {
					t.Errorf("%s key alone: %d, want %d", scope, got, tt.bare)
				}
				if got := e.call(scope, "GET", tt.target, "", own).status; got != tt.mine {
					t.Errorf("%s key with the token: %d, want %d", scope, got, tt.mine)
				}
				if got := e.call(scope, "GET", tt.target, "", other).status; got != tt.wrong {
					t.Errorf("%s key with another's token: %d, want %d", scope, got, tt.wrong)
				}
			}
			if got := e.call(lectern.ScopeServer, "GET", tt.target, "").status; got != 200 {
				t.Errorf("server key: %d", got)
			}
		})
	}
	e.call(lectern.ScopeServer, "GET", "/v1/search?q=x&learner=ada&anonymous=v", "").want(http.StatusBadRequest, lectern.CodeInvalid)
}

func TestReasonLanguage(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a")
	e.call(lectern.ScopeServer, "PUT", "/v1/learners/luz", `{"languages":["es-MX","en"]}`).want(http.StatusCreated, "")
	tests := []struct{ target, accept, lang, text string }{
		{"/v1/recommendations", "", "en", "Popular with learners"},
		{"/v1/recommendations", "fr-CA,fr;q=0.9,en;q=0.5", "fr", "Apprécié par de nombreux apprenants"},
		{"/v1/recommendations", "de-AT", "de", "Bei Lernenden beliebt"},
		{"/v1/recommendations", "ja", "en", "Popular with learners"},
		{"/v1/recommendations", "ja, es;q=0.3", "es", "Popular entre los estudiantes"},
		{"/v1/recommendations", ";;;=garbage", "en", "Popular with learners"},
		{"/v1/recommendations", strings.Repeat("de,", 5000), "en", "Popular with learners"},
		{"/v1/learners/luz/recommendations", "", "es", "Popular entre los estudiantes"},
		{"/v1/learners/luz/recommendations", "de", "de", "Bei Lernenden beliebt"},
		{"/v1/learners/unknown/recommendations", "", "en", "Popular with learners"},
	}
	for _, tt := range tests {
		t.Run(tt.target+" "+tt.accept[:min(len(tt.accept), 30)], func(t *testing.T) {
			e := e.on(t)
			var l listDTO
			var hs []header
			if tt.accept != "" {
				hs = append(hs, header{"Accept-Language", tt.accept})
			}
			a := e.call(lectern.ScopeServer, "GET", tt.target, "", hs...).want(http.StatusOK, "")
			a.into(&l)
			if got := a.header.Get("Content-Language"); got != tt.lang || l.Items[0].Reasons[0].Text != tt.text {
				t.Errorf("%s: %q", got, l.Items[0].Reasons[0].Text)
			}
		})
	}
}

// TestItemsSayWhatRulesDid: what put a course in its place, and what was left out for it.
func TestItemsSayWhatRulesDid(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a", "b")
	e.ranker.with = func(l *lectern.List) { l.Items[0].Pinned, l.Items[0].Duplicates = "first", []string{"c"} }
	got := e.call(lectern.ScopePublic, "GET", "/v1/recommendations?limit=2", "").want(http.StatusOK, "")
	got.mentions(`"pinned_by":"first"`, `"duplicates":["c"]`)
	if n := strings.Count(got.body, "pinned_by"); n != 1 {
		t.Errorf("%d items are pinned", n)
	}
}
