package experiment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Start lets people into a draft: it takes its share of the layer, and all but its
// ramp is fixed from now on. Errors: CodeConflict naming the free share, or who changes
// the same; CodeNotFound, CodePrecondition, CodeRefused.
func (s *Service) Start(ctx context.Context, id string, c Change) (Experiment, error) {
	var size *Sizing
	var sized string
	return s.change(ctx, id, c, func(ctx context.Context, x *stored, all []*stored) (string, error) {
		if x.State != lectern.ExperimentDraft {
			return "", refused(x, fmt.Sprintf("is %s: only drafts are started", x.State))
		}
		if err := s.check(ctx, &x.Definition); err != nil {
			return "", err
		}
		now := lectern.Timestamp(s.o.Clock())
		running := slices.DeleteFunc(slices.Clone(all), func(o *stored) bool { return o.State != lectern.ExperimentRunning })
		if err := contradicts(&x.Definition, running); err != nil {
			return "", err
		}
		buckets, err := allocate(&x.Definition, running)
		if err != nil {
			return "", err
		}
		plan := &Plan{StartedAt: now, Buckets: buckets}
		if x.kind() == KindInterleaving {
			if plan.Settings, err = s.duellists(ctx, &x.Definition); err != nil {
				return "", err
			}
		}
		if key := x.Primary.Metric + etag(x.Version); sized != key { // not again for every try
			if size, err = s.size(ctx, &x.Definition); err != nil {
				return "", err
			}
			sized = key
		}
		plan.Size = size
		if plan.Model, err = s.keptModel(ctx, &x.Definition); err != nil {
			return "", err
		}
		x.Plan, x.State, x.Holds = plan, lectern.ExperimentRunning, nil
		_, models := named([]*stored{x})
		for _, version := range models {
			x.Holds = append(x.Holds, lectern.ArtefactRef{Kind: s.o.ModelKind, Version: version})
		}
		return actionStarted, nil
	})
}

// keptModel is the collaborative model that arms keep that name none beside others that
// do, nil where there are none such: what is trained meanwhile would otherwise change
// control alone.
func (s *Service) keptModel(ctx context.Context, d *Definition) (*int64, error) {
	names := func(a Arm) bool { return a.Model != nil }
	if !slices.ContainsFunc(d.Arms, names) || !slices.ContainsFunc(d.Arms, func(a Arm) bool { return !names(a) }) {
		return nil, nil
	}
	version, err := s.o.Versions.ModelInUse(ctx)
	if err != nil || version == 0 {
		return nil, err
	}
	return &version, nil
}

// duellists are the versions that an interleaving compares: what an arm does not name
// is the one in use at start.
func (s *Service) duellists(ctx context.Context, d *Definition) (*[2]int64, error) {
	inUse, err := s.o.Versions.SettingsInUse(ctx)
	if err != nil {
		return nil, err
	}
	out := [2]int64{inUse, inUse}
	for i := range out {
		if v := d.Arms[i].Settings; v != nil {
			out[i] = *v
		}
	}
	if out[0] == out[1] && !d.AA {
		return nil, lectern.Invalid("there is nothing to compare", lectern.NewFieldError("arms[1].settings", out[1],
			"is the version in use, which the other arm stands for", "another version of the rerank settings"))
	}
	return &out, nil
}

// Stop ends an experiment, and puts the settings and the collaborative model of an arm to
// use where one is to be promoted; where the model cannot be, nothing is changed. Errors:
// CodeNotFound, CodeInvalid for an arm that does not exist or names neither,
// CodePrecondition, CodeRefused, CodeConflict while models are trained.
func (s *Service) Stop(ctx context.Context, id, promote string, c Change) (Experiment, error) {
	var version, model *int64
	out, err := s.change(ctx, id, c, func(ctx context.Context, x *stored, _ []*stored) (string, error) {
		if x.State != lectern.ExperimentRunning {
			return "", refused(x, fmt.Sprintf("is %s: only running ones are stopped", x.State))
		}
		version, model = nil, nil
		if promote != "" {
			var err error
			if version, model, err = promoted(x, promote); err != nil {
				return "", err
			}
			if err := s.putToUse(ctx, version, model); err != nil {
				return "", err
			}
		}
		x.State, x.Holds = lectern.ExperimentStopped, nil
		x.Outcome = &Outcome{StoppedAt: lectern.Timestamp(s.o.Clock()), Promoted: promote, Settings: version, Model: model}
		return actionStopped, nil
	})
	if err != nil || version == nil {
		return out, err
	}
	comment := fmt.Sprintf("arm %s of experiment %s", promote, id)
	if c.Comment != "" {
		comment += ": " + c.Comment
	}
	if err := s.o.Versions.ActivateSettings(ctx, *version, c.Author, comment[:min(len(comment), 1000)]); err != nil {
		return out, fmt.Errorf("the experiment is stopped, but the settings of its arm are not in use: %w", err)
	}
	return out, nil
}

// putToUse sees that settings can be put to use, and puts a model to use while the
// experiment still holds it: it is not pruned then, and no arm changes by it.
func (s *Service) putToUse(ctx context.Context, settings, model *int64) error {
	if settings != nil {
		if err := s.o.Versions.CheckSettings(ctx, *settings); err != nil {
			return err
		}
	}
	if model == nil {
		return nil
	}
	return s.o.Versions.ActivateModel(ctx, *model)
}

// promoted are the versions of the settings and of the model that an arm stands for, nil
// for what it does not change.
func promoted(x *stored, arm string) (settings, model *int64, err error) {
	var names []string
	for i, a := range x.Arms {
		names = append(names, a.Name)
		if a.Name != arm {
			continue
		}
		if x.Plan != nil && x.Plan.Settings != nil {
			return &x.Plan.Settings[i], nil, nil
		}
		if a.Settings == nil && a.Model == nil {
			return nil, nil, lectern.Invalid("this arm cannot be promoted", lectern.NewFieldError("promote", arm,
				"names no version of the rerank settings, and no model; a policy is set in the exploration settings",
				"an arm with settings or a model, or nothing"))
		}
		return a.Settings, a.Model, nil
	}
	return nil, nil, lectern.Invalid("there is no such arm", lectern.NewFieldError("promote", arm, "is not an arm of this experiment", strings.Join(names, ", ")))
}
