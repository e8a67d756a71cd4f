package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

type searchAnswer struct {
	listAnswer
	Total          int
	CorrectedQuery string `json:"corrected_query"`
	Facets         map[string]struct {
		Counted int
		Values  []struct {
			Value string
			Count int
		}
	}
	Fallback *struct {
		Reason  string
		Filters []struct {
			Drop    []string
			Results int
		}
		List *listAnswer
	}
}

// count is how many candidates have a value.
func (a searchAnswer) count(facet, value string) int {
	for _, v := range a.Facets[facet].Values {
		if v.Value == value {
			return v.Count
		}
	}
	return 0
}

// TestSearch filters, counts, sorts and pages in both modes.
func TestSearch(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testSearch)
}

func testSearch(t *testing.T, d *deployment) {
	key := d.key("server")
	s := d.start()
	eventually(t, time.Minute, "readiness", func() bool { return s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
	languages := []string{"en", "en-GB", "pt-BR", "pt"}
	for i := range 24 {
		s.must(http.MethodPut, fmt.Sprintf("/v1/courses/bees-%02d", i), key, fmt.Sprintf(
			`{"title":"Keeping bees, part %d","description":"All about bees and hives.","level":%q,"language":%q,"workload_hours":%d,
			"skills":["Apiculture %d"],"provider":"Hive %d","published_at":"2020-01-%02dT00:00:00Z"}`,
			i, []string{"beginner", "advanced"}[i%2], languages[i%4], i+1, i%3, i%2, i+1))
	}
	for i := range 4 { // ratings of learners, not the platform's own total
		s.must(http.MethodPut, fmt.Sprintf("/v1/reviews/r-%d", i), key, fmt.Sprintf(
			`{"course_id":"bees-%02d","learner_id":"l-%d","stars":%d}`, i, i, 2+i))
	}
	search := func(q, params string) (a searchAnswer) {
		s.get("/v1/search?q="+url.QueryEscape(q)+"&limit=100&"+params, key, &a)
		return a
	}
	eventually(t, time.Minute, "all courses", func() bool { return search("bees", "").Total == 24 })
	eventually(t, time.Minute, "ratings", func() bool { return search("bees", "min_rating=4").Total == 2 })

	for params, want := range map[string]int{
		"min_hours=20": 5, "min_hours=3&max_hours=4": 2, "skill=APICULTURE+1": 8, "language=en": 12, "language=en-GB": 12,
		"language=pt-PT": 6, "language=pt-BR": 12, "level=beginner&provider=hive+0": 12, "min_rating=3&level=advanced": 2,
	} {
		a := search("bees", params+"&facets=all")
		if a.Total != want || a.Facets["hours"].Counted == 0 {
			t.Errorf("%s: %d found, want %d; facets %v", params, a.Total, want, a.Facets)
		}
	}
	a := search("bees", "level=beginner&facets=level,language,provider")
	if a.count("level", "beginner") != 12 || a.count("level", "advanced") != 12 || a.count("provider", "Hive 0") != 12 ||
		a.count("language", "pt") != 6 || len(a.Facets) != 3 {
		t.Errorf("facets: %+v", a.Facets)
	}
	if a := search("bees", "level=mixed&skill=apiculture+1"); a.Total != 0 || a.Fallback == nil || a.Fallback.Reason != "filters" ||
		len(a.Fallback.Filters) != 1 || a.Fallback.Filters[0].Drop[0] != "level" || a.Fallback.Filters[0].Results != 8 {
		t.Errorf("fallback: %+v", a.Fallback)
	}
	if a := search("Beees and hives", ""); a.Total == 0 || a.CorrectedQuery != "bees and hives" {
		t.Errorf("%d found for %q", a.Total, a.CorrectedQuery)
	}

	want := search("bees", "sort=newest").ids()
	if !slices.IsSortedFunc(want, func(a, b string) int { return strings.Compare(b, a) }) || len(want) != 24 {
		t.Fatalf("newest first: %v", want)
	}
	var got []string
	cursor := ""
	for page := 0; page < 10; page++ {
		var a searchAnswer
		s.get("/v1/search?q=bees&sort=newest&facets=all&limit=7"+cursor, key, &a)
		got = append(got, a.ids()...)
		if (a.Facets == nil) != (page > 0) {
			t.Errorf("page %d: facets %v", page, a.Facets)
		}
		if a.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(a.NextCursor)
		s.must(http.MethodPut, fmt.Sprintf("/v1/courses/new-%d", page), key, `{"title":"Keeping bees anew","published_at":"2024-01-01T00:00:00Z"}`)
	}
	if !slices.Equal(want, got) {
		t.Errorf("pages while courses come:\n%v, want\n%v", got, want)
	}
}
