package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/lectern-dev/lectern/eval/homes"
)

// goldenHome is the evaluation of home lists in small.
func goldenHome() homeEval {
	o := homeEval{demo: demoOptions(), share: 0.85, learners: 120, fresh: 40, variants: 2, progress: func(string, ...any) {}}
	o.demo.Seed, o.demo.Courses, o.demo.Learners, o.demo.Reviews, o.demo.Events = homeSeed, 700, 600, 0, 17_000
	o.month = homes.Month{Days: 7, Visitors: 40, PageSize: homes.TopK}
	return o
}

// TestGoldenHome judges home lists and cold starts on a small demo platform and
// compares every figure with the committed report. With -update it writes the report
// anew and prints how each figure changed:
//
//	go test ./cmd/lectern -run TestGoldenHome -update -v
func TestGoldenHome(t *testing.T) {
	if testing.Short() {
		t.Skip("trains an embedder and models; run without -short")
	}
	t.Parallel()
	o := goldenHome()
	report, err := o.run(t.Context(), DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.Write(&out); err != nil {
		t.Fatal(err)
	}
	promises(t, report)
	path := filepath.Join(goldenDir, "home.golden")
	old, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	changes := changedFigures(string(old), out.String())
	if *update {
		for _, c := range changes {
			fmt.Println(c)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
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

// promises are what home lists must do on a platform whose truth is known.
func promises(t *testing.T, r homes.Report) {
	t.Helper()
	served, popular := r.Lists.Way(homes.WayServed), r.Lists.Way(homes.WayPopularity)
	if served.Relevance < 6*popular.Relevance || served.NDCG < 12*popular.NDCG {
		t.Errorf("lists recover interests with %.4f and nDCG %.4f, popularity with %.4f and %.4f: less than 6 and 12 times as well",
			served.Relevance, served.NDCG, popular.Relevance, popular.NDCG)
	}
	for _, w := range r.Lists.Ways {
		if w.Kind == "source" && w.NDCG > served.NDCG {
			t.Errorf("the source %s alone (nDCG %.4f) is better than the list (%.4f)", w.Name, w.NDCG, served.NDCG)
		}
	}
	if b := r.Lists.Both[0]; b.Served < 0.85 || b.Learners < 20 {
		t.Errorf("both interests show for %.2f of %d learners", b.Served, b.Learners)
	}
	for _, d := range r.Dismissals {
		if want := map[string]float64{"taken": 0.6, "looked": 0.9, "strange": 0.9}[d.Topic]; d.Times == 1 && d.Learners > 9 && d.Gone < want {
			t.Errorf("after one dismissal a topic (%s) is gone for %.2f of %d learners", d.Topic, d.Gone, d.Learners)
		}
		if d.Course < 1 {
			t.Errorf("a dismissed course is back in the list of somebody (%s)", d.Topic)
		}
	}
	if s := r.Successors; s.Completed < 20 || s.NextFirst < 0.95 || s.NextTwin > 0.02 || s.ListShows < 0.8 || s.ListTwin > 0.3 {
		t.Errorf("successors: %+v", s)
	}
	coldStarts(t, r)
}

// coldStarts is what must hold for learners and courses that are new.
func coldStarts(t *testing.T, r homes.Report) {
	t.Helper()
	cold := map[string]homes.Cold{}
	for _, c := range r.Cold {
		cold[c.Knows+" "+c.Way] = c
	}
	popular, stated := cold["nothing popularity"], cold["all_interests served"]
	if stated.Relevance < 10*popular.Relevance || stated.Interests < 0.9 {
		t.Errorf("stated interests give %.4f and show %.2f of them, popularity %.4f", stated.Relevance, stated.Interests, popular.Relevance)
	}
	if nothing := cold["nothing served"]; nothing.NDCG < cold["nothing random"].NDCG {
		t.Errorf("without anything known lists (%.4f) are worse than chance", nothing.NDCG)
	}
	for _, x := range r.Exposure {
		if last := x.Weeks[len(x.Weeks)-1]; x.Variant == "as_served" && (last.Reached < 0.5 || last.Ratio < 0.4) {
			t.Errorf("new courses after a week: %+v", last)
		}
	}
}

// TestEvalHomeRefuses: flags that make no sense are refused before anything is made.
func TestEvalHomeRefuses(t *testing.T) {
	for _, args := range [][]string{{"--share", "0"}, {"--judged", "0"}, {"--days", "-1"}} {
		if code, _, stderr := runCommand(t, append([]string{"eval", "home"}, args...)...); code != 2 {
			t.Errorf("%v: status %d, %s", args, code, stderr)
		}
	}
}
