package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/preview"
	"github.com/lectern-dev/lectern/rerank"
)

// TestPreviewOnTheDemo compares the lists of a thousand learners of the demo platform.
// With -v it prints how long that takes.
func TestPreviewOnTheDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("trains an embedder and models; run without -short")
	}
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	o := homeEval{demo: demoOptions(), share: 0.95, progress: t.Logf}
	o.demo.Learners, o.demo.Reviews, o.demo.Events = 1200, 0, 30_000
	p := o.past()
	config := DefaultConfig()
	if err := o.build(ctx, filepath.Join(dir, "base"), config, p); err != nil {
		t.Fatal(err)
	}
	s, _, err := o.open(ctx, dir, "preview", config, p)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	rankings := func() int64 {
		stats, err := s.store.Stats(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return stats.Rankings
	}
	before := rankings()
	limits := preview.DefaultConfig()
	limits.Timeout = 5 * time.Minute // what is compared does not depend on the machine
	service, err := preview.New(s.ranker, s.store, limits)
	if err != nil {
		t.Fatal(err)
	}
	old, err := rerank.New(config.Rerank, "v1")
	if err != nil {
		t.Fatal(err)
	}
	changed := config.Rerank
	changed.Weights.Home.Popularity = 0.3
	changed.Rules = []rerank.Rule{{ID: "gone", Action: rerank.RuleHide, Courses: []string{p.courses[0].ID}}}
	fresh, err := rerank.New(changed, "draft")
	if err != nil {
		t.Fatal(err)
	}
	sample, few := 1000, 5
	report, err := service.Run(ctx, preview.Request{
		Old: old, New: fresh, Sample: &sample, Seed: 1,
		Segments: []preview.Segment{{Name: "newcomers", Audience: rerank.Audience{MaxCourses: &few}, Sample: 20}},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := report.Overall
	t.Logf("%d learners in %d ms: overlap %.3f, median age %+v, coverage %+v", g.Learners, report.TookMS, g.Overlap.Mean, g.Age.Median, g.Cover)
	if report.Partial || report.Failed > 0 || g.Learners < 1000 || report.Groups[1].Learners != 20 {
		t.Errorf("%d learners, partial %v, %d failed: %s", g.Learners, report.Partial, report.Failed, report.Failure)
	}
	if g.Overlap.Mean > 0.95 || g.Overlap.Mean < 0.05 || g.Diverse == nil || len(report.Details) != preview.DefaultDetails {
		t.Errorf("overall %+v", g)
	}
	for _, term := range g.Terms {
		if term.Name == "popularity" && *term.New <= *term.Old {
			t.Errorf("popularity fell: %+v", term)
		}
	}
	if n := rankings(); n != before {
		t.Errorf("%d lists were recorded", n-before)
	}
	again, err := service.Run(ctx, preview.Request{Old: old, New: old, Surface: lectern.SurfaceSearch, Query: "machine learning", Sample: &few})
	if err != nil || again.Overall.Changed.Mean != 0 || again.Overall.Overlap.Mean != 1 {
		t.Errorf("the same settings differ: %+v, %v", again.Overall, err)
	}
}
