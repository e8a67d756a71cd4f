package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// What is served and what is described are the same.
func TestRoutesAreDescribed(t *testing.T) {
	e := newEnv(t)
	var served, described []string
	for _, r := range e.server.echo.Routes() {
		if r.Method == http.MethodHead { // described once, for every GET
			continue
		}
		served = append(served, r.Method+" "+specPath(r.Path))
	}
	for path, item := range e.server.spec.model.Paths.PathItems.FromOldest() {
		for method := range item.GetOperations().FromOldest() {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	if d := cmp.Diff(described, served); d != "" {
		t.Errorf("described (-) and served (+) differ:\n%s", d)
	}
	for _, path := range described {
		if strings.Contains(path, ":") {
			t.Errorf("%s has a colon, which echo reads as a parameter", path)
		}
	}
}

func TestDescriptionIsValidOpenAPI(t *testing.T) {
	s, err := loadSpec()
	if err != nil {
		t.Fatal(err)
	}
	ok, problems := s.validator.ValidateDocument()
	if !ok {
		for _, p := range problems {
			t.Errorf("%s: %s %v", p.Message, p.Reason, p.SchemaValidationErrors)
		}
	}
	if s.model.Version != "3.1.0" {
		t.Errorf("version %s", s.model.Version)
	}
	ids := make(map[string]bool)
	for path, item := range s.model.Paths.PathItems.FromOldest() {
		for method, op := range item.GetOperations().FromOldest() {
			if op.OperationId == "" || ids[op.OperationId] || op.Summary == "" || len(op.Tags) != 1 {
				t.Errorf("%s %s needs an id of its own, a summary and a tag", method, path)
			}
			ids[op.OperationId] = true
		}
	}
}

// The description's limits and words are the domain's.
func TestDescriptionAgreesWithDomain(t *testing.T) {
	s, err := loadSpec()
	if err != nil {
		t.Fatal(err)
	}
	enum := func(schema string, names ...string) []string {
		sc, ok := s.model.Components.Schemas.Get(schema)
		if !ok {
			t.Fatalf("no schema %s", schema)
		}
		at := sc.Schema()
		for _, n := range names {
			p, ok := at.Properties.Get(n)
			if !ok {
				t.Fatalf("no property %s in %s", n, schema)
			}
			at = p.Schema()
		}
		var out []string
		for _, v := range at.Enum {
			if v.Value != "null" {
				out = append(out, v.Value)
			}
		}
		return out
	}
	for _, c := range []struct {
		name       string
		have, want []string
	}{
		{"levels", enum("Level"), words(lectern.Levels())},
		{"levels in writes", enum("CourseWrite", "level"), words(lectern.Levels())},
		{"statuses", enum("Availability", "status"), words(lectern.Statuses())},
		{"scopes", enum("Scope"), words(lectern.Scopes())},
		{"event types", enum("Event", "type"), words(lectern.EventTypes())},
		{"surfaces", enum("Event", "surface"), words(append(lectern.Surfaces(), lectern.SurfaceAutocomplete))},
		{"outcomes", enum("Outcome"), words([]lectern.WriteOutcome{
			lectern.OutcomeCreated, lectern.OutcomeUpdated, lectern.OutcomeUnchanged,
			lectern.OutcomeDuplicate, lectern.OutcomeParked, lectern.OutcomeRejected,
		})},
	} {
		if d := cmp.Diff(c.want, c.have); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

func words[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}

func TestUnknownParametersAreRefused(t *testing.T) {
	e := newEnv(t)
	tests := []struct {
		target, code string
		mentions     []string
	}{
		{"/v1/search?q=go&limt=5", "unknown_field", []string{"limt", `did you mean \"limit\"?`}},
		{"/v1/search?q=go&catgory=math", "unknown_field", []string{`did you mean \"category\"?`}},
		{"/v1/recommendations?colour=red", "unknown_field", []string{"colour", "max_hours"}},
		{"/v1/recommendations?learner=ada", "unknown_field", []string{"learner"}},
		{"/v1/courses/a?limit=5", "unknown_field", []string{"no parameters"}},
		{"/v1/search?q=go&limit=5&limit=6", "invalid_argument", []string{"more than once"}},
		{"/v1/search?q=go&limit=0", "invalid_argument", []string{"limit", "is too small", `"allowed":"an integer from 1 to 100"`}},
		{"/v1/search?q=go&limit=101", "invalid_argument", []string{"is too large", `"allowed":"an integer from 1 to 100"`}},
		{"/v1/search?q=go&limit=ten", "invalid_argument", []string{`"field":"limit"`, `"value":"ten"`, `"allowed":"an integer from 1 to 100"`}},
		{"/v1/search?q=go&limit=2.5", "invalid_argument", []string{`"allowed":"an integer from 1 to 100"`}},
		{"/v1/search?q=go&max_hours=long", "invalid_argument", []string{`"allowed":"a number from 0 to 10000"`}},
		{"/v1/search?q=go&level=5", "invalid_argument", []string{`"allowed":"beginner, intermediate, advanced, mixed"`}},
		{"/v1/search?q=go&level=mixed,hard", "invalid_argument", []string{`"allowed":"beginner, intermediate, advanced, mixed"`}},
		{"/v1/search?q=go&max_hours=-1", "invalid_argument", []string{"max_hours"}},
		{"/v1/search?q=go&max_hours=NaN", "invalid_argument", []string{"max_hours"}},
		{"/v1/search?q=go&explain=perhaps", "invalid_argument", []string{"explain", `"allowed":"true or false"`}},
		{"/v1/search?q=go&level=hard", "invalid_argument", []string{"hard", "beginner"}},
		{"/v1/search", "invalid_argument", []string{`"field":"q"`, "is required"}},
		{"/v1/search?q=", "invalid_argument", []string{`"field":"q"`}},
		{"/v1/search?q=%20%20", "invalid_argument", []string{`"field":"q"`}},
		{"/v1/search?q=" + strings.Repeat("x", 501), "invalid_argument", []string{"is too long", `"allowed":"1 to 500 characters"`}},
		{"/v1/search?q=go&cursor=%ff", "invalid_argument", []string{"UTF-8"}},
		{"/v1/search?q=%C3%28", "invalid_argument", []string{"UTF-8"}},
		{"/v1/search?q=a%00b", "invalid_argument", []string{`"field":"q"`, "control character"}},
		{"/v1/recommendations?category=%1b", "invalid_argument", []string{`"field":"category"`, "control character"}},
		{"/v1/search?q=go&language=english", "invalid_argument", []string{`"field":"language"`, `"value":"english"`, `did you mean \"en\"?`, "BCP 47"}},
		{"/v1/recommendations?language=en,xx", "invalid_argument", []string{`"value":"xx"`}},
		{"/v1/search?q=%zz", "invalid_argument", []string{"well formed"}},
	}
	for _, tt := range tests {
		t.Run(tt.target[:min(len(tt.target), 60)], func(t *testing.T) {
			e := e.on(t)
			e.call(lectern.ScopePublic, "GET", tt.target, "").want(http.StatusBadRequest, lectern.Code(tt.code)).mentions(tt.mentions...)
		})
	}
}

// A language is filtered by in the form in which courses have it.
func TestLanguageFilterIsCanonical(t *testing.T) {
	e := newEnv(t)
	e.call(lectern.ScopePublic, "GET", "/v1/search?q=go%09on%0A&language=eng,PT-br&language=zh_cn", "").want(http.StatusOK, "")
	if d := cmp.Diff([]string{"en", "pt-BR", "zh-CN"}, e.ranker.seen().Filter.Languages); d != "" {
		t.Error(d)
	}
}
