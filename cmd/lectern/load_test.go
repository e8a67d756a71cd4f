package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// loadVariable turns TestTypingUnderLoad into a measurement: the numbers of
// courses to run it with, separated by commas.
const loadVariable = "LECTERN_TEST_LOAD"

// updatesPerSecond is how many courses change while people type.
const updatesPerSecond = 100

// writersAtOnce share them, since one write waits for the one before it.
const writersAtOnce = 4

// TestTypingUnderLoad types queries at a server over HTTP, from 1, 8 and 32
// connections, and then from 8 while 100 courses a second are added, changed and
// deleted. No request fails, and no change is lost. With LECTERN_TEST_LOAD it runs long
// enough to measure, and prints what it saw; server and load share the machine.
func TestTypingUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	sizes, quiet, busy := []int{500}, 500*time.Millisecond, 3*time.Second
	if v := os.Getenv(loadVariable); v != "" {
		sizes, quiet, busy = nil, 15*time.Second, time.Minute
		for _, s := range strings.Split(v, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(s))
			if err != nil || n < 100 {
				t.Fatalf("%s=%q: numbers of at least 100, separated by commas", loadVariable, v)
			}
			sizes = append(sizes, n)
		}
	}
	for _, n := range sizes {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			d := embedded(t)
			titles := fillCatalogue(d, n)
			key := d.key("server")
			s := d.start()
			eventually(t, 30*time.Minute, "readiness", func() bool { return s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
			eventually(t, 30*time.Minute, "every part of the answer", func() bool {
				var a suggestionsAnswer
				s.get("/v1/autocomplete?q="+url.QueryEscape(titles[0]), key, &a)
				return len(a.Degraded) == 0 && len(a.Groups.Courses) > 0
			})
			typists{s: s, key: key, titles: titles, connections: 2}.run(t, quiet/2) // caches fill
			for _, connections := range []int{1, 8, 32} {
				typists{s: s, key: key, titles: titles, connections: connections}.run(t, quiet).log(t)
			}
			still := typists{s: s, key: key, titles: titles, connections: 8}.run(t, quiet)
			writers := make([]*writer, writersAtOnce)
			for i := range writers {
				writers[i] = startWriter(s, key, i)
			}
			moving := typists{s: s, key: key, titles: titles, connections: 8, doing: fmt.Sprintf(", %d updates a second", updatesPerSecond)}.run(t, busy)
			for _, w := range writers {
				w.stop(t)
			}
			moving.log(t)
			t.Logf("p99 with updates is %.2f times p99 without", float64(moving.quantile(.99))/float64(still.quantile(.99)))
			for _, w := range writers {
				w.check(t, s, key)
			}
		})
	}
}

// suggestionsAnswer is what the test reads of an answer.
type suggestionsAnswer struct {
	Groups struct {
		Courses []struct{ ID, Text string }
	}
	Degraded []string
}

// fillCatalogue imports n courses of the demo generator and returns some titles.
func fillCatalogue(d *deployment, n int) []string {
	d.t.Helper()
	files := filepath.Join(d.t.TempDir(), "demo")
	mustRun(d.t, "demo", "--out", files, "--courses", fmt.Sprint(n), "--learners", "1", "--reviews", "1", "--events", "1")
	path := filepath.Join(files, "courses.jsonl")
	d.run("import", "courses", path)
	f, err := os.Open(path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var titles []string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for i := 0; lines.Scan(); i++ {
		if i%max(1, n/2000) != 0 {
			continue
		}
		var c struct{ Title, Status string }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			d.t.Fatal(err)
		}
		titles = append(titles, c.Title)
	}
	return titles
}

// typists type titles letter by letter, one request a letter, without a pause.
// Every tenth title has two letters swapped.
type typists struct {
	s           *testServer
	key         string
	titles      []string
	connections int
	doing       string
}

// lettersTyped is how much of a title is typed.
const lettersTyped = 16

// typed is what typists saw.
type typed struct {
	typists
	took  []time.Duration // rising
	lasts time.Duration
}

func (l typists) run(t *testing.T, lasts time.Duration) typed {
	t.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: l.connections, MaxConnsPerHost: l.connections}}
	defer client.CloseIdleConnections()
	all := make([][]time.Duration, l.connections)
	var failed atomic.Pointer[string]
	var group sync.WaitGroup
	began := time.Now()
	for i := range l.connections {
		group.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 7))
			for time.Since(began) < lasts && failed.Load() == nil {
				title := []rune(strings.ToLower(l.titles[rng.IntN(len(l.titles))]))
				if rng.IntN(10) == 0 && len(title) > 4 {
					title[2], title[3] = title[3], title[2]
				}
				for letters := 1; letters <= min(lettersTyped, len(title)); letters++ {
					asked := time.Now()
					if problem := l.ask(client, string(title[:letters])); problem != "" {
						failed.Store(&problem)
						return
					}
					all[i] = append(all[i], time.Since(asked))
				}
			}
		})
	}
	group.Wait()
	out := typed{typists: l, took: slices.Concat(all...), lasts: time.Since(began)}
	slices.Sort(out.took)
	if p := failed.Load(); p != nil {
		t.Fatalf("after %d answers: %s", len(out.took), *p)
	}
	return out
}

// ask sends one keystroke and returns what is wrong with the answer.
func (l typists) ask(client *http.Client, q string) string {
	req, err := http.NewRequest(http.MethodGet, l.s.base+"/v1/autocomplete?q="+url.QueryEscape(q), nil)
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Authorization", "Bearer "+l.key)
	resp, err := client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Sprintf("%q: %d %s %v", q, resp.StatusCode, body, err)
	}
	return ""
}

func (r typed) quantile(q float64) time.Duration {
	return r.took[min(len(r.took)-1, int(q*float64(len(r.took))))]
}

func (r typed) log(t *testing.T) {
	t.Helper()
	t.Logf("%2d connections%s: p50 %v, p99 %v, %.0f requests/s", r.connections, r.doing,
		r.quantile(.5).Round(10*time.Microsecond), r.quantile(.99).Round(10*time.Microsecond), float64(len(r.took))/r.lasts.Seconds())
}

// writer changes courses at a steady rate: of every four writes, two add a course,
// one renames one of those, and one deletes one of those.
type writer struct {
	ended   chan struct{}
	done    chan struct{}
	problem string
	writes  int
	titles  map[string]string // by id, of the courses that are there
	deleted map[string]string
}

func startWriter(s *testServer, key string, part int) *writer {
	w := &writer{ended: make(chan struct{}), done: make(chan struct{}), titles: map[string]string{}, deleted: map[string]string{}}
	rng := rand.New(rand.NewPCG(uint64(part), 11))
	go func() {
		defer close(w.done)
		tick := time.NewTicker(writersAtOnce * time.Second / updatesPerSecond)
		defer tick.Stop()
		var ids []string
		for i := 0; w.problem == ""; i++ {
			select {
			case <-w.ended:
				return
			case <-tick.C:
			}
			id, method := fmt.Sprintf("load-%d-%06d", part, i), http.MethodPut
			if len(ids) > 0 && i%4 >= 2 {
				id = ids[rng.IntN(len(ids))]
			}
			title := fmt.Sprintf("Zymology %s part %d", letterName(i*writersAtOnce+part), i)
			body := fmt.Sprintf(`{"title":%q}`, title)
			if i%4 == 3 {
				method, body = http.MethodDelete, ""
			}
			if status, answer := s.do(method, "/v1/courses/"+id, key, "application/json", body); status >= 300 {
				w.problem = fmt.Sprintf("%s %s: %d %s", method, id, status, answer)
				return
			}
			w.writes++
			if method == http.MethodDelete {
				w.deleted[id] = w.titles[id]
				delete(w.titles, id)
				ids = slices.DeleteFunc(ids, func(other string) bool { return other == id })
				continue
			}
			if _, known := w.titles[id]; !known {
				ids = append(ids, id)
			}
			w.titles[id] = title
		}
	}()
	return w
}

// letterName is a number in letters, so that names differ in a word.
func letterName(n int) string {
	out := []byte("q")
	for ; n > 0; n /= 20 {
		out = append(out, "bcdfghjklmnpqrstvwxz"[n%20], "aeiou"[n%5])
	}
	return string(out)
}

func (w *writer) stop(t *testing.T) {
	t.Helper()
	close(w.ended)
	<-w.done
	if w.problem != "" {
		t.Fatal(w.problem)
	}
}

// check asks for what was written: all of it is suggested within two seconds,
// nothing of what was deleted.
func (w *writer) check(t *testing.T, s *testServer, key string) {
	t.Helper()
	suggested := func(id, title string) bool {
		var a suggestionsAnswer
		s.get("/v1/autocomplete?q="+url.QueryEscape(title), key, &a)
		return slices.ContainsFunc(a.Groups.Courses, func(c struct{ ID, Text string }) bool { return c.ID == id && c.Text == title })
	}
	slowest := time.Duration(0)
	for id, title := range w.titles {
		slowest = max(slowest, eventually(t, 2*time.Second, "the suggestion of "+title, func() bool { return suggested(id, title) }))
	}
	for id, title := range w.deleted {
		if title != "" { // else it was added and not suggested before
			eventually(t, 2*time.Second, title+", which was deleted, to be suggested no more", func() bool { return !suggested(id, title) })
		}
	}
	t.Logf("%d writes; %d courses of them there, %d deleted; the last to be suggested after %v", w.writes, len(w.titles), len(w.deleted), slowest.Round(time.Millisecond))
}
