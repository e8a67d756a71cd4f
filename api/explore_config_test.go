package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/settings/versioned"
)

const explorePath = "/v1/admin/config/explore"

// newExploreEnv is a server with exploration settings in its store.
func newExploreEnv(t *testing.T) *env {
	t.Helper()
	return newEnv(t, func(d *Deps, _ *Config) {
		store, ok := d.Courses.(lectern.SettingsStore)
		if !ok {
			t.Fatal("the store keeps no settings")
		}
		s, err := versioned.New(versioned.Kind[explore.Config, *explore.Config]{
			Name: lectern.SettingsExplore, Noun: "exploration settings", Prefix: explore.NamePrefix, Uses: "explores by",
			Parse: explore.Parse, Document: explore.Document, Merge: explore.MergeDocument, Diff: explore.DiffDocuments,
			File:    func(cfg explore.Config) (*explore.Config, string, error) { return &cfg, explore.FileName(cfg), nil },
			Compile: func(cfg explore.Config, _ string) (*explore.Config, error) { return &cfg, nil },
		}, versioned.Options[explore.Config]{
			Config: versioned.DefaultConfig(), Store: store, File: explore.DefaultConfig(), Clock: d.Clock, Logger: d.Log,
		})
		if err != nil {
			t.Fatal(err)
		}
		d.ExploreConfig = s
	})
}

func TestExploreConfigRound(t *testing.T) {
	e := newExploreEnv(t)
	call := func(method, path, body string, h ...header) answer {
		return e.call(lectern.ScopeAdmin, method, explorePath+path, body, h...)
	}
	match := func(tag string) header { return header{"If-Match", tag} }

	file := call("GET", "", "").want(200, "").mentions(`"enabled": true`)
	tag := file.header.Get("ETag")
	if !strings.HasPrefix(tag, `"e0-`) || file.header.Get("Lectern-Config-Version") != strings.Trim(tag, `"`) {
		t.Errorf("headers of the file's: %v", file.header)
	}
	call("GET", "", "", header{"If-None-Match", tag}).want(http.StatusNotModified, "")
	call("GET", "/schema", "").want(200, "").mentions("urn:lectern:schema:explore", "the first place never explores")

	// Nothing changes by what is not acceptable.
	call("PUT", "", file.body).want(http.StatusPreconditionRequired, "precondition_required").mentions(explorePath)
	bad := call("PUT", "", `{"polcy":"none","places":{"home":[1,60]},"floor":0,"rewards":[{"name":"a","event":"clik","value":1,"within_days":1}]}`, match(tag)).
		want(http.StatusBadRequest, lectern.CodeInvalid).mentions(`did you mean \"policy\"?`).problem()
	var fields []string
	for _, f := range bad.Errors {
		fields = append(fields, f.Field)
	}
	if d := cmp.Diff([]string{"polcy", "places.home[0]", "places.home[1]", "floor", "rewards[0].event"}, fields); d != "" {
		t.Errorf("fields at fault (-want +got):\n%s", d)
	}
	call("PATCH", "", `{"enabled":false}`, match(`"e4"`)).want(http.StatusPreconditionFailed, lectern.CodePrecondition).mentions(strings.Trim(tag, `"`))
	call("GET", "/versions", "").want(200, "").mentions(`"versions":[]`)

	// One switch, and back.
	call("PATCH", "?comment=too%20bold", `{"enabled":false}`, match(tag)).want(200, "").
		mentions(`"changed":true`, `"name":"e1"`, `{"path":"enabled","from":true,"to":false}`, `"warnings":[]`)
	call("PUT", "", file.body, match(`"e1"`)).want(200, "").mentions(`"name":"e2"`)
	call("GET", "/versions", "").want(200, "").mentions("too bold", `"name":"e2"`)
	call("GET", "/versions/e1", "").want(200, "").mentions(`"enabled":false`, `"active":false`)
	call("GET", "/versions/v1", "").want(400, lectern.CodeInvalid).mentions(explorePath)
	call("GET", "/versions/3", "").want(404, lectern.CodeNotFound).mentions("version 3 of the exploration settings")
	call("POST", "/versions/1/activate", "", match(`"e1"`)).want(http.StatusPreconditionFailed, lectern.CodePrecondition)
	if back := call("POST", "/versions/1/activate", `{"comment":"again"}`).want(200, ""); back.header.Get("ETag") != `"e1"` {
		t.Errorf("back at ETag %s", back.header.Get("ETag"))
	}
	if again := call("POST", "/versions/0/activate", "").want(200, ""); again.header.Get("ETag") != tag || call("GET", "", "").body != file.body {
		t.Errorf("the file's again: %s", again.header.Get("ETag"))
	}
}

func TestExploreConfigIsNotEverywhere(t *testing.T) {
	e := newEnv(t)
	e.call(lectern.ScopeAdmin, "GET", explorePath, "").want(http.StatusServiceUnavailable, lectern.CodeUnavailable).mentions("exploration settings")
}
