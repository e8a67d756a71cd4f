package main

import (
	"context"
	"math"
	"time"

	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/selection"
)

// fitModels fits every model and compares them on each learner's last course.
func fitModels(ctx context.Context, d *cf.Data, o selection.Options) (*selection.Result, error) {
	const most = 2000
	before := *d
	before.Histories = make([]cf.History, len(d.Histories))
	var tested []int
	for u, h := range d.Histories {
		before.Histories[u] = h
		if len(h) > 1 && len(tested) < most {
			before.Histories[u] = h[:len(h)-1]
			tested = append(tested, u)
		}
	}
	r := &selection.Result{Cut: "the last course of up to 2,000 learners"}
	best := math.Inf(-1)
	scores := make([]float32, len(d.Items))
	for _, spec := range o.Specs {
		m, err := spec.New(spec.Defaults)
		if err != nil {
			return nil, err
		}
		if err := m.Fit(ctx, &before); err != nil {
			return nil, err
		}
		gain := 0.0
		for _, u := range tested {
			h := before.Histories[u]
			m.Predict(h, nil, scores)
			for _, x := range h {
				scores[x.Item] = float32(math.Inf(-1))
			}
			target := d.Histories[u][len(h)].Item
			rank := 0
			for i, v := range scores {
				if v > scores[target] || v == scores[target] && int32(i) < target {
					rank++
				}
			}
			if rank < 10 {
				gain += 1 / math.Log2(float64(rank)+2)
			}
		}
		value := gain / float64(max(1, len(tested)))
		start := time.Now()
		if m, err = spec.New(spec.Defaults); err != nil {
			return nil, err
		}
		if err := m.Fit(ctx, d); err != nil {
			return nil, err
		}
		r.Models = append(r.Models, selection.Fitted{
			Name: spec.Name, Model: m, Params: spec.Defaults, Validation: map[string]float64{o.Metric: value}, FitTime: time.Since(start),
		})
		o.Report("%s: %s %.4f", spec.Name, o.Metric, value)
		if value > best {
			r.Selected, best = spec.Name, value
		}
	}
	return r, nil
}
