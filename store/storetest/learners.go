package storetest

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
)

func fullLearner(id string) lectern.Learner {
	return lectern.Learner{
		ID: id, Interests: []string{"go", "databases"}, Goal: "Data engineer", WeeklyHours: ptr(4.5),
		PreferredLevel: lectern.LevelIntermediate, Languages: []string{"de", "en"}, Region: "DE",
		Organisations: []string{"org1"}, Consent: &lectern.Consent{Personalisation: true},
	}
}

var ignoreTimes = cmpopts.IgnoreFields(lectern.Learner{}, "CreatedAt", "UpdatedAt")

func putLearners(t *testing.T, s Store, ls ...lectern.Learner) []lectern.WriteResult {
	t.Helper()
	return must[[]lectern.WriteResult](t)(s.PutLearners(t.Context(), ls))
}

func learner(t *testing.T, s Store, ref lectern.LearnerRef) lectern.Learner {
	t.Helper()
	return must[lectern.Learner](t)(s.Learner(t.Context(), ref))
}

func profile(t *testing.T, s Store, ref lectern.LearnerRef) lectern.Profile {
	t.Helper()
	return must[lectern.Profile](t)(s.Profile(t.Context(), ref))
}

func testLearnerPut(t *testing.T, s Store) {
	ctx := t.Context()
	l := fullLearner("l")
	visitor := lectern.Learner{ID: "l", Anonymous: true} // the same id of the other kind
	wantOutcomes(t, putLearners(t, s, l, l, visitor, lectern.Learner{}, lectern.Learner{ID: "x", PreferredLevel: "expert"}),
		lectern.OutcomeCreated, lectern.OutcomeUnchanged, lectern.OutcomeCreated, lectern.OutcomeRejected, lectern.OutcomeRejected)
	got := learner(t, s, lectern.LearnerRef{ID: "l"})
	equal(t, "learner", got, l, ignoreTimes)
	if got.CreatedAt.IsZero() || got.UpdatedAt.IsZero() {
		t.Errorf("times are not set: %v, %v", got.CreatedAt, got.UpdatedAt)
	}
	visitor.Consent = ptr(lectern.DefaultConsent())
	equal(t, "visitor", learner(t, s, lectern.LearnerRef{AnonymousID: "l"}), visitor, ignoreTimes)

	before := must[int64](t)(s.ProfileVersion(ctx, lectern.LearnerRef{ID: "l"}))
	wantOutcomes(t, putLearners(t, s, l), lectern.OutcomeUnchanged)
	equal(t, "version after nothing", must[int64](t)(s.ProfileVersion(ctx, lectern.LearnerRef{ID: "l"})), before)
	l.Interests, l.Goal = nil, ""
	wantOutcomes(t, putLearners(t, s, l), lectern.OutcomeUpdated)
	equal(t, "learner", learner(t, s, lectern.LearnerRef{ID: "l"}), l, ignoreTimes)
	if v := must[int64](t)(s.ProfileVersion(ctx, lectern.LearnerRef{ID: "l"})); v <= before {
		t.Errorf("version went from %d to %d", before, v)
	}
	since := lectern.Learner{ID: "old", CreatedAt: day1.Add(1234 * time.Nanosecond)}
	putLearners(t, s, since)
	equal(t, "created at", learner(t, s, lectern.LearnerRef{ID: "old"}).CreatedAt, day1.Add(time.Microsecond))
}

func testLearnerConsent(t *testing.T, s Store) {
	consent := func() lectern.Consent {
		t.Helper()
		return *learner(t, s, lectern.LearnerRef{ID: "l"}).Consent
	}
	putLearners(t, s, lectern.Learner{ID: "l"})
	equal(t, "at first", consent(), lectern.DefaultConsent())
	putLearners(t, s, lectern.Learner{ID: "l", Consent: &lectern.Consent{}})
	equal(t, "after a no", consent(), lectern.Consent{})
	putLearners(t, s, lectern.Learner{ID: "l", Goal: "g"})
	equal(t, "after a write without a word", consent(), lectern.Consent{})
}

func testLearnerRefs(t *testing.T, s Store) {
	ctx := t.Context()
	for _, ref := range []lectern.LearnerRef{{}, {ID: "none"}, {AnonymousID: "none"}} {
		_, err := s.Learner(ctx, ref)
		wantCode(t, err, lectern.CodeNotFound)
		_, err = s.Profile(ctx, ref)
		wantCode(t, err, lectern.CodeNotFound)
		_, err = s.ProfileVersion(ctx, ref)
		wantCode(t, err, lectern.CodeNotFound)
		wantCode(t, s.DeleteLearner(ctx, ref), lectern.CodeNotFound)
	}
	putLearners(t, s, lectern.Learner{ID: "l"}, lectern.Learner{ID: "v", Anonymous: true})
	equal(t, "both known", learner(t, s, lectern.LearnerRef{ID: "l", AnonymousID: "v"}).ID, "l")
	equal(t, "one known", learner(t, s, lectern.LearnerRef{ID: "none", AnonymousID: "v"}).ID, "v")
}

func testMergeVisitor(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b", "c")
	visitor := fullLearner("v")
	visitor.Anonymous, visitor.Consent = true, nil
	putLearners(t, s, visitor, lectern.Learner{ID: "l", Goal: "own goal"})
	appendEvents(t, s,
		anonymousClick("1", "v", "a", noon1.Add(-halfLife)), anonymousClick("2", "v", "b", noon1),
		click("3", "l", "a", noon1), click("4", "l", "c", noon1))
	ok(t, s.PutRankings(ctx, []lectern.Ranking{{ID: "rk", Learner: lectern.LearnerRef{AnonymousID: "v"}, CreatedAt: noon1}}))
	before := must[int64](t)(s.ProfileVersion(ctx, lectern.LearnerRef{ID: "l"}))

	ok(t, s.MergeVisitor(ctx, "v", "l"))
	ref := lectern.LearnerRef{ID: "l"}
	p := profile(t, s, ref)
	if p.Version <= before {
		t.Errorf("version went from %d to %d", before, p.Version)
	}
	equal(t, "entries", p.Entries, []lectern.ProfileEntry{
		{CourseID: "a", Weight: 1.5, WeightAt: noon1, HalfLife: halfLife, State: lectern.StateClicked, LastAt: noon1}, // 1 + 1 halved once
		{CourseID: "b", Weight: 1, WeightAt: noon1, HalfLife: halfLife, State: lectern.StateClicked, LastAt: noon1},
		{CourseID: "c", Weight: 1, WeightAt: noon1, HalfLife: halfLife, State: lectern.StateClicked, LastAt: noon1},
	}, cmpopts.EquateApprox(0, 1e-9))
	want := fullLearner("l")
	want.Goal, want.Consent = "own goal", ptr(lectern.DefaultConsent())
	equal(t, "stated facts", p.Learner, want, ignoreTimes)
	equal(t, "events", len(must[[]lectern.Event](t)(s.LearnerEvents(ctx, ref, 9))), 4)
	equal(t, "the visitor is the learner", learner(t, s, lectern.LearnerRef{AnonymousID: "v"}), want, ignoreTimes)
	equal(t, "ranking", must[lectern.Ranking](t)(s.Ranking(ctx, "rk")).Learner, ref)
	st := must[lectern.StoreStats](t)(s.Stats(ctx))
	equal(t, "learners and visitors", []int64{st.Learners, st.Visitors}, []int64{1, 0})

	// Later events under the anonymous id are the learner's, and merging again
	// changes nothing.
	appendEvents(t, s, anonymousClick("5", "v", "b", noon1))
	p = profile(t, s, ref)
	ok(t, s.MergeVisitor(ctx, "v", "l"))
	equal(t, "profile", profile(t, s, ref), p)
	equal(t, "weight", p.Entries[1].Weight, 2.0)
	wantOutcomes(t, putLearners(t, s, visitor), lectern.OutcomeRejected)
}

func testMergeEdges(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a")
	ok(t, s.MergeVisitor(ctx, "nobody", "l"))
	_, err := s.Learner(ctx, lectern.LearnerRef{ID: "l"})
	wantCode(t, err, lectern.CodeNotFound)
	wantCode(t, s.MergeVisitor(ctx, "", "l"), lectern.CodeInvalid)
	wantCode(t, s.MergeVisitor(ctx, "v", ""), lectern.CodeInvalid)

	// The learner is created if need be, with what the visitor had.
	appendEvents(t, s, anonymousClick("1", "v", "a", noon1))
	putLearners(t, s, lectern.Learner{ID: "v", Anonymous: true, Goal: "g", Consent: &lectern.Consent{}})
	ok(t, s.MergeVisitor(ctx, "v", "l"))
	got := learner(t, s, lectern.LearnerRef{ID: "l"})
	equal(t, "learner", got, lectern.Learner{ID: "l", Goal: "g", Consent: &lectern.Consent{}}, ignoreTimes)
	equal(t, "entries", len(profile(t, s, lectern.LearnerRef{ID: "l"}).Entries), 1)

	// What has become one learner is not handed to another, known or not, and
	// nobody comes to be by the attempt.
	putLearners(t, s, lectern.Learner{ID: "m"})
	for _, other := range []string{"m", "new"} {
		err := s.MergeVisitor(ctx, "v", other)
		wantCode(t, err, lectern.CodeConflict)
		e, is := errors.AsType[*lectern.Error](err)
		if !is || len(e.Fields) != 1 || e.Fields[0].Field != "anonymous_id" || strings.Contains(e.Message+e.Fields[0].Reason, `"l"`) {
			t.Errorf("the conflict must name the anonymous id, and not its learner: %v", err)
		}
	}
	_, err = s.Learner(ctx, lectern.LearnerRef{ID: "new"})
	wantCode(t, err, lectern.CodeNotFound)
	appendEvents(t, s, anonymousClick("2", "v", "a", noon1))
	equal(t, "first learner's events", len(must[[]lectern.Event](t)(s.LearnerEvents(ctx, lectern.LearnerRef{ID: "l"}, 9))), 2)

	// Someone else on the same device: their event is theirs, and the anonymous
	// id stays with whom it belongs to.
	theirs := click("4", "m", "a", noon1)
	theirs.Event.AnonymousID = "v"
	appendEvents(t, s, theirs, anonymousClick("5", "v", "a", noon1))
	equal(t, "first learner's events", len(must[[]lectern.Event](t)(s.LearnerEvents(ctx, lectern.LearnerRef{ID: "l"}, 9))), 3)
	equal(t, "second learner's events", len(must[[]lectern.Event](t)(s.LearnerEvents(ctx, lectern.LearnerRef{ID: "m"}, 9))), 1)
	equal(t, "whose the visitor is", learner(t, s, lectern.LearnerRef{AnonymousID: "v"}).ID, "l")

	// Two visitors of one learner.
	appendEvents(t, s, anonymousClick("3", "w", "a", noon1))
	ok(t, s.MergeVisitor(ctx, "w", "m"))
	equal(t, "all events", len(must[[]lectern.Event](t)(s.LearnerEvents(ctx, lectern.LearnerRef{AnonymousID: "w"}, 9))), 2)
}

func testLearnerDelete(t *testing.T, s Store) {
	ctx := t.Context()
	const id, anonymous = "erase-me-1f0c", "erase-me-too-7b2d"
	putCourses(t, s, "a")
	l := fullLearner(id)
	l.Goal = "a goal that names " + id
	putLearners(t, s, l)
	search := lectern.EventWrite{Event: lectern.Event{ID: "s", Type: lectern.EventSearch, LearnerID: id, Query: "words of " + id, OccurredAt: noon1}}
	appendEvents(t, s, click("1", id, "a", noon1), anonymousClick("2", anonymous, "a", noon1), search, click("3", "other", "a", noon1))
	ok(t, s.MergeVisitor(ctx, anonymous, id))
	ok(t, s.PutCorrections(ctx, lectern.LearnerRef{ID: id}, lectern.Corrections{RemovedInterests: []string{"not " + id}}))
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "r", CourseID: "a", LearnerID: id, Text: "fine", Stars: ptr(4.0)}}))
	ok(t, s.PutRankings(ctx, []lectern.Ranking{{ID: "rk", Learner: lectern.LearnerRef{ID: id}, CreatedAt: noon1}}))

	ok(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: id}))
	_, err := s.Learner(ctx, lectern.LearnerRef{ID: id})
	wantCode(t, err, lectern.CodeNotFound)
	_, err = s.Learner(ctx, lectern.LearnerRef{AnonymousID: anonymous})
	wantCode(t, err, lectern.CodeNotFound)
	_, err = s.Ranking(ctx, "rk")
	wantCode(t, err, lectern.CodeNotFound)
	wantCode(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: id}), lectern.CodeNotFound)
	equal(t, "events", len(must[[]lectern.Event](t)(s.LearnerEvents(ctx, lectern.LearnerRef{ID: id}, 9))), 0)
	reviews := must[[]lectern.Review](t)(s.Reviews(ctx, "a", "", 9))
	equal(t, "reviews", reviews, []lectern.Review{{ID: "r", CourseID: "a", Text: "fine", Stars: ptr(4.0)}})
	equal(t, "others' events", must[lectern.StoreStats](t)(s.Stats(ctx)).Events, int64(1))
	if clicks := statsOf(t, s, "a").Activity[lectern.EventClick]; math.Abs(clicks-3) > 1e-9 {
		t.Errorf("%g clicks are counted, want all three still", clicks)
	}
	if in, can := s.(Inspector); can {
		for _, text := range []string{id, anonymous} {
			equal(t, "mentions of "+text, must[[]string](t)(in.Mentions(ctx, text)), []string(nil))
		}
		equal(t, "mentions of the other", must[[]string](t)(in.Mentions(ctx, "other")), []string{"identities.external_id"})
	}
	// A learner of the same id who comes later starts afresh.
	appendEvents(t, s, click("9", id, "a", noon1))
	equal(t, "weight", profile(t, s, lectern.LearnerRef{ID: id}).Entries[0].Weight, 1.0)
}
