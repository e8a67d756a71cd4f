package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
)

func summaryOf(course string, score *float64, weight float64) lectern.ReviewSummary {
	return lectern.ReviewSummary{
		CourseID: course, Model: "lexicon 1", Reviews: 7, Read: 4, Unread: 2, Held: 1, Score: score, Weight: weight, MadeAt: noon1, Positive: 0.75,
		Trend: []lectern.OpinionMonth{{Month: day1, Read: 4, Score: 0.5}},
		Aspects: []lectern.AspectSummary{{Aspect: lectern.AspectPace, Score: 0.25, Mentions: 3, Quotes: []lectern.Quote{
			{ReviewID: "r", Text: "“Too fast” <b>für</b> mich &\u2028", Score: 0.1, WrittenAt: &day1}, {ReviewID: "q", Text: "Slow."},
		}}},
	}
}

func testReviewSummaries(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b", "c")
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "r", CourseID: "parked", Text: "x"}}))
	_, after := changes(t, s, 0)
	step := func(what string, want []string, put ...lectern.ReviewSummary) {
		t.Helper()
		ok(t, s.PutReviewSummaries(ctx, put))
		var feed []string
		feed, after = changes(t, s, after)
		slices.Sort(feed)
		equal(t, "feed after "+what, feed, want, cmpopts.EquateEmpty())
	}
	a := summaryOf("a", ptr(0.8), 3.5)
	step("the first", []string{"a sentiment", "b sentiment"}, a, summaryOf("b", ptr(0.0), 1), summaryOf("none", ptr(1.0), 1), summaryOf("parked", ptr(1.0), 1))
	equal(t, "a", must[lectern.ReviewSummary](t)(s.ReviewSummary(ctx, "a")), a)
	for _, id := range []string{"c", "none", "parked", ""} {
		_, err := s.ReviewSummary(ctx, id)
		wantCode(t, err, lectern.CodeNotFound)
	}
	step("the same again", nil, a)
	a.Aspects, a.Reviews, a.Model, a.MadeAt = nil, 8, "learnt 2", noon1.Add(time.Hour)
	step("other words and counts", nil, a)
	equal(t, "a, rewritten", must[lectern.ReviewSummary](t)(s.ReviewSummary(ctx, "a")), a)
	step("another score", []string{"a sentiment"}, summaryOf("a", ptr(0.7), 3.5))
	step("another weight", []string{"a sentiment"}, summaryOf("a", ptr(0.7), 3.6))
	step("no score", []string{"b sentiment"}, summaryOf("b", nil, 0))
	step("no score where there was none", nil, summaryOf("c", nil, 0))
	step("nothing", nil)

	numbers := func(ids []string) map[string][2]float64 {
		t.Helper()
		out := map[string][2]float64{}
		for _, c := range must[[]lectern.CourseStats](t)(s.CourseStats(ctx, ids, noon1, halfLife)) {
			out[c.CourseID] = [2]float64{c.Sentiment, c.SentimentWeight}
		}
		return out
	}
	equal(t, "stats of all", numbers(nil), map[string][2]float64{"a": {0.7, 3.6}, "b": {}, "c": {}})
	equal(t, "stats of some", numbers([]string{"c", "a"}), map[string][2]float64{"a": {0.7, 3.6}, "c": {}})

	must[int](t)(s.DeleteCourses(ctx, []string{"a"}))
	putCourses(t, s, "a") // which must not bring it back
	_, err := s.ReviewSummary(ctx, "a")
	wantCode(t, err, lectern.CodeNotFound)
	equal(t, "stats of a course that came back", numbers([]string{"a"}), map[string][2]float64{"a": {}})
}

func hold(course, review, rule string, at time.Time) lectern.HeldReview {
	return lectern.HeldReview{
		ReviewID: review, CourseID: course, Rule: rule, Detail: "3 of 4 within an hour", HeldAt: at, Status: lectern.HoldPending,
		LearnerID: fmt.Sprint("l", int(review[len(review)-1]-'0')%3), Text: "x", Stars: starsOf(review), WrittenAt: writtenAt(review),
	}
}

// starsOf and writtenAt are what fillHeld gives a review.
func starsOf(review string) *float64 {
	if review == "a1" {
		return ptr(4.5)
	}
	return nil
}

func writtenAt(review string) *time.Time {
	if i := review[len(review)-1] - '0'; review[0] == 'a' && i < 9 {
		return ptr(noon1.Add(time.Duration(i) * time.Hour))
	}
	return nil
}

// fillHeld stores six reviews of a and one of b.
func fillHeld(t *testing.T, s Store) {
	t.Helper()
	putCourses(t, s, "a", "b")
	var reviews []lectern.Review
	for i := range 6 {
		reviews = append(reviews, lectern.Review{
			ID: fmt.Sprint("a", i), CourseID: "a", LearnerID: fmt.Sprint("l", i%3), Text: "x",
			Stars: starsOf(fmt.Sprint("a", i)), WrittenAt: writtenAt(fmt.Sprint("a", i)),
		})
	}
	reviews = append(reviews, lectern.Review{ID: "b0", CourseID: "b", LearnerID: "l0", Text: "x"})
	must[[]lectern.WriteResult](t)(s.PutReviews(t.Context(), reviews))
}

func testHeldReviews(t *testing.T, s Store) {
	ctx := t.Context()
	fillHeld(t, s)
	held := func(course string, status lectern.HoldStatus, limit int) []lectern.HeldReview {
		t.Helper()
		return must[[]lectern.HeldReview](t)(s.HeldReviews(ctx, course, status, "", limit))
	}
	at := func(n int) time.Time { return noon1.Add(time.Duration(n) * time.Minute) }
	empty := cmpopts.EquateEmpty()
	equal(t, "at first", held("", "", 9), []lectern.HeldReview{}, empty)
	ok(t, s.PutHeldReviews(ctx, "a", []lectern.HeldReview{
		hold("a", "a0", "burst", at(0)), hold("a", "a1", "copies", at(2)), hold("a", "a2", "burst", at(1)), hold("a", "b0", "burst", at(5)), hold("a", "none", "burst", at(5)),
	}))
	ok(t, s.PutHeldReviews(ctx, "b", []lectern.HeldReview{hold("b", "b0", "burst", at(9))}))
	ok(t, s.PutHeldReviews(ctx, "none", []lectern.HeldReview{hold("none", "b0", "burst", at(9))}))
	equal(t, "of a", held("a", "", 9), []lectern.HeldReview{hold("a", "a1", "copies", at(2)), hold("a", "a2", "burst", at(1)), hold("a", "a0", "burst", at(0))})
	equal(t, "newest of all", held("", lectern.HoldPending, 2), []lectern.HeldReview{hold("b", "b0", "burst", at(9)), hold("a", "a1", "copies", at(2))})
	equal(t, "of an unknown course", held("none", "", 9), []lectern.HeldReview{}, empty)
	equal(t, "none at most", held("", "", 0), []lectern.HeldReview{}, empty)
	equal(t, "pending", must[lectern.StoreStats](t)(s.Stats(ctx)).HeldReviews, int64(4))

	_, after := changes(t, s, 0)
	upheld := must[lectern.HeldReview](t)(s.DecideHeldReview(ctx, "a0", lectern.HoldUpheld, "key", at(20)))
	want := hold("a", "a0", "burst", at(0))
	want.Status, want.By = lectern.HoldUpheld, "key"
	equal(t, "upheld", upheld, want)
	feed, _ := changes(t, s, after)
	equal(t, "feed after a decision", feed, []string{"a stats"})
	released := must[lectern.HeldReview](t)(s.DecideHeldReview(ctx, "a1", lectern.HoldReleased, "key", at(21)))

	// The next verdict of the rules leaves what was decided and replaces the rest.
	again := []lectern.HeldReview{
		hold("a", "a0", "copies", at(30)), hold("a", "a1", "copies", at(30)), hold("a", "a2", "burst", at(30)), hold("a", "a3", "burst", at(30)),
	}
	again[2].Detail = "other numbers"
	ok(t, s.PutHeldReviews(ctx, "a", again))
	stays := again[2]
	stays.HeldAt = at(1)
	equal(t, "after the next verdict", held("a", "", 9), []lectern.HeldReview{again[3], released, stays, upheld})
	equal(t, "upheld ones", held("", lectern.HoldUpheld, 9), []lectern.HeldReview{upheld})
	ok(t, s.PutHeldReviews(ctx, "a", nil))
	equal(t, "after no verdict", held("a", "", 9), []lectern.HeldReview{released, upheld})
	equal(t, "of b", len(held("b", lectern.HoldPending, 9)), 1)
	testHeldByHand(t, s, at(40))

	var shown []string
	for _, r := range must[[]lectern.Review](t)(s.Reviews(ctx, "a", "a5", 9)) {
		shown = append(shown, r.ID+" "+string(r.Held))
	}
	equal(t, "reviews with what became of them", shown, []string{"a4 ", "a3 ", "a2 ", "a1 released", "a0 upheld"})
}

func testHeldByHand(t *testing.T, s Store, at time.Time) {
	t.Helper()
	ctx := t.Context()
	byHand := must[lectern.HeldReview](t)(s.DecideHeldReview(ctx, "a5", lectern.HoldUpheld, "key", at))
	equal(t, "held by hand", byHand, lectern.HeldReview{
		ReviewID: "a5", CourseID: "a", Rule: lectern.RuleByHand, HeldAt: at, Status: lectern.HoldUpheld, By: "key",
		LearnerID: "l2", Text: "x", WrittenAt: writtenAt("a5"),
	})
	freed := must[lectern.HeldReview](t)(s.DecideHeldReview(ctx, "a5", lectern.HoldReleased, "other", at.Add(time.Hour)))
	byHand.Status, byHand.By = lectern.HoldReleased, "other"
	equal(t, "released again", freed, byHand)
	_, err := s.DecideHeldReview(ctx, "none", lectern.HoldUpheld, "key", at)
	wantCode(t, err, lectern.CodeNotFound)
	for _, status := range []lectern.HoldStatus{"", lectern.HoldPending, "gone"} {
		_, err := s.DecideHeldReview(ctx, "a5", status, "key", at)
		wantCode(t, err, lectern.CodeInvalid)
	}
}

func testHeldReviewsFollow(t *testing.T, s Store) {
	ctx := t.Context()
	fillHeld(t, s)
	ok(t, s.PutHeldReviews(ctx, "a", []lectern.HeldReview{hold("a", "a0", "burst", noon1), hold("a", "a1", "burst", noon1), hold("a", "a2", "burst", noon1)}))
	ok(t, s.PutHeldReviews(ctx, "b", []lectern.HeldReview{hold("b", "b0", "burst", noon1)}))
	of := func(course string) []string {
		t.Helper()
		var out []string
		for _, h := range must[[]lectern.HeldReview](t)(s.HeldReviews(ctx, course, "", "", 9)) {
			out = append(out, h.ReviewID+" "+h.CourseID)
		}
		return out
	}
	ok(t, s.DeleteReview(ctx, "a2"))
	equal(t, "after deleting a review", of(""), []string{"b0 b", "a1 a", "a0 a"})
	moved := lectern.Review{ID: "a1", CourseID: "b", Text: "x"}
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{moved, {ID: "a0", CourseID: "a", Text: "another"}}))
	equal(t, "of a course that a review moved to", of("b"), []string{"b0 b", "a1 b"})
	equal(t, "of the one that it left", of("a"), []string{"a0 a"})
	ok(t, s.PutHeldReviews(ctx, "a", nil))
	equal(t, "after releasing those of one course", of(""), []string{"b0 b", "a1 b"})
	ok(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: "l0"}))
	equal(t, "after erasing an author", of(""), []string{"b0 b", "a1 b"})
	must[int](t)(s.DeleteCourses(ctx, []string{"b"}))
	equal(t, "after deleting the course", of(""), []string(nil))
	equal(t, "contradictions", must[[]string](t)(s.Check(ctx)), []string(nil))
}

func testRatingHistories(t *testing.T, s Store) {
	ctx := t.Context()
	ids := []string{"a", "b", "c", "parked"}
	putCourses(t, s, ids[:3]...)
	var ratings []lectern.Rating
	var reviews []lectern.Review
	for i := range 90 {
		course, source := ids[i%2*3], []string{"", "s"}[i%3%2]
		day := time.Date(1969, 11, 20, 0, 0, 0, 0, time.UTC).AddDate(0, i%5*7, i%11)
		ratings = append(ratings, lectern.Rating{CourseID: course, Source: source, Day: day, Stars: float64(10+i%7*5) / 10, Occurrence: 1 + i%3})
		if i%2 == 0 {
			reviews = append(reviews, lectern.Review{
				ID: fmt.Sprint("r", i), CourseID: ids[i%3], Source: source, WrittenAt: ptr(day.Add(time.Hour)), Stars: ptr(float64(10+i%7*5) / 10),
			})
		}
	}
	reviews = append(reviews, lectern.Review{ID: "undated", CourseID: "a", Stars: ptr(1.0)}, lectern.Review{ID: "text", CourseID: "a", Text: "x", WrittenAt: &noon1})
	must[[]lectern.WriteResult](t)(s.PutRatings(ctx, ratings))
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, reviews))
	want := map[string][]lectern.RatingMonth{}
	for _, id := range ids[:3] {
		want[id] = must[[]lectern.RatingMonth](t)(s.RatingHistory(ctx, id))
		if len(want[id]) < 3 {
			t.Fatalf("the history of %s has %d months", id, len(want[id]))
		}
	}
	close := cmpopts.EquateApprox(0, 1e-9)
	equal(t, "of all courses", must[map[string][]lectern.RatingMonth](t)(s.RatingHistories(ctx, nil)), want, close)
	delete(want, "b")
	equal(t, "of some", must[map[string][]lectern.RatingMonth](t)(s.RatingHistories(ctx, []string{"c", "none", "a", "c"})), want, close)
	equal(t, "of none", len(must[map[string][]lectern.RatingMonth](t)(s.RatingHistories(ctx, []string{}))), 0)
}

func testReviewAuthors(t *testing.T, s Store) {
	ctx := t.Context()
	fillHeld(t, s)
	did := func(id, learner, course string, state lectern.CourseState) lectern.EventWrite {
		return lectern.EventWrite{
			Event: lectern.Event{ID: id, Type: lectern.EventClick, LearnerID: learner, CourseID: course, OccurredAt: noon1},
			Delta: &lectern.ProfileDelta{Weight: 1, HalfLife: halfLife, State: state},
		}
	}
	must[[]lectern.WriteResult](t)(s.AppendEvents(ctx, []lectern.EventWrite{
		did("1", "l0", "a", lectern.StateClicked|lectern.StateRated), did("2", "l1", "a", lectern.StateClicked), did("3", "l1", "a", lectern.StateProgressed),
		did("4", "l2", "b", lectern.StateCompleted),
	}))
	authors := func(course string, ids ...string) map[string]lectern.ReviewAuthor {
		t.Helper()
		got := must[map[string]lectern.ReviewAuthor](t)(s.ReviewAuthors(ctx, course, ids))
		for id, a := range got {
			if a.Since.IsZero() {
				t.Errorf("%s is known since never", id)
			}
			a.Since = time.Time{}
			got[id] = a
		}
		return got
	}
	equal(t, "authors of a", authors("a", "l0", "l1", "none", "l0", "l2"),
		map[string]lectern.ReviewAuthor{"l0": {Reviews: 2}, "l1": {Reviews: 1, Took: true}, "l2": {Reviews: 1}})
	equal(t, "authors of b", authors("b", "l2"), map[string]lectern.ReviewAuthor{"l2": {Reviews: 1, Took: true}})
	equal(t, "authors of an unknown course", authors("none", "l2"), map[string]lectern.ReviewAuthor{"l2": {Reviews: 1}})
	equal(t, "of nobody", len(authors("a")), 0)

	// What is held elsewhere is no review; what is held here is judged anew.
	ok(t, s.PutHeldReviews(ctx, "a", []lectern.HeldReview{hold("a", "a0", "burst", noon1), hold("a", "a3", "burst", noon1)}))
	equal(t, "of b, held at a", authors("b", "l0")["l0"].Reviews, 1)
	equal(t, "of a, held there", authors("a", "l0")["l0"].Reviews, 2)
	must[lectern.HeldReview](t)(s.DecideHeldReview(ctx, "a0", lectern.HoldReleased, "key", noon1))
	equal(t, "of b, one released", authors("b", "l0")["l0"].Reviews, 2)
}

// testHeldRatings: a held review is no rating, whether a rating of the same act is
// stored beside it or not.
func testHeldRatings(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b")
	starred := func(id, course string, stars float64, at *time.Time) lectern.Review {
		return lectern.Review{ID: id, CourseID: course, Source: "s", Stars: &stars, WrittenAt: at}
	}
	next := noon1.AddDate(0, 1, 0)
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{
		starred("a0", "a", 1, &noon1), starred("a1", "a", 1, &noon1), starred("a2", "a", 5, &noon1), starred("a3", "a", 1, &next),
		starred("a4", "a", 1, nil), starred("b0", "b", 2, &noon1),
	}))
	// The acts of a0, a1 and one more; and one of b.
	var ratings []lectern.Rating
	for n := range 3 {
		ratings = append(ratings, lectern.Rating{CourseID: "a", Source: "s", Day: day1, Stars: 1, Occurrence: n + 1})
	}
	ratings = append(ratings, lectern.Rating{CourseID: "b", Source: "s", Day: day1, Stars: 2, Occurrence: 1})
	must[[]lectern.WriteResult](t)(s.PutRatings(ctx, ratings))
	_, after := changes(t, s, 0)
	type known struct {
		Count   int
		Mean    float64
		History []lectern.RatingMonth
	}
	month := func(at time.Time, n int, mean float64) lectern.RatingMonth {
		return lectern.RatingMonth{Month: time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC), Count: n, Mean: mean}
	}
	want := func(what, course string, feed []string, w known) {
		t.Helper()
		close := []cmp.Option{cmpopts.EquateApprox(0, 1e-9), cmpopts.EquateEmpty()}
		for _, ids := range [][]string{nil, {course}} {
			for _, c := range must[[]lectern.CourseStats](t)(s.CourseStats(ctx, ids, noon1, halfLife)) {
				if c.CourseID == course {
					equal(t, what, known{c.RatingCount, c.RatingMean, nil}, known{w.Count, w.Mean, nil}, close...)
				}
			}
			equal(t, what+", histories", must[map[string][]lectern.RatingMonth](t)(s.RatingHistories(ctx, ids))[course], w.History, close...)
		}
		equal(t, what+", history", must[[]lectern.RatingMonth](t)(s.RatingHistory(ctx, course)), w.History, close...)
		var got []string
		got, after = changes(t, s, after)
		equal(t, what+", feed", got, feed, cmpopts.EquateEmpty())
	}
	all := known{6, 10.0 / 6, []lectern.RatingMonth{month(noon1, 4, 2), month(next, 1, 1)}}
	want("nothing held", "a", nil, all)
	attack := []lectern.HeldReview{hold("a", "a0", "burst", noon1), hold("a", "a1", "burst", noon1), hold("a", "a3", "burst", noon1), hold("a", "a4", "burst", noon1)}
	ok(t, s.PutHeldReviews(ctx, "a", attack))
	rest := known{2, 3, []lectern.RatingMonth{month(noon1, 2, 3)}}
	want("held", "a", []string{"a stats"}, rest)
	for i := range attack {
		attack[i].Rule = "copies"
	}
	ok(t, s.PutHeldReviews(ctx, "a", attack))
	want("held by another rule", "a", nil, rest)
	must[lectern.HeldReview](t)(s.DecideHeldReview(ctx, "a3", lectern.HoldReleased, "key", noon1))
	must[lectern.HeldReview](t)(s.DecideHeldReview(ctx, "a4", lectern.HoldUpheld, "key", noon1))
	want("one released, one upheld", "a", []string{"a stats"}, known{3, 7.0 / 3, []lectern.RatingMonth{month(noon1, 2, 3), month(next, 1, 1)}})
	ok(t, s.PutHeldReviews(ctx, "a", nil))
	want("the rules let go", "a", []string{"a stats"}, known{5, 9.0 / 5, all.History})
	ok(t, s.PutHeldReviews(ctx, "b", []lectern.HeldReview{hold("b", "b0", "burst", noon1)}))
	want("all held", "b", []string{"b stats"}, known{})
}

// testHeldPages goes through what is held page by page, with and without text.
func testHeldPages(t *testing.T, s Store) {
	ctx := t.Context()
	fillHeld(t, s)
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "a9", CourseID: "a", Stars: ptr(1.0), WrittenAt: &noon1}}))
	ok(t, s.PutHeldReviews(ctx, "a", []lectern.HeldReview{
		hold("a", "a0", "burst", noon1), hold("a", "a1", "burst", noon1), hold("a", "a2", "burst", noon1.Add(time.Hour)), hold("a", "a9", "burst", noon1),
	}))
	ok(t, s.PutHeldReviews(ctx, "b", []lectern.HeldReview{hold("b", "b0", "burst", noon1)}))
	count := func(course string, status lectern.HoldStatus) int {
		t.Helper()
		return must[int](t)(s.CountHeldReviews(ctx, course, status))
	}
	equal(t, "counts", []int{count("", ""), count("a", ""), count("a", lectern.HoldPending), count("a", lectern.HoldUpheld), count("none", "")}, []int{5, 4, 4, 0, 0})
	for _, course := range []string{"", "a"} {
		whole := must[[]lectern.HeldReview](t)(s.HeldReviews(ctx, course, "", "", 9))
		var paged []lectern.HeldReview
		for after := ""; ; after = paged[len(paged)-1].ReviewID {
			page := must[[]lectern.HeldReview](t)(s.HeldReviews(ctx, course, lectern.HoldPending, after, 2))
			paged = append(paged, page...)
			if len(page) < 2 {
				break
			}
		}
		equal(t, "pages", paged, whole)
		equal(t, "all of them", len(whole), count(course, ""))
	}
	_, err := s.HeldReviews(ctx, "a", "", "a5", 9)
	wantCode(t, err, lectern.CodeNotFound)
	ids := func(reviews []lectern.Review) (out []string) {
		for _, r := range reviews {
			out = append(out, r.ID)
		}
		return out
	}
	equal(t, "with and without text", ids(must[[]lectern.Review](t)(s.AllReviews(ctx, "a", "", 9))), []string{"a5", "a4", "a3", "a2", "a1", "a9", "a0"})
	equal(t, "from one on", ids(must[[]lectern.Review](t)(s.AllReviews(ctx, "a", "a1", 1))), []string{"a9"})
	equal(t, "with text", ids(must[[]lectern.Review](t)(s.Reviews(ctx, "a", "a1", 9))), []string{"a0"})
}
