package api

import (
	"context"
	"net/http"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/feedback"
)

// Feedback takes what learners say about suggestions; feedback.Service does.
type Feedback interface {
	// Say stores what somebody says; created is false where it had been sent before.
	// Errors: CodeInvalid naming each field at fault, CodeNotFound, CodeConflict.
	Say(ctx context.Context, ref lectern.LearnerRef, g feedback.Given) (f lectern.Feedback, created bool, err error)
	// Said returns what somebody said, newest first. Errors: CodeNotFound.
	Said(ctx context.Context, ref lectern.LearnerRef) ([]feedback.Said, error)
	// TakeBack undoes it. Errors: CodeNotFound.
	TakeBack(ctx context.Context, ref lectern.LearnerRef, id string) error
}

var _ Feedback = (*feedback.Service)(nil)

func (s *Server) learnerSays(in *request) error { return s.say(in, false) }

func (s *Server) visitorSays(in *request) error { return s.say(in, true) }

func (s *Server) learnerSaid(in *request) error { return s.said(in, false) }

func (s *Server) visitorSaid(in *request) error { return s.said(in, true) }

func (s *Server) learnerTakesBack(in *request) error { return s.takeBack(in, false) }

func (s *Server) visitorTakesBack(in *request) error { return s.takeBack(in, true) }

// feedbackFrom is who gives feedback: the learner or visitor in the path.
func (s *Server) feedbackFrom(in *request, visitor bool) (lectern.LearnerRef, error) {
	if s.deps.Feedback == nil {
		return lectern.LearnerRef{}, lectern.Errorf(lectern.CodeUnavailable, "feedback is not taken here")
	}
	in.Response().Header().Set("Cache-Control", "private, no-store")
	return s.inPath(in, visitor)
}

// say stores what the body says.
func (s *Server) say(in *request, visitor bool) error {
	ref, err := s.feedbackFrom(in, visitor)
	if err != nil {
		return err
	}
	var given feedback.Given
	if err := s.decode(in, &given); err != nil {
		return err
	}
	f, created, err := s.deps.Feedback.Say(in.ctx(), ref, given)
	if err != nil {
		return err
	}
	if !created {
		return respond(in, http.StatusOK, feedback.DocumentOf(f, true))
	}
	s.metrics.said(f)
	return respond(in, http.StatusCreated, feedback.DocumentOf(f, true))
}

// said lists what was said and not taken back.
func (s *Server) said(in *request, visitor bool) error {
	ref, err := s.feedbackFrom(in, visitor)
	if err != nil {
		return err
	}
	all, err := s.deps.Feedback.Said(in.ctx(), ref)
	if err != nil {
		return somebody(ref, err)
	}
	out := make([]feedback.Document, len(all))
	for i, f := range all {
		out[i] = feedback.DocumentOf(f.Feedback, f.Holds)
	}
	return respond(in, http.StatusOK, struct {
		Feedback []feedback.Document `json:"feedback"`
	}{out})
}

// takeBack undoes what was said.
func (s *Server) takeBack(in *request, visitor bool) error {
	ref, err := s.feedbackFrom(in, visitor)
	if err != nil {
		return err
	}
	id, err := pathParam(in, "feedback")
	if err != nil {
		return err
	}
	err = s.deps.Feedback.TakeBack(in.ctx(), ref, id)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return notFound("feedback", id)
	}
	if err != nil {
		return err
	}
	return in.NoContent(http.StatusNoContent)
}

// somebody says who it is that nobody knows.
func somebody(ref lectern.LearnerRef, err error) error {
	switch {
	case lectern.ErrorCode(err) != lectern.CodeNotFound:
		return err
	case ref.ID != "":
		return notFound("learner", ref.ID)
	}
	return notFound("visitor", ref.AnonymousID)
}
