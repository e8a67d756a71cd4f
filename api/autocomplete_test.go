package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/suggest"
)

// askedSuggester remembers what it was asked.
type askedSuggester struct {
	lectern.Suggester
	asked lectern.SuggestRequest
	err   error
}

func (a *askedSuggester) Suggest(ctx context.Context, r lectern.SuggestRequest) (lectern.Suggestions, error) {
	a.asked = r
	if a.err != nil {
		return lectern.Suggestions{}, a.err
	}
	return a.Suggester.Suggest(ctx, r)
}

// newSuggestEnv is a server that suggests a few courses.
func newSuggestEnv(t *testing.T) (*env, *askedSuggester) {
	t.Helper()
	s := suggest.New(testNow)
	err := s.Apply(t.Context(), []suggest.Entry{
		{Course: lectern.Course{ID: "ml", Title: "Machine Learning", Skills: []string{"Python"}, Categories: []string{"Data Science"}, Provider: "Stanford"}},
		{Course: lectern.Course{ID: "no", Title: "Machine Learning in Norway", Availability: lectern.Availability{Regions: []string{"NO"}}}},
		{Course: lectern.Course{ID: "party", Title: "Party 🎉 Machines"}},
	}, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	s.Rebuild()
	asked := &askedSuggester{Suggester: s}
	return newEnv(t, func(d *Deps, _ *Config) { d.Suggester = asked }), asked
}

func TestAutocompleteDocument(t *testing.T) {
	e, _ := newSuggestEnv(t)
	a := e.call(lectern.ScopePublic, "GET", "/v1/autocomplete?q=machi", "").want(http.StatusOK, "")
	const want = `{"query":"machi","groups":{` +
		`"completions":[{"type":"completion","text":"Machine Learning","highlight":[{"start":0,"end":5}],"reason":"prefix"},` +
		`{"type":"completion","text":"Party 🎉 Machines","highlight":[{"start":9,"end":14}],"reason":"words"}],` +
		`"courses":[{"type":"course","id":"ml","text":"Machine Learning","highlight":[{"start":0,"end":5}],"reason":"prefix"},` +
		`{"type":"course","id":"party","text":"Party 🎉 Machines","highlight":[{"start":9,"end":14}],"reason":"words"}],` +
		`"skills":[],"categories":[],"providers":[]},"degraded":[]}`
	if d := cmp.Diff(want, strings.TrimSpace(a.body)); d != "" {
		t.Error(d)
	}
	if got := a.header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
		t.Errorf("Cache-Control %q", got)
	}
}

func TestAutocompleteAsks(t *testing.T) {
	e, s := newSuggestEnv(t)
	eight := 8.0
	e.call(lectern.ScopePublic, "GET", "/v1/autocomplete?q=x&limit=20&level=beginner,mixed&max_hours=8&language=pt-br&category=Arts,+Humanities&provider=MIT", "").
		want(http.StatusOK, "")
	want := lectern.SuggestRequest{Query: "x", Limit: 20, Filter: lectern.Filter{
		Levels: []lectern.Level{"beginner", "mixed"}, MaxHours: &eight, Languages: []string{"pt-BR"},
		Categories: []string{"Arts, Humanities"}, Providers: []string{"MIT"}, Eligible: &lectern.Eligibility{At: testNow()}}}
	if d := cmp.Diff(want, s.asked); d != "" {
		t.Error(d)
	}
}

// Whatever is typed, the answer is an answer.
func TestAutocompleteTakesAnything(t *testing.T) {
	e, s := newSuggestEnv(t)
	for _, q := range []string{"", "   ", "🎉", "机器学习", "тест", "c++", "تعلّم", `'; DROP TABLE courses; --`, `<script>alert("x")</script>`,
		strings.Repeat("x", 500), strings.Repeat("ы ", 250), strings.Repeat("学", 500)} {
		var out suggestionsDTO
		a := e.call(lectern.ScopePublic, "GET", "/v1/autocomplete?q="+url.QueryEscape(q), "").want(http.StatusOK, "")
		if err := json.Unmarshal([]byte(a.body), &out); err != nil || out.Query != q || s.asked.Query != q {
			t.Errorf("%q: %v, answered for %q", q, err, out.Query)
		}
		if blank := strings.TrimSpace(q) == ""; blank && len(out.Groups.Courses) != 2 || blank && len(out.Groups.Categories) != 1 {
			t.Errorf("%q: %s", q, a.body)
		}
	}
	e.call(lectern.ScopePublic, "GET", "/v1/autocomplete", "").want(http.StatusOK, "").mentions(`"reason":"popular"`, "Data Science")
}

func TestAutocompleteRefuses(t *testing.T) {
	e, s := newSuggestEnv(t)
	for target, mentions := range map[string]string{
		"q=" + strings.Repeat("x", 501): "is too long",
		"q=x&limit=0":                   "is too small",
		"q=x&limit=21":                  "is too large",
		"q=x&level=hard":                "beginner",
		"q=x&language=english":          "did you mean",
		"q=x&cursor=a":                  "cursor",
		"q=%C3%28":                      "UTF-8",
		"q=a%00b":                       "control character",
	} {
		if a := e.call(lectern.ScopePublic, "GET", "/v1/autocomplete?"+target, ""); a.status != http.StatusBadRequest || !strings.Contains(a.body, mentions) {
			t.Errorf("%.40s: %d %s", target, a.status, a.body)
		}
	}
	s.err = lectern.Errorf(lectern.CodeUnavailable, "not yet")
	e.call(lectern.ScopePublic, "GET", "/v1/autocomplete?q=x", "").want(http.StatusServiceUnavailable, lectern.CodeUnavailable)
	newEnv(t).call(lectern.ScopePublic, "GET", "/v1/autocomplete?q=x", "").want(http.StatusServiceUnavailable, lectern.CodeUnavailable)
}
