package retrieve_test

import (
	"slices"
	"testing"

	"github.com/lectern-dev/lectern"
)

// TestUnknownLanguage: to somebody whose language is not known, a course in
// another language than the catalogue's stands behind its equal, and one that
// shares no word behind those that are near in the catalogue's language. Whoever
// states that language gets it first.
func TestUnknownLanguage(t *testing.T) {
	course := func(id, language, title string) lectern.Course {
		return lectern.Course{ID: id, Title: title, Language: language}
	}
	w := newWorld(t, []lectern.Course{
		course("a-pt", "pt-BR", "Kotlin"), course("b-en", "en", "Kotlin"), // equal, but for the language
		course("c-en", "en", "Cooking"), course("d-en", "en", "Sewing"), course("e-none", "", "Kotlin"),
	})
	ref := lectern.LearnerRef{ID: "rui"}
	w.profiles[ref] = lectern.Profile{Learner: lectern.Learner{ID: "rui", Languages: []string{"pt"}}, Version: 1}
	at := func(l lectern.List, id string) int { return slices.Index(ids(l), id) }
	nobody := w.list(search("learn kotlin"))
	if at(nobody, "a-pt") < at(nobody, "b-en") {
		t.Errorf("nobody: %v", ids(nobody))
	}
	req := search("learn kotlin")
	req.Learner = ref
	if rui := w.list(req); at(rui, "a-pt") > at(rui, "b-en") {
		t.Errorf("rui: %v", ids(rui))
	}
	for _, it := range nobody.Items {
		for _, r := range it.Reasons {
			if r.Code == "fits_language" {
				t.Errorf("%s fits a language that nobody stated", it.Course.ID)
			}
		}
	}
	if home := w.list(lectern.ListRequest{Surface: lectern.SurfaceHome}); at(home, "a-pt") < at(home, "b-en") {
		t.Errorf("home: %v", ids(home))
	}
}

// TestSimilarStatesNoWishes: the course asked about stands in for wishes when
// ranking, but is no reason to say that anybody has them.
func TestSimilarStatesNoWishes(t *testing.T) {
	courses := fixture(t)
	for i := range courses {
		courses[i].Level = lectern.LevelBeginner
	}
	w := newWorld(t, courses)
	req := lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: "py-101"}
	fits := func(l lectern.List) (n int) {
		for _, it := range l.Items {
			for _, r := range it.Reasons {
				if r.Code == "fits_language" || r.Code == "fits_level" {
					n++
				}
			}
		}
		return n
	}
	if n := fits(w.list(req)); n > 0 {
		t.Errorf("%d items fit what nobody stated", n)
	}
	req.Learner = lectern.LearnerRef{ID: "eve"}
	w.profiles[req.Learner] = lectern.Profile{Learner: lectern.Learner{ID: "eve", Languages: []string{"en"}}, Version: 1}
	if fits(w.list(req)) == 0 {
		t.Error("a stated language is no reason")
	}
}
