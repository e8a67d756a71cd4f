package suggest

import (
	"fmt"
	"math"
	"testing"

	"github.com/lectern-dev/lectern"
)

// A word that few titles but many descriptions hold tells little of a title.
func TestSpecificWordsByWholeTexts(t *testing.T) {
	var courses []lectern.Course
	for i := range 40 {
		c := course(fmt.Sprint("c", i), fmt.Sprint("Number ", i), "", "", "", 0)
		c.Description = "You will practise in projects, and more projects."
		courses = append(courses, c)
	}
	courses = append(courses,
		course("common", "Projects in Beekeeping", "", "", "", 0),
		course("rare", "Projectiles", "", "", "", 0))
	s := suggesterOf(t, courses)
	if got := s.frequencies.share("projects"); math.Abs(got-41.0/42) > 1e-9 {
		t.Errorf("%f of the courses hold the word", got)
	}
	if got := ids(ask(t, s, "projec").Courses); got != "rare common" {
		t.Errorf("got %s", got)
	}
	if got := s.frequencies.share("never"); got != 0 {
		t.Errorf("%f hold a word that is in none", got)
	}
}

func TestFrequenciesAreBounded(t *testing.T) {
	f := newFrequencies()
	f.courses = maxCounted
	f.add(nil, lectern.Course{Title: "One more"})
	if f.courses != maxCounted || len(f.words) != 0 {
		t.Errorf("%d courses counted", f.courses)
	}
}

// After a few letters the title whose own word is typed goes before those that
// begin with it and are told from others by other words.
func TestSpecificBeforeBeginning(t *testing.T) {
	var courses []lectern.Course
	for _, w := range []string{"Botany", "Painting", "Cooking", "Sailing", "Poetry", "Chess"} {
		courses = append(courses, course(w, "Science of "+w, "", "", "", 5000), course("d"+w, "Introduction to "+w, "", "", "", 0))
	}
	courses = append(courses, course("own", "Introduction to Science", "", "", "", 0))
	s := suggesterOf(t, courses)
	for query, want := range map[string]bool{"sci": false, "scien": true} {
		if got := ask(t, s, query).Courses; (got[0].ID == "own") != want {
			t.Errorf("%q: %s", query, ids(got))
		}
	}
}
