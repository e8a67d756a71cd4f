package neighbours

import (
	"fmt"
	"testing"

	"github.com/lectern-dev/lectern"
)

// end has a learner end a course: with a good end, or a bad one.
func (w *world) end(learner, course string, typ lectern.EventType, state lectern.CourseState, weight float64) {
	w.tb.Helper()
	w.events++
	e := lectern.EventWrite{
		Event: lectern.Event{ID: fmt.Sprint(w.events), Type: typ, LearnerID: learner, CourseID: course, OccurredAt: w.now},
		Delta: &lectern.ProfileDelta{Weight: weight, HalfLife: halfLife, State: state},
	}
	if _, err := w.AppendEvents(w.tb.Context(), []lectern.EventWrite{e}); err != nil {
		w.tb.Fatal(err)
	}
}

// TestOutcomes counts those who gave a course up among its starters, though nobody is
// told that they took it, and those who only looked at it not.
func TestOutcomes(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world) {
		w.crowd()
		course := courseID(2, 0)
		for n := range 3 {
			w.end(fmt.Sprintf("somebody-2-%d", n), course, lectern.EventComplete, lectern.StateCompleted, 3)
		}
		w.end("somebody-2-4", course, lectern.EventDrop, lectern.StateDropped, -9)
		w.end("somebody-2-5", course, lectern.EventClick, lectern.StateClicked, 1)
		w.enrol("me", courseID(2, 1))
		w.follow(w.learner, w.writer)
		ref := lectern.LearnerRef{ID: "me"}
		version, err := w.ProfileVersion(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		want, finished := map[string]float64{}, map[string]float64{}
		keys := map[int64]bool{}
		for n := range 10 {
			keys[w.key(fmt.Sprintf("somebody-2-%d", n))] = true
		}
		for key := range keys {
			byKey, err := w.EntriesByKey(t.Context(), []int64{key})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range byKey[key] {
				if e.State&^lectern.StateClicked != 0 {
					want[e.CourseID]++
				}
				if e.State&lectern.StateCompleted != 0 {
					finished[e.CourseID]++
				}
			}
		}
		if finished[course] != 3 || want[course] < 4 {
			t.Fatalf("%v started, %v finished", want[course], finished[course])
		}
		of, err := w.learner.Outcomes(t.Context(), ref, version)
		if err != nil || of == nil {
			t.Fatal(err)
		}
		asked := w.asked
		w.liked(w.learner, "me")
		if w.asked != asked {
			t.Error("found twice for one version")
		}
		for id := range want {
			if s, f := of(id); s != want[id] || f != finished[id] {
				t.Errorf("%s: %v started, %v finished, want %v and %v", id, s, f, want[id], finished[id])
			}
		}
		if s, f := of("none"); s != 0 || f != 0 {
			t.Errorf("none: %v, %v", s, f)
		}
		if of, err := w.learner.Outcomes(t.Context(), lectern.LearnerRef{ID: "nobody"}, 1); err != nil || of != nil {
			t.Errorf("nobody's: %v", err)
		}
	})
}

// TestEndsAreBounded keeps the courses that most started.
func TestEndsAreBounded(t *testing.T) {
	e := ends{}
	for i := range 2 * maxKept {
		id := fmt.Sprintf("c%04d", i)
		for range 1 + i%2 {
			e.add(id, i%4 == 0)
		}
	}
	list := e.list()
	if len(list) != maxKept || cap(list) > 2*maxKept {
		t.Fatalf("%d courses in room for %d", len(list), cap(list))
	}
	for i, n := range list {
		if n.started != 2 || i > 0 && n.course <= list[i-1].course {
			t.Errorf("%d: %+v", i, n)
		}
	}
}
