package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern/eval"
)

// fixtureStore imports the golden catalogue into a folder of its own.
func fixtureStore(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	mustRun(t, "import", "courses", filepath.Join(goldenDir, "courses.jsonl"), "--data", dir)
	return dir
}

func TestEvalSearchByClass(t *testing.T) {
	data, run := fixtureStore(t), filepath.Join(t.TempDir(), "run.txt")
	questions := []string{"--queries", filepath.Join(goldenDir, "questions.tsv"), "--qrels", filepath.Join(goldenDir, "questions.qrels")}
	out := mustRun(t, append([]string{"eval", "search", "--data", data, "--classes", "title,skill-typo", "--sample", "12", "--run", run, "--json"}, questions...)...)
	var got eval.ClassReport
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Classes) != 3 || got.Classes[0].Class != eval.ClassTitle || got.Classes[0].Queries != 12 || got.Classes[2].Class != eval.ClassQuestion {
		t.Errorf("%s", out)
	}
	answers, err := os.ReadFile(run)
	if err != nil || !strings.Contains(string(answers), "title-0001 Q0 ") || !strings.Contains(string(answers), "q01 Q0 ") {
		t.Errorf("run: %v\n%.300s", err, answers)
	}
	// A file alone is reported as before, without classes.
	out = mustRun(t, append([]string{"eval", "search", "--data", data, "--gains"}, questions...)...)
	if !strings.Contains(out, "51 queries, 0 without a relevant course") || strings.Count(out, "hybrid") != 4 || strings.Count(out, "hybrid-skills-off") != 2 || !strings.Contains(out, "gain of") {
		t.Errorf("%s", out)
	}
}

func TestEvalAutocomplete(t *testing.T) {
	data := fixtureStore(t)
	out := mustRun(t, "eval", "autocomplete", "--data", data, "--titles", "10", "--letters", "6",
		"--queries", filepath.Join(goldenDir, "questions.tsv"), "--qrels", filepath.Join(goldenDir, "questions.qrels"), "--json")
	var got typedReport
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Sets) != 2 || got.Sets[0].Queries != 51 || got.Sets[1].Queries != 10 || len(got.Sets[1].Completers[0].MRR) != 6 {
		t.Errorf("%s", out)
	}
	if len(got.Specific) == 0 || got.Specific[0].Share < 0.5 {
		t.Errorf("most specific words: %+v", got.Specific)
	}
	out = mustRun(t, "eval", "autocomplete", "--data", data, "--titles", "5")
	if !strings.Contains(out, "most specific word") || !strings.Contains(out, "MRR after letters") {
		t.Errorf("%s", out)
	}
}

func TestEvalQueriesOfAClass(t *testing.T) {
	data, dir := fixtureStore(t), t.TempDir()
	queries, qrels := filepath.Join(dir, "q.tsv"), filepath.Join(dir, "q.qrels")
	mustRun(t, "eval", "queries", "--data", data, "--class", "title-5", "--queries", queries, "--qrels", qrels)
	set, rels, err := readJudged(queries, qrels)
	if err != nil || len(set.Queries) != 136 || len(rels) != 136 {
		t.Errorf("%d queries, %d judged, %v", len(set.Queries), len(rels), err)
	}
}

func TestEvalUsageErrors(t *testing.T) {
	for _, args := range [][]string{
		{"search"},
		{"search", "--classes", "titel"},
		{"search", "--classes", "title", "--queries", "q.tsv"},
		{"autocomplete", "--qrels", "q.qrels"},
		{"autocomplete", "--titles", "0"},
		{"autocomplete", "--titles", "-1"},
		{"queries"},
		{"queries", "--queries", "q", "--qrels", "r", "--class", "all"},
		{"queries", "--queries", "q", "--qrels", "r", "--variant", "half"},
		{"sentiment"},
		{"sentiment", "--demo", "--share", "1"},
		{"sentiment", "--demo", "--repeat", "0"},
	} {
		if code, out, stderr := runCommand(t, append([]string{"eval"}, args...)...); code != 2 {
			t.Errorf("eval %v: status %d\n%s%s", args, code, out, stderr)
		}
	}
	if _, _, stderr := runCommand(t, "eval", "search", "--classes", "titel"); !strings.Contains(stderr, "title") {
		t.Errorf("no hint: %s", stderr)
	}
}
