package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/synonyms"
)

// newSynonymsEnv is a server with rules in its store.
func newSynonymsEnv(t *testing.T) *env {
	t.Helper()
	return newEnv(t, func(d *Deps, _ *Config) {
		d.Synonyms = synonyms.New(synonyms.Options{
			Store: d.Courses.(synonyms.Store), Holder: "test", Clock: d.Clock, Logger: d.Log,
		})
	})
}

func TestSynonymsAreReadAndReplaced(t *testing.T) {
	const path = "/v1/admin/synonyms"
	e := newSynonymsEnv(t)
	get := func() answer { return e.call(lectern.ScopeAdmin, "GET", path, "").want(200, "") }
	put := func(body string, h ...header) answer { return e.call(lectern.ScopeAdmin, "PUT", path, body, h...) }

	a := get()
	if d := cmp.Diff(`{"version":0,"rules":[]}`, strings.TrimSpace(a.body)); d != "" || a.header.Get("ETag") != `"0"` {
		t.Errorf("before any: %s %s", d, a.header.Get("ETag"))
	}
	a = put(`{"version":0,"rules":[{"id":"js","synonyms":["js","javascript"]},{"from":"sourdough","to":["bread baking"],"language":"en"}]}`).want(200, "")
	const first = `{"version":1,"rules":[{"id":"js","synonyms":["js","javascript"]},{"from":"sourdough","to":["bread baking"],"language":"en"}]}`
	if d := cmp.Diff(first, strings.TrimSpace(a.body)); d != "" || a.header.Get("ETag") != `"1"` {
		t.Errorf("put: %s", d)
	}
	if d := cmp.Diff(first, strings.TrimSpace(get().body)); d != "" {
		t.Errorf("get: %s", d)
	}
	put(first).want(200, "").mentions(`"version":1`) // what was read may be written

	// What was made from an old version loses, and learns the new one.
	lost := put(`{"version":0,"rules":[]}`).want(http.StatusConflict, lectern.CodeConflict).problem()
	if len(lost.Errors) != 1 || lost.Errors[0].Field != "version" || lost.Errors[0].Allowed != "1" {
		t.Errorf("%+v", lost)
	}
	put(`{"rules":[]}`, header{"If-Match", `"0"`}).want(http.StatusPreconditionFailed, lectern.CodePrecondition).mentions("version 1")
	put(`{"version":0,"rules":[{"synonyms":["ml","machine learning"]}]}`, header{"If-Match", `"1"`}).want(200, "").mentions(`"version":2`)
	put(`{"rules":[]}`, header{"If-Match", "new"}).want(400, lectern.CodeInvalid).mentions("If-Match")

	a = put(`{"rules":[{"synonyms":["a1","b1"]},{"synonyms":["A1","B1"]}]}`).want(200, "").mentions("rules[1]", "rules[0] says already")
	put(a.body).want(200, "") // the warnings are no obstacle
	put(`{"rules":[]}`).want(200, "").mentions(`"rules":[]`)
}

func TestBadSynonymsAreRefused(t *testing.T) {
	const path = "/v1/admin/synonyms"
	e := newSynonymsEnv(t)
	p := e.call(lectern.ScopeAdmin, "PUT", path,
		`{"rules":[{"synonyms":["js","javascript"]},{"synonyms":["alone"]},{"from":" ","to":["x","!"]},{"synonyms":["a","b"],"from":"c"}]}`).
		want(400, lectern.CodeInvalid).problem()
	var fields []string
	for _, f := range p.Errors {
		fields = append(fields, f.Field)
	}
	if d := cmp.Diff([]string{"rules[1].synonyms", "rules[2].from", "rules[2].to[1]", "rules[3]"}, fields); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, body := range []string{`{}`, `[]`, `{"rules":{}}`, `{"rules":[{"words":["a","b"]}]}`, `{"rules":[],"more":1}`, `{"rules":[{"to":"x"}]}`, `{"version":-1,"rules":[]}`} {
		if a := e.call(lectern.ScopeAdmin, "PUT", path, body); a.status != 400 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	e.call(lectern.ScopeAdmin, "GET", path, "").want(200, "").mentions(`"version":0`)
	for _, scope := range []lectern.Scope{lectern.ScopePublic, lectern.ScopeServer, lectern.ScopeCreator} {
		e.call(scope, "GET", path, "").want(403, lectern.CodeForbidden)
		e.call(scope, "PUT", path, `{"rules":[]}`).want(403, lectern.CodeForbidden)
	}
	without := newEnv(t)
	without.call(lectern.ScopeAdmin, "GET", path, "").want(503, lectern.CodeUnavailable)
	without.call(lectern.ScopeAdmin, "PUT", path, `{"rules":[]}`).want(503, lectern.CodeUnavailable)
}

var _ Synonyms = (*synonyms.Keeper)(nil)
