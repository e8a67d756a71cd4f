package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lectern-dev/lectern"
)

func testReviewVectors(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b", "c")
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "r", CourseID: "parked", Text: "x"}}))
	_, after := changes(t, s, 0)
	get := func(fingerprint string) map[string][]float32 {
		t.Helper()
		return must[map[string][]float32](t)(s.ReviewVectors(ctx, fingerprint, []string{"c", "none", "a", "parked", "b", "a"}))
	}
	equal(t, "of an unknown fingerprint", len(get("f")), 0)

	ok(t, s.PutReviewVectors(ctx, "f", map[string][]float32{
		"b": {1, 0}, "a": {0.6, -0.8}, "none": {1, 0}, "parked": {1, 0},
	}))
	ok(t, s.PutReviewVectors(ctx, "g", map[string][]float32{"a": {0, 1, 0}}))
	equal(t, "f", get("f"), map[string][]float32{"a": {0.6, -0.8}, "b": {1, 0}})
	equal(t, "g", get("g"), map[string][]float32{"a": {0, 1, 0}})
	equal(t, "of one course", must[map[string][]float32](t)(s.ReviewVectors(ctx, "f", []string{"b"})), map[string][]float32{"b": {1, 0}})
	equal(t, "count of text vectors", must[int](t)(s.CountVectors(ctx, "f")), 0)
	feed, after := changes(t, s, after)
	slices.Sort(feed)
	equal(t, "feed", feed, []string{"a reviews", "b reviews"})

	ok(t, s.PutReviewVectors(ctx, "f", map[string][]float32{"a": {0, 1}, "b": nil}))
	equal(t, "after replacing and removing", get("f"), map[string][]float32{"a": {0, 1}})
	equal(t, "the other fingerprint's", get("g"), map[string][]float32{"a": {0, 1, 0}})
	feed, _ = changes(t, s, after)
	slices.Sort(feed)
	equal(t, "feed", feed, []string{"a reviews", "b reviews"})

	// Nothing waits for a course that was skipped.
	putCourses(t, s, "none")
	equal(t, "after an unknown course came", get("f"), map[string][]float32{"a": {0, 1}})
	wantCode(t, s.PutReviewVectors(ctx, "", map[string][]float32{"a": {1}}), lectern.CodeInvalid)
}

func testReviewVectorPrune(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b")
	both := map[string][]float32{"a": {1, 0}, "b": {0, 1}}
	ok(t, s.PutVectors(ctx, "old", map[lectern.ContentHash][]float32{lectern.HashContent("x"): {1, 0}}))
	for _, fingerprint := range []string{"old", "reviews only", "kept"} {
		ok(t, s.PutReviewVectors(ctx, fingerprint, both))
	}
	equal(t, "pruned", must[int](t)(s.PruneVectors(ctx, []string{"kept"})), 5)
	for fingerprint, want := range map[string]int{"old": 0, "reviews only": 0, "kept": 2} {
		equal(t, fingerprint, len(must[map[string][]float32](t)(s.ReviewVectors(ctx, fingerprint, []string{"a", "b"}))), want)
	}
	equal(t, "pruned again", must[int](t)(s.PruneVectors(ctx, []string{"kept"})), 0)
	ok(t, s.PutReviewVectors(ctx, "old", both)) // a pruned fingerprint may come back
	equal(t, "back", must[map[string][]float32](t)(s.ReviewVectors(ctx, "old", []string{"a", "b"})), both)
}

func testReviewVectorDelete(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b")
	for _, fingerprint := range []string{"f", "g"} {
		ok(t, s.PutReviewVectors(ctx, fingerprint, map[string][]float32{"a": {1, 0}, "b": {0, 1}}))
	}
	must[int](t)(s.DeleteCourses(ctx, []string{"a"}))
	putCourses(t, s, "a") // which must not bring them back
	for _, fingerprint := range []string{"f", "g"} {
		left := must[map[string][]float32](t)(s.ReviewVectors(ctx, fingerprint, []string{"a", "b"}))
		equal(t, "left of "+fingerprint, left, map[string][]float32{"b": {0, 1}})
	}
}

// testReviewJobs counts the jobs that writes of reviews queue.
func testReviewJobs(t *testing.T, s Store) {
	ctx := t.Context()
	jobs := must[lectern.StoreStats](t)(s.Stats(ctx)).PendingJobs
	queued := func(what string, want int64) {
		t.Helper()
		now := must[lectern.StoreStats](t)(s.Stats(ctx)).PendingJobs
		equal(t, "jobs queued by "+what, now-jobs, want)
		jobs = now
	}
	put := func(rs ...lectern.Review) {
		t.Helper()
		for _, res := range must[[]lectern.WriteResult](t)(s.PutReviews(ctx, rs)) {
			ok(t, res.Err)
		}
	}
	const courses = lectern.MaxEmbedBatch + 1
	ids, reviews := make([]string, courses), make([]lectern.Review, 0, 2*courses)
	for i := range ids {
		ids[i] = fmt.Sprint("c", i)
		for n := range 2 {
			reviews = append(reviews, lectern.Review{ID: fmt.Sprint("r", n, "-", i), CourseID: ids[i], Text: "x"})
		}
	}
	putCourses(t, s, ids...)
	queued("courses without reviews, one more than a batch", 2)
	put(reviews...)
	queued("reviews of one course more than a batch", 2)
	put(reviews...)
	queued("reviews that are as they were", 0)

	r := lectern.Review{ID: "r", CourseID: "c0", Stars: ptr(4.0)}
	steps := []struct {
		what   string
		change func()
		want   int64
	}{
		{"a review without text", func() {}, 0},
		{"other stars without text", func() { r.Stars = ptr(3.0) }, 0},
		{"a text", func() { r.Text = "good" }, 1},
		{"another text", func() { r.Text = "very good" }, 1},
		{"more who find it helpful", func() { r.Helpful = 9 }, 1},
		{"a move from one course to another", func() { r.CourseID = "c1" }, 1},
		{"a move to an unknown course", func() { r.CourseID = "later" }, 1},
		{"another text while parked", func() { r.Text = "good" }, 0},
		{"a move from an unknown course", func() { r.CourseID = "c0" }, 1},
		{"the loss of its text", func() { r.Text = "" }, 1},
		{"a move without text", func() { r.CourseID = "c1" }, 0},
	}
	for _, step := range steps {
		step.change()
		put(r)
		queued(step.what, step.want)
	}
	ok(t, s.DeleteReview(ctx, "r"))
	queued("deleting a review without text", 0)
	ok(t, s.DeleteReview(ctx, "r0-0"))
	queued("deleting a review with text", 1)
}

func testParkedReviewJobs(t *testing.T, s Store) {
	ctx := t.Context()
	pending := func() int64 { return must[lectern.StoreStats](t)(s.Stats(ctx)).PendingJobs }
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{
		{ID: "1", CourseID: "a", Text: "x"}, {ID: "2", CourseID: "a", Text: "y"}, {ID: "3", CourseID: "b", Text: "z"},
		{ID: "4", CourseID: "starred", Stars: ptr(4.0)}, {ID: "5", CourseID: "deleted", Text: "x"},
	}))
	ok(t, s.DeleteReview(ctx, "5"))
	equal(t, "jobs while the courses are unknown", pending(), int64(0))
	putCourses(t, s, "starred", "deleted", "other")
	equal(t, "jobs of courses without texts of reviews", pending(), int64(1))
	putCourses(t, s, "a", "b", "another")
	equal(t, "jobs when the courses came", pending(), int64(3))
	a := newCourse("a")
	a.URL = "https://example.org/a"
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(a)))
	equal(t, "jobs after a known course changed", pending(), int64(3))
}
