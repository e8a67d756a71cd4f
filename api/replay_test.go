package api

import (
	"context"
	"net/http"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
)

// oneReplay knows one list.
type oneReplay struct{ draws int }

func (o *oneReplay) Replay(_ context.Context, id string, draws int) (*explore.Replay, error) {
	if o.draws = draws; id != "known" {
		return nil, lectern.Errorf(lectern.CodeNotFound, "there is no ranking %q", id)
	}
	return &explore.Replay{
		Ranking: &lectern.Ranking{ID: id, Surface: lectern.SurfaceHome, CreatedAt: testNow(), Exploration: &lectern.Exploration{
			Policy: "thompson", Settings: "e3", Posterior: 7, Seed: 18446744073709551615,
		}},
		Filled: true, Draws: 1000, Slate: []string{"a", "b"},
		Choices: []explore.Choice{{Place: 0, CourseID: "b", Stood: "a", By: explore.ByNew, Options: 2, Owed: 1}},
		Places:  []explore.Replayed{{CourseID: "b", Stood: 1, Recorded: .5, Propensity: .51, PropensityError: .01, Agrees: true}},
	}, nil
}

func TestReplay(t *testing.T) {
	known := &oneReplay{}
	e := newEnv(t, func(d *Deps, _ *Config) { d.Replays = known })
	var got struct {
		Seed    string
		Same    bool
		Slate   []string
		Choices []struct {
			By        string
			InPlaceOf string `json:"in_place_of"`
		}
		Items []struct {
			Propensity float64
			Agrees     bool
		}
	}
	e.call(lectern.ScopeAdmin, http.MethodGet, "/v1/admin/rankings/known/replay?draws=5000", "").want(http.StatusOK, "").into(&got)
	if known.draws != 5000 || got.Seed != "18446744073709551615" || !got.Same || len(got.Slate) != 2 ||
		got.Choices[0].By != "new" || got.Choices[0].InPlaceOf != "a" || got.Items[0].Propensity != .51 || !got.Items[0].Agrees {
		t.Errorf("%+v", got)
	}
	e.call(lectern.ScopeAdmin, http.MethodGet, "/v1/admin/rankings/other/replay", "").want(http.StatusNotFound, lectern.CodeNotFound).mentions("other")
	e.call(lectern.ScopeAdmin, http.MethodGet, "/v1/admin/rankings/known/replay?draws=many", "").want(http.StatusBadRequest, lectern.CodeInvalid).mentions("draws")
	none := newEnv(t)
	none.call(lectern.ScopeAdmin, http.MethodGet, "/v1/admin/rankings/known/replay", "").want(http.StatusServiceUnavailable, lectern.CodeUnavailable)
}
