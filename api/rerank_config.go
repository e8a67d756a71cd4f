package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
)

// RerankConfig keeps the reranker's settings; settings.Service is one.
type RerankConfig interface {
	// Get returns the settings in use.
	Get(ctx context.Context) (settings.Document, error)
	// Put replaces them, Patch applies a merge patch. Errors: CodeInvalid and
	// CodeUnknownField naming every field; CodePrecondition naming the version in use.
	Put(ctx context.Context, c settings.Change) (settings.Result, error)
	Patch(ctx context.Context, c settings.Change) (settings.Result, error)
	// Activate goes to a version. Errors: CodeNotFound, CodePrecondition, CodeRefused.
	Activate(ctx context.Context, version int64, c settings.Change) (settings.Result, error)
	// Versions lists those below before (0: all), newest first; next is 0 at the end.
	Versions(ctx context.Context, before int64, limit int) (list []settings.Version, next int64, err error)
	// Version returns one of them. Errors: CodeNotFound.
	Version(ctx context.Context, version int64) (settings.Version, error)
}

var _ RerankConfig = (*settings.Service)(nil)

// Headers beside the document, which is bare so that it can be sent back as it came.
const (
	headerConfigVersion  = "Lectern-Config-Version"
	headerConfigWarnings = "Lectern-Config-Warnings"
)

// rerankConfig returns the settings' keeper. Errors: CodeUnavailable.
func (s *Server) rerankConfig() (RerankConfig, error) {
	if s.deps.RerankConfig == nil {
		return nil, lectern.Errorf(lectern.CodeUnavailable, "the rerank settings are not available here")
	}
	return s.deps.RerankConfig, nil
}

func (s *Server) getRerankConfig(in *request) error {
	keeper, err := s.rerankConfig()
	if err != nil {
		return err
	}
	d, err := keeper.Get(in.ctx())
	if err != nil {
		return err
	}
	setConfigHeaders(in, d)
	in.Response().Header().Set(headerConfigWarnings, strconv.Itoa(len(d.Warnings)))
	if tag := in.Request().Header.Get("If-None-Match"); tag == "*" || strings.Contains(tag, d.ETag) {
		return in.NoContent(http.StatusNotModified)
	}
	return respondRaw(in, echo.MIMEApplicationJSON, d.Body)
}

func setConfigHeaders(in *request, d settings.Document) {
	h := in.Response().Header()
	h.Set("ETag", d.ETag)
	h.Set(headerConfigVersion, d.Name)
	h.Set("Cache-Control", "private, no-cache")
}

// respondRaw writes JSON that is ready, indented for people.
func respondRaw(in *request, mediaType string, body []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	return in.Blob(http.StatusOK, mediaType, b.Bytes())
}

func (s *Server) putRerankConfig(in *request) error {
	return s.changeRerankConfig(in, RerankConfig.Put)
}

func (s *Server) patchRerankConfig(in *request) error {
	return s.changeRerankConfig(in, RerankConfig.Patch)
}

func (s *Server) changeRerankConfig(in *request, change func(RerankConfig, context.Context, settings.Change) (settings.Result, error)) error {
	keeper, err := s.rerankConfig()
	if err != nil {
		return err
	}
	match := strings.TrimSpace(in.Request().Header.Get("If-Match"))
	if match == "" {
		return &lectern.Error{
			Code:    codePreconditionRequired,
			Message: "say in If-Match which settings the change was made from, so that nobody else's change is lost",
			Fields: []lectern.FieldError{lectern.NewFieldError("If-Match", "", "is required",
				"the ETag of GET /v1/admin/config/rerank, or * for whichever are in use")},
		}
	}
	r, err := change(keeper, in.ctx(), settings.Change{
		Body: in.body, IfMatch: match, Author: in.caller.keyID, Comment: in.QueryParam("comment"),
	})
	if err != nil {
		return err
	}
	setConfigHeaders(in, r.Document)
	return respond(in, http.StatusOK, r)
}

// rerankSchema describes the document.
func (s *Server) rerankSchema(in *request) error {
	in.Response().Header().Set("Cache-Control", "private, no-cache")
	return respondRaw(in, "application/schema+json", rerank.Schema())
}

// rerankVersionsDTO is a page of versions.
type rerankVersionsDTO struct {
	Versions   []settings.Version `json:"versions"`
	NextCursor *string            `json:"next_cursor"`
}

func (s *Server) listRerankVersions(in *request) error {
	keeper, err := s.rerankConfig()
	if err != nil {
		return err
	}
	const of = "rerank settings"
	cur, err := parsePageCursor(in.QueryParam("cursor"), of)
	if err != nil {
		return err
	}
	list, next, err := keeper.Versions(in.ctx(), cur.After, s.pageLimit(in))
	if err != nil {
		return err
	}
	page := rerankVersionsDTO{Versions: some(list)}
	if next > 0 {
		page.NextCursor = optional(pageCursor{Of: of, After: next}.String())
	}
	return respond(in, http.StatusOK, page)
}

func (s *Server) getRerankVersion(in *request) error {
	keeper, err := s.rerankConfig()
	if err != nil {
		return err
	}
	version, err := rerankVersion(in)
	if err != nil {
		return err
	}
	v, err := keeper.Version(in.ctx(), version)
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, v)
}

// rerankVersion reads the version in the path, with or without the v of its name.
func rerankVersion(in *request) (int64, error) {
	text, err := pathParam(in, "version")
	if err != nil {
		return 0, err
	}
	version, err := strconv.ParseInt(strings.TrimPrefix(text, "v"), 10, 64)
	if err != nil || version < 0 {
		return 0, lectern.Invalid("this is not a version", lectern.NewFieldError("version", text, "is not a version",
			"a whole number; GET /v1/admin/config/rerank/versions lists them, and 0 is the configuration file's"))
	}
	return version, nil
}

func (s *Server) activateRerankVersion(in *request) error {
	keeper, err := s.rerankConfig()
	if err != nil {
		return err
	}
	version, err := rerankVersion(in)
	if err != nil {
		return err
	}
	var body struct {
		Comment string `json:"comment"`
	}
	if len(in.body) > 0 {
		if err := s.decode(in, &body); err != nil {
			return err
		}
	}
	r, err := keeper.Activate(in.ctx(), version, settings.Change{
		IfMatch: in.Request().Header.Get("If-Match"), Author: in.caller.keyID, Comment: body.Comment,
	})
	if err != nil {
		return err
	}
	setConfigHeaders(in, r.Document)
	return respond(in, http.StatusOK, r)
}
