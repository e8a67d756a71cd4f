package main

import (
	"context"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/retrieve"
)

// describedProfiles answers for the HTTP interface with the generation in use.
type describedProfiles struct{ engine *engine }

var _ api.Profiles = describedProfiles{}

func (d describedProfiles) Describe(ctx context.Context, ref lectern.LearnerRef) (learner.Description, error) {
	return d.engine.describe(ctx, ref)
}

func (d describedProfiles) Correct(ctx context.Context, ref lectern.LearnerRef, patch learner.Patch) (learner.Description, error) {
	return d.engine.correct(ctx, ref, patch)
}

// describe says in words what is known of a learner.
func (e *engine) describe(ctx context.Context, ref lectern.LearnerRef) (learner.Description, error) {
	index, embedder := e.pipeline.Generation()
	return e.profiles.Describe(ctx, ref, index, embedder)
}

// correct applies what a learner says about that.
func (e *engine) correct(ctx context.Context, ref lectern.LearnerRef, patch learner.Patch) (learner.Description, error) {
	index, embedder := e.pipeline.Generation()
	return e.profiles.Correct(ctx, ref, patch, index, embedder)
}

// unrecorded makes lists of which nothing is kept.
type unrecorded struct{ retrieve.Rankings }

var _ retrieve.Rankings = unrecorded{}

func (unrecorded) Record(lectern.Ranking) bool { return true }
