package openai_test

import (
	"compress/gzip"
	"encoding/csv"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed/embedtest"
	"github.com/lectern-dev/lectern/embed/openai"
)

// realServer is the server that LECTERN_TEST_OPENAI names by its base URL, with
// the model LECTERN_TEST_OPENAI_MODEL and the key LECTERN_TEST_OPENAI_KEY.
func realServer(tb testing.TB) *openai.Embedder {
	tb.Helper()
	c := openai.DefaultConfig()
	c.BaseURL, c.Model, c.APIKey = os.Getenv("LECTERN_TEST_OPENAI"), os.Getenv("LECTERN_TEST_OPENAI_MODEL"), os.Getenv("LECTERN_TEST_OPENAI_KEY")
	if c.BaseURL == "" || c.Model == "" {
		tb.Skip("LECTERN_TEST_OPENAI and LECTERN_TEST_OPENAI_MODEL name no server and model")
	}
	c.QueryTimeout, c.MaxTextTokens = 10*time.Second, 256
	e, err := openai.Connect(tb.Context(), openai.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func TestRealServer(t *testing.T) {
	e := realServer(t)
	embedtest.Run(t, embedtest.Subject{
		Embedder:  e,
		Known:     []string{"python for beginners", "bread\nrecipe", "guitar chords"},
		Unknown:   []string{"", " "},
		Tolerance: 1e-4, // a text's neighbours in a batch move its last digits
	})
	took, err := e.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d dimensions, one short text in %v", e.Model(), e.Dim(), took)
}

// BenchmarkRealServer embeds courses, 256 at a time, and says how far the estimate
// of tokens is from what the server bills.
func BenchmarkRealServer(b *testing.B) {
	e := realServer(b)
	texts := courseTexts(b, 256)
	before := e.Stats()
	b.ResetTimer()
	for b.Loop() {
		if _, err := e.Embed(b.Context(), lectern.EmbedDocument, texts); err != nil {
			b.Fatal(err)
		}
	}
	after := e.Stats()
	n := float64(after.Documents - before.Documents)
	b.ReportMetric(n/b.Elapsed().Seconds(), "texts/s")
	b.ReportMetric(float64(after.Tokens-before.Tokens)/n, "billed/text")
	b.ReportMetric(float64(openai.EstimateTokens(texts...))/float64(len(texts)), "estimated/text")
	b.ReportMetric(float64(after.CutTexts-before.CutTexts)/n, "cut/text")
}

// BenchmarkRealServerQuery embeds one query at a time.
func BenchmarkRealServerQuery(b *testing.B) {
	e := realServer(b)
	for b.Loop() {
		if _, err := e.Embed(b.Context(), lectern.EmbedQuery, []string{"learn to bake bread at home"}); err != nil {
			b.Fatal(err)
		}
	}
}

// courseTexts reads titles and descriptions of real courses.
func courseTexts(tb testing.TB, n int) []string {
	tb.Helper()
	dir := os.Getenv("LECTERN_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(dir, "coursera-2021", "courses.csv.gz"))
	if err != nil {
		tb.Skip("the Coursera data is not here: ", err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	rows := csv.NewReader(unzipped)
	header, err := rows.Read()
	if err != nil {
		tb.Fatal(err)
	}
	title, description := slices.Index(header, "title"), slices.Index(header, "description")
	if title < 0 || description < 0 {
		tb.Fatalf("columns %q", header)
	}
	var out []string
	for len(out) < n {
		row, err := rows.Read()
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, row[title]+"\n"+row[description])
	}
	return out
}
