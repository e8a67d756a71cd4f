package api

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
)

// accept holds a request against limits and description, and reads its body.
func (s *Server) accept(in *request, op *operation) error {
	for _, name := range op.pathParams {
		if _, err := pathParam(in, name); err != nil {
			return err
		}
	}
	r := in.Request()
	if err := op.unknownParams(r); err != nil {
		return err
	}
	if err := s.spec.checkParams(r, op); err != nil {
		return err
	}
	if in.route.body == bodyNone {
		return nil
	}
	if err := checkMediaType(r, op); err != nil {
		return err
	}
	limit := s.maxBody(in.route.body)
	if r.ContentLength > limit {
		in.Response().Header().Set(echo.HeaderConnection, "close") // the rest is not read
		return lectern.Errorf(lectern.CodeTooLarge, "the body has %d bytes; at most %d are read", r.ContentLength, limit)
	}
	r.Body = http.MaxBytesReader(in.Response(), r.Body, limit)
	if in.route.body != bodyJSON && in.route.body != bodyTask {
		return nil
	}
	return s.acceptJSON(in, op)
}

// acceptJSON reads a JSON document and holds it against the description.
func (s *Server) acceptJSON(in *request, op *operation) error {
	r := in.Request()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return readError(err)
	}
	if body = bytes.TrimSpace(body); len(body) == 0 {
		if op.bodyRequired {
			return lectern.Invalid("the body is empty; a JSON document is needed")
		}
		return nil
	}
	if !utf8.Valid(body) {
		return lectern.Invalid("the body is not valid UTF-8")
	}
	if err := ingest.CheckJSON("the body", body); err != nil {
		return err
	}
	in.body = body
	r.Body = io.NopCloser(bytes.NewReader(body))
	err = s.spec.checkBody(r, op)
	if err == nil {
		return nil
	}
	// The decoder's words are better than the schema's where both object.
	if better := s.decodeOnly(in); better != nil {
		return better
	}
	return s.withMore(in, err)
}

// readError tells a body that is too large from a caller who went away.
func readError(err error) error {
	e := asLecternError(err)
	if e.Code == lectern.CodeInternal {
		return &lectern.Error{Code: lectern.CodeInvalid, Message: "the body could not be read to its end", Err: err}
	}
	return e
}

// checkMediaType refuses bodies that are not of a described type.
func checkMediaType(r *http.Request, op *operation) error {
	given := r.Header.Get(echo.HeaderContentType)
	if given == "" && r.ContentLength == 0 && !op.bodyRequired {
		return nil
	}
	mt, params, err := mime.ParseMediaType(given)
	if err != nil || !slices.Contains(op.mediaTypes, mt) {
		return &lectern.Error{Code: codeUnsupportedMedia, Message: "send " + strings.Join(op.mediaTypes, " or "),
			Fields: []lectern.FieldError{lectern.NewFieldError("Content-Type", given, "is not supported here", strings.Join(op.mediaTypes, ", "))}}
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return &lectern.Error{Code: codeUnsupportedMedia, Message: "send UTF-8",
			Fields: []lectern.FieldError{lectern.NewFieldError("Content-Type", given, "names another charset", "utf-8")}}
	}
	if enc := r.Header.Get(echo.HeaderContentEncoding); enc != "" && !strings.EqualFold(enc, "identity") {
		return &lectern.Error{Code: codeUnsupportedMedia, Message: "send the body without Content-Encoding",
			Fields: []lectern.FieldError{lectern.NewFieldError("Content-Encoding", enc, "is not supported", "identity")}}
	}
	return nil
}

// parseQuery reads the query strictly: net/url drops what it cannot read.
func parseQuery(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, lectern.Invalid("the query string is not well formed: " + strings.ToValidUTF8(err.Error(), "\uFFFD"))
	}
	for name, values := range query {
		for _, v := range append([]string{name}, values...) {
			if !utf8.ValidString(v) {
				return nil, lectern.Invalid("the query string is not valid UTF-8",
					lectern.NewFieldError(strings.ToValidUTF8(name, "\uFFFD"), v, "is not valid UTF-8", ""))
			}
			if strings.ContainsFunc(v, unprintable) {
				return nil, lectern.Invalid("the query string holds a control character",
					lectern.NewFieldError(name, strconv.Quote(v), "holds a control character", "printable text"))
			}
		}
	}
	return query, nil
}

// unprintable reports control characters, except those that part words: a pasted
// query may hold tabs and line ends.
func unprintable(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }

// pathParam returns a decoded path parameter. Errors: CodeInvalid.
func pathParam(c echo.Context, name string) (string, error) {
	v := c.Param(name)
	if c.Request().URL.RawPath != "" { // echo routes by the raw path then, and leaves it raw
		decoded, err := url.PathUnescape(v)
		if err != nil {
			return "", lectern.Invalid("the address is not well formed", lectern.NewFieldError(name, v, "is not percent-encoded", ""))
		}
		v = decoded
	}
	return v, checkID(name, v)
}

// checkID holds an external id against its rules.
func checkID(field, id string) error {
	var reason string
	switch {
	case id == "":
		reason = "is empty"
	case len(id) > lectern.MaxIDBytes:
		reason = "is too long"
	case !utf8.ValidString(id):
		reason = "is not valid UTF-8"
	case strings.ContainsFunc(id, unicode.IsControl):
		reason = "has control characters"
	case id != strings.TrimSpace(id):
		reason = "begins or ends with a space"
	default:
		return nil
	}
	return lectern.Invalid("the id "+reason, lectern.NewFieldError(field, id, reason, "1 to 128 bytes of UTF-8 without control characters"))
}

func sortFields(fields []lectern.FieldError) {
	slices.SortFunc(fields, func(a, b lectern.FieldError) int { return strings.Compare(a.Field, b.Field) })
}
