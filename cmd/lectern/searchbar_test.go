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

// What is slow answers so late that a search bar which waits for it is told from a
// machine that is busy: by default a search has 1.3 s and a keystroke 35 ms.
const (
	slowCall  = time.Hour
	soon      = 30 * time.Second
	theBudget = time.Second // of what may fail: so long a busy machine seldom takes
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
// behind the search bar. Every key and every search is answered without waiting for
// them and says what it lacks; when the fault has gone, so has what it did, without a
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
		"--retrieve.budgets.embed", theBudget.String(), "--retrieve.budgets.candidates", theBudget.String(), "--suggest.embed_timeout", theBudget.String(),
		"--suggest.embed_give_up", theBudget.String(), "--suggest.meanings_timeout", "5s",
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
		{"embedder slow", embedder(openaitest.Slow(slowCall)), whole, []string{"semantic"}, []string{"semantic"}},
		{"embedder hangs", embedder(openaitest.Hang()), whole, []string{"semantic"}, []string{"semantic"}},
		{"embedder fails", embedder(openaitest.Status(http.StatusInternalServerError)), whole, []string{"semantic"}, []string{"semantic"}},
		{"both dead", func() { d.qdrant.Kill(); d.embedder.Always(openaitest.Drop()) }, func() { restartQdrant(); whole() },
			[]string{"index", "semantic"}, []string{"semantic"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bar := &searchBar{bar.testServer.inTest(t), bar.key, bar.n}
			tt.begin()
			lacks := func(degraded, want []string) bool {
				slices.Sort(degraded)
				return !slices.ContainsFunc(want, func(part string) bool { return !slices.Contains(degraded, part) })
			}
			search, key := time.Hour, time.Hour // the quickest
			// A busy machine may leave out more, but not for ever.
			eventually(t, soon, "answers that lack what is away and nothing else", func() bool {
				courses, missed, took := bar.search()
				search = min(search, took)
				if courses == 0 || !lacks(missed, tt.search) || took > soon {
					t.Errorf("search: %d courses after %v, degraded %v", courses, took, missed)
				}
				courses, degraded, took := bar.typed("data+scien")
				key = min(key, took)
				if courses == 0 || took > soon {
					t.Errorf("words typed: %d courses after %v, degraded %v", courses, took, degraded)
				}
				_, degraded, took = bar.typed(bar.meant())
				if !lacks(degraded, tt.autocomplete) || took > soon {
					t.Errorf("meaning typed: after %v, degraded %v", took, degraded)
				}
				return t.Failed() || slices.Equal(missed, tt.search) && slices.Equal(degraded, tt.autocomplete)
			})
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
