package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// What reviews say moves ranking within seconds; an attack is held back and listed,
// and moves nothing until an admin releases it, on whichever replica.
func TestOpinions(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testOpinions)
}

// opinionAnswer is a summary as it is told.
type opinionAnswer struct {
	Score    *float64
	Positive *float64
	Reviews  int
	Read     int
	Held     int
	Model    string
	Aspects  []lectern.AspectSummary
}

// sentimentOf returns the sentiment term of a course in a list for nobody.
func (s *testServer) sentimentOf(key, course string) float64 {
	return s.termOf(key, course, "sentiment")
}

func (s *testServer) termOf(key, course, name string) float64 {
	var l struct {
		Items []struct {
			CourseID string `json:"course_id"`
			Terms    []lectern.Term
		}
	}
	s.get("/v1/recommendations?limit=50&explain=true", key, &l)
	for _, item := range l.Items {
		for _, term := range item.Terms {
			if item.CourseID == course && term.Name == name {
				return term.Value
			}
		}
	}
	return math.NaN()
}

func (s *testServer) opinion(key, course string) (out opinionAnswer) {
	s.get("/v1/courses/"+course+"/reviews/summary", key, &out)
	return out
}

// lines sends rows, one in a line.
func (s *testServer) lines(path, key, rows string) {
	s.t.Helper()
	if status, answer := s.do(http.MethodPost, path, key, "application/x-ndjson", rows); status != http.StatusOK || strings.Contains(string(answer), "rejected") {
		s.t.Fatalf("%s: %d %s", path, status, answer)
	}
}

// babble is text that nobody else writes.
func babble(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	var out []string
	for range 14 {
		var w []byte
		for range 2 + r.IntN(3) {
			w = append(w, "bdfgklmnprst"[r.IntN(12)], "aeiou"[r.IntN(5)])
		}
		out = append(out, string(w))
	}
	return strings.Join(out, " ") + "."
}

// honestReviews are half a year of content learners' reviews of a course, as lines.
func honestReviews(course string, n int, now time.Time) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":"%s-h%d","course_id":%q,"learner_id":"l%d","stars":5,"language":"en","written_at":%q,"text":"Great lectures. %s"}`+"\n",
			course, i, course, i, now.AddDate(0, 0, -5*i-20).Format(time.RFC3339), babble(uint64(i)))
	}
	return b.String()
}

func testOpinions(t *testing.T, d *deployment) {
	server, admin, public := d.key("server"), d.key("admin"), d.key("public")
	servers := []*testServer{d.start("--explore.enabled=false")}
	if d.postgres != nil {
		servers = append(servers, d.start("--explore.enabled=false"))
	}
	s, last := servers[0], servers[len(servers)-1]
	for _, s := range servers {
		eventually(t, time.Minute, "readiness", func() bool { return s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
	}
	now := time.Now().UTC().Truncate(time.Second)
	for _, id := range []string{"loved", "hated", "unread"} {
		s.must(http.MethodPut, "/v1/courses/"+id, server, fmt.Sprintf(`{"title":"Course %s"}`, id))
	}
	if got := s.opinion(public, "unread"); got.Score != nil || got.Reviews != 0 {
		t.Errorf("without reviews: %+v", got)
	}
	if status := s.send(http.MethodGet, "/v1/courses/none/reviews/summary", public, ""); status != http.StatusNotFound {
		t.Errorf("of an unknown course: %d", status)
	}
	s.lines("/v1/reviews/batch", server, honestReviews("loved", 40, now))
	s.must(http.MethodPut, "/v1/reviews/only", server, fmt.Sprintf(
		`{"course_id":"hated","stars":1,"language":"en","written_at":%q,"text":"Terrible course. The lectures are boring and the assignments are a waste of time."}`, now.Format(time.RFC3339)))
	took := eventually(t, time.Minute, "the reviews are read", func() bool {
		return s.opinion(public, "loved").Read == 40 && s.opinion(public, "hated").Read == 1
	})
	t.Logf("summaries after %v", took)
	loved, hated := s.opinion(public, "loved"), s.opinion(public, "hated")
	if *loved.Score <= *hated.Score || *loved.Positive != 1 || *hated.Positive != 0 || len(loved.Aspects) == 0 || loved.Model == "" {
		t.Errorf("loved %+v, hated %+v", loved, hated)
	}
	for i, s := range servers {
		took := eventually(t, 10*time.Second, "ranking hears of it", func() bool { return s.sentimentOf(public, "loved") > s.sentimentOf(public, "hated") })
		t.Logf("ranked at replica %d after %v", i, took)
	}
	checkOpinionTag(t, s, public)
	calm, quality := last.sentimentOf(public, "loved"), last.termOf(public, "loved", "quality")
	attackCourse(t, d.inTest(t), s, server, admin, public, now, loved)
	if moved := last.sentimentOf(public, "loved"); math.Abs(moved-calm) > 0.005 {
		t.Errorf("the attack moved the term from %v to %v", calm, moved)
	}
	starAttack(t, s, server, admin, now)
	for _, s := range servers {
		unmoved := func() bool {
			return math.Abs(s.termOf(public, "loved", "quality")-quality) < 1e-6 && math.Abs(s.sentimentOf(public, "loved")-calm) < 0.005
		}
		eventually(t, 10*time.Second, "the attacks leave quality and sentiment as they were", unmoved)
	}

	// Released at another replica, they count.
	for i := range attackers {
		last.must(http.MethodPost, fmt.Sprintf("/v1/admin/reviews/x%d/hold", i), admin, `{"status":"released"}`)
	}
	eventually(t, 10*time.Second, "the released ones count everywhere", func() bool {
		got := s.opinion(public, "loved")
		return got.Held == 0 && got.Read == 40+attackers && *got.Score < *loved.Score-0.05 && s.sentimentOf(public, "loved") < calm-0.01 &&
			s.termOf(public, "loved", "quality") < quality-0.01
	})
	last.must(http.MethodPost, "/v1/admin/reviews/x0/hold", admin, `{"status":"upheld"}`)
	if got := last.opinion(public, "loved"); got.Held != 1 || got.Read != 40+attackers-1 {
		t.Errorf("at once after a decision: %+v", got)
	}
	for _, wrong := range []string{`{"status":"pending"}`, `{}`, `{"status":"released","x":1}`} {
		if status := s.send(http.MethodPost, "/v1/admin/reviews/x0/hold", admin, wrong); status != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, status)
		}
	}
	if status := s.send(http.MethodPost, "/v1/admin/reviews/none/hold", admin, `{"status":"upheld"}`); status != http.StatusNotFound {
		t.Errorf("an unknown review: %d", status)
	}
	eventually(t, time.Second, "those without text are counted as pending", func() bool {
		return s.metric("lectern_reviews_held_pending") == strconv.Itoa(attackers)
	})
	for _, s := range servers {
		s.kill()
	}
	opinionsByCommand(t, d)
}

const attackers = 16

// starAttack sends stars without text by the same accounts, which are held as well.
func starAttack(t *testing.T, s *testServer, server, admin string, now time.Time) {
	t.Helper()
	var b strings.Builder
	for i := range attackers {
		fmt.Fprintf(&b, `{"id":"y%d","course_id":"loved","learner_id":"star%d","stars":1,"written_at":%q}`+"\n",
			i, i, now.Add(-time.Duration(i)*time.Minute).Format(time.RFC3339))
	}
	s.lines("/v1/reviews/batch", server, b.String())
	type page struct {
		Held []struct {
			ReviewID  string `json:"review_id"`
			LearnerID string `json:"learner_id"`
		}
		Total      int
		NextCursor *string `json:"next_cursor"`
	}
	list := func(query string) (out page) {
		s.get("/v1/admin/reviews/held?course_id=loved&status=pending"+query, admin, &out)
		return out
	}
	eventually(t, 10*time.Second, "the stars are held back", func() bool { return list("").Total == 2*attackers })
	seen := map[string]bool{}
	for query := "&limit=9"; ; {
		p := list(query)
		for _, h := range p.Held {
			if seen[h.ReviewID] = true; h.LearnerID == "" || p.Total != 2*attackers {
				t.Errorf("%+v of %d", h, p.Total)
			}
		}
		if p.NextCursor == nil {
			break
		}
		query = "&limit=9&cursor=" + *p.NextCursor
	}
	if len(seen) != 2*attackers || len(list("&limit=200").Held) != 2*attackers {
		t.Errorf("%d of %d in pages", len(seen), 2*attackers)
	}
}

// attackCourse sends a burst of one-star reviews by new accounts.
func attackCourse(t *testing.T, d *deployment, s *testServer, server, admin, public string, now time.Time, before opinionAnswer) {
	t.Helper()
	var b strings.Builder
	for i := range attackers {
		fmt.Fprintf(&b, `{"id":"x%d","course_id":"loved","learner_id":"fresh%d","stars":1,"language":"en","written_at":%q,"text":"Terrible course, boring and useless. %s"}`+"\n",
			i, i, now.Add(-time.Duration(i)*time.Minute).Format(time.RFC3339), babble(uint64(1000+i)))
	}
	s.lines("/v1/reviews/batch", server, b.String())
	eventually(t, 10*time.Second, "the attack is held back", func() bool { return s.opinion(public, "loved").Held == attackers })
	if got := s.opinion(public, "loved"); math.Abs(*got.Score-*before.Score) > 1e-6 || got.Reviews != 40+attackers || got.Read != 40 {
		t.Errorf("before %+v\nafter %+v", before, got)
	}
	var held struct {
		Held []struct {
			ReviewID string `json:"review_id"`
			Rule     string
			Detail   string
			Text     string
			Status   string
		}
	}
	s.get("/v1/admin/reviews/held?course_id=loved&status=pending&limit=50", admin, &held)
	if len(held.Held) != attackers || held.Held[0].Detail == "" || held.Held[0].Text == "" || held.Held[0].Status != "pending" {
		t.Errorf("held: %+v", held)
	}
	shown := func(key string) (all, marked int) {
		var page struct {
			Reviews []struct{ ID, Held string }
		}
		s.get("/v1/courses/loved/reviews?limit=50", key, &page)
		for _, r := range page.Reviews {
			if strings.HasPrefix(r.ID, "x") {
				all++
			}
			if r.Held != "" {
				marked++
			}
		}
		return all, marked
	}
	for key, want := range map[string]int{public: 0, server: 0, admin: attackers} {
		if all, marked := shown(key); all != want || marked != want {
			t.Errorf("%d held reviews are shown, %d marked, want %d", all, marked, want)
		}
	}
	if out := d.run("reviews", "held", "--course", "loved"); strings.Count(out, "pending") != attackers {
		t.Errorf("listed: %s", out)
	}
}

// checkOpinionTag asks for a summary that the caller has.
func checkOpinionTag(t *testing.T, s *testServer, key string) {
	t.Helper()
	ask := func(tag string) (status int, now string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+"/v1/courses/loved/reviews/summary", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("If-None-Match", tag)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode, res.Header.Get("ETag")
	}
	_, tag := ask(`"other"`)
	if status, _ := ask(tag); tag == "" || status != http.StatusNotModified {
		t.Errorf("tag %q: %d", tag, status)
	}
}

// opinionsByCommand does the same without a server.
func opinionsByCommand(t *testing.T, d *deployment) {
	t.Helper()
	if out := d.run("reviews", "rebuild"); !strings.HasPrefix(out, "3 courses read by lexicon") {
		t.Errorf("rebuild: %s", out)
	}
	if out := d.run("reviews", "held", "--limit", "3"); !strings.Contains(out, fmt.Sprintf("3 of %d: --limit", 2*attackers)) || !strings.Contains(out, "star") {
		t.Errorf("held: %s", out)
	}
	if out := d.run("reviews", "summary", "loved"); !strings.Contains(out, "56 reviews: 55 read, 0 in other languages, 1 held back") {
		t.Errorf("summary: %s", out)
	}
	var s lectern.ReviewSummary
	if err := json.Unmarshal([]byte(d.run("reviews", "summary", "--json", "hated")), &s); err != nil || s.Read != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if out := d.run("doctor"); !strings.Contains(out, fmt.Sprintf("lexicon/1 reads %d reviews", 57+attackers)) {
		t.Errorf("doctor: %s", out)
	}
}
