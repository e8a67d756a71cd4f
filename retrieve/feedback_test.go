package retrieve_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
)

// TestFeedback searches once without and twice with feedback, and keeps the
// first answer when the second search fails.
func TestFeedback(t *testing.T) {
	w := newWorld(t, fixture(t))
	off := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.Feedback = 0 }))
	query := search("machine learning")
	with, without := w.list(query), off.list(query)
	if w.searches.Load() != 2 || off.searches.Load() != 1 {
		t.Errorf("%d searches with feedback, %d without; want 2 and 1", w.searches.Load(), off.searches.Load())
	}
	score := func(l lectern.List, id string) float64 {
		i := slices.Index(ids(l), id)
		if i < 0 {
			t.Fatalf("%s is not in %v", id, ids(l))
		}
		return l.Items[i].Score
	}
	// ml-deep shares less with the query than with the leading courses.
	if score(with, "ml-deep") <= score(without, "ml-deep") {
		t.Errorf("ml-deep scores %v with feedback, %v without", score(with, "ml-deep"), score(without, "ml-deep"))
	}

	failing := newWorld(t, fixture(t))
	failing.indexErr, failing.failFrom = errors.New("down"), 1
	got := failing.list(query)
	if !slices.Equal(ids(got), ids(without)) || failing.searches.Load() != 2 {
		t.Errorf("after %d searches %v, want the first answer %v", failing.searches.Load(), ids(got), ids(without))
	}
}
