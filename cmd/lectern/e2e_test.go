package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

type listAnswer struct {
	RankingID  string `json:"ranking_id"`
	NextCursor string `json:"next_cursor"`
	Items      []struct {
		CourseID string `json:"course_id"`
		Score    float64
		Terms    []struct{ Contribution float64 }
	}
	Degraded []string
}

func (l listAnswer) ids() []string {
	out := make([]string, len(l.Items))
	for i, item := range l.Items {
		out[i] = item.CourseID
	}
	return out
}

// TestEndToEnd takes a catalogue through files, HTTP, a restart and back.
func TestEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testEndToEnd)
}

func testEndToEnd(t *testing.T, d *deployment) {
	dir := t.TempDir()
	files := filepath.Join(dir, "demo")
	mustRun(t, "demo", "--out", files, "--courses", "300", "--learners", "120", "--reviews", "400", "--events", "4000")
	for _, kind := range []string{"courses", "learners", "reviews", "events"} {
		out := d.run("import", kind, filepath.Join(files, kind+".jsonl"))
		if !strings.Contains(out, "committed") {
			t.Fatalf("import %s acknowledged nothing:\n%s", kind, out)
		}
	}
	server, admin, public := d.key("server"), d.key("admin"), d.key("public")
	s := d.start("--explore.enabled=false")
	eventually(t, time.Minute, "readiness", func() bool { return s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
	eventually(t, time.Minute, "meaning", func() bool {
		var l listAnswer
		s.get("/v1/search?q=data", public, &l)
		return len(l.Degraded) == 0
	})

	t.Run("an event changes the next list within a second", func(t *testing.T) {
		var before, after listAnswer
		s.get("/v1/learners/newcomer/recommendations?limit=20", server, &before)
		if len(before.Items) != 20 {
			t.Fatalf("a learner nobody knows got %d items", len(before.Items))
		}
		s.must(http.MethodPost, "/v1/events", server, fmt.Sprintf(
			`{"id":"e1","type":"enrol","learner_id":"newcomer","course_id":%q,"occurred_at":%q,"ranking_id":%q,"position":3}`,
			before.Items[3].CourseID, time.Now().UTC().Format(time.RFC3339), before.RankingID))
		took := eventually(t, time.Second, "another list", func() bool {
			s.get("/v1/learners/newcomer/recommendations?limit=20", server, &after)
			return !slices.Contains(after.ids(), before.Items[3].CourseID) && !slices.Equal(before.ids(), after.ids())
		})
		t.Logf("the list changed after %v", took)
	})

	t.Run("a course is found as soon as it is written, and not once it is gone", func(t *testing.T) {
		s.must(http.MethodPut, "/v1/courses/zymurgy-101", server, `{"title":"Zymurgy: brewing from first principles","skills":["Fermentation"]}`)
		find := func() bool {
			var l listAnswer
			s.get("/v1/search?q=zymurgy", public, &l)
			return slices.Contains(l.ids(), "zymurgy-101")
		}
		eventually(t, 2*time.Second, "the new course", find)
		s.must(http.MethodDelete, "/v1/courses/zymurgy-101", server, "")
		eventually(t, 2*time.Second, "the course is gone", func() bool { return !find() })
	})

	t.Run("an event for a course to come counts when it comes", func(t *testing.T) {
		status, body := s.do(http.MethodPost, "/v1/events", server, "application/json", fmt.Sprintf(
			`{"id":"e2","type":"complete","learner_id":"early","course_id":"later-101","occurred_at":%q}`, time.Now().UTC().Format(time.RFC3339)))
		if status != http.StatusAccepted || !strings.Contains(string(body), "parked") {
			t.Fatalf("%d %s", status, body)
		}
		s.must(http.MethodPut, "/v1/courses/later-101", server, `{"title":"A course that came later"}`)
		var trace struct{ Outcome string }
		eventually(t, 2*time.Second, "seen by the learner", func() bool {
			s.get("/v1/admin/trace?learner=early&course=later-101", admin, &trace)
			return trace.Outcome == "seen"
		})
	})

	t.Run("explained scores add up", func(t *testing.T) {
		var l listAnswer
		s.get("/v1/search?q=machine+learning&explain=true&limit=10", public, &l)
		for _, item := range l.Items {
			sum := 0.0
			for _, term := range item.Terms {
				sum += term.Contribution
			}
			if len(item.Terms) == 0 || sum-item.Score > 1e-6 || item.Score-sum > 1e-6 {
				t.Errorf("%s: %d terms add up to %v, score %v", item.CourseID, len(item.Terms), sum, item.Score)
			}
		}
	})

	t.Run("a restart forgets nothing", func(t *testing.T) {
		// A vector that arrives in between would change the order, and so would what
		// others did since statistics were last read: both lists are a new server's.
		d.inTest(t).embedded(s)
		restart := func() {
			s.kill()
			s = d.start("--explore.enabled=false") // it outlives this subtest
			s.ready(public)
			d.inTest(t).embedded(s)
		}
		restart()
		var before, after listAnswer
		s.get("/v1/search?q=statistics&limit=3", public, &before)
		d.inTest(t).stored(before.RankingID)
		restart()
		s.get("/v1/search?q=statistics&limit=3", public, &after)
		if !slices.Equal(before.ids(), after.ids()) {
			t.Errorf("another order after the restart: %v, then %v", before.ids(), after.ids())
		}
		var next listAnswer
		s.get("/v1/search?q=statistics&limit=3&cursor="+before.NextCursor, public, &next)
		if next.RankingID != before.RankingID || len(next.Items) == 0 {
			t.Errorf("the cursor from before the restart gave %+v", next)
		}
	})

	t.Run("the served search is what is evaluated", func(t *testing.T) {
		queries, qrels := filepath.Join(dir, "q.tsv"), filepath.Join(dir, "r.txt")
		d.inTest(t).run("eval", "queries", "--queries", queries, "--qrels", qrels)
		out := d.inTest(t).run("eval", "search", "--queries", queries, "--qrels", qrels, "--json")
		var report struct {
			Rankers []map[string]any
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		var names []string
		for _, r := range report.Rankers {
			names = append(names, fmt.Sprint(r["name"]))
			for _, metric := range []string{"ndcg@10", "recall@50", "mrr@10"} {
				if v, ok := r[metric].(float64); !ok || v <= 0 || v > 1 {
					t.Errorf("%v: %s = %v", r["name"], metric, r[metric])
				}
			}
		}
		if !slices.Equal(names, []string{"bm25", "latent", "hybrid-skills-off", "hybrid"}) {
			t.Errorf("rankers %v", names)
		}
	})

	t.Run("metrics of the parts", func(t *testing.T) {
		for _, want := range []string{"lectern_store_rows{kind=\"courses\"} 30", "lectern_embedder_ready 1", "lectern_index_vectors{vector=\"content\"}", "go_goroutines"} {
			eventually(t, time.Second, want+" in /metrics", func() bool { // which leaves out what a busy store does not tell in time
				_, body := s.do(http.MethodGet, "/metrics", "", "", "")
				return strings.Contains(string(body), want)
			})
		}
	})
	d.checkDeep()
}

func TestEmptyCatalogueAndCatalogueOfOne(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testEmptyCatalogue)
}

func testEmptyCatalogue(t *testing.T, d *deployment) {
	server := d.key("server")
	s := d.start("--explore.enabled=false")
	eventually(t, 20*time.Second, "readiness", func() bool { return s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
	paths := []string{"/v1/search?q=anything", "/v1/learners/somebody/recommendations"}
	for _, path := range paths {
		var l listAnswer
		if s.get(path, server, &l); len(l.Items) != 0 {
			t.Errorf("%s on an empty catalogue: %v", path, l.ids())
		}
	}
	s.must(http.MethodPut, "/v1/courses/only", server, `{"title":"The only course","description":"About anything at all."}`)
	for _, path := range paths {
		eventually(t, 2*time.Second, path, func() bool {
			var l listAnswer
			s.get(path, server, &l)
			return slices.Equal(l.ids(), []string{"only"})
		})
	}
	var similar listAnswer
	if s.get("/v1/courses/only/similar", server, &similar); len(similar.Items) != 0 {
		t.Errorf("similar to the only course: %v", similar.ids())
	}
	eventually(t, 30*time.Second, "an embedder of one course", func() bool {
		var l listAnswer
		s.get("/v1/search?q=course", server, &l)
		return len(l.Degraded) == 0
	})
}

func TestCommandLineMistakes(t *testing.T) {
	data := t.TempDir()
	mustRun(t, "migrate", "up", "--data", data)
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no data to examine", []string{"doctor", "--data", data + "/none"}, "there is no data in"},
		{"no data to reindex", []string{"reindex", "--data", data + "/none"}, "there is no data in"},
		{"unknown flag", []string{"serve", "--adress", "x"}, "did you mean"},
		{"unknown command", []string{"serv"}, `did you mean "serve"`},
		{"unknown subcommand", []string{"keys", "lst"}, `did you mean "list"`},
		{"unknown kind", []string{"import", "corses", "x"}, `did you mean "courses"`},
		{"unknown scope", []string{"keys", "create", "--scope", "pubic", "--name", "x", "--data", data}, `did you mean "public"`},
		{"no file", []string{"import", "courses", "--data", data}, "name at least one file"},
		{"missing file", []string{"import", "courses", "no-such-file.csv", "--data", data}, "no-such-file.csv"},
		{"bad value", []string{"serve", "--data", data, "--log.level", "loud"}, "debug, info, warn, error"},
		{"empty catalogue", []string{"eval", "queries", "--queries", data + "/q", "--qrels", data + "/r", "--data", data}, "is empty"},
		{"unknown key revoked", []string{"keys", "revoke", "nobody", "--data", data}, "nobody"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := runCommand(t, tt.args...)
			if code == 0 || !strings.Contains(stderr, tt.want) {
				t.Errorf("status %d, %q does not say %q", code, stderr, tt.want)
			}
		})
	}
}

// A mistyped folder or file must not leave a database behind, and neither must a
// dry run.
func TestNothingIsMadeByMistake(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "courses.jsonl")
	write(t, file, `{"id":"a","title":"A course"}`+"\n")
	data := filepath.Join(dir, "none")
	for _, args := range [][]string{
		{"doctor", "--data", data},
		{"keys", "list", "--data", data},
		{"import", "courses", file + ".gz", "--data", data},
	} {
		if code, _, _ := runCommand(t, args...); code == 0 {
			t.Errorf("%v succeeded", args)
		}
	}
	if out := mustRun(t, "import", "courses", file, "--data", data, "--dry-run"); !strings.Contains(out, "A course") {
		t.Errorf("dry run printed %q", out)
	}
	if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s was made: %v", data, err)
	}
}

func TestOneServerAFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	data := t.TempDir()
	first := startServer(t, data)
	code, _, stderr := runCommand(t, "serve", "--data", data, "--server.address", "127.0.0.1:0")
	if code == 0 || !strings.Contains(stderr, "another server is running") {
		t.Errorf("status %d, %s", code, stderr)
	}
	first.kill()
	second := startServer(t, data)
	if status := second.send(http.MethodGet, "/healthz", "", ""); status != http.StatusOK {
		t.Errorf("after a kill the folder stays locked: %d", status)
	}
}
