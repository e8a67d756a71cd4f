package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// What is searched for and opened is counted and offered to others; what was
// suggested is stored once an event cites it; the erasure of a learner reaches
// both, and all of it outlives a restart.
func TestSearchLog(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testSearchLog)
}

func testSearchLog(t *testing.T, d *deployment) {
	// By words alone: an embedder may find something for any word.
	d.args = append(d.args, "--searchlog.min_openers", "1", "--searchlog.refresh", "1s",
		"--retrieve.semantic_weight", "0", "--retrieve.reviews_weight", "0")
	l := &searchLogTest{t: t, d: d, server: d.key("server"), admin: d.key("admin"), public: d.key("public")}
	l.s = d.start()
	eventually(t, time.Minute, "readiness", func() bool { return l.s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
	for id, title := range map[string]string{"bees": "Keeping Bees", "bee-health": "The Health of Bees", "sql": "SQL for Analysts"} {
		l.s.must(http.MethodPut, "/v1/courses/"+id, l.server, fmt.Sprintf(`{"title":%q}`, title))
	}
	for _, who := range []string{"ada", "bob"} {
		l.s.must(http.MethodPut, "/v1/learners/"+who, l.server, `{}`)
	}
	// In other words than below: what is searched for in vain meanwhile is logged.
	eventually(t, 5*time.Second, "the courses in searches", func() bool { return len(l.search("ada", "keeping bees").Items) == 2 })
	eventually(t, 5*time.Second, "the courses in suggestions", func() bool {
		return len(l.suggest(l.public, "q=bee").Groups.Courses) == 2 && len(l.suggest(l.public, "q=sql").Groups.Courses) == 1
	})
	l.searches()
	cited := l.citations()
	l.erasure(cited)
	l.restart()
}

type searchLogTest struct {
	t                     *testing.T
	d                     *deployment
	s                     *testServer
	server, admin, public string
	events                int
}

type foundList struct {
	RankingID string `json:"ranking_id"`
	Items     []struct {
		Course   struct{ ID string }
		Position int
	}
}

func (l *searchLogTest) search(who, query string) (out foundList) {
	l.t.Helper()
	l.s.get("/v1/search?q="+url.QueryEscape(query)+"&learner="+who, l.server, &out)
	return out
}

// event returns the body of one event.
func (l *searchLogTest) event(who, course, ranking, more string) string {
	l.events++
	return fmt.Sprintf(`{"id":"event-%d","type":"click","learner_id":%q,"course_id":%q,"occurred_at":%q,"ranking_id":%q%s}`,
		l.events, who, course, time.Now().UTC().Format(time.RFC3339Nano), ranking, more)
}

func (l *searchLogTest) send(event string) {
	l.t.Helper()
	l.s.must(http.MethodPost, "/v1/events", l.server, event)
}

type insightSeen struct {
	Query    string
	Searches int
	Opened   int
	Openers  int
	Position *float64 `json:"mean_position"`
}

func (l *searchLogTest) insights() (out struct {
	Totals      struct{ Searches, Zero, Opened int }
	Top         []insightSeen
	ZeroResults []insightSeen `json:"zero_results"`
	Corrections []struct{ From, To string }
}) {
	l.t.Helper()
	l.s.get("/v1/admin/search/insights?days=1", l.admin, &out)
	return out
}

type suggestionsSeen struct {
	RankingID string `json:"ranking_id"`
	Groups    struct {
		Completions, Courses []struct{ ID, Text, Reason string }
	}
	Degraded []string
}

func (l *searchLogTest) suggest(key, query string) (out suggestionsSeen) {
	l.t.Helper()
	l.s.get("/v1/autocomplete?"+query, key, &out)
	return out
}

// searches: what was opened becomes a phrase, and shows in the insights.
func (l *searchLogTest) searches() {
	t := l.t
	before := l.insights().Totals.Searches // waiting for the catalogue searched, too
	// What a filter leaves empty is no gap in the catalogue, and not logged.
	for _, q := range []string{"xqzwv", "bees&category=none"} {
		var empty foundList
		if l.s.get("/v1/search?learner=bob&q="+q, l.server, &empty); len(empty.Items) > 0 {
			t.Fatalf("%s found %v", q, empty.Items)
		}
	}
	list := l.search("bob", "The health of BEES?")
	l.send(l.event("bob", list.Items[0].Course.ID, list.RankingID, fmt.Sprintf(`,"position":%d`, list.Items[0].Position)))
	var seen insightSeen
	eventually(t, 5*time.Second, "the searches in the insights", func() bool {
		got := l.insights()
		at := slices.IndexFunc(got.Top, func(q insightSeen) bool { return q.Query == "The health of BEES?" })
		if at < 0 || got.Totals.Searches < before+2 || got.Totals.Opened == 0 || len(got.ZeroResults) == 0 {
			return false
		}
		seen = got.Top[at]
		vain := slices.DeleteFunc(got.ZeroResults, func(q insightSeen) bool { return q.Query == "keeping bees" })
		return len(vain) == 1 && vain[0].Query == "xqzwv" && len(got.Corrections) == 1
	})
	if seen.Opened != 1 || seen.Openers != 1 || seen.Position == nil || *seen.Position != 0 {
		t.Errorf("insights: %+v", seen)
	}
	eventually(t, 10*time.Second, "the search as a completion", func() bool {
		return slices.ContainsFunc(l.suggest(l.public, "q=the+hea").Groups.Completions, func(c struct{ ID, Text, Reason string }) bool {
			return c.Text == "The health of BEES"
		})
	})
	eventually(t, 10*time.Second, "the learner's own search", func() bool {
		return slices.ContainsFunc(l.suggest(l.server, "learner=bob").Groups.Completions, func(c struct{ ID, Text, Reason string }) bool {
			return c.Text == "The health of BEES?" && c.Reason == "recent"
		})
	})
	if out := l.d.run("insights", "--days", "1"); !strings.Contains(out, `"The health of BEES?"`) || !strings.Contains(out, "xqzwv") {
		t.Errorf("lectern insights:\n%s", out)
	}
	var doc struct{ Totals struct{ Searches int } }
	if err := json.Unmarshal([]byte(l.d.run("insights", "--json")), &doc); err != nil || doc.Totals.Searches < 2 {
		t.Errorf("lectern insights --json: %v, %+v", err, doc)
	}
}

// citations: a token is stored as a ranking when it is cited, by HTTP and by
// import, and a forged one is refused. It returns the ranking's id.
func (l *searchLogTest) citations() string {
	t := l.t
	shown := l.suggest(l.server, "q=bee&learner=bob")
	if !strings.HasPrefix(shown.RankingID, "ac.") || len(shown.Groups.Courses) != 2 {
		t.Fatalf("%+v", shown)
	}
	second := shown.Groups.Courses[1].ID
	l.send(l.event("bob", second, shown.RankingID, ""))
	l.send(l.event("bob", second, shown.RankingID, "")) // citing it again stores no other

	var id string
	l.d.withStore(func(store relational) {
		events, err := store.LearnerEvents(t.Context(), lectern.LearnerRef{ID: "bob"}, 2)
		if err != nil || len(events) != 2 || events[0].RankingID != events[1].RankingID {
			t.Fatalf("%v, %v", events, err)
		}
		id = events[0].RankingID
		if e := events[0]; len(id) != 36 || e.Position == nil || *e.Position != 1 || e.Surface != lectern.SurfaceAutocomplete {
			t.Errorf("%+v", e)
		}
	})
	l.checkRanking(id, "bob", []string{shown.Groups.Courses[0].ID, second})

	forged := shown.RankingID[:len(shown.RankingID)-1] + "!"
	status, body := l.s.do(http.MethodPost, "/v1/events", l.server, "application/json", l.event("bob", second, forged, ""))
	if status != http.StatusBadRequest || !strings.Contains(string(body), `"field":"ranking_id"`) {
		t.Errorf("a forged token: %d %s", status, body)
	}
	status, body = l.s.do(http.MethodPost, "/v1/events/batch", l.server, "application/x-ndjson",
		l.event("bob", second, forged, "")+"\n"+l.event("bob", second, shown.RankingID, "")+"\n")
	if status != http.StatusOK || !strings.Contains(string(body), `"rejected"`) || !strings.Contains(string(body), `"created"`) {
		t.Errorf("a batch with a forged token: %d %s", status, body)
	}
	l.imported()
	return id
}

// imported: a file may cite suggestions, too.
func (l *searchLogTest) imported() {
	shown := l.suggest(l.public, "q=sql")
	path := filepath.Join(l.t.TempDir(), "events.jsonl")
	if err := os.WriteFile(path, []byte(l.event("carl", "sql", shown.RankingID, "")+"\n"), 0o600); err != nil {
		l.t.Fatal(err)
	}
	l.d.run("import", "events", path, "--strict")
	l.d.withStore(func(store relational) {
		events, err := store.LearnerEvents(l.t.Context(), lectern.LearnerRef{ID: "carl"}, 1)
		if err != nil || len(events) != 1 {
			l.t.Fatalf("%v, %v", events, err)
		}
		l.checkRanking(events[0].RankingID, "", []string{"sql"})
	})
}

func (l *searchLogTest) checkRanking(id, learner string, want []string) {
	l.t.Helper()
	var r struct {
		LearnerID string `json:"learner_id"`
		Surface   string
		Items     []struct {
			CourseID string `json:"course_id"`
		}
	}
	l.s.get("/v1/rankings/"+id, l.server, &r)
	var ids []string
	for _, i := range r.Items {
		ids = append(ids, i.CourseID)
	}
	if r.Surface != "autocomplete" || r.LearnerID != learner || !slices.Equal(ids, want) {
		l.t.Errorf("ranking %s: %+v", id, r)
	}
}

// erasure: nothing of the learner's searches is left, in the store or in memory.
func (l *searchLogTest) erasure(cited string) {
	t := l.t
	l.search("bob", "bees and honey") // may wait to be stored
	l.s.must(http.MethodDelete, "/v1/learners/bob", l.server, "")
	if got := l.s.send(http.MethodGet, "/v1/rankings/"+cited, l.server, ""); got != http.StatusNotFound {
		t.Errorf("the erased learner's suggestions: %d", got)
	}
	for _, c := range l.suggest(l.server, "learner=bob").Groups.Completions {
		if c.Reason == "recent" {
			t.Errorf("the erased learner is suggested %+v", c)
		}
	}
	for _, q := range l.insights().Top {
		if q.Query == "The health of BEES?" {
			t.Errorf("the erased learner's search is counted: %+v", q)
		}
	}
}

// restart: what was signed before it can be cited after it, and what was logged
// is still there.
func (l *searchLogTest) restart() {
	t := l.t
	shown := l.suggest(l.server, "q=sql&learner=ada")
	list := l.search("ada", "sql")
	l.send(l.event("ada", "sql", list.RankingID, ""))
	eventually(t, 5*time.Second, "the search in the insights", func() bool {
		return slices.ContainsFunc(l.insights().Top, func(q insightSeen) bool { return q.Query == "sql" && q.Opened == 1 })
	})
	l.s.kill()
	l.s = l.d.start()
	eventually(t, time.Minute, "readiness", func() bool { return l.s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
	l.send(l.event("ada", "sql", shown.RankingID, ""))
	if !slices.ContainsFunc(l.insights().Top, func(q insightSeen) bool { return q.Query == "sql" && q.Opened == 1 }) {
		t.Errorf("after a restart: %+v", l.insights())
	}
	eventually(t, 10*time.Second, "the phrase after a restart", func() bool {
		return len(l.suggest(l.server, "learner=ada").Groups.Completions) > 0
	})
}
