package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval"
)

// goldenDir holds a small catalogue written for this report, with judgements.
var goldenDir = filepath.Join("..", "..", "eval", "testdata", "golden")

// TestGoldenRelevance computes the quality of what is served on a small catalogue,
// by class of query and letter by letter, and compares every figure with the
// committed report to four digits. With -update it writes the report anew and
// prints how each figure changed:
//
//	go test ./cmd/lectern -run TestGoldenRelevance -update -v
func TestGoldenRelevance(t *testing.T) {
	got := goldenReport(t)
	path := filepath.Join(goldenDir, "report.golden")
	old, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	changes := changedFigures(string(old), got)
	if *update {
		for _, c := range changes {
			fmt.Println(c)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, c := range changes {
		t.Error(c)
	}
	if len(changes) > 0 {
		t.Log("if this is meant, run the test with -update, and say in the commit why figures fell")
	}
}

// goldenReport indexes the fixture and measures it.
func goldenReport(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	mustRun(t, "import", "courses", filepath.Join(goldenDir, "courses.jsonl"), "--data", dir)
	cmd := withConfigFlags(&cobra.Command{Use: "golden"})
	cmd.SetContext(t.Context())
	cmd.SetErr(io.Discard)
	if err := cmd.ParseFlags([]string{"--data", dir}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := withExistingStore(cmd, func(env environment) error {
		courses, err := allCourses(t.Context(), env)
		if err != nil {
			return err
		}
		sets := goldenSets(t, courses)
		bench, err := newSearchBench(t.Context(), env, courses, eval.LeaveOut(sets))
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = bench.close(t.Context()) })
		found, err := eval.SearchClasses(t.Context(), bench.rankers(), sets)
		if err != nil {
			return err
		}
		writeClasses(&out, found)
		fmt.Fprintln(&out)
		return writeTyping(t, &out, bench, courses, sets)
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// goldenSets are the classes made from the fixture and those judged by hand.
func goldenSets(t *testing.T, courses []lectern.Course) []eval.ClassSet {
	t.Helper()
	sets, err := eval.Classes(courses, eval.GeneratedClasses(), eval.ClassOptions{Seed: evalSeed})
	if err != nil {
		t.Fatal(err)
	}
	judged := func(name string) (eval.QuerySet, eval.Qrels) {
		set, qrels, err := readJudged(filepath.Join(goldenDir, name+".tsv"), filepath.Join(goldenDir, name+".qrels"))
		if err != nil {
			t.Fatal(err)
		}
		for _, rel := range qrels {
			for id := range rel {
				if !slices.ContainsFunc(courses, func(c lectern.Course) bool { return c.ID == id }) {
					t.Fatalf("%s.qrels judges %q, which is no course of the fixture", name, id)
				}
			}
		}
		return set, qrels
	}
	language := &sets[len(sets)-1] // titles; what else is typed in these languages joins them
	set, qrels := judged("language")
	language.Queries = append(language.Queries, set.Queries...)
	for id, rel := range qrels {
		language.Qrels[id] = rel
	}
	set, qrels = judged("questions")
	return append(sets, eval.ClassSet{Class: eval.ClassQuestion, QuerySet: set, Qrels: qrels})
}

func writeClasses(w io.Writer, r eval.ClassReport) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "class\tranker\tqueries\tnDCG@10\tMRR@10\tRecall@50")
	for _, c := range r.Classes {
		for _, s := range c.Rankers {
			fmt.Fprintf(t, "%s\t%s\t%d\t%.4f\t%.4f\t%.4f\n", c.Class, s.Name, c.Queries, s.NDCG, s.MRR, s.Recall)
		}
	}
	t.Flush()
}

// writeTyping types titles, skills and questions letter by letter.
func writeTyping(t *testing.T, w io.Writer, bench *searchBench, courses []lectern.Course, sets []eval.ClassSet) error {
	t.Helper()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "typed\tcompleter\tqueries\tsuccess@3\tsuccess@5\tsuccess@8\tsaved\tMRR@1\tMRR@3\tMRR@5\tMRR@8\ttop5@5")
	specific := eval.NewSpecificity(courses, eval.LeaveOut(sets)...)
	for _, s := range sets {
		if s.Class != eval.ClassTitle && s.Class != eval.ClassSkill && s.Class != eval.ClassQuestion {
			continue
		}
		r, err := eval.Autocomplete(t.Context(), bench.completers(), s.Queries, s.Qrels, eval.TypeOptions{Letters: 24})
		if err != nil {
			return err
		}
		for i, c := range r.Completers {
			within := "-"
			if s.Class == eval.ClassTitle {
				share, err := eval.Within(t.Context(), bench.completers()[i], specific.SpecificPrefixes(s.QuerySet, specificLetters).Queries, s.Qrels, specificTop)
				if err != nil {
					return err
				}
				within = fmt.Sprintf("%.4f", share)
			}
			fmt.Fprintf(table, "%s\t%s\t%d\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%s\n", s.Class, c.Name, r.Queries,
				c.Success3, c.Success5, c.Success8, c.Saved, c.MRR[0], c.MRR[2], c.MRR[4], c.MRR[7], within)
		}
	}
	return table.Flush()
}

// changedFigures compares two reports figure by figure: a line each that differs.
func changedFigures(old, now string) []string {
	before, _ := figures(old)
	after, order := figures(now)
	var out []string
	for _, name := range order {
		was, ok := before[name]
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("%s: new, %s", name, after[name]))
		case was != after[name]:
			out = append(out, fmt.Sprintf("%s: %s → %s%s", name, was, after[name], difference(was, after[name])))
		}
	}
	_, gone := figures(old)
	for _, name := range gone {
		if _, ok := after[name]; !ok {
			out = append(out, fmt.Sprintf("%s: gone, was %s", name, before[name]))
		}
	}
	return out
}

// figures reads the tables of a report: each figure by its row and column, and
// the names in order.
func figures(report string) (map[string]string, []string) {
	values := make(map[string]string)
	var order []string
	var head []string
	for line := range strings.Lines(report) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0:
			head = nil
		case head == nil:
			head = f
		default:
			for i := 2; i < len(f) && i < len(head); i++ {
				name := fmt.Sprintf("%s %s, %s, %s", head[0], f[0], f[1], head[i])
				values[name] = f[i]
				order = append(order, name)
			}
		}
	}
	return values, order
}

func difference(was, now string) string {
	a, errA := strconv.ParseFloat(was, 64)
	b, errB := strconv.ParseFloat(now, 64)
	if errA != nil || errB != nil {
		return ""
	}
	return fmt.Sprintf(" (%+.4f)", b-a)
}

func TestChangedFigures(t *testing.T) {
	old := "class ranker nDCG@10\ntitle hybrid 0.9000\nskill hybrid 0.5000\n"
	now := "class ranker nDCG@10\ntitle hybrid 0.9100\nquestion hybrid 0.4000\n"
	want := []string{
		"class title, hybrid, nDCG@10: 0.9000 → 0.9100 (+0.0100)",
		"class question, hybrid, nDCG@10: new, 0.4000",
		"class skill, hybrid, nDCG@10: gone, was 0.5000",
	}
	if got := changedFigures(old, now); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := changedFigures(old, old); got != nil {
		t.Errorf("the same report changes: %q", got)
	}
}
