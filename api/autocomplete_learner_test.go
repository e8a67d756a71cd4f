package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// writtenSealer shows what it was asked to sign.
type writtenSealer struct{}

func (writtenSealer) Seal(who lectern.LearnerRef, query string, ids []string) string {
	return "ac." + strings.Join(slices.Concat([]string{who.ID + who.AnonymousID, query}, ids), "|")
}

// deafLearners is a store of learners that does not answer.
type deafLearners struct{ lectern.LearnerStore }

func (deafLearners) Learner(ctx context.Context, _ lectern.LearnerRef) (lectern.Learner, error) {
	<-ctx.Done()
	return lectern.Learner{}, errors.Join(ctx.Err())
}

func TestAutocompleteForLearners(t *testing.T) {
	e, s := newSuggestEnv(t)
	token := header{"X-Learner-Token", e.token("ada")}
	for _, tt := range []struct {
		name, params string
		scope        lectern.Scope
		headers      []header
		status       int
		want         lectern.LearnerRef
	}{
		{"nobody", "", lectern.ScopePublic, nil, 200, lectern.LearnerRef{}},
		{"a learner", "&learner=ada", lectern.ScopeServer, nil, 200, lectern.LearnerRef{ID: "ada"}},
		{"with the learner's token", "&learner=ada", lectern.ScopePublic, []header{token}, 200, lectern.LearnerRef{ID: "ada"}},
		{"with another's token", "&learner=bob", lectern.ScopePublic, []header{token}, 403, lectern.LearnerRef{}},
		{"without token", "&learner=ada", lectern.ScopePublic, nil, 403, lectern.LearnerRef{}},
		{"a visitor", "&anonymous=v", lectern.ScopePublic, nil, 200, lectern.LearnerRef{AnonymousID: "v"}},
		{"both", "&learner=ada&anonymous=v", lectern.ScopeServer, nil, 400, lectern.LearnerRef{}},
		{"a bad id", "&learner=%20ada", lectern.ScopeServer, nil, 400, lectern.LearnerRef{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.asked = lectern.SuggestRequest{}
			e.on(t).call(tt.scope, "GET", "/v1/autocomplete?q=machi"+tt.params, "", tt.headers...).want(tt.status, "")
			if d := cmp.Diff(tt.want, s.asked.Learner); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAutocompleteCanBeCited(t *testing.T) {
	e, s := newSuggestEnv(t)
	e.server.deps.Sealer = writtenSealer{}
	var out suggestionsDTO
	e.call(lectern.ScopeServer, "GET", "/v1/autocomplete?q=machi&learner=ada", "").want(http.StatusOK, "").into(&out)
	if want := "ac.ada|machi|ml|party"; out.RankingID != want {
		t.Errorf("ranking_id %q, want %q", out.RankingID, want)
	}
	e.call(lectern.ScopePublic, "GET", "/v1/autocomplete?q=zzzzzzzz", "").want(http.StatusOK, "").into(&out)
	if out.RankingID != "ac.|zzzzzzzz" { // choosing to search all the same can be cited too
		t.Errorf("ranking_id %q without courses", out.RankingID)
	}
	s.err = errors.New("away")
	if a := e.call(lectern.ScopePublic, "GET", "/v1/autocomplete?q=x", ""); strings.Contains(a.body, "ac.") {
		t.Error(a.body)
	}
}

// A store that does not answer costs a visitor what is personal, not the answer.
func TestAutocompleteWithoutLearners(t *testing.T) {
	e, s := newSuggestEnv(t)
	e.server.deps.Learners, e.server.waits.rights = deafLearners{}, rightsBudget
	var out suggestionsDTO
	e.call(lectern.ScopePublic, "GET", "/v1/autocomplete?q=machi&anonymous=v", "").want(http.StatusOK, "").into(&out)
	if !s.asked.Learner.IsZero() || !slices.Equal(out.Degraded, []string{"personal"}) || len(out.Groups.Courses) != 2 {
		t.Errorf("%+v for %+v", out, s.asked.Learner)
	}
}
