package retrieve_test

import (
	"slices"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
)

// TestRatingsNeverShortenLists: a list under a least rating holds as much as it
// would if the index knew ratings, whether few courses pass or most.
func TestRatingsNeverShortenLists(t *testing.T) {
	courses := bigCatalogue(6000)
	for i := range courses {
		courses[i].Description += " everywhere"
		if i%7 == 0 {
			courses[i].Stated = lectern.StatedStats{} // unrated
		}
	}
	w := newWorld(t, courses, wordsOnly, config(func(c *retrieve.Config) { c.PerSource, c.Depth = 400, 400 }))
	for _, least := range []float64{0, 3.2, 3.9, 4.99, 5} {
		passing := 0
		for _, c := range courses {
			if c.Stated.RatingMean > 0 && c.Stated.RatingMean >= least {
				passing++
			}
		}
		req := search("everywhere")
		req.Filter.MinRating, req.Limit = &least, 400
		l := w.list(req)
		if want := min(passing, 400); l.Total != want || len(l.Items) != want {
			t.Errorf("%.2f stars: %d listed, %d shown, want %d", least, l.Total, len(l.Items), want)
		}
		for _, it := range l.Items {
			if it.Course.Stated.RatingMean < least || it.Course.Stated.RatingMean == 0 {
				t.Errorf("%.2f stars: %s has %.2f", least, it.Course.ID, it.Course.Stated.RatingMean)
			}
		}
	}
	// The words that only badly rated courses hold are asked for beyond them.
	for i := range 1500 {
		c := courses[i]
		c.Title += " rare"
		if c.Stated.RatingMean = 2; i%10 == 0 {
			c.Stated.RatingMean, c.Title = 4.5, courses[i].Title
			c.Description += " rare"
		}
		w.put(c)
	}
	least := 3.
	req := search("rare")
	req.Filter.MinRating, req.Limit = &least, 400
	if l := w.list(req); l.Total != 150 {
		t.Errorf("%d found behind 1350 that are rated worse, want 150", l.Total)
	}
}

// TestRatingOfReviews: a course that learners rated passes by their mean, on
// every page.
func TestRatingOfReviews(t *testing.T) {
	w := newWorld(t, fixture(t))
	c := w.courses["go-1"]
	c.Stated = lectern.StatedStats{}
	w.stats["go-1"] = lectern.CourseStats{CourseID: "go-1", RatingCount: 3, RatingMean: 4.9}
	w.put(c)
	least := 4.9
	for _, req := range []lectern.ListRequest{search("go programming"), home(lectern.LearnerRef{})} {
		req.Filter.MinRating, req.Limit = &least, 100
		if got := ids(w.list(req)); !slices.Contains(got, "go-1") {
			t.Errorf("%s: %v", req.Surface, got)
		}
	}
}
