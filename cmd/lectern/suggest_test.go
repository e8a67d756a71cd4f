package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// suggested is what GET /v1/autocomplete answers.
type suggested struct {
	Groups struct {
		Completions, Courses, Skills []struct{ ID, Text, Reason, Via string }
	}
	Degraded []string
}

func (s suggested) courses() string {
	ids := make([]string, len(s.Groups.Courses))
	for i, c := range s.Groups.Courses {
		ids[i] = c.ID + ":" + c.Reason
	}
	return strings.Join(ids, " ")
}

// Two learners type the same and get two orders, the exact title first in both;
// with the weight at 0 the orders are equal. What they left unfinished waits in the
// empty search bar. Courses are found by what they mean.
func TestAutocompleteIsPersonal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testPersonalAutocomplete)
}

func testPersonalAutocomplete(t *testing.T, d *deployment) {
	key := d.key("server")
	s := d.start()
	eventually(t, time.Minute, "readiness", func() bool { return s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
	for _, c := range []struct{ id, title, about string }{
		{"exact", "Pythons", "Keep snakes as pets."},
		{"data", "Pythons for Numbers", "Statistics and data analysis."},
		{"web", "Pythons for Screens", "Web development and servers."},
		{"stats", "Regression at Work", "Statistics, regression and data analysis."},
		{"tests", "Hypotheses at Work", "Statistics and hypothesis testing."},
		{"html", "Pages at Work", "Web development with HTML and CSS."},
		{"css", "Colours at Work", "Web development with CSS."},
	} {
		category := map[bool]string{true: "Data", false: "Web"}[strings.Contains(c.about, "tatistics")]
		s.must(http.MethodPut, "/v1/courses/"+c.id, key, fmt.Sprintf(`{"title":%q,"description":%q,"categories":[%q]}`, c.title, c.about, category))
	}
	for i, e := range []struct{ learner, course string }{{"ana", "stats"}, {"ana", "tests"}, {"ben", "html"}, {"ben", "css"}} {
		s.must(http.MethodPost, "/v1/events", key,
			fmt.Sprintf(`{"id":"e%d","type":"enrol","learner_id":%q,"course_id":%q,"occurred_at":%q}`, i, e.learner, e.course, time.Now().UTC().Format(time.RFC3339)))
	}
	ask := func(s *testServer, q, learner string) (out suggested) {
		values := url.Values{"q": {q}}
		if learner != "" {
			values.Set("learner", learner)
		}
		s.get("/v1/autocomplete?"+values.Encode(), key, &out)
		return out
	}
	var a, b string
	defer func() { t.Logf("for ana %s, for ben %s", a, b) }()
	eventually(t, 20*time.Second, "two orders", func() bool {
		a, b = ask(s, "pythons f", "ana").courses(), ask(s, "pythons f", "ben").courses()
		return strings.HasPrefix(a, "data:prefix web:prefix") && strings.HasPrefix(b, "web:prefix data:prefix")
	})
	for _, learner := range []string{"ana", "ben"} {
		if got := ask(s, "pythons", learner).courses(); !strings.HasPrefix(got, "exact:exact") {
			t.Errorf("the exact title for %s: %s", learner, got)
		}
	}
	if got := ask(s, "", "ana").courses(); !strings.HasPrefix(got, "stats:unfinished tests:unfinished") && !strings.HasPrefix(got, "tests:unfinished stats:unfinished") {
		t.Errorf("nothing typed: %s", got)
	}
	eventually(t, 20*time.Second, "a course by its meaning", func() bool {
		return strings.Contains(ask(s, "make a website", "").courses(), "html:meaning")
	})
	eventually(t, 20*time.Second, "courses of an occupation that is being typed", func() bool {
		return strings.Contains(ask(s, "become a data ana", "").courses(), "tests:meaning")
	})
	s.kill()
	s = d.start("--suggest.personal_weight", "0")
	eventually(t, time.Minute, "readiness", func() bool { return s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
	eventually(t, 20*time.Second, "suggestions", func() bool { return ask(s, "pythons f", "").courses() != "" })
	// Until then what is asked later may find more.
	eventually(t, 20*time.Second, "a course by its meaning again", func() bool {
		return strings.Contains(ask(s, "make a website", "").courses(), "html:meaning")
	})
	for _, q := range []string{"pythons", "pythons f", "p", "at work"} {
		a, b, nobody := ask(s, q, "ana").courses(), ask(s, q, "ben").courses(), ask(s, q, "").courses()
		if a != b || a != nobody {
			t.Errorf("%q with weight 0: %s, %s, %s", q, a, b, nobody)
		}
	}
}
