package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/transfer"
)

// Copyable is a store that can be moved to another backend.
type Copyable interface {
	Store
	transfer.Store
}

// RunCopy checks that everything can be moved from one backend to another. Each
// function returns a migrated, empty store that is closed at the end of its test.
func RunCopy(t *testing.T, openFrom, openTo func(t *testing.T) Copyable) {
	suite := map[string]func(*testing.T, Copyable, Copyable){
		"everything":           testCopyEverything,
		"nothing":              testCopyNothing,
		"killed":               testCopyKilled,
		"refused":              testCopyRefused,
		"changed afterwards":   testCopyChanged,
		"text nobody can keep": testCopyText,
	}
	for name, test := range suite {
		t.Run(name, func(t *testing.T) { test(t, openFrom(t), openTo(t)) })
	}
}

var copyOptions = transfer.Options{Identity: []byte("the source")} // never written to

// fillForCopy puts something of every sort into a store.
func fillForCopy(t *testing.T, s Store) {
	t.Helper()
	ctx := t.Context()
	full := newCourse("full")
	full.Description, full.Language, full.Provider = "About “ü” <b>&\u2028", "de", "Uni"
	full.Instructors, full.Skills, full.Categories = []string{"A, B", `"C"`}, []string{"sql"}, []string{"x", "y"}
	full.WorkloadHours, full.PublishedAt = ptr(0.1), &noon1
	full.Availability.EnrolFrom, full.Availability.Regions = &day1, []string{"DE"}
	full.Extra = map[string]json.RawMessage{"k": json.RawMessage(`{"b": 1, "a": [1.50]}`)}
	courses := []lectern.Course{full}
	for i := range 40 {
		courses = append(courses, newCourse(fmt.Sprintf("c%02d", i)))
	}
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(courses...)))
	must[int](t)(s.DeleteCourses(ctx, []string{"c39"}))
	var reviews []lectern.Review
	var ratings []lectern.Rating
	for i := range 60 {
		course := fmt.Sprintf("c%02d", i%45) // some are only mentioned
		r := lectern.Review{ID: fmt.Sprintf("r%d", i), CourseID: course, Text: fmt.Sprintf("Review %d", i), Stars: ptr(1 + float64(i%41)/10), Helpful: i}
		if i%3 == 0 {
			r.WrittenAt = ptr(noon1.Add(time.Duration(i) * time.Hour))
		}
		if i%4 == 0 {
			r.LearnerID = fmt.Sprintf("l%d", i%5)
		}
		reviews = append(reviews, r)
		ratings = append(ratings, lectern.Rating{Source: []string{"", "b", "Ä"}[i%3], CourseID: course, Day: day1.AddDate(0, 0, i%7), Stars: 4.5, Occurrence: 1 + i%2})
	}
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, reviews))
	must[[]lectern.WriteResult](t)(s.PutRatings(ctx, ratings))
	ok(t, s.DeleteReview(ctx, "r59"))
	must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{
		ID: "l1", Interests: []string{"go"}, Goal: "a job", WeeklyHours: ptr(3.3), Languages: []string{"de", "en"},
		Consent: &lectern.Consent{Personalisation: true},
	}}))
	fillPeopleForCopy(t, s)
	fillExperimentsForCopy(t, s)
	fillDerivedForCopy(t, s, full)
}

func fillPeopleForCopy(t *testing.T, s Store) {
	t.Helper()
	ctx := t.Context()
	var events []lectern.EventWrite
	for i := range 70 {
		e := lectern.Event{
			ID: fmt.Sprintf("e%d", i), Type: lectern.EventClick, CourseID: fmt.Sprintf("c%02d", i%50),
			OccurredAt: day1.Add(time.Duration(i*i) * 7 * time.Hour), SessionID: "s", Value: ptr(float64(i) / 3), Surface: lectern.SurfaceHome,
		}
		if i%2 == 0 {
			e.LearnerID = fmt.Sprintf("l%d", i%6)
		} else {
			e.AnonymousID = fmt.Sprintf("v%d", i%9)
		}
		if i%5 == 0 {
			e.Position, e.RankingID, e.Properties = ptr(i), fmt.Sprintf("k%d", i), json.RawMessage(`{"z": 1,  "a": "\u00e4"}`)
		}
		events = append(events, lectern.EventWrite{Event: e, Delta: &lectern.ProfileDelta{Weight: 1 / float64(i+3), HalfLife: halfLife, State: lectern.StateClicked, Progress: float64(i) / 70}})
	}
	events = append(events, lectern.EventWrite{Event: lectern.Event{ID: "search", Type: lectern.EventSearch, AnonymousID: "v1", Query: "ü", OccurredAt: noon1}})
	must[[]lectern.WriteResult](t)(s.AppendEvents(ctx, events))
	ok(t, s.MergeVisitor(ctx, "v3", "l2"))
	ok(t, s.MergeVisitor(ctx, "v5", "new"))
	ok(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: "l4"}))
	ok(t, s.PutCorrections(ctx, lectern.LearnerRef{ID: "l2"}, lectern.Corrections{RemovedInterests: []string{"ü"}, Pace: lectern.PaceSteady}))
	for i, kind := range slices.Concat(lectern.FeedbackKinds(), lectern.FeedbackKinds()) {
		f := said(fmt.Sprint("f", i), fmt.Sprint("c0", i%7), kind, noon1.Add(time.Duration(i)*time.Hour))
		must[lectern.WriteResult](t)(s.PutFeedback(ctx, lectern.LearnerRef{ID: fmt.Sprint("l", 1+i%3)}, f))
	}
	must[int](t)(s.SetReports(ctx, "c04", []lectern.ReportStatus{lectern.ReportOpen}, lectern.Report{Status: lectern.ReportLooking, Note: "ü", By: "key"}))
	gone := lectern.LearnerRef{AnonymousID: "gone"}
	must[lectern.WriteResult](t)(s.PutFeedback(ctx, gone, said("gone", "c05", lectern.FeedbackReport, noon1)))
	ok(t, s.DeleteLearner(ctx, gone))
	var rankings []lectern.Ranking
	for i := range 30 {
		r := lectern.Ranking{ID: fmt.Sprintf("k%d", i), Surface: lectern.SurfaceHome, RequestHash: "h", CreatedAt: noon1.Add(time.Duration(i%9) * time.Hour), ConfigVersion: "v",
			Items: []lectern.RankedItem{{CourseID: "c01", Score: 1.0 / 3, Propensity: 1}}}
		if i%2 == 0 {
			r.Learner = lectern.LearnerRef{ID: "l1"}
			r.Exploration = &lectern.Exploration{Policy: "linucb", Posterior: 1, Places: []int{0}, Slate: []int{0}, Seed: 1<<64 - 1}
		}
		rankings = append(rankings, r)
	}
	ok(t, s.PutRankings(ctx, rankings))
	ok(t, errOf(s.PutLearners(ctx, []lectern.Learner{{ID: "l9", Minor: true}})))
	learning := must[lectern.LearningState](t)(s.StartLearning(ctx, noon1))
	must[int64](t)(s.ApplyLearning(ctx, lectern.LearningStep{
		Run: learning.Run, Position: 5, Features: "f1", Posterior: []byte{0, 255}, Publish: true, At: noon1,
		Credits: []lectern.Credit{credit("k0", "c01", lectern.RewardSeen, 0, 0, true), credit("k0", "c01", "click", 1.0/3, 0, true), credit("k1", "c01", lectern.RewardSeen, 0, 0, false)},
	}))
	var searches []lectern.Search
	for i := range 20 {
		search := searched(fmt.Sprintf("k%d", i), fmt.Sprint("l", i%3), fmt.Sprint("Ü ", i%7), noon1.Add(time.Duration(i)*time.Hour))
		search.Degraded, search.Results = i%2 == 0, i%4
		searches = append(searches, search)
	}
	ok(t, s.PutSearches(ctx, searches))
	must[int](t)(s.ForgetSearchers(ctx, noon1.Add(3*time.Hour)))
	must[int](t)(s.DeleteSearchesBefore(ctx, noon1.Add(time.Hour)))
}

func fillDerivedForCopy(t *testing.T, s Store, full lectern.Course) {
	t.Helper()
	ctx := t.Context()
	for n, fingerprint := range []string{"f1", "f2"} {
		vectors := map[lectern.ContentHash][]float32{contentHash(full): {1, 0, float32(n)}}
		for i := range 30 {
			vectors[contentHash(newCourse(fmt.Sprintf("c%02d", i)))] = []float32{float32(i), 0.1, float32(n)}
		}
		ok(t, s.PutVectors(ctx, fingerprint, vectors))
		ok(t, s.PutReviewVectors(ctx, fingerprint, map[string][]float32{"c00": {float32(n), 2}, "c01": {3, 4}}))
	}
	ok(t, s.PutReviewSummaries(ctx, []lectern.ReviewSummary{summaryOf("c00", ptr(1.0/3), 2.5), summaryOf("c01", nil, 0)}))
	ok(t, s.PutHeldReviews(ctx, "c00", []lectern.HeldReview{hold("c00", "r0", "burst", noon1), hold("c00", "r45", "copies", noon1.Add(time.Hour))}))
	must[lectern.HeldReview](t)(s.DecideHeldReview(ctx, "r1", lectern.HoldUpheld, "key", noon1))
	for i := range 3 {
		a := lectern.Artefact{Kind: "embedder", Fingerprint: fmt.Sprint("f", i), CreatedAt: noon1, Meta: map[string]string{"n": fmt.Sprint(i)}}
		must[int64](t)(s.PutArtefact(ctx, a, make([]byte, 3_000_000*i)))
	}
	ok(t, s.ActivateArtefact(ctx, "embedder", 2))
	must[int](t)(s.PruneArtefacts(ctx, "embedder", 0))
	for i := range 3 {
		ok(t, s.PutKey(ctx, lectern.APIKey{ID: fmt.Sprint("key", i), Name: "n", Scope: lectern.ScopeAdmin, Hash: []byte{byte(i), 0, 255}, CreatedAt: noon1}))
	}
	ok(t, s.RevokeKey(ctx, "key1", noon1.Add(time.Hour)))
	for i := range 3 {
		must[lectern.SettingsVersion](t)(s.PutSettings(ctx, draft("rerank", i, int64(i))))
	}
	ok(t, s.ActivateSettings(ctx, lectern.SettingsActivation{Kind: "rerank", Version: 2, Author: "key", At: noon1.Add(time.Hour)}, 3))
	must[[]byte](t)(s.Secret(ctx, "cursors", []byte{1, 2, 3}))
}

func contentHash(c lectern.Course) lectern.ContentHash { return lectern.HashContent(c.EmbeddingText()) }

// view is all that the public interface tells of a store.
type view struct {
	Courses   []lectern.Course
	Known     []lectern.CourseStats
	Changes   []string
	Reviews   map[string][]lectern.Review
	History   map[string][]lectern.RatingMonth
	Profiles  map[string]lectern.Profile
	Moved     []lectern.ProfileChange
	ByPerson  map[string][]lectern.Event
	Events    []lectern.Event
	Rankings  map[string]lectern.Ranking
	Searches  map[string][]lectern.Search
	Counts    []lectern.SearchCount
	Vectors   map[string]map[lectern.ContentHash][]float32
	OfReviews map[string]map[string][]float32
	Feedback  map[string][]lectern.Feedback
	Reports   []lectern.Report
	Held      []lectern.HeldReview
	Summaries []lectern.ReviewSummary
	Artefacts []lectern.Artefact
	Bodies    map[int64]int
	Keys      []lectern.APIKey
	Secret    []byte
	Stats     lectern.StoreStats
	Lists     []lectern.RankedList
	Outcomes  []lectern.Outcome
	Learning  lectern.LearningState
	Rewards   []lectern.Reward
	Explored  []lectern.ExplorationCount
	Posterior lectern.PosteriorVersion
}

func viewOf(t *testing.T, s Store) view {
	t.Helper()
	ctx := t.Context()
	out := view{
		Reviews: map[string][]lectern.Review{}, History: map[string][]lectern.RatingMonth{}, Profiles: map[string]lectern.Profile{},
		ByPerson: map[string][]lectern.Event{}, Rankings: map[string]lectern.Ranking{}, Bodies: map[int64]int{}, Searches: map[string][]lectern.Search{},
		Vectors: map[string]map[lectern.ContentHash][]float32{}, OfReviews: map[string]map[string][]float32{},
		Feedback: map[string][]lectern.Feedback{},
	}
	out.Courses, _ = mustScan(t)(s.ScanCourses(ctx, 0, 1000))
	out.Known = must[[]lectern.CourseStats](t)(s.CourseStats(ctx, nil, noon1.AddDate(0, 6, 0), halfLife))
	out.Changes, _ = changes(t, s, 0)
	var ids []string
	var hashes []lectern.ContentHash
	for _, c := range out.Courses {
		ids, hashes = append(ids, c.ID), append(hashes, contentHash(c))
		for after := ""; ; {
			page := must[[]lectern.Review](t)(s.Reviews(ctx, c.ID, after, 1))
			if len(page) == 0 {
				break
			}
			out.Reviews[c.ID] = append(out.Reviews[c.ID], page...)
			after = page[0].ID
		}
		out.History[c.ID] = must[[]lectern.RatingMonth](t)(s.RatingHistory(ctx, c.ID))
	}
	for i := range 10 {
		for _, ref := range []lectern.LearnerRef{{ID: fmt.Sprint("l", i)}, {AnonymousID: fmt.Sprint("v", i)}} {
			p, err := s.Profile(ctx, ref)
			if lectern.ErrorCode(err) == lectern.CodeNotFound {
				continue
			}
			ok(t, err)
			name := ref.ID + ref.AnonymousID
			out.Profiles[name] = p
			out.Searches[name] = must[[]lectern.Search](t)(s.RecentSearches(ctx, ref, 100))
			out.Feedback[name] = must[[]lectern.Feedback](t)(s.Feedback(ctx, ref))
			out.ByPerson[name] = must[[]lectern.Event](t)(s.LearnerEvents(ctx, ref, 100))
		}
	}
	out.Reports = must[[]lectern.Report](t)(s.Reports(ctx, lectern.ReportFilter{Limit: 100}))
	out.Moved = must[[]lectern.ProfileChange](t)(s.ProfileChanges(ctx, 0, 1000))
	events, _, err := s.ScanEvents(ctx, 0, 1000)
	ok(t, err)
	out.Events = events
	for i := range 30 {
		id := fmt.Sprint("k", i)
		r, err := s.Ranking(ctx, id)
		if lectern.ErrorCode(err) != lectern.CodeNotFound {
			ok(t, err)
			out.Rankings[id] = r
		}
	}
	out.Counts = must[[]lectern.SearchCount](t)(s.SearchCounts(ctx, lectern.SearchCountQuery{
		From: day1, To: day1.AddDate(0, 1, 0), HalfLife: halfLife, Order: lectern.SearchesByCount, Limit: 100,
	}))
	for _, f := range []string{"f1", "f2"} {
		out.Vectors[f] = must[map[lectern.ContentHash][]float32](t)(s.VectorsByHash(ctx, f, hashes))
		out.OfReviews[f] = must[map[string][]float32](t)(s.ReviewVectors(ctx, f, ids))
	}
	out.Held = must[[]lectern.HeldReview](t)(s.HeldReviews(ctx, "", "", "", 100))
	for _, c := range out.Courses {
		sum, err := s.ReviewSummary(ctx, c.ID)
		if lectern.ErrorCode(err) != lectern.CodeNotFound {
			ok(t, err)
			out.Summaries = append(out.Summaries, sum)
		}
	}
	out.Artefacts = must[[]lectern.Artefact](t)(s.Artefacts(ctx, "embedder"))
	for _, a := range out.Artefacts {
		out.Bodies[a.Version] = len(must[[]byte](t)(s.ArtefactBody(ctx, a.Kind, a.Version)))
	}
	out.Keys = must[[]lectern.APIKey](t)(s.Keys(ctx))
	out.Secret = must[[]byte](t)(s.Secret(ctx, "cursors", []byte{9}))
	viewLearning(t, s, &out)
	out.Stats = must[lectern.StoreStats](t)(s.Stats(ctx))
	out.Stats.PendingJobs = 0 // jobs are put together anew
	return out
}

func mustScan(t *testing.T) func([]lectern.Course, int64, error) ([]lectern.Course, int64) {
	return func(c []lectern.Course, next int64, err error) ([]lectern.Course, int64) {
		t.Helper()
		ok(t, err)
		return c, next
	}
}

func testCopyEverything(t *testing.T, from, to Copyable) {
	fillForCopy(t, from)
	before := viewOf(t, from)
	report := must[transfer.Report](t)(transfer.Copy(t.Context(), from, to, copyOptions))
	if report.Again || report.Copied == 0 {
		t.Errorf("the first copy reports %+v", report)
	}
	equal(t, "the source", viewOf(t, from), before, cmpopts.EquateEmpty())
	equal(t, "the target", viewOf(t, to), before, cmpopts.EquateEmpty())
	if n := must[lectern.StoreStats](t)(to.Stats(t.Context())).PendingJobs; n == 0 {
		t.Error("no job waits in the target, though the source's courses wait for vectors")
	}
	again := must[transfer.Report](t)(transfer.Copy(t.Context(), from, to, copyOptions))
	if !again.Again || again.Copied != 0 {
		t.Errorf("the second copy reports %+v", again)
	}
	equal(t, "the target after a second copy", viewOf(t, to), before, cmpopts.EquateEmpty())
	equal(t, "contradictions", must[[]string](t)(to.Check(t.Context())), []string(nil))
	goOn(t, to)
}

// goOn writes to a copy as to any store.
func goOn(t *testing.T, s Store) {
	t.Helper()
	ctx := t.Context()
	last := must[lectern.StoreStats](t)(s.Stats(ctx)).LastChange
	putCourses(t, s, "later", "c44") // c44 was only mentioned
	if _, now := changes(t, s, last); now <= last {
		t.Errorf("the feed went from %d to %d", last, now)
	}
	moved := must[lectern.StoreStats](t)(s.Stats(ctx)).LastProfileChange
	putLearners(t, s, lectern.Learner{ID: "l1", Goal: "another"})
	if now := must[lectern.StoreStats](t)(s.Stats(ctx)).LastProfileChange; now <= moved {
		t.Errorf("the feed of profiles went from %d to %d", moved, now)
	}
	if n := len(must[[]lectern.Review](t)(s.Reviews(ctx, "c44", "", 10))); n == 0 {
		t.Error("the parked reviews of c44 are gone")
	}
	wantOutcomes(t, must[[]lectern.WriteResult](t)(s.AppendEvents(ctx, []lectern.EventWrite{
		{Event: lectern.Event{ID: "e7", Type: lectern.EventView, AnonymousID: "v7", CourseID: "c01", OccurredAt: noon1}},
		{Event: lectern.Event{ID: "e1000", Type: lectern.EventView, LearnerID: "fresh", CourseID: "c01", OccurredAt: noon1}},
	})), lectern.OutcomeDuplicate, lectern.OutcomeCreated)
	wantOutcomes(t, must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "later", CourseID: "c01", Text: "Late"}})), lectern.OutcomeCreated)
	ok(t, s.PutSearches(ctx, []lectern.Search{searched("later", "l1", "later", noon1.AddDate(1, 0, 0))}))
	equal(t, "the newest search", recent(t, s, lectern.LearnerRef{ID: "l1"}, 1)[0].Query, "later")
	putFeedback(t, s, lectern.LearnerRef{ID: "l1"}, said("later", "c01", lectern.FeedbackReport, noon1), lectern.OutcomeCreated)
	wantCode(t, s.MergeVisitor(ctx, "v3", "l1"), lectern.CodeConflict)
	if v := must[int64](t)(s.PutArtefact(ctx, lectern.Artefact{Kind: "embedder", CreatedAt: noon1}, []byte{1})); v != 4 {
		t.Errorf("the next version is %d, want 4", v)
	}
	ok(t, s.PutKey(ctx, lectern.APIKey{ID: "later", Scope: lectern.ScopeAdmin, Hash: []byte("later"), CreatedAt: noon1}))
	wantCode(t, s.ActivateSettings(ctx, lectern.SettingsActivation{Kind: "rerank", Version: 3}, 3), lectern.CodePrecondition)
	equal(t, "the next version of settings", must[lectern.SettingsVersion](t)(s.PutSettings(ctx, draft("rerank", 4, 2))).Version, int64(4))
	ok(t, s.PutVectors(ctx, "f3", map[lectern.ContentHash][]float32{contentHash(newCourse("later")): {1}}))
}

func testCopyNothing(t *testing.T, from, to Copyable) {
	must[transfer.Report](t)(transfer.Copy(t.Context(), from, to, copyOptions))
	putCourses(t, to, "first")
}

// failing is a target that dies after some pages.
type failing struct {
	transfer.Store
	left int
}

var errDied = errors.New("died")

func (f *failing) RestoreRows(ctx context.Context, table transfer.Table, rows []transfer.Row) error {
	if f.left--; f.left < 0 {
		return errDied
	}
	half := len(rows) / 2 // a page is one transaction, but pages need not end alike
	if err := f.Store.RestoreRows(ctx, table, rows[:half]); err != nil {
		return err
	}
	if f.left == 0 {
		return errDied
	}
	return f.Store.RestoreRows(ctx, table, rows[half:])
}

func testCopyKilled(t *testing.T, from, to Copyable) {
	fillForCopy(t, from)
	before := viewOf(t, from)
	deaths := 0
	for ; ; deaths++ {
		_, err := transfer.Copy(t.Context(), from, &failing{Store: to, left: 2}, copyOptions)
		if err == nil {
			break
		}
		if !errors.Is(err, errDied) || deaths > 100 {
			t.Fatalf("after %d deaths: %v", deaths, err)
		}
	}
	if deaths < 5 {
		t.Errorf("the copy died %d times only", deaths)
	}
	equal(t, "the target", viewOf(t, to), before, cmpopts.EquateEmpty())
	goOn(t, to)
}

func testCopyRefused(t *testing.T, from, to Copyable) {
	putCourses(t, from, "a")
	putCourses(t, to, "b")
	before := viewOf(t, to)
	_, err := transfer.Copy(t.Context(), from, to, copyOptions)
	wantCode(t, err, lectern.CodeConflict)
	equal(t, "the target", viewOf(t, to), before, cmpopts.EquateEmpty())
}

func testCopyChanged(t *testing.T, from, to Copyable) {
	putCourses(t, from, "a")
	must[transfer.Report](t)(transfer.Copy(t.Context(), from, to, copyOptions))
	putCourses(t, from, "b")
	before := viewOf(t, to)
	_, err := transfer.Copy(t.Context(), from, to, copyOptions)
	wantCode(t, err, lectern.CodeConflict)
	_, err = transfer.Copy(t.Context(), from, to, transfer.Options{Identity: []byte("another source")})
	wantCode(t, err, lectern.CodeConflict)
	equal(t, "the target", viewOf(t, to), before, cmpopts.EquateEmpty())
}

func testCopyText(t *testing.T, from, to Copyable) {
	c := newCourse("odd")
	c.Description, c.Skills = "a\x00b", []string{"x\x00", "y"}
	res := must[[]lectern.WriteResult](t)(from.PutCourses(t.Context(), replace(c)))
	if res[0].Outcome == lectern.OutcomeRejected {
		t.Skip("the source takes no such text")
	}
	report := must[transfer.Report](t)(transfer.Copy(t.Context(), from, to, copyOptions))
	if report.Cleaned != 1 {
		t.Errorf("%d rows were cleaned, want 1", report.Cleaned)
	}
	got := must[[]lectern.Course](t)(to.Courses(t.Context(), []string{"odd"}))
	equal(t, "description", got[0].Description, "ab")
	equal(t, "skills", got[0].Skills, []string{"x", "y"})
}
