package retrieve_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
)

func TestHomeWithoutItsParts(t *testing.T) {
	broken := errors.New("down")
	for name, c := range map[string]struct {
		options []option
		change  func(*world)
		want    []string
	}{
		"no model yet":             {[]option{others(noModel{}, nil, nil)}, nil, []string{"collaborative"}},
		"no models at all":         {[]option{others(nil, nil, nil)}, nil, nil},
		"similar learners fail":    {[]option{others(nil, &fakeNeighbours{err: broken}, nil)}, nil, []string{"neighbours"}},
		"similar learners hang":    {[]option{others(nil, &fakeNeighbours{hangs: true}, nil)}, nil, []string{"neighbours"}},
		"the index is away":        {nil, func(w *world) { w.indexErr = broken }, []string{"index"}},
		"no vectors":               {[]option{wordsOnly}, nil, []string{"semantic"}},
		"neither model nor others": {[]option{wordsOnly, others(noModel{}, &fakeNeighbours{err: broken}, nil)}, nil, []string{"semantic", "collaborative", "neighbours"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, school(), append(c.options, config(func(c *retrieve.Config) { c.Budgets.Neighbours = 5 * time.Millisecond }))...)
			pupil(w)
			w.list(home(ada)) // the taste is known
			if c.change != nil {
				c.change(w)
			}
			page := w.page(lectern.HomeRequest{Learner: ada})
			if diff := cmp.Diff(c.want, page.Degraded); diff != "" {
				t.Errorf("degraded (-want +got): %s", diff)
			}
			for _, row := range []lectern.Row{lectern.RowContinue, lectern.RowForYou, lectern.RowBecause} {
				if rowOf(page, row) == nil {
					t.Errorf("no row %s among %v", row, rowNames(page))
				}
			}
		})
	}
}

func TestBehaviourIsATermAndASource(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	req := home(ada)
	req.Explain, req.Limit = true, 50
	l := w.list(req)
	if l.Model != 7 {
		t.Errorf("model %d", l.Model)
	}
	for _, it := range l.Items {
		var have float64
		for _, term := range it.Terms {
			if term.Name == "collaborative" {
				have = term.Value
			}
		}
		want := 0.5
		if it.Course.ID == "brands-workshop-1" {
			want = 1 // ½ + ½ × 1
			if !slices.Contains(it.Sources, "collaborative") {
				t.Errorf("sources %v", it.Sources)
			}
		}
		if slices.Contains(it.Sources, "collaborative") == (have == 0.5) || want == 1 && have != 1 {
			t.Errorf("%s from %v: collaborative %v", it.Course.ID, it.Sources, have)
		}
	}
	similar := w.list(lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: "python-beginner", Limit: 50})
	at := slices.IndexFunc(similar.Items, func(it lectern.Item) bool { return it.Course.ID == "cooking-workshop-1" })
	if at < 0 || !slices.Contains(similar.Items[at].Sources, "together") || similar.Items[at].Reasons[0].Code != "taken_together" {
		t.Errorf("taken together: %v", ids(similar))
	}
}

func TestFactorsAreAskedInTheIndex(t *testing.T) {
	courses := school()
	m := &fakeModel{version: 1, factor: []float32{1, 0}, top: hitsFor("cooking-twin")}
	w := newWorld(t, courses, others(oneModel{m}, nil, nil), config(func(c *retrieve.Config) { c.ExactCourses = 10 }))
	c := w.courses["spanish-twin"]
	point := lectern.Point{ID: c.ID, Payload: lectern.PayloadOf(c), Dense: map[string][]float32{lectern.VectorCF: {1, 0}}}
	if err := w.index.Upsert(context.Background(), []lectern.Point{point}); err != nil {
		t.Fatal(err)
	}
	pupil(w)
	before := w.searches.Load()
	l := w.list(lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: ada, Limit: 100})
	if w.searches.Load() != before+1 {
		t.Errorf("%d index calls", w.searches.Load()-before)
	}
	for _, it := range l.Items {
		if slices.Contains(it.Sources, "collaborative") != (it.Course.ID == "spanish-twin") {
			t.Errorf("%s from %v", it.Course.ID, it.Sources)
		}
	}
}

func TestExploreStandsStillThroughADay(t *testing.T) {
	w := newWorld(t, school())
	pupil(w)
	row := home(ada)
	row.Row = lectern.RowExplore
	first := ids(w.list(row))
	w.clock = w.clock.Add(time.Hour)
	if diff := cmp.Diff(first, ids(w.list(row))); diff != "" {
		t.Errorf("an hour later: %s", diff)
	}
	w.clock = w.clock.AddDate(0, 0, 1)
	if slices.Equal(first, ids(w.list(row))) {
		t.Error("the same on the next day")
	}
	for _, id := range first {
		if topicOf(id) == "python" || topicOf(id) == "brands" {
			t.Errorf("%s is nothing new", id)
		}
	}
}
