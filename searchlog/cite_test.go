package searchlog

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

func newTestCitations() (Citations, *fakeStore, *Known) {
	s, store := newTestSealer(), newFakeStore()
	known := NewKnown(s)
	return Citations{Sealer: s, Store: store, Courses: known}, store, known
}

func TestCite(t *testing.T) {
	c, store, known := newTestCitations()
	known.Apply([]string{"a", "c"}, nil, true)
	ada := lectern.LearnerRef{ID: "ada"}
	token := c.Sealer.Seal(ada, "Pyth", []string{"a", "b", "c", "gone"})
	four := 4
	events := []lectern.Event{
		{ID: "1", LearnerID: "ada", CourseID: "b", RankingID: token},
		{ID: "2", LearnerID: "ada", CourseID: "a", RankingID: "019a0000-0000-7000-8000-000000000000"},
		{ID: "3", LearnerID: "ada", CourseID: "c", RankingID: token, Position: &four, Surface: lectern.SurfaceSearch},
		{ID: "4", LearnerID: "ada", Type: lectern.EventSearch, Query: "python", RankingID: token}, // chose a completion
		{ID: "5", LearnerID: "ada", CourseID: "c", RankingID: token + "x"},
	}
	problems, err := c.Cite(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range problems {
		if (p != nil) != (i == 4) {
			t.Errorf("event %s: %v", events[i].ID, p)
		}
	}
	if len(store.rankings) != 1 || len(store.searches) != 1 {
		t.Fatalf("%d rankings and %d searches stored", len(store.rankings), len(store.searches))
	}
	id := events[0].RankingID
	item := func(course string) lectern.RankedItem { return lectern.RankedItem{CourseID: course, Propensity: 1} }
	want := lectern.Ranking{
		ID: id, Learner: ada, Surface: lectern.SurfaceAutocomplete, Query: "Pyth", CreatedAt: testClock(),
		Items: []lectern.RankedItem{item("a"), item("b"), item("c"), item("")},
	}
	if d := cmp.Diff(want, store.rankings[id]); d != "" {
		t.Error(d)
	}
	wantSearch := lectern.Search{
		RankingID: id, At: testClock(), Learner: ada, Surface: lectern.SurfaceAutocomplete, Query: "Pyth", Folded: "pyth", Results: 4,
	}
	if d := cmp.Diff(wantSearch, store.searches[id]); d != "" {
		t.Error(d)
	}
	e := events[0]
	if e.Position == nil || *e.Position != 1 || e.Surface != lectern.SurfaceAutocomplete || len(id) != 36 {
		t.Errorf("%+v", e)
	}
	if e := events[2]; *e.Position != 4 || e.Surface != lectern.SurfaceSearch || e.RankingID != id { // what the client says stands
		t.Errorf("%+v", e)
	}
	if events[1].RankingID != "019a0000-0000-7000-8000-000000000000" || events[1].Position != nil || events[3].RankingID != id {
		t.Errorf("%+v", events)
	}
}

// Suggestions made for one learner do not become another's.
func TestCiteByAnother(t *testing.T) {
	c, store, _ := newTestCitations()
	for name, tt := range map[string]struct {
		shownTo lectern.LearnerRef
		event   lectern.Event
		want    lectern.LearnerRef
	}{
		"another": {lectern.LearnerRef{ID: "ada"}, lectern.Event{LearnerID: "bob"}, lectern.LearnerRef{}},
		"nobody":  {lectern.LearnerRef{}, lectern.Event{LearnerID: "bob"}, lectern.LearnerRef{}},
		"visitor who signs in": {lectern.LearnerRef{AnonymousID: "v"}, lectern.Event{LearnerID: "ada", AnonymousID: "v"},
			lectern.LearnerRef{AnonymousID: "v"}},
		"a learner called like the visitor": {lectern.LearnerRef{AnonymousID: "v"}, lectern.Event{LearnerID: "v"}, lectern.LearnerRef{}},
	} {
		t.Run(name, func(t *testing.T) {
			e := tt.event
			e.RankingID = c.Sealer.Seal(tt.shownTo, name, nil)
			events := []lectern.Event{e}
			if problems, err := c.Cite(t.Context(), events); err != nil || problems[0] != nil {
				t.Fatal(problems, err)
			}
			if d := cmp.Diff(tt.want, store.rankings[events[0].RankingID].Learner); d != "" {
				t.Error(d)
			}
		})
	}
}

// What was suggested before anything was typed is a ranking and no search.
func TestCiteWithoutQuery(t *testing.T) {
	c, store, _ := newTestCitations()
	events := []lectern.Event{{ID: "1", LearnerID: "ada", CourseID: "a", RankingID: c.Sealer.Seal(lectern.LearnerRef{}, " ", []string{"a"})}}
	if _, err := c.Cite(t.Context(), events); err != nil || len(store.rankings) != 1 || len(store.searches) != 0 {
		t.Errorf("%v: %d rankings, %d searches", err, len(store.rankings), len(store.searches))
	}
}

func TestKnown(t *testing.T) {
	s := newTestSealer()
	k := NewKnown(s)
	hashes := []CourseHash{s.HashCourse("a"), s.HashCourse("b")}
	resolve := func() []string {
		t.Helper()
		ids, err := k.Resolve(t.Context(), hashes)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	k.Apply([]string{"a", "b"}, nil, true)
	k.Apply(nil, []string{"a"}, false)
	if d := cmp.Diff([]string{"", "b"}, resolve()); d != "" {
		t.Error(d)
	}
	k.Apply([]string{"a"}, nil, true)
	if d := cmp.Diff([]string{"a", ""}, resolve()); d != "" {
		t.Error(d)
	}
}

// pages serves courses two at a time.
type pages []string

func (p pages) ScanCourses(_ context.Context, after int64, _ int) ([]lectern.Course, int64, error) {
	end := min(int(after)+2, len(p))
	var out []lectern.Course
	for _, id := range p[after:end] {
		out = append(out, lectern.Course{ID: id})
	}
	next := int64(end)
	if end == len(p) {
		next = 0
	}
	return out, next, nil
}

func TestStored(t *testing.T) {
	s := newTestSealer()
	r := NewStored(pages{"a", "b", "c", "d", "e"}, s)
	for range 2 {
		got, err := r.Resolve(t.Context(), []CourseHash{s.HashCourse("e"), s.HashCourse("x"), s.HashCourse("a")})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"e", "", "a"}, got); d != "" {
			t.Error(d)
		}
	}
}
