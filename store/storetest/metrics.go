package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
)

// metricStore returns what a store keeps of metrics.
func metricStore(t *testing.T, s Store) interface {
	lectern.MetricStore
	lectern.MetricReader
} {
	t.Helper()
	m, keeps := s.(interface {
		lectern.MetricStore
		lectern.MetricReader
	})
	if !keeps {
		t.Fatal("the store keeps no metrics")
	}
	return m
}

// sumsOf is a batch about one person, list and course.
func sumsOf(person int64) lectern.MetricBatch {
	tally := lectern.Tally{Lists: 1, Clicks: 2, Hours: 1.5, Reports: 1}
	return lectern.MetricBatch{
		To: lectern.MetricProgress{Definition: "d", Events: 5, Lists: 3, Feedback: 1},
		Cells: []lectern.MetricCell{
			{Day: 100, Surface: lectern.SurfaceHome, Position: 2, Segment: lectern.SegmentNew, MetricSums: lectern.MetricSums{Tally: tally, KeptWeight: 4}},
			{Day: 100, Surface: lectern.SurfaceHome, Position: 2, Segment: lectern.SegmentNew, Experiment: "x", Arm: "a", MetricSums: lectern.MetricSums{Tally: tally}},
			{Day: 101, Position: lectern.NoPosition, MetricSums: lectern.MetricSums{Tally: tally}},
		},
		Courses: []lectern.MetricCourse{{Day: 100, CourseID: "c1", Impressions: 3, Stars: 4.5}},
		Days:    []lectern.PersonDay{{Person: person, DayTally: lectern.DayTally{Day: 100, Tally: tally}}},
		Lists:   []lectern.ListMark{{RankingID: "r1", Person: person, State: "seen"}},
		Taken:   []lectern.TakenMark{{TakenKey: lectern.TakenKey{Person: person, CourseID: "c1"}, State: "taken"}},
	}
}

func testMetricsApply(t *testing.T, s Store) {
	ctx, m := t.Context(), metricStore(t, s)
	putCourses(t, s, "c1")
	ref := lectern.LearnerRef{ID: "ada"}
	if _, err := s.PutLearners(ctx, []lectern.Learner{{ID: "ada"}}); err != nil {
		t.Fatal(err)
	}
	person, err := s.ProfileKey(ctx, ref)
	ok(t, err)
	b := sumsOf(person)
	ok(t, m.ApplyMetrics(ctx, b))
	// The same step again is not done: the metrics have moved on.
	wantCode(t, m.ApplyMetrics(ctx, b), lectern.CodePrecondition)
	b.From, b.To.Events = b.To, 9
	ok(t, m.ApplyMetrics(ctx, b))
	at, err := m.MetricProgress(ctx, lectern.MetricsInUse)
	ok(t, err)
	equal(t, "progress", at, b.To)

	found, err := m.MetricCells(ctx, lectern.MetricQuery{From: 100, To: 101, By: []lectern.MetricDimension{lectern.ByDay, lectern.BySurface, lectern.ByPosition}})
	ok(t, err)
	twice := lectern.Tally{Lists: 2, Clicks: 4, Hours: 3, Reports: 2}
	equal(t, "cells", found, []lectern.MetricCell{
		{Day: 100, Surface: lectern.SurfaceHome, Position: 2, MetricSums: lectern.MetricSums{Tally: twice, KeptWeight: 8}},
		{Day: 101, Position: lectern.NoPosition, MetricSums: lectern.MetricSums{Tally: twice}},
	})
	found, err = m.MetricCells(ctx, lectern.MetricQuery{From: 100, To: 101, Arms: true, By: []lectern.MetricDimension{lectern.ByExperiment, lectern.ByArm}})
	ok(t, err)
	equal(t, "arms", found, []lectern.MetricCell{{Experiment: "x", Arm: "a", MetricSums: lectern.MetricSums{Tally: twice}}})
	seen, err := m.MetricCourses(ctx, 100, 101, 7)
	ok(t, err)
	equal(t, "courses", seen, []lectern.MetricCourse{{Day: 100, CourseID: "c1", Impressions: 6, Stars: 9}}, cmpopts.IgnoreFields(lectern.MetricCourse{}, "Provider"))
	lists, taken, err := m.MetricMarks(ctx, lectern.MetricsInUse, []string{"r1", "r2"}, []lectern.TakenKey{{Person: person, CourseID: "c1"}, {Person: person, CourseID: "c2"}})
	ok(t, err)
	equal(t, "marks of lists", lists, map[string]lectern.ListMark{"r1": {RankingID: "r1", Person: person, State: "seen"}})
	equal(t, "marks of courses", taken, map[lectern.TakenKey]string{{Person: person, CourseID: "c1"}: "taken"})

	sums := map[int][]lectern.Tally{}
	for _, split := range []int{100, 101} {
		ok(t, s.DaySums(ctx, 90, split, 110, func(before, after lectern.Tally) error {
			sums[split] = append(sums[split], before, after)
			return nil
		}))
	}
	ok(t, s.DaySums(ctx, 100, 100, 100, func(_, after lectern.Tally) error {
		equal(t, "one day", after, twice)
		return nil
	}))
	equal(t, "sums of days before and after", sums, map[int][]lectern.Tally{100: {{}, twice}}) // who did nothing after is left out

	ok(t, s.DeleteLearner(ctx, ref))
	spans, err := m.LearnerSpans(ctx, 0, 200, 1)
	ok(t, err)
	if len(spans) > 0 {
		t.Errorf("days of an erased learner: %v", spans)
	}
	b.From, b.To.Events = b.To, 10
	wantCode(t, m.ApplyMetrics(ctx, b), lectern.CodePrecondition) // somebody in it is gone
}

// What is counted anew is not seen until it takes the place of what is in use, at once;
// what happens to people meanwhile happens to both.
func testMetricsAnew(t *testing.T, s Store) {
	ctx, m := t.Context(), metricStore(t, s)
	putCourses(t, s, "c1")
	must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{ID: "ada"}, {ID: "bob"}}))
	person := func(ref lectern.LearnerRef) int64 { t.Helper(); return must[int64](t)(s.ProfileKey(ctx, ref)) }
	_, err := s.PutFeedback(ctx, lectern.LearnerRef{AnonymousID: "v"}, lectern.Feedback{ID: "1", CourseID: "c1", Kind: lectern.FeedbackMore, At: noon1})
	ok(t, err)
	visitor, ada, bob := person(lectern.LearnerRef{AnonymousID: "v"}), person(lectern.LearnerRef{ID: "ada"}), person(lectern.LearnerRef{ID: "bob"})
	lists := func(want float64) {
		t.Helper()
		found := must[[]lectern.MetricCell](t)(m.MetricCells(ctx, lectern.MetricQuery{From: 0, To: 200}))
		equal(t, "lists", found[0].Lists, want)
	}
	at := func(run lectern.MetricRun) lectern.MetricProgress {
		t.Helper()
		return must[lectern.MetricProgress](t)(m.MetricProgress(ctx, run))
	}
	b := sumsOf(bob)
	ok(t, m.ApplyMetrics(ctx, b))
	lists(2)
	wantCode(t, m.UseMetrics(ctx, lectern.MetricProgress{}), lectern.CodePrecondition) // nothing is counted anew

	ok(t, m.StartMetrics(ctx, "e"))
	for _, p := range []int64{visitor, ada, bob} {
		b := sumsOf(p)
		b.Run, b.From, b.To.Definition = lectern.MetricsAnew, at(lectern.MetricsAnew), "e"
		b.To.Events, b.To.Merges, b.Lists[0].RankingID = b.From.Events+1, b.From.Merges, fmt.Sprint("r", p)
		ok(t, m.ApplyMetrics(ctx, b))
		wantCode(t, m.ApplyMetrics(ctx, b), lectern.CodePrecondition)
	}
	lists(2)
	equal(t, "progress in use", at(lectern.MetricsInUse), b.To)
	before := at(lectern.MetricsAnew)
	ok(t, s.MergeVisitor(ctx, "v", "ada"))
	ok(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: "bob"}))
	merged := must[[]lectern.TakenMark](t)(m.MergedMarks(ctx, lectern.MetricsAnew, 10))
	if len(merged) != 1 || merged[0].Person != ada || merged[0].State != "taken" {
		t.Errorf("marks of a visitor: %+v", merged)
	}
	equal(t, "marks in use", len(must[[]lectern.TakenMark](t)(m.MergedMarks(ctx, lectern.MetricsInUse, 10))), 0)
	wantCode(t, m.UseMetrics(ctx, before), lectern.CodePrecondition) // people have become one
	lists(2)
	ok(t, m.UseMetrics(ctx, at(lectern.MetricsAnew)))
	lists(6)
	equal(t, "days", must[[]lectern.LearnerSpan](t)(m.LearnerSpans(ctx, 0, 200, 1)), []lectern.LearnerSpan{{Day: 100, Learners: 1, Hours: 3, Squares: 9}})
	equal(t, "marks in use", len(must[[]lectern.TakenMark](t)(m.MergedMarks(ctx, lectern.MetricsInUse, 10))), 1)
	equal(t, "nothing is counted anew any more", at(lectern.MetricsAnew), lectern.MetricProgress{})
	now := at(lectern.MetricsInUse)
	equal(t, "definition", now.Definition, "e")
	wantCode(t, m.UseMetrics(ctx, lectern.MetricProgress{}), lectern.CodePrecondition)
	b = sumsOf(ada)
	b.From = b.To
	wantCode(t, m.ApplyMetrics(ctx, b), lectern.CodePrecondition) // a step from before the switch
	b.From, b.To.Events = now, 99
	ok(t, m.ApplyMetrics(ctx, b))
	lists(8)
}

func testFeedbackLog(t *testing.T, s Store) {
	ctx, m := t.Context(), metricStore(t, s)
	putCourses(t, s, "c1")
	said := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	ada, visitor := lectern.LearnerRef{ID: "ada"}, lectern.LearnerRef{AnonymousID: "v"}
	say := func(ref lectern.LearnerRef, id string, kind lectern.FeedbackKind) {
		t.Helper()
		_, err := s.PutFeedback(ctx, ref, lectern.Feedback{ID: id, CourseID: "c1", Kind: kind, At: said, Reason: reasonOf(kind), RankingID: "r1"})
		ok(t, err)
	}
	say(ada, "1", lectern.FeedbackMore)
	say(ada, "1", lectern.FeedbackMore) // nothing new
	say(ada, "2", lectern.FeedbackMore) // in place of the first
	ok(t, s.DeleteFeedback(ctx, ada, "2"))
	say(visitor, "3", lectern.FeedbackReport)
	say(ada, "4", lectern.FeedbackReport)
	ok(t, s.MergeVisitor(ctx, "v", "ada")) // of the two reports one stays
	person, err := s.ProfileKey(ctx, ada)
	ok(t, err)
	log, err := m.FeedbackChanges(ctx, 0, 100)
	ok(t, err)
	var signs []int
	standing := map[lectern.FeedbackKind]int{}
	for _, c := range log {
		signs = append(signs, c.Sign)
		standing[c.Kind] += c.Sign
		if c.Person != person || c.CourseID != "c1" || c.RankingID != "r1" || !c.At.Equal(said) {
			t.Errorf("%+v", c)
		}
	}
	equal(t, "signs", signs, []int{1, -1, 1, -1, 1, 1, -1})
	equal(t, "standing", standing, map[lectern.FeedbackKind]int{lectern.FeedbackMore: 0, lectern.FeedbackReport: 1})
	ok(t, s.DeleteLearner(ctx, ada))
	gone, err := m.FeedbackChanges(ctx, 0, 100)
	ok(t, err)
	for i := range log {
		log[i].Person, log[i].RankingID = 0, ""
	}
	if d := cmp.Diff(log, gone); d != "" {
		t.Errorf("the log after an erasure:\n%s", d)
	}
}

func reasonOf(kind lectern.FeedbackKind) lectern.ReportReason {
	if kind == lectern.FeedbackReport {
		return lectern.ReportOther
	}
	return ""
}
