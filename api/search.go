package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern"
)

// searchDTO is a page of results with what is known of the whole search.
type searchDTO struct {
	listDTO
	Sort           lectern.Sort               `json:"sort"`
	CorrectedQuery string                     `json:"corrected_query,omitempty"`
	Suggestion     *spellingDTO               `json:"suggestion,omitempty"`
	Facets         map[lectern.Facet]facetDTO `json:"facets,omitempty"`
	Fallback       *fallbackDTO               `json:"fallback,omitempty"`
}

type spellingDTO struct {
	Query   string `json:"query"`
	Results int    `json:"results"`
}

type facetDTO struct {
	Counted int             `json:"counted"`
	Values  []facetValueDTO `json:"values"`
	Other   int             `json:"other"`
	Unknown int             `json:"unknown"`
}

type facetValueDTO struct {
	Value     string   `json:"value"`
	Count     int      `json:"count"`
	Selected  bool     `json:"selected"`
	MinHours  *float64 `json:"min_hours,omitempty"`
	MaxHours  *float64 `json:"max_hours,omitempty"`
	MinRating *float64 `json:"min_rating,omitempty"`
}

type fallbackDTO struct {
	Reason  lectern.FallbackReason `json:"reason"`
	Filters []filterDropDTO        `json:"filters,omitempty"`
	List    *listDTO               `json:"list,omitempty"`
}

type filterDropDTO struct {
	Drop    []string `json:"drop"`
	Results int      `json:"results"`
}

type highlightDTO struct {
	Title   []spanDTO   `json:"title"`
	Snippet *snippetDTO `json:"snippet,omitempty"`
}

type snippetDTO struct {
	Text   string    `json:"text"`
	Ranges []spanDTO `json:"ranges"`
}

func (s *Server) search(in *request) error {
	query := strings.TrimSpace(in.QueryParam("q"))
	if query == "" {
		return lectern.Invalid("the query is empty", lectern.FieldError{Field: "q", Reason: "holds only spaces", Allowed: "1 to 500 characters"})
	}
	who, err := s.listFor(in)
	if err != nil {
		return err
	}
	exact, err := strconv.ParseBool(in.QueryParam("exact"))
	req := lectern.ListRequest{
		Surface: lectern.SurfaceSearch, Query: query, Learner: who,
		Sort: lectern.Sort(in.QueryParam("sort")), Exact: err == nil && exact, Facets: facetsOf(in),
	}
	l, say, err := s.makeList(in, &req)
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, searchOf(l, say, req))
}

// facetsOf reads the facets asked for, "all" among them; the description has
// checked the words.
func facetsOf(in *request) []lectern.Facet {
	var out []lectern.Facet
	for _, f := range splitWords(in.QueryParams()["facets"]) {
		if f == "all" {
			return lectern.Facets()
		}
		out = append(out, lectern.Facet(f))
	}
	return out
}

func searchOf(l lectern.List, say speaker, req lectern.ListRequest) searchDTO {
	out := searchDTO{listDTO: listOf(l, say, req.Explain), Sort: req.Sort, CorrectedQuery: l.Corrected}
	if out.Sort == "" {
		out.Sort = lectern.SortRelevance
	}
	if l.Suggestion != nil {
		suggestion := spellingDTO(*l.Suggestion)
		out.Suggestion = &suggestion
	}
	if l.Facets != nil {
		out.Facets = make(map[lectern.Facet]facetDTO, len(l.Facets.Facets))
		for _, f := range l.Facets.Facets {
			out.Facets[f.Facet] = facetOf(f)
		}
	}
	if l.Fallback != nil {
		out.Fallback = &fallbackDTO{Reason: l.Fallback.Reason}
		for _, d := range l.Fallback.Drop {
			out.Fallback.Filters = append(out.Fallback.Filters, filterDropDTO{slices.Clone(d.Filters), d.Results})
		}
		if l.Fallback.List != nil {
			list := listOf(*l.Fallback.List, say, req.Explain)
			out.Fallback.List = &list
		}
	}
	return out
}

func facetOf(f lectern.FacetCount) facetDTO {
	out := facetDTO{Counted: f.Courses, Values: make([]facetValueDTO, len(f.Values)), Other: f.Other, Unknown: f.Unknown}
	for i, v := range f.Values {
		out.Values[i] = facetValueDTO{Value: v.Value, Count: v.Count, Selected: v.Selected}
		switch f.Facet {
		case lectern.FacetHours:
			out.Values[i].MinHours, out.Values[i].MaxHours = v.Min, v.Max
		case lectern.FacetRating:
			out.Values[i].MinRating = v.Min
		}
	}
	return out
}

func highlightOf(h *lectern.Highlight) *highlightDTO {
	if h == nil {
		return nil
	}
	out := &highlightDTO{Title: spansOf(h.Title)}
	if h.Snippet != "" {
		out.Snippet = &snippetDTO{Text: h.Snippet, Ranges: spansOf(h.SnippetSpans)}
	}
	return out
}

func spansOf(in []lectern.Span) []spanDTO {
	out := make([]spanDTO, len(in))
	for i, s := range in {
		out[i] = spanDTO(s)
	}
	return out
}
