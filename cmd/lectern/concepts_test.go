package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

// TestTeaching tells what of a goal a course teaches: by the platform's own tags, under
// any of a skill's names, and by what its text speaks of.
func TestTeaching(t *testing.T) {
	x, err := newSkills(skills.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	course := lectern.Course{ID: "c", Title: "Relational databases", Description: "Write SQL queries. SQL from the first SELECT to joins."}
	if err := x.Apply(t.Context(), []lectern.Course{course}, nil, true); err != nil {
		t.Fatal(err)
	}
	if err := x.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	names := []string{"Python", "SQL", "Basket weaving of our own"}
	teaching := concepts{x}.Teaching(names)
	sure := []float64{9, 9, 9}
	teaching("c", []string{"python programming", "basket weaving of our own"}, sure)
	if sure[1] <= 0 || sure[1] >= 1 {
		t.Errorf("SQL by its text: %v", sure[1])
	}
	sure[1] = 0
	if diff := cmp.Diff([]float64{1, 0, 1}, sure); diff != "" {
		t.Errorf("(-want +got): %s", diff)
	}
	teaching("unknown", nil, sure)
	if diff := cmp.Diff([]float64{0, 0, 0}, sure); diff != "" {
		t.Errorf("nothing (-want +got): %s", diff)
	}
}
