package indexing_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/embed"
	"github.com/lectern-dev/lectern/index"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/store/sqlite"
	"github.com/lectern-dev/lectern/text"
)

// lexicon adapts text.Lexicon as the wiring does.
type lexicon struct{ *text.Lexicon }

func (l lexicon) Put(c lectern.Course) lectern.SparseVector {
	return l.Lexicon.Put(c.ID, text.CourseDocument(c))
}

func (l lexicon) DocVector(c lectern.Course) lectern.SparseVector {
	return l.Lexicon.DocVector(text.CourseDocument(c))
}

func trainLocal(ctx context.Context, texts []string) (lectern.Embedder, []byte, error) {
	o := embed.DefaultOptions()
	o.Dim = 32
	e, err := embed.Train(ctx, slices.Values(texts), o)
	if err != nil {
		return nil, nil, err
	}
	var b bytes.Buffer
	if err := e.Save(&b); err != nil {
		return nil, nil, err
	}
	return e, b.Bytes(), nil
}

func loadLocal(model []byte) (lectern.Embedder, error) {
	return embed.LoadLocal(bytes.NewReader(model))
}

func openStore(tb testing.TB, path string) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), sqlite.Options{Path: path})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	if err := s.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

func putCourses(tb testing.TB, s *sqlite.Store, courses []lectern.Course) {
	tb.Helper()
	for part := range slices.Chunk(courses, 250) {
		patches := make([]lectern.CoursePatch, len(part))
		for i := range part {
			patches[i] = lectern.CoursePatch{Course: part[i], Replace: true}
		}
		results, err := s.PutCourses(tb.Context(), patches)
		if err != nil {
			tb.Fatal(err)
		}
		for i, r := range results {
			if r.Err != nil {
				tb.Fatalf("course %s: %v", part[i].ID, r.Err)
			}
		}
	}
}

// run starts a pipeline on the store until the test ends.
func run(tb testing.TB, s *sqlite.Store, change func(*indexing.Options)) (p *indexing.Pipeline, stop func()) {
	tb.Helper()
	o := indexing.Options{
		Config: indexing.DefaultConfig(), Store: s, Words: lexicon{text.NewLexicon(text.DefaultParams())},
		NewIndex: func() lectern.VectorIndex { return index.New(index.Options{}) },
		Makers:   map[string]indexing.Maker{indexing.DefaultMaker: {Train: trainLocal, Load: loadLocal}},
		Embedder: indexing.DefaultMaker,
		Clock:    lectern.SystemClock, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	o.Config.Poll, o.Config.Check, o.Config.QuietPeriod = 10*time.Millisecond, 10*time.Millisecond, 0
	if change != nil {
		change(&o)
	}
	p, err := indexing.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	stop = func() { cancel(); <-done }
	tb.Cleanup(cancel)
	return p, stop
}

func waitFor(tb testing.TB, p *indexing.Pipeline, done func(indexing.Readiness) bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 5*time.Minute)
	defer cancel()
	if err := p.Wait(ctx, done); err != nil {
		tb.Fatalf("%v: %+v", err, p.Ready())
	}
}

func agree(t *testing.T, p *indexing.Pipeline) {
	t.Helper()
	diffs, err := p.Compare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diffs {
		t.Error(d)
	}
}

// TestOnSQLite runs the parts that ship on one another: catalogue in, trained,
// searched, changed, trained again by another process, restarted.
func TestOnSQLite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	s := openStore(t, path)
	courses := demo.Catalog(300, 1, time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC))
	putCourses(t, s, courses)
	p, stop := run(t, s, nil)
	ready := func(r indexing.Readiness) bool { return r.WordsReady() && r.VectorsReady() && !r.Training }
	waitFor(t, p, ready)
	agree(t, p)

	x, e := p.Generation()
	own := courses[7]
	vectors, err := e.Embed(t.Context(), lectern.EmbedDocument, []string{own.EmbeddingText()})
	if err != nil {
		t.Fatal(err)
	}
	lists, err := x.Search(t.Context(), []lectern.VectorQuery{{
		Vector: lectern.VectorContent, Dense: vectors[0], K: 1, Filter: lectern.Filter{OnlyIDs: []string{own.ID, courses[8].ID}},
	}})
	if err != nil || len(lists[0]) != 1 || lists[0][0].ID != own.ID {
		t.Errorf("a course is not nearest to its own text: %v, %v", lists, err)
	}

	// Changes of every kind, through another connection to the same file.
	other := openStore(t, path)
	changed := courses[3]
	changed.Title += " of the quokka"
	putCourses(t, other, []lectern.Course{changed, {ID: "quokka", Title: "Keeping a quokka"}})
	if _, err := other.DeleteCourses(t.Context(), []string{courses[0].ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.PutRatings(t.Context(), []lectern.Rating{{CourseID: courses[1].ID, Stars: 5, Occurrence: 1, Day: courses[1].PublishedAt.Truncate(24 * time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	if err := p.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitFor(t, p, ready)
	agree(t, p)

	before := p.Ready().Fingerprint
	command, err := indexing.New(indexing.Options{
		Config: indexing.DefaultConfig(), Store: other, Words: lexicon{text.NewLexicon(text.DefaultParams())},
		NewIndex: func() lectern.VectorIndex { return index.New(index.Options{}) },
		Makers:   map[string]indexing.Maker{indexing.DefaultMaker: {Train: trainLocal, Load: loadLocal}}, Embedder: indexing.DefaultMaker,
		Clock: lectern.SystemClock, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Reindex(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	waitFor(t, p, func(r indexing.Readiness) bool { return ready(r) && r.Fingerprint != before })
	agree(t, p)
	stop()

	p, _ = run(t, s, func(o *indexing.Options) {
		o.Makers[indexing.DefaultMaker] = indexing.Maker{
			Load: loadLocal,
			Train: func(context.Context, []string) (lectern.Embedder, []byte, error) {
				return nil, nil, fmt.Errorf("a restart must not train")
			},
		}
	})
	waitFor(t, p, ready)
	agree(t, p)
}

// random is an embedder whose vectors are in the store already.
type random struct{ lectern.Embedder }

func (random) Dim() int            { return 256 }
func (random) Fingerprint() string { return "random-256" }

// BenchmarkStart reads 100,000 courses, some of them retired, with 256-dimension
// vectors from SQLite. It reports when vectors answer and when words do.
func BenchmarkStart(b *testing.B) {
	s := openStore(b, filepath.Join(b.TempDir(), "lectern.db"))
	const n = 100_000
	courses := demo.Catalog(n, 1, time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC))
	putCourses(b, s, courses)
	listed := 0
	for i := range courses {
		if courses[i].Availability.Status != lectern.StatusRetired {
			listed++
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for part := range slices.Chunk(courses, 2000) {
		vectors := map[lectern.ContentHash][]float32{}
		for i := range part {
			v := make([]float32, 256)
			v[r.IntN(256)] = 1
			vectors[lectern.HashContent(part[i].EmbeddingText())] = v
		}
		if err := s.PutVectors(b.Context(), random{}.Fingerprint(), vectors); err != nil {
			b.Fatal(err)
		}
	}
	outside := func(o *indexing.Options) {
		o.Makers[indexing.DefaultMaker] = indexing.Maker{
			Connect: func(context.Context) (lectern.Embedder, []byte, error) { return random{}, nil, nil },
			Load:    func([]byte) (lectern.Embedder, error) { return random{}, nil },
		}
		o.Config = indexing.DefaultConfig()
	}
	p, stop := run(b, s, outside) // activates the embedder
	waitFor(b, p, func(r indexing.Readiness) bool { return r.Vectors >= listed })
	stop()
	for b.Loop() {
		start := time.Now()
		p, stop := run(b, s, outside)
		waitFor(b, p, func(r indexing.Readiness) bool { return r.Vectors >= listed })
		b.ReportMetric(time.Since(start).Seconds(), "s-to-vectors")
		waitFor(b, p, indexing.Readiness.WordsReady)
		b.ReportMetric(time.Since(start).Seconds(), "s-to-words")
		stop()
	}
}
