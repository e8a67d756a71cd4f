package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment"
)

// fewExperiments has one experiment.
type fewExperiments struct{ Experiments }

func (fewExperiments) List(context.Context, lectern.ExperimentState) ([]experiment.Experiment, error) {
	var x experiment.Experiment
	x.ID, x.Arms = "fresh", []experiment.Arm{{Name: "control"}, {Name: "new"}}
	return []experiment.Experiment{x}, nil
}

// TestUnknownNames: what does not exist is refused with what there is, not answered
// with nothing.
func TestUnknownNames(t *testing.T) {
	s := &Server{deps: Deps{Experiments: fewExperiments{}}}
	for query, want := range map[string]string{"row=zzz": "for_you", "segment=zzz": "visitor", "experiment=nope": "fresh", "experiment=fresh&arm=zzz": "control"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/?"+query, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		q, err := MetricsRequest(r.URL.Query().Get)
		if err == nil {
			err = s.knownArmIn(t.Context(), &q)
		}
		e, ok := errors.AsType[*lectern.Error](err)
		if !ok || e.Code != lectern.CodeInvalid || !strings.Contains(e.Fields[0].Allowed, want) {
			t.Errorf("%s: %v, want what is allowed with %s", query, err, want)
		}
	}
}

// TestSaysTooMuch: a body where none is read, and two people where one is asked for.
func TestSaysTooMuch(t *testing.T) {
	for body, fine := range map[string]bool{"": true, "{ }": true, `{"from":"2026-01-01"}`: false} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := noBody(r); (err == nil) != fine {
			t.Errorf("the body %q: %v", body, err)
		}
	}
	if err := onePerson(lectern.LearnerRef{ID: "a", AnonymousID: "b"}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("two people: %v", err)
	}
	if err := onePerson(lectern.LearnerRef{AnonymousID: "b"}); err != nil {
		t.Error(err)
	}
}
