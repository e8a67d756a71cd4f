package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/preview"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
)

// Previews compares the lists of a draft with those of the settings in use.
// *preview.Service is one.
type Previews interface {
	// Run compares; nothing is recorded. Errors: CodeInvalid naming the fields at
	// fault; CodeConflict while another one runs; CodeDeadline.
	Run(ctx context.Context, req preview.Request) (preview.Report, error)
}

var _ Previews = (*preview.Service)(nil)

// drafts reads settings that are not stored. *settings.Service is one.
type drafts interface {
	Draft(ctx context.Context, document, patch []byte) (settings.Draft, error)
}

var _ drafts = (*settings.Service)(nil)

// previewBody is what is asked for: a draft, and what to compare.
type previewBody struct {
	Draft json.RawMessage `json:"draft"` // a whole document
	Patch json.RawMessage `json:"patch"` // a merge patch on the document in use
	preview.Request
}

// previewDTO is what a draft would change.
type previewDTO struct {
	Base     string             `json:"base"` // version of the settings in use
	ETag     string             `json:"etag"` // of these, for If-Match
	Diff     []rerank.Change    `json:"diff"`
	Warnings []settings.Warning `json:"warnings"`
	preview.Report
}

func (s *Server) previewRerank(in *request) error {
	var body previewBody
	if err := s.decode(in, &body); err != nil {
		return err
	}
	if s.deps.Previews == nil {
		return lectern.Errorf(lectern.CodeUnavailable, "previews are not available here")
	}
	d, err := s.draft(in.ctx(), body.Draft, body.Patch)
	if bad := faultsOf(err); len(bad) > 0 {
		more := s.previewFaults(body.Request)
		if len(more) == 0 {
			return err
		}
		return unusable(joinFaults(bad, more))
	}
	if err != nil {
		return err
	}
	req := body.Request
	req.Old, req.New = d.Old, d.New
	report, err := s.deps.Previews.Run(in.ctx(), req)
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, previewDTO{
		Base: d.Base.Name, ETag: d.Base.ETag, Diff: some(d.Diff), Warnings: some(d.Warnings), Report: report,
	})
}

// draft reads a draft given as a document or as a patch. What is wrong with it is
// named as it stands in the body.
func (s *Server) draft(ctx context.Context, document, patch json.RawMessage) (settings.Draft, error) {
	keeper, err := s.rerankConfig()
	if err != nil {
		return settings.Draft{}, err
	}
	reader, ok := keeper.(drafts)
	if !ok {
		return settings.Draft{}, lectern.Errorf(lectern.CodeUnavailable, "drafts of the settings cannot be read here")
	}
	document, patch = given(document), given(patch)
	const allowed = "one of draft (a whole document) and patch (a merge patch on the one in use)"
	switch {
	case document == nil && patch == nil:
		return settings.Draft{}, lectern.Invalid("the draft is not as described", lectern.NewFieldError("draft", "", "is missing", allowed))
	case document != nil && patch != nil:
		bad := []lectern.FieldError{lectern.NewFieldError("draft", "", "stands beside patch", allowed)}
		for _, d := range [][2]json.RawMessage{{document, nil}, {nil, patch}} {
			_, err := s.draft(ctx, d[0], d[1])
			bad = append(bad, faultsOf(err)...)
		}
		return settings.Draft{}, lectern.Invalid("the draft is not as described", bad...)
	}
	d, err := reader.Draft(ctx, document, patch)
	if e, ok := errors.AsType[*lectern.Error](err); ok && len(e.Fields) > 0 {
		named := *e
		named.Fields = make([]lectern.FieldError, len(e.Fields))
		for i, f := range e.Fields {
			f.Field = inBody(document != nil, f.Field)
			named.Fields[i] = f
		}
		return d, &named
	}
	return d, err
}

// inBody is where a field of a draft stands in the body.
func inBody(whole bool, field string) string {
	prefix := "patch"
	if whole {
		prefix = "draft"
	}
	if field == "" {
		return prefix
	}
	return prefix + "." + field
}

// given is nil for a value that is absent or null.
func given(v json.RawMessage) json.RawMessage {
	if v = bytes.TrimSpace(v); len(v) == 0 || string(v) == "null" {
		return nil
	}
	return v
}
