package retrieve_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
)

// fullSchool is the school with a model, similar learners and trends.
func fullSchool(t testing.TB, options ...option) *world {
	m := &fakeModel{
		version: 7,
		top:     hitsFor("brands-workshop-1", "python-workshop-3", "brands-workshop-2", "python-workshop-1"),
		next: map[string][]lectern.Hit{
			"python-beginner": hitsFor("python-twin", "brands-workshop-0", "guitar-workshop-0", "brands-workshop-4"),
		},
		similar: map[string][]lectern.Hit{"python-beginner": hitsFor("python-workshop-7", "cooking-workshop-1")},
	}
	n := &fakeNeighbours{hits: hitsFor("cooking-workshop-2", "cooking-workshop-3", "cooking-workshop-4", "guitar-workshop-2")}
	v := trends(hitsFor("spanish-workshop-1", "spanish-workshop-2", "spanish-workshop-3", "spanish-workshop-4"))
	return newWorld(t, school(), append([]option{others(oneModel{m}, n, v)}, options...)...)
}

// pupil completed a beginner course and is in another topic.
func pupil(w *world) lectern.LearnerRef {
	w.act(ada, lectern.EventEnrol, "brands-beginner")
	w.act(ada, lectern.EventComplete, "python-beginner")
	return ada
}

func TestHomePage(t *testing.T) {
	w := fullSchool(t)
	page := w.page(lectern.HomeRequest{Learner: pupil(w)})
	if len(page.Degraded) > 0 {
		t.Errorf("degraded: %v", page.Degraded)
	}
	names := rowNames(page)
	for _, want := range lectern.Rows() {
		if !slices.Contains(names, want) {
			t.Errorf("no row %s among %v", want, names)
		}
	}
	if names[0] != lectern.RowContinue || names[1] != lectern.RowForYou || names[len(names)-1] != lectern.RowExplore {
		t.Errorf("order of rows: %v", names)
	}
	seen, rankings := map[string]lectern.Row{}, map[string]bool{}
	for _, row := range page.Rows {
		if rankings[row.List.RankingID] || row.List.RankingID == "" || len(row.List.Items) == 0 {
			t.Errorf("row %s: ranking %q with %d items", row.Row, row.List.RankingID, len(row.List.Items))
		}
		rankings[row.List.RankingID] = true
		for _, it := range row.List.Items {
			if other, ok := seen[it.Course.ID]; ok {
				t.Errorf("%s is in %s and in %s", it.Course.ID, other, row.Row)
			}
			seen[it.Course.ID] = row.Row
			if len(it.Reasons) == 0 || len(it.Sources) == 0 {
				t.Errorf("%s in %s: reasons %v, sources %v", it.Course.ID, row.Row, it.Reasons, it.Sources)
			}
		}
		r, err := w.recorder.Ranking(context.Background(), row.List.RankingID)
		if err != nil || r.Row != row.Row || r.Surface != lectern.SurfaceHome || r.Learner != ada {
			t.Errorf("record of %s: %+v, %v", row.Row, r, err)
		}
	}
	for row, want := range map[lectern.Row]struct{ title, reason string }{
		lectern.RowContinue: {"home_continue", "in_progress"},
		lectern.RowBecause:  {"home_because", ""},
		lectern.RowNext:     {"home_next", "next_after_course"},
		lectern.RowLikeYou:  {"home_like_you", "taken_by_similar_learners"},
		lectern.RowTrending: {"home_trending", "trending"},
		lectern.RowExplore:  {"home_explore", "something_different"},
	} {
		r := rowOf(page, row)
		if r == nil {
			continue
		}
		if r.Title.Code != want.title || want.reason != "" && r.List.Items[0].Reasons[0].Code != want.reason {
			t.Errorf("%s: title %v, first reason %v", row, r.Title, r.List.Items[0].Reasons)
		}
	}
	if got := rowOf(page, lectern.RowBecause).Title.Params["course_id"]; got != "python-beginner" {
		t.Errorf("because of %q", got)
	}
	if got := rowOf(page, lectern.RowForYou).List.Model; got != 7 {
		t.Errorf("model %d", got)
	}
}

func TestRowsOfThoseOfWhomNothingIsKnown(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	no := lectern.Consent{}
	shy := w.profiles[ada]
	shy.Learner.Consent = &no
	w.profiles[lectern.LearnerRef{ID: "shy"}] = shy
	for name, ref := range map[string]lectern.LearnerRef{"nobody": {}, "unknown": {ID: "who"}, "without consent": {ID: "shy"}} {
		t.Run(name, func(t *testing.T) {
			page := w.page(lectern.HomeRequest{Learner: ref})
			for _, row := range rowNames(page) {
				if !slices.Contains([]lectern.Row{lectern.RowForYou, lectern.RowTrending, lectern.RowNew, lectern.RowExplore}, row) {
					t.Errorf("row %s", row)
				}
			}
			if r := rowOf(page, lectern.RowForYou); r == nil || r.Title.Code != "home_popular" {
				t.Errorf("for_you: %+v", r)
			}
		})
	}
}

func TestTwoInterestsShareTheFirstTen(t *testing.T) {
	w := newWorld(t, school())
	for _, id := range []string{"python-workshop-0", "python-workshop-1", "python-workshop-2", "python-workshop-3"} {
		w.act(ada, lectern.EventEnrol, id)
	}
	w.act(ada, lectern.EventEnrol, "guitar-workshop-0")
	w.act(ada, lectern.EventClick, "guitar-workshop-1")
	count := map[string]int{}
	for _, id := range ids(w.list(home(ada))) {
		count[topicOf(id)]++
	}
	if count["python"] < 3 || count["guitar"] < 2 || count["python"] < count["guitar"] {
		t.Errorf("first ten: %v", count)
	}
}

func TestDismissedTopicIsGone(t *testing.T) {
	w := newWorld(t, school())
	w.act(ada, lectern.EventEnrol, "python-workshop-0")
	w.act(ada, lectern.EventComplete, "python-workshop-1")
	w.act(ada, lectern.EventClick, "guitar-workshop-0")
	guitars := func() (n int) {
		for _, id := range ids(w.list(home(ada))) {
			if topicOf(id) == "guitar" {
				n++
			}
		}
		return n
	}
	if guitars() == 0 {
		t.Fatal("no guitar in the first ten to begin with")
	}
	w.act(ada, lectern.EventDismiss, "guitar-workshop-1")
	if n := guitars(); n > 0 {
		t.Errorf("%d guitar courses in the first ten after one was dismissed", n)
	}
}

func TestCompletedCourseBringsItsSuccessor(t *testing.T) {
	bare := school()
	for i := range bare {
		bare[i].Prerequisites = nil
	}
	for name, c := range map[string]struct {
		w    *world
		note string
	}{
		"prerequisites": {newWorld(t, school()), "successors"},
		"levels":        {newWorld(t, bare), "level_up"},
		"a model":       {fullSchool(t), "successors"},
		"words only":    {newWorld(t, school(), wordsOnly), "successors"},
	} {
		t.Run(name, func(t *testing.T) {
			c.w.act(ada, lectern.EventComplete, "python-beginner")
			after := lectern.ListRequest{Surface: lectern.SurfaceNext, CourseID: "python-beginner"}
			row := home(ada)
			row.Row = lectern.RowNext
			for what, req := range map[string]lectern.ListRequest{"next": after, "row": row} {
				l := c.w.list(req)
				if len(l.Items) == 0 || l.Items[0].Course.ID != "python-intermediate" {
					t.Fatalf("%s: %v", what, ids(l))
				}
				if !slices.Contains(l.Items[0].Sources, c.note) || l.Items[0].Reasons[0].Code != "next_after_course" {
					t.Errorf("%s: sources %v, reasons %v", what, l.Items[0].Sources, l.Items[0].Reasons)
				}
			}
			got := ids(c.w.list(home(ada)))
			successor, twin := slices.Index(got, "python-intermediate"), slices.Index(got, "python-twin")
			if name != "words only" && name != "levels" && (successor < 0 || twin >= 0 && twin < successor) {
				t.Errorf("home: %v", got)
			}
		})
	}
}

func TestContinue(t *testing.T) {
	courses := school()
	over := now.AddDate(0, 0, -1)
	courses[0].Availability.EnrolUntil = &over // python-beginner: enrolment is over
	w := newWorld(t, courses)
	step := func(typ lectern.EventType, id string) {
		w.clock = w.clock.Add(time.Minute)
		w.act(ada, typ, id)
	}
	step(lectern.EventEnrol, "python-beginner")
	step(lectern.EventEnrol, "guitar-workshop-1")
	step(lectern.EventDrop, "guitar-workshop-1")
	step(lectern.EventEnrol, "guitar-workshop-2")
	step(lectern.EventComplete, "guitar-workshop-2")
	step(lectern.EventEnrol, "brands-workshop-2")
	row := home(ada)
	row.Row = lectern.RowContinue
	if diff := cmp.Diff([]string{"brands-workshop-2", "python-beginner"}, ids(w.list(row))); diff != "" {
		t.Error(diff)
	}
	if page := w.page(lectern.HomeRequest{Learner: ada}); page.Rows[0].Row != lectern.RowContinue {
		t.Errorf("first row: %v", rowNames(page))
	}
	w.clock = w.clock.AddDate(0, 1, 0)
	if page := w.page(lectern.HomeRequest{Learner: ada}); page.Rows[0].Row != lectern.RowForYou || page.Rows[1].Row != lectern.RowContinue {
		t.Errorf("a month later: %v", rowNames(page))
	}
}

func TestNoRowComesOfABadExperience(t *testing.T) {
	one := 1.0
	bad := learner.DefaultConfig().Delta(lectern.Event{Type: lectern.EventRate, CourseID: "any", Value: &one}).Weight
	w := fullSchool(t)
	rateOne := func(id string) {
		w.act(ada, lectern.EventRate, id)
		for i := range w.profiles[ada].Entries {
			if w.profiles[ada].Entries[i].CourseID == id {
				w.profiles[ada].Entries[i].Weight += bad
			}
		}
	}
	w.act(ada, lectern.EventEnrol, "guitar-workshop-1")
	w.clock = w.clock.Add(time.Minute)
	w.act(ada, lectern.EventEnrol, "python-beginner")
	w.act(ada, lectern.EventComplete, "python-beginner")
	w.act(ada, lectern.EventEnrol, "brands-workshop-2")
	w.act(ada, lectern.EventProgress, "brands-workshop-2")
	about := func() map[lectern.Row]string {
		out := map[lectern.Row]string{}
		page := w.page(lectern.HomeRequest{Learner: ada})
		for _, name := range []lectern.Row{lectern.RowBecause, lectern.RowNext} {
			if r := rowOf(page, name); r != nil {
				out[name] = r.Title.Params["course_id"]
			}
		}
		return out
	}
	row := home(ada)
	row.Row = lectern.RowContinue
	if diff := cmp.Diff(map[lectern.Row]string{lectern.RowBecause: "python-beginner", lectern.RowNext: "python-beginner"}, about()); diff != "" {
		t.Errorf("before: %s", diff)
	}
	if diff := cmp.Diff([]string{"brands-workshop-2", "guitar-workshop-1"}, ids(w.list(row))); diff != "" {
		t.Errorf("under way before: %s", diff)
	}
	rateOne("python-beginner")
	rateOne("brands-workshop-2")
	if got := about(); got[lectern.RowBecause] != "" || got[lectern.RowNext] != "" && got[lectern.RowNext] != "guitar-workshop-1" {
		t.Errorf("after: %v", got)
	}
	if diff := cmp.Diff([]string{"guitar-workshop-1"}, ids(w.list(row))); diff != "" {
		t.Errorf("under way after: %s", diff)
	}
}

func TestRowsPage(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	page := w.page(lectern.HomeRequest{Learner: ada, Limit: 3})
	for _, row := range page.Rows {
		got := ids(row.List)
		req := home(ada)
		req.Row, req.Limit, req.Cursor = row.Row, 3, row.List.NextCursor
		for req.Cursor != "" {
			l := w.list(req)
			if l.RankingID != row.List.RankingID {
				t.Fatalf("%s goes on as another list", row.Row)
			}
			got = append(got, ids(l)...)
			req.Cursor = l.NextCursor
		}
		if len(got) != row.List.Total {
			t.Errorf("%s: %d items on its pages, %d in all", row.Row, len(got), row.List.Total)
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != row.List.Total {
			t.Errorf("%s has a course twice", row.Row)
		}
	}
	other := home(ada)
	other.Row, other.Limit, other.Cursor = lectern.RowExplore, 3, rowOf(page, lectern.RowForYou).List.NextCursor
	if _, err := w.engine.List(context.Background(), other); lectern.ErrorCode(err) != lectern.CodeCursorMismatch {
		t.Errorf("cursor of another row: %v", err)
	}
}

func TestRowAboutACourse(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	req := home(ada)
	req.Row, req.CourseID = lectern.RowBecause, "guitar-workshop-0"
	l := w.list(req)
	if len(l.Items) == 0 || topicOf(l.Items[0].Course.ID) != "guitar" || slices.Contains(ids(l), "guitar-workshop-0") {
		t.Errorf("like a guitar course: %v", ids(l))
	}
	for name, c := range map[string]struct {
		req  lectern.ListRequest
		code lectern.Code
	}{
		"unknown course":     {lectern.ListRequest{Surface: lectern.SurfaceHome, Row: lectern.RowNext, CourseID: "x", Learner: ada}, lectern.CodeNotFound},
		"unknown row":        {lectern.ListRequest{Surface: lectern.SurfaceHome, Row: "sideways"}, lectern.CodeInvalid},
		"row of a search":    {lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: "go", Row: lectern.RowNew}, lectern.CodeInvalid},
		"time of a search":   {lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: "go", FitTime: true}, lectern.CodeInvalid},
		"home about one":     {lectern.ListRequest{Surface: lectern.SurfaceHome, CourseID: "python-twin"}, lectern.CodeInvalid},
		"next to nothing":    {lectern.ListRequest{Surface: lectern.SurfaceNext}, lectern.CodeInvalid},
		"next after unknown": {lectern.ListRequest{Surface: lectern.SurfaceNext, CourseID: "x"}, lectern.CodeNotFound},
	} {
		c.req.Limit = 3
		if _, err := w.engine.List(context.Background(), c.req); lectern.ErrorCode(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.engine.Home(context.Background(), lectern.HomeRequest{}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("no limit: %v", err)
	}
}

func TestEmptyRowsAreLeftOut(t *testing.T) {
	w := newWorld(t, school(), others(nil, &fakeNeighbours{hits: hitsFor("cooking-twin", "cooking-workshop-1")}, trends(nil)))
	pupil(w)
	page := w.page(lectern.HomeRequest{Learner: ada})
	for _, row := range []lectern.Row{lectern.RowLikeYou, lectern.RowTrending} { // two items, and none
		if rowOf(page, row) != nil {
			t.Errorf("row %s: %v", row, ids(rowOf(page, row).List))
		}
	}
	page = w.page(lectern.HomeRequest{Learner: ada, Filter: lectern.Filter{Categories: []string{"astronomy"}}})
	if len(page.Rows) != 0 {
		t.Errorf("nothing passes the filter, but there are rows %v", rowNames(page))
	}
}

func TestHomeFilters(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	p := w.profiles[ada]
	weekly := 2.0
	p.Learner.WeeklyHours = &weekly
	p.Version++
	w.profiles[ada] = p
	for _, row := range w.page(lectern.HomeRequest{Learner: ada, FitTime: true, Filter: lectern.Filter{Levels: []lectern.Level{"mixed"}}}).Rows {
		for _, it := range row.List.Items {
			if it.Course.Level != lectern.LevelMixed || *it.Course.WorkloadHours > 16 { // 2 hours × 8 weeks
				t.Errorf("%s in %s: %s, %v hours", it.Course.ID, row.Row, it.Course.Level, *it.Course.WorkloadHours)
			}
		}
	}
}

func TestPageIsKeptUntilSomethingChanges(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	req := lectern.HomeRequest{Learner: ada}
	rankings := func() []string {
		var out []string
		for _, row := range w.page(req).Rows {
			out = append(out, row.List.RankingID)
		}
		return out
	}
	first, searches := rankings(), w.searches.Load()
	w.clock = w.clock.Add(10 * time.Second)
	if diff := cmp.Diff(first, rankings()); diff != "" || w.searches.Load() != searches {
		t.Errorf("%d searches for the same page: %s", w.searches.Load()-searches, diff)
	}
	if err := w.catalog.RefreshStats(context.Background()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, rankings()); diff != "" {
		t.Errorf("statistics alone make a new page: %s", diff)
	}
	changes := []struct {
		name string
		do   func()
	}{
		{"an event", func() { w.act(ada, lectern.EventDismiss, "python-workshop-3") }},
		{"a course", func() { w.put(lectern.Course{ID: "new", Title: "Python Program anew"}) }},
		{"a course's text", func() {
			c := w.courses["python-workshop-4"]
			c.Description += " More."
			w.put(c)
		}},
		{"a course less", func() { w.remove("new") }},
		{"a model", func() { w.others.Collaborative.(oneModel).model.(*fakeModel).version++ }},
		{"time", func() { w.clock = w.clock.Add(time.Minute) }},
	}
	for _, c := range changes {
		before := rankings()
		c.do()
		if after := rankings(); slices.ContainsFunc(before, func(id string) bool { return slices.Contains(after, id) }) {
			t.Errorf("after %s the page is the same", c.name)
		}
	}
	if page := w.page(req); slices.Contains(ids(rowOf(page, lectern.RowForYou).List), "python-workshop-3") {
		t.Error("what was dismissed is still there")
	}
	before := rankings()
	w.engine.Forget(ada)
	if diff := cmp.Diff(before, rankings()); diff == "" {
		t.Error("a forgotten learner's page is kept")
	}
}

func TestKeptPageHeedsWindows(t *testing.T) {
	courses := school()
	until := now.Add(20 * time.Second)
	for i := range courses {
		if courses[i].ID == "python-intermediate" {
			courses[i].Availability.EnrolUntil = &until
		}
	}
	w := newWorld(t, courses)
	w.act(ada, lectern.EventComplete, "python-beginner")
	row := func() lectern.HomeRow {
		return *rowOf(w.page(lectern.HomeRequest{Learner: ada, Limit: 10}), lectern.RowForYou)
	}
	before := row()
	if !slices.Contains(ids(before.List), "python-intermediate") {
		t.Fatalf("not there to begin with: %v", ids(before.List))
	}
	w.clock = w.clock.Add(30 * time.Second)
	after := row()
	if slices.Contains(ids(after.List), "python-intermediate") || after.List.RankingID != before.List.RankingID || len(after.List.Items) != 10 {
		t.Errorf("after its window closed: %v", ids(after.List))
	}
}
