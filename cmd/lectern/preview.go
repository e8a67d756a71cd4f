package main

import (
	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/preview"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/tuning"
)

var _ preview.Lists = (*retrieve.Engine)(nil)

// newPreviews wires what compares a draft of the settings with those in use.
func newPreviews(e *engine) (*preview.Service, error) {
	return preview.New(e.ranker, e.store, e.config.Preview)
}

// newTuner wires what proposes weights.
func newTuner(env environment) (*tuning.Service, error) {
	return tuning.New(env.store, env.config.Tuning, lectern.SystemClock)
}
