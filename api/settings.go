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
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
	"github.com/lectern-dev/lectern/settings/versioned"
)

// SettingsKeeper keeps settings of one kind; versioned.Service is one.
type SettingsKeeper[C any] interface {
	// Get returns the settings in use.
	Get(ctx context.Context) (versioned.Document[C], error)
	// Put replaces them, Patch applies a merge patch. Errors: CodeInvalid and
	// CodeUnknownField naming every field; CodePrecondition naming the version in use.
	Put(ctx context.Context, c versioned.Change) (versioned.Result[C], error)
	Patch(ctx context.Context, c versioned.Change) (versioned.Result[C], error)
	// Activate goes to a version. Errors: CodeNotFound, CodePrecondition, CodeRefused.
	Activate(ctx context.Context, version int64, c versioned.Change) (versioned.Result[C], error)
	// Versions lists those below before (0: all), newest first; next is 0 at the end.
	Versions(ctx context.Context, before int64, limit int) (list []versioned.Version, next int64, err error)
	// Version returns one of them. Errors: CodeNotFound.
	Version(ctx context.Context, version int64) (versioned.Version, error)
}

// The settings that administrators change.
type (
	RerankConfig  = SettingsKeeper[rerank.Config]  // settings.Service is one
	ExploreConfig = SettingsKeeper[explore.Config] // of exploration
)

var (
	_ RerankConfig  = (*settings.Service)(nil)
	_ ExploreConfig = (*versioned.Service[explore.Config, *explore.Config])(nil)
)

// settingsRoutes answers for settings of one kind.
type settingsRoutes[C any] struct {
	path, noun string
	prefix     string // of the names of versions
	of         func(Deps) SettingsKeeper[C]
	schema     func() []byte
}

func rerankSettings() settingsRoutes[rerank.Config] {
	return settingsRoutes[rerank.Config]{
		path: "/v1/admin/config/rerank", noun: "rerank settings", prefix: "v",
		of: func(d Deps) RerankConfig { return d.RerankConfig }, schema: rerank.Schema,
	}
}

func exploreSettings() settingsRoutes[explore.Config] {
	return settingsRoutes[explore.Config]{
		path: "/v1/admin/config/explore", noun: "exploration settings", prefix: explore.NamePrefix,
		of: func(d Deps) ExploreConfig { return d.ExploreConfig }, schema: explore.Schema,
	}
}

// Headers beside the document, which is bare so that it can be sent back as it came.
const (
	headerConfigVersion  = "Lectern-Config-Version"
	headerConfigWarnings = "Lectern-Config-Warnings"
)

// keeper returns the settings' keeper. Errors: CodeUnavailable.
func (r settingsRoutes[C]) keeper(s *Server) (SettingsKeeper[C], error) {
	keeper := r.of(s.deps)
	if keeper == nil {
		return nil, lectern.Errorf(lectern.CodeUnavailable, "the %s are not available here", r.noun)
	}
	return keeper, nil
}

// rerankConfig returns the keeper of the rerank settings. Errors: CodeUnavailable.
func (s *Server) rerankConfig() (RerankConfig, error) { return rerankSettings().keeper(s) }

func (r settingsRoutes[C]) get(s *Server, in *request) error {
	keeper, err := r.keeper(s)
	if err != nil {
		return err
	}
	d, err := keeper.Get(in.ctx())
	if err != nil {
		return err
	}
	setConfigHeaders(in, d.ETag, d.Name)
	in.Response().Header().Set(headerConfigWarnings, strconv.Itoa(len(d.Warnings)))
	if tag := in.Request().Header.Get("If-None-Match"); tag == "*" || strings.Contains(tag, d.ETag) {
		return in.NoContent(http.StatusNotModified)
	}
	return respondRaw(in, echo.MIMEApplicationJSON, d.Body)
}

func setConfigHeaders(in *request, tag, name string) {
	h := in.Response().Header()
	h.Set("ETag", tag)
	h.Set(headerConfigVersion, name)
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

func (r settingsRoutes[C]) put(s *Server, in *request) error {
	return r.change(s, in, SettingsKeeper[C].Put)
}

func (r settingsRoutes[C]) patch(s *Server, in *request) error {
	return r.change(s, in, SettingsKeeper[C].Patch)
}

func (r settingsRoutes[C]) change(s *Server, in *request,
	change func(SettingsKeeper[C], context.Context, versioned.Change) (versioned.Result[C], error),
) error {
	keeper, err := r.keeper(s)
	if err != nil {
		return err
	}
	match := strings.TrimSpace(in.Request().Header.Get("If-Match"))
	if match == "" {
		return &lectern.Error{
			Code:    codePreconditionRequired,
			Message: "say in If-Match which settings the change was made from, so that nobody else's change is lost",
			Fields: []lectern.FieldError{lectern.NewFieldError("If-Match", "", "is required",
				"the ETag of GET "+r.path+", or * for whichever are in use")},
		}
	}
	made, err := change(keeper, in.ctx(), versioned.Change{
		Body: in.body, IfMatch: match, Author: in.caller.keyID, Comment: in.QueryParam("comment"),
	})
	if err != nil {
		return err
	}
	setConfigHeaders(in, made.ETag, made.Name)
	return respond(in, http.StatusOK, made)
}

// describe answers with the schema of the document.
func (r settingsRoutes[C]) describe(_ *Server, in *request) error {
	in.Response().Header().Set("Cache-Control", "private, no-cache")
	return respondRaw(in, "application/schema+json", r.schema())
}

// settingsVersionsDTO is a page of versions.
type settingsVersionsDTO struct {
	Versions   []versioned.Version `json:"versions"`
	NextCursor *string             `json:"next_cursor"`
}

func (r settingsRoutes[C]) versions(s *Server, in *request) error {
	keeper, err := r.keeper(s)
	if err != nil {
		return err
	}
	cur, err := parsePageCursor(in.QueryParam("cursor"), r.noun)
	if err != nil {
		return err
	}
	list, next, err := keeper.Versions(in.ctx(), cur.After, s.pageLimit(in))
	if err != nil {
		return err
	}
	page := settingsVersionsDTO{Versions: some(list)}
	if next > 0 {
		page.NextCursor = optional(pageCursor{Of: r.noun, After: next}.String())
	}
	return respond(in, http.StatusOK, page)
}

func (r settingsRoutes[C]) version(s *Server, in *request) error {
	keeper, err := r.keeper(s)
	if err != nil {
		return err
	}
	version, err := r.number(in)
	if err != nil {
		return err
	}
	v, err := keeper.Version(in.ctx(), version)
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, v)
}

// number reads the version in the path, with or without the letter of its name.
func (r settingsRoutes[C]) number(in *request) (int64, error) {
	text, err := pathParam(in, "version")
	if err != nil {
		return 0, err
	}
	version, err := strconv.ParseInt(strings.TrimPrefix(text, r.prefix), 10, 64)
	if err != nil || version < 0 {
		return 0, lectern.Invalid("this is not a version", lectern.NewFieldError("version", text, "is not a version",
			"a whole number; GET "+r.path+"/versions lists them, and 0 is the configuration file's"))
	}
	return version, nil
}

func (r settingsRoutes[C]) activate(s *Server, in *request) error {
	keeper, err := r.keeper(s)
	if err != nil {
		return err
	}
	version, err := r.number(in)
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
	made, err := keeper.Activate(in.ctx(), version, versioned.Change{
		IfMatch: in.Request().Header.Get("If-Match"), Author: in.caller.keyID, Comment: body.Comment,
	})
	if err != nil {
		return err
	}
	setConfigHeaders(in, made.ETag, made.Name)
	return respond(in, http.StatusOK, made)
}
