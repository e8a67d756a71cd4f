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
	"github.com/lectern-dev/lectern/store/sqlite"
)

// kills is how often a crash test kills: a few times in every run, often in a soak.
func kills() int {
	if os.Getenv("LECTERN_SOAK") != "" {
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
	const rows = 6_000
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	courses, ratings := filepath.Join(dir, "courses.jsonl"), filepath.Join(dir, "ratings.jsonl")
	writeLines(t, courses, rows, func(i int) any {
		return map[string]any{"id": fmt.Sprintf("course-%05d", i), "title": fmt.Sprintf("Course number %d", i), "description": strings.Repeat("words about it ", i%20)}
	})
	writeLines(t, ratings, rows, func(i int) any {
		return map[string]any{"course_id": fmt.Sprintf("course-%05d", i%500), "stars": 1 + i%5, "day": fmt.Sprintf("2024-01-%02d", 1+i%28)}
	})
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 7))
	for round := range kills() {
		committed := killImport(t, rng, data, courses)
		store := openStore(t, data)
		if committed > 0 {
			ids := make([]string, committed)
			for i := range ids {
				ids[i] = fmt.Sprintf("course-%05d", i)
			}
			got, err := store.Courses(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != committed {
				t.Fatalf("round %d: %d rows were acknowledged, %d are there", round, committed, len(got))
			}
		}
		closeStore(t, store)
		killImport(t, rng, data, ratings, "ratings")
	}
	mustRun(t, "import", "courses", courses, "--data", data)
	mustRun(t, "import", "ratings", ratings, "--data", data)
	stats := storeStats(t, data)
	if stats.Courses != rows || stats.Ratings != rows || stats.ParkedRatings != 0 {
		t.Errorf("after finishing: %d courses, %d ratings, %d parked; want %d, %d, 0", stats.Courses, stats.Ratings, stats.ParkedRatings, rows, rows)
	}
	checkDeep(t, data)
}

// killImport starts an import, kills it at random and returns the last
// acknowledged row.
func killImport(t *testing.T, rng *rand.Rand, data, file string, kind ...string) int {
	t.Helper()
	what := append(kind, "courses")[0]
	child := childCommand(t, io.Discard, "import", what, file, "--data", data, "--batch-rows", "100")
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
	data := filepath.Join(t.TempDir(), "data")
	key := strings.TrimSpace(mustRun(t, "keys", "create", "--scope", "server", "--name", "test", "--data", data))
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 11))
	acked := map[string]string{} // event id → learner
	courses := map[string]bool{}
	for round := range kills() {
		s := startServer(t, data)
		ingestUntilKilled(t, s, key, round, time.Duration(200+rng.IntN(1200))*time.Millisecond, acked, courses)
	}
	if len(acked) == 0 || len(courses) == 0 {
		t.Fatal("nothing was acknowledged before the kills: the test shows nothing")
	}
	store := openStore(t, data)
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
	for id := range acked {
		if seen[id] != 1 {
			t.Errorf("event %s was acknowledged and is there %d times", id, seen[id])
		}
	}
	for id := range courses {
		if got, err := store.Courses(t.Context(), []string{id}); err != nil || len(got) != 1 {
			t.Errorf("course %s was acknowledged and is not there: %v", id, err)
		}
	}
	closeStore(t, store)
	checkDeep(t, data)
	t.Logf("%d kills: %d events and %d courses acknowledged, all there", kills(), len(acked), len(courses))
}

// ingestUntilKilled sends events and courses from several clients, kills the
// server after a while and notes what was acknowledged.
func ingestUntilKilled(t *testing.T, s *testServer, key string, round int, life time.Duration, acked map[string]string, courses map[string]bool) {
	t.Helper()
	var mu sync.Mutex
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
						mu.Lock()
						courses[course] = true
						mu.Unlock()
					}
				}
				body := fmt.Sprintf(`{"id":%q,"type":"click","learner_id":%q,"course_id":%q,"occurred_at":%q}`,
					id, learner, course, time.Now().UTC().Format(time.RFC3339))
				if s.send(http.MethodPost, "/v1/events", key, body) < 300 {
					mu.Lock()
					acked[id] = learner
					mu.Unlock()
				}
			}
		})
	}
	time.Sleep(life)
	s.kill()
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

func openStore(t *testing.T, data string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(data, "lectern.db")})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func closeStore(t *testing.T, store *sqlite.Store) {
	t.Helper()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

func storeStats(t *testing.T, data string) lectern.StoreStats {
	t.Helper()
	store := openStore(t, data)
	defer closeStore(t, store)
	stats, err := store.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

func checkDeep(t *testing.T, data string) {
	t.Helper()
	if out := mustRun(t, "doctor", "--deep", "--data", data); !strings.Contains(out, "store and index agree") {
		t.Errorf("doctor --deep:\n%s", out)
	}
}
