package main

import (
	"context"
	"slices"

	"github.com/lectern-dev/lectern/eval/recs"
	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/selection"
)

// fit fits the models that were asked for, and the floors, as training does. It
// returns them with the name of the one that validation chose, and how it did.
func (o *recsEval) fit(ctx context.Context, d *cf.Data, report func(string, ...any)) (fitted []recs.Fitted, selected, cut string, err error) {
	r, err := selection.Fit(ctx, d, selection.Options{Specs: o.specs(), Metric: o.metric, Tune: o.tune, Seed: o.seed, Negatives: o.sampled, Report: report})
	if err != nil {
		return nil, "", "", err
	}
	for _, m := range r.Models {
		if o.wants(m.Name) {
			fitted = append(fitted, recs.Fitted{
				Name: m.Name, Model: m.Model, Floor: isFloor(m.Name), Params: m.Params, Validation: m.Validation, FitTime: m.FitTime,
			})
		}
	}
	if o.wants(r.Selected) {
		return fitted, r.Selected, r.Cut, nil
	}
	// What was selected was not asked for: the best by validation of what was.
	best := slices.MaxFunc(fitted, func(a, b recs.Fitted) int {
		x, y := a.Validation[o.metric], b.Validation[o.metric]
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return fitted, best.Name, r.Cut, nil
}

// wants reports whether a model belongs in the table.
func (o *recsEval) wants(name string) bool {
	return len(o.models) == 0 || isFloor(name) || slices.Contains(o.models, name)
}

// specs are the models to fit: those that were asked for and the floors, and all that
// a blend is made of where nothing else is named for it.
func (o *recsEval) specs() []cf.Spec {
	named := slices.ContainsFunc(o.models, func(name string) bool { return name != blendName && !isFloor(name) })
	blended := slices.Contains(o.models, blendName)
	return slices.DeleteFunc(cf.Specs(), func(s cf.Spec) bool {
		switch {
		case s.Name == blendName:
			return true // selection makes it of the others
		case s.Floor || len(o.models) == 0 || blended && !named:
			return false
		}
		return !slices.Contains(o.models, s.Name)
	})
}

// isFloor reports whether a model is one that others must clear.
func isFloor(name string) bool {
	s, ok := cf.SpecByName(name)
	return ok && s.Floor
}

// modelNames lists what --models takes.
func modelNames() []string {
	var out []string
	for _, s := range cf.Specs() {
		out = append(out, s.Name)
	}
	if !slices.Contains(out, blendName) {
		out = append(out, blendName)
	}
	return out
}
