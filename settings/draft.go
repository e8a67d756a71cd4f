package settings

import (
	"context"
	"encoding/json"

	"github.com/lectern-dev/lectern/rerank"
)

// Draft is settings that are not stored, beside those in use.
type Draft struct {
	Base     Document
	Old      rerank.Reranker // of the settings in use
	New      rerank.Reranker // of the draft
	Config   rerank.Config
	Body     json.RawMessage // the whole draft
	Diff     []rerank.Change // from the settings in use
	Warnings []Warning
}

// DraftName is how lists of a draft are called.
const DraftName = "draft"

// Draft reads settings without storing them: a whole document, or else a merge patch
// on the one in use. Errors: CodeInvalid or CodeUnknownField naming every field at
// fault.
func (s *Service) Draft(ctx context.Context, document, patch []byte) (Draft, error) {
	base, err := s.Get(ctx)
	if err != nil {
		return Draft{}, err
	}
	d := Draft{Base: base, Old: s.Reranker()} // where this build cannot read the settings in use, it ranks by others
	if base.Readable {
		if d.Old, err = rerank.New(base.Config, base.Name); err != nil {
			return Draft{}, err
		}
	}
	if document != nil {
		d.Config, err = rerank.Parse(document)
	} else {
		d.Config, err = rerank.MergeDocument(base.Body, patch)
	}
	if err != nil {
		return Draft{}, err
	}
	if d.New, err = rerank.New(d.Config, DraftName); err != nil {
		return Draft{}, err
	}
	if d.Body, err = rerank.Document(d.Config); err != nil {
		return Draft{}, err
	}
	if d.Diff, err = rerank.DiffDocuments(base.Body, d.Body); err != nil {
		return Draft{}, err
	}
	d.Warnings = s.Warnings(d.Config)
	return d, nil
}
