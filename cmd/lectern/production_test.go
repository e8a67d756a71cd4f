package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-dev/lectern/embed/openai/openaitest"
)

// ready waits until a server answers by words and meaning. PostgreSQL may still be on
// its way back, when requests answer 503; a Qdrant that was just started again is asked
// once the breaker lets a call through, and until then searches lack the index.
func (s *testServer) ready(key string) {
	s.t.Helper()
	eventually(s.t, time.Minute, "readiness", func() bool { return s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
	eventually(s.t, time.Minute, "meaning", func() bool {
		status, body := s.do(http.MethodGet, "/v1/search?q=data", key, "", "")
		if status == http.StatusServiceUnavailable {
			return false
		}
		var l listAnswer
		if err := json.Unmarshal(body, &l); err != nil || status != http.StatusOK {
			s.t.Fatalf("GET /v1/search: %d %s", status, body)
		}
		return len(l.Degraded) == 0
	})
}

// importDemo fills the store with a part of the demo platform.
func (d *deployment) importDemo(courses int, kinds ...string) {
	d.t.Helper()
	files := filepath.Join(d.t.TempDir(), "demo")
	mustRun(d.t, "demo", "--out", files, "--courses", fmt.Sprint(courses), "--learners", "40", "--reviews", "200", "--events", "1000")
	for _, kind := range kinds {
		d.run("import", kind, filepath.Join(files, kind+".jsonl"))
	}
}

// metric reads one figure without labels.
func (s *testServer) metric(name string) string {
	_, body := s.do(http.MethodGet, "/metrics", "", "", "")
	for line := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// TestKillServersBehind kills PostgreSQL, Qdrant and both while events and
// courses arrive. Lectern itself goes on, and nothing it acknowledged is lost.
func TestKillServersBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes; run without -short")
	}
	t.Parallel()
	d := production(t)
	if d.qdrant == nil {
		t.Skip("a real Qdrant is not the test's to kill")
	}
	d.importDemo(50, "courses")
	key := d.key("server")
	s := d.start("--explore.enabled=false")
	s.ready(key)
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 13))
	pause := func(most int) { time.Sleep(time.Duration(50+rng.IntN(most)) * time.Millisecond) }
	acked := newAcked()
	for round := range kills() {
		acked.ingest(t, s, key, round, func() {
			acked.wait(t)
			pause(300)
			if round%3 != 1 {
				d.postgres.Kill(t)
			}
			if round%3 != 0 {
				d.qdrant.Kill()
			}
			if round%3 == 1 { // PostgreSQL is there
				var l listAnswer
				if s.get("/v1/search?q=data", key, &l); len(l.Items) == 0 || !slices.Contains(l.Degraded, "index") {
					t.Errorf("a search without Qdrant: %d items, degraded %v", len(l.Items), l.Degraded)
				}
			}
			pause(600)
			if round%3 != 1 {
				d.postgres.Restart(t)
			}
			if round%3 != 0 {
				if err := d.qdrant.Restart(); err != nil {
					t.Error(err)
				}
			}
			pause(500)
		})
		s.ready(key)
	}
	acked.check(d)
	d.checkDeep()
}

// TestKillBehindImport kills PostgreSQL under an import. What the import called
// committed is there, and the same import run again completes it.
func TestKillBehindImport(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes; run without -short")
	}
	const rows = 20_000
	d := production(t)
	dir := t.TempDir()
	courses, ratings := filepath.Join(dir, "courses.jsonl"), filepath.Join(dir, "ratings.jsonl")
	writeLines(t, courses, 200, func(i int) any {
		return map[string]any{"id": fmt.Sprintf("course-%03d", i), "title": fmt.Sprintf("Course number %d", i)}
	})
	writeLines(t, ratings, rows, func(i int) any {
		return map[string]any{"course_id": fmt.Sprintf("course-%03d", i%200), "stars": 1 + i%5, "day": fmt.Sprintf("2024-01-%02d", 1+i%28)}
	})
	d.run("import", "courses", courses)
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 17))
	for round := range kills() {
		child := d.child(io.Discard, "import", "ratings", ratings, "--batch-rows", "200")
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		committed, killed := 0, false
		after := (1 + rng.IntN(60)) * 200
		followCommits(out, func(n int) {
			if committed = n; committed >= after && !killed {
				killed = true
				d.postgres.Kill(t)
				time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
				d.postgres.Restart(t)
			}
		})
		_ = child.Wait() // it may have waited for the server, or given up
		if n := d.stats().Ratings; n < int64(committed) || n > rows {
			t.Fatalf("round %d: %d ratings were acknowledged, %d are there", round, committed, n)
		}
	}
	d.run("import", "ratings", ratings)
	if n := d.stats().Ratings; n != rows {
		t.Errorf("%d ratings after the whole import, want %d", n, rows)
	}
}

// TestKillDuringReindex kills `lectern reindex`, and Qdrant under it. The
// generation in use goes on answering, and the next reindex succeeds.
func TestKillDuringReindex(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes; run without -short")
	}
	d := production(t)
	d.importDemo(300, "courses", "reviews")
	key := d.key("server")
	s := d.start()
	s.ready(key)
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 19))
	for round := range kills() {
		before := s.metric("lectern_index_generation")
		child := d.child(io.Discard, "reindex")
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
		if round%2 == 1 && d.qdrant != nil {
			d.qdrant.Kill()
			time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
			if err := d.qdrant.Restart(); err != nil {
				t.Fatal(err)
			}
		}
		_ = child.Process.Kill()
		_ = child.Wait()
		s.ready(key)
		t.Logf("round %d: generation %s, then %s", round, before, s.metric("lectern_index_generation"))
	}
	// A killed process keeps its lease for some seconds.
	eventually(t, 20*time.Second, "a reindex that nobody disturbs", func() bool {
		code, _, stderr := runCommand(t, d.with([]string{"reindex"})...)
		if code != 0 && !strings.Contains(stderr, "another process is reindexing") {
			t.Fatalf("reindex: %s", stderr)
		}
		return code == 0
	})
	var l listAnswer
	s.get("/v1/search?q=data", key, &l) // whichever generation it has
	s.ready(key)
	d.checkDeep()
}

// followCommits calls f with each number that an import says it has committed.
func followCommits(out io.Reader, f func(n int)) {
	var buffer strings.Builder
	chunk := make([]byte, 4096)
	for {
		n, err := out.Read(chunk)
		buffer.Write(chunk[:n])
		lines := strings.Split(buffer.String(), "\n")
		buffer.Reset()
		buffer.WriteString(lines[len(lines)-1])
		for _, line := range lines[:len(lines)-1] {
			var committed int
			if _, err := fmt.Sscanf(line, "committed %d", &committed); err == nil {
				f(committed)
			}
		}
		if err != nil {
			return
		}
	}
}

// TestReplicas runs two and three servers on one PostgreSQL: an event sent to one
// shows in the next list from the others within a second, a course too, and a
// killed leader is replaced within ten.
func TestReplicas(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes; run without -short")
	}
	t.Parallel()
	for _, n := range []int{2, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			d := production(t)
			d.importDemo(120, "courses")
			key := d.key("server")
			replicas := make([]*testServer, n)
			for i := range replicas {
				replicas[i] = d.start("--explore.enabled=false")
			}
			for _, s := range replicas {
				s.ready(key)
			}
			for i, from := range replicas {
				checkEventTravels(t, key, fmt.Sprintf("learner-%d", i), from, replicas[(i+1)%n])
				checkPageTravels(t, key, from, replicas[(i+1)%n])
			}
			leader := leaderOf(t, replicas)
			killed := time.Now()
			replicas[leader].kill()
			rest := slices.Delete(replicas, leader, leader+1)
			var next int
			eventually(t, 10*time.Second, "another leader", func() bool {
				next = slices.IndexFunc(rest, func(s *testServer) bool { return s.metric("lectern_leader") == "1" })
				return next >= 0
			})
			t.Logf("another leader after %v", time.Since(killed).Round(time.Millisecond))
			rest[0].must(http.MethodPut, "/v1/courses/zymurgy-101", key, `{"title":"Zymurgy: brewing from first principles"}`)
			for _, s := range rest {
				eventually(t, 3*time.Second, "the course in the index that the new leader writes", func() bool {
					var l listAnswer
					s.get("/v1/search?q=zymurgy", key, &l)
					return slices.Contains(l.ids(), "zymurgy-101")
				})
			}
		})
	}
}

// checkPageTravels asks one replica for a list and the other for its next page.
func checkPageTravels(t *testing.T, key string, from, to *testServer) {
	t.Helper()
	var first, second listAnswer
	from.get("/v1/search?q=data&limit=3", key, &first)
	eventually(t, time.Second, "the next page from another replica", func() bool { // which waits two seconds for the first to be stored
		status, body := to.do(http.MethodGet, "/v1/search?q=data&limit=3&cursor="+first.NextCursor, key, "", "")
		return status == http.StatusOK && json.Unmarshal(body, &second) == nil
	})
	if second.RankingID != first.RankingID || len(second.Items) == 0 || slices.Equal(first.ids(), second.ids()) {
		t.Errorf("the next page from another replica: %+v", second)
	}
}

// checkEventTravels sends an event to one replica and asks the other.
func checkEventTravels(t *testing.T, key, learner string, from, to *testServer) {
	t.Helper()
	path := "/v1/learners/" + learner + "/recommendations?limit=10"
	var before, after listAnswer
	to.get(path, key, &before)
	if len(before.Items) == 0 {
		t.Fatal("an empty list")
	}
	taken := before.Items[0].CourseID
	from.must(http.MethodPost, "/v1/events", key, fmt.Sprintf(`{"id":"event of %s","type":"enrol","learner_id":%q,"course_id":%q,"occurred_at":%q}`,
		learner, learner, taken, time.Now().UTC().Format(time.RFC3339)))
	took := eventually(t, time.Second, "the event in the other replica's list", func() bool {
		to.get(path, key, &after)
		return !slices.Contains(after.ids(), taken)
	})
	t.Logf("an event showed in another replica's list after %v", took.Round(time.Millisecond))
}

// leaderOf waits for one to lead: a process that stood still for longer than the lease
// holds has lost it, and may not have noticed when it is asked.
func leaderOf(t *testing.T, replicas []*testServer) int {
	t.Helper()
	var leaders []int
	eventually(t, 10*time.Second, "one leader", func() bool {
		leaders = nil
		for i, s := range replicas {
			if s.metric("lectern_leader") == "1" {
				leaders = append(leaders, i)
			}
		}
		return len(leaders) == 1
	})
	return leaders[0]
}

// TestReindexUnderLoad changes the embedder for one of another dimension while
// searches, events and course changes go on, and goes back.
func TestReindexUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	d := production(t)
	d.importDemo(300, "courses", "reviews")
	key, admin := d.key("server"), d.key("admin")
	replicas := []*testServer{d.start("--explore.enabled=false"), d.start("--explore.enabled=false")}
	for _, s := range replicas {
		s.ready(key)
	}
	d.embedded(replicas...)
	queries := []string{"machine learning", "statistics", "python", "data science"}
	before := answersTo(replicas[0], key, queries)

	load := startLoad(t, replicas, key, queries)
	wider := openaitest.New(openaitest.Options{Model: "wider", Dim: 96})
	out := mustRun(t, append(d.with([]string{"reindex", "--embedder", "openai"}), embedderArgs(t, wider)...)...)
	t.Logf("%s", strings.TrimSpace(out))
	for _, s := range replicas {
		eventually(t, 5*time.Second, "the new generation everywhere", func() bool { return s.metric("lectern_index_generation") == "2" })
	}
	after := answersTo(replicas[1], key, queries)
	for i, q := range queries {
		if shared := overlap(before[i], after[i]); shared < 3 {
			t.Errorf("%q: only %d of the first five courses are the same after the switch", q, shared)
		}
	}
	if n := len(wider.Requests()); n == 0 {
		t.Error("the new embedder was never asked")
	}
	time.Sleep(300 * time.Millisecond)
	out = d.run("reindex", "--rollback")
	t.Logf("%s", strings.TrimSpace(out))
	for _, s := range replicas {
		eventually(t, 5*time.Second, "the old generation everywhere", func() bool { return s.metric("lectern_index_generation") == "1" })
	}
	back := answersTo(replicas[0], key, queries)
	for i, q := range queries {
		if shared := overlap(before[i], back[i]); shared < 3 { // courses and events came meanwhile
			t.Errorf("%q: only %d of the first five courses are the same after going back", q, shared)
		}
	}
	load.stop()
	if failed := load.failed.Load(); failed > 0 {
		t.Errorf("%d of %d requests failed, first: %s", failed, load.sent.Load(), load.first.Load())
	}
	t.Logf("%d requests during the reindex and the way back, %d failed, %d answered by words alone", load.sent.Load(), load.failed.Load(), load.degraded.Load())
	var list struct {
		Generations []struct{ Active, Indexed bool }
	}
	replicas[0].get("/v1/admin/generations", admin, &list)
	if g := list.Generations; len(g) != 2 || !g[0].Indexed || g[0].Active || !g[1].Active {
		t.Errorf("generations %+v", g)
	}
	d.checkDeep()
}

func answersTo(s *testServer, key string, queries []string) [][]string {
	out := make([][]string, len(queries))
	for i, q := range queries {
		var l listAnswer
		s.get("/v1/search?limit=10&q="+url.QueryEscape(q), key, &l)
		out[i] = l.ids()
	}
	return out
}

// overlap is how many of the first five of a are among the first ten of b.
func overlap(a, b []string) (n int) {
	for _, id := range a[:min(5, len(a))] {
		if slices.Contains(b, id) {
			n++
		}
	}
	return n
}

// load is a number of clients that search, send events and change courses.
type load struct {
	sent, failed, degraded atomic.Int64
	first                  atomic.Value
	stop                   func()
}

func startLoad(t *testing.T, replicas []*testServer, key string, queries []string) *load {
	t.Helper()
	l := &load{}
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for client := range 3 {
		clients.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				s := replicas[i%len(replicas)]
				method, path, body := http.MethodGet, "/v1/search?limit=10&q="+url.QueryEscape(queries[i%len(queries)]), ""
				switch i % 10 {
				case 3:
					path = fmt.Sprintf("/v1/learners/l-%d/recommendations", i%7)
				case 5:
					method, path = http.MethodPut, fmt.Sprintf("/v1/courses/meanwhile-%d-%d", client, i%30)
					body = fmt.Sprintf(`{"title":"Beekeeping %d","description":"Hives and honey, edition %d"}`, i%30, i)
				case 7:
					method, path = http.MethodPost, "/v1/events"
					body = fmt.Sprintf(`{"id":"load-%d-%d","type":"click","learner_id":"l-%d","course_id":"meanwhile-%d-0","occurred_at":%q}`,
						client, i, i%7, client, time.Now().UTC().Format(time.RFC3339))
				}
				status, answer := s.do(method, path, key, "application/json", body)
				l.sent.Add(1)
				if status >= 300 && l.failed.Add(1) == 1 {
					l.first.Store(fmt.Sprintf("%s %s: %d %s", method, path, status, answer))
				}
				var list listAnswer
				if json.Unmarshal(answer, &list) == nil && len(list.Degraded) > 0 {
					l.degraded.Add(1)
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	l.stop = sync.OnceFunc(func() { cancel(); clients.Wait() })
	t.Cleanup(l.stop)
	return l
}

// TestEmbedderFaults breaks the embedding server in every way and looks at what
// a caller of search sees: an answer by words within its time, that says so.
func TestEmbedderFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	d := production(t)
	d.importDemo(60, "courses")
	key := d.key("server")
	s := d.start("--retrieve.budgets.embed", "300ms", "--embed.openai.query_timeout", "250ms", "--embed.openai.breaker.open", "100ms", "--embed.openai.timeout", "2s")
	s.ready(key)
	faults := map[string]openaitest.Fault{
		"wrong dimension": openaitest.Dimension(7),
		"not a number":    openaitest.Number("NaN"),
		"429":             openaitest.RateLimited("1"),
		"500":             openaitest.Status(http.StatusInternalServerError),
		"half a batch":    openaitest.Half(),
		"garbage":         openaitest.Garbage(),
		"nothing at all":  openaitest.Hang(),
		"connection lost": openaitest.Drop(),
	}
	n := 0
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			n++
			d.embedder.Always(fault)
			var l listAnswer
			begin := time.Now()
			s.get(fmt.Sprintf("/v1/search?q=data+science+number+%d", n), key, &l) // never asked before
			took := time.Since(begin)
			if !slices.Contains(l.Degraded, "semantic") || len(l.Items) == 0 {
				t.Errorf("degraded %v, %d items", l.Degraded, len(l.Items))
			}
			if took > 20*time.Second {
				t.Errorf("the answer took %v", took)
			}
			s.must(http.MethodPut, fmt.Sprintf("/v1/courses/during-%d", n), key, fmt.Sprintf(`{"title":"Falconry part %d"}`, n))
			d.embedder.Always(nil)
			eventually(t, 20*time.Second, "meaning is back", func() bool {
				var l listAnswer
				s.get(fmt.Sprintf("/v1/search?q=data+science+number+%d", n), key, &l)
				return len(l.Degraded) == 0
			})
		})
	}
	// A request that hangs is given up after embed.openai.timeout.
	eventually(t, 90*time.Second, "the courses written meanwhile have their vectors", func() bool {
		time.Sleep(500 * time.Millisecond)
		return s.metric("lectern_embedder_ready") == "1" && d.stats().PendingJobs == 0
	})
	d.checkDeep()
}
