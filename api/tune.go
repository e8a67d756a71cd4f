package api

import (
	"context"
	"net/http"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/tuning"
)

// Tuner proposes weights from what was logged. *tuning.Service is one.
type Tuner interface {
	// Revise proposes weights in the place of those of cfg; it changes nothing. Errors:
	// CodeInvalid naming the fields at fault; CodeRefused where the log says too little;
	// CodeConflict while another one runs; CodeDeadline.
	Revise(ctx context.Context, cfg rerank.Config, req tuning.Request) (tuning.Revision, error)
}

var _ Tuner = (*tuning.Service)(nil)

// tuneDTO is a proposal, ready for a preview.
type tuneDTO struct {
	Base string `json:"base"` // version of the settings in use
	ETag string `json:"etag"` // of these, for If-Match
	tuning.Revision
}

func (s *Server) tuneRerank(in *request) error {
	var req tuning.Request
	if len(in.body) > 0 {
		if err := s.decode(in, &req); err != nil {
			return err
		}
	}
	if s.deps.Tuner == nil {
		return lectern.Errorf(lectern.CodeUnavailable, "no weights are proposed here")
	}
	keeper, err := s.rerankConfig()
	if err != nil {
		return err
	}
	base, err := keeper.Get(in.ctx())
	if err != nil {
		return err
	}
	if !base.Readable {
		return lectern.Errorf(lectern.CodeUnavailable, "this build cannot read the settings in use, so it cannot propose a change of them")
	}
	revised, err := s.deps.Tuner.Revise(in.ctx(), base.Config, req)
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, tuneDTO{Base: base.Name, ETag: base.ETag, Revision: revised})
}
