package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
)

// suggestionsDTO is the answer to what was typed so far.
type suggestionsDTO struct {
	RankingID string              `json:"ranking_id,omitempty"`
	Query     string              `json:"query"`
	Groups    suggestionGroupsDTO `json:"groups"`
	Degraded  []string            `json:"degraded"`
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
	Via       string                 `json:"via,omitempty"`
}

type spanDTO struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// autocomplete answers at every keystroke. It writes nothing: what was suggested
// is signed, and stored when an event cites it.
func (s *Server) autocomplete(in *request) error {
	if s.deps.Suggester == nil {
		return lectern.Errorf(lectern.CodeUnavailable, "this server makes no suggestions")
	}
	who, nameless, err := s.suggestFor(in)
	if err != nil {
		return err
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
	out, err := s.deps.Suggester.Suggest(in.ctx(), lectern.SuggestRequest{Query: query, Learner: who, Limit: limit, Filter: filter})
	if err != nil {
		return err
	}
	if nameless && !slices.Contains(out.Degraded, degradedPersonal) {
		out.Degraded = append(slices.Clone(out.Degraded), degradedPersonal)
	}
	in.Response().Header().Set("Cache-Control", "private, no-store") // a deleted course must not come back
	return respond(in, http.StatusOK, suggestionsDTO{
		RankingID: s.seal(who, query, out),
		Query:     query,
		Groups: suggestionGroupsDTO{
			Completions: suggestionsOf(out.Completions), Courses: suggestionsOf(out.Courses),
			Skills: suggestionsOf(out.Skills), Categories: suggestionsOf(out.Categories), Providers: suggestionsOf(out.Providers),
		},
		Degraded: some(out.Degraded),
	})
}

const (
	// degradedPersonal says that suggestions are not the learner's own.
	degradedPersonal = "personal"
	// rightsBudget is how long a keystroke waits to learn whether the caller may
	// have a visitor's suggestions.
	rightsBudget = 25 * time.Millisecond
)

// suggestFor is listFor at the speed of typing: where it cannot be known in time
// whether the caller may have what is personal, the suggestions are nobody's.
func (s *Server) suggestFor(in *request) (who lectern.LearnerRef, nameless bool, err error) {
	who, err = learnerParams(in)
	if err != nil || who.IsZero() {
		return who, false, err
	}
	ctx, cancel := context.WithTimeout(in.ctx(), s.waits.rights)
	defer cancel()
	err = s.mayReadWithin(ctx, in, who)
	switch asLecternError(err).Code {
	case lectern.CodeForbidden, lectern.CodeUnauthenticated, lectern.CodeInvalid:
		return who, false, err
	}
	if err != nil {
		s.deps.Log.WarnContext(in.ctx(), "visitor not read; suggesting for nobody", "error", err)
		return lectern.LearnerRef{}, true, nil
	}
	return who, false, nil
}

// seal signs which courses were suggested, in order.
func (s *Server) seal(who lectern.LearnerRef, query string, out lectern.Suggestions) string {
	if s.deps.Sealer == nil {
		return out.RankingID
	}
	var few [20]string // a group has no more
	ids := few[:0]
	for _, c := range out.Courses {
		ids = append(ids, c.ID)
	}
	return s.deps.Sealer.Seal(who, query, ids)
}

func suggestionsOf(in []lectern.Suggestion) []suggestionDTO {
	out := make([]suggestionDTO, len(in))
	for i, s := range in {
		spans := make([]spanDTO, len(s.Highlight))
		for j, h := range s.Highlight {
			spans[j] = spanDTO(h)
		}
		out[i] = suggestionDTO{Type: s.Type, ID: s.ID, Text: s.Text, Highlight: spans, Reason: s.Reason, Via: s.Via}
	}
	return out
}
