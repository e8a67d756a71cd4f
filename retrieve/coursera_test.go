package retrieve_test

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/text"
)

// testData finds the real catalogues, or skips.
func testData(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("LECTERN_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	file := filepath.Join(dir, name)
	if _, err := os.Stat(file); err != nil {
		t.Skip("no test data: set LECTERN_TEST_DATA")
	}
	return file
}

var quoted = regexp.MustCompile(`'([^']+)'|"([^"]+)"`)

// coursera reads a real catalogue with its ratings and enrolments, and the courses
// that carry each skill. The skills themselves are left out of the courses.
func coursera(t testing.TB) (courses []lectern.Course, bySkill map[string][]string) {
	t.Helper()
	f, err := os.Open(testData(t, "coursera-2021/courses.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	head, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range head {
		column[name] = i
	}
	bySkill = map[string][]string{}
	for {
		row, err := r.Read()
		if err == io.EOF {
			return courses, bySkill
		}
		if err != nil {
			t.Fatal(err)
		}
		get := func(name string) string { return row[column[name]] }
		c := lectern.Course{
			ID: path.Base(get("link")), Title: get("title"), Description: get("description"), Provider: get("provider"),
			Categories: []string{get("category"), get("subcategory")},
		}
		c.Stated.RatingMean, _ = strconv.ParseFloat(get("rating"), 64)
		c.Stated.Enrolments, _ = strconv.Atoi(strings.ReplaceAll(get("subscribers"), ",", ""))
		for _, m := range quoted.FindAllStringSubmatch(get("skill"), -1) {
			skill := lectern.FoldKey(m[1] + m[2])
			if !slices.Contains(bySkill[skill], c.ID) {
				bySkill[skill] = append(bySkill[skill], c.ID)
			}
		}
		courses = append(courses, c)
	}
}

// TestRerankKeepsRealSearch is the gate on a real catalogue: every skill that two
// courses or more carry as a query, words only, with the parameters that are
// served. Scoring with real ratings and enrolments may cost nothing against the
// fused list. A sample of the queries will not do: a hundred of them move by a
// thousandth either way.
func TestRerankKeepsRealSearch(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a whole catalogue twice over")
	}
	courses, bySkill := coursera(t)
	w := newWorld(t, courses, wordsOnly, func(w *world, _ *retrieve.Config, _ *rerankConfig) {
		w.lexicon = text.NewLexicon(text.DefaultParams())
	})
	queries := 0
	measure := func(r rerank.Reranker) float64 {
		w.build(patient(), r)
		sum := 0.0
		queries = 0
		for _, q := range slices.Sorted(maps.Keys(bySkill)) {
			if len(bySkill[q]) < 2 {
				continue
			}
			got, err := w.engine.TopIDs(context.Background(), search(q), 10)
			if err != nil {
				t.Fatal(err)
			}
			sum += ndcg(got, bySkill[q])
			queries++
		}
		return sum / float64(queries)
	}
	reranked, fused := measure(linearDefault(t)), measure(rerank.NoOp{})
	t.Logf("%d courses, %d queries, nDCG@10: reranked %.4f, fused %.4f", len(courses), queries, reranked, fused)
	if reranked < fused {
		t.Errorf("nDCG@10: reranked %.4f, fused %.4f", reranked, fused)
	}
}
