package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/tuning"
)

// Tuner proposes weights from what was logged. *tuning.Service is one.
type Tuner interface {
	// Propose learns weights; it changes nothing. Errors: CodeInvalid naming the fields
	// at fault; CodeRefused where the log says too little; CodeConflict while another
	// one runs; CodeDeadline.
	Propose(ctx context.Context, req tuning.Request) (tuning.Proposal, error)
}

var _ Tuner = (*tuning.Service)(nil)

// tuneDTO is a proposal, ready for a preview.
type tuneDTO struct {
	Base string `json:"base"` // version of the settings in use
	ETag string `json:"etag"` // of these, for If-Match
	tuning.Proposal
	Draft json.RawMessage `json:"draft"` // the settings in use with the proposed weights
	Patch json.RawMessage `json:"patch"` // the same as a merge patch
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
	surface := req.Surface
	if surface == "" {
		surface = lectern.SurfaceHome
	}
	if req.Current, err = tuning.Current(base.Config, surface, req.Row); err != nil {
		return err
	}
	p, err := s.deps.Tuner.Propose(in.ctx(), req)
	if err != nil {
		return err
	}
	cfg, patch, err := tuning.Draft(base.Config, p)
	if err != nil {
		return err
	}
	draft, err := rerank.Document(cfg)
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, tuneDTO{Base: base.Name, ETag: base.ETag, Proposal: p, Draft: draft, Patch: patch})
}
