package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
)

// Every code of the root package has a status; the list is read from the source
// so that a new code cannot be forgotten.
func TestEveryCodeHasAStatus(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	table, found := problemTable(), 0
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "Code" {
			return true
		}
		for _, v := range spec.Values {
			code, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found++
			if k, ok := table[lectern.Code(code)]; !ok || k.Status < 400 || k.Title == "" {
				t.Errorf("%s is not in the table", code)
			}
		}
		return true
	})
	if found < 14 {
		t.Errorf("found only %d codes", found)
	}
}

func TestErrorsBecomeProblems(t *testing.T) {
	e := newEnv(t)
	tests := []struct {
		err    error
		status int
		code   lectern.Code
	}{
		{lectern.Errorf(lectern.CodeUnavailable, "no index yet"), 503, lectern.CodeUnavailable},
		{fmt.Errorf("list: %w", lectern.Errorf(lectern.CodeNotFound, "no such course")), 404, lectern.CodeNotFound},
		{context.DeadlineExceeded, 504, lectern.CodeDeadline},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), 504, lectern.CodeDeadline},
		{errors.New("secret path /var/lib"), 500, lectern.CodeInternal},
		{&lectern.Error{Code: "made_up", Message: "secret"}, 500, lectern.CodeInternal},
		{&lectern.Error{Code: lectern.CodeInternal, Message: "secret", Fields: []lectern.FieldError{{Field: "secret"}}}, 500, lectern.CodeInternal},
	}
	for _, tt := range tests {
		e.ranker.fail = tt.err
		a := e.call(lectern.ScopePublic, "GET", "/v1/recommendations", "").want(tt.status, tt.code)
		if strings.Contains(a.body, "secret") {
			t.Errorf("the answer tells too much: %s", a.body)
		}
		if tt.status == 503 && a.header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	}
	e.ranker.fail, e.ranker.boom = nil, true
	a := e.call(lectern.ScopePublic, "GET", "/v1/recommendations", "").want(500, lectern.CodeInternal)
	if !strings.Contains(e.logs.String(), "the ranker fell over") || !strings.Contains(e.logs.String(), a.header.Get("X-Request-Id")) {
		t.Error("the log has neither the panic nor its request id")
	}
	e.ranker.boom = false
	e.call(lectern.ScopePublic, "GET", "/v1/recommendations", "").want(200, "")
}

func TestTransportProblems(t *testing.T) {
	e := newEnv(t)
	big := "{\"title\":\"" + strings.Repeat("x", 10<<20) + "\"}"
	tests := []struct {
		name, method, target, body string
		headers                    []header
		status                     int
		code                       lectern.Code
	}{
		{"unknown route", "GET", "/v1/nothing", "", nil, 404, lectern.CodeNotFound},
		{"unknown root", "GET", "/favicon.ico", "", nil, 404, lectern.CodeNotFound},
		{"unknown id", "GET", "/v1/courses/none", "", nil, 404, lectern.CodeNotFound},
		{"wrong method", "POST", "/v1/search", "{}", nil, 405, codeMethodNotAllowed},
		{"wrong type", "PUT", "/v1/courses/a", "title=x", []header{{"Content-Type", "application/x-www-form-urlencoded"}}, 415, codeUnsupportedMedia},
		{"no type", "PUT", "/v1/courses/a", "{}", []header{{"Content-Type", ""}}, 415, codeUnsupportedMedia},
		{"broken type", "PUT", "/v1/courses/a", "{}", []header{{"Content-Type", "application"}}, 415, codeUnsupportedMedia},
		{"other charset", "PUT", "/v1/courses/a", "{}", []header{{"Content-Type", "application/json; charset=latin1"}}, 415, codeUnsupportedMedia},
		{"JSON to a batch", "POST", "/v1/courses/batch", "{}", nil, 415, codeUnsupportedMedia},
		{"gzip", "PUT", "/v1/courses/a", "{}", []header{{"Content-Encoding", "gzip"}}, 415, codeUnsupportedMedia},
		{"10 MB body", "PUT", "/v1/courses/a", big, nil, 413, lectern.CodeTooLarge},
		{"10 MB query", "GET", "/v1/search?q=" + strings.Repeat("x", 10<<20), "", nil, 414, codeURITooLong},
		{"no body", "PUT", "/v1/courses/a", "", []header{{"Content-Type", "application/json"}}, 400, lectern.CodeInvalid},
		{"not JSON", "PUT", "/v1/courses/a", "{title", nil, 400, lectern.CodeInvalid},
		{"cut JSON", "PUT", "/v1/courses/a", `{"title":"x`, nil, 400, lectern.CodeInvalid},
		{"two documents", "PUT", "/v1/courses/a", `{"title":"x"}{"title":"y"}`, nil, 400, lectern.CodeInvalid},
		{"an array", "PUT", "/v1/courses/a", `[]`, nil, 400, lectern.CodeInvalid},
		{"invalid UTF-8", "PUT", "/v1/courses/a", "{\"title\":\"\xff\xfe\"}", nil, 400, lectern.CodeInvalid},
		{"id of 129 bytes", "GET", "/v1/courses/" + strings.Repeat("x", 129), "", nil, 400, lectern.CodeInvalid},
		{"id with a control character", "GET", "/v1/courses/a%00b", "", nil, 400, lectern.CodeInvalid},
		{"id of invalid UTF-8", "GET", "/v1/courses/%ff", "", nil, 400, lectern.CodeInvalid},
		{"deep nesting", "PUT", "/v1/courses/a", `{"title":"x","extra":{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}}", nil, 400, lectern.CodeInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := e.on(t)
			a := e.call(lectern.ScopeServer, tt.method, tt.target, tt.body, tt.headers...).want(tt.status, tt.code)
			if tt.status == 405 && !strings.Contains(a.header.Get("Allow"), "GET") {
				t.Errorf("Allow: %q", a.header.Get("Allow"))
			}
			if len(a.body) > 4000 {
				t.Errorf("an error of %d bytes", len(a.body))
			}
		})
	}
	e.call(lectern.ScopeServer, "GET", "/v1/courses/a", "").want(404, lectern.CodeNotFound)
}

// A body whose length is not announced is cut off at the limit all the same.
func TestBodyLimitWithoutLength(t *testing.T) {
	e := newEnv(t)
	for target, size := range map[string]int{"/v1/courses/a": 1<<20 + 1, "/v1/courses/batch": 10<<20 + 1} {
		method, ct := "PUT", "application/json"
		if strings.HasSuffix(target, "batch") {
			method, ct = "POST", "application/x-ndjson"
		}
		line := `{"id":"a","title":"x"}` + "\n"
		body := bytes.Repeat([]byte(line), size/len(line)+1)
		req := httptest.NewRequestWithContext(t.Context(), method, target, struct{ *bytes.Reader }{bytes.NewReader(body)})
		req.ContentLength = -1
		req.Header.Set("Content-Type", ct)
		req.Header.Set("X-API-Key", e.keys[lectern.ScopeServer])
		rec := httptest.NewRecorder()
		e.server.Handler().ServeHTTP(rec, req)
		if rec.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d %s", target, rec.Code, rec.Body)
		}
	}
	e.call(lectern.ScopeServer, "GET", "/v1/courses/a", "").want(404, lectern.CodeNotFound)
}

func TestFieldErrorsNameFieldValueAndAllowed(t *testing.T) {
	e := newEnv(t)
	tests := []struct {
		body     string
		code     lectern.Code
		mentions []string
	}{
		{`{"titel":"x"}`, lectern.CodeInvalid, []string{"titel", `did you mean \"title\"`, `"field":"title","reason":"is required"`}},
		{`{"title":"x","colour":"red"}`, lectern.CodeUnknownField, []string{`"field":"colour"`}},
		{`{"title":"x","level":"hard","workload_hours":"long"}`, lectern.CodeInvalid, []string{`"level"`, "hard", "beginner", `"workload_hours"`}},
		{`{"title":"x","workload_hours":"12"}`, lectern.CodeInvalid, []string{`"workload_hours"`, "number"}},
		{`{"title":"x","skills":"one"}`, lectern.CodeInvalid, []string{`"skills"`}},
		{`{"title":"x","availability":{"status":"closed"}}`, lectern.CodeInvalid, []string{"availability.status", "closed", "retired"}},
		{`{"title":"x","published_at":"yesterday"}`, lectern.CodeInvalid, []string{"published_at", "yesterday"}},
		{`{"title":"x","id":"other"}`, lectern.CodeInvalid, []string{`"field":"id"`}},
	}
	for _, tt := range tests {
		t.Run(tt.body, func(t *testing.T) {
			e := e.on(t)
			e.call(lectern.ScopeServer, "PUT", "/v1/courses/a", tt.body).want(400, tt.code).mentions(tt.mentions...)
		})
	}
	for _, tt := range []struct{ target, body, mention string }{
		{"/v1/learners/ada/merge", `{"anonymous":"v"}`, `"field":"anonymous_id"`},
		{"/v1/learners/ada/merge", `{"anonymous_id":7}`, "has the wrong type"},
		{"/v1/admin/keys", `{"name":"x","scope":"root"}`, "public, creator, server, admin"},
	} {
		e.call(lectern.ScopeAdmin, "POST", tt.target, tt.body).want(400, "").mentions(tt.mention)
	}
}

// Sentences are whole, name the body as the body, and are our own.
func TestBodyProblemsReadWell(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a")
	for _, tt := range []struct{ method, target, body, detail, field string }{
		{"PATCH", "/v1/courses/a", `{}`, "the body has no fields", "body"},
		{"POST", "/v1/events", `[]`, "the body has no events", "body"},
		{"POST", "/v1/events", `7`, "the body must be a JSON object or an array of them", "body"},
		{"PUT", "/v1/courses/a", `[]`, "the body must be a JSON object", ""},
		{"PUT", "/v1/courses/a", `nope`, "the body is not valid JSON at byte 2", ""},
		{"PUT", "/v1/courses/a", `{"title":"x"`, "the body is not complete JSON", ""},
		{"PUT", "/v1/learners/ada", `{"goal":tru}`, "the body is not valid JSON at byte 12", ""},
		{"POST", "/v1/learners/ada/merge", `nope`, "the body is not valid JSON at byte 2", ""},
		{"POST", "/v1/learners/ada/merge", `[]`, "the body has the wrong type", "body"},
		{"POST", "/v1/events", `[{"id":}]`, "the body is not valid JSON at byte 8", ""},
	} {
		t.Run(tt.method+" "+tt.body, func(t *testing.T) {
			p := e.on(t).call(lectern.ScopeServer, tt.method, tt.target, tt.body).want(400, lectern.CodeInvalid).problem()
			if p.Detail != tt.detail {
				t.Errorf("detail %q, want %q", p.Detail, tt.detail)
			}
			if tt.field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != tt.field || p.Errors[0].Allowed == "") {
				t.Errorf("errors %+v", p.Errors)
			}
		})
	}
}
