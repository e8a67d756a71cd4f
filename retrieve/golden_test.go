package retrieve_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

var update = flag.Bool("update", false, "write the golden reports anew")

// people are the learners of the fixture.
func people(w *world) {
	hours := 5.0
	no := lectern.Consent{}
	for _, l := range []lectern.Learner{
		{ID: "ada", PreferredLevel: lectern.LevelAdvanced, WeeklyHours: &hours, Languages: []string{"en"}},
		{ID: "cold", Interests: []string{"music theory", "guitar"}, Languages: []string{"en"}},
		{ID: "goal", Goal: "become a data analyst"},
		{ID: "sol", Languages: []string{"es"}, Interests: []string{"Python"}},
		{ID: "acme", Organisations: []string{"ACME"}, Region: "de", Interests: []string{"Python"}},
		{ID: "shy", Consent: &no, Interests: []string{"guitar"}},
	} {
		w.profiles[lectern.LearnerRef{ID: l.ID}] = lectern.Profile{Learner: l, Version: 1}
	}
	w.act(lectern.LearnerRef{ID: "ada"}, lectern.EventComplete, "ml-101")
	w.act(lectern.LearnerRef{ID: "ada"}, lectern.EventClick, "py-data")
	w.act(lectern.LearnerRef{ID: "ada"}, lectern.EventDismiss, "mkt-1")
	w.act(lectern.LearnerRef{ID: "shy"}, lectern.EventComplete, "mus-1")
	w.act(lectern.LearnerRef{AnonymousID: "tab-1"}, lectern.EventClick, "mus-2")
}

// TestGolden pins the lists of a small platform, so that a change of ranking is a
// readable difference. Refresh with: go test ./retrieve -run Golden -update
func TestGolden(t *testing.T) {
	var b strings.Builder
	w := newWorld(t, fixture(t))
	people(w)
	show := func(title string, req lectern.ListRequest) {
		req.Limit, req.Explain = 8, true
		report(&b, title, w.list(req))
	}
	home := func(id string) lectern.ListRequest {
		return lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: lectern.LearnerRef{ID: id}}
	}
	show("home of nobody", home(""))
	for _, id := range []string{"ada", "cold", "goal", "sol", "acme", "shy"} {
		show("home of "+id, home(id))
	}
	show("home of the visitor tab-1", lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: lectern.LearnerRef{AnonymousID: "tab-1"}})
	for _, q := range []string{"machine learning", "pyton", "neural networks", "songs", "what to eat"} {
		show("search "+q, lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: q})
	}
	show("similar to py-101", lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: "py-101"})
	show("similar to bare-1", lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: "bare-1"})
	golden(t, "testdata/lists.golden", b.String())
}

func report(b *strings.Builder, title string, l lectern.List) {
	fmt.Fprintf(b, "== %s (%d in all", title, l.Total)
	if len(l.Degraded) > 0 {
		fmt.Fprintf(b, ", without %s", strings.Join(l.Degraded, ", "))
	}
	b.WriteString(")\n")
	for _, it := range l.Items {
		fmt.Fprintf(b, "%2d %.4f %-8s from %s\n", it.Position, it.Score, it.Course.ID, strings.Join(it.Sources, " "))
		b.WriteString("     ")
		for _, t := range it.Terms {
			fmt.Fprintf(b, " %s %.3f", t.Name, t.Value)
		}
		b.WriteString("\n     ")
		for _, r := range it.Reasons {
			keys := make([]string, 0, len(r.Params))
			for k, v := range r.Params {
				keys = append(keys, k+"="+v)
			}
			slices.Sort(keys)
			fmt.Fprintf(b, " %s(%s)", r.Code, strings.Join(keys, " "))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("lists changed (-golden +now); if that is meant, refresh with -update:\n%s", diff)
	}
}
