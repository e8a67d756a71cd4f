package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern/rerank"
)

// takers writes rows of learners who walk along a ring of courses, each from a place
// of their own: what comes next is known from what came before.
func takers(t *testing.T) (train, test string) {
	t.Helper()
	dir := t.TempDir()
	var a, b strings.Builder
	a.WriteString("user,item\n")
	b.WriteString("user,item\n")
	for u := range 60 {
		for i := range 6 {
			fmt.Fprintf(&a, "u%d,c%d\n", u, (u*7+i)%20)
		}
		fmt.Fprintf(&b, "u%d,c%d\n", u, (u*7+6)%20)
	}
	train, test = filepath.Join(dir, "train.csv"), filepath.Join(dir, "test.csv")
	writeText(t, train, a.String())
	writeText(t, test, b.String())
	return train, test
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// recsOutput is what programs read of the report.
type recsOutput struct {
	Selected string
	Models   []map[string]any
	Protocol struct{ Sampled bool }
	Pipeline *struct {
		Lists  int
		Stages []struct{ Name, Kind string }
	}
	Faults []any
}

func (r recsOutput) names() string {
	var out []string
	for _, m := range r.Models {
		out = append(out, m["name"].(string))
	}
	return strings.Join(out, " ")
}

func readRecs(t *testing.T, text string) recsOutput {
	t.Helper()
	var out recsOutput
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

func TestEvalRecsOnFiles(t *testing.T) {
	train, test := takers(t)
	dir := t.TempDir()
	doc, page := filepath.Join(dir, "report.json"), filepath.Join(dir, "report.html")
	table := mustRun(t, "eval", "recs", "--train", train, "--test", test, "--models", "ease,slist,blend", "--json", doc, "--html", page)
	for _, want := range []string{"(random)", "(popularity)", "ease", "slist", "ndcg@10", "95 % intervals", "validation", "slices of", "ranking: full"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table has no %q:\n%s", want, table)
		}
	}
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	got := readRecs(t, string(text))
	if names := got.names(); !strings.HasPrefix(names, "random popularity ease slist") {
		t.Errorf("models %s", names)
	}
	if got.Selected == "random" || got.Selected == "popularity" || got.Protocol.Sampled || got.Pipeline != nil || got.Faults == nil {
		t.Errorf("%+v", got)
	}
	for _, m := range got.Models {
		if m["name"] == "slist" && m["hit_rate@10"].(float64) < .9 {
			t.Errorf("the next course of a ring is not found: %v", m["hit_rate@10"])
		}
		for _, key := range []string{"recall@10", "precision@10", "hit_rate@10", "ndcg@10"} {
			if _, ok := m[key].(float64); !ok {
				t.Errorf("%s has no %s", m["name"], key)
			}
		}
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "<svg") {
		t.Errorf("page: %v", err)
	}
}

// TestEvalRecsFloors: floors are there whatever was asked for, and JSON alone goes
// to standard output.
func TestEvalRecsFloors(t *testing.T) {
	train, test := takers(t)
	for _, args := range [][]string{{"--json"}, {"--json", "-"}, {"--json=-"}} {
		out := mustRun(t, append([]string{"eval", "recs", "--train", train, "--test", test, "--models", "ease", "--k", "5"}, args...)...)
		got := readRecs(t, out)
		if got.names() != "random popularity ease" || got.Models[2]["ndcg@5"] == nil {
			t.Errorf("%v: models %s, %v", args, got.names(), got.Models[2])
		}
	}
}

func TestEvalRecsSplitsAndNegatives(t *testing.T) {
	train, test := takers(t)
	for _, split := range []string{"last", "fraction:0.2"} {
		out := mustRun(t, "eval", "recs", "--train", train, "--split", split, "--models", "ease", "--json")
		if got := readRecs(t, out); len(got.Models) != 3 {
			t.Errorf("%s: %s", split, out)
		}
	}
	negatives := filepath.Join(t.TempDir(), "negatives.csv")
	var b strings.Builder
	b.WriteString("user,item,negatives\n")
	for u := range 60 {
		next := (u*7 + 6) % 20
		fmt.Fprintf(&b, "u%d,c%d,c%d c%d c%d\n", u, next, (next+1)%20, (next+5)%20, next)
	}
	writeText(t, negatives, b.String())
	out := mustRun(t, "eval", "recs", "--train", train, "--test", test, "--negatives", negatives, "--models", "ease")
	if !strings.Contains(out, "SAMPLED") || !strings.Contains(out, "60 negatives are their own positive: skipped") {
		t.Errorf("%s", out)
	}
}

func TestEvalRecsRefuses(t *testing.T) {
	train, test := takers(t)
	garbage := filepath.Join(t.TempDir(), "garbage.csv")
	writeText(t, garbage, "\x7fELF\x02\x01\x01\x00 not a table\n\xff\xfe")
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{1, `must name the columns, "user" among them`, []string{"--train", garbage}},
		{2, "no such file", []string{"--train", train + ".missing"}},
		{2, "did you mean \"ease\"", []string{"--train", train, "--models", "eas"}},
		{2, "exclude each other", []string{"--train", train, "--test", test, "--split", "last"}},
		{2, "needs the rows", []string{"--train", train, "--negatives", test}},
		{2, `lectern: --split: "half" is no split; allowed: last,`, []string{"--train", train, "--split", "half"}},
		{2, "--split: ", []string{"--train", train + ".missing", "--split", "half"}},
		{2, "--train and --data exclude each other", []string{"--train", train, "--data", t.TempDir()}},
		{2, "--json: open ", []string{"--train", train + ".missing", "--json", filepath.Join(t.TempDir(), "none", "a.json")}},
		{2, "--html: open ", []string{"--train", train + ".missing", "--html", filepath.Join(t.TempDir(), "none", "a.html")}},
		{1, "needs a time in every row", []string{"--train", train, "--split", "time:0.8"}},
		{2, "not recall@k", []string{"--train", train, "--test", test, "--metric", "beauty@10"}},
		{2, "not between 1 and 1000", []string{"--train", train, "--k", "0"}},
		{2, "takes no argument", []string{"--train", train, "surplus"}},
		{2, "--order", []string{"--train", train, "--order", "random"}},
	} {
		code, _, stderr := runCommand(t, append([]string{"eval", "recs"}, c.args...)...)
		if code != c.status || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: status %d, %s; want %d, %s", c.args, code, stderr, c.status, c.want)
		}
	}
}

// TestEvalRecsNothingHeldBack: where every test row is known already the error says so
// and counts, and what could not be read is told though there is no report.
func TestEvalRecsNothingHeldBack(t *testing.T) {
	tiny := filepath.Join(t.TempDir(), "tiny.csv")
	writeText(t, tiny, "user,item\na,x\na,y\nb,x\n,z\n")
	code, _, stderr := runCommand(t, "eval", "recs", "--train", tiny, "--test", tiny)
	for _, want := range []string{"all 3 rows held back, of 2 learners, are in the training history already", "tiny.csv: 1 rows could not be read, the first on line 5"} {
		if code != 1 || !strings.Contains(stderr, want) {
			t.Errorf("status %d, %s; want %q", code, stderr, want)
		}
	}
}

// TestEvalRecsKeepsReports: a run that fails leaves a report of before as it is, and
// makes none; one that does not replaces all of it.
func TestEvalRecsKeepsReports(t *testing.T) {
	train, test := takers(t)
	dir := t.TempDir()
	old, fresh := filepath.Join(dir, "old.json"), filepath.Join(dir, "new.html")
	before := strings.Repeat("old ", 100_000)
	writeText(t, old, before)
	if code, _, stderr := runCommand(t, "eval", "recs", "--train", train, "--test", train, "--json", old, "--html", fresh); code != 1 {
		t.Fatalf("status %d, %s", code, stderr)
	}
	if text, err := os.ReadFile(old); err != nil || string(text) != before {
		t.Errorf("the old report is %.20q, %v", text, err)
	}
	if _, err := os.Stat(fresh); !os.IsNotExist(err) {
		t.Errorf("a report was made of nothing: %v", err)
	}
	mustRun(t, "eval", "recs", "--train", train, "--test", test, "--models", "ease", "--json", old, "--html", fresh)
	text, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	readRecs(t, string(text))
	if page, err := os.ReadFile(fresh); err != nil || !strings.Contains(string(page), "train: "+train) || !strings.Contains(string(page), "test: "+test) {
		t.Errorf("the page does not name its files: %v", err)
	}
}

// TestEvalRecsArguments: --json and --tune may have their value behind them, or none.
func TestEvalRecsArguments(t *testing.T) {
	for _, c := range []struct {
		args []string
		json string
		tune time.Duration
	}{
		{[]string{"--json"}, stdoutName, 0},
		{[]string{"--json", "out.json"}, "out.json", 0},
		{[]string{"--json=out.json", "--tune"}, "out.json", recsTune},
		{[]string{"--tune", "90s", "--json", "out.json"}, "out.json", 90 * time.Second},
		{[]string{"--tune=5s"}, "", 5 * time.Second},
	} {
		var o recsEval
		cmd := newEvalRecsCommand()
		if err := cmd.ParseFlags(c.args); err != nil {
			t.Fatal(err)
		}
		o.json, _ = cmd.Flags().GetString("json")
		o.tune, _ = cmd.Flags().GetDuration("tune")
		if err := o.take(cmd.Flags().Args()); err != nil || o.json != c.json || o.tune != c.tune {
			t.Errorf("%v: json %q, tune %s, %v", c.args, o.json, o.tune, err)
		}
	}
}

// TestEvalRecsOnAStore measures models and the pipeline on a small demo platform.
func TestEvalRecsOnAStore(t *testing.T) {
	dir := t.TempDir()
	files, data := filepath.Join(dir, "demo"), filepath.Join(dir, "data")
	mustRun(t, "demo", "--out", files, "--courses", "150", "--learners", "250", "--reviews", "200", "--events", "9000", "--now", "2026-11-22T12:00:00Z")
	for _, kind := range []string{"courses", "reviews", "learners", "events"} {
		mustRun(t, "import", kind, filepath.Join(files, kind+".jsonl"), "--data", data)
	}
	got := readRecs(t, mustRun(t, "eval", "recs", "--data", data, "--models", "ease", "--json"))
	if got.names() != "random popularity ease" || got.Pipeline == nil || got.Pipeline.Lists < 20 {
		t.Fatalf("%+v", got)
	}
	kinds := make(map[string]string)
	for _, s := range got.Pipeline.Stages {
		kinds[s.Name] = s.Kind
	}
	for name, kind := range map[string]string{
		"profile": "source", "interests": "source", "collaborative": "source", "popular": "source", "new": "source",
		"all candidates": "union", "after rerank": "list",
	} {
		if kinds[name] != kind {
			t.Errorf("stage %s is %q, want %q: %v", name, kinds[name], kind, kinds)
		}
	}
	checkUnsound(t, data)
	code, _, stderr := runCommand(t, "eval", "recs", "--data", data, "--split", "last")
	if code != 2 || !strings.Contains(stderr, "split by time") {
		t.Errorf("%d, %s", code, stderr)
	}
}

// checkUnsound: reranking by popularity alone throws away what the sources know, and
// that is a fault that keeps a model from being used.
func checkUnsound(t *testing.T, data string) {
	t.Helper()
	cmd := withConfigFlags(&cobra.Command{Use: "check"})
	if err := cmd.ParseFlags([]string{"--data", data}); err != nil {
		t.Fatal(err)
	}
	cmd.SetContext(t.Context())
	err := withExistingStore(cmd, func(env environment) error {
		why, err := pipelineObjection(t.Context(), env, "ease", nil, 1)
		if err != nil || why != "" {
			t.Errorf("against what is served: %q, %v", why, err)
		}
		env.config.Rerank.Weights.Home = rerank.TermWeights{Popularity: 1}
		env.config.Rerank.Lists.Calibration.Interests = 0
		why, err = pipelineObjection(t.Context(), env, "ease", nil, 1)
		if err == nil && !strings.Contains(why, "stage after rerank has ndcg@10") {
			t.Errorf("against popularity alone: %q", why)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
