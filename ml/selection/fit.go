package selection

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
)

const (
	blendName = "blend"
	// blendMargin is how much better than the best model alone a blend must be to be
	// selected, as a share of the metric: it costs the time of all its parts.
	blendMargin = 1e-3
)

// run is one call of Fit.
type run struct {
	o      Options
	metric metric
	all    []metric
}

// Fit cuts a snapshot, fits every model on the part, judges it on the rest, fits the
// weights of their blend there, and then fits everything on the whole snapshot. A
// time to tune is for settings that are better on the same cut. What is selected is
// the best by Options.Metric, and a floor where nothing clears it. For one seed and
// without tuning the result is the same every time; with it, as far as the same
// trials fit into the time.
//
// Where the last courses of histories are broken (see [CheckTail]), they are left
// out. The order of histories must be that of time where Data.Ordered is set.
//
// Errors: CodeInvalid for options or data that nothing can be made of, and the
// context's.
func Fit(ctx context.Context, d *cf.Data, o Options) (*Result, error) {
	r := &run{o: o}
	var err error
	if r.metric, r.all, err = parseMetric(o.Metric); err != nil {
		return nil, err
	}
	if len(o.Specs) == 0 {
		return nil, lectern.Errorf(lectern.CodeInvalid, "there are no models to fit")
	}
	if d == nil || d.Events() == 0 {
		return nil, lectern.Errorf(lectern.CodeInvalid, "there are no interactions to learn from")
	}
	r.o.Specs = r.apt(o.Specs, d)
	slices.SortStableFunc(r.o.Specs, func(a, b cf.Spec) int { return order(a) - order(b) })
	how := ""
	if tail := CheckTail(d); tail.Broken() {
		r.report("%s: the last courses are left out", tail)
		d = DropTail(d)
		how = "after dropping the last course of every history, which is broken: "
	}
	v := cut(d, o.Seed)
	v.how = how + v.how
	if o.Negatives > 0 {
		v.sample(o.Negatives, o.Seed)
	}
	r.report("validation cut: %s; %d learners are judged", v.how, len(v.cases))
	params := make(map[string]cf.Params)
	for _, s := range r.o.Specs {
		params[s.Name] = shaped(s, v.part)
	}
	if o.Tune > 0 && len(v.cases) > 0 {
		if err := r.tune(ctx, &v, params); err != nil {
			return nil, err
		}
	}
	result := &Result{Cut: v.how}
	weights, blended, err := r.validate(ctx, &v, params, result)
	if err != nil {
		return nil, err
	}
	v = validation{} // room for what is fitted on the whole
	if err := r.refit(ctx, d, result); err != nil {
		return nil, err
	}
	if err := r.blend(result, weights, blended); err != nil {
		return nil, err
	}
	result.Selected = r.choose(result)
	r.report("selected %s", result.Selected)
	return result, nil
}

// apt returns the models that the data is for. Without an order of histories, models
// of sessions are EASE with settings that are meant for something else.
func (r *run) apt(specs []cf.Spec, d *cf.Data) []cf.Spec {
	session := func(s cf.Spec) bool { return s.Name == "session" || s.Name == "slist" }
	if d.Ordered || !slices.ContainsFunc(specs, func(s cf.Spec) bool { return !s.Floor && !session(s) }) {
		return slices.Clone(specs)
	}
	return slices.DeleteFunc(slices.Clone(specs), func(s cf.Spec) bool {
		if session(s) {
			r.report("%s: left out, for histories have no order", s.Name)
		}
		return session(s)
	})
}

// order puts floors first.
func order(s cf.Spec) int {
	if s.Floor {
		return 0
	}
	return 1
}

func (r *run) report(format string, args ...any) {
	if r.o.Report != nil {
		r.o.Report(format, args...)
	}
}

// describe writes settings in the order of their names.
func describe(p cf.Params) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&b, " %s=%g", name, p[name])
	}
	return strings.TrimSpace(b.String())
}

// validate fits every model on the part, fills in their settings and metrics, and
// returns the weights of their blend by name with its metrics; nil where there is
// nothing to blend or to fit them on.
func (r *run) validate(ctx context.Context, v *validation, params map[string]cf.Params, result *Result) (cf.Params, map[string]float64, error) {
	var parts []cf.Model
	var names []string
	for _, s := range r.o.Specs {
		f := Fitted{Name: s.Name, Params: params[s.Name]}
		if len(v.cases) > 0 {
			start := time.Now()
			m, err := s.New(f.Params)
			if err != nil {
				return nil, nil, fmt.Errorf("make %s: %w", s.Name, err)
			}
			if err := m.Fit(ctx, v.part); err != nil {
				return nil, nil, fmt.Errorf("fit %s: %w", s.Name, err)
			}
			took := time.Since(start)
			if f.Validation, err = judge(ctx, m, v.cases, r.all); err != nil {
				return nil, nil, err
			}
			r.report("%s: %s %.4f on the cut, fitted in %s, judged in %s", s.Name, r.metric.name,
				f.Validation[r.metric.name], took.Round(time.Millisecond), (time.Since(start) - took).Round(time.Millisecond))
			if !s.Floor {
				parts, names = append(parts, m), append(names, s.Name)
			}
		}
		result.Models = append(result.Models, f)
	}
	if len(parts) < 2 {
		return nil, nil, nil
	}
	all, err := ballots(ctx, parts, v.cases)
	if err != nil {
		return nil, nil, err
	}
	values, err := fold(ctx, all, len(parts), r.metric, r.all)
	if err != nil {
		return nil, nil, err
	}
	fitted, err := fitWeights(ctx, all, len(parts), r.metric)
	if err != nil {
		return nil, nil, err
	}
	weights := make(cf.Params)
	for k, w := range fitted {
		if w > 0 {
			weights[names[k]] = w
		}
	}
	r.report("%s: %s %.4f on the cut, with weights of other learners; %s", blendName, r.metric.name, values[r.metric.name], describe(weights))
	return weights, values, nil
}

// refit fits every model on the whole snapshot.
func (r *run) refit(ctx context.Context, d *cf.Data, result *Result) error {
	for i, s := range r.o.Specs {
		f := &result.Models[i]
		start := time.Now()
		m, err := s.New(f.Params)
		if err != nil {
			return fmt.Errorf("make %s: %w", s.Name, err)
		}
		if err := m.Fit(ctx, d); err != nil {
			return fmt.Errorf("fit %s: %w", s.Name, err)
		}
		f.Model, f.FitTime = m, time.Since(start)
		r.report("%s: fitted on everything in %s", s.Name, f.FitTime.Round(time.Millisecond))
	}
	return nil
}

// blend adds the blend of what was fitted.
func (r *run) blend(result *Result, weights cf.Params, values map[string]float64) error {
	if len(weights) == 0 {
		return nil
	}
	var parts []cf.Part
	took := time.Duration(0)
	for _, f := range result.Models {
		if w := weights[f.Name]; w > 0 {
			parts = append(parts, cf.Part{Model: f.Model, Weight: w})
			took += f.FitTime
		}
	}
	m, err := cf.NewBlend(parts...)
	if err != nil {
		return err
	}
	result.Models = append(result.Models, Fitted{Name: blendName, Model: m, Params: weights, Validation: values, FitTime: took})
	return nil
}

// choose returns the name of the best model; of a floor where none is better, and
// of the plainest floor where nothing could be measured.
func (r *run) choose(result *Result) string {
	value := func(f Fitted) float64 { return f.Validation[r.metric.name] }
	floor, best := -1, -1
	for i, f := range result.Models {
		switch {
		case i < len(r.o.Specs) && r.o.Specs[i].Floor:
			if floor < 0 || value(f) >= value(result.Models[floor]) {
				floor = i
			}
		case f.Name == blendName && best >= 0:
			if value(f) > value(result.Models[best])*(1+blendMargin) {
				best = i
			}
		case best < 0 || value(f) > value(result.Models[best]):
			best = i
		}
	}
	if best < 0 || floor >= 0 && value(result.Models[best]) <= value(result.Models[floor]) {
		best = max(floor, 0)
	}
	return result.Models[best].Name
}
