package retrieve_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

// everySurface asks for each list there is.
func everySurface(ref lectern.LearnerRef) []lectern.ListRequest {
	out := []lectern.ListRequest{
		{Surface: lectern.SurfaceHome, Learner: ref},
		{Surface: lectern.SurfaceSearch, Query: "python song", Learner: ref},
		{Surface: lectern.SurfaceSimilar, CourseID: "python-beginner", Learner: ref},
		{Surface: lectern.SurfaceNext, CourseID: "python-beginner", Learner: ref},
		{Surface: lectern.SurfaceTrending, Learner: ref},
	}
	for _, row := range lectern.Rows() {
		out = append(out, lectern.ListRequest{Surface: lectern.SurfaceHome, Row: row, Learner: ref})
	}
	return out
}

// someRules boost, bury, hide and pin.
func someRules() []rerank.Rule {
	return []rerank.Rule{
		{ID: "up", Action: rerank.RuleBoost, Categories: []string{"cooking", "spanish"}, Strength: 0.3},
		{ID: "up-again", Action: rerank.RuleBoost, Skills: []string{"Python"}, Strength: 0.2},
		{ID: "down", Action: rerank.RuleBury, Providers: []string{"provider 3"}, Strength: 0.5},
		{ID: "away", Action: rerank.RuleHide, Courses: []string{"python-workshop-3"}},
		{ID: "there", Action: rerank.RulePin, Courses: []string{"guitar-workshop-5"}, Position: 1},
	}
}

// listed are the ids of a list of a comparison.
func listed(c rerank.Comparison, i int) []string {
	var out []string
	for _, s := range c.Lists[i].Items {
		out = append(out, c.Candidates[s.Index].Course.ID)
	}
	return out
}

func first(row, otherwise lectern.Row) lectern.Row {
	if row == "" {
		return otherwise
	}
	return row
}

// The list of recommendations has the weights of its row on the home page.
func TestListHasItsRowsWeights(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	l := newLinear(t, "v1", func(c *rerank.Config) {
		c.Weights.Rows = map[lectern.Row]rerank.TermWeights{lectern.RowForYou: {Popularity: 1}}
	})
	for _, row := range []lectern.Row{"", lectern.RowForYou} {
		c, err := w.engine.Compare(context.Background(), lectern.ListRequest{Surface: lectern.SurfaceHome, Row: row, Learner: ada}, []rerank.Reranker{l}, 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, term := range c.Lists[0].Terms {
			if (term.Weight > 0) != (term.Name == "popularity") {
				t.Errorf("row %q: %s weighs %v", row, term.Name, term.Weight)
			}
		}
	}
}

// TestCompareIsWhatIsServed: each list of a comparison is the one that its reranker
// serves by itself.
func TestCompareIsWhatIsServed(t *testing.T) {
	few := config(func(c *retrieve.Config) { c.PerSource, c.Home.PerSource = 12, 6 })
	w := fullSchool(t, few)
	pupil(w)
	ctx := context.Background()
	rerankers := []rerank.Reranker{
		newLinear(t, "v1", nil),
		newLinear(t, "v2", func(c *rerank.Config) { c.Rules = someRules(); c.Weights.Home.Popularity = 0.4 }),
		newLinear(t, "v3", func(c *rerank.Config) { c.Rules = []rerank.Rule{pinned("cooking-workshop-7", "guitar-workshop-5")} }),
		rerank.Popularity{},
	}
	for _, req := range everySurface(ada) {
		c, err := w.engine.Compare(ctx, req, rerankers, 12)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range rerankers {
			w.source = rerank.Always{R: r}
			want, err := w.engine.TopIDs(ctx, req, 12)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, listed(c, i)); diff != "" {
				t.Errorf("%s %s of %s (-served +compared):\n%s", req.Surface, req.Row, r.Version(), diff)
			}
		}
		row := req.Row
		if req.Surface == lectern.SurfaceHome {
			row = first(row, lectern.RowForYou) // the list without a row is that row
		}
		if req.Row == "" && c.Request.Surface != req.Surface || c.Request.Row != row || len(c.Lists) != len(rerankers) {
			t.Errorf("%s %s: request %+v", req.Surface, req.Row, c.Request)
		}
	}
}

func TestCompareRecordsNothing(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	if _, err := w.engine.Compare(context.Background(), home(ada), []rerank.Reranker{rerank.NoOp{}}, 5); err != nil {
		t.Fatal(err)
	}
	if err := w.recorder.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(w.stored) > 0 {
		t.Errorf("%d rankings are stored", len(w.stored))
	}
	for name, req := range map[string]lectern.ListRequest{
		"no query": {Surface: lectern.SurfaceSearch}, "no such course": {Surface: lectern.SurfaceSimilar, CourseID: "none"},
	} {
		if _, err := w.engine.Compare(context.Background(), req, []rerank.Reranker{rerank.NoOp{}}, 5); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestExplainAddsUpWithRules on every surface and row, with rules, on every page.
func TestExplainAddsUpWithRules(t *testing.T) {
	w := fullSchool(t, ruled(someRules()...))
	pupil(w)
	p := w.profiles[ada]
	p.Corrections.Preferences = map[lectern.Preference]lectern.Leaning{lectern.PreferPopular: lectern.LeanLess, lectern.PreferChallenging: lectern.LeanMore}
	w.profiles[ada] = p
	rules := 0
	check := func(where string, items []lectern.Item) {
		for _, it := range items {
			sum := 0.0
			for _, term := range it.Terms {
				sum += term.Contribution
				if math.Abs(term.Contribution-term.Weight*term.Value) > 1e-9 || term.Value < 0 || term.Value > 1 {
					t.Errorf("%s, %s: %+v", where, it.Course.ID, term)
				}
				if len(term.Name) > 5 && term.Name[:5] == "rule:" {
					rules++
				}
			}
			if len(it.Terms) == 0 || math.Abs(sum-it.Score) > 1e-6 {
				t.Errorf("%s, %s: %d terms sum to %v, the score is %v", where, it.Course.ID, len(it.Terms), sum, it.Score)
			}
		}
	}
	for _, req := range everySurface(ada) {
		req.Limit, req.Explain = 4, true
		items, _ := pages(w, req, func(int) {})
		check(string(req.Surface)+" "+string(req.Row), items)
	}
	for _, row := range w.page(lectern.HomeRequest{Learner: ada, Explain: true}).Rows {
		check("home page "+string(row.Row), row.List.Items)
	}
	if rules == 0 {
		t.Error("no rule adjusted anything")
	}
}

// TestOneRerankerPerList: a list pages on under the version that made it, and its later
// pages are explained by that, when another one is in use by then.
func TestOneRerankerPerList(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	w.source = rerank.Always{R: newLinear(t, "v1", nil)}
	for _, req := range everySurface(ada) {
		req.Limit, req.Explain = 2, true
		w.source = rerank.Always{R: newLinear(t, "v1", nil)}
		whole := req
		whole.Limit = 100
		want := w.list(whole)
		if len(want.Items) < 4 {
			continue // one page
		}
		items, _ := pages(w, req, func(page int) {
			w.source = rerank.Always{R: newLinear(t, "v2", func(c *rerank.Config) {
				c.Weights.Home = rerank.TermWeights{Popularity: 1}
				c.Weights.Search, c.Weights.Similar, c.Weights.Next, c.Weights.Trending = c.Weights.Home, c.Weights.Home, c.Weights.Home, c.Weights.Home
				c.Disabled = []string{"sentiment", "novelty"}
			})}
		})
		for i, it := range items {
			if it.Course.ID != want.Items[i].Course.ID || !cmp.Equal(it.Terms, want.Items[i].Terms) || it.Score != want.Items[i].Score {
				t.Errorf("%s %s: %d is %s, not %s as it was", req.Surface, req.Row, i, it.Course.ID, want.Items[i].Course.ID)
			}
		}
		second := w.list(req)
		if second.ConfigVersion != "v2" || want.ConfigVersion != "v1" {
			t.Errorf("%s %s: versions %s and %s", req.Surface, req.Row, want.ConfigVersion, second.ConfigVersion)
		}
	}
}

// takes counts how often a reranker is taken up, and gives another version each time.
type takes struct {
	t testing.TB
	n int
}

func (s *takes) Reranker() rerank.Reranker {
	s.n++
	return newLinear(s.t, string(rune('a'+s.n)), nil)
}

func TestRerankerIsTakenOnce(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	for _, req := range append(everySurface(ada), search("nothing of the kind zzz")) {
		s := &takes{t: t}
		w.source = s
		l := w.list(req)
		if s.n != 1 && l.Fallback == nil || l.ConfigVersion != "b" {
			t.Errorf("%s %s: taken %d times, version %s", req.Surface, req.Row, s.n, l.ConfigVersion)
		}
	}
	s := &takes{t: t}
	w.source = s
	for _, row := range w.page(lectern.HomeRequest{Learner: ada}).Rows {
		if row.List.ConfigVersion != "b" || s.n != 1 {
			t.Errorf("row %s has %s after %d", row.Row, row.List.ConfigVersion, s.n)
		}
	}
	if got := w.page(lectern.HomeRequest{Learner: ada}).Rows[0].List.ConfigVersion; got != "c" {
		t.Errorf("a kept page outlives its settings: %s", got)
	}
}

// TestCompareSeesOwnPins whatever is pinned by whom.
func TestCompareSeesOwnPins(t *testing.T) {
	var courses []*rerank.Facts
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		courses = append(courses, &rerank.Facts{ID: id})
	}
	rapid.Check(t, func(t *rapid.T) {
		common := rapid.IntRange(1, len(courses)).Draw(t, "common")
		candidates := make([]rerank.Candidate, len(courses))
		for i, f := range courses {
			candidates[i].Course = f
		}
		var rerankers []rerank.Reranker
		var pins [][]string
		for range rapid.IntRange(1, 3).Draw(t, "rerankers") {
			own := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "c", "e", "f", "g", "z"}), rapid.ID).Draw(t, "pins")
			pins = append(pins, own)
			rerankers = append(rerankers, pinner{own})
		}
		got := rerank.Compare(rerank.Request{}, candidates, common, rerankers)
		for i, l := range got.Lists {
			var want []string
			for j, f := range courses {
				if j < common || slices.Contains(pins[i], f.ID) {
					want = append(want, f.ID)
				}
			}
			if diff := cmp.Diff(want, listed(got, i)); diff != "" {
				t.Fatalf("pins %v, common %d (-want +got): %s", pins[i], common, diff)
			}
			for _, s := range l.Items {
				for _, d := range s.Duplicates {
					if d != s.Index {
						t.Fatalf("%d has the duplicate %d", s.Index, d)
					}
				}
			}
		}
	})
}

// pinner keeps the order, and calls every course a duplicate of itself.
type pinner struct{ ids []string }

func (p pinner) Version() string              { return "pinner" }
func (p pinner) Pins(rerank.Request) []string { return p.ids }

func (p pinner) Rerank(req rerank.Request, candidates []rerank.Candidate) rerank.Ranked {
	out := rerank.NoOp{}.Rerank(req, candidates)
	for i := range out.Items {
		out.Items[i].Duplicates = []int{out.Items[i].Index}
	}
	return out
}

// hurried is what similar learners take, for those who have the time.
type hurried struct{ fakeNeighbours }

func (n *hurried) Liked(ctx context.Context, ref lectern.LearnerRef, version int64, k int) ([]lectern.Hit, error) {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < time.Second {
		return nil, context.DeadlineExceeded
	}
	return n.fakeNeighbours.Liked(ctx, ref, version, k)
}

// TestComparingIsInNoHurry: what is out of time when lists are served is waited for when
// they are compared, and what is missing all the same is named.
func TestComparingIsInNoHurry(t *testing.T) {
	n := &hurried{fakeNeighbours{hits: hitsFor("guitar-workshop-1", "guitar-workshop-2", "guitar-workshop-3")}}
	w := fullSchool(t, others(nil, n, nil), config(func(c *retrieve.Config) { c.Budgets.Neighbours = 20 * time.Millisecond }))
	pupil(w)
	req := lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: ada, Limit: 5}
	served, err := w.engine.List(t.Context(), req)
	if err != nil || !slices.Contains(served.Degraded, retrieve.DegradedNeighbours) {
		t.Fatalf("served without %v, %v", served.Degraded, err)
	}
	compare := func() rerank.Comparison {
		c, err := w.engine.Compare(t.Context(), req, []rerank.Reranker{newLinear(t, "v1", nil)}, 5)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := compare(); len(c.Degraded) > 0 {
		t.Errorf("compared without %v", c.Degraded)
	}
	n.err = context.DeadlineExceeded
	if c := compare(); !slices.Contains(c.Degraded, retrieve.DegradedNeighbours) {
		t.Errorf("that similar learners were not asked is not said: %v", c.Degraded)
	}
}
