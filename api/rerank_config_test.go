package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
)

const rerankPath = "/v1/admin/config/rerank"

// newRerankEnv is a server with settings in its store.
func newRerankEnv(t *testing.T) *env {
	t.Helper()
	return newEnv(t, func(d *Deps, _ *Config) {
		store, ok := d.Courses.(lectern.SettingsStore)
		if !ok {
			t.Fatal("the store keeps no settings")
		}
		s, err := settings.New(settings.Options{
			Config: settings.DefaultConfig(), Store: store, File: rerank.DefaultConfig(), Clock: d.Clock, Logger: d.Log,
			Warn: func(c rerank.Config) []settings.Warning {
				if len(c.Rules) > 1 {
					return []settings.Warning{{Kind: settings.WarnClash, Rules: []string{c.Rules[0].ID}, Message: "doubtful"}}
				}
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		d.RerankConfig = s
	})
}

func TestRerankConfigRound(t *testing.T) {
	e := newRerankEnv(t)
	call := func(method, path, body string, h ...header) answer {
		return e.call(lectern.ScopeAdmin, method, rerankPath+path, body, h...)
	}
	match := func(tag string) header { return header{"If-Match", tag} }

	file := call("GET", "", "").want(200, "")
	tag := file.header.Get("ETag")
	if !strings.HasPrefix(tag, `"v0-`) || file.header.Get("Lectern-Config-Version") != strings.Trim(tag, `"`) || file.header.Get("Lectern-Config-Warnings") != "0" {
		t.Errorf("headers of the file's: %v", file.header)
	}
	call("GET", "", "", header{"If-None-Match", tag}).want(http.StatusNotModified, "")

	// No precondition, a stale one, a bad document: nothing changes.
	call("PUT", "", file.body).want(http.StatusPreconditionRequired, "precondition_required").mentions("If-Match", "lost")
	call("PATCH", "", `{"terms":{"rating_prior":1}}`, match(`"v7"`)).want(http.StatusPreconditionFailed, lectern.CodePrecondition).mentions(strings.Trim(tag, `"`))
	bad := call("PUT", "", `{"weigths":{},"weights":{"home":{"quality":"x","novelty":-1}},"terms":{"rating_prior":-1},"rules":[{"id":"a"}],"reasons":{"max":1.5}}`, match(tag)).
		want(http.StatusBadRequest, lectern.CodeInvalid).problem()
	var fields []string
	for _, f := range bad.Errors {
		fields = append(fields, f.Field)
	}
	if d := cmp.Diff([]string{"weigths", "weights.home.quality", "rules[0].action", "reasons.max",
		"weights.home.novelty", "terms.rating_prior", "rules[0].courses"}, fields); d != "" {
		t.Errorf("fields at fault (-want +got):\n%s", d)
	}
	call("PUT", "", `{"a":1}{}`, match(tag)).want(400, lectern.CodeInvalid)
	call("PUT", "", `[]`, match(tag)).want(400, lectern.CodeInvalid)
	call("PUT", "", `{"terms":{"rating_prior":1,"rating_prior":2}}`, match(tag)).want(400, lectern.CodeInvalid).mentions("more than once")
	call("PUT", "", ``, match(tag), header{"Content-Type", "application/json"}).want(400, lectern.CodeInvalid)
	call("PATCH", "", `{"terms":{}}`, match("v 1")).want(400, lectern.CodeInvalid).mentions("If-Match")
	call("GET", "/versions", "").want(200, "").mentions(`"versions":[]`)

	// What was read may be written; then a change.
	same := call("PUT", "", file.body, match(tag)).want(200, "").mentions(`"changed":false`)
	if same.header.Get("ETag") != tag {
		t.Errorf("the same again has ETag %s", same.header.Get("ETag"))
	}
	one := call("PATCH", "?comment=more%20ratings", `{"terms":{"rating_prior":25}}`, match(tag)).want(200, "").
		mentions(`"changed":true`, `"name":"v1"`, `{"path":"terms.rating_prior","from":20,"to":25}`, `"warnings":[]`)
	if one.header.Get("ETag") != `"v1"` {
		t.Errorf("ETag %s", one.header.Get("ETag"))
	}
	call("PATCH", "", `{"terms":{"rating_prior":26}}`, match(tag)).want(http.StatusPreconditionFailed, lectern.CodePrecondition).mentions("v1 is in use")
	call("PATCH", "", `{"rules":[{"id":"a","action":"hide","courses":["x"]},{"id":"b","action":"boost","courses":["x"]}]}`, match("*"),
		header{"Content-Type", "application/merge-patch+json"}).want(200, "").mentions(`"rules":["a"]`, "doubtful", `rules[\"b\"]`)
	if n := call("GET", "", "").want(200, "").header.Get("Lectern-Config-Warnings"); n != "1" {
		t.Errorf("%s warnings", n)
	}

	// The history, and back.
	var page struct {
		Versions []settings.Version `json:"versions"`
		Next     string             `json:"next_cursor"`
	}
	call("GET", "/versions?limit=1", "").want(200, "").into(&page)
	if len(page.Versions) != 1 || page.Versions[0].Version != 2 || page.Next == "" {
		t.Fatalf("first page: %+v", page)
	}
	call("GET", "/versions?limit=1&cursor="+page.Next, "").want(200, "").into(&page)
	keyID, _, _ := strings.Cut(strings.TrimPrefix(e.keys[lectern.ScopeAdmin], "lk_"), "_")
	if v := page.Versions[0]; v.Version != 1 || v.Author != keyID || v.Comment != "more ratings" || len(v.Diff) != 1 || v.CreatedAt == nil || !v.CreatedAt.Equal(e.now) {
		t.Errorf("second page: %+v", v)
	}
	call("GET", "/versions/v1", "").want(200, "").mentions(`"document":{"weights"`, `"active":false`)
	call("GET", "/versions/3", "").want(404, lectern.CodeNotFound).mentions("version 3")
	call("GET", "/versions/x", "").want(400, lectern.CodeInvalid).mentions("version")
	call("POST", "/versions/1/activate", "", match(`"v1"`)).want(http.StatusPreconditionFailed, lectern.CodePrecondition)
	call("POST", "/versions/9/activate", "").want(404, lectern.CodeNotFound)
	call("POST", "/versions/1/activate", `{"coment":"x"}`).want(400, lectern.CodeUnknownField)
	back := call("POST", "/versions/1/activate", `{"comment":"too many rules"}`).want(200, "").mentions(`"changed":true`, `"version":1`)
	if back.header.Get("ETag") != `"v1"` {
		t.Errorf("back at ETag %s", back.header.Get("ETag"))
	}
	call("GET", "/versions/1", "").want(200, "").mentions("too many rules", "more ratings", `"active":true`)
	again := call("POST", "/versions/0/activate", "").want(200, "")
	if again.header.Get("ETag") != tag || call("GET", "", "").body != file.body {
		t.Errorf("the file's again: %s", again.header.Get("ETag"))
	}
}

func TestRerankSchemaIsServed(t *testing.T) {
	e := newRerankEnv(t)
	a := e.call(lectern.ScopeAdmin, "GET", rerankPath+"/schema", "").want(200, "")
	if a.header.Get("Content-Type") != "application/schema+json" {
		t.Errorf("content type %s", a.header.Get("Content-Type"))
	}
	var s map[string]any
	if err := json.Unmarshal([]byte(a.body), &s); err != nil || s["$schema"] == nil {
		t.Errorf("%v: %.80s", err, a.body)
	}
}

func TestRerankConfigMayBeMissing(t *testing.T) {
	e := newEnv(t)
	for _, call := range []string{"GET ", "PUT ", "PATCH ", "GET /versions", "GET /versions/1", "POST /versions/1/activate"} {
		method, path, _ := strings.Cut(call, " ")
		body := ""
		if method == "PUT" || method == "PATCH" {
			body = "{}"
		}
		e.call(lectern.ScopeAdmin, method, rerankPath+path, body).want(http.StatusServiceUnavailable, lectern.CodeUnavailable)
	}
}
