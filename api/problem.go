package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/lectern-dev/lectern"
)

// Codes that only a transport can fail with.
const (
	codeMethodNotAllowed lectern.Code = "method_not_allowed"
	codeUnsupportedMedia lectern.Code = "unsupported_media_type"
	codeURITooLong       lectern.Code = "uri_too_long"
	codeClientGone       lectern.Code = "client_closed_request"
	// codePreconditionRequired: a change without If-Match (RFC 6585).
	codePreconditionRequired lectern.Code = "precondition_required"
)

// statusClientGone is what logs and metrics show for a caller who hung up; the
// number is nginx's, nobody receives it.
const statusClientGone = 499

// problemKind is how one code looks in HTTP.
type problemKind struct {
	Status int
	Title  string
}

// problemTable is the one place where codes become statuses.
func problemTable() map[lectern.Code]problemKind {
	return map[lectern.Code]problemKind{
		lectern.CodeInvalid:         {http.StatusBadRequest, "The request is not acceptable"},
		lectern.CodeUnknownField:    {http.StatusBadRequest, "The request has an unknown field or parameter"},
		lectern.CodeNotFound:        {http.StatusNotFound, "Not found"},
		lectern.CodeConflict:        {http.StatusConflict, "The request contradicts what is stored"},
		lectern.CodePrecondition:    {http.StatusPreconditionFailed, "A precondition does not hold"},
		lectern.CodeUnauthenticated: {http.StatusUnauthorized, "A valid API key is needed"},
		lectern.CodeForbidden:       {http.StatusForbidden, "These credentials do not allow that"},
		lectern.CodeTooLarge:        {http.StatusRequestEntityTooLarge, "The request is too large"},
		lectern.CodeUnavailable:     {http.StatusServiceUnavailable, "A part is not ready; try again"},
		lectern.CodeDeadline:        {http.StatusGatewayTimeout, "The request took too long"},
		lectern.CodeCursorMismatch:  {http.StatusBadRequest, "The cursor belongs to another request"},
		lectern.CodeCursorExpired:   {http.StatusGone, "The list behind the cursor is gone"},
		lectern.CodeRefused:         {http.StatusConflict, "The request was refused as things stand"},
		lectern.CodeInternal:        {http.StatusInternalServerError, "Something went wrong on our side"},
		codeMethodNotAllowed:        {http.StatusMethodNotAllowed, "The method is not allowed here"},
		codeUnsupportedMedia:        {http.StatusUnsupportedMediaType, "The content type is not supported"},
		codeURITooLong:              {http.StatusRequestURITooLong, "The address is too long"},
		codePreconditionRequired:    {http.StatusPreconditionRequired, "A precondition is needed"},
		codeClientGone:              {statusClientGone, "The caller hung up"},
	}
}

// problem is an RFC 9457 problem document.
type problem struct {
	Type     string               `json:"type"`
	Title    string               `json:"title"`
	Status   int                  `json:"status"`
	Code     lectern.Code         `json:"code"`
	Detail   string               `json:"detail,omitempty"`
	Instance string               `json:"instance"`
	Errors   []lectern.FieldError `json:"errors,omitempty"`
}

// asProblem turns any error into a problem. Only messages of *lectern.Error
// reach the caller, and never those of an internal one.
func (s *Server) asProblem(err error, requestID string) problem {
	e := asLecternError(err)
	kind, ok := s.problems[e.Code]
	if !ok {
		e, kind = &lectern.Error{Code: lectern.CodeInternal}, s.problems[lectern.CodeInternal]
	}
	p := problem{
		Type: "urn:lectern:problem:" + string(e.Code), Title: kind.Title, Status: kind.Status,
		Code: e.Code, Detail: e.Message, Instance: requestID, Errors: e.Fields,
	}
	if e.Code == lectern.CodeInternal {
		p.Detail = "The log has the details under this request id."
		p.Errors = nil
	}
	return p
}

// status is the HTTP status for an error.
func (s *Server) status(err error) int { return s.asProblem(err, "").Status }

// asLecternError finds the *lectern.Error in err, or makes one for what Go and
// echo return.
func asLecternError(err error) *lectern.Error {
	if e, ok := errors.AsType[*lectern.Error](err); ok {
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &lectern.Error{Code: lectern.CodeDeadline, Message: "the request ran out of its time", Err: err}
	}
	if errors.Is(err, context.Canceled) {
		return &lectern.Error{Code: codeClientGone, Err: err}
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return lectern.Errorf(lectern.CodeTooLarge, "the body is larger than %d bytes", e.Limit)
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		switch e.Code {
		case http.StatusNotFound:
			return lectern.Errorf(lectern.CodeNotFound, "there is no such route; see /docs")
		case http.StatusMethodNotAllowed:
			return lectern.Errorf(codeMethodNotAllowed, "this route has other methods; see the Allow header")
		}
	}
	return &lectern.Error{Code: lectern.CodeInternal, Err: err}
}

// writeProblem answers with the problem for err.
func (s *Server) writeProblem(c echo.Context, err error) {
	if c.Response().Committed {
		return
	}
	p := s.asProblem(err, requestID(c))
	h := c.Response().Header()
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="lectern"`)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "2")
	}
	h.Set("Cache-Control", "no-store")
	h.Set(echo.HeaderContentType, "application/problem+json")
	h.Del("Content-Language")
	c.Response().WriteHeader(p.Status)
	if c.Request().Method == http.MethodHead {
		return
	}
	enc := json.NewEncoder(c.Response())
	enc.SetEscapeHTML(false)
	_ = enc.Encode(p) // the caller may be gone; the access log has the status
}
