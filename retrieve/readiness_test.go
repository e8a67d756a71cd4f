package retrieve_test

import (
	"slices"
	"testing"

	"github.com/lectern-dev/lectern"
)

// TestReadiness: home shows a course after its prerequisite until the learner has
// that one, or is at it.
func TestReadiness(t *testing.T) {
	courses := fixture(t)
	for i := range courses {
		if courses[i].ID == "ml-101" { // the most popular one
			courses[i].Prerequisites = []string{"stats-1"}
		}
	}
	ref := lectern.LearnerRef{ID: "kim"}
	home := lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: ref, Limit: 30}
	for event, below := range map[lectern.EventType]bool{
		lectern.EventClick: true, lectern.EventEnrol: false, lectern.EventProgress: false, lectern.EventComplete: false,
	} {
		w := newWorld(t, courses)
		w.act(ref, event, "stats-1")
		got := ids(w.list(home))
		ml, stats := slices.Index(got, "ml-101"), slices.Index(got, "stats-1")
		if ml < 0 || below != (stats >= 0 && stats < ml) {
			t.Errorf("after %s: ml-101 at %d, stats-1 at %d", event, ml, stats)
		}
	}
}
