package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/learn"
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

// TestExploreConfigReplicas has two servers on one PostgreSQL agree on the exploration
// settings within two seconds: by notifications alone, by polling alone, and when a
// guardrail stops exploration.
func TestExploreConfigReplicas(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	d := production(t)
	key := d.key("admin")
	guarded := []string{"--learning.poll", "100ms", "--learning.guard", "1s", "--explore.guardrails.impressions", "500"}
	// The first would see a change a minute later, were it not told of it.
	hears, polls := admin{d.start(append(guarded, "--settings.poll", "1m")...), key}, admin{d.start(guarded...), key}
	both := []admin{hears, polls}
	for _, x := range both {
		x.up()
	}
	agree := func(how, want, enabled string, replicas ...admin) {
		t.Helper()
		begin := time.Now()
		for i, x := range replicas {
			eventually(t, 2*time.Second, how+" on every replica", func() bool {
				return x.metric("lectern_explore_config_version") == want && x.metric("lectern_explore_enabled") == enabled
			})
			took := time.Since(begin)
			t.Logf("%s: replica %d has %s after %v", how, i, want, took)
			if x == hears && took > told {
				t.Errorf("%s: replica %d heard nothing and saw it by itself", how, i)
			}
		}
	}
	change := func(x admin, method, path, body string) {
		t.Helper()
		if status, _, answer := x.exchange(method, exploreConfigPath+path, "*", body); status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", method, path, status, answer)
		}
	}
	change(polls, http.MethodPatch, "", `{"enabled":false}`)
	agree("a write", "1", "0", both...)
	change(hears, http.MethodPatch, "", `{"enabled":true}`)
	agree("a write to the other", "2", "1", both...)
	change(hears, http.MethodPost, "/versions/1/activate", `{}`)
	agree("a step back", "1", "0", both...)
	d.activateSilently(t, lectern.SettingsExplore, 2)
	agree("an activation that nobody told of", "2", "1", polls)
	change(hears, http.MethodPatch, "", `{"floor":0.06}`)
	agree("a write after it", "3", "1", both...)

	ignoreExploration(t, d)
	var made time.Time
	d.withStore(func(store relational) {
		eventually(t, time.Minute, "a guardrail's stop", func() bool {
			v, _, err := store.ActiveSettings(t.Context(), lectern.SettingsExplore)
			made = v.CreatedAt
			return err == nil && v.Author == learn.GuardAuthor
		})
	})
	agree("a guardrail's stop", "4", "0", both...)
	t.Logf("a guardrail's stop: both have it %v after it was made", time.Since(made))
}
