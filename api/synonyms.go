package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Synonyms keeps the rules of what stands for what in queries.
type Synonyms interface {
	// Synonyms returns the rules in use, of version 0 when there have never been any.
	Synonyms(ctx context.Context) (lectern.SynonymRules, error)
	// PutSynonyms replaces them and returns the new version with what is doubtful
	// about it. base is the version that the change was made from, nil for any.
	// Errors: CodeInvalid naming every bad rule; CodeConflict when base is not the
	// version in use, which a field's Allowed names.
	PutSynonyms(ctx context.Context, rules lectern.SynonymRules, base *int64) (lectern.SynonymRules, []lectern.FieldError, error)
}

// synonymsDTO are the rules as one document.
type synonymsDTO struct {
	Version  int64                 `json:"version"`
	Rules    []lectern.SynonymRule `json:"rules"`
	Warnings []lectern.FieldError  `json:"warnings,omitempty"`
}

func (s *Server) getSynonyms(in *request) error {
	if s.deps.Synonyms == nil {
		return noSynonyms()
	}
	rules, err := s.deps.Synonyms.Synonyms(in.ctx())
	if err != nil {
		return err
	}
	return answerSynonyms(in, rules, nil)
}

func noSynonyms() error {
	return lectern.Errorf(lectern.CodeUnavailable, "synonyms are not available here")
}

func (s *Server) putSynonyms(in *request) error {
	if s.deps.Synonyms == nil {
		return noSynonyms()
	}
	var body struct {
		Version *int64                `json:"version"`
		Rules   []lectern.SynonymRule `json:"rules"`
	}
	if err := json.Unmarshal(in.body, &body); err != nil {
		return lectern.Invalid("the body is not as described")
	}
	base, named, err := baseVersion(in.Request().Header.Get("If-Match"), body.Version)
	if err != nil {
		return err
	}
	rules, warnings, err := s.deps.Synonyms.PutSynonyms(in.ctx(), lectern.SynonymRules{Rules: body.Rules}, base)
	if e, ok := errors.AsType[*lectern.Error](err); ok && e.Code == lectern.CodeConflict && named {
		failed := *e
		failed.Code = lectern.CodePrecondition
		return &failed
	}
	if err != nil {
		return err
	}
	return answerSynonyms(in, rules, warnings)
}

// baseVersion is the version that a change was made from: the header's, or else
// the body's. named says that it is the header's.
func baseVersion(header string, body *int64) (base *int64, named bool, err error) {
	tag := strings.TrimSpace(header)
	if tag == "" {
		return body, false, nil
	}
	quoted := len(tag) > 2 && tag[0] == '"' && tag[len(tag)-1] == '"'
	if quoted {
		tag = tag[1 : len(tag)-1]
	}
	v, err := strconv.ParseInt(tag, 10, 64)
	if err != nil || v < 0 {
		return nil, false, lectern.Invalid("the header If-Match is not as described",
			lectern.NewFieldError("If-Match", header, "is not a version", `the ETag of an answer, such as "3"`))
	}
	return &v, true, nil
}

func answerSynonyms(in *request, rules lectern.SynonymRules, warnings []lectern.FieldError) error {
	h := in.Response().Header()
	h.Set("ETag", `"`+strconv.FormatInt(rules.Version, 10)+`"`)
	h.Set("Cache-Control", "private, no-cache")
	if rules.Rules == nil {
		rules.Rules = []lectern.SynonymRule{}
	}
	return respond(in, http.StatusOK, synonymsDTO{Version: rules.Version, Rules: rules.Rules, Warnings: warnings})
}
