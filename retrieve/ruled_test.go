package retrieve_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// A list that was recorded before shows nothing on its later pages that rules hide by
// now, and shows it again when they end.
func TestLaterPagesHideByNow(t *testing.T) {
	from, until := now.Add(time.Minute), now.Add(2*time.Minute)
	req := search("python data")
	req.Limit = 2
	whole := req
	whole.Limit = 50
	third := ids(newWorld(t, fixture(t)).list(whole))[2]
	w := newWorld(t, fixture(t), ruled(rerank.Rule{ID: "h", Action: rerank.RuleHide, Courses: []string{third}, From: &from, Until: &until}))
	later := req
	later.Cursor = w.list(req).NextCursor
	for _, tt := range []struct {
		at    time.Time
		shown bool
	}{{now, true}, {from, false}, {until, true}} {
		w.clock = tt.at
		if l := w.list(later); slices.Contains(ids(l), third) != tt.shown || len(l.Items) != 2 {
			t.Errorf("at %v: %v, with %s: %v", tt.at, ids(l), third, tt.shown)
		}
	}
}

// A home page that is kept is made anew when a rule begins or ends.
func TestKeptHomeFollowsRulesInTime(t *testing.T) {
	first := func(w *world) string {
		h, err := w.engine.Home(context.Background(), lectern.HomeRequest{Limit: 5})
		if err != nil || len(h.Rows) == 0 {
			t.Fatalf("%+v, %v", h, err)
		}
		return h.Rows[0].List.Items[0].Course.ID
	}
	best := first(newWorld(t, fixture(t)))
	from, until := now.Add(10*time.Second), now.Add(20*time.Second)
	w := newWorld(t, fixture(t), ruled(rerank.Rule{ID: "h", Action: rerank.RuleHide, Courses: []string{best}, From: &from, Until: &until}))
	for _, tt := range []struct {
		after time.Duration
		shown bool
	}{{0, true}, {9 * time.Second, true}, {10 * time.Second, false}, {19 * time.Second, false}, {20 * time.Second, true}} {
		w.clock = now.Add(tt.after)
		if got := first(w); (got == best) != tt.shown {
			t.Errorf("after %v %s is first; %s shown: %v", tt.after, got, best, tt.shown)
		}
	}
}
