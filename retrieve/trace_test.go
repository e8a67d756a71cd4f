package retrieve_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

func linearDefault(t testing.TB) rerank.Reranker {
	t.Helper()
	l, err := rerank.NewLinear(rerank.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTrace(t *testing.T) {
	w := newWorld(t, fixture(t))
	people(w)
	w.courses["stored"] = lectern.Course{ID: "stored", Title: "Stored a moment ago"}
	few := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.PerSource, c.Depth = 3, 2 }))
	people(few)
	nobody := lectern.LearnerRef{}
	tests := []struct {
		name    string
		w       *world
		req     lectern.TraceRequest
		outcome string
		says    string // in the last stage
	}{
		{"ranked", w, lectern.TraceRequest{Learner: ada, CourseID: "ml-deep"}, "ranked", "place 0 of"},
		{"not in memory yet", w, lectern.TraceRequest{CourseID: "stored"}, "indexed", "memory does not hold it yet"},
		{"retired", w, lectern.TraceRequest{CourseID: "old-1"}, "eligibility", "status is retired"},
		{"unlisted", w, lectern.TraceRequest{CourseID: "hid-1"}, "eligibility", "status is unlisted"},
		{"not open yet", w, lectern.TraceRequest{CourseID: "soon-1"}, "eligibility", "opens at 2027-01-10T00:00:00Z"},
		{"region", w, lectern.TraceRequest{CourseID: "eu-1"}, "eligibility", "offered in de, fr; the learner's region is unknown"},
		{"organisation", w, lectern.TraceRequest{CourseID: "priv-1", Learner: ada}, "eligibility", "organisations acme"},
		{"filter", w, lectern.TraceRequest{CourseID: "ml-deep", Filter: lectern.Filter{Levels: []lectern.Level{"beginner"}}}, "filters", "level: it has advanced"},
		{"taken", w, lectern.TraceRequest{CourseID: "ml-101", Learner: ada}, "seen", "has completed it"},
		{"refused", w, lectern.TraceRequest{CourseID: "mkt-1", Learner: ada}, "seen", "has dismissed it"},
		{"taken, but searched for", w, lectern.TraceRequest{CourseID: "ml-101", Learner: ada, Surface: lectern.SurfaceSearch, Query: "machine learning"}, "ranked", "place 0"},
		{"no source", w, lectern.TraceRequest{CourseID: "mus-1", Surface: lectern.SurfaceSearch, Query: "nutrition"}, "ranked", "place"},
		{"beyond every source", few, lectern.TraceRequest{CourseID: "nut-1", Learner: ada}, "candidates", "profile: not within the top 3 (cosine"},
		{"words find nothing", few, lectern.TraceRequest{CourseID: "nut-1", Surface: lectern.SurfaceSearch, Query: "python"}, "candidates", "words: not within the top 3"},
		{"beyond the list", few, lectern.TraceRequest{CourseID: "mus-3", Learner: nobody}, "depth", "the list holds 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.w.engine.Trace(context.Background(), tt.req)
			if err != nil {
				t.Fatal(err)
			}
			last := got.Stages[len(got.Stages)-1]
			if got.ConfigVersion == "" || got.ConfigVersion != tt.w.source.Reranker().Version() {
				t.Errorf("ranked by %q", got.ConfigVersion)
			}
			if got.Outcome != tt.outcome || !strings.Contains(last.Detail, tt.says) {
				t.Errorf("outcome %s: %+v", got.Outcome, got.Stages)
			}
			for i, s := range got.Stages {
				lost := i == len(got.Stages)-1 && got.Outcome != "ranked"
				if s.Passed == lost || s.Detail == "" {
					t.Errorf("stage %+v", s)
				}
			}
			if (got.Position != nil) != (got.Outcome == "ranked") {
				t.Errorf("position %v with outcome %s", got.Position, got.Outcome)
			}
			sum := 0.0
			for _, term := range got.Terms {
				sum += term.Contribution
			}
			if len(got.Terms) == 0 || math.Abs(sum-got.Score) > 1e-6 {
				t.Errorf("score %v, terms sum to %v", got.Score, sum)
			}
		})
	}
}

// TestTraceAgreesWithList on place and score of every course.
func TestTraceAgreesWithList(t *testing.T) {
	w := newWorld(t, fixture(t))
	people(w)
	for _, req := range []lectern.ListRequest{home(lectern.LearnerRef{}), home(ada), search("python data")} {
		req.Limit = 1000
		l := w.list(req)
		for id := range w.courses {
			tr, err := w.engine.Trace(context.Background(), lectern.TraceRequest{
				Learner: req.Learner, CourseID: id, Surface: req.Surface, Query: req.Query,
			})
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(l.Items, func(it lectern.Item) bool { return it.Course.ID == id })
			if i < 0 != (tr.Outcome != "ranked") || i >= 0 && (*tr.Position != i || tr.Score != l.Items[i].Score) {
				t.Errorf("%s on %s: list %d, trace %+v", id, req.Surface, i, tr)
			}
		}
	}
}

func TestTraceErrors(t *testing.T) {
	w := newWorld(t, fixture(t))
	for name, c := range map[string]struct {
		req  lectern.TraceRequest
		code lectern.Code
	}{
		"unknown course": {lectern.TraceRequest{CourseID: "nope"}, lectern.CodeNotFound},
		"no course":      {lectern.TraceRequest{}, lectern.CodeInvalid},
		"similar":        {lectern.TraceRequest{CourseID: "go-1", Surface: lectern.SurfaceSimilar}, lectern.CodeInvalid},
		"no query":       {lectern.TraceRequest{CourseID: "go-1", Surface: lectern.SurfaceSearch}, lectern.CodeInvalid},
	} {
		if _, err := w.engine.Trace(context.Background(), c.req); lectern.ErrorCode(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}
