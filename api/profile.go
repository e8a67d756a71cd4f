package api

import (
	"context"
	"net/http"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
)

// Profiles says what is known of a learner, and lets them correct it.
type Profiles interface {
	// Describe says in words what is known. Errors: CodeNotFound for somebody nobody
	// knows, CodeUnavailable.
	Describe(ctx context.Context, ref lectern.LearnerRef) (learner.Description, error)
	// Correct applies a patch and describes the learner as they are known then.
	// Errors: CodeInvalid naming each field at fault, CodeNotFound, CodeUnavailable.
	Correct(ctx context.Context, ref lectern.LearnerRef, patch learner.Patch) (learner.Description, error)
}

func (s *Server) learnerProfile(in *request) error { return s.describe(in, false) }

func (s *Server) visitorProfile(in *request) error { return s.describe(in, true) }

func (s *Server) correctLearner(in *request) error { return s.correct(in, false) }

func (s *Server) correctVisitor(in *request) error { return s.correct(in, true) }

// describe answers with what is known of the learner or visitor in the path.
func (s *Server) describe(in *request, visitor bool) error {
	ref, err := s.profileOf(in, visitor)
	if err != nil {
		return err
	}
	d, err := s.deps.Profiles.Describe(in.ctx(), ref)
	return s.described(in, ref, d, err)
}

// correct applies the body to that.
func (s *Server) correct(in *request, visitor bool) error {
	ref, err := s.profileOf(in, visitor)
	if err != nil {
		return err
	}
	var patch learner.Patch
	if err := s.decode(in, &patch); err != nil {
		return err
	}
	d, err := s.deps.Profiles.Correct(in.ctx(), ref, patch)
	return s.described(in, ref, d, err)
}

func (s *Server) profileOf(in *request, visitor bool) (lectern.LearnerRef, error) {
	if s.deps.Profiles == nil {
		return lectern.LearnerRef{}, lectern.Errorf(lectern.CodeUnavailable, "profiles are not available here")
	}
	return s.inPath(in, visitor)
}

func (s *Server) described(in *request, ref lectern.LearnerRef, d learner.Description, err error) error {
	switch {
	case lectern.ErrorCode(err) == lectern.CodeNotFound && ref.ID != "":
		return notFound("learner", ref.ID)
	case lectern.ErrorCode(err) == lectern.CodeNotFound:
		return notFound("visitor", ref.AnonymousID)
	case err != nil:
		return err
	}
	in.Response().Header().Set("Cache-Control", "private, no-store")
	return respond(in, http.StatusOK, d)
}
