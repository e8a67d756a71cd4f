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

// pinned is a rule that puts courses first.
func pinned(ids ...string) rerank.Rule {
	return rerank.Rule{ID: "first", Action: rerank.RulePin, Courses: ids}
}

func TestPinnedCoursesAreCandidates(t *testing.T) {
	similar := lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: "mkt-1"}
	next := lectern.ListRequest{Surface: lectern.SurfaceNext, CourseID: "mkt-1"}
	trending := lectern.ListRequest{Surface: lectern.SurfaceTrending}
	filtered := home(lectern.LearnerRef{})
	filtered.Filter.Providers = []string{"Northfield"}
	sorted := search("marketing")
	sorted.Sort = lectern.SortNewest
	few := config(func(c *retrieve.Config) { c.PerSource, c.Home.PerSource = 2, 2 }) // else home has every course
	gains := others(nil, nil, trends(hitsFor("mkt-2")))
	for _, tt := range []struct {
		name string
		req  lectern.ListRequest
		pin  string
		at   int // −1: not in the list
	}{
		{"home", home(lectern.LearnerRef{}), "nut-1", 0},
		{"search", search("marketing"), "nut-1", 0},
		{"similar", similar, "nut-1", 0},
		{"next", next, "nut-1", 0},
		{"trending", trending, "nut-1", 0},
		{"a search that finds nothing", search("zzzz qqqq"), "mus-1", -1},
		{"sorted otherwise", sorted, "nut-1", -1},
		{"the caller's filter", filtered, "nut-1", -1},
		{"passes the filter", filtered, "js-1", 0},
		{"retired", home(lectern.LearnerRef{}), "old-1", -1},
		{"unlisted", home(lectern.LearnerRef{}), "hid-1", -1},
		{"not open yet", search("marketing"), "soon-1", -1},
		{"for others", home(ada), "priv-1", -1},
		{"for its organisation", home(lectern.LearnerRef{ID: "acme"}), "priv-1", 0},
		{"taken", home(ada), "ml-101", -1},
		{"dismissed", home(ada), "mkt-1", -1},
		{"dismissed, but searched for", lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: "python", Learner: ada}, "mkt-1", 0},
		{"the course asked about", similar, "mkt-1", -1},
		{"unknown", home(lectern.LearnerRef{}), "none", -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, fixture(t), few, gains, ruled(pinned(tt.pin)))
			people(w)
			l := w.list(tt.req)
			at := slices.Index(ids(l), tt.pin)
			if at != tt.at {
				t.Fatalf("at %d of %v", at, ids(l))
			}
			if at == 0 {
				it := l.Items[0]
				if it.Pinned != "first" || len(it.Sources) == 0 {
					t.Errorf("%+v", it)
				}
				r, err := w.recorder.Ranking(context.Background(), l.RankingID)
				if err != nil || r.Items[0].Pinned != "first" {
					t.Errorf("record %+v, %v", r.Items[0], err)
				}
			}
		})
	}
}

// TestPinnedAmongOthers keeps the sources of a course that the list has anyway.
func TestPinnedAmongOthers(t *testing.T) {
	w := newWorld(t, fixture(t), ruled(pinned("mkt-2", "none", "nut-1")), config(func(c *retrieve.Config) { c.PerSource = 3 }))
	l := w.list(search("marketing"))
	if diff := cmp.Diff([]string{"mkt-2", "nut-1"}, ids(l)[:2]); diff != "" {
		t.Error(diff)
	}
	if slices.Contains(l.Items[0].Sources, retrieve.SourcePinned) || !slices.Equal(l.Items[1].Sources, []string{retrieve.SourcePinned}) {
		t.Errorf("sources %v and %v", l.Items[0].Sources, l.Items[1].Sources)
	}
}

// TestPinsInRows: every row can be named, none is made by a pin alone, and no course
// stands in two of them.
func TestPinsInRows(t *testing.T) {
	for _, row := range lectern.Rows() {
		t.Run(string(row), func(t *testing.T) {
			rule := pinned("cooking-workshop-6")
			rule.Rows = []lectern.Row{row}
			w := fullSchool(t, ruled(rule), config(func(c *retrieve.Config) { c.Home.PerSource = 30 }))
			page := w.page(lectern.HomeRequest{Learner: pupil(w)})
			for _, r := range page.Rows {
				at := slices.Index(ids(r.List), "cooking-workshop-6")
				if want := r.Row == row && row != lectern.RowContinue; (at == 0) != want {
					t.Errorf("%s: at %d of %v", r.Row, at, ids(r.List))
				}
			}
			if rowOf(page, row) == nil {
				t.Fatalf("no such row among %v", rowNames(page))
			}
			one := home(ada)
			one.Row = row
			l := w.list(one)
			if at := slices.Index(ids(l), "cooking-workshop-6"); (at == 0) != (row != lectern.RowContinue) {
				t.Errorf("by itself: at %d of %v", at, ids(l))
			}
			if row != lectern.RowContinue && l.Items[0].Reasons != nil && slices.Contains([]string{"trending", "taken_by_similar_learners", "next_after_course"}, l.Items[0].Reasons[0].Code) {
				t.Errorf("it is said to be there for %v", l.Items[0].Reasons)
			}
			for _, r := range []lectern.Row{lectern.RowTrending, lectern.RowLikeYou, lectern.RowNext, lectern.RowBecause} {
				if rowOf(w.page(lectern.HomeRequest{}), r) != nil && r != lectern.RowTrending {
					t.Errorf("nobody has a row %s", r)
				}
			}
		})
	}
}

func TestExploreDrawsLotsAroundPins(t *testing.T) {
	rule := pinned("cooking-workshop-6")
	rule.Rows, rule.Position = []lectern.Row{lectern.RowExplore}, 2
	w := fullSchool(t, ruled(rule))
	pupil(w)
	req := home(ada)
	req.Row = lectern.RowExplore
	l := w.list(req)
	r, err := w.recorder.Ranking(context.Background(), l.RankingID)
	if err != nil {
		t.Fatal(err)
	}
	for i, it := range r.Items {
		want := 1 / float64(len(r.Items)-1)
		if i == 2 {
			want = 1
		}
		if (it.CourseID == "cooking-workshop-6") != (i == 2) || it.Propensity != want {
			t.Errorf("%d: %s with %v, want %v", i, it.CourseID, it.Propensity, want)
		}
	}
}

// TestWhatRulesPinStaysInPlace whatever else moves or goes.
func TestWhatRulesPinStaysInPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "items")
		scored := make([]rerank.Scored, n)
		for i := range scored {
			scored[i].Index = i
			if rapid.IntRange(0, 3).Draw(t, "pinned") == 0 {
				scored[i].Pinned = "rule"
			}
		}
		moved := slices.Clone(scored)
		retrieve.Reorder(moved, func(a, b rerank.Scored) int { return b.Index - a.Index })
		last := n
		for i, s := range moved {
			switch {
			case s.Pinned != scored[i].Pinned || s.Pinned != "" && s.Index != i:
				t.Fatalf("%d: %+v", i, s)
			case s.Pinned == "" && s.Index >= last:
				t.Fatalf("not in order: %+v", moved)
			case s.Pinned == "":
				last = s.Index
			}
		}
		gone := rapid.SliceOfNDistinct(rapid.IntRange(0, max(0, n-1)), 0, n, rapid.ID).Draw(t, "gone")
		left := retrieve.DropShown(slices.Clone(scored), func(s rerank.Scored) bool { return slices.Contains(gone, s.Index) })
		if n > 0 && len(left) != n-len(gone) {
			t.Fatalf("%d of %d are left without %d", len(left), n, len(gone))
		}
		free := 0
		for _, s := range left {
			if s.Pinned == "" {
				free++
			}
		}
		for i, s := range left {
			if s.Pinned != "" && s.Index != i && i > s.Index {
				t.Fatalf("%d is at %d of %+v", s.Index, i, left)
			}
		}
	})
}

func TestTraceOfRules(t *testing.T) {
	w := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.PerSource = 3 }),
		ruled(pinned("nut-1"), rerank.Rule{ID: "none-of-it", Action: rerank.RuleHide, Categories: []string{"Marketing"}}))
	for id, want := range map[string]string{"nut-1": `the rule "first" put it there`, "mkt-1": `the rule "none-of-it" hides it`} {
		got, err := w.engine.Trace(context.Background(), lectern.TraceRequest{CourseID: id, Surface: lectern.SurfaceSearch, Query: "marketing"})
		if err != nil {
			t.Fatal(err)
		}
		if last := got.Stages[len(got.Stages)-1]; !strings.Contains(last.Detail, want) {
			t.Errorf("%s: %+v", id, got.Stages)
		}
	}
}
