package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern/embed/openai/openaitest"
)

// The deadlines of the server under test, as they are by default, and how many
// times as long a busy machine may take.
const (
	searchDeadline    = 1300 * time.Millisecond // profile 100 ms, embed 200 ms, index 500 ms, courses 500 ms
	keystrokeDeadline = 35 * time.Millisecond   // embed 25 ms, profile 10 ms
	busy              = 10
	slowCall          = 200 * time.Millisecond // of a slow Qdrant
)

// searchBar asks as a search bar does: while somebody types, and for the results.
type searchBar struct {
	*testServer
	key string
	n   *int // queries so far
}

// query is about the same as every other and was never asked before, so that
// nothing remembers its vector.
func (b *searchBar) query() string {
	*b.n++
	return fmt.Sprintf("data+science+fundamentals+part+%d", *b.n)
}

// meant is nothing that the words of a course answer, about something that there are
// phrases of, so that its meaning is asked for.
func (b *searchBar) meant() string {
	*b.n++
	return fmt.Sprintf("zymurgy%d+and+statistics+", *b.n)
}

// ask returns how many courses came, what was missing and how long it took.
func (b *searchBar) ask(path string) (courses int, degraded []string, took time.Duration) {
	b.t.Helper()
	begin := time.Now()
	status, body := b.do(http.MethodGet, path, b.key, "", "")
	took = time.Since(begin)
	var out struct {
		Items    []struct{}
		Groups   struct{ Courses []struct{} }
		Degraded []string
	}
	if err := json.Unmarshal(body, &out); err != nil || status != http.StatusOK {
		b.t.Fatalf("GET %s: %d %s", path, status, body)
	}
	return len(out.Items) + len(out.Groups.Courses), out.Degraded, took
}

func (b *searchBar) search() (int, []string, time.Duration) {
	b.t.Helper()
	return b.ask("/v1/search?facets=all&q=" + b.query())
}

func (b *searchBar) typed(q string) (int, []string, time.Duration) {
	b.t.Helper()
	return b.ask("/v1/autocomplete?q=" + q)
}

// TestSearchBarWithoutBackends slows and kills Qdrant and the embedding server
// behind the search bar. Every key and every search is answered within its deadline
// and says what it lacks; when the fault has gone, so has what it did, without a
// restart.
//
// A keystroke asks Qdrant nothing, so whatever happens to Qdrant, autocomplete is
// whole. The embedding server is asked for the vector of what was typed, so it is
// missing where words alone do not fill the answer.
func TestSearchBarWithoutBackends(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	d := production(t)
	if d.qdrant == nil {
		t.Skip("a real Qdrant is not the test's to kill")
	}
	d.importDemo(60, "courses")
	key := d.key("server")
	s := d.start(
		// The budgets that a server has by default.
		"--retrieve.budgets.embed", "200ms", "--retrieve.budgets.candidates", "500ms",
		"--embed.openai.breaker.open", "100ms", "--index.qdrant.breaker_open", "100ms",
	)
	s.ready(key)
	bar := &searchBar{s, key, new(int)}
	eventually(t, time.Minute, "phrases with vectors", func() bool {
		_, degraded, _ := bar.typed(bar.meant())
		return len(degraded) == 0
	})

	slowQdrant := func() { d.qdrant.Delay("*", slowCall) }
	quickQdrant := func() { d.qdrant.ClearFaults() }
	restartQdrant := func() {
		if err := d.qdrant.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	embedder := func(f openaitest.Fault) func() { return func() { d.embedder.Always(f) } }
	whole := embedder(nil)
	for _, tt := range []struct {
		name         string
		begin, end   func()
		search       []string // what a search lacks
		autocomplete []string // what a keystroke lacks that asks for a vector
	}{
		{"Qdrant slow", slowQdrant, quickQdrant, []string{"index"}, nil},
		{"Qdrant dead", d.qdrant.Kill, restartQdrant, []string{"index"}, nil},
		{"embedder slow", embedder(openaitest.Slow(time.Second)), whole, []string{"semantic"}, []string{"semantic"}},
		{"embedder hangs", embedder(openaitest.Hang()), whole, []string{"semantic"}, []string{"semantic"}},
		{"embedder fails", embedder(openaitest.Status(http.StatusInternalServerError)), whole, []string{"semantic"}, []string{"semantic"}},
		{"both dead", func() { d.qdrant.Kill(); d.embedder.Always(openaitest.Drop()) }, func() { restartQdrant(); whole() },
			[]string{"index", "semantic"}, []string{"semantic"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bar := &searchBar{bar.testServer.inTest(t), bar.key, bar.n}
			tt.begin()
			search, key := time.Hour, time.Hour // the quickest
			for range 3 {
				courses, degraded, took := bar.search()
				search = min(search, took)
				slices.Sort(degraded)
				if courses == 0 || !slices.Equal(degraded, tt.search) || took > busy*searchDeadline {
					t.Errorf("search: %d courses after %v, degraded %v", courses, took, degraded)
				}
				courses, degraded, took = bar.typed("data+scien")
				key = min(key, took)
				if courses == 0 || took > busy*keystrokeDeadline {
					t.Errorf("words typed: %d courses after %v, degraded %v", courses, took, degraded)
				}
				_, degraded, took = bar.typed(bar.meant())
				if !slices.Equal(degraded, tt.autocomplete) || took > busy*keystrokeDeadline {
					t.Errorf("meaning typed: after %v, degraded %v", took, degraded)
				}
			}
			if key > slowCall/2 {
				t.Errorf("the quickest keystroke took %v: it waited for Qdrant", key)
			}
			tt.end()
			recovered := eventually(t, 20*time.Second, "whole answers", func() bool {
				_, search, _ := bar.search()
				_, typed, _ := bar.typed(bar.meant())
				return len(search)+len(typed) == 0
			})
			t.Logf("at best %v for a search and %v for a keystroke; whole again after %v",
				search.Round(time.Millisecond), key.Round(time.Millisecond), recovered.Round(time.Millisecond))
		})
	}
}

// inTest is the server for a subtest's own assertions.
func (s *testServer) inTest(t *testing.T) *testServer {
	out := *s
	out.t = t
	return &out
}
