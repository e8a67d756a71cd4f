package retrieve_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

func TestWhoAsks(t *testing.T) {
	w := newWorld(t, fixture(t))
	people(w)
	prefer := map[lectern.Preference]lectern.Leaning{lectern.PreferNew: lectern.LeanMore}
	for _, id := range []string{"ada", "shy"} {
		ref := lectern.LearnerRef{ID: id}
		p := w.profiles[ref]
		p.Corrections.Preferences = prefer
		p.Learner.Region, p.Learner.Organisations = "DE ", []string{"ACME  Corp"}
		w.profiles[ref] = p
	}
	tab := lectern.LearnerRef{AnonymousID: "tab-1"}
	visitor := w.profiles[tab]
	visitor.Learner.Anonymous = true
	w.profiles[tab] = visitor
	s := watch(w)
	for name, tt := range map[string]struct {
		ref    lectern.LearnerRef
		want   rerank.Who
		prefer map[lectern.Preference]lectern.Leaning
	}{
		"a learner": {ada, rerank.Who{
			SignedIn: true, Courses: 3, Languages: []string{"en"}, Region: "de", Organisations: []string{"acme corp"}, Level: lectern.LevelAdvanced,
		}, prefer},
		"without consent":  {lectern.LearnerRef{ID: "shy"}, rerank.Who{SignedIn: true, Region: "de", Organisations: []string{"acme corp"}}, nil},
		"a visitor":        {tab, rerank.Who{Courses: 1}, nil},
		"nobody":           {lectern.LearnerRef{}, rerank.Who{}, nil},
		"unknown learners": {lectern.LearnerRef{ID: "who"}, rerank.Who{SignedIn: true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, req := range []lectern.ListRequest{home(tt.ref), {Surface: lectern.SurfaceSearch, Query: "python", Learner: tt.ref}} {
				w.list(req)
				got := s.one(t).req
				if diff := cmp.Diff(tt.want, got.Who, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(rerank.Who{}, levelIf(tt.ref)...)); diff != "" {
					t.Errorf("%s (-want +got): %s", req.Surface, diff)
				}
				if diff := cmp.Diff(tt.prefer, got.Preferences); diff != "" {
					t.Errorf("%s: preferences (-want +got): %s", req.Surface, diff)
				}
			}
		})
	}
}

// levelIf leaves out the level that is estimated of a visitor.
func levelIf(ref lectern.LearnerRef) []string {
	if ref.AnonymousID != "" {
		return []string{"Level"}
	}
	return nil
}

func TestMixIsWhatTheLearnerTakes(t *testing.T) {
	w := newWorld(t, school())
	s := watch(w)
	mix := func(req lectern.ListRequest) *rerank.Mix {
		t.Helper()
		w.list(req)
		return s.one(t).req.Mix
	}
	w.act(ada, lectern.EventEnrol, "python-beginner")
	w.act(ada, lectern.EventEnrol, "python-advanced")
	w.act(ada, lectern.EventDismiss, "cooking-twin")
	if m := mix(home(ada)); m != nil {
		t.Errorf("two courses make %+v", m)
	}
	w.act(ada, lectern.EventEnrol, "guitar-beginner")
	w.act(ada, lectern.EventEnrol, "guitar-workshop-1")
	got := mix(home(ada))
	want := &rerank.Mix{
		Categories: map[string]float64{"python": 0.5, "guitar": 0.5},
		Providers:  map[string]float64{"provider 0": 0.25, "provider 3": 0.5, "provider 8": 0.25},
		Levels:     map[lectern.Level]float64{lectern.LevelBeginner: 0.5, lectern.LevelAdvanced: 0.25, lectern.LevelMixed: 0.25},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("(-want +got): %s", diff)
	}
	for _, req := range everySurface(ada)[1:] {
		if m := mixOfRow(w, s, req); m != nil && req.Row != lectern.RowForYou {
			t.Errorf("%s %s: %+v", req.Surface, req.Row, m)
		}
	}
}

// mixOfRow is what a list was asked with, nil where there was none.
func mixOfRow(w *world, s *spy, req lectern.ListRequest) *rerank.Mix {
	w.list(req)
	defer func() { s.asked = nil }()
	if len(s.asked) == 0 {
		return nil
	}
	return s.asked[0].req.Mix
}

// TestWhatTheySaidKeepsCoursesOut of every list but searches.
func TestWhatTheySaidKeepsCoursesOut(t *testing.T) {
	w := fullSchool(t)
	pupil(w)
	out := []string{"python-workshop-7", "spanish-workshop-1", "python-workshop-0"}
	p := w.profiles[ada]
	for _, id := range out {
		p.Entries = append(p.Entries, lectern.ProfileEntry{CourseID: id, State: lectern.StateLeftOut, WeightAt: now, LastAt: now})
	}
	w.profiles[ada] = p
	for _, req := range everySurface(ada) {
		req.Limit = 100
		if req.Surface == lectern.SurfaceSearch {
			req.Query = "python"
		}
		have := 0
		for _, id := range ids(w.list(req)) {
			for _, o := range out {
				if id == o {
					have++
				}
			}
		}
		if (have > 0) != (req.Surface == lectern.SurfaceSearch) {
			t.Errorf("%s %s: %d of them", req.Surface, req.Row, have)
		}
	}
}

// TestWhoIsInNoHurry: what is told about somebody waits for them longer than a list does,
// and is nothing rather than what is true of nobody.
func TestWhoIsInNoHurry(t *testing.T) {
	w := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.Budgets.Profile = 20 * time.Millisecond }))
	people(w)
	w.unread = func(ctx context.Context) error {
		if end, ok := ctx.Deadline(); ok && time.Until(end) < time.Second {
			return context.DeadlineExceeded
		}
		return nil
	}
	if l := w.list(home(ada)); !slices.Contains(l.Degraded, retrieve.DegradedProfile) {
		t.Fatalf("a list in a hurry waited: %v", l.Degraded)
	}
	if who, err := w.engine.Who(t.Context(), ada); err != nil || !who.SignedIn || who.Courses == 0 {
		t.Errorf("who: %+v, %v", who, err)
	}
	if req, protected, err := w.engine.Asks(t.Context(), ada, "", ""); err != nil || protected || req.Segment == "" {
		t.Errorf("asks: %+v, protected %v, %v", req, protected, err)
	}
	w.unread = func(context.Context) error { return errors.New("down") }
	if who, err := w.engine.Who(t.Context(), ada); lectern.ErrorCode(err) != lectern.CodeUnavailable {
		t.Errorf("who cannot be read is %+v, %v", who, err)
	}
	if req, protected, err := w.engine.Asks(t.Context(), ada, "", ""); lectern.ErrorCode(err) != lectern.CodeUnavailable {
		t.Errorf("who cannot be read asks %+v, protected %v, %v", req, protected, err)
	}
}
