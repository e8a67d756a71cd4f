package main

import (
	"context"
	"time"

	"github.com/lectern-dev/lectern/eval/recs"
	"github.com/lectern-dev/lectern/ml/cf"
)

// fit fits the models with their default settings.
func (o *recsEval) fit(ctx context.Context, d *cf.Data, report func(string, ...any)) ([]recs.Fitted, string, string, error) {
	var out []recs.Fitted
	for _, s := range o.specs() {
		m, err := s.New(s.Defaults)
		if err != nil {
			return nil, "", "", err
		}
		start := time.Now()
		if err := m.Fit(ctx, d); err != nil {
			return nil, "", "", err
		}
		f := recs.Fitted{Name: s.Name, Model: m, Floor: s.Floor, Params: s.Defaults, FitTime: time.Since(start)}
		report("%s: fitted in %s", f.Name, f.FitTime.Round(time.Millisecond))
		out = append(out, f)
	}
	return out, out[len(out)-1].Name, "", nil
}
