package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
)

// said is feedback with every field of its kind.
func said(id, course string, kind lectern.FeedbackKind, at time.Time) lectern.Feedback {
	f := lectern.Feedback{ID: id, CourseID: course, Kind: kind, At: at, RankingID: "rk", Position: ptr(3)}
	switch kind {
	case lectern.FeedbackNotNow:
		f.Until = ptr(at.AddDate(100, 0, 0))
	case lectern.FeedbackReport:
		f.Reason, f.Comment = lectern.ReportOutdated, "Of “ü” <b>2009</b>"
		f.Surface, f.Row, f.Term, f.ConfigVersion = lectern.SurfaceHome, lectern.RowForYou, "popularity", "v7"
	}
	return f
}

func putFeedback(t *testing.T, s Store, ref lectern.LearnerRef, f lectern.Feedback, want lectern.WriteOutcome) {
	t.Helper()
	equal(t, "outcome of "+f.ID, must[lectern.WriteResult](t)(s.PutFeedback(t.Context(), ref, f)).Outcome, want)
}

func feedback(t *testing.T, s Store, ref lectern.LearnerRef) []lectern.Feedback {
	t.Helper()
	return must[[]lectern.Feedback](t)(s.Feedback(t.Context(), ref))
}

func ids(list []lectern.Feedback) []string {
	var out []string
	for _, f := range list {
		out = append(out, f.ID)
	}
	return out
}

func reports(t *testing.T, s Store, f lectern.ReportFilter) []lectern.Report {
	t.Helper()
	f.Limit = max(f.Limit, 100)
	return must[[]lectern.Report](t)(s.Reports(t.Context(), f))
}

func testFeedbackPut(t *testing.T, s Store) {
	ctx := t.Context()
	ref, visitor := lectern.LearnerRef{ID: "l"}, lectern.LearnerRef{AnonymousID: "v"}
	_, err := s.Feedback(ctx, ref)
	wantCode(t, err, lectern.CodeNotFound)
	putCourses(t, s, "a", "b", "c", "d")
	more := said("1", "a", lectern.FeedbackMore, noon1)
	report := said("2", "a", lectern.FeedbackReport, noon1.Add(time.Minute))
	not := said("3", "b", lectern.FeedbackNotNow, noon1.Add(time.Hour))
	bare := lectern.Feedback{ID: "4", CourseID: "later", Kind: lectern.FeedbackKnown, At: noon1.Add(1500 * time.Nanosecond)}
	for _, f := range []lectern.Feedback{more, report, not, bare} {
		putFeedback(t, s, ref, f, lectern.OutcomeCreated)
	}
	bare.At = noon1.Add(time.Microsecond)
	equal(t, "what was said", feedback(t, s, ref), []lectern.Feedback{not, report, bare, more})
	mute := report
	mute.Comment = ""
	equal(t, "in the profile", profile(t, s, ref).Feedback, []lectern.Feedback{not, mute, bare, more})
	equal(t, "entries", len(profile(t, s, ref).Entries), 0)

	before := profile(t, s, ref)
	_, end := moved(t, s, 0)
	putFeedback(t, s, ref, not, lectern.OutcomeUnchanged)
	equal(t, "said again", profile(t, s, ref), before)
	wantMoved(t, s, "said again", end)

	putFeedback(t, s, visitor, said("5", "a", lectern.FeedbackLess, noon1), lectern.OutcomeCreated)
	equal(t, "the visitor", learner(t, s, visitor).Anonymous, true)
	_, err = s.PutFeedback(ctx, visitor, said("1", "c", lectern.FeedbackMore, noon1))
	wantCode(t, err, lectern.CodeConflict)
	_, err = s.PutFeedback(ctx, lectern.LearnerRef{ID: "nobody"}, more)
	wantCode(t, err, lectern.CodeConflict)
	_, err = s.Learner(ctx, lectern.LearnerRef{ID: "nobody"})
	wantCode(t, err, lectern.CodeNotFound)
	equal(t, "the visitor's", ids(feedback(t, s, visitor)), []string{"5"})
	equal(t, "the learner's", profile(t, s, ref), before)
}

func testFeedbackReplace(t *testing.T, s Store) {
	ref := lectern.LearnerRef{ID: "l"}
	at := func(hours int) time.Time { return noon1.Add(time.Duration(hours) * time.Hour) }
	put := func(f lectern.Feedback, want lectern.WriteOutcome) {
		t.Helper()
		version := int64(-1)
		if p, err := s.Profile(t.Context(), ref); err == nil {
			version = p.Version
		}
		_, end := moved(t, s, 0)
		putFeedback(t, s, ref, f, want)
		if now := profile(t, s, ref).Version; now <= version {
			t.Errorf("%s: the version went from %d to %d", f.ID, version, now)
		}
		wantMoved(t, s, f.ID, end, "l")
	}
	holds := func(what string, want ...string) {
		t.Helper()
		equal(t, what, ids(profile(t, s, ref).Feedback), want)
	}
	put(said("more", "a", lectern.FeedbackMore, at(0)), lectern.OutcomeCreated)
	put(said("less", "a", lectern.FeedbackLess, at(1)), lectern.OutcomeCreated)
	put(said("other", "b", lectern.FeedbackMore, at(2)), lectern.OutcomeCreated)
	put(said("report", "a", lectern.FeedbackReport, at(3)), lectern.OutcomeCreated)
	holds("the last counts", "report", "other", "less")
	put(said("again", "a", lectern.FeedbackLess, at(4)), lectern.OutcomeUpdated)
	equal(t, "of one kind about one course", ids(feedback(t, s, ref)), []string{"again", "report", "other", "more"})
	put(said("again", "c", lectern.FeedbackKnown, at(5)), lectern.OutcomeUpdated)
	holds("an id for something else", "again", "report", "other", "more")

	lapsed := said("lapsed", "a", lectern.FeedbackNotNow, at(6))
	lapsed.Until = ptr(at(7)) // long ago
	put(lapsed, lectern.OutcomeCreated)
	holds("what has lapsed does not count", "again", "report", "other", "more")
	put(said("lapsed", "a", lectern.FeedbackNotNow, at(8)), lectern.OutcomeUpdated)
	holds("until a time to come", "lapsed", "again", "report", "other")
	equal(t, "what was said", ids(feedback(t, s, ref)), []string{"lapsed", "again", "report", "other", "more"})
}

func testFeedbackReject(t *testing.T, s Store) {
	ref := lectern.LearnerRef{ID: "l"}
	for what, change := range map[string]func(*lectern.Feedback){
		"no id":           func(f *lectern.Feedback) { f.ID = "" },
		"no course":       func(f *lectern.Feedback) { f.CourseID = "" },
		"no kind":         func(f *lectern.Feedback) { f.Kind = "" },
		"an unknown kind": func(f *lectern.Feedback) { f.Kind = "hate" },
		"no time":         func(f *lectern.Feedback) { f.At = time.Time{} },
		"no reason":       func(f *lectern.Feedback) { f.Reason = "" },
		"no text":         func(f *lectern.Feedback) { f.Comment = "\xff" },
	} {
		f := said("1", "a", lectern.FeedbackReport, noon1)
		change(&f)
		if _, err := s.PutFeedback(t.Context(), ref, f); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := s.PutFeedback(t.Context(), lectern.LearnerRef{}, said("1", "a", lectern.FeedbackMore, noon1))
	wantCode(t, err, lectern.CodeInvalid)
	_, err = s.Learner(t.Context(), ref)
	wantCode(t, err, lectern.CodeNotFound)
}

func testFeedbackDelete(t *testing.T, s Store) {
	ctx := t.Context()
	ref := lectern.LearnerRef{ID: "l"}
	wantCode(t, s.DeleteFeedback(ctx, ref, "1"), lectern.CodeNotFound)
	putCourses(t, s, "a")
	appendEvents(t, s, click("e", "l", "a", noon1), click("e2", "m", "a", noon1))
	before := profile(t, s, ref)
	putFeedback(t, s, ref, said("1", "a", lectern.FeedbackMore, noon1), lectern.OutcomeCreated)
	putFeedback(t, s, ref, said("2", "a", lectern.FeedbackReport, noon1), lectern.OutcomeCreated)
	said := profile(t, s, ref)
	_, end := moved(t, s, 0)
	wantCode(t, s.DeleteFeedback(ctx, ref, "none"), lectern.CodeNotFound)
	wantCode(t, s.DeleteFeedback(ctx, lectern.LearnerRef{ID: "m"}, "1"), lectern.CodeNotFound)
	equal(t, "after refusals", profile(t, s, ref), said)
	wantMoved(t, s, "refusals", end)
	ok(t, s.DeleteFeedback(ctx, ref, "1"))
	ok(t, s.DeleteFeedback(ctx, ref, "2"))
	after := profile(t, s, ref)
	if after.Version <= said.Version {
		t.Errorf("the version went from %d to %d", said.Version, after.Version)
	}
	wantMoved(t, s, "taken back", end, "l")
	after.Version = before.Version
	equal(t, "the profile", after, before)
	equal(t, "reports", len(reports(t, s, lectern.ReportFilter{})), 0)
	wantCode(t, s.DeleteFeedback(ctx, ref, "1"), lectern.CodeNotFound)
}

func testFeedbackMerge(t *testing.T, s Store) {
	ctx := t.Context()
	ref, visitor := lectern.LearnerRef{ID: "l"}, lectern.LearnerRef{AnonymousID: "v"}
	at := func(hours int) time.Time { return noon1.Add(time.Duration(hours) * time.Hour) }
	for _, f := range []lectern.Feedback{
		said("l1", "a", lectern.FeedbackMore, at(1)), said("l2", "b", lectern.FeedbackLess, at(8)), said("l3", "c", lectern.FeedbackReport, at(3)),
		said("l4", "f", lectern.FeedbackMore, at(1)),
	} {
		putFeedback(t, s, ref, f, lectern.OutcomeCreated)
	}
	newest := said("v1", "a", lectern.FeedbackMore, at(5))
	for _, f := range []lectern.Feedback{
		newest, said("v2", "b", lectern.FeedbackLess, at(6)), said("v3", "c", lectern.FeedbackReport, at(7)),
		said("v4", "d", lectern.FeedbackKnown, at(4)), said("v5", "f", lectern.FeedbackLess, at(2)),
	} {
		putFeedback(t, s, visitor, f, lectern.OutcomeCreated)
	}
	before := profile(t, s, ref).Version
	ok(t, s.MergeVisitor(ctx, "v", "l"))
	equal(t, "both's", ids(feedback(t, s, ref)), []string{"l2", "v3", "v1", "v4", "v5", "l4"})
	equal(t, "by the anonymous id", feedback(t, s, visitor), feedback(t, s, ref))
	equal(t, "the visitor's as it was", feedback(t, s, ref)[2], newest)
	equal(t, "what holds", ids(profile(t, s, ref).Feedback), []string{"l2", "v3", "v1", "v4", "v5"})
	if now := profile(t, s, ref).Version; now <= before {
		t.Errorf("the version went from %d to %d", before, now)
	}
	equal(t, "reports", len(reports(t, s, lectern.ReportFilter{})), 1)
	ok(t, s.DeleteFeedback(ctx, ref, "v4"))
	putFeedback(t, s, visitor, said("v6", "g", lectern.FeedbackMore, at(9)), lectern.OutcomeCreated)
	equal(t, "said under the old id", ids(feedback(t, s, ref))[0], "v6")
	equal(t, "findings", must[[]string](t)(s.Check(ctx)), []string(nil))
}

func testFeedbackErase(t *testing.T, s Store) {
	ctx := t.Context()
	const who = "erase-me-5c77"
	ref := lectern.LearnerRef{ID: who}
	report := said("report-of-"+who, "a", lectern.FeedbackReport, noon1)
	report.Comment = "I am " + who
	putFeedback(t, s, ref, report, lectern.OutcomeCreated)
	putFeedback(t, s, ref, said("more-of-"+who, "a", lectern.FeedbackMore, noon1), lectern.OutcomeCreated)
	putFeedback(t, s, lectern.LearnerRef{ID: "other"}, said("o", "a", lectern.FeedbackReport, noon1.Add(-time.Hour)), lectern.OutcomeCreated)
	n := must[int](t)(s.SetReports(ctx, "a", []lectern.ReportStatus{lectern.ReportOpen}, lectern.Report{Status: lectern.ReportLooking, Note: "hm", By: "key"}))
	equal(t, "set", n, 2)
	ok(t, s.DeleteLearner(ctx, ref))
	_, err := s.Feedback(ctx, ref)
	wantCode(t, err, lectern.CodeNotFound)
	if in, can := s.(Inspector); can {
		equal(t, "mentions", must[[]string](t)(in.Mentions(ctx, who)), []string(nil))
	}
	left := reports(t, s, lectern.ReportFilter{})
	equal(t, "reports", len(left), 2)
	report.ID, report.Comment, report.RankingID, report.Position = "", "", "", nil
	want := lectern.Report{Feedback: report, Status: lectern.ReportLooking, Note: "hm", By: "key"}
	equal(t, "the report of nobody", left[0], want, cmpopts.IgnoreFields(lectern.Report{}, "SetAt"))
	// Nobody's reports do not stand in the way of others, and the id is free again.
	putFeedback(t, s, ref, said("report-of-"+who, "a", lectern.FeedbackReport, noon1), lectern.OutcomeCreated)
	ok(t, s.DeleteLearner(ctx, ref))
	equal(t, "reports", len(reports(t, s, lectern.ReportFilter{})), 3)
	equal(t, "findings", must[[]string](t)(s.Check(ctx)), []string(nil))
}

func testReports(t *testing.T, s Store) {
	ctx := t.Context()
	at := func(hours int) time.Time { return noon1.Add(time.Duration(hours) * time.Hour) }
	courses := []string{"a", "b", "a", "c"}
	for i, course := range courses {
		putFeedback(t, s, lectern.LearnerRef{ID: fmt.Sprint("l", i)}, said(fmt.Sprint(i), course, lectern.FeedbackReport, at(i)), lectern.OutcomeCreated)
	}
	putFeedback(t, s, lectern.LearnerRef{ID: "l0"}, said("more", "a", lectern.FeedbackMore, at(9)), lectern.OutcomeCreated)
	list := func(f lectern.ReportFilter) []string {
		t.Helper()
		var out []string
		for _, r := range reports(t, s, f) {
			out = append(out, r.ID)
		}
		return out
	}
	equal(t, "newest first", list(lectern.ReportFilter{}), []string{"3", "2", "1", "0"})
	equal(t, "of a course", list(lectern.ReportFilter{CourseID: "a"}), []string{"2", "0"})
	equal(t, "since", list(lectern.ReportFilter{Since: at(2)}), []string{"3", "2"})
	equal(t, "two", len(must[[]lectern.Report](t)(s.Reports(ctx, lectern.ReportFilter{Limit: 2}))), 2)
	equal(t, "none", len(must[[]lectern.Report](t)(s.Reports(ctx, lectern.ReportFilter{}))), 0)
	equal(t, "whole", reports(t, s, lectern.ReportFilter{CourseID: "c"}),
		[]lectern.Report{{Feedback: said("3", "c", lectern.FeedbackReport, at(3)), Status: lectern.ReportOpen}})

	open := []lectern.ReportStatus{lectern.ReportOpen, lectern.ReportLooking}
	set := func(course string, from []lectern.ReportStatus, to lectern.ReportStatus) int {
		t.Helper()
		return must[int](t)(s.SetReports(ctx, course, from, lectern.Report{Status: to, Note: "Ü", By: "key", SetAt: at(20)}))
	}
	version := profile(t, s, lectern.LearnerRef{ID: "l0"}).Version
	equal(t, "set", set("a", open, lectern.ReportResolved), 2)
	equal(t, "set again", set("a", open, lectern.ReportRejected), 0)
	equal(t, "set none", set("b", nil, lectern.ReportRejected), 0)
	equal(t, "of an unknown course", set("x", open, lectern.ReportRejected), 0)
	equal(t, "open", list(lectern.ReportFilter{Statuses: open}), []string{"3", "1"})
	equal(t, "resolved, of b", list(lectern.ReportFilter{CourseID: "b", Statuses: []lectern.ReportStatus{lectern.ReportResolved}}), []string(nil))
	got := reports(t, s, lectern.ReportFilter{CourseID: "a"})[0]
	equal(t, "a report", got, lectern.Report{
		Feedback: said("2", "a", lectern.FeedbackReport, at(2)), Status: lectern.ReportResolved, Note: "Ü", By: "key", SetAt: at(20),
	})
	equal(t, "the profile", profile(t, s, lectern.LearnerRef{ID: "l0"}).Version, version)
	_, err := s.SetReports(ctx, "a", open, lectern.Report{Status: "gone"})
	wantCode(t, err, lectern.CodeInvalid)

	// Who reports again opens it again; who only repeats what was said does not.
	putFeedback(t, s, lectern.LearnerRef{ID: "l0"}, said("0", "a", lectern.FeedbackReport, at(0)), lectern.OutcomeUnchanged)
	putFeedback(t, s, lectern.LearnerRef{ID: "l2"}, said("again", "a", lectern.FeedbackReport, at(5)), lectern.OutcomeUpdated)
	equal(t, "open again", list(lectern.ReportFilter{CourseID: "a", Statuses: open}), []string{"again"})
	equal(t, "resolved", list(lectern.ReportFilter{CourseID: "a", Statuses: []lectern.ReportStatus{lectern.ReportResolved}}), []string{"0"})
}

// testFeedbackRaces says the same ids from many sides at once: each is stored once.
func testFeedbackRaces(t *testing.T, s Store) {
	const writers, each = 6, 12
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				ref := lectern.LearnerRef{ID: fmt.Sprint("l", i%3)}
				f := said(fmt.Sprint("f", i), fmt.Sprint("c", i), lectern.FeedbackKinds()[i%5], noon1)
				if w%2 == 1 {
					ref = lectern.LearnerRef{ID: fmt.Sprint("w", w)} // of whom a half loses each id
				}
				_, err := s.PutFeedback(t.Context(), ref, f)
				if err != nil && lectern.ErrorCode(err) != lectern.CodeConflict {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	stored := map[string]int{}
	for _, name := range []string{"l0", "l1", "l2", "w1", "w3", "w5"} {
		list, err := s.Feedback(t.Context(), lectern.LearnerRef{ID: name})
		if err != nil && lectern.ErrorCode(err) != lectern.CodeNotFound {
			t.Fatal(err)
		}
		for _, f := range list {
			stored[f.ID]++
		}
	}
	for i := range each {
		equal(t, fmt.Sprint("f", i), stored[fmt.Sprint("f", i)], 1)
	}
}

func testProgress(t *testing.T, s Store) {
	ctx := t.Context()
	ref := lectern.LearnerRef{ID: "l"}
	putCourses(t, s, "a", "b")
	done := func(id, who, course string, share float64, at time.Time) lectern.EventWrite {
		e := click(id, who, course, at)
		if who == "v" {
			e = anonymousClick(id, who, course, at)
		}
		e.Delta.Progress = share
		return e
	}
	shares := func(ref lectern.LearnerRef) map[string]float64 {
		t.Helper()
		out := map[string]float64{}
		for _, e := range profile(t, s, ref).Entries {
			out[e.CourseID] = e.Progress
		}
		return out
	}
	appendEvents(t, s, done("1", "l", "a", 0.4, noon1), done("2", "l", "b", 0, noon1))
	equal(t, "at first", shares(ref), map[string]float64{"a": 0.4, "b": 0})
	// The greatest counts, whatever comes last, in one batch and over several.
	appendEvents(t, s, done("3", "l", "a", 0.7, noon1.Add(-time.Hour)), done("4", "l", "a", 0.2, noon1.Add(time.Hour)))
	equal(t, "the greatest", shares(ref)["a"], 0.7)
	appendEvents(t, s, done("5", "l", "a", 0.1, noon1.Add(2*time.Hour)))
	equal(t, "less later", shares(ref)["a"], 0.7)
	appendEvents(t, s, done("6", "v", "a", 0.3, noon1), done("7", "v", "b", 0.25, noon1))
	ok(t, s.MergeVisitor(ctx, "v", "l"))
	equal(t, "merged", shares(ref), map[string]float64{"a": 0.7, "b": 0.25})
	var many []lectern.EventWrite
	for i := range 100 {
		many = append(many, done(fmt.Sprint("m", i), "m", fmt.Sprint("c", i), float64(i)/100, noon1))
	}
	appendEvents(t, s, many...)
	equal(t, "of many", shares(lectern.LearnerRef{ID: "m"})["c99"], 0.99)

	p := profile(t, s, ref)
	p.Entries[0].Progress = 1
	if !replaced(t, s, ref, p.Version, p.Entries) {
		t.Error("the profile was not replaced")
	}
	equal(t, "replaced", shares(ref)["a"], 1.0)
	byKey, err := s.EntriesByKey(ctx, []int64{keyOf(t, s, ref)})
	ok(t, err)
	equal(t, "by key", byKey[keyOf(t, s, ref)], profile(t, s, ref).Entries)
	for _, share := range []float64{-0.1, 1.1} {
		wantOutcomes(t, appendEvents(t, s, done("bad", "l", "a", share, noon1)), lectern.OutcomeRejected)
		p := profile(t, s, ref)
		p.Entries[0].Progress = share
		_, err := s.ReplaceProfile(ctx, ref, p.Version, p.Entries)
		wantCode(t, err, lectern.CodeInvalid)
	}
}

func testPreferences(t *testing.T, s Store) {
	ctx := t.Context()
	ref := lectern.LearnerRef{ID: "l"}
	appendEvents(t, s, click("1", "l", "a", noon1), anonymousClick("2", "v", "a", noon1))
	own := lectern.Corrections{Preferences: map[lectern.Preference]lectern.Leaning{lectern.PreferPopular: lectern.LeanLess, lectern.PreferShort: lectern.LeanMore}}
	ok(t, s.PutCorrections(ctx, ref, own))
	equal(t, "preferences", profile(t, s, ref).Corrections, own)
	theirs := lectern.Corrections{Preferences: map[lectern.Preference]lectern.Leaning{lectern.PreferPopular: lectern.LeanMore, lectern.PreferNew: lectern.LeanMore}}
	ok(t, s.PutCorrections(ctx, lectern.LearnerRef{AnonymousID: "v"}, theirs))
	ok(t, s.MergeVisitor(ctx, "v", "l"))
	own.Preferences[lectern.PreferNew] = lectern.LeanMore
	equal(t, "both's", profile(t, s, ref).Corrections, own)
	for _, bad := range []map[lectern.Preference]lectern.Leaning{{"cheap": lectern.LeanMore}, {lectern.PreferNew: "most"}} {
		wantCode(t, s.PutCorrections(ctx, ref, lectern.Corrections{Preferences: bad}), lectern.CodeInvalid)
	}
	ok(t, s.PutCorrections(ctx, ref, lectern.Corrections{}))
	equal(t, "taken back", profile(t, s, ref).Corrections, lectern.Corrections{})
}
