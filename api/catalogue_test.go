package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

func TestCourseLifecycle(t *testing.T) {
	e := newEnv(t)
	const at = "/v1/courses/course-v1:edX+Demo%2F2024"
	full := `{"title":"مقدمة في الإحصاء 📊","description":"d","language":"ar","provider":"MIT","instructors":["A"],"categories":["Math"],
		"skills":["statistics"],"level":"beginner","workload_hours":12.5,"syllabus":["s"],"prerequisites":["p"],"published_at":"2025-01-01",
		"updated_at":"2025-02-01T00:00:00Z","availability":{"status":"open","regions":["DE"]},"url":"https://example.org/c",
		"image_url":"https://example.org/i","stated":{"rating_mean":4.5,"rating_count":7,"enrolments":9},"extra":{"x":[1]}}`
	e.call(lectern.ScopeServer, "PUT", at, full).want(http.StatusCreated, "").mentions(`"outcome":"created"`, "course-v1:edX+Demo/2024")
	e.call(lectern.ScopeServer, "PUT", at, full).want(http.StatusOK, "").mentions(`"outcome":"unchanged"`)
	got := e.call(lectern.ScopeServer, "GET", at, "").want(http.StatusOK, "")
	got.mentions("مقدمة في الإحصاء 📊", `"language":"ar"`, `"workload_hours":12.5`, `"published_at":"2025-01-01T00:00:00Z"`, `"extra":{"x":[1]}`, `"regions":["DE"]`)

	patch := header{"Content-Type", "application/merge-patch+json"}
	e.call(lectern.ScopeServer, "PATCH", at, `{"level":null,"availability":{"status":"unlisted"},"extra":{"y":2}}`, patch).
		want(http.StatusOK, "").mentions(`"outcome":"updated"`)
	var c courseDTO
	e.call(lectern.ScopeServer, "GET", at, "").into(&c)
	if c.Level != "" || c.Availability.Status != lectern.StatusUnlisted || len(c.Availability.Regions) != 1 || len(c.Extra) != 2 || c.Provider != "MIT" {
		t.Errorf("patched: %+v", c)
	}
	e.call(lectern.ScopeServer, "PATCH", "/v1/courses/none", `{"level":"mixed"}`).want(http.StatusNotFound, lectern.CodeNotFound)
	e.call(lectern.ScopeServer, "PATCH", at, `{}`).want(http.StatusBadRequest, lectern.CodeInvalid)
	e.call(lectern.ScopeServer, "PATCH", at, `{"title":null}`).want(http.StatusBadRequest, lectern.CodeInvalid)

	e.call(lectern.ScopeServer, "DELETE", at, "").want(http.StatusNoContent, "")
	e.call(lectern.ScopeServer, "DELETE", at, "").want(http.StatusNotFound, lectern.CodeNotFound)
	e.call(lectern.ScopeServer, "GET", at, "").want(http.StatusNotFound, lectern.CodeNotFound)
}

// What anybody sees of the catalogue is what anybody may enrol in.
func TestCatalogueVisibility(t *testing.T) {
	e := newEnv(t)
	for id, availability := range map[string]string{
		"open":     `{}`,
		"unlisted": `{"status":"unlisted"}`,
		"retired":  `{"status":"retired"}`,
		"future":   `{"enrol_from":"2026-03-01"}`,
		"past":     `{"enrol_until":"2025-03-01"}`,
		"regional": `{"regions":["DE"]}`,
		"inhouse":  `{"organisations":["acme"]}`,
	} {
		e.call(lectern.ScopeServer, "PUT", "/v1/courses/"+id, `{"title":"x","availability":`+availability+`}`).want(http.StatusCreated, "")
	}
	count := func(scope lectern.Scope) int {
		n, cursor := 0, ""
		for {
			var page coursePageDTO
			e.call(scope, "GET", "/v1/courses?limit=2"+cursor, "").want(http.StatusOK, "").into(&page)
			n += len(page.Courses)
			if page.NextCursor == nil {
				return n
			}
			cursor = "&cursor=" + url.QueryEscape(*page.NextCursor)
		}
	}
	if got := count(lectern.ScopePublic); got != 1 {
		t.Errorf("public sees %d", got)
	}
	if got := count(lectern.ScopeServer); got != 7 {
		t.Errorf("server sees %d", got)
	}
	for id, want := range map[string]int{"open": 200, "unlisted": 200, "retired": 200, "regional": 200, "inhouse": 404} {
		if got := e.call(lectern.ScopePublic, "GET", "/v1/courses/"+id, "").status; got != want {
			t.Errorf("public GET %s: %d, want %d", id, got, want)
		}
	}
	e.call(lectern.ScopePublic, "GET", "/v1/courses/inhouse/reviews", "").want(http.StatusNotFound, lectern.CodeNotFound)
	e.call(lectern.ScopeServer, "GET", "/v1/courses/inhouse", "").want(http.StatusOK, "")
}

func TestReviews(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a", "b")
	for i := range 5 {
		e.call(lectern.ScopeServer, "PUT", fmt.Sprintf("/v1/reviews/r%d", i),
			fmt.Sprintf(`{"course_id":"a","learner_id":"ada","stars":4,"text":"good %d","written_at":"2025-01-0%dT00:00:00Z"}`, i, i+1)).want(http.StatusCreated, "")
	}
	e.call(lectern.ScopeServer, "PUT", "/v1/reviews/early", `{"course_id":"later","text":"x"}`).want(http.StatusAccepted, "").mentions("parked")
	e.call(lectern.ScopeServer, "PUT", "/v1/reviews/bad", `{"course_id":"a","stars":7}`).want(http.StatusBadRequest, lectern.CodeInvalid).mentions("stars")
	var page reviewPageDTO
	e.call(lectern.ScopePublic, "GET", "/v1/courses/a/reviews?limit=3", "").want(http.StatusOK, "").into(&page)
	if len(page.Reviews) != 3 || page.Reviews[0].ID != "r4" || page.Reviews[0].LearnerID != "" || page.NextCursor == nil {
		t.Fatalf("first page: %+v", page)
	}
	cursor := "&cursor=" + url.QueryEscape(*page.NextCursor)
	e.call(lectern.ScopePublic, "GET", "/v1/courses/b/reviews?limit=3"+cursor, "").want(http.StatusBadRequest, lectern.CodeCursorMismatch)
	e.call(lectern.ScopePublic, "GET", "/v1/courses?limit=3"+cursor, "").want(http.StatusBadRequest, lectern.CodeCursorMismatch)
	e.call(lectern.ScopeServer, "GET", "/v1/courses/a/reviews?limit=3"+cursor, "").want(http.StatusOK, "").into(&page)
	if len(page.Reviews) != 2 || page.Reviews[0].LearnerID != "ada" || page.NextCursor != nil {
		t.Errorf("second page: %+v", page)
	}
	e.call(lectern.ScopeServer, "DELETE", "/v1/reviews/r0", "").want(http.StatusNoContent, "")
	e.call(lectern.ScopeServer, "DELETE", "/v1/reviews/r0", "").want(http.StatusNotFound, lectern.CodeNotFound)
	e.call(lectern.ScopePublic, "GET", "/v1/courses/none/reviews", "").want(http.StatusNotFound, lectern.CodeNotFound)
}

func TestFeed(t *testing.T) {
	e := newEnv(t)
	ndjson := header{"Content-Type", "application/x-ndjson"}
	lines := func(from, to int) string {
		var b strings.Builder
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, `{"id":"c%d","title":"Course %d"}`+"\n", i, i)
		}
		return b.String()
	}
	feed := func(body string) feedDTO {
		var out feedDTO
		e.call(lectern.ScopeServer, "PUT", "/v1/catalog/feed", body, ndjson).want(http.StatusOK, "").into(&out)
		return out
	}
	if d := cmp.Diff(feedDTO{Lines: 10, Created: 10, Errors: []outcomeDTO{}}, feed(lines(0, 10))); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(feedDTO{Lines: 9, Unchanged: 9, Retired: 1, Errors: []outcomeDTO{}}, feed(lines(1, 10))); d != "" {
		t.Error(d)
	}
	// More than a fifth would retire: refused, and nothing changed.
	e.call(lectern.ScopeServer, "PUT", "/v1/catalog/feed", lines(5, 10), ndjson).want(http.StatusConflict, lectern.CodeRefused)
	e.call(lectern.ScopeServer, "PUT", "/v1/catalog/feed", "\n", ndjson).want(http.StatusConflict, lectern.CodeRefused)
	e.call(lectern.ScopeServer, "PUT", "/v1/catalog/feed", lines(1, 10)+"{broken\n", ndjson).want(http.StatusConflict, lectern.CodeRefused)
	e.call(lectern.ScopeServer, "GET", "/v1/courses/c1", "").mentions(`"status":"open"`)
	e.call(lectern.ScopeServer, "GET", "/v1/courses/c0", "").mentions(`"status":"retired"`)
	// A rejected line keeps its course as it is.
	got := feed(lines(1, 9) + `{"id":"c9","title":"x","level":"hard"}`)
	if got.Rejected != 1 || got.Retired != 0 || len(got.Errors) != 1 || got.Errors[0].Line != 9 || got.Errors[0].Code != lectern.CodeInvalid {
		t.Errorf("%+v", got)
	}
}

func TestPageCursorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := pageCursor{Of: rapid.String().Draw(t, "of"), After: rapid.Int64().Draw(t, "after"), ID: rapid.String().Draw(t, "id")}
		text := c.String()
		back, err := parsePageCursor(text, c.Of)
		if err != nil || back != c {
			t.Fatalf("%+v came back as %+v, %v", c, back, err)
		}
		if _, err := parsePageCursor(text, c.Of+"!"); lectern.ErrorCode(err) != lectern.CodeCursorMismatch {
			t.Fatalf("another list's cursor: %v", err)
		}
	})
}

func FuzzPageCursor(f *testing.F) {
	f.Add("")
	f.Add("garbage")
	f.Add(pageCursor{Of: "courses", After: 7}.String())
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parsePageCursor(text, "courses")
		if code := lectern.ErrorCode(err); err != nil && code != lectern.CodeInvalid && code != lectern.CodeCursorMismatch {
			t.Fatalf("%v", err)
		}
		if err == nil && text != "" && c.Of != "courses" {
			t.Fatalf("%+v", c)
		}
	})
}

func TestLearners(t *testing.T) {
	e := newEnv(t)
	body := `{"interests":["statistics"],"goal":"data analyst","weekly_hours":5,"preferred_level":"beginner","languages":["en"],"region":"DE","organisations":["acme"]}`
	e.call(lectern.ScopeServer, "PUT", "/v1/learners/ada", body).want(http.StatusCreated, "")
	var l learnerDTO
	e.call(lectern.ScopeServer, "GET", "/v1/learners/ada", "").want(http.StatusOK, "").into(&l)
	if l.Goal != "data analyst" || !l.Consent.Personalisation || !l.Consent.Exploration || l.CreatedAt.IsZero() {
		t.Errorf("%+v", l)
	}
	e.call(lectern.ScopeServer, "PUT", "/v1/learners/ada", `{"consent":{"personalisation":false,"exploration":true}}`).want(http.StatusOK, "")
	l = learnerDTO{}
	e.call(lectern.ScopeServer, "GET", "/v1/learners/ada", "").into(&l)
	if l.Consent.Personalisation || l.Goal != "" {
		t.Errorf("replaced: %+v", l)
	}
	e.call(lectern.ScopeServer, "PUT", "/v1/learners/ada", `{"anonymous":true}`).want(http.StatusBadRequest, lectern.CodeUnknownField)
	e.call(lectern.ScopeServer, "GET", "/v1/learners/nobody", "").want(http.StatusNotFound, lectern.CodeNotFound)
	e.call(lectern.ScopeServer, "DELETE", "/v1/learners/ada", "").want(http.StatusNoContent, "")
	e.call(lectern.ScopeServer, "DELETE", "/v1/learners/ada", "").want(http.StatusNotFound, lectern.CodeNotFound)
	e.call(lectern.ScopeServer, "DELETE", "/v1/visitors/v", "").want(http.StatusNotFound, lectern.CodeNotFound)
}

// A visitor who has become one learner is not handed to another.
func TestMergeIntoAnotherLearner(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a")
	e.call(lectern.ScopeServer, "POST", "/v1/events", anEvent("e1", `"anonymous_id":"v"`)).want(http.StatusAccepted, "")
	for range 2 {
		e.call(lectern.ScopeServer, "POST", "/v1/learners/ada/merge", `{"anonymous_id":"v"}`).want(http.StatusNoContent, "")
	}
	got := e.call(lectern.ScopeServer, "POST", "/v1/learners/bob/merge", `{"anonymous_id":"v"}`).want(http.StatusConflict, lectern.CodeConflict)
	got.mentions(`"field":"anonymous_id"`, "belongs to another learner")
	if strings.Contains(got.body, "ada") {
		t.Errorf("the answer tells whose it is: %s", got.body)
	}
	e.call(lectern.ScopeServer, "GET", "/v1/learners/bob", "").want(http.StatusNotFound, lectern.CodeNotFound)
}

func TestRankingAndTrace(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a")
	const id = "01950000-0000-7000-8000-000000000001"
	e.call(lectern.ScopeServer, "PUT", "/v1/learners/ada", `{}`).want(http.StatusCreated, "")
	err := e.store.PutRankings(t.Context(), []lectern.Ranking{{
		ID: id, Learner: lectern.LearnerRef{ID: "ada"}, Surface: lectern.SurfaceHome, CreatedAt: e.now, ConfigVersion: "c1",
		Weights: []lectern.TermWeight{{Name: "quality", Weight: 1}},
		Items: []lectern.RankedItem{{CourseID: "a", Score: .5, Propensity: 1, Terms: []float64{.4}, Reasons: []lectern.Reason{{Code: "popular"}},
			Adjusted: []lectern.Term{{Name: "rule:lift", Value: .6, Weight: 1. / 6, Contribution: .1}}, Pinned: "first", Duplicates: []string{"b"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	e.call(lectern.ScopeServer, "GET", "/v1/rankings/"+id, "").want(http.StatusOK, "").mentions(`"learner_id":"ada"`, `"propensity":1`, "Popular with learners",
		`"weights":[{"name":"quality","weight":1}]`, `"name":"rule:lift"`, `"pinned_by":"first"`, `"duplicates":["b"]`)
	e.call(lectern.ScopeServer, "GET", "/v1/rankings/01950000-0000-7000-8000-00000000ffff", "").want(http.StatusNotFound, lectern.CodeNotFound)

	e.call(lectern.ScopeAdmin, "GET", "/v1/admin/trace?learner=ada&course=a&level=mixed", "").want(http.StatusOK, "").mentions(`"outcome":"ranked"`, `"position":0`)
	want := lectern.TraceRequest{Learner: lectern.LearnerRef{ID: "ada"}, CourseID: "a", Surface: lectern.SurfaceHome,
		Filter: lectern.Filter{Levels: []lectern.Level{lectern.LevelMixed}}}
	if d := cmp.Diff(want, e.ranker.trace); d != "" {
		t.Error(d)
	}
	e.call(lectern.ScopeAdmin, "GET", "/v1/admin/trace?course=a&surface=search&q=x", "").want(http.StatusOK, "")
	e.call(lectern.ScopeAdmin, "GET", "/v1/admin/trace?course=a&surface=search", "").want(http.StatusBadRequest, lectern.CodeInvalid)
	e.call(lectern.ScopeAdmin, "GET", "/v1/admin/trace?learner=ada", "").want(http.StatusBadRequest, lectern.CodeInvalid).mentions(`"field":"course"`)
	e.call(lectern.ScopeAdmin, "GET", "/v1/admin/trace?course=none", "").want(http.StatusNotFound, lectern.CodeNotFound)
}

// Whatever a document holds, it is written or refused with its fields named;
// description and decoder never leave a gap between them.
func TestEveryCourseDocumentIsAnswered(t *testing.T) {
	e := newEnv(t)
	values := []string{`null`, `""`, `"x"`, `1`, `-1`, `1.5`, `true`, `[]`, `["x"]`, `[1]`, `{}`, `{"x":1}`, `"2025-01-01"`, `"beginner"`, `"en"`, `"https://example.org"`}
	rapid.Check(t, func(rt *rapid.T) {
		doc := map[string]json.RawMessage{"title": json.RawMessage(`"t"`)}
		for range rapid.IntRange(0, 3).Draw(rt, "fields") {
			f := rapid.SampledFrom(lectern.CourseFields()).Draw(rt, "field")
			name, sub, nested := strings.Cut(string(f), ".")
			v := rapid.SampledFrom(values).Draw(rt, "value")
			if nested {
				v = fmt.Sprintf(`{%q:%s}`, sub, v)
			}
			doc[name] = json.RawMessage(v)
		}
		body, err := json.Marshal(doc)
		if err != nil {
			rt.Fatal(err)
		}
		a := e.call(lectern.ScopeServer, "PUT", "/v1/courses/a", string(body))
		if a.status >= 300 && (a.status != http.StatusBadRequest || len(a.problem().Errors) == 0) {
			rt.Fatalf("%s: %d %s", body, a.status, a.body)
		}
	})
}
