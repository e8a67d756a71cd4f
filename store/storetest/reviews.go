package storetest

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

func testReviewPut(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b")
	r := lectern.Review{
		ID: "r1", Source: "s", CourseID: "a", LearnerID: "l", Stars: ptr(4.5), Text: "Very good",
		Language: "en", Helpful: 3, WrittenAt: ptr(noon1),
	}
	bad := []lectern.Review{
		{ID: "", CourseID: "a"}, {ID: "x", CourseID: ""},
		{ID: "x", CourseID: "a", Stars: ptr(5.5)}, {ID: "x", CourseID: "a", Stars: ptr(math.NaN())},
	}
	put := func(rs ...lectern.Review) []lectern.WriteResult {
		t.Helper()
		return must[[]lectern.WriteResult](t)(s.PutReviews(ctx, rs))
	}
	wantOutcomes(t, put(append(bad, r, r)...), append(repeat(lectern.OutcomeRejected, 4), lectern.OutcomeCreated, lectern.OutcomeUnchanged)...)
	equal(t, "reviews", must[[]lectern.Review](t)(s.Reviews(ctx, "a", "", 9)), []lectern.Review{r})
	r.Text, r.CourseID, r.LearnerID = "Even better", "b", ""
	wantOutcomes(t, put(r), lectern.OutcomeUpdated)
	equal(t, "old course", must[[]lectern.Review](t)(s.Reviews(ctx, "a", "", 9)), []lectern.Review{}, cmpopts.EquateEmpty())
	equal(t, "new course", must[[]lectern.Review](t)(s.Reviews(ctx, "b", "", 9)), []lectern.Review{r})
	equal(t, "reviews of an unknown course", len(must[[]lectern.Review](t)(s.Reviews(ctx, "none", "", 9))), 0)
}

func testReviewPages(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a")
	var rs []lectern.Review
	for i := range 6 {
		// Pairs share a time, so that paging must break ties.
		rs = append(rs, lectern.Review{ID: fmt.Sprint("r", i), CourseID: "a", Text: "x", WrittenAt: ptr(noon1.Add(time.Duration(i/2) * time.Hour))})
	}
	rs = append(rs,
		lectern.Review{ID: "undated", CourseID: "a", Text: "x"},
		lectern.Review{ID: "without text", CourseID: "a", Stars: ptr(3.0), WrittenAt: ptr(noon1)})
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, rs))
	for _, limit := range []int{1, 2, 4, 50} {
		var got []string
		for after := ""; ; {
			page := must[[]lectern.Review](t)(s.Reviews(ctx, "a", after, limit))
			if len(page) == 0 {
				break
			}
			for _, r := range page {
				got = append(got, r.ID)
			}
			after = page[len(page)-1].ID
		}
		equal(t, fmt.Sprintf("pages of %d", limit), got, []string{"r5", "r4", "r3", "r2", "r1", "r0", "undated"})
	}
	_, err := s.Reviews(ctx, "a", "none", 3)
	wantCode(t, err, lectern.CodeNotFound)
}

func testReviewDelete(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a")
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "r", CourseID: "a", Text: "x", Stars: ptr(1.0)}}))
	ok(t, s.DeleteReview(ctx, "r"))
	wantCode(t, s.DeleteReview(ctx, "r"), lectern.CodeNotFound)
	equal(t, "ratings left", statsOf(t, s, "a").RatingCount, 0)
}

func testReviewParked(t *testing.T, s Store) {
	ctx := t.Context()
	r := lectern.Review{ID: "r", CourseID: "later", Text: "x", Stars: ptr(4.0), WrittenAt: ptr(noon1)}
	wantOutcomes(t, must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{r})), lectern.OutcomeParked)
	ratings := []lectern.Rating{{CourseID: "later", Day: day1, Stars: 5, Occurrence: 1}, {CourseID: "later", Day: day1, Stars: 5, Occurrence: 2}}
	wantOutcomes(t, must[[]lectern.WriteResult](t)(s.PutRatings(ctx, ratings)), lectern.OutcomeParked, lectern.OutcomeParked)
	wantOutcomes(t, must[[]lectern.WriteResult](t)(s.PutRatings(ctx, ratings)), lectern.OutcomeUnchanged, lectern.OutcomeUnchanged)
	st := must[lectern.StoreStats](t)(s.Stats(ctx))
	equal(t, "parked reviews", st.ParkedReviews, int64(1))
	equal(t, "parked ratings", st.ParkedRatings, int64(2))
	equal(t, "stats of all", len(must[[]lectern.CourseStats](t)(s.CourseStats(ctx, nil, noon1, halfLife))), 0)

	putCourses(t, s, "later")
	st = must[lectern.StoreStats](t)(s.Stats(ctx))
	equal(t, "parked afterwards", st.ParkedReviews+st.ParkedRatings, int64(0))
	got := statsOf(t, s, "later")
	equal(t, "ratings", got.RatingCount, 3)
	equal(t, "reviews", got.ReviewCount, 1)
}

func testRatingOccurrences(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a")
	rating := func(n int) lectern.Rating {
		return lectern.Rating{Source: "s", CourseID: "a", Day: noon1, Stars: 4, Occurrence: n}
	}
	put := func(rs ...lectern.Rating) []lectern.WriteResult {
		t.Helper()
		return must[[]lectern.WriteResult](t)(s.PutRatings(ctx, rs))
	}
	wantOutcomes(t, put(rating(1), rating(2), rating(2)), lectern.OutcomeCreated, lectern.OutcomeCreated, lectern.OutcomeUnchanged)
	wantOutcomes(t, put(rating(1), rating(2), rating(3)), lectern.OutcomeUnchanged, lectern.OutcomeUnchanged, lectern.OutcomeCreated)
	equal(t, "count", statsOf(t, s, "a").RatingCount, 3)
	equal(t, "rows", must[lectern.StoreStats](t)(s.Stats(ctx)).Ratings, int64(3))

	// Another source, day or number of stars is another cell.
	others := []lectern.Rating{rating(1), rating(1), rating(1)}
	others[0].Source, others[1].Day, others[2].Stars = "t", day1.AddDate(0, 0, 1), 4.1
	wantOutcomes(t, put(others...), repeat(lectern.OutcomeCreated, 3)...)
	got := statsOf(t, s, "a")
	equal(t, "count", got.RatingCount, 6)
	equal(t, "mean", got.RatingMean, (5*4+4.1)/6, cmpopts.EquateApprox(0, 1e-9))
}

func testRatingTwins(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a")
	review := func(id string, stars float64, at *time.Time) lectern.Review {
		return lectern.Review{ID: id, Source: "s", CourseID: "a", Stars: &stars, Text: "x", WrittenAt: at}
	}
	must[[]lectern.WriteResult](t)(s.PutRatings(ctx, []lectern.Rating{
		{Source: "s", CourseID: "a", Day: day1, Stars: 5, Occurrence: 1},
		{Source: "s", CourseID: "a", Day: day1, Stars: 5, Occurrence: 2},
		{Source: "s", CourseID: "a", Day: day1, Stars: 1, Occurrence: 1},
	}))
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{
		review("twin", 5, ptr(noon1)),                                                       // one of the two ratings of 5
		review("more", 1, ptr(noon1)), review("more still", 1, ptr(noon1.Add(time.Minute))), // one more than the ratings of 1
		review("undated", 3, nil), review("undated too", 3, nil), // a cell of their own
		{ID: "other source", Source: "t", CourseID: "a", Stars: ptr(5.0), WrittenAt: ptr(noon1)},
		{ID: "no stars", Source: "s", CourseID: "a", Text: "x", WrittenAt: ptr(noon1)},
	}))
	got := statsOf(t, s, "a")
	// 5: max(2, 1) = 2; 1: max(1, 2) = 2; 3: 2; the other source: 1.
	equal(t, "count", got.RatingCount, 7)
	equal(t, "mean", got.RatingMean, (2*5+2*1+2*3+5)/7.0, cmpopts.EquateApprox(0, 1e-9))
	equal(t, "reviews with text", got.ReviewCount, 6)
	all := must[[]lectern.CourseStats](t)(s.CourseStats(ctx, nil, noon1, halfLife))
	equal(t, "the same among all", all, []lectern.CourseStats{got})
}

func testRatingHistory(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a")
	must[[]lectern.WriteResult](t)(s.PutRatings(ctx, []lectern.Rating{
		{CourseID: "a", Day: time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC), Stars: 2, Occurrence: 1},
		{CourseID: "a", Day: day1, Stars: 5, Occurrence: 1},
		{CourseID: "a", Day: time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), Stars: 4, Occurrence: 1},
		{CourseID: "a", Day: time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), Stars: 1, Occurrence: 1},
	}))
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{
		{ID: "twin", CourseID: "a", Stars: ptr(5.0), WrittenAt: ptr(noon1)},
		{ID: "new", CourseID: "a", Stars: ptr(3.0), WrittenAt: ptr(noon1)},
		{ID: "undated", CourseID: "a", Stars: ptr(1.0)},
	}))
	month := func(y int, m time.Month) time.Time { return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC) }
	equal(t, "history", must[[]lectern.RatingMonth](t)(s.RatingHistory(ctx, "a")), []lectern.RatingMonth{
		{Month: month(1969, 12), Count: 1, Mean: 1},
		{Month: month(2026, 2), Count: 1, Mean: 2},
		{Month: month(2026, 3), Count: 3, Mean: 4}, // 5 (its twin once), 4, 3
	})
	equal(t, "history of nothing", len(must[[]lectern.RatingMonth](t)(s.RatingHistory(ctx, "none"))), 0)
}

// testRatingRandom compares with a model that keeps each cell's largest
// occurrence number and its reviews.
func testRatingRandom(t *testing.T, s Store) {
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		course := fmt.Sprint("c", run)
		putCourses(t, s, course)
		type cell struct {
			source string
			day    int
			stars  float64
		}
		cells := rapid.Custom(func(rt *rapid.T) cell {
			return cell{
				rapid.SampledFrom([]string{"", "s"}).Draw(rt, "source"),
				rapid.IntRange(0, 1).Draw(rt, "day"),
				rapid.SampledFrom([]float64{1, 4.5}).Draw(rt, "stars"),
			}
		})
		ratings, reviews := map[cell]int{}, map[cell]int{}
		for range rapid.IntRange(1, 3).Draw(rt, "batches") {
			var batch []lectern.Rating
			for range rapid.IntRange(0, 6).Draw(rt, "ratings") {
				c, n := cells.Draw(rt, "cell"), rapid.IntRange(1, 4).Draw(rt, "occurrence")
				ratings[c] = max(ratings[c], n)
				batch = append(batch, lectern.Rating{Source: c.source, CourseID: course, Day: day1.AddDate(0, 0, c.day), Stars: c.stars, Occurrence: n})
			}
			if _, err := s.PutRatings(t.Context(), batch); err != nil {
				rt.Fatal(err)
			}
		}
		for i := range rapid.IntRange(0, 5).Draw(rt, "reviews") {
			c := cells.Draw(rt, "cell")
			reviews[c]++
			if _, err := s.PutReviews(t.Context(), []lectern.Review{{
				ID: fmt.Sprint(course, "-", i), Source: c.source, CourseID: course, Stars: &c.stars, WrittenAt: ptr(day1.AddDate(0, 0, c.day)),
			}}); err != nil {
				rt.Fatal(err)
			}
		}
		count, sum := 0, 0.0
		for c, n := range reviews {
			ratings[c] = max(ratings[c], n)
		}
		for c, n := range ratings {
			count += n
			sum += float64(n) * c.stars
		}
		want := lectern.CourseStats{CourseID: course, RatingCount: count, Activity: map[lectern.EventType]float64{}}
		if count > 0 {
			want.RatingMean = sum / float64(count)
		}
		if diff := cmp.Diff(want, statsOf(t, s, course), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func testRatingReject(t *testing.T, s Store) {
	putCourses(t, s, "a")
	good := lectern.Rating{CourseID: "a", Day: day1, Stars: 4, Occurrence: 1}
	bad := []lectern.Rating{good, good, good, good}
	bad[0].CourseID, bad[1].Stars, bad[2].Occurrence, bad[3].Day = "", 0.9, 0, time.Time{}
	results := must[[]lectern.WriteResult](t)(s.PutRatings(t.Context(), append(bad, good)))
	wantOutcomes(t, results, append(repeat(lectern.OutcomeRejected, 4), lectern.OutcomeCreated)...)
	for _, r := range results[:4] {
		wantCode(t, r.Err, lectern.CodeInvalid)
	}
}

func testActivity(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b")
	appendEvents(t, s,
		click("1", "l", "a", noon1), click("2", "m", "a", noon1),
		click("3", "l", "a", noon1.Add(-halfLife)),
		lectern.EventWrite{Event: lectern.Event{ID: "4", Type: lectern.EventEnrol, LearnerID: "l", CourseID: "a", OccurredAt: noon1.Add(-2 * halfLife)}},
		lectern.EventWrite{Event: lectern.Event{ID: "5", Type: lectern.EventSearch, LearnerID: "l", Query: "go", OccurredAt: noon1}},
	)
	appendEvents(t, s, click("1", "l", "a", noon1)) // a duplicate counts once
	got := must[[]lectern.CourseStats](t)(s.CourseStats(ctx, nil, noon1, halfLife))
	// Events are counted by day and aged from its noon, so these are exact.
	equal(t, "activity", got, []lectern.CourseStats{
		{CourseID: "a", Activity: map[lectern.EventType]float64{lectern.EventClick: 2.5, lectern.EventEnrol: 0.25}},
		{CourseID: "b", Activity: map[lectern.EventType]float64{}},
	}, cmpopts.EquateApprox(0, 1e-9))
	_, err := s.CourseStats(ctx, nil, noon1, 0)
	wantCode(t, err, lectern.CodeInvalid)
}

func testStatsOrder(t *testing.T, s Store) {
	putCourses(t, s, "a", "b", "c")
	var got []string
	for _, st := range must[[]lectern.CourseStats](t)(s.CourseStats(t.Context(), []string{"c", "none", "a"}, noon1, halfLife)) {
		got = append(got, st.CourseID)
	}
	equal(t, "ids", got, []string{"c", "a"})
}

func testTotals(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b")
	must[int](t)(s.RetireMissing(ctx, []string{"a"}, 1))
	appendEvents(t, s, click("1", "l", "a", noon1), anonymousClick("2", "v", "a", noon1), anonymousClick("3", "v", "x", noon1))
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "r", CourseID: "a", LearnerID: "m", Text: "x"}}))
	ok(t, s.PutRankings(ctx, []lectern.Ranking{{ID: "rk", CreatedAt: noon1}}))
	putSearches(t, s, searched("s", "", "q", noon1))
	st := must[lectern.StoreStats](t)(s.Stats(ctx))
	st.LastChange, st.LastProfileChange, st.PendingJobs = 0, 0, 0
	equal(t, "stats", st, lectern.StoreStats{
		Courses: 2, Retired: 1, Reviews: 1, Learners: 2, Visitors: 1, Events: 3, Rankings: 1, Searches: 1, ParkedEvents: 1,
	})
}
