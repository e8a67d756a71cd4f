package api

import (
	"context"
	"net/http"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/experiment/ope"
	"github.com/lectern-dev/lectern/experiment/ope/synthetic"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
)

// synthetics are estimates from a log of a small world.
func synthetics(t *testing.T) *ope.Service {
	t.Helper()
	ctx := context.Background()
	world, err := synthetic.New(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	log, err := world.Record(ctx, synthetic.Logging(), 77, 120, 4)
	if err != nil {
		t.Fatal(err)
	}
	step, err := world.Explorer(synthetic.Exploring(), 2)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ope.New(ope.Deps{
		Log: log, Step: step, Explore: explore.Fixed{Config: synthetic.Exploring(), Name: "e1"}, Config: ope.DefaultConfig(), Clock: synthetic.End,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEstimate(t *testing.T) {
	estimates := synthetics(t)
	e := newEnv(t, func(d *Deps, _ *Config) {
		store, ok := d.Courses.(lectern.SettingsStore)
		if !ok {
			t.Fatal("the store keeps no settings")
		}
		keeper, err := settings.New(settings.Options{
			Config: settings.DefaultConfig(), Store: store, File: rerank.DefaultConfig(), Clock: d.Clock, Logger: d.Log,
		})
		if err != nil {
			t.Fatal(err)
		}
		d.RerankConfig, d.Estimates = keeper, estimates
	})
	const path = "/v1/admin/config/rerank/estimate"
	ask := func(body string) answer {
		t.Helper()
		return e.call(lectern.ScopeAdmin, http.MethodPost, path, body)
	}
	var got struct {
		Target  string
		Results []struct {
			Reward    string
			Refused   []string
			Verdict   string
			Logged    ope.Interval
			Estimates []ope.Estimate
			Overlap   ope.Overlap
		}
		NotReplayed []string `json:"not_replayed"`
	}
	ask(`{"policy":"uniform","draws":100,"settle_days":10}`).want(http.StatusOK, "").into(&got)
	if len(got.Results) != 3 || got.Results[0].Reward != ope.RewardSum || len(got.Results[0].Estimates) != len(ope.Estimators()) || got.Results[0].Logged.Value <= 0 {
		t.Errorf("a policy: %+v", got)
	}
	// A draft that turns lists over has no support, and says so.
	ask(`{"patch":{"weights":{"home":{"similarity":0,"popularity":1,"collaborative":0,"quality":0}}},"explore":false,"reward":"click","draws":100}`).
		want(http.StatusOK, "").into(&got)
	if len(got.Results) != 1 || len(got.Results[0].Refused) == 0 || len(got.Results[0].Estimates) != 0 || len(got.NotReplayed) == 0 || got.Target != "draft, without exploration" {
		t.Errorf("a draft: %+v", got)
	}
	ask(`{"version":0,"model":"position_based","reward":"sum","draws":100}`).want(http.StatusOK, "")
	ask(`{}`).want(http.StatusBadRequest, lectern.CodeInvalid).mentions("policy")
	ask(`{"policy":"best"}`).want(http.StatusBadRequest, "").mentions("policy")
	ask(`{"policy":"none","reward":"fame"}`).want(http.StatusBadRequest, lectern.CodeInvalid).mentions("click")
	ask(`{"patch":{},"version":1}`).want(http.StatusBadRequest, lectern.CodeInvalid).mentions("version")
	ask(`{"version":99}`).want(http.StatusNotFound, lectern.CodeNotFound)
	ask(`{"patch":{"weights":{"home":{"novelty":-1}}}}`).want(http.StatusBadRequest, lectern.CodeInvalid).mentions("patch.weights.home.novelty")
}

func TestNoEstimates(t *testing.T) {
	e := newEnv(t)
	e.call(lectern.ScopeAdmin, http.MethodPost, "/v1/admin/config/rerank/estimate", `{"policy":"none"}`).want(http.StatusServiceUnavailable, lectern.CodeUnavailable)
}
