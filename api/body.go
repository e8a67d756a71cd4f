package api

import (
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/feedback"
	"github.com/lectern-dev/lectern/internal/document"
	"github.com/lectern-dev/lectern/preview"
)

// decode reads a body. Errors: CodeInvalid naming every field that cannot be read, and
// what else is wrong.
func (s *Server) decode(in *request, into any) error {
	if bad := decodeFields(in.body, into); len(bad) > 0 {
		return unusable(joinFaults(bad, s.moreFaults(in)))
	}
	return nil
}

// decodeFields reads the fields of an object that can be read, and names the others.
func decodeFields(body []byte, into any) []lectern.FieldError {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return []lectern.FieldError{{Field: fieldBody, Reason: "has the wrong type", Allowed: "an object"}}
	}
	v := reflect.ValueOf(into).Elem()
	var bad []lectern.FieldError
	for _, f := range reflect.VisibleFields(v.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		raw, given := members[name]
		if !given || name == "" || name == "-" {
			continue
		}
		if err := json.Unmarshal(raw, v.FieldByIndex(f.Index).Addr().Interface()); err != nil {
			bad = append(bad, unreadable(name, raw, err))
		}
	}
	return bad
}

// unreadable says which part of a field does not have its type.
func unreadable(name string, raw json.RawMessage, err error) lectern.FieldError {
	shown := strings.Trim(string(raw), `"`)
	if _, ok := errors.AsType[*time.ParseError](err); ok {
		return lectern.NewFieldError(name, shown, "is not a time", document.AllowedTime)
	}
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return lectern.NewFieldError(name, shown, "cannot be read", "")
	}
	if wrong.Field != "" {
		name, shown = name+"."+wrong.Field, wrong.Value
	}
	return lectern.NewFieldError(name, shown, "has the wrong type", document.Allowed(wrong.Type))
}

// unusable is what is wrong with a body: CodeUnknownField when unknown fields are all.
func unusable(bad []lectern.FieldError) *lectern.Error {
	e := lectern.Invalid("the body is not acceptable: "+bad[0].Field+" "+bad[0].Reason, bad[:min(len(bad), maxFieldErrors)]...)
	if bad[0].Field == fieldBody {
		e.Message = "the body " + bad[0].Reason
	}
	if !slices.ContainsFunc(bad, func(f lectern.FieldError) bool { return !strings.HasPrefix(f.Reason, reasonUnknownField) }) {
		e.Code = lectern.CodeUnknownField
	}
	return e
}

// reasonUnknownField begins what is said of a field that nobody knows.
const reasonUnknownField = "is not a known field"

// inList finds the places of lists in a path as the schema has it.
var inList = regexp.MustCompile(`\.(\d+)`) // never changes

// withMore adds what else is wrong with a body to what the description says of it, so
// that one answer names it all. What is said of a field already, or of what holds it,
// is not said again.
func (s *Server) withMore(in *request, err error) error {
	e, ok := errors.AsType[*lectern.Error](err)
	if !ok || len(e.Fields) == 0 {
		return err
	}
	more := s.moreFaults(in)
	if len(more) == 0 {
		return err
	}
	bad := make([]lectern.FieldError, 0, len(e.Fields)+len(more))
	for _, f := range e.Fields {
		f.Field = inList.ReplaceAllString(f.Field, "[$1]")
		bad = append(bad, f)
	}
	return unusable(joinFaults(bad, more))
}

// joinFaults appends what is not about the same fields as what is there.
func joinFaults(bad, more []lectern.FieldError) []lectern.FieldError {
	told := slices.Clone(bad)
	for _, f := range more {
		if !slices.ContainsFunc(told, func(b lectern.FieldError) bool { return sameField(b.Field, f.Field) }) {
			bad = append(bad, f)
		}
	}
	return bad
}

// sameField reports whether one path is the other, or leads to it.
func sameField(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	rest, ok := strings.CutPrefix(b, a)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// moreFaults is what the handler of a route would object to in the fields that can be
// read.
func (s *Server) moreFaults(in *request) []lectern.FieldError {
	switch in.route.path {
	case "/v1/learners/{id}/feedback", "/v1/visitors/{id}/feedback":
		var given feedback.Given
		return joinFaults(decodeFields(in.body, &given), given.Faults())
	case "/v1/admin/reports/{course}":
		var given feedback.Settlement
		return joinFaults(decodeFields(in.body, &given), given.Faults())
	case "/v1/admin/reports/{course}/rule":
		var given feedback.RuleGiven
		return joinFaults(decodeFields(in.body, &given), given.Faults(s.deps.Clock()))
	case "/v1/admin/config/rerank/preview":
		var body previewBody
		bad := decodeFields(in.body, &body)
		_, err := s.draft(in.ctx(), body.Draft, body.Patch)
		bad = joinFaults(bad, faultsOf(err))
		return joinFaults(bad, s.previewFaults(body.Request))
	}
	return nil
}

// previewFaults is what is wrong with what a preview is asked to compare.
func (s *Server) previewFaults(req preview.Request) []lectern.FieldError {
	if p, ok := s.deps.Previews.(interface{ Check(preview.Request) error }); ok {
		return faultsOf(p.Check(req))
	}
	return nil
}

// faultsOf are the fields that an error names.
func faultsOf(err error) []lectern.FieldError {
	if e, ok := errors.AsType[*lectern.Error](err); ok {
		return e.Fields
	}
	return nil
}
