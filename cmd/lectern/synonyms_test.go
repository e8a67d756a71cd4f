package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A rule finds what the catalogue alone does not connect, within two seconds, on
// every replica, and after a restart.
func TestSynonyms(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testSynonyms)
}

func testSynonyms(t *testing.T, d *deployment) {
	const path = "/v1/admin/synonyms"
	server, admin, public := d.key("server"), d.key("admin"), d.key("public")
	servers := []*testServer{d.start()}
	if d.postgres != nil {
		servers = append(servers, d.start())
	}
	s := servers[0]
	ready := func() {
		for _, s := range servers {
			eventually(t, time.Minute, "readiness", func() bool { return s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
		}
	}
	ready()
	for id, title := range map[string]string{"loaf": "Bread Baking at Home", "cakes": "Cakes and Tarts", "law": "Contract Law"} {
		s.must(http.MethodPut, "/v1/courses/"+id, server, fmt.Sprintf(`{"title":%q}`, title))
	}
	first := func(s *testServer, q string) string {
		var l listAnswer
		s.get("/v1/search?q="+q, public, &l)
		if len(l.Items) == 0 {
			return ""
		}
		return l.Items[0].CourseID
	}
	found := func(q, id string) {
		t.Helper()
		for i, s := range servers {
			took := eventually(t, 2*time.Second, q+" on every replica", func() bool { return first(s, q) == id })
			t.Logf("%q finds %q at replica %d after %v", q, id, i, took)
		}
	}
	for _, s := range servers {
		eventually(t, 10*time.Second, "the courses", func() bool { return first(s, "bread") == "loaf" && first(s, "law") == "law" })
		var l listAnswer
		s.get("/v1/search?q=xyzzyloaf", public, &l)
		if d.postgres == nil && len(l.Items) > 0 {
			t.Fatalf("found without a rule: %v", l.ids())
		}
	}

	s.must(http.MethodPut, path, admin, `{"version":0,"rules":[{"from":"xyzzyloaf","to":["bread baking"]}]}`)
	found("xyzzyloaf", "loaf")
	for _, s := range servers {
		eventually(t, 2*time.Second, "a suggestion by the rule", func() bool {
			var out struct {
				Groups struct{ Courses []struct{ ID, Reason string } }
			}
			s.get("/v1/autocomplete?q=xyzzyloaf", public, &out)
			return len(out.Groups.Courses) > 0 && out.Groups.Courses[0].ID == "loaf" && out.Groups.Courses[0].Reason == "synonym"
		})
	}

	// Bad rules and changes from an old version are refused, and change nothing.
	status, body := s.do(http.MethodPut, path, admin, "application/json", `{"version":1,"rules":[{"synonyms":["a","b"]},{"synonyms":["alone"]},{"from":"x"}]}`)
	if status != http.StatusBadRequest || !strings.Contains(string(body), "rules[1].synonyms") || !strings.Contains(string(body), "rules[2].to") {
		t.Errorf("bad rules: %d %s", status, body)
	}
	status, body = s.do(http.MethodPut, path, admin, "application/json", `{"version":0,"rules":[]}`)
	if status != http.StatusConflict || !strings.Contains(string(body), `"allowed":"1"`) {
		t.Errorf("an old version: %d %s", status, body)
	}
	found("xyzzyloaf", "loaf")

	for i, s := range servers {
		s.kill()
		servers[i] = d.start()
	}
	s = servers[0]
	ready()
	found("xyzzyloaf", "loaf")

	// By the command line, while servers run.
	file := filepath.Join(t.TempDir(), "rules.txt")
	if err := os.WriteFile(file, []byte("# more\nxyzzyloaf => bread baking\nplughlaw, contract law\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := d.run("synonyms", "put", file); out != "version 2: 2 rules\n" {
		t.Errorf("put: %s", out)
	}
	found("plughlaw", "law")
	out := d.run("synonyms", "get")
	if !strings.Contains(out, `"version": 2`) || !strings.Contains(out, "plughlaw") {
		t.Errorf("get: %s", out)
	}
	s.must(http.MethodPut, path, admin, `{"version":2,"rules":[]}`)
	for _, s := range servers {
		eventually(t, 2*time.Second, "no rule", func() bool {
			var l struct{ Rules []any }
			s.get(path, admin, &l)
			var found listAnswer
			s.get("/v1/search?q=plughlaw", public, &found)
			return len(l.Rules) == 0 && (d.postgres != nil || !slices.Contains(found.ids(), "law"))
		})
	}
	// What was read before is too old to be written now.
	if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := runCommand(t, d.with([]string{"synonyms", "put", file})...); code != 1 || !strings.Contains(stderr, "version 3 now") {
		t.Errorf("an old file: %d %s", code, stderr)
	}
	if out := d.run("synonyms", "put", file, "--force"); out != "version 4: 2 rules\n" {
		t.Errorf("put --force: %s", out)
	}
}

func TestSynonymsCheck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.txt")
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("js, javascript, JS\n")
	code, stdout, stderr := runCommand(t, "synonyms", "check", file)
	if code != 0 || stdout != "1 rules, 1 warnings\n" || !strings.Contains(stderr, "line 1 synonyms[2]: reads the same") {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
	write("js, javascript\nalone\n")
	if code, _, stderr := runCommand(t, "synonyms", "check", file); code != 1 || !strings.Contains(stderr, "line 2 synonyms: is alone") {
		t.Errorf("%d %s", code, stderr)
	}
	if code, _, stderr := runCommand(t, "synonyms", "check", file+".not"); code != 1 || !strings.Contains(stderr, "no such file") {
		t.Errorf("%d %s", code, stderr)
	}
}
