package api

import (
	"context"
	"net/http"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/training"
)

// twoModels are a model in use and one that popularity beats.
type twoModels struct{ active int64 }

func (m *twoModels) Versions(context.Context) ([]training.Version, error) {
	row := training.Row{Name: "blend", Metrics: map[string]float64{"ndcg@10": .2}, Params: map[string]float64{"lambda": 10}}
	return []training.Version{
		{Version: 2, CreatedAt: testNow(), Selected: "blend", Metric: "ndcg@10", Models: []training.Row{row}, Refused: "popularity is better"},
		{Version: 1, Active: m.active == 1, CreatedAt: testNow(), Selected: "blend", Metric: "ndcg@10", Models: []training.Row{row}},
	}, nil
}

func (m *twoModels) Activate(ctx context.Context, version int64) (training.Version, error) {
	switch version {
	case 1:
		m.active = 1
		all, err := m.Versions(ctx)
		return all[1], err
	case 2:
		return training.Version{}, lectern.Errorf(lectern.CodeRefused, "model 2 stays out of use: popularity is better")
	}
	return training.Version{}, lectern.Errorf(lectern.CodeNotFound, "there is no model %d; there are 2, 1", version)
}

func TestModels(t *testing.T) {
	e := newEnv(t, func(d *Deps, _ *Config) { d.Models = &twoModels{} })
	e.call(lectern.ScopeAdmin, http.MethodPost, "/v1/admin/models/1/activate", "").want(http.StatusOK, "")
	var got struct {
		Models []struct {
			Version int64
			Active  bool
			Models  []map[string]any
		}
	}
	e.call(lectern.ScopeAdmin, http.MethodGet, "/v1/admin/models", "").want(http.StatusOK, "").into(&got)
	if len(got.Models) != 2 || !got.Models[1].Active || got.Models[1].Models[0]["ndcg@10"] != .2 {
		t.Errorf("%+v", got)
	}
	e.call(lectern.ScopeAdmin, http.MethodPost, "/v1/admin/models/2/activate", "").want(http.StatusConflict, lectern.CodeRefused).mentions("popularity")
	e.call(lectern.ScopeAdmin, http.MethodPost, "/v1/admin/models/9/activate", "").want(http.StatusNotFound, lectern.CodeNotFound).mentions("2, 1")
	e.call(lectern.ScopeAdmin, http.MethodPost, "/v1/admin/models/x/activate", "").want(http.StatusBadRequest, lectern.CodeInvalid)
}

func TestNoModels(t *testing.T) {
	e := newEnv(t)
	e.call(lectern.ScopeAdmin, http.MethodGet, "/v1/admin/models", "").want(http.StatusServiceUnavailable, lectern.CodeUnavailable)
}
