package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern"
)

const rerankPath = "/v1/admin/config/rerank"

// admin works on the settings of one server, as by curl.
type admin struct {
	*testServer
	key string
}

// rerank sends one request to the settings and returns status, ETag and body.
func (a admin) rerank(method, path, match, body string) (status int, tag, answer string) {
	a.t.Helper()
	status, header, out := a.exchange(method, rerankPath+path, match, body)
	return status, header.Get("ETag"), out
}

func (a admin) exchange(method, path, match, body string) (int, http.Header, string) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if match != "" {
		req.Header.Set("If-Match", match)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(out)
}

// ok fails unless the request succeeds, and returns the ETag.
func (a admin) ok(method, path, match, body string) (tag, answer string) {
	a.t.Helper()
	status, tag, answer := a.rerank(method, path, match, body)
	if status != http.StatusOK {
		a.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return tag, answer
}

// refused fails unless the request is refused with a status, saying all words.
func (a admin) refused(want int, method, path, match, body string, words ...string) {
	a.t.Helper()
	status, _, answer := a.rerank(method, path, match, body)
	if status != want {
		a.t.Errorf("%s %s: %d, want %d: %s", method, path, status, want, answer)
	}
	for _, w := range words {
		if !strings.Contains(answer, w) {
			a.t.Errorf("%s %s: %q is not in %s", method, path, w, answer)
		}
	}
}

// previewed is what a preview says of one learner.
type previewed struct {
	version   string // in use
	old, made []string
	unknown   []string
}

// preview asks what a draft would change for the first learner named.
func (a admin) preview(body string) previewed {
	a.t.Helper()
	_, answer := a.ok(http.MethodPost, "/preview", "", body)
	var report struct {
		Old     string
		Unknown []string
		Details []struct {
			Old, New []struct {
				CourseID string `json:"course_id"`
			}
		}
	}
	if err := json.Unmarshal([]byte(answer), &report); err != nil || len(report.Details) != 1 {
		a.t.Fatalf("%v: %s", err, answer)
	}
	out := previewed{version: report.Old, unknown: report.Unknown}
	for _, place := range report.Details[0].Old {
		out.old = append(out.old, place.CourseID)
	}
	for _, place := range report.Details[0].New {
		out.made = append(out.made, place.CourseID)
	}
	return out
}

// up waits until the server answers.
func (a admin) up() {
	a.t.Helper()
	eventually(a.t, time.Minute, "readiness", func() bool { return a.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
}

// vectors waits until so many courses have their vectors. A list names a course before
// that, but cannot tell how like it is to others, so that the order may still change.
func (a admin) vectors(courses int) {
	a.t.Helper()
	eventually(a.t, 20*time.Second, "every course's vector", func() bool {
		return a.metric(`lectern_index_vectors{vector="content"}`) == strconv.Itoa(courses)
	})
}

// version is what lists say they were made by.
func (a admin) version() string {
	a.t.Helper()
	_, version := a.list()
	return version
}

// list is a learner's list: ids with scores, and the settings that made it.
func (a admin) list() (items []string, version string) {
	a.t.Helper()
	var l struct {
		Version string `json:"config_version"`
		Items   []struct {
			CourseID string `json:"course_id"`
			Score    float64
		}
	}
	a.get("/v1/learners/ada/recommendations", a.key, &l)
	for _, item := range l.Items {
		items = append(items, fmt.Sprintf("%s %.6f", item.CourseID, item.Score))
	}
	return items, l.Version
}

// TestRerankConfig is the whole round of an administrator, over HTTP and on both
// databases.
func TestRerankConfig(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testRerankConfig)
}

func testRerankConfig(t *testing.T, d *deployment) {
	key, server := d.key("admin"), d.key("server")
	a := admin{d.start("--explore.enabled=false"), key}
	a.up()
	now := time.Now().UTC()
	for i, id := range []string{"fresh", "recent", "older", "old"} {
		a.must(http.MethodPut, "/v1/courses/"+id, server, fmt.Sprintf(`{"title":"Course %s","published_at":%q}`,
			id, now.AddDate(-i, 0, -1).Format(time.RFC3339)))
	}
	a.must(http.MethodPut, "/v1/learners/ada", server, `{}`)
	eventually(t, 20*time.Second, "the courses in a list", func() bool { items, _ := a.list(); return len(items) == 4 })
	a.vectors(4)
	before, version := a.list()

	// Read, and what must not change anything.
	file, document := a.ok(http.MethodGet, "", "", "")
	if file != `"`+version+`"` || !strings.HasPrefix(version, "v0-") {
		t.Errorf("the list is by %s, the settings have ETag %s", version, file)
	}
	a.refused(http.StatusPreconditionRequired, http.MethodPut, "", "", document, "precondition_required")
	a.refused(http.StatusPreconditionFailed, http.MethodPut, "", `"v3"`, document, "precondition_failed", version)
	a.refused(http.StatusBadRequest, http.MethodPut, "", file,
		`{"weigths":{},"weights":{"home":{"quality":"x","novelty":-1}},"terms":{"rating_prior":-1},"rules":[{"id":"a"}],"reasons":{"max":1.5}}`,
		`weigths`, `did you mean \"weights\"?`, "weights.home.quality", "weights.home.novelty", "terms.rating_prior", "rules[0].action", "reasons.max")
	if tag, body := a.ok(http.MethodGet, "", "", ""); tag != file || body != document {
		t.Errorf("refused changes changed something: %s", tag)
	}

	// Preview: what the write below will do, and nothing is done. A log without lists
	// teaches nothing.
	const change = `{"weights":{"home":{"freshness":1,"quality":null}},"rules":[{"id":"classic","action":"boost","courses":["old"],"strength":0.9}]}`
	previewed := a.preview(`{"patch":` + change + `,"learners":["ada","nobody-knows"],"k":4}`)
	if d := cmp.Diff(names(before), previewed.old); d != "" || previewed.version != version || !slices.Equal(previewed.unknown, []string{"nobody-knows"}) {
		t.Errorf("the preview takes other lists for those in use (%+v): %s", previewed, d)
	}
	a.refused(http.StatusBadRequest, http.MethodPost, "/preview", "", `{"patch":{"weights":{"home":{"novelty":-1}}},"learners":["ada"]}`, "novelty")
	a.refused(http.StatusConflict, http.MethodPost, "/tune", "", `{}`, "ranking_id")
	if again, v := a.list(); v != version || !sameItems(again, before) {
		t.Errorf("a preview changed the list: %v by %s", again, v)
	}

	// Write: the list changes at once, and says by what.
	one, answer := a.ok(http.MethodPatch, "?comment=classics%20first", file, change)
	if one != `"v1"` || !strings.Contains(answer, `"path":"weights.home.freshness"`) {
		t.Errorf("ETag %s: %s", one, answer)
	}
	classic, version := a.list()
	if d := cmp.Diff([]string{"old", "fresh", "recent", "older"}, names(classic)); version != "v1" || d != "" || slices.Equal(names(before), names(classic)) {
		t.Errorf("after %v by the file: %v by %s", before, classic, version)
	}
	if d := cmp.Diff(previewed.made, names(classic)); d != "" {
		t.Errorf("the list is not as previewed: %s", d)
	}
	two, answer := a.ok(http.MethodPatch, "", one,
		`{"rules":[{"id":"classic","action":"boost","courses":["old"],"strength":0.9},{"id":"away","action":"hide","courses":["old"],"note":"broken"}]}`)
	if !strings.Contains(answer, `"wins":"away"`) {
		t.Errorf("nothing is said of rules that clash: %s", answer)
	}
	if hidden, version := a.list(); version != "v2" || len(hidden) != 3 || !sameItems(hidden, classic[1:]) {
		t.Errorf("with a rule: %v by %s", hidden, version)
	}
	a.refused(http.StatusPreconditionFailed, http.MethodPatch, "", one, `{"rules":[]}`, "v2 is in use")

	// The history, and back in one call.
	_, answer = a.ok(http.MethodGet, "/versions", "", "")
	keyID := strings.Split(key, "_")[1]
	for _, w := range []string{`"author":"` + keyID + `"`, "classics first", `rules[\"away\"]`, `"version":2`, `"active":true`} {
		if !strings.Contains(answer, w) {
			t.Errorf("%q is not in %s", w, answer)
		}
	}
	if tag, _ := a.ok(http.MethodPost, "/versions/1/activate", two, `{"comment":"it works again"}`); tag != one {
		t.Errorf("back at %s", tag)
	}
	if again, version := a.list(); version != "v1" || !slices.Equal(names(again), names(classic)) {
		t.Errorf("back: %v by %s, want %v", again, version, classic)
	}
	if got := a.metric("lectern_rerank_config_version"); got != "1" {
		t.Errorf("the metric says version %s", got)
	}

	// A restart keeps the version; the file's settings come back when asked for.
	a.kill()
	a.testServer = d.start("--rerank.terms.rating_prior", "33", "--explore.enabled=false")
	a.up()
	eventually(t, 20*time.Second, "the list after a restart", func() bool { items, _ := a.list(); return len(items) == 4 })
	a.vectors(4)
	if again, version := a.list(); version != "v1" || !slices.Equal(names(again), names(classic)) {
		t.Errorf("after a restart: %v by %s, want %v", again, version, classic)
	}
	if tag, body := a.ok(http.MethodPost, "/versions/0/activate", "", ""); tag == file || !strings.Contains(body, `"rating_prior":33`) {
		t.Errorf("the file's, which has changed: %s", tag)
	}
	a.kill()
	a.testServer = d.start("--explore.enabled=false")
	a.up()
	eventually(t, 20*time.Second, "the list after another restart", func() bool { items, _ := a.list(); return len(items) == 4 })
	a.vectors(4)
	if again, version := a.list(); `"`+version+`"` != file || !slices.Equal(names(again), names(before)) {
		t.Errorf("at last: %v by %s, want %v", again, version, before)
	}
	checkRerankCommands(t, d, a)
}

// sameItems reports whether two lists have the same courses with the same scores, but
// for what age takes off them from one to the other.
func sameItems(a, b []string) bool {
	return slices.EqualFunc(a, b, func(x, y string) bool {
		var course, other string
		var score, scored float64
		_, errX := fmt.Sscan(x, &course, &score)
		_, errY := fmt.Sscan(y, &other, &scored)
		return errX == nil && errY == nil && course == other && math.Abs(score-scored) < 1e-4
	})
}

// names are the ids of items; the scores of days ago differ.
func names(items []string) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i], _, _ = strings.Cut(item, " ")
	}
	return out
}

// checkRerankCommands changes settings at the command line under a running server.
func checkRerankCommands(t *testing.T, d *deployment, a admin) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, body string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	out := d.run("config", "rerank", "patch", write("patch.json", `{"terms":{"sentiment_prior":12}}`), "--base", "0", "--comment", "by hand")
	if !strings.Contains(out, "v3 is in use") || !strings.Contains(out, "terms.sentiment_prior: 10 → 12") {
		t.Errorf("patch: %s", out)
	}
	eventually(t, 2*time.Second, "what the command line wrote", func() bool { return a.version() == "v3" })
	shown := d.run("config", "rerank", "show")
	if _, body := a.ok(http.MethodGet, "", "", ""); body != shown {
		t.Errorf("show: %s, want %s", shown, body)
	}
	if out := d.run("config", "rerank", "put", write("same.json", shown)); !strings.Contains(out, "nothing changed") {
		t.Errorf("put of the same: %s", out)
	}
	if out := d.run("config", "rerank", "versions"); !strings.Contains(out, "by hand") || !strings.Contains(out, "cli") {
		t.Errorf("versions: %s", out)
	}
	if out := d.run("config", "rerank", "diff", "1", "3"); !strings.Contains(out, "weights.home.freshness: 1 → ") {
		t.Errorf("diff: %s", out)
	}
	code, _, stderr := runCommand(t, d.with([]string{"config", "rerank", "put", write("bad.json", `{"terms":{"rating_prior":-1},"rule":[]}`)})...)
	if code != 1 || !strings.Contains(stderr, "terms.rating_prior") || !strings.Contains(stderr, `did you mean "rules"?`) {
		t.Errorf("put of a bad one: %d %s", code, stderr)
	}
	if code, _, stderr := runCommand(t, d.with([]string{"config", "rerank", "activate", "2", "--base", "v1"})...); code != 1 || !strings.Contains(stderr, "v3 is in use") {
		t.Errorf("activate from elsewhere: %d %s", code, stderr)
	}
	if out := d.run("config", "rerank", "activate", "1"); !strings.Contains(out, "v1 is in use") {
		t.Errorf("activate: %s", out)
	}
	eventually(t, 2*time.Second, "what the command line activated", func() bool { return a.version() == "v1" })
	if out := mustRun(t, "config", "rerank", "schema"); !strings.Contains(out, `"$schema"`) {
		t.Errorf("schema: %s", out)
	}
}

// TestRerankConfigReplicas lets two servers on one PostgreSQL race and agree: by
// notifications alone, and by polling alone.
func TestRerankConfigReplicas(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	d := production(t)
	key := d.key("admin")
	// The first would see a change a minute later, were it not told of it.
	a, b := admin{d.start("--settings.poll", "1m", "--explore.enabled=false"), key}, admin{d.start("--explore.enabled=false"), key}
	both := []admin{a, b}
	for _, x := range both {
		x.up()
	}
	agree := func(how, want string) {
		t.Helper()
		for i, x := range both {
			took := eventually(t, 2*time.Second, how+" on every replica", func() bool { return x.version() == want })
			t.Logf("%s: replica %d makes lists by %s after %v", how, i, want, took)
			if x == a && took > told {
				t.Errorf("%s: replica %d heard nothing and saw it by itself", how, i)
			}
		}
	}
	b.ok(http.MethodPatch, "", "*", `{"terms":{"rating_prior":30}}`)
	if got := b.version(); got != "v1" {
		t.Errorf("the writer's own replica is at %s", got)
	}
	agree("a write", "v1")
	a.ok(http.MethodPatch, "", `"v1"`, `{"terms":{"rating_prior":31}}`)
	agree("a write to the other", "v2")
	a.ok(http.MethodPost, "/versions/1/activate", "", "")
	agree("a step back", "v1")

	// Both write at once, each trying again when it was too late.
	const each = 6
	var group sync.WaitGroup
	for i, x := range both {
		group.Go(func() {
			for n := range each {
				for !x.addRule(fmt.Sprintf("r%d-%d", i, n)) {
				}
			}
		})
	}
	group.Wait()
	tag, body := a.ok(http.MethodGet, "", "", "")
	var doc struct{ Rules []struct{ ID string } }
	if err := json.Unmarshal([]byte(body), &doc); err != nil || len(doc.Rules) != 2*each {
		t.Errorf("%d rules of %d, %v", len(doc.Rules), 2*each, err)
	}
	agree("a race", strings.Trim(tag, `"`))

	// Without a notification the poll comes to it.
	both = both[1:]
	d.activateSilently(t, lectern.SettingsRerank, 2)
	agree("an activation that nobody told of", "v2")
}

// told is by when a replica knows of a change that is notified of it; by itself one with
// settings.poll at a minute looks later.
const told = 30 * time.Second

// addRule adds a rule to what is in use, and reports whether nobody was faster.
func (a admin) addRule(id string) bool {
	a.t.Helper()
	tag, body := a.ok(http.MethodGet, "", "", "")
	var doc map[string]any
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		a.t.Error(err)
		return true
	}
	rules, _ := doc["rules"].([]any)
	doc["rules"] = append(rules, map[string]any{"id": id, "action": "hide", "courses": []string{"x"}})
	next, err := json.Marshal(doc)
	if err != nil {
		a.t.Error(err)
		return true
	}
	status, _, answer := a.rerank(http.MethodPut, "", tag, string(next))
	if status != http.StatusOK && status != http.StatusPreconditionFailed {
		a.t.Errorf("add %s: %d %s", id, status, answer)
		return true
	}
	return status == http.StatusOK
}

// activateSilently does what the store does, but tells nobody.
func (d *deployment) activateSilently(t *testing.T, kind string, version int) {
	t.Helper()
	c, err := LoadConfig("", d.environ(), nil)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), c.Store.Postgres.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	const silent = `WITH a AS (
		INSERT INTO settings_activations (kind, version, author, comment, at) VALUES ($2, $1, 'sql', '', now()) RETURNING seq
	) UPDATE settings_kinds SET active = $1, activation = a.seq FROM a WHERE kind = $2`
	if _, err := conn.Exec(t.Context(), silent, version, kind); err != nil {
		t.Fatal(err)
	}
}
