package retrieve_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

func TestSort(t *testing.T) {
	w := newWorld(t, fixture(t))
	tests := []struct {
		sort lectern.Sort
		key  func(lectern.Course) float64
	}{
		{lectern.SortNewest, func(c lectern.Course) float64 { return float64(c.PublishedAt.Unix()) }},
		{lectern.SortRating, func(c lectern.Course) float64 { return c.Stated.RatingMean }},
		{lectern.SortPopular, func(c lectern.Course) float64 { return float64(c.Stated.Enrolments) }},
	}
	req := search("marketing")
	req.Limit = 100
	all := ids(w.list(req))
	for _, tt := range tests {
		t.Run(string(tt.sort), func(t *testing.T) {
			req.Sort = tt.sort
			l := w.list(req)
			if len(l.Items) < 3 || l.Total != len(l.Items) {
				t.Fatalf("%v of %d", ids(l), l.Total)
			}
			for i, it := range l.Items {
				if i > 0 && tt.key(l.Items[i-1].Course) < tt.key(it.Course) {
					t.Errorf("%s stands before %s", l.Items[i-1].Course.ID, it.Course.ID)
				}
				if !slices.Contains(all, it.Course.ID) || !strings.Contains(it.Course.Title+strings.Join(it.Course.Skills, " "), "Marketing") {
					t.Errorf("%s is listed only when sorted, or answers hardly", it.Course.ID)
				}
				if it.Position != i {
					t.Errorf("%s at %d says %d", it.Course.ID, i, it.Position)
				}
			}
			r, err := w.recorder.Ranking(t.Context(), l.RankingID)
			if err != nil || r.Sort != tt.sort || r.Items[0].CourseID != l.Items[0].Course.ID {
				t.Errorf("recorded %q %v, %v", r.Sort, r.Items, err)
			}
		})
	}
	req.Sort = lectern.SortRelevance
	if l := w.list(req); !slices.Equal(ids(l), all) {
		t.Errorf("by relevance: %v, want %v", ids(l), all)
	}
}

// TestSortBreaksTies in the order of relevance.
func TestSortBreaksTies(t *testing.T) {
	courses := bigCatalogue(40)
	for i := range courses {
		courses[i].Description += " everywhere"
		courses[i].Stated, courses[i].PublishedAt = lectern.StatedStats{}, nil
	}
	w := newWorld(t, courses, wordsOnly)
	req := search("everywhere")
	req.Limit = 100
	want := ids(w.list(req))
	for _, sort := range lectern.Sorts() {
		req.Sort = sort
		got := ids(w.list(req))
		if d := cmp.Diff(want[:len(got)], got); d != "" || len(got) == 0 {
			t.Errorf("%s (-relevance +sorted):\n%s", sort, d)
		}
	}
}

// TestSortedPagesStandStill: with sort and facets too, later pages are cut from
// the first page's list, whatever has become of the catalogue.
func TestSortedPagesStandStill(t *testing.T) {
	w := newWorld(t, fixture(t))
	req := search("python data programming")
	req.Sort, req.Limit = lectern.SortRating, 100
	want := ids(w.list(req))
	req.Limit, req.Facets = 2, lectern.Facets()
	if len(want) < 4 {
		t.Fatalf("only %v", want)
	}
	first := w.list(req)
	if first.Facets == nil || len(first.Facets.Facets) != 6 {
		t.Fatalf("facets: %+v", first.Facets)
	}
	items, rankings := pages(w, req, func(page int) {
		c := w.courses[want[len(want)-1]]
		c.Stated.RatingMean, c.Stated.RatingCount = 5, 1_000_000
		w.put(c, lectern.Course{ID: fmt.Sprint("new-", page), Title: "Python data programming", Stated: c.Stated})
	})
	var got []string
	for _, it := range items {
		got = append(got, it.Course.ID)
	}
	if d := cmp.Diff(want, got); d != "" || len(rankings) != 1 {
		t.Errorf("(-want +got):\n%s%d rankings", d, len(rankings))
	}
	req.Cursor = first.NextCursor
	if l := w.list(req); l.Facets != nil || l.Fallback != nil || l.Corrected != "" {
		t.Errorf("a later page repeats what belongs to the first")
	}
	for part, change := range map[string]func(*lectern.ListRequest){
		"sort":   func(r *lectern.ListRequest) { r.Sort = lectern.SortNewest },
		"exact":  func(r *lectern.ListRequest) { r.Exact = true },
		"filter": func(r *lectern.ListRequest) { r.Filter.Skills = []string{"Python"} },
	} {
		other := req
		change(&other)
		_, err := w.engine.List(t.Context(), other)
		if lectern.ErrorCode(err) != lectern.CodeCursorMismatch || !strings.Contains(err.Error(), part+" differs") {
			t.Errorf("%s: %v", part, err)
		}
	}
	other := req
	other.Facets = nil
	w.list(other)
}

func TestSearchOnly(t *testing.T) {
	w := newWorld(t, fixture(t))
	for _, req := range []lectern.ListRequest{
		{Surface: lectern.SurfaceHome, Limit: 1, Sort: lectern.SortRating},
		{Surface: lectern.SurfaceHome, Limit: 1, Facets: lectern.Facets()},
		{Surface: lectern.SurfaceSearch, Query: "x", Limit: 1, Sort: "price"},
		{Surface: lectern.SurfaceSearch, Query: "x", Limit: 1, Facets: []lectern.Facet{"price"}},
	} {
		if _, err := w.engine.List(t.Context(), req); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%+v: %v", req, err)
		}
	}
}

// facet finds one facet of a list.
func facet(l lectern.List, f lectern.Facet) lectern.FacetCount {
	for _, c := range l.Facets.Facets {
		if c.Facet == f {
			return c
		}
	}
	return lectern.FacetCount{}
}

// counts lays a facet's values out by name.
func counts(c lectern.FacetCount) map[string]int {
	out := map[string]int{}
	for _, v := range c.Values {
		out[v.Value] = v.Count
	}
	return out
}

// TestFacetsCountWhatFiltersKeep: the count of every value is the number of results
// of the search that filters by it, its own facet's filter aside.
func TestFacetsCountWhatFiltersKeep(t *testing.T) {
	// Feedback asks the index once more by what leads under the filter: counts are
	// those of the search as it is.
	w := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.Feedback = 0 }))
	four, forty := 4.5, 40.0
	for _, filter := range []lectern.Filter{
		{}, {Levels: []lectern.Level{lectern.LevelBeginner}}, {Categories: []string{"computing"}},
		{Levels: []lectern.Level{lectern.LevelBeginner, lectern.LevelAdvanced}, MinRating: &four},
		{MaxHours: &forty, Languages: []string{"en-GB"}}, {Providers: []string{"nobody"}},
	} {
		req := search("python machine learning data music marketing")
		req.Filter, req.Limit, req.Facets = filter, 100, lectern.Facets()
		l := w.list(req)
		if l.Facets.Courses != l.Total {
			t.Errorf("%+v: %d counted, %d listed", filter, l.Facets.Courses, l.Total)
		}
		for _, f := range l.Facets.Facets {
			for _, v := range f.Values {
				only := search(req.Query)
				only.Filter, only.Limit = filter, 100
				set(&only.Filter, f.Facet, v)
				if got := w.list(only).Total; got != v.Count {
					t.Errorf("%+v: %s %s counts %d, the filter keeps %d", filter, f.Facet, v.Value, v.Count, got)
				}
			}
		}
	}
}

// set filters by one value of a facet.
func set(f *lectern.Filter, facet lectern.Facet, v lectern.FacetValue) {
	switch facet {
	case lectern.FacetLevel:
		f.Levels = []lectern.Level{lectern.Level(v.Value)}
	case lectern.FacetLanguage:
		f.Languages = []string{v.Value}
	case lectern.FacetCategory:
		f.Categories = []string{v.Value}
	case lectern.FacetProvider:
		f.Providers = []string{v.Value}
	case lectern.FacetHours:
		least := 0.0
		if v.Min != nil {
			least = *v.Min
		}
		f.MinHours, f.MaxHours = &least, v.Max
	case lectern.FacetRating:
		f.MinRating = v.Min
	}
}

func TestFacets(t *testing.T) {
	courses := bigCatalogue(120)
	for i := range courses {
		courses[i].Description += " everywhere"
		courses[i].Provider = fmt.Sprintf("Provider %02d", i/4)
		courses[i].Level = []lectern.Level{"", lectern.LevelBeginner, lectern.LevelBeginner, lectern.LevelAdvanced}[i%4]
		courses[i].Language = []string{"en", "en-GB", "pt-BR", ""}[i%4]
		courses[i].Categories = []string{"Data Science", "data science", "Arts"}
	}
	w := newWorld(t, courses, wordsOnly)
	req := search("everywhere")
	req.Facets = []lectern.Facet{lectern.FacetProvider, lectern.FacetLevel, lectern.FacetLanguage, lectern.FacetCategory}
	req.Filter.Levels = []lectern.Level{lectern.LevelAdvanced}
	req.Filter.Providers = []string{"provider 29", "Provider 00"}
	l := w.list(req)
	if l.Facets.Courses != 2 {
		t.Fatalf("%d pass", l.Facets.Courses)
	}
	level := facet(l, lectern.FacetLevel)
	if d := cmp.Diff(map[string]int{"beginner": 4, "advanced": 2}, counts(level)); d != "" || level.Courses != 8 || level.Unknown != 2 {
		t.Errorf("levels of the two providers: %+v\n%s", level, d)
	}
	if !level.Values[1].Selected || level.Values[0].Selected {
		t.Errorf("what is filtered by is not told: %+v", level.Values)
	}
	provider := facet(l, lectern.FacetProvider)
	if provider.Courses != 30 || len(provider.Values) != lectern.MaxFacetValues || provider.Other != 10 {
		t.Errorf("providers of advanced courses: %+v", provider)
	}
	selected := slices.DeleteFunc(slices.Clone(provider.Values), func(v lectern.FacetValue) bool { return !v.Selected })
	if len(selected) != 2 || selected[1].Value != "Provider 29" {
		t.Errorf("selected: %+v", selected)
	}
	if d := cmp.Diff(map[string]int{"Data Science": 2, "Arts": 2}, counts(facet(l, lectern.FacetCategory))); d != "" {
		t.Errorf("spellings of a category count twice:\n%s", d)
	}
	req.Filter = lectern.Filter{Languages: []string{"en-GB"}}
	l = w.list(req)
	if d := cmp.Diff(map[string]int{"en": 60, "pt": 30}, counts(facet(l, lectern.FacetLanguage))); d != "" || l.Facets.Courses != 60 {
		t.Errorf("languages, %d pass:\n%s", l.Facets.Courses, d)
	}
}

func TestSpelling(t *testing.T) {
	courses := fixture(t)
	for i := range 12 {
		courses = append(courses, lectern.Course{ID: fmt.Sprint("origami-", i), Title: fmt.Sprint("Origami part ", i), Language: "en"})
	}
	courses = append(courses, lectern.Course{ID: "origins", Title: "Gold of Origam", Language: "en"})
	w := newWorld(t, courses)
	tests := []struct {
		name, query string
		exact       bool
		corrected   string
		suggestion  string
		first       string // course
	}{
		{"known", "origami part", false, "", "", ""},
		{"unknown word", "Pyton for  beginners", false, "python for  beginners", "", "py-101"},
		{"unknown word, exactly", "pyton", true, "", "python", ""},
		{"a beginning is no slip", "statis", false, "", "", "stats-1"},
		{"known but rare", "Origam ", false, "", "origami ", "origins"},
		{"rare where both words meet", "gold origam ", false, "", "", "origins"},
		{"nothing near", "zzzzzz", false, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := search(tt.query)
			req.Exact = tt.exact
			l := w.list(req)
			suggestion, results := "", 0
			if l.Suggestion != nil {
				suggestion, results = l.Suggestion.Query, l.Suggestion.Results
			}
			if l.Corrected != tt.corrected || suggestion != tt.suggestion {
				t.Errorf("corrected %q, want %q; suggestion %q, want %q", l.Corrected, tt.corrected, suggestion, tt.suggestion)
			}
			if tt.first != "" && (len(l.Items) == 0 || l.Items[0].Course.ID != tt.first) {
				t.Errorf("first is %v, want %s", ids(l), tt.first)
			}
			if suggestion != "" {
				if total := w.list(search(suggestion)).Total; total != results {
					t.Errorf("%d promised, %d found", results, total)
				}
			}
		})
	}
	req := search("pyton")
	req.Exact = true
	if l := w.list(req); l.Total != 0 || l.Fallback == nil {
		t.Errorf("exactly pyton finds %v", ids(l))
	}
}

func TestFallback(t *testing.T) {
	w := newWorld(t, fixture(t))
	people(w)
	none := search("zzzzzz")
	none.Learner = ada
	l := w.list(none)
	if l.Total != 0 || len(l.Items) != 0 || l.Fallback == nil || l.Fallback.Reason != lectern.FallbackNoMatch {
		t.Fatalf("%+v", l)
	}
	other := l.Fallback.List
	if other == nil || len(other.Items) == 0 || other.RankingID == l.RankingID || other.NextCursor != "" {
		t.Fatalf("fallback: %+v", other)
	}
	r, err := w.recorder.Ranking(t.Context(), other.RankingID)
	if err != nil || r.Surface != lectern.SurfaceHome || r.Learner != ada {
		t.Errorf("recorded %+v, %v", r, err)
	}
	low, high := 1.0, 500.0
	tests := []struct {
		name   string
		filter lectern.Filter
		want   []lectern.FilterDrop // without counts
	}{
		{"one is to blame", lectern.Filter{Levels: []lectern.Level{lectern.LevelBeginner}, Providers: []string{"nobody"}}, []lectern.FilterDrop{{Filters: []string{"provider"}}}},
		{"only all together", lectern.Filter{Skills: []string{"nothing"}, Providers: []string{"nobody"}}, []lectern.FilterDrop{{Filters: []string{"provider", "skill"}}}},
		{"either of two", lectern.Filter{MinHours: &high, MaxHours: &high}, []lectern.FilterDrop{{Filters: []string{"min_hours"}}}},
		{"hours", lectern.Filter{MaxHours: &low}, []lectern.FilterDrop{{Filters: []string{"max_hours"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := search("python programming")
			req.Filter = tt.filter
			l := w.list(req)
			if l.Total != 0 || l.Fallback == nil || l.Fallback.Reason != lectern.FallbackFilters || l.Fallback.List != nil {
				t.Fatalf("%d found, fallback %+v", l.Total, l.Fallback)
			}
			var got []lectern.FilterDrop
			for _, d := range l.Fallback.Drop {
				again := req
				for _, name := range d.Filters {
					drop(&again.Filter, name)
				}
				if total := w.list(again).Total; total != d.Results || total == 0 {
					t.Errorf("without %v: %d promised, %d found", d.Filters, d.Results, total)
				}
				d.Results = 0
				got = append(got, d)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	// Neither query nor filters have anything: what is popular, in the language.
	none.Filter = lectern.Filter{Providers: []string{"nobody"}, Languages: []string{"es"}}
	l = w.list(none)
	if l.Fallback == nil || l.Fallback.List == nil || len(l.Fallback.List.Items) == 0 {
		t.Fatalf("%+v", l.Fallback)
	}
	for _, it := range l.Fallback.List.Items {
		if it.Course.Language != "es" {
			t.Errorf("%s is in %s", it.Course.ID, it.Course.Language)
		}
	}
	if l := w.list(search("python")); l.Fallback != nil {
		t.Errorf("results and a fallback")
	}
}

func drop(f *lectern.Filter, name string) {
	switch name {
	case "provider":
		f.Providers = nil
	case "skill":
		f.Skills = nil
	case "min_hours":
		f.MinHours = nil
	case "max_hours":
		f.MaxHours = nil
	}
}

// TestExplainedSearch: all terms sum to the score, shares to 1, and what the
// learner did and wants has its terms on this surface too, by its own weights.
func TestExplainedSearch(t *testing.T) {
	w := newWorld(t, fixture(t))
	people(w)
	w.reviews = map[string]string{"ml-101": "machine learning made clear", "mus-1": "lovely songs"}
	w.put(w.courses["ml-101"], w.courses["mus-1"])
	weights := rerankWeights(linearDefault(t))
	for _, who := range []lectern.LearnerRef{{}, ada} {
		for _, q := range []string{"machine learning", "pyton", "data", "songs"} {
			req := search(q)
			req.Learner, req.Explain, req.Limit = who, true, 5
			l := w.list(req)
			if len(l.Items) == 0 {
				t.Errorf("%q finds nothing", q)
			}
			for page := 0; page < 2; page++ {
				wantExplained(t, l, weights)
				if req.Cursor = l.NextCursor; req.Cursor == "" {
					break
				}
				l = w.list(req)
			}
		}
	}
	req := search("python")
	if l := w.list(req); l.Items[0].Retrieval != nil || l.Items[0].Terms != nil {
		t.Error("explained without being asked")
	}
}

// TestLearnersInSearch: every term that depends on the learner counts on this
// surface as soon as it has a weight there.
func TestLearnersInSearch(t *testing.T) {
	w := newWorld(t, fixture(t), func(_ *world, _ *retrieve.Config, c *rerankConfig) {
		c.Weights.Search = rerank.TermWeights{Relevance: 0.4, Similarity: 0.2, Interest: 0.1, Level: 0.1, Time: 0.1, Language: 0.05, Readiness: 0.05}
	})
	people(w)
	c := w.courses["ml-deep"]
	c.Prerequisites = []string{"ml-101"}
	w.put(c)
	p := w.profiles[ada]
	p.Learner.Interests = []string{"neural networks"}
	w.profiles[ada] = p
	req := search("data learning statistics")
	req.Explain, req.Limit = true, 100
	nobody := w.list(req)
	req.Learner = ada
	hers := w.list(req)
	if slices.Equal(ids(nobody), ids(hers)) {
		t.Errorf("the same order for nobody and ada: %v", ids(hers))
	}
	moved := map[string]bool{}
	for _, it := range hers.Items {
		at := slices.Index(ids(nobody), it.Course.ID)
		if at < 0 {
			continue
		}
		before := termValues(nobody.Items[at])
		for name, value := range termValues(it) {
			moved[name] = moved[name] || math.Abs(value-before[name]) > 1e-9
		}
	}
	for _, name := range []string{"similarity", "interest_match", "level_fit", "time_fit", "readiness"} {
		if !moved[name] {
			t.Errorf("%s is the same for nobody and ada everywhere", name)
		}
	}
}

func termValues(it lectern.Item) map[string]float64 {
	out := map[string]float64{}
	for _, term := range it.Terms {
		out[term.Name] = term.Value
	}
	return out
}

func wantExplained(t *testing.T, l lectern.List, weights map[string]float64) {
	t.Helper()
	for _, it := range l.Items {
		sum := 0.0
		for _, term := range it.Terms {
			sum += term.Contribution
			if math.Abs(term.Value*term.Weight-term.Contribution) > 1e-9 || term.Weight != weights[term.Name] {
				t.Errorf("%s: %+v, weight of the surface %g", it.Course.ID, term, weights[term.Name])
			}
		}
		if math.Abs(sum-it.Score) > 1e-6 {
			t.Errorf("%s: terms sum to %g, the score is %g", it.Course.ID, sum, it.Score)
		}
		share := 0.0
		var from []string
		for _, s := range it.Retrieval {
			share += s.Share
			from = append(from, s.Source)
			if s.Share < 0 || s.Share > 1 || s.Unit == "" {
				t.Errorf("%s: %+v", it.Course.ID, s)
			}
		}
		slices.Sort(from)
		sources := slices.Sorted(slices.Values(it.Sources))
		if math.Abs(share-1) > 1e-6 || !slices.Equal(from, sources) {
			t.Errorf("%s: shares sum to %g, from %v, sources %v", it.Course.ID, share, from, sources)
		}
	}
}

// TestFacetsAreLeftOut when the index fails for them alone.
func TestFacetsAreLeftOut(t *testing.T) {
	w := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.Feedback = 0 }))
	w.indexErr, w.failFrom = errors.New("down"), w.searches.Load()+1
	req := search("python")
	req.Filter.Levels, req.Facets = []lectern.Level{lectern.LevelBeginner}, lectern.Facets()
	l := w.list(req)
	if len(l.Items) == 0 || l.Facets != nil || !slices.Contains(l.Degraded, retrieve.DegradedFacets) {
		t.Errorf("%v, %+v, degraded %v", ids(l), l.Facets, l.Degraded)
	}
}

// rerankWeights are the weights of searches.
func rerankWeights(r rerank.Reranker) map[string]float64 {
	out := map[string]float64{}
	for _, term := range r.Rerank(rerank.Request{Surface: lectern.SurfaceSearch}, nil).Terms {
		out[term.Name] = term.Weight
	}
	return out
}
