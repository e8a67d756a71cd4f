package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// kills is how often a crash test kills: a few times in every run, often in a soak.
func kills() int {
	if os.Getenv("LECTERN_TEST_SOAK") != "" {
		return 20
	}
	return 3
}

// TestKillDuringImport kills `lectern import` at random moments. Every row that
// a "committed N" line acknowledged is there afterwards, and finishing the import
// later leaves each row there once.
func TestKillDuringImport(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes; run without -short")
	}
	deployments(t, testKillDuringImport)
}

func testKillDuringImport(t *testing.T, d *deployment) {
	const rows = 6_000
	dir := t.TempDir()
	courses, ratings := filepath.Join(dir, "courses.jsonl"), filepath.Join(dir, "ratings.jsonl")
	writeLines(t, courses, rows, func(i int) any {
		return map[string]any{"id": fmt.Sprintf("course-%05d", i), "title": fmt.Sprintf("Course number %d", i), "description": strings.Repeat("words about it ", i%20)}
	})
	writeLines(t, ratings, rows, func(i int) any {
		return map[string]any{"course_id": fmt.Sprintf("course-%05d", i%500), "stars": 1 + i%5, "day": fmt.Sprintf("2024-01-%02d", 1+i%28)}
	})
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 7))
	for round := range kills() {
		committed := killImport(d, rng, courses)
		ids := make([]string, committed)
		for i := range ids {
			ids[i] = fmt.Sprintf("course-%05d", i)
		}
		d.withStore(func(store relational) {
			got, err := store.Courses(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != committed {
				t.Fatalf("round %d: %d rows were acknowledged, %d are there", round, committed, len(got))
			}
		})
		killImport(d, rng, ratings, "ratings")
	}
	d.run("import", "courses", courses)
	d.run("import", "ratings", ratings)
	stats := d.stats()
	if stats.Courses != rows || stats.Ratings != rows || stats.ParkedRatings != 0 {
		t.Errorf("after finishing: %d courses, %d ratings, %d parked; want %d, %d, 0", stats.Courses, stats.Ratings, stats.ParkedRatings, rows, rows)
	}
	d.checkDeep()
}

// killImport starts an import, kills it at random and returns the last
// acknowledged row.
func killImport(d *deployment, rng *rand.Rand, file string, kind ...string) int {
	t := d.t
	t.Helper()
	what := append(kind, "courses")[0]
	child := d.child(io.Discard, "import", what, file, "--batch-rows", "100")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	after, committed := 1+rng.IntN(40), 0
	scanner := bufio.NewScanner(out)
	for lines := 0; scanner.Scan(); {
		if _, err := fmt.Sscanf(scanner.Text(), "committed %d", &committed); err != nil {
			continue
		}
		if lines++; lines >= after {
			time.Sleep(time.Duration(rng.IntN(5)) * time.Millisecond)
			_ = child.Process.Kill() // SIGKILL; it may have ended by itself
		}
	}
	_ = child.Wait()
	return committed
}

// TestKillDuringIngest kills `lectern serve` while events and courses arrive.
// What was acknowledged is there after a restart, once, and store and index agree.
func TestKillDuringIngest(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes; run without -short")
	}
	deployments(t, func(t *testing.T, d *deployment) {
		key := d.key("server")
		rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 11))
		acked := newAcked()
		for round := range kills() {
			s := d.start()
			life := time.Duration(200+rng.IntN(1200)) * time.Millisecond
			acked.ingest(t, s, key, round, func() {
				if round == 0 {
					acked.wait(t)
				}
				time.Sleep(life)
				s.kill()
			})
		}
		acked.check(d)
		d.checkDeep()
	})
}

// acknowledged is what servers said they had taken.
type acknowledged struct {
	mu      sync.Mutex
	events  map[string]string // id → learner
	courses map[string]bool

	feedback map[string]string // id → learner
}

func newAcked() *acknowledged {
	return &acknowledged{events: map[string]string{}, courses: map[string]bool{}, feedback: map[string]string{}}
}

// wait waits until there is something of everything to lose.
func (a *acknowledged) wait(t *testing.T) {
	t.Helper()
	awaitAcked(t, &a.mu, func() bool { return len(a.events) > 0 && len(a.courses) > 0 && len(a.feedback) > 0 })
}

// awaitAcked waits until enough was acknowledged that a kill could lose; mu guards what
// enough looks at.
func awaitAcked(t *testing.T, mu *sync.Mutex, enough func() bool) {
	t.Helper()
	eventually(t, time.Second, "something is acknowledged", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return enough()
	})
}

// check finds everything in the store, once.
func (a *acknowledged) check(d *deployment) {
	t := d.t
	t.Helper()
	if len(a.events) == 0 || len(a.courses) == 0 || len(a.feedback) == 0 {
		t.Fatal("nothing was acknowledged before the kills: the test shows nothing")
	}
	d.withStore(func(store relational) {
		seen := map[string]int{}
		for after := int64(0); ; {
			events, next, err := store.ScanEvents(t.Context(), after, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				seen[e.ID]++
			}
			if next == 0 {
				break
			}
			after = next
		}
		for id := range a.events {
			if seen[id] != 1 {
				t.Errorf("event %s was acknowledged and is there %d times", id, seen[id])
			}
		}
		for id := range a.courses {
			if got, err := store.Courses(t.Context(), []string{id}); err != nil || len(got) != 1 {
				t.Errorf("course %s was acknowledged and is not there: %v", id, err)
			}
		}
		said := map[string]bool{}
		for i := range 7 {
			all, err := store.Feedback(t.Context(), lectern.LearnerRef{ID: fmt.Sprintf("l-%d", i)})
			if err != nil && lectern.ErrorCode(err) != lectern.CodeNotFound {
				t.Fatal(err)
			}
			for _, f := range all {
				said[f.ID] = true
			}
		}
		for id := range a.feedback {
			if !said[id] {
				t.Errorf("feedback %s was acknowledged and is not there", id)
			}
		}
	})
	t.Logf("%d events, %d courses and %d pieces of feedback acknowledged, all there", len(a.events), len(a.courses), len(a.feedback))
}

// ingest sends events and courses from several clients while during runs, and
// notes what was acknowledged.
func (a *acknowledged) ingest(t *testing.T, s *testServer, key string, round int, during func()) {
	t.Helper()
	var clients sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for client := range 4 {
		clients.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := fmt.Sprintf("e-%d-%d-%d", round, client, i)
				course := fmt.Sprintf("c-%d-%d-%d", round, client, i/10)
				learner := fmt.Sprintf("l-%d", i%7)
				if i%10 == 0 {
					body := fmt.Sprintf(`{"title":"Course %s"}`, course)
					if s.send(http.MethodPut, "/v1/courses/"+course, key, body) < 300 {
						a.mu.Lock()
						a.courses[course] = true
						a.mu.Unlock()
					}
					said := fmt.Sprintf(`{"id":%q,"kind":"less_like_this","course_id":%q}`, "f-"+course, course)
					if s.send(http.MethodPost, "/v1/learners/"+learner+"/feedback", key, said) < 300 {
						a.mu.Lock()
						a.feedback["f-"+course] = learner
						a.mu.Unlock()
					}
				}
				body := fmt.Sprintf(`{"id":%q,"type":"click","learner_id":%q,"course_id":%q,"occurred_at":%q}`,
					id, learner, course, time.Now().UTC().Format(time.RFC3339))
				if s.send(http.MethodPost, "/v1/events", key, body) < 300 {
					a.mu.Lock()
					a.events[id] = learner
					a.mu.Unlock()
				}
			}
		})
	}
	during()
	cancel()
	clients.Wait()
}

func writeLines(t *testing.T, path string, n int, line func(int) any) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for i := range n {
		if err := enc.Encode(line(i)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path, b.String())
}
