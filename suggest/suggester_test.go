package suggest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// What is applied is found within two seconds while Run works, and what is
// deleted is gone at once.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		s := New(testNow)
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		apply(t, s, fixture())
		synctest.Wait()
		if got := ids(ask(t, s, "macroecon").Courses); got != "macro" {
			t.Errorf("added: %q", got)
		}
		apply(t, s, nil, "macro")
		if got := ids(ask(t, s, "macroecon").Courses); got != "" {
			t.Errorf("deleted: %q", got)
		}
		time.Sleep(2 * quietAfter) // the delta becomes the base
		synctest.Wait()
		if v := s.view.Load(); v.delta != nil || len(v.base.entries) != len(fixture())-1 {
			t.Errorf("after a quiet moment: %d courses in the base, delta %v", len(v.base.entries), v.delta != nil)
		}
		if got := ids(ask(t, s, "macroecon").Courses); got != "" {
			t.Errorf("deleted and rebuilt: %q", got)
		}
		apply(t, s, upsertMany("new", 3*deltaMin)) // enough for a new base at once
		synctest.Wait()
		if v := s.view.Load(); len(v.base.entries) < 3*deltaMin {
			t.Errorf("a large change is not in the base: %d", len(v.base.entries))
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func upsertMany(word string, n int) []lectern.Course {
	out := make([]lectern.Course, n)
	for i := range out {
		out[i] = course(fmt.Sprint(word, i), fmt.Sprint("Course ", word, " number", i), "", "", "", 0)
	}
	return out
}

func TestApplyTwiceAndReset(t *testing.T) {
	s := suggesterOf(t, fixture())
	want := ask(t, s, "machine")
	apply(t, s, fixture())
	apply(t, s, fixture())
	s.Refresh()
	if d := cmp.Diff(want, ask(t, s, "machine")); d != "" {
		t.Error(d)
	}
	if err := s.Apply(t.Context(), upserts(fixture()[:1]), nil, true); err != nil {
		t.Fatal(err)
	}
	if got := ids(ask(t, s, "").Courses); got != "" && got != "ml" {
		t.Errorf("after a reset: %s", got)
	}
	s.Refresh()
	if got := ids(ask(t, s, "").Courses); got != "ml" || s.Len() != 1 {
		t.Errorf("after a reset: %s, %d courses", got, s.Len())
	}
}

// A course that is retired, or gets another title, is not found as it was.
func TestReplaced(t *testing.T) {
	s := suggesterOf(t, fixture())
	c := fixture()[3]
	c.Availability.Status = lectern.StatusRetired
	apply(t, s, []lectern.Course{c})
	if got := ids(ask(t, s, "macro").Courses); strings.Contains(got, "macro") {
		t.Error("a retired course is suggested")
	}
	renamed := fixture()[0]
	renamed.Title = "Gardening"
	apply(t, s, []lectern.Course{renamed})
	if got := ids(ask(t, s, "machine learning").Courses); !strings.HasPrefix(got, "ml ") {
		t.Errorf("between old and new: %s", got)
	}
	s.Refresh()
	if got := ask(t, s, "garden").Courses; len(got) != 1 || got[0].ID != "ml" {
		t.Errorf("by the new title: %+v", got)
	}
	for _, sg := range ask(t, s, "machine learning").Courses {
		if sg.Text == "Machine Learning" {
			t.Error("found under the old title")
		}
	}
}

// Many ask while much changes: no answer holds a course that was deleted before
// it was asked for, and nothing that was added is lost.
func TestConcurrentUpdates(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	s := New(testNow)
	apply(t, s, synthetic(500))
	s.Rebuild()
	var all sync.WaitGroup
	all.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	var deleted atomic.Int64 // course n-1 is deleted once this is n
	for range 3 {
		all.Go(func() {
			for ctx.Err() == nil {
				before := deleted.Load()
				out, err := s.Suggest(context.Background(), lectern.SuggestRequest{Query: "changing co", Limit: MaxLimit})
				if err != nil {
					t.Error(err)
					return
				}
				for _, c := range out.Courses {
					var n int64
					if _, err := fmt.Sscanf(c.ID, "x%d", &n); err == nil && n < before {
						t.Errorf("%s was deleted before", c.ID)
					}
				}
			}
		})
	}
	const changes = 600
	for i := range changes {
		apply(t, s, []lectern.Course{course(fmt.Sprint("x", i), fmt.Sprint("Changing course ", i), "", "", "", i)})
		if i >= 10 {
			apply(t, s, nil, fmt.Sprint("x", i-10))
			deleted.Store(int64(i - 9))
		}
	}
	stop()
	all.Wait()
	s.Refresh()
	if got := len(ask(t, s, "changing course").Courses); got != 10 {
		t.Errorf("%d courses are left, want 10", got)
	}
}
