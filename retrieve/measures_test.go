package retrieve_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

// monthly are histories of ratings, with what was asked of them.
type monthly struct {
	months map[string][]lectern.RatingMonth
	asked  [][]string
	err    error
}

func (m *monthly) RatingHistories(_ context.Context, ids []string) (map[string][]lectern.RatingMonth, error) {
	m.asked = append(m.asked, slices.Sorted(slices.Values(ids)))
	if m.err != nil {
		return nil, m.err
	}
	return m.months, nil
}

// month is the first of a month so many months before now's.
func month(ago int) time.Time { return time.Date(2026, 11-time.Month(ago), 1, 0, 0, 0, 0, time.UTC) }

var approx = cmpopts.EquateApprox(0, 1e-9)

func TestRatingsAge(t *testing.T) {
	published := now.AddDate(-3, 0, 0)
	courses := []lectern.Course{
		{ID: "known", Title: "Known", PublishedAt: &published},
		{ID: "stated", Title: "Stated", PublishedAt: &published, Stated: lectern.StatedStats{RatingMean: 4, RatingCount: 30}},
		{ID: "only stated", Title: "Only stated", Stated: lectern.StatedStats{RatingMean: 4, RatingCount: 30}},
		{ID: "unrated", Title: "Unrated"},
	}
	h := &monthly{months: map[string][]lectern.RatingMonth{
		"known":  {{Month: month(12), Count: 10, Mean: 5}, {Month: month(0), Count: 10, Mean: 3}},
		"stated": {{Month: month(12), Count: 10, Mean: 5}},
	}}
	w := newWorld(t, nil, func(w *world, _ *retrieve.Config, _ *rerankConfig) {
		w.histories = h
		w.stats = map[string]lectern.CourseStats{
			"known":  {CourseID: "known", RatingCount: 20, RatingMean: 4},
			"stated": {CourseID: "stated", RatingCount: 10, RatingMean: 5},
		}
	})
	w.put(courses...)
	if diff := cmp.Diff([][]string{{"known", "stated"}}, h.asked); diff != "" {
		t.Errorf("histories asked (-want +got): %s", diff)
	}
	s := watch(w)
	w.list(home(lectern.LearnerRef{}))
	got := s.one(t)
	// 22 November 2026, noon. The middle of November 2025 was 371.5 days before, that of
	// November 2026 6.5 days.
	old, late := func(halfLife float64) float64 { return 10 * math.Exp2(-371.5/halfLife) }, func(halfLife float64) float64 { return 10 * math.Exp2(-6.5/halfLife) }
	for i, halfLife := range []float64{180, 365, 730, 1460} {
		o, l := old(halfLife), late(halfLife)
		want := rerank.RecentRating{Weight: o + l, Mean: (5*o + 3*l) / (o + l)}
		if diff := cmp.Diff(want, got.of(t, "known").Course.Recent[i], approx); diff != "" {
			t.Errorf("known, %v days (-want +got): %s", halfLife, diff)
		}
		// Of 30 stated ratings of 4 stars 10 are known to have 5; the other 20 then have
		// (120 − 50)/20 = 3.5, and are taken to be as old.
		want = rerank.RecentRating{Weight: 3 * o, Mean: 4}
		if diff := cmp.Diff(want, got.of(t, "stated").Course.Recent[i], approx); diff != "" {
			t.Errorf("stated, %v days (-want +got): %s", halfLife, diff)
		}
	}
	for _, id := range []string{"only stated", "unrated"} {
		if f := got.of(t, id).Course; f.Recent != [4]rerank.RecentRating{} {
			t.Errorf("%s: %v", id, f.Recent)
		}
	}
	if at := got.of(t, "known").Course.RecentAt; !at.Equal(now) {
		t.Errorf("decayed to %v", at)
	}
}

// TestRatingsAreReadAgain when they move, when the first try failed, and not else.
func TestRatingsAreReadAgain(t *testing.T) {
	h := &monthly{err: errors.New("away")}
	w := newWorld(t, nil, func(w *world, _ *retrieve.Config, _ *rerankConfig) {
		w.histories = h
		w.stats = map[string]lectern.CourseStats{"a": {CourseID: "a", RatingCount: 4, RatingMean: 4}, "b": {CourseID: "b"}}
	})
	refresh := func(wantErr bool, want ...string) {
		t.Helper()
		h.asked = nil
		if err := w.catalog.RefreshStats(context.Background()); (err != nil) != wantErr {
			t.Errorf("refreshing: %v", err)
		}
		var got []string
		for _, ids := range h.asked {
			got = append(got, ids...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("asked (-want +got): %s", diff)
		}
	}
	w.put(lectern.Course{ID: "a", Title: "A"}, lectern.Course{ID: "b", Title: "B"})
	refresh(true, "a")
	h.err, h.months = nil, map[string][]lectern.RatingMonth{"a": {{Month: month(1), Count: 4, Mean: 4}}}
	refresh(false, "a")
	refresh(false)
	h.asked = nil
	w.put(lectern.Course{ID: "a", Title: "A, renamed"})
	if len(h.asked) != 0 {
		t.Errorf("asked %v for a new title", h.asked)
	}
	w.stats["a"] = lectern.CourseStats{CourseID: "a", RatingCount: 5, RatingMean: 4.2}
	refresh(false, "a")
	s := watch(w)
	w.list(home(lectern.LearnerRef{}))
	if f := s.one(t).of(t, "a").Course; f.Recent[0].Weight == 0 || f.Title != "A, renamed" {
		t.Errorf("facts %+v", f)
	}
}

func TestCatalogueMeans(t *testing.T) {
	school := school()
	year := 365 * 24 * time.Hour
	w := newWorld(t, school, func(w *world, _ *retrieve.Config, _ *rerankConfig) {
		w.activity = func(_ time.Time, halfLife time.Duration) []lectern.CourseStats {
			act := func(enrol, complete, view float64) map[lectern.EventType]float64 {
				if halfLife != year { // what is finished is measured over a year
					enrol, complete = 0, 0
				}
				return map[lectern.EventType]float64{lectern.EventEnrol: enrol, lectern.EventComplete: complete, lectern.EventView: view}
			}
			return []lectern.CourseStats{
				{CourseID: "python-beginner", Activity: act(8, 2, 90), Sentiment: 0.9, SentimentWeight: 10},
				{CourseID: "python-twin", Activity: act(2, 4, 0), Sentiment: 0.6, SentimentWeight: 40},
			}
		}
	})
	if err := w.catalog.RefreshStats(context.Background()); err != nil {
		t.Fatal(err)
	}
	s := watch(w)
	w.list(home(lectern.LearnerRef{}))
	got := s.one(t)
	c := got.of(t, "python-beginner")
	if c.Course.Sentiment != 0.9 || c.Course.SentimentWeight != 10 || c.Course.Views != 90 || c.Starters != 8 || c.Finishers != 2 || c.Alike {
		t.Errorf("python-beginner: %+v of %+v", c, c.Course)
	}
	// Who completed has started: 4 of 4.
	if c := got.of(t, "python-twin"); c.Starters != 4 || c.Finishers != 4 {
		t.Errorf("python-twin: %v started, %v finished", c.Starters, c.Finishers)
	}
	want := rerank.Request{
		SentimentMean: 0.69,                      // weights 10/20 and 40/50: (.5 × .9 + .8 × .6)/1.3 = .715385
		FinishRate:    0.5,                       // (2 + 4)/(8 + 4)
		ViewsMean:     90 / float64(len(school)), //
	}
	want.SentimentMean = math.Round((0.5*0.9+0.8*0.6)/1.3*1e6) / 1e6
	if got.req.SentimentMean != want.SentimentMean || got.req.FinishRate != want.FinishRate || math.Abs(got.req.ViewsMean-want.ViewsMean) > 1e-6 {
		t.Errorf("means %v, %v, %v", got.req.SentimentMean, got.req.FinishRate, got.req.ViewsMean)
	}
	w.remove("python-twin")
	w.list(home(lectern.LearnerRef{}))
	if got := s.one(t).req; got.SentimentMean != 0.9 || got.FinishRate != 0.25 {
		t.Errorf("without one course: %v, %v", got.SentimentMean, got.FinishRate)
	}
}

func TestFactsShareFoldedNames(t *testing.T) {
	w := newWorld(t, fixture(t))
	s := watch(w)
	w.list(home(lectern.LearnerRef{}))
	f := s.one(t).of(t, "ml-deep").Course
	if diff := cmp.Diff([]string{"deep learning", "machine learning", "neural networks"}, f.Skills); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"computing", "data science"}, f.Categories); diff != "" {
		t.Error(diff)
	}
}

func TestGoalIsMeasured(t *testing.T) {
	for name, concepts := range map[string]retrieve.Concepts{"with a skill graph": knitted{}, "by names": nil} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fixture(t), func(w *world, _ *retrieve.Config, _ *rerankConfig) {
				w.concepts = concepts
				w.tastes = func(taste *learner.Taste) { taste.Wanted = []string{"Machine Learning", "SQL", "Statistics"} }
			})
			people(w)
			s := watch(w)
			w.list(home(lectern.LearnerRef{ID: "goal"}))
			got := s.one(t)
			total := 1 + 1./2 + 1./3
			for id, want := range map[string]struct {
				share  float64
				skills []string
			}{
				"ml-101": {(1 + 1./3) / total, []string{"Machine Learning", "Statistics"}}, "sql-1": {0.5 / total, []string{"SQL"}}, "mus-1": {0, nil},
			} {
				c := got.of(t, id)
				if !c.Goal.Known || math.Abs(c.Goal.Value-want.share) > 1e-9 || !slices.Equal(c.GoalSkills, want.skills) {
					t.Errorf("%s: %+v by %v, want %v by %v", id, c.Goal, c.GoalSkills, want.share, want.skills)
				}
			}
			w.tastes = nil
			w.list(home(lectern.LearnerRef{}))
			if c := s.one(t).of(t, "ml-101"); c.Goal.Known {
				t.Errorf("nobody's goal: %+v", c.Goal)
			}
		})
	}
}

// TestNovelty is told from what was only looked at too, and on every surface.
func TestNovelty(t *testing.T) {
	w := newWorld(t, fixture(t))
	people(w)
	s := watch(w)
	vectors, err := w.index.Vectors(context.Background(), lectern.VectorContent, []string{"ml-101", "py-data", "mkt-1", "mkt-2", "mus-1"})
	if err != nil {
		t.Fatal(err)
	}
	unlike := func(i int) float64 { // what ada completed, opened and dismissed
		most := 0.0
		for _, v := range vectors[:3] {
			sum := 0.0
			for k := range v {
				sum += float64(v[k]) * float64(vectors[i][k])
			}
			most = max(most, sum)
		}
		return 1 - most
	}
	for _, req := range []lectern.ListRequest{
		home(ada), {Surface: lectern.SurfaceSearch, Query: "marketing guitar", Learner: ada},
		{Surface: lectern.SurfaceSimilar, CourseID: "mkt-3", Learner: ada},
	} {
		w.list(req)
		got := s.one(t)
		c := got.of(t, "mkt-2")
		if !c.Novelty.Known || math.Abs(c.Novelty.Value-unlike(3)) > 1e-5 || c.Vector == nil {
			t.Errorf("%s: novelty of mkt-2 %+v, want %v", req.Surface, c.Novelty, unlike(3))
		}
		if req.Surface == lectern.SurfaceSearch {
			if c := got.of(t, "mkt-1"); c.Novelty != rerank.Known(0) {
				t.Errorf("novelty of what was dismissed: %+v", c.Novelty)
			}
		}
	}
	w.list(home(lectern.LearnerRef{}))
	if c := s.one(t).of(t, "mkt-2"); c.Novelty.Known || c.Vector == nil {
		t.Errorf("nobody: novelty %+v, vector %v", c.Novelty, c.Vector != nil)
	}
}

// TestVectorsAreReadWhereListsNeedThem: without a taste only for diversity and
// duplicates, and then of the leading ones where it is for duplicates alone.
func TestVectorsAreReadWhereListsNeedThem(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*rerank.Config)
		want   int
	}{
		"diversity":  {func(c *rerank.Config) { c.Lists.Diversity.Search, c.Lists.DuplicatesFrom = 0.2, 2 }, 300},
		"duplicates": {func(c *rerank.Config) { c.Lists.Diversity.Search, c.Lists.DuplicatesFrom = 0, 0.95 }, 200},
		"neither":    {func(c *rerank.Config) { c.Lists.Diversity.Search, c.Lists.DuplicatesFrom = 0, 2 }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var courses []lectern.Course
			for i := range 300 {
				courses = append(courses, lectern.Course{ID: fmt.Sprint("python ", i), Title: "Python"}, lectern.Course{ID: fmt.Sprint("guitar ", i), Title: "Guitar"})
			}
			w := newWorld(t, courses, config(func(c *retrieve.Config) { c.PerSource = 300 }))
			w.source = rerank.Always{R: newLinear(t, "v1", tt.change)}
			s := watch(w)
			w.list(search("python"))
			read := 0
			for _, c := range s.one(t).candidates {
				if c.Vector != nil {
					read++
				}
			}
			if read != tt.want {
				t.Errorf("%d vectors, want %d", read, tt.want)
			}
		})
	}
}

// ends says the same of everybody's neighbours.
type ends struct {
	*fakeNeighbours
	of map[string][2]float64
}

func (e ends) Outcomes(context.Context, lectern.LearnerRef, int64) (func(string) (float64, float64), error) {
	return func(id string) (float64, float64) { return e.of[id][0], e.of[id][1] }, e.err
}

func TestFinishersAreSimilarLearnersFirst(t *testing.T) {
	n := ends{&fakeNeighbours{hits: hitsFor("cooking-workshop-2")}, map[string][2]float64{"cooking-workshop-2": {3, 1}}}
	w := newWorld(t, school(), others(nil, n, nil))
	pupil(w)
	s := watch(w)
	w.list(home(ada))
	got := s.one(t)
	if c := got.of(t, "cooking-workshop-2"); c.Starters != 3 || c.Finishers != 1 || !c.Alike {
		t.Errorf("%v started, %v finished, alike %v", c.Starters, c.Finishers, c.Alike)
	}
	if c := got.of(t, "cooking-workshop-3"); c.Alike {
		t.Error("nobody alike started it")
	}
}

func TestHoursLeft(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	p := w.profiles[ada]
	for i := range p.Entries {
		if p.Entries[i].CourseID == "brands-beginner" {
			p.Entries[i].Progress = 0.75
		}
	}
	w.profiles[ada] = p
	s := watch(w)
	w.page(lectern.HomeRequest{Learner: ada})
	c := s.row(t, lectern.RowContinue).of(t, "brands-beginner")
	if c.HoursLeft == nil || *c.HoursLeft != *c.Course.Hours/4 {
		t.Errorf("hours left %v of %v", c.HoursLeft, *c.Course.Hours)
	}
	for _, c := range s.row(t, lectern.RowForYou).candidates {
		if c.HoursLeft != nil {
			t.Errorf("hours left of %s", c.Course.ID)
		}
	}
}
