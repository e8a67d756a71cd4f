package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed"
	"github.com/lectern-dev/lectern/index/qdrant"
	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
	"github.com/lectern-dev/lectern/text"
)

const (
	agreeQueries   = 2000
	agreeTolerance = 1e-4 // scores this near may come in either order
)

// importCatalogue fills a deployment with the real catalogue where the test data
// is, and with a demo one elsewhere.
func importCatalogue(d *deployment) {
	d.t.Helper()
	data := os.Getenv("LECTERN_TEST_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	real := false
	for _, set := range []string{"coursera-2019", "coursera-2021"} {
		file := filepath.Join(data, set, "courses.csv.gz")
		if _, err := os.Stat(file); err == nil {
			d.run("import", "courses", file, "--map", filepath.Join("..", "..", "docs", "import", set+".yaml"))
			real = true
		}
	}
	if !real {
		d.importDemo(1500, "courses")
	}
}

// TestIndexesAgree asks the in-process index and Qdrant (the fake one, or the real
// one that LECTERN_TEST_QDRANT names) the same 2,000 random questions.
func TestIndexesAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("indexes a whole catalogue twice; run without -short")
	}
	t.Parallel()
	points, embedder, words := catalogueInPoints(t)
	memory, remote := newIndex(), qdrantIndex(t, embedder.Dim())
	for part := range slices.Chunk(points, 500) {
		for _, x := range []lectern.VectorIndex{memory, remote} {
			if err := x.Upsert(t.Context(), part); err != nil {
				t.Fatal(err)
			}
		}
	}
	rng := rand.New(rand.NewPCG(3, 2000))
	hits, found := 0, 0
	for asked := 0; asked < agreeQueries; {
		batch := make([]lectern.VectorQuery, 0, 20)
		for range cap(batch) {
			batch = append(batch, randomQuery(t, rng, points, embedder, words))
		}
		asked += len(batch)
		want, err := memory.Search(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		got, err := remote.Search(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		for i := range batch {
			if where := disagreement(want[i], got[i]); where != "" {
				t.Errorf("query %d on %s with filter %+v: %s", asked-len(batch)+i, batch[i].Vector, batch[i].Filter, where)
			}
			hits += len(want[i])
			found += min(1, len(want[i]))
		}
	}
	if found < agreeQueries/4 {
		t.Errorf("only %d of %d queries found anything: the comparison says little", found, agreeQueries)
	}
	t.Logf("%d queries over %d courses, %d with hits, %d hits compared", agreeQueries, len(points), found, hits)
}

// catalogueInPoints imports a catalogue and makes the points of its courses.
func catalogueInPoints(t *testing.T) ([]lectern.Point, lectern.Embedder, *text.Lexicon) {
	t.Helper()
	d := embedded(t)
	importCatalogue(d)
	var courses []lectern.Course
	d.withStore(func(store relational) {
		for after := int64(0); ; {
			page, next, err := store.ScanCourses(t.Context(), after, 1000)
			if err != nil {
				t.Fatal(err)
			}
			courses = append(courses, page...)
			if after = next; next == 0 {
				return
			}
		}
	})
	texts := make([]string, len(courses))
	for i, c := range courses {
		texts[i] = c.EmbeddingText()
	}
	options := embed.DefaultOptions()
	options.Dim = 64 // the fake one's plain loops are slow
	embedder, err := embed.Train(t.Context(), slices.Values(texts), options)
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := embedder.Embed(t.Context(), lectern.EmbedDocument, texts)
	if err != nil {
		t.Fatal(err)
	}
	words := text.NewLexicon(text.DefaultParams())
	points := make([]lectern.Point, len(courses))
	for i, c := range courses {
		points[i] = lectern.Point{
			ID: c.ID, Payload: lectern.PayloadOf(c),
			Sparse: map[string]lectern.SparseVector{lectern.VectorLexical: words.Put(c.ID, text.CourseDocument(c))},
		}
		if vectors[i] != nil {
			points[i].Dense = map[string][]float32{lectern.VectorContent: vectors[i]}
		}
	}
	return points, embedder, words
}

func qdrantIndex(t *testing.T, dim int) lectern.VectorIndex {
	t.Helper()
	config := qdrant.DefaultConfig()
	config.Exact = true
	config.SearchTimeout = time.Minute
	config.Prefix = "agree" + strconv.Itoa(os.Getpid())
	if config.Address = os.Getenv(qdrantVariable); config.Address == "" {
		config.Address = qdranttest.Start(t).Addr()
	}
	indexes, err := qdrant.Connect(t.Context(), qdrant.Options{Config: config, Logger: newLogger(&bytes.Buffer{}, LogConfig{})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := indexes.Drop(t.Context(), 1); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		if err := indexes.Close(); err != nil {
			t.Error(err)
		}
	})
	x, err := indexes.Create(t.Context(), lectern.IndexSpec{
		Version: 1, Dense: map[string]int{lectern.VectorContent: dim}, Sparse: []string{lectern.VectorLexical},
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// randomQuery is a vector near a random course or the words of its title, under
// random filters.
func randomQuery(t *testing.T, rng *rand.Rand, points []lectern.Point, e lectern.Embedder, words *text.Lexicon) lectern.VectorQuery {
	t.Helper()
	about := points[rng.IntN(len(points))]
	q := lectern.VectorQuery{K: []int{1, 10, 50, 200}[rng.IntN(4)], Filter: randomFilter(rng, points)}
	phrase := about.ID
	if len(about.Payload.Categories) > 0 {
		phrase += " " + about.Payload.Categories[0]
	}
	if rng.IntN(2) == 0 {
		if v := words.QueryVector(phrase, text.QueryOptions{}); len(v.Indices) > 0 {
			q.Vector, q.Sparse = lectern.VectorLexical, &v
			return q
		}
	}
	q.Vector = lectern.VectorContent
	if q.Dense = about.Dense[lectern.VectorContent]; rng.IntN(2) == 0 || q.Dense == nil {
		vectors, err := e.Embed(t.Context(), lectern.EmbedQuery, []string{phrase + " introduction to data"})
		if err != nil {
			t.Fatal(err)
		}
		q.Dense = vectors[0]
	}
	return q
}

// randomFilter draws its values from the courses that there are.
func randomFilter(rng *rand.Rand, points []lectern.Point) lectern.Filter {
	var f lectern.Filter
	of := func() lectern.Payload { return points[rng.IntN(len(points))].Payload }
	maybe := func(set func()) {
		if rng.IntN(4) == 0 {
			set()
		}
	}
	maybe(func() { f.Levels = []lectern.Level{of().Level, of().Level} })
	maybe(func() { f.Languages = of().Languages })
	maybe(func() { f.Categories = of().Categories })
	maybe(func() { f.Providers = []string{of().Provider, of().Provider, of().Provider} })
	maybe(func() {
		if h := of().Hours; h != nil {
			f.MaxHours = h
		}
	})
	maybe(func() {
		for range 20 {
			f.ExcludeIDs = append(f.ExcludeIDs, points[rng.IntN(len(points))].ID)
		}
		slices.Sort(f.ExcludeIDs)
	})
	maybe(func() {
		f.Eligible = &lectern.Eligibility{At: time.Date(2020+rng.IntN(8), 3, 1, 0, 0, 0, 0, time.UTC)}
	})
	return f
}

// disagreement says where two lists differ by more than the order of near ties.
func disagreement(want, got []lectern.Hit) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d hits, want %d", len(got), len(want))
	}
	for i := range want {
		if d := want[i].Score - got[i].Score; d > agreeTolerance || d < -agreeTolerance {
			return fmt.Sprintf("hit %d scores %v, want %v", i, got[i].Score, want[i].Score)
		}
		if want[i].ID == got[i].ID {
			continue
		}
		// Elsewhere in the list it must have nearly the same score; past the cut
		// it may be missing if it ties with the last.
		at := slices.IndexFunc(got, func(h lectern.Hit) bool { return h.ID == want[i].ID })
		if at < 0 && want[i].Score-want[len(want)-1].Score > agreeTolerance {
			return fmt.Sprintf("%s, hit %d, is missing", want[i].ID, i)
		}
		if at >= 0 && max(want[i].Score-got[at].Score, got[at].Score-want[i].Score, want[i].Score-want[at].Score, want[at].Score-want[i].Score) > agreeTolerance {
			return fmt.Sprintf("%s is hit %d, want %d", want[i].ID, at, i)
		}
	}
	return ""
}
