package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const exploreConfigPath = "/v1/admin/config/explore"

// TestExploreConfig is the round of an administrator who bounds exploration, over HTTP
// and on both databases.
func TestExploreConfig(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testExploreConfig)
}

func testExploreConfig(t *testing.T, d *deployment) {
	a := admin{d.start(), d.key("admin")}
	a.up()
	ok := func(method, path, match, body string) (tag, answer string) {
		t.Helper()
		status, header, answer := a.exchange(method, exploreConfigPath+path, match, body)
		if status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", method, path, status, answer)
		}
		return header.Get("ETag"), answer
	}
	refused := func(want int, method, path, match, body string, words ...string) {
		t.Helper()
		status, _, answer := a.exchange(method, exploreConfigPath+path, match, body)
		if status != want {
			t.Errorf("%s %s: %d, want %d: %s", method, path, status, want, answer)
		}
		for _, w := range words {
			if !strings.Contains(answer, w) {
				t.Errorf("%s %s: %q is not in %s", method, path, w, answer)
			}
		}
	}
	file, document := ok(http.MethodGet, "", "", "")
	if !strings.HasPrefix(file, `"e0-`) || a.metric("lectern_explore_config_version") != "0" || a.metric("lectern_explore_enabled") != "1" {
		t.Errorf("the file's has ETag %s", file)
	}
	refused(http.StatusPreconditionRequired, http.MethodPut, "", "", document)
	refused(http.StatusBadRequest, http.MethodPatch, "", file, `{"places":{"home":[1,4,4]},"flor":0.1,"floor":0,"new_courses":{"share":2},"rewards":[{"name":"x","event":"buy","value":1,"within_days":1}]}`,
		"places.home[0]", "the first place never explores", "places.home[2]", `did you mean \"floor\"?`, "over 0", "new_courses.share", "rewards[0].event")

	// One switch for all off; the rerank settings have versions of their own.
	one, _ := ok(http.MethodPatch, "?comment=enough", file, `{"enabled":false}`)
	if one != `"e1"` || a.metric("lectern_explore_config_version") != "1" || a.metric("lectern_explore_enabled") != "0" || a.metric("lectern_rerank_config_version") != "0" {
		t.Errorf("off at %s", one)
	}
	refused(http.StatusPreconditionFailed, http.MethodPut, "", file, document, "e1 is in use")
	if two, answer := ok(http.MethodPut, "", one, document); two != `"e2"` || !strings.Contains(answer, `"path":"enabled"`) {
		t.Errorf("on again at %s: %s", two, answer)
	}
	if _, answer := ok(http.MethodGet, "/versions/e1", "", ""); !strings.Contains(answer, `"comment":"enough"`) {
		t.Errorf("version 1: %s", answer)
	}

	// At the command line, and within two seconds in the server.
	if out := d.run("config", "explore", "off", "--comment", "by hand"); !strings.Contains(out, "e3 is in use") || !strings.Contains(out, "enabled: true → false") {
		t.Errorf("switched off: %s", out)
	}
	eventually(t, 2*time.Second, "the switch", func() bool { return a.metric("lectern_explore_enabled") == "0" })
	if out := d.run("config", "explore", "versions"); !strings.Contains(out, "by hand") || !strings.Contains(out, "enough") {
		t.Errorf("versions: %s", out)
	}
	if out := d.run("config", "explore", "activate", "e2"); !strings.Contains(out, "e2 is in use") {
		t.Errorf("back: %s", out)
	}
	if out := d.run("config", "explore", "on"); !strings.Contains(out, "nothing changed") {
		t.Errorf("on when it is: %s", out)
	}
	if out := d.run("config", "explore", "get"); !strings.Contains(out, `"enabled": true`) {
		t.Errorf("get: %s", out)
	}
	if tag, _ := ok(http.MethodPost, "/versions/0/activate", "", `{}`); tag != file {
		t.Errorf("the file's again at %s, want %s", tag, file)
	}
}
