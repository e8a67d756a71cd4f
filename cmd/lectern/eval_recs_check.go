package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lectern-dev/lectern/eval/recs"
	"github.com/lectern-dev/lectern/ml/cf"
)

// storeAt reads what learners did and sets a store of the past up: what was known
// before the split, and what they took after it.
func storeAt(ctx context.Context, env environment, split recs.Split) (*acts, *recs.Set, error) {
	past, err := readActs(ctx, env.store, env.config.Learner)
	if err != nil {
		return nil, nil, err
	}
	if split.At.IsZero() {
		split.At = past.moment(split.Share)
	}
	past.cut = split.At
	set, err := storeSet(ctx, env, past, split)
	return past, set, err
}

// pipelineStages measures what would be served with a model: fit makes it of what
// the store knew before the last fifth of what learners took. A model whose faults are
// not recs.Sound is not to be put to use. It takes about as long as a training.
func pipelineStages(ctx context.Context, env environment, fit func(ctx context.Context, d *cf.Data) (cf.Model, error), o recs.Options) ([]recs.StageScore, []recs.Fault, error) {
	split, err := recs.ParseSplit(recsSplit)
	if err != nil {
		return nil, nil, err
	}
	past, set, err := storeAt(ctx, env, split)
	if err != nil {
		return nil, nil, err
	}
	model, err := fit(ctx, set.Train)
	if err != nil {
		return nil, nil, fmt.Errorf("fit the model as of the cut: %w", err)
	}
	set.Sample(recsSample, o.Seed)
	stages, faults, _, err := measureStages(ctx, env, past, model, set, o)
	return stages, faults, err
}

// pipelineObjection says what speaks against putting a model of this name and these
// settings to use: the faults of the pipeline with it that chance does not explain;
// "" where there are none. Errors: CodeInvalid while the store knows too little.
func pipelineObjection(ctx context.Context, env environment, name string, params cf.Params, seed uint64) (string, error) {
	_, faults, err := pipelineStages(ctx, env, func(ctx context.Context, d *cf.Data) (cf.Model, error) {
		m, err := newModel(name, params)
		if err != nil {
			return nil, err
		}
		return m, m.Fit(ctx, d)
	}, recs.Options{K: recsCutoff, Seed: seed, Resamples: recsResamples})
	var reasons []string
	for _, f := range faults {
		if f.Certain {
			reasons = append(reasons, f.Reason)
		}
	}
	return strings.Join(reasons, "; "), err
}

// measureStages asks the pipeline, with a model, for the list of every case.
func measureStages(ctx context.Context, env environment, past *acts, model cf.Model, set *recs.Set, o recs.Options) (stages []recs.StageScore, faults []recs.Fault, notes []string, err error) {
	bench, err := newRecsBench(ctx, env, past, model, set.Train.Items)
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() { err = errors.Join(err, bench.close(ctx)) }()
	stages, faults, err = bench.stages(ctx, set, o)
	return stages, faults, bench.notes(), err
}
