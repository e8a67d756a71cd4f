package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/ope"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
)

// Estimates says what settings or a policy would have earned. *ope.Service is one.
type Estimates interface {
	// Estimate reads the log; it changes nothing. Where the log says too little, the
	// results say so. Errors: CodeInvalid naming the fields at fault; CodeConflict while
	// another one is made; CodeDeadline.
	Estimate(ctx context.Context, req ope.Request) (ope.Report, error)
}

var _ Estimates = (*ope.Service)(nil)

// estimateBody is what is asked for: settings, a policy, or both.
type estimateBody struct {
	Draft   json.RawMessage `json:"draft"`   // a whole document
	Patch   json.RawMessage `json:"patch"`   // a merge patch on the document in use
	Version *int64          `json:"version"` // a stored version; 0 is the configuration file's
	ope.Request
}

// estimateDTO is what a target would have earned.
type estimateDTO struct {
	Base     string             `json:"base"` // version of the settings in use
	ETag     string             `json:"etag"` // of these, for If-Match
	Diff     []rerank.Change    `json:"diff"` // from these to the target's
	Warnings []settings.Warning `json:"warnings"`
	ope.Report
}

func (s *Server) estimateRerank(in *request) error {
	var body estimateBody
	if err := s.decode(in, &body); err != nil {
		return err
	}
	if s.deps.Estimates == nil {
		return lectern.Errorf(lectern.CodeUnavailable, "estimates are not available here")
	}
	out := estimateDTO{Diff: []rerank.Change{}, Warnings: []settings.Warning{}}
	req := body.Request
	if err := s.estimated(in.ctx(), &body, &req, &out); err != nil {
		return err
	}
	var err error
	if out.Report, err = s.deps.Estimates.Estimate(in.ctx(), req); err != nil {
		return err
	}
	return respond(in, http.StatusOK, out)
}

// estimated fills in the settings of the target and those in use.
func (s *Server) estimated(ctx context.Context, body *estimateBody, req *ope.Request, out *estimateDTO) error {
	keeper, err := s.rerankConfig()
	if err != nil {
		return err
	}
	base, err := keeper.Get(ctx)
	if err != nil {
		return err
	}
	if !base.Readable {
		return lectern.Errorf(lectern.CodeUnavailable, "this build cannot read the settings in use, so it cannot say what others would change")
	}
	req.Base, req.BaseName, out.Base, out.ETag = base.Config, base.Name, base.Name, base.ETag
	drafted := given(body.Draft) != nil || given(body.Patch) != nil
	switch {
	case drafted && body.Version != nil:
		return lectern.Invalid("the target is not as described",
			lectern.NewFieldError("version", *body.Version, "stands beside a draft", "one of draft, patch and version"))
	case drafted:
		d, err := s.draft(ctx, body.Draft, body.Patch)
		if err != nil {
			return err
		}
		req.Settings, req.SettingsName = &d.Config, settings.DraftName
		out.Diff, out.Warnings = some(d.Diff), some(d.Warnings)
	case body.Version != nil:
		v, err := keeper.Version(ctx, *body.Version)
		if err != nil {
			return err
		}
		cfg, err := rerank.Parse(v.Body)
		if err != nil {
			return lectern.Errorf(lectern.CodeUnavailable, "this build cannot read version %d of the settings", *body.Version)
		}
		req.Settings, req.SettingsName = &cfg, v.Name
		diff, err := rerank.DiffDocuments(base.Body, v.Body)
		if err != nil {
			return err
		}
		out.Diff, out.Warnings = some(diff), some(v.Warnings)
	}
	return nil
}
