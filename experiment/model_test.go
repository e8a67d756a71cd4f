package experiment_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment"
)

const modelBody = `{"id":"x","name":"X","arms":[{"name":"a"},{"name":"b","model":3},{"name":"both","settings":2,"model":4}],"primary":{"metric":"enrols"}}`

// models is by which models lists of many people are made, by arm.
func models(s *experiment.Service, noModel bool) map[string]string {
	out := map[string]string{}
	for i := range 200 {
		got := s.Assigner().Assign(&lectern.AssignRequest{
			Learner: lectern.LearnerRef{ID: fmt.Sprint("l", i)}, Surface: lectern.SurfaceHome, Row: lectern.RowForYou, NoModel: noModel,
		})
		for _, arm := range got.Arms {
			model := "in use"
			if got.Model != nil {
				model = fmt.Sprint(*got.Model)
			}
			out[arm.Arm] = model
		}
	}
	return out
}

// Arms keep their models whatever is trained meanwhile, also that which names none.
func TestArmsKeepTheirModels(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	for range 5 {
		if _, err := b.store.PutArtefact(ctx, lectern.Artefact{Kind: "model", Fingerprint: "f"}, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	b.versions.inUse = 1
	b.create(t, modelBody)
	x := b.start(t, "x")
	if x.Plan.Model == nil || *x.Plan.Model != 1 {
		t.Errorf("plan %+v", x.Plan)
	}
	b.versions.inUse = 5 // trained meanwhile
	want := map[string]string{"a": "1", "b": "3", "both": "4"}
	if d := cmp.Diff(want, models(b.Service, false)); d != "" {
		t.Errorf("models: %s", d)
	}
	if d := cmp.Diff([2][]int64{{2}, {1, 3, 4}}, b.versions.held); d != "" {
		t.Errorf("held: %s", d)
	}
	other := b.replica()
	if err := other.Look(ctx); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, models(other, false)); d != "" {
		t.Errorf("models of another replica: %s", d)
	}
	kept := func(want ...int64) {
		t.Helper()
		if _, err := b.store.PruneArtefacts(ctx, "model", 1); err != nil {
			t.Fatal(err)
		}
		all, err := b.store.Artefacts(ctx, "model")
		var got []int64
		for _, a := range all {
			got = append(got, a.Version)
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("kept: %s, %v", d, err)
		}
	}
	kept(5, 4, 3, 1)

	// While models are trained nothing is promoted, and the experiment runs on.
	b.versions.training = true
	_, err := b.Stop(ctx, "x", "both", experiment.Change{Author: "key"})
	if lectern.ErrorCode(err) != lectern.CodeConflict {
		t.Error(err)
	}
	if x, err := b.Get(ctx, "x"); err != nil || x.State != lectern.ExperimentRunning || b.versions.activated != "" {
		t.Errorf("%v, %v, %s", x.State, err, b.versions.activated)
	}
	kept(5, 4, 3, 1)
	b.versions.training = false
	done, err := b.Stop(ctx, "x", "both", experiment.Change{Author: "key"})
	if err != nil || done.Outcome == nil || *done.Outcome.Settings != 2 || *done.Outcome.Model != 4 {
		t.Errorf("%+v, %v", done.Outcome, err)
	}
	if b.versions.inUse != 4 || b.versions.activated != "2 by key: arm both of experiment x" {
		t.Errorf("model %d, settings %s", b.versions.inUse, b.versions.activated)
	}
	kept(5)
}

// Where arms name a model each, or none of them does, there is nothing to keep.
func TestNoModelToKeep(t *testing.T) {
	for name, arms := range map[string]string{
		"each":     `[{"name":"a","model":1},{"name":"b","model":2}]`,
		"settings": `[{"name":"a"},{"name":"b","settings":2}]`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			for range 2 {
				if _, err := b.store.PutArtefact(t.Context(), lectern.Artefact{Kind: "model", Fingerprint: "f"}, []byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			b.versions.inUse = 5
			b.create(t, `{"id":"x","name":"X","arms":`+arms+`,"primary":{"metric":"enrols"}}`)
			if x := b.start(t, "x"); x.Plan.Model != nil {
				t.Errorf("keeps %d", *x.Plan.Model)
			}
		})
	}
}

// A list in which no model takes part is no exposure to one, but still one to settings.
func TestNoModelNoExposure(t *testing.T) {
	for arms, want := range map[string]map[string]string{
		`[{"name":"a"},{"name":"b","model":1}]`:                           {},
		`[{"name":"a"},{"name":"b","model":1,"settings":2}]`:              {"a": "2", "b": "1"},
		`[{"name":"a"},{"name":"b","model":1,"policy":"epsilon_greedy"}]`: {"a": "2", "b": "1"},
	} {
		b := newBench(t)
		b.versions.inUse = 2
		for range 2 {
			if _, err := b.store.PutArtefact(t.Context(), lectern.Artefact{Kind: "model", Fingerprint: "f"}, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		b.create(t, `{"id":"x","name":"X","arms":`+arms+`,"primary":{"metric":"enrols"}}`)
		b.start(t, "x")
		if d := cmp.Diff(want, models(b.Service, true)); d != "" {
			t.Errorf("%s: %s", arms, d)
		}
	}
	b := newBench(t)
	s := b.Assigner().Standings(&lectern.AssignRequest{Learner: lectern.LearnerRef{ID: "l"}, NoModel: true}, false)
	if len(s) != 0 {
		t.Error(s)
	}
}

// A model that an arm names is promoted alone where it names no settings.
func TestPromoteModel(t *testing.T) {
	b := newBench(t)
	for range 3 {
		if _, err := b.store.PutArtefact(t.Context(), lectern.Artefact{Kind: "model", Fingerprint: "f"}, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	b.versions.inUse = 1
	b.create(t, `{"id":"x","name":"X","arms":[{"name":"a"},{"name":"b","model":3}],"primary":{"metric":"enrols"}}`)
	b.start(t, "x")
	if _, err := b.Stop(t.Context(), "x", "a", experiment.Change{}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("an arm that names nothing: %v", err)
	}
	x, err := b.Stop(t.Context(), "x", "b", experiment.Change{IfMatch: `"2"`})
	if err != nil || x.Outcome.Settings != nil || *x.Outcome.Model != 3 || b.versions.inUse != 3 || b.versions.activated != "" {
		t.Errorf("%+v, %v, model %d, settings %s", x.Outcome, err, b.versions.inUse, b.versions.activated)
	}
}
