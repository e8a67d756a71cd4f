package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// TestSearchAsksTheRanker: every parameter of a search reaches it.
func TestSearchAsksTheRanker(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a")
	two, ten, four := 2.0, 10.0, 4.5
	tests := []struct {
		target string
		want   lectern.ListRequest
	}{
		{"/v1/search?q=x", lectern.ListRequest{}},
		{"/v1/search?q=x&sort=rating&exact=true", lectern.ListRequest{Sort: lectern.SortRating, Exact: true}},
		{"/v1/search?q=x&facets=level,hours&facets=rating",
			lectern.ListRequest{Facets: []lectern.Facet{lectern.FacetLevel, lectern.FacetHours, lectern.FacetRating}}},
		{"/v1/search?q=x&facets=all", lectern.ListRequest{Facets: lectern.Facets()}},
		{"/v1/search?q=x&min_hours=2&max_hours=10&min_rating=4.5&skill=SQL&skill=a,b&language=en-gb", lectern.ListRequest{Filter: lectern.Filter{
			MinHours: &two, MaxHours: &ten, MinRating: &four, Skills: []string{"SQL", "a,b"}, Languages: []string{"en-GB"},
		}}},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			e := e.on(t)
			e.call(lectern.ScopePublic, "GET", tt.target, "").want(http.StatusOK, "")
			tt.want.Surface, tt.want.Query, tt.want.Limit = lectern.SurfaceSearch, "x", 20
			if d := cmp.Diff(tt.want, e.ranker.seen()); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestSearchRefuses: what is not known is named, with what is.
func TestSearchRefuses(t *testing.T) {
	e := newEnv(t)
	tests := []struct {
		params string
		says   []string
	}{
		{"sort=price", []string{`"field":"sort"`, `"value":"price"`, "relevance, rating, newest, popular"}},
		{"facets=price", []string{`"field":"facets"`, "level, language, category, provider, hours, rating"}},
		{"facets=level,price", []string{`"field":"facets"`, "level, language, category, provider, hours, rating"}},
		{"exact=perhaps", []string{`"field":"exact"`}},
		{"min_rating=6", []string{`"field":"min_rating"`}},
		{"min_rating=NaN", []string{`"field":"min_rating"`}},
		{"min_hours=-1", []string{`"field":"min_hours"`}},
		{"min_hours=20&max_hours=10", []string{`"field":"min_hours"`, "at most max_hours"}},
		{"skill=" + strings.Repeat("&skill=x", 51), []string{`"field":"skill"`}},
	}
	for _, tt := range tests {
		t.Run(tt.params[:min(len(tt.params), 30)], func(t *testing.T) {
			e.on(t).call(lectern.ScopePublic, "GET", "/v1/search?q=x&"+tt.params, "").want(http.StatusBadRequest, lectern.CodeInvalid).mentions(tt.says...)
		})
	}
	for _, params := range []string{"sort=rating", "facets=all", "exact=true"} {
		e.call(lectern.ScopePublic, "GET", "/v1/recommendations?"+params, "").want(http.StatusBadRequest, lectern.CodeUnknownField)
	}
}

// TestSearchAnswers pins the document of a search.
func TestSearchAnswers(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a")
	two, ten, four := 2.0, 10.0, 4.5
	e.ranker.with = func(l *lectern.List) {
		for i := range l.Items {
			l.Items[i].Highlight = &lectern.Highlight{Title: []lectern.Span{{Start: 0, End: 6}}, Snippet: "A course", SnippetSpans: []lectern.Span{{Start: 2, End: 8}}}
			l.Items[i].Retrieval = []lectern.SourceScore{{Source: "words", Position: 3, Score: 7.5, Unit: "BM25", Share: 1}}
		}
		l.Corrected = "course"
		l.Suggestion = &lectern.SpellingSuggestion{Query: "courses", Results: 7}
		l.Facets = &lectern.FacetCounts{Courses: 5, Facets: []lectern.FacetCount{
			{Facet: lectern.FacetLevel, Courses: 9, Unknown: 1, Other: 2, Values: []lectern.FacetValue{{Value: "beginner", Count: 4, Selected: true}}},
			{Facet: lectern.FacetHours, Courses: 5, Values: []lectern.FacetValue{{Value: "2-10", Count: 2, Min: &two, Max: &ten}}},
			{Facet: lectern.FacetRating, Courses: 5, Values: []lectern.FacetValue{{Value: "4.5", Count: 3, Min: &four}}},
		}}
	}
	a := e.call(lectern.ScopePublic, "GET", "/v1/search?q=corse&sort=newest&facets=all&explain=true", "").want(http.StatusOK, "")
	a.mentions(`"sort":"newest"`, `"corrected_query":"course"`, `"suggestion":{"query":"courses","results":7}`,
		`"highlight":{"title":[{"start":0,"end":6}],"snippet":{"text":"A course","ranges":[{"start":2,"end":8}]}}`,
		`"retrieval":[{"source":"words","position":3,"score":7.5,"unit":"BM25","share":1}]`,
		`"level":{"counted":9,"values":[{"value":"beginner","count":4,"selected":true}],"other":2,"unknown":1}`,
		`{"value":"2-10","count":2,"selected":false,"min_hours":2,"max_hours":10}`,
		`{"value":"4.5","count":3,"selected":false,"min_rating":4.5}`)
	e.ranker.with = func(l *lectern.List) {
		l.Items, l.Total = nil, 0
		l.Fallback = &lectern.Fallback{Reason: lectern.FallbackFilters, Drop: []lectern.FilterDrop{{Filters: []string{"level"}, Results: 12}}}
	}
	e.call(lectern.ScopePublic, "GET", "/v1/search?q=x&level=advanced", "").want(http.StatusOK, "").
		mentions(`"items":[]`, `"total":0`, `"fallback":{"reason":"filters","filters":[{"drop":["level"],"results":12}]}`)
	e.ranker.with = func(l *lectern.List) {
		home := *l
		home.RankingID = "0195-home"
		*l = lectern.List{RankingID: l.RankingID, Fallback: &lectern.Fallback{Reason: lectern.FallbackNoMatch, List: &home}}
	}
	e.call(lectern.ScopePublic, "GET", "/v1/search?q=zzz", "").want(http.StatusOK, "").
		mentions(`"items":[]`, `"fallback":{"reason":"no_match","list":{"ranking_id":"0195-home","items":[{"course_id":"a"`)
	e.ranker.with = nil
	plain := e.call(lectern.ScopePublic, "GET", "/v1/search?q=x", "").want(http.StatusOK, "")
	for _, word := range []string{"corrected_query", "suggestion", "facets", "fallback", "retrieval"} {
		if strings.Contains(plain.body, `"`+word+`"`) {
			t.Errorf("%s in %s", word, plain.body)
		}
	}
}
