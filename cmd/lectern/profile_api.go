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
	d, err := e.profiles.Describe(ctx, ref, index, embedder)
	return d, named(ref, err)
}

// correct applies what a learner says about that.
func (e *engine) correct(ctx context.Context, ref lectern.LearnerRef, patch learner.Patch) (learner.Description, error) {
	index, embedder := e.pipeline.Generation()
	d, err := e.profiles.Correct(ctx, ref, patch, index, embedder)
	return d, named(ref, err)
}

// named says who it is that nobody knows.
func named(ref lectern.LearnerRef, err error) error {
	switch {
	case lectern.ErrorCode(err) != lectern.CodeNotFound:
		return err
	case ref.ID != "":
		return lectern.Errorf(lectern.CodeNotFound, "there is no learner %q", ref.ID)
	}
	return lectern.Errorf(lectern.CodeNotFound, "there is no visitor %q", ref.AnonymousID)
}

// unrecorded makes lists of which nothing is kept.
type unrecorded struct{ retrieve.Rankings }

var _ retrieve.Rankings = unrecorded{}

func (unrecorded) Record(lectern.Ranking) bool { return true }
