package retrieve_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

// said gives courses reviews and searches them with a weight.
func said(weight float64, reviews map[string]string) option {
	return func(w *world, c *retrieve.Config, _ *rerankConfig) {
		w.reviews, c.ReviewsWeight = reviews, weight
	}
}

func itemOf(l lectern.List, id string) (lectern.Item, bool) {
	i := slices.Index(ids(l), id)
	if i < 0 {
		return lectern.Item{}, false
	}
	return l.Items[i], true
}

// TestReviewsFindCourses that neither words nor meaning bring.
func TestReviewsFindCourses(t *testing.T) {
	reviews := map[string]string{"nut-1": "at last I understand machine learning", "mus-1": "jazz at its best", "mkt-1": "a brand of its own"}
	query := search("machine learning")
	query.Limit = 100
	near := config(func(c *retrieve.Config) { c.MinSimilarity = 0.6 }) // the small embedder's noise is no evidence
	if _, found := itemOf(newWorld(t, fixture(t), near, said(0, reviews)).list(query), "nut-1"); found {
		t.Fatal("nut-1 is found without its reviews")
	}
	w := newWorld(t, fixture(t), near, said(0.5, reviews))
	got, found := itemOf(w.list(query), "nut-1")
	if !found {
		t.Fatalf("nut-1 is not in %v", ids(w.list(query)))
	}
	if diff := cmp.Diff([]string{retrieve.SourceReviews}, got.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if want := (lectern.Reason{Code: rerank.ReasonCloseToReviews, Params: map[string]string{"query": "machine learning"}}); len(got.Reasons) == 0 || !cmp.Equal(want, got.Reasons[0]) {
		t.Errorf("reasons %v, want %v first", got.Reasons, want)
	}
	trace, err := w.engine.Trace(context.Background(), lectern.TraceRequest{Surface: lectern.SurfaceSearch, Query: query.Query, CourseID: "nut-1"})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(trace.Stages, func(s lectern.TraceStage) bool { return s.Stage == retrieve.StageCandidates })
	if at < 0 || !strings.Contains(trace.Stages[at].Detail, "reviews: place 0 of 1 (cosine") {
		t.Errorf("stages %+v", trace.Stages)
	}

	praise := map[string]string{"nut-1": "machine learning", "mus-1": "machine learning", "mkt-1": "machine learning"}
	if got, found := itemOf(newWorld(t, fixture(t), near, said(0.5, praise)).list(query), "nut-1"); found {
		t.Errorf("found for what is said of every course: %+v", got)
	}
	near = config(func(c *retrieve.Config) { c.MinSimilarity = 0.99 })
	if _, found := itemOf(newWorld(t, fixture(t), near, said(0.5, reviews)).list(query), "nut-1"); found {
		t.Error("nut-1 is found by reviews that are not near enough")
	}
	alone := config(func(c *retrieve.Config) { c.LexicalWeight, c.SemanticWeight = 1, 0 })
	if _, found := itemOf(newWorld(t, fixture(t), alone, said(0.5, reviews)).list(query), "nut-1"); !found {
		t.Error("reviews are not searched where meaning is off")
	}
}

// TestReviewsAreNotSearchedInVain where they weigh nothing.
func TestReviewsAreNotSearchedInVain(t *testing.T) {
	reviews := map[string]string{"nut-1": "machine learning"}
	for weight, want := range map[float64]bool{0: false, 0.2: true} {
		w := newWorld(t, fixture(t), said(weight, reviews))
		w.list(search("machine learning"))
		if got := slices.Contains(w.asked, lectern.VectorReviews); got != want {
			t.Errorf("weight %v: asked %v", weight, w.asked)
		}
		if w.searches.Load() != 2 { // the second is that of feedback
			t.Errorf("weight %v: %d searches, want 2", weight, w.searches.Load())
		}
	}
}

// TestReviewsNeedEvidence: what learners say in passing does not answer a query
// that is about nothing here.
func TestReviewsNeedEvidence(t *testing.T) {
	reviews := map[string]string{"nut-1": "zebra crossing"}
	w := newWorld(t, fixture(t), said(1, reviews))
	if got := ids(w.list(search("zebra crossing"))); len(got) != 0 {
		t.Errorf("a query of unknown words finds %v", got)
	}
}

// TestReviewsTakeNothing: whoever has reviews and whatever they say, the score of
// a course without stays what it was, those with it do not fall, and all stay
// within bounds.
func TestReviewsTakeNothing(t *testing.T) {
	courses := fixture(t)
	queries := []string{"machine learning", "python", "songs", "what to eat", "marketing data"}
	before := make(map[string]lectern.List)
	plain := newWorld(t, courses)
	for _, q := range queries {
		req := search(q)
		req.Limit = 100
		before[q] = plain.list(req)
	}
	sentences := []string{"", "machine learning was great", "eat more songs", "data and python", "zebra"}
	rapid.Check(t, func(rt *rapid.T) {
		reviews := make(map[string]string)
		for _, c := range courses {
			reviews[c.ID] = rapid.SampledFrom(sentences).Draw(rt, c.ID)
		}
		w := newWorld(t, courses, said(rapid.Float64Range(0, 1).Draw(rt, "weight"), reviews))
		req := search(rapid.SampledFrom(queries).Draw(rt, "query"))
		req.Limit = 100
		after := w.list(req)
		for _, it := range before[req.Query].Items {
			now, found := itemOf(after, it.Course.ID)
			switch {
			case !found:
				rt.Fatalf("%s is gone", it.Course.ID)
			case reviews[it.Course.ID] == "" && now.Score != it.Score:
				rt.Fatalf("%s without reviews scores %v instead of %v", it.Course.ID, now.Score, it.Score)
			case now.Score < it.Score || now.Score > 1:
				rt.Fatalf("%s with reviews scores %v instead of %v", it.Course.ID, now.Score, it.Score)
			}
		}
	})
}
