// Package storetest is the conformance suite of the relational stores: what the
// comments in the root package promise, checked on whatever backend is given.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// Store is all that a relational store implements.
type Store interface {
	lectern.CourseStore
	lectern.ReviewStore
	lectern.LearnerStore
	lectern.ProfileStore
	lectern.FeedbackStore
	lectern.EventStore
	lectern.RankingStore
	lectern.ListLog
	lectern.OutcomeLog
	lectern.LearningStore
	lectern.PosteriorStore
	lectern.SearchStore
	lectern.VectorStore
	lectern.ArtefactStore
	lectern.KeyStore
	lectern.LeaseStore
	lectern.SentimentStore
	lectern.StatsStore
	lectern.SettingsStore
	lectern.ExperimentStore
	lectern.ExperimentLog
	lectern.ExperimentLooks
	// CountCourses returns how many courses are open or unlisted: what indexing
	// needs to tell how far it has come.
	CountCourses(ctx context.Context) (int, error)
	// ProfileKey returns the number that stands for a learner in the feed of profiles.
	ProfileKey(ctx context.Context, ref lectern.LearnerRef) (int64, error)
	// CompactProfileChanges removes the feed's entries that newer ones have made void,
	// of those who have an entry above after and up to upTo.
	CompactProfileChanges(ctx context.Context, after, upTo int64) (int, error)
	// CatchUpProfileChanges puts everybody into the feed who is not there; with gone
	// also those there again who are gone.
	CatchUpProfileChanges(ctx context.Context, gone bool) (int, error)
	// PruneProfileChanges removes the feed's entries of those who are gone, up to a
	// sequence number that every follower has passed.
	PruneProfileChanges(ctx context.Context, upTo int64) (int, error)
}

// Inspector may be implemented by a Store under test to show that erasing is
// complete: it lists the columns that hold a text anywhere in the database.
type Inspector interface {
	Mentions(ctx context.Context, text string) ([]string, error)
}

// Run checks a backend. open returns a migrated, empty store that is closed at
// the end of its test.
func Run(t *testing.T, open func(t *testing.T) Store) {
	suite := map[string]func(*testing.T, Store){
		"courses/put and read":         testCoursePutAndRead,
		"courses/patch":                testCoursePatch,
		"courses/reject":               testCourseReject,
		"courses/order and unknown":    testCoursesOrder,
		"courses/scan":                 testCourseScan,
		"courses/delete":               testCourseDelete,
		"courses/retire missing":       testRetireMissing,
		"courses/feed":                 testCourseFeed,
		"courses/jobs":                 testCourseJobs,
		"courses/count":                testCountCourses,
		"courses/text survives":        testTextSurvives,
		"reviews/put":                  testReviewPut,
		"reviews/pages":                testReviewPages,
		"reviews/delete":               testReviewDelete,
		"reviews/parked":               testReviewParked,
		"reviews/jobs":                 testReviewJobs,
		"reviews/jobs of parked ones":  testParkedReviewJobs,
		"ratings/occurrences":          testRatingOccurrences,
		"ratings/twins count once":     testRatingTwins,
		"ratings/history":              testRatingHistory,
		"ratings/random":               testRatingRandom,
		"ratings/reject":               testRatingReject,
		"stats/activity":               testActivity,
		"stats/order":                  testStatsOrder,
		"stats/totals":                 testTotals,
		"learners/put":                 testLearnerPut,
		"learners/consent":             testLearnerConsent,
		"learners/refs":                testLearnerRefs,
		"learners/merge":               testMergeVisitor,
		"learners/merge edge cases":    testMergeEdges,
		"learners/delete":              testLearnerDelete,
		"profiles/feed":                testProfileFeed,
		"profiles/feed, merge":         testProfileFeedMerge,
		"profiles/feed, gone":          testProfileFeedGone,
		"profiles/feed, catch up":      testProfileFeedCatchUp,
		"profiles/feed, compact":       testProfileFeedCompact,
		"profiles/feed, order":         testProfileFeedOrder,
		"profiles/replace":             testReplaceProfile,
		"profiles/replace, reject":     testReplaceReject,
		"profiles/replace, races":      testReplaceRaces,
		"profiles/corrections":         testCorrections,
		"profiles/corrections, merge":  testCorrectionsMerge,
		"profiles/entries by key":      testEntriesByKey,
		"profiles/progress":            testProgress,
		"profiles/preferences":         testPreferences,
		"feedback/put":                 testFeedbackPut,
		"feedback/replace":             testFeedbackReplace,
		"feedback/reject":              testFeedbackReject,
		"feedback/delete":              testFeedbackDelete,
		"feedback/merge":               testFeedbackMerge,
		"feedback/erase":               testFeedbackErase,
		"feedback/reports":             testReports,
		"feedback/races":               testFeedbackRaces,
		"metrics/apply":                testMetricsApply,
		"metrics/anew":                 testMetricsAnew,
		"metrics/feedback log":         testFeedbackLog,
		"events/append":                testEventAppend,
		"events/idempotent":            testEventIdempotent,
		"events/reject":                testEventReject,
		"events/parked":                testEventParked,
		"events/sign in":               testEventSignIn,
		"events/read":                  testEventRead,
		"events/big batch":             testEventBigBatch,
		"events/order of arrival":      testEventOrder,
		"rankings/put and read":        testRankings,
		"rankings/retention":           testRankingRetention,
		"rankings/log":                 testListLog,
		"rankings/scan":                testScanRankings,
		"rankings/scan, complete":      testScanComplete,
		"outcomes":                     testOutcomes,
		"learning":                     testLearning,
		"learning/runs":                testLearningRuns,
		"learning/races":               testLearningRaces,
		"learning/posteriors":          testPosteriors,
		"learning/reports":             testExplorationReports,
		"learners/minor":               testMinor,
		"searches/put":                 testSearchPut,
		"searches/reject":              testSearchReject,
		"searches/recent":              testSearchRecent,
		"searches/counts":              testSearchCounts,
		"searches/ties":                testSearchTies,
		"searches/reformulations":      testReformulations,
		"searches/people":              testSearchPeople,
		"searches/retention":           testSearchRetention,
		"searches/random":              testSearchRandom,
		"vectors/put and read":         testVectors,
		"vectors/prune":                testVectorPrune,
		"vectors/feed":                 testVectorFeed,
		"vectors/reviews":              testReviewVectors,
		"vectors/reviews, prune":       testReviewVectorPrune,
		"vectors/reviews, delete":      testReviewVectorDelete,
		"sentiment/summaries":          testReviewSummaries,
		"sentiment/held":               testHeldReviews,
		"sentiment/held ones follow":   testHeldReviewsFollow,
		"sentiment/held ratings":       testHeldRatings,
		"sentiment/held pages":         testHeldPages,
		"sentiment/rating histories":   testRatingHistories,
		"sentiment/authors":            testReviewAuthors,
		"leases":                       testLeases,
		"leases/expiry":                testLeaseExpiry,
		"leases/race":                  testLeaseRace,
		"leases/feed positions":        testFeedPositions,
		"artefacts":                    testArtefacts,
		"artefacts/prune":              testArtefactPrune,
		"keys":                         testKeys,
		"secrets":                      testSecrets,
		"settings":                     testSettings,
		"settings/reject":              testSettingsReject,
		"settings/activate":            testSettingsActivate,
		"settings/race":                testSettingsRace,
		"settings/retry":               testSettingsRetry,
		"experiments":                  testExperiments,
		"experiments/looks":            testExperimentLooks,
		"experiments/reject":           testExperimentsReject,
		"experiments/race":             testExperimentsRace,
		"experiments/holds":            testExperimentHolds,
		"experiments/exposures":        testExposures,
		"experiments/sign in":          testExposuresSignIn,
		"experiments/erase":            testExposuresErase,
		"experiments/days":             testPersonDays,
		"experiments/acted lists":      testActedLists,
		"experiments/listed people":    testListedPeople,
		"empty batches":                testEmptyBatches,
		"cancelled contexts":           testCancelled,
		"concurrent writers":           testConcurrentWriters,
		"a healthy store checks clean": testCheckClean,
	}
	for name, test := range suite {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

var (
	day1  = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	noon1 = day1.Add(12 * time.Hour)
)

const halfLife = 30 * 24 * time.Hour

func ptr[T any](v T) *T { return &v }

func newCourse(id string) lectern.Course {
	return lectern.Course{ID: id, Title: "Title of " + id, Availability: lectern.Availability{Status: lectern.StatusOpen}}
}

func replace(cs ...lectern.Course) []lectern.CoursePatch {
	out := make([]lectern.CoursePatch, len(cs))
	for i, c := range cs {
		out[i] = lectern.CoursePatch{Course: c, Replace: true}
	}
	return out
}

// must stops the test at an error.
func must[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func putCourses(t *testing.T, s Store, ids ...string) {
	t.Helper()
	cs := make([]lectern.Course, len(ids))
	for i, id := range ids {
		cs[i] = newCourse(id)
	}
	wantOutcomes(t, must[[]lectern.WriteResult](t)(s.PutCourses(t.Context(), replace(cs...))), repeat(lectern.OutcomeCreated, len(ids))...)
}

func repeat(o lectern.WriteOutcome, n int) []lectern.WriteOutcome {
	out := make([]lectern.WriteOutcome, n)
	for i := range out {
		out[i] = o
	}
	return out
}

func wantOutcomes(t *testing.T, results []lectern.WriteResult, want ...lectern.WriteOutcome) {
	t.Helper()
	got := make([]lectern.WriteOutcome, len(results))
	for i, r := range results {
		got[i] = r.Outcome
		if (r.Err != nil) != (r.Outcome == lectern.OutcomeRejected) {
			t.Errorf("result %d: outcome %s with error %v", i, r.Outcome, r.Err)
		}
	}
	equal(t, "outcomes", got, want)
}

func equal(t *testing.T, what string, got, want any, opts ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(want, got, opts...); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func wantCode(t *testing.T, err error, code lectern.Code) {
	t.Helper()
	if got := lectern.ErrorCode(err); got != code {
		t.Errorf("error %v has code %q, want %q", err, got, code)
	}
}

// changes reads the whole feed above after as "id kind".
func changes(t *testing.T, s Store, after int64) ([]string, int64) {
	t.Helper()
	var out []string
	for {
		batch := must[[]lectern.CourseChange](t)(s.CourseChanges(t.Context(), after, 3))
		for _, c := range batch {
			if c.Seq <= after {
				t.Fatalf("feed went from %d to %d", after, c.Seq)
			}
			after = c.Seq
			out = append(out, fmt.Sprintf("%s %s", c.CourseID, c.Kind))
		}
		if len(batch) < 3 {
			return out, after
		}
	}
}

func statsOf(t *testing.T, s Store, id string) lectern.CourseStats {
	t.Helper()
	st := must[[]lectern.CourseStats](t)(s.CourseStats(t.Context(), []string{id}, noon1, halfLife))
	if len(st) != 1 {
		t.Fatalf("%d statistics for course %q", len(st), id)
	}
	return st[0]
}

func click(id, learner, course string, at time.Time) lectern.EventWrite {
	return lectern.EventWrite{
		Event: lectern.Event{ID: id, Type: lectern.EventClick, LearnerID: learner, CourseID: course, OccurredAt: at},
		Delta: &lectern.ProfileDelta{Weight: 1, HalfLife: halfLife, State: lectern.StateClicked},
	}
}

func anonymousClick(id, visitor, course string, at time.Time) lectern.EventWrite {
	e := click(id, "", course, at)
	e.Event.AnonymousID = visitor
	return e
}

func appendEvents(t *testing.T, s Store, events ...lectern.EventWrite) []lectern.WriteResult {
	t.Helper()
	return must[[]lectern.WriteResult](t)(s.AppendEvents(t.Context(), events))
}

func testEmptyBatches(t *testing.T, s Store) {
	ctx := t.Context()
	check := func(name string, n int, err error) {
		t.Helper()
		if err != nil || n != 0 {
			t.Errorf("%s of nothing: %d, %v", name, n, err)
		}
	}
	r, err := s.PutCourses(ctx, nil)
	check("PutCourses", len(r), err)
	r, err = s.PutReviews(ctx, nil)
	check("PutReviews", len(r), err)
	r, err = s.PutRatings(ctx, nil)
	check("PutRatings", len(r), err)
	r, err = s.PutLearners(ctx, nil)
	check("PutLearners", len(r), err)
	r, err = s.AppendEvents(ctx, nil)
	check("AppendEvents", len(r), err)
	c, err := s.Courses(ctx, nil)
	check("Courses", len(c), err)
	n, err := s.DeleteCourses(ctx, nil)
	check("DeleteCourses", n, err)
	st, err := s.CourseStats(ctx, []string{}, noon1, halfLife)
	check("CourseStats", len(st), err)
	check("PutRankings", 0, s.PutRankings(ctx, nil))
	check("PutSearches", 0, s.PutSearches(ctx, nil))
	searches, err := s.RecentSearches(ctx, lectern.LearnerRef{}, 9)
	check("RecentSearches", len(searches), err)
	counts, err := s.SearchCounts(ctx, lectern.SearchCountQuery{Order: lectern.SearchesByGrowing, Limit: 9})
	check("SearchCounts", len(counts), err)
	steps, err := s.Reformulations(ctx, time.Time{}, noon1, time.Hour, 9)
	check("Reformulations", len(steps), err)
	n, err = s.ForgetSearchers(ctx, noon1)
	check("ForgetSearchers", n, err)
	n, err = s.DeleteSearchesBefore(ctx, noon1)
	check("DeleteSearchesBefore", n, err)
	check("PutVectors", 0, s.PutVectors(ctx, "f", nil))
	v, err := s.VectorsByHash(ctx, "f", nil)
	check("VectorsByHash", len(v), err)
	check("PutReviewVectors", 0, s.PutReviewVectors(ctx, "f", nil))
	rv, err := s.ReviewVectors(ctx, "f", nil)
	check("ReviewVectors", len(rv), err)
	n, err = s.RetireMissing(ctx, nil, 0)
	check("RetireMissing", n, err)
	cs, next, err := s.ScanCourses(ctx, 0, 10)
	check("ScanCourses", len(cs)+int(next), err)
	es, next, err := s.ScanEvents(ctx, 0, 10)
	check("ScanEvents", len(es)+int(next), err)
	ch, err := s.ProfileChanges(ctx, 0, 10)
	check("ProfileChanges", len(ch), err)
	byKey, err := s.EntriesByKey(ctx, nil)
	check("EntriesByKey", len(byKey), err)
	n, err = s.PruneProfileChanges(ctx, 100)
	check("PruneProfileChanges", n, err)
	reports, err := s.Reports(ctx, lectern.ReportFilter{Limit: 10})
	check("Reports", len(reports), err)
	n, err = s.SetReports(ctx, "none", nil, lectern.Report{Status: lectern.ReportOpen})
	check("SetReports", n, err)
}

func testCancelled(t *testing.T, s Store) {
	putCourses(t, s, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errCourses := s.PutCourses(ctx, replace(newCourse("b")))
	_, errEvents := s.AppendEvents(ctx, []lectern.EventWrite{click("e", "l", "a", noon1)})
	_, errLease := s.AcquireLease(ctx, "leader", "a", time.Hour)
	_, errRead := s.Courses(ctx, []string{"a"})
	for what, err := range map[string]error{
		"PutCourses": errCourses, "AppendEvents": errEvents, "AcquireLease": errLease, "Courses": errRead,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context: %v", what, err)
		}
	}
	st := must[lectern.StoreStats](t)(s.Stats(t.Context()))
	if st.Courses != 1 || st.Events != 0 {
		t.Errorf("a cancelled write left %d courses and %d events", st.Courses, st.Events)
	}
}

func testConcurrentWriters(t *testing.T, s Store) {
	putCourses(t, s, "a")
	const writers, each = 8, 20
	errs := make(chan error, writers)
	for w := range writers {
		go func() {
			var err error
			for i := range each {
				id := fmt.Sprintf("e-%d-%d", w, i)
				_, e := s.AppendEvents(t.Context(), []lectern.EventWrite{
					click(id, "l", "a", noon1), click("shared-"+fmt.Sprint(i), "l", "a", noon1),
				})
				err = errors.Join(err, e)
				// A write that fails must not take its neighbours along.
				if e := s.DeleteReview(t.Context(), "none"); lectern.ErrorCode(e) != lectern.CodeNotFound {
					err = errors.Join(err, fmt.Errorf("DeleteReview: %w", e))
				}
			}
			errs <- err
		}()
	}
	for range writers {
		ok(t, <-errs)
	}
	st := must[lectern.StoreStats](t)(s.Stats(t.Context()))
	if want := int64(writers*each + each); st.Events != want {
		t.Errorf("%d events, want %d", st.Events, want)
	}
	p := must[lectern.Profile](t)(s.Profile(t.Context(), lectern.LearnerRef{ID: "l"}))
	equal(t, "profile weight", p.Entries[0].Weight, float64(writers*each+each))
}

func testCheckClean(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b")
	appendEvents(t, s, click("1", "l", "a", noon1), anonymousClick("2", "v", "b", noon1), click("3", "l", "later", noon1))
	ok(t, s.PutCorrections(ctx, lectern.LearnerRef{AnonymousID: "v"}, lectern.Corrections{RemovedInterests: []string{"x"}}))
	ok(t, s.PutVectors(ctx, "f", map[lectern.ContentHash][]float32{lectern.HashContent("x"): {1, 0}}))
	ok(t, s.PutReviewVectors(ctx, "f", map[string][]float32{"a": {1, 0}, "b": {0, 1}}))
	must[int64](t)(s.PutArtefact(ctx, lectern.Artefact{Kind: "k"}, []byte(strings.Repeat("x", 3<<20))))
	ok(t, s.MergeVisitor(ctx, "v", "l"))
	must[int](t)(s.DeleteCourses(ctx, []string{"b"}))
	equal(t, "findings", must[[]string](t)(s.Check(ctx)), []string(nil))
	ok(t, s.Ping(ctx))
}
