package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/training"
)

// Models are the trained collaborative models.
type Models interface {
	// Versions lists what the store keeps, newest first.
	Versions(ctx context.Context) ([]training.Version, error)
	// Activate puts a version to use. Errors: CodeNotFound naming the versions there
	// are; CodeRefused for one that must not be used.
	Activate(ctx context.Context, version int64) (training.Version, error)
}

func (s *Server) listModels(in *request) error {
	if s.deps.Models == nil {
		return noModels()
	}
	all, err := s.deps.Models.Versions(in.ctx())
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, struct {
		Models []training.Version `json:"models"`
	}{some(all)})
}

func noModels() error {
	return lectern.Errorf(lectern.CodeUnavailable, "collaborative models are not available here")
}

func (s *Server) activateModel(in *request) error {
	if s.deps.Models == nil {
		return noModels()
	}
	text, err := pathParam(in, "version")
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(text, 10, 64)
	if err != nil || version < 1 {
		return lectern.Invalid("this is not a version",
			lectern.NewFieldError("version", text, "is not a version", "a whole number of at least 1; GET /v1/admin/models lists them"))
	}
	v, err := s.deps.Models.Activate(in.ctx(), version)
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, v)
}
