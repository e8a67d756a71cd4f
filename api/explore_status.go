package api

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/learn"
)

// Learning tells how exploration does, and learns anew.
type Learning interface {
	// Status says how exploration does now.
	Status(ctx context.Context) (learn.Status, error)
	// StartRebuild learns everything anew in the background. Errors: CodeConflict while
	// that is under way.
	StartRebuild() error
}

func (s *Server) learning() (Learning, error) {
	if s.deps.Learning == nil {
		return nil, lectern.Errorf(lectern.CodeUnavailable, "nothing is learnt here from what lists explore")
	}
	return s.deps.Learning, nil
}

func (s *Server) exploreStatus(in *request) error {
	learning, err := s.learning()
	if err != nil {
		return err
	}
	status, err := learning.Status(in.ctx())
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, status)
}

func (s *Server) rebuildExploration(in *request) error {
	learning, err := s.learning()
	if err != nil {
		return err
	}
	if err := noBody(in.Request()); err != nil {
		return err
	}
	if err := learning.StartRebuild(); err != nil {
		return err
	}
	status, err := learning.Status(in.ctx())
	if err != nil {
		return err
	}
	return respond(in, http.StatusAccepted, status)
}

// maxNothing bounds what is read of a body where there should be none.
const maxNothing = 1 << 10

// noBody refuses a body that says anything: nothing can be asked for there, and who does
// should know that it was not heard.
func noBody(r *http.Request) error {
	b, err := io.ReadAll(io.LimitReader(r.Body, maxNothing))
	if err != nil {
		return readError(err)
	}
	if said := string(bytes.Join(bytes.Fields(b), nil)); said != "" && said != "{}" {
		return lectern.Invalid("this takes no body", lectern.NewFieldError(fieldBody, "", "is not read", "no body, or {}"))
	}
	return nil
}
