package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestFeedback says everything that can be said about a suggestion, and takes it back:
// the very next list is another one, behind the page cache and on another replica, and
// afterwards it is the one of before.
func TestFeedback(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testFeedback)
}

type pageAnswer struct {
	Rows []struct {
		Row string
		listAnswer
	}
}

// courses are all courses of a page, in order, each behind its row.
func (p pageAnswer) courses() []string {
	var out []string
	for _, r := range p.Rows {
		for _, id := range r.ids() {
			out = append(out, r.Row+" "+id)
		}
	}
	return out
}

func (p pageAnswer) holds(course string) bool {
	return slices.ContainsFunc(p.courses(), func(s string) bool { return strings.HasSuffix(s, " "+course) })
}

func testFeedback(t *testing.T, d *deployment) {
	d.importDemo(150, "courses")
	server, admin := d.key("server"), d.key("admin")
	// What ada does changes what is popular, too, whenever that is read anew.
	args := []string{"--explore.enabled=false", "--store.stats_refresh", "24h"}
	s := d.start(args...)
	other := s
	if d.postgres != nil {
		other = d.start(args...)
	}
	for _, replica := range []*testServer{s, other} {
		replica.ready(server)
	}
	d.embedded(s, other)
	var first listAnswer
	s.get("/v1/learners/ada/recommendations?limit=20", server, &first)
	for i, kind := range []string{`"complete"`, `"complete"`, `"progress", "value": 0.4`} {
		s.must(http.MethodPost, "/v1/events", server, fmt.Sprintf(`{"id":"e%d","type":%s,"learner_id":"ada","course_id":%q,"occurred_at":%q}`,
			i, kind, first.Items[i].CourseID, time.Now().UTC().Format(time.RFC3339Nano)))
	}
	if _, page := s.do(http.MethodGet, "/v1/learners/ada/home", server, "", ""); !strings.Contains(string(page), `"progress":0.4`) {
		t.Error("the home page does not say how much of the course under way is done")
	}
	f := feedbackRound{t: t, s: s, other: other, key: server, under: first.Items[2].CourseID}
	for _, kind := range []string{"more_like_this", "less_like_this", "not_now", "know_it", "report"} {
		t.Run(kind, func(t *testing.T) {
			f.t = t
			f.inTest().run(kind)
		})
	}
	t.Run("reports become a rule", func(t *testing.T) { testReportedRule(t, d.inTest(t), s, other, server, admin) })
	t.Run("the command line", func(t *testing.T) { testFeedbackCommands(t, d.inTest(t)) })
}

// feedbackRound is one thing said and taken back.
type feedbackRound struct {
	t        *testing.T
	s, other *testServer
	key      string
	under    string // the course that ada is at
}

func (f feedbackRound) inTest() feedbackRound {
	s, other := *f.s, *f.other
	s.t, other.t = f.t, f.t
	f.s, f.other = &s, &other
	return f
}

// look reads home page, list and profile of ada, from one replica.
func (f feedbackRound) look(from *testServer) (page pageAnswer, list listAnswer, profile string) {
	f.t.Helper()
	from.get("/v1/learners/ada/home", f.key, &page)
	from.get("/v1/learners/ada/recommendations?limit=20&explain=true", f.key, &list)
	_, body := from.do(http.MethodGet, "/v1/learners/ada/profile", f.key, "", "")
	return page, list, string(body)
}

func (f feedbackRound) run(kind string) {
	t := f.t
	f.look(f.other) // both have the page in memory
	pageBefore, before, profileBefore := f.look(f.s)
	if !slices.Contains(pageBefore.courses(), "continue "+f.under) {
		t.Fatalf("%s is not under way on %v", f.under, pageBefore.courses())
	}
	course := before.Items[1].CourseID
	reason := ""
	if kind == "report" {
		reason = `, "reason": "wrong_level", "comment": "too easy"`
	}
	var said struct{ ID, Term, Surface string }
	body := f.s.must(http.MethodPost, "/v1/learners/ada/feedback", f.key,
		fmt.Sprintf(`{"kind": %q, "course_id": %q, "ranking_id": %q, "position": 1%s}`, kind, course, before.RankingID, reason))
	if err := json.Unmarshal(body, &said); err != nil || said.Term == "" || said.Surface != "home" {
		t.Errorf("stored as %s, %v", body, err)
	}
	for _, from := range []*testServer{f.other, f.s} {
		page, after, profile := f.look(from)
		if gone := !page.holds(course) && !slices.Contains(after.ids(), course); gone != (kind != "more_like_this") {
			t.Errorf("the next list leaves it out: %v", gone)
		}
		if kind == "more_like_this" && scoreOf(after, course) <= scoreOf(before, course) {
			t.Errorf("its score goes from %v to %v", scoreOf(before, course), scoreOf(after, course))
		}
		if !strings.Contains(profile, said.ID) || !strings.Contains(profile, map[string]string{
			"more_like_this": "more like “", "less_like_this": "less like “", "not_now": "not before", "know_it": "already", "report": "of the wrong level",
		}[kind]) {
			t.Errorf("the profile does not say so: %s", profile)
		}
	}
	f.s.must(http.MethodDelete, "/v1/learners/ada/feedback/"+said.ID, f.key, "")
	for _, from := range []*testServer{f.other, f.s} {
		page, after, profile := f.look(from)
		if !slices.Equal(after.ids(), before.ids()) || !slices.Equal(page.courses(), pageBefore.courses()) {
			t.Errorf("taken back:\n%v\n%v, before:\n%v\n%v", page.courses(), after.ids(), pageBefore.courses(), before.ids())
		}
		// Weights decay while a test runs.
		if diff := cmp.Diff(facts(t, profileBefore), facts(t, profile), cmpopts.EquateApprox(0, 0.01)); diff != "" {
			t.Errorf("taken back, the profile is another: -before +after\n%s", diff)
		}
	}
}

func scoreOf(l listAnswer, course string) float64 {
	for _, item := range l.Items {
		if item.CourseID == course {
			return item.Score
		}
	}
	return 0
}

// facts are a profile to be compared.
func facts(t *testing.T, profile string) (out any) {
	t.Helper()
	if err := json.Unmarshal([]byte(profile), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// testReportedRule reports a course, hides it in two calls, and goes back.
func testReportedRule(t *testing.T, d *deployment, s, other *testServer, server, admin string) {
	list := func(from *testServer) (l listAnswer) {
		t.Helper()
		from.get("/v1/learners/grace/recommendations?limit=20", server, &l)
		return l
	}
	before := list(s)
	course := before.Items[0].CourseID
	for i := range 3 {
		s.must(http.MethodPost, fmt.Sprintf("/v1/visitors/v%d/feedback", i), server,
			fmt.Sprintf(`{"kind": "report", "course_id": %q, "reason": "offensive"}`, course))
	}
	var reported struct {
		Courses []struct {
			CourseID string `json:"course_id"`
			Reports  int
		}
	}
	other.get("/v1/admin/reports?status=open", admin, &reported)
	if len(reported.Courses) == 0 || reported.Courses[0].CourseID != course || reported.Courses[0].Reports != 3 {
		t.Fatalf("reports %+v", reported)
	}
	s.must(http.MethodPost, "/v1/admin/reports/"+course+"/rule", admin, `{"action": "hide"}`)
	eventually(t, 2*time.Second, "the course is hidden on every replica", func() bool {
		return !slices.Contains(list(other).ids(), course) && !slices.Contains(list(s).ids(), course)
	})
	other.get("/v1/admin/reports?status=open", admin, &reported)
	for _, c := range reported.Courses {
		if c.CourseID == course {
			t.Errorf("still open: %+v", c)
		}
	}
	s.must(http.MethodPost, "/v1/admin/config/rerank/versions/0/activate", admin, "")
	eventually(t, 2*time.Second, "the list of before", func() bool { return slices.Equal(list(other).ids(), before.ids()) })
}

// testFeedbackCommands does the same at the command line, beside the servers.
func testFeedbackCommands(t *testing.T, d *deployment) {
	contains := func(out string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%q is not in:\n%s", w, out)
			}
		}
	}
	var course string
	d.withStore(func(store relational) {
		found, _, err := store.ScanCourses(t.Context(), 0, 1)
		if err != nil || len(found) == 0 {
			t.Fatal(err)
		}
		course = found[0].ID
	})
	contains(d.run("learners", "feedback", "carol", "add", "report", course, "--reason", "outdated", "--comment", "of 2009", "--id", "f1"), "f1 is stored")
	contains(d.run("learners", "feedback", "carol", "add", "not_now", course, "--days", "3"), "is stored")
	contains(d.run("learners", "feedback", "carol"), "f1", "outdated", `"of 2009"`, "not_now", "until ")
	contains(d.run("learners", "feedback", "carol", "--json"), `"kind": "report"`, `"holds": true`)
	contains(d.run("reports", "--status", "open", "--course", course), course, "1 outdated", "open")
	contains(d.run("reports", "--group", "term"), "unknown")
	contains(d.run("reports", "set", course, "--status", "in_review", "--note", "looking"), "1 report changed")
	contains(d.run("reports", "--course", course, "--json"), `"status": "in_review"`, `"suggested_rules"`, "looking")
	contains(d.run("reports", "rule", course, "--action", "bury", "--surface", "home"), "report-bury-", "1 report resolved")
	contains(d.run("config", "rerank", "show"), "report-bury-")
	contains(d.run("learners", "feedback", "carol", "undo", "f1"), "taken back")
	contains(d.run("reports", "--course", course), "no reports")
}
