package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// TestKeepLists: lists that are kept come back as they were, and only to who asks for
// the same.
func TestKeepLists(t *testing.T) {
	o := goldenBandit()
	o.folder = t.TempDir()
	if k, err := o.kept(7); k != nil || err != nil {
		t.Fatalf("an empty folder holds %v, %v", k, err)
	}
	seen := &recordedWorld{seed: 7, lists: 1, slates: slates{"ann": {{
		Learner: lectern.LearnerRef{ID: "ann"}, Surface: lectern.SurfaceHome, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Allowed: true,
		Terms: []lectern.TermWeight{{Name: "quality", Weight: 0.3}},
		Items: []lectern.ExploreItem{{CourseID: "a", Score: 0.1 + 0.2, Values: []float64{1.0 / 3}, Age: -1}, {CourseID: "b", Held: true}},
	}}}}
	if err := o.keep(seen); err != nil {
		t.Fatal(err)
	}
	k, err := o.kept(7)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(seen.slates, k.Slates); diff != "" || k.Lists != 1 {
		t.Errorf("lists came back otherwise:\n%s", diff)
	}
	o.fresh++
	if _, err := o.kept(7); err == nil {
		t.Error("took lists of another comparison")
	}
}
