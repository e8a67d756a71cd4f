package api

import (
	"net/http"
	"strconv"

	"github.com/lectern-dev/lectern"
)

// suggestionsDTO is the answer to what was typed so far.
type suggestionsDTO struct {
	Query    string              `json:"query"`
	Groups   suggestionGroupsDTO `json:"groups"`
	Degraded []string            `json:"degraded"`
}

type suggestionGroupsDTO struct {
	Completions []suggestionDTO `json:"completions"`
	Courses     []suggestionDTO `json:"courses"`
	Skills      []suggestionDTO `json:"skills"`
	Categories  []suggestionDTO `json:"categories"`
	Providers   []suggestionDTO `json:"providers"`
}

type suggestionDTO struct {
	Type      lectern.SuggestionType `json:"type"`
	ID        string                 `json:"id,omitempty"`
	Text      string                 `json:"text"`
	Highlight []spanDTO              `json:"highlight"`
	Reason    lectern.SuggestReason  `json:"reason"`
}

type spanDTO struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// autocomplete answers at every keystroke. It writes nothing.
func (s *Server) autocomplete(in *request) error {
	if s.deps.Suggester == nil {
		return lectern.Errorf(lectern.CodeUnavailable, "this server makes no suggestions")
	}
	filter, err := filterOf(in)
	if err != nil {
		return err
	}
	filter.Eligible = &lectern.Eligibility{At: s.deps.Clock()}
	query := in.QueryParam("q")
	limit, err := strconv.Atoi(in.QueryParam("limit"))
	if err != nil { // not given; the description refuses the rest
		limit = 0
	}
	out, err := s.deps.Suggester.Suggest(in.ctx(), lectern.SuggestRequest{Query: query, Limit: limit, Filter: filter})
	if err != nil {
		return err
	}
	in.Response().Header().Set("Cache-Control", "private, no-store") // a deleted course must not come back
	degraded := out.Degraded
	if degraded == nil {
		degraded = []string{}
	}
	return respond(in, http.StatusOK, suggestionsDTO{
		Query: query,
		Groups: suggestionGroupsDTO{
			Completions: suggestionsOf(out.Completions), Courses: suggestionsOf(out.Courses),
			Skills: suggestionsOf(out.Skills), Categories: suggestionsOf(out.Categories), Providers: suggestionsOf(out.Providers),
		},
		Degraded: degraded,
	})
}

func suggestionsOf(in []lectern.Suggestion) []suggestionDTO {
	out := make([]suggestionDTO, len(in))
	for i, s := range in {
		spans := make([]spanDTO, len(s.Highlight))
		for j, h := range s.Highlight {
			spans[j] = spanDTO(h)
		}
		out[i] = suggestionDTO{Type: s.Type, ID: s.ID, Text: s.Text, Highlight: spans, Reason: s.Reason}
	}
	return out
}
