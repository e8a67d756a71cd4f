package main

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/settings/versioned"
)

// exploration keeps the exploration settings.
type exploration struct {
	*versioned.Service[explore.Config, *explore.Config]
}

var _ explore.Settings = (*exploration)(nil)

// explorationResult is what a change of the exploration settings came to.
type explorationResult = versioned.Result[explore.Config]

// newExploration wires what keeps the exploration settings, and puts those of the
// store to use.
func newExploration(ctx context.Context, env environment) (*exploration, error) {
	x, err := keptExploration(env)
	if err != nil {
		return nil, err
	}
	return x, x.Load(ctx)
}

// keptExploration reads and writes the exploration settings; those of the file are in
// use.
func keptExploration(env environment) (*exploration, error) {
	s, err := versioned.New(versioned.Kind[explore.Config, *explore.Config]{
		Name: lectern.SettingsExplore, Noun: "exploration settings", Prefix: explore.NamePrefix, Uses: "explores by",
		Parse: explore.Parse, Document: explore.Document, Merge: explore.MergeDocument, Diff: explore.DiffDocuments,
		File: func(cfg explore.Config) (*explore.Config, string, error) {
			cfg = cfg.Sorted()
			return &cfg, explore.FileName(cfg), cfg.Validate()
		},
		Compile: func(cfg explore.Config, _ string) (*explore.Config, error) { return &cfg, nil },
	}, versioned.Options[explore.Config]{
		Config: env.config.Settings, Store: env.store, File: env.config.Explore, Warn: doubtsOf, Clock: lectern.SystemClock, Logger: env.log,
	})
	if err != nil {
		return nil, err
	}
	return &exploration{s}, nil
}

// doubtsOf warns of exploration settings that are usable and do nothing.
func doubtsOf(cfg explore.Config) []versioned.Warning {
	var out []versioned.Warning
	for _, text := range cfg.Doubts() {
		out = append(out, versioned.Warning{Kind: versioned.WarnNoEffect, Message: text})
	}
	return out
}

// Current returns the settings in use, read only, and what lists call them.
func (x *exploration) Current() (*explore.Config, string) { return x.Use() }

// Switch turns all exploration off or on, whatever else the settings say. c says who
// and why.
func (x *exploration) Switch(ctx context.Context, on bool, c versioned.Change) (explorationResult, error) {
	c.Body = []byte(`{"enabled": ` + strconv.FormatBool(on) + `}`)
	return x.Patch(ctx, c)
}

// Clear ends exploration on one surface, whatever else the settings say. c says who and
// why.
func (x *exploration) Clear(ctx context.Context, surface lectern.Surface, c versioned.Change) (explorationResult, error) {
	body, err := json.Marshal(map[string]map[lectern.Surface][]int{"places": {surface: {}}})
	if err != nil {
		return explorationResult{}, err
	}
	c.Body = body
	return x.Patch(ctx, c)
}

// exploring tells how lists explore, and whether this build can read the settings.
func (d *doctor) exploring(ctx context.Context, env environment) error {
	x, err := keptExploration(env)
	if err != nil {
		return err
	}
	if err := x.Look(ctx); err != nil {
		return err
	}
	cfg, name := x.Current()
	switch v := x.Unreadable(); {
	case v != 0:
		d.fault("take what is unknown away with `lectern config explore patch`, go back with `lectern config explore activate`, or run the build that wrote it",
			"this build cannot read the exploration settings in use, %s: it explores by %s", explore.Name(v), name)
	case cfg.Enabled:
		d.good("lists explore by the settings %s", name)
	default:
		d.good("no list explores: the settings %s switch it off", name)
	}
	return nil
}
