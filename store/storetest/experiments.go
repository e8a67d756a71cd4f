package storetest

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// trial is version n of an experiment.
func trial(id string, n int64, state lectern.ExperimentState) lectern.Experiment {
	return lectern.Experiment{
		ID: id, Version: n, State: state, Body: json.RawMessage(fmt.Sprintf(`{"n": %d,  "name": "ü"}`, n)),
		CreatedAt: noon1, UpdatedAt: noon1.Add(time.Duration(n) * time.Hour),
	}
}

// trialChange is the history's entry for a version.
func trialChange(e lectern.Experiment, action string) lectern.ExperimentChange {
	return lectern.ExperimentChange{
		Experiment: e.ID, Version: e.Version, Action: action, Author: "key", Comment: "because", At: e.UpdatedAt, Body: e.Body,
	}
}

func testExperiments(t *testing.T, s Store) {
	ctx := t.Context()
	read := func(revision int64, want ...lectern.Experiment) {
		t.Helper()
		all, got, err := s.Experiments(ctx)
		ok(t, err)
		equal(t, "revision", got, revision)
		equal(t, "revision alone", must[int64](t)(s.ExperimentRevision(ctx)), revision)
		equal(t, "how many", len(all), len(want))
		for i := range want {
			equal(t, "experiment", all[i], want[i])
		}
	}
	read(0)
	b, a := trial("b", 1, lectern.ExperimentDraft), trial("a", 1, lectern.ExperimentDraft)
	equal(t, "first", must[int64](t)(s.PutExperiment(ctx, b, trialChange(b, "created"), 0)), int64(1))
	equal(t, "second", must[int64](t)(s.PutExperiment(ctx, a, trialChange(a, "created"), 1)), int64(2))
	read(2, a, b)
	run := trial("b", 2, lectern.ExperimentRunning)
	equal(t, "third", must[int64](t)(s.PutExperiment(ctx, run, trialChange(run, "started"), 2)), int64(3))
	read(3, a, run)
	gone := trialChange(trial("a", 2, lectern.ExperimentDraft), "deleted")
	equal(t, "delete", must[int64](t)(s.DeleteExperiment(ctx, gone, 3)), int64(4))
	read(4, run)
	_, err := s.DeleteExperiment(ctx, gone, 4)
	wantCode(t, err, lectern.CodeNotFound)
	read(4, run)

	history := must[[]lectern.ExperimentChange](t)(s.ExperimentChanges(ctx, "a"))
	equal(t, "history", len(history), 2)
	for i, want := range []lectern.ExperimentChange{trialChange(a, "created"), gone} {
		want.Seq = history[i].Seq
		equal(t, "entry", history[i], want)
	}
	equal(t, "history of nothing", len(must[[]lectern.ExperimentChange](t)(s.ExperimentChanges(ctx, "zzz"))), 0)
}

func testExperimentsReject(t *testing.T, s Store) {
	ctx := t.Context()
	good := trial("a", 1, lectern.ExperimentDraft)
	for name, change := range map[string]func(*lectern.Experiment){
		"no id":      func(e *lectern.Experiment) { e.ID = "" },
		"no version": func(e *lectern.Experiment) { e.Version = 0 },
		"no state":   func(e *lectern.Experiment) { e.State = "" },
		"no object":  func(e *lectern.Experiment) { e.Body = json.RawMessage(`[1]`) },
	} {
		bad := good
		change(&bad)
		if _, err := s.PutExperiment(ctx, bad, trialChange(bad, "created"), 0); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := s.PutExperiment(ctx, good, trialChange(good, "created"), 3)
	wantCode(t, err, lectern.CodePrecondition)
	all, revision, err := s.Experiments(ctx)
	ok(t, err)
	equal(t, "stored", len(all), 0)
	equal(t, "revision", revision, int64(0))
}

// Of writers that start from one revision one succeeds.
func testExperimentsRace(t *testing.T, s Store) {
	const writers = 4
	var group sync.WaitGroup
	won := make([]bool, writers)
	for i := range writers {
		group.Go(func() {
			e := trial(fmt.Sprintf("e%d", i), 1, lectern.ExperimentDraft)
			_, err := s.PutExperiment(t.Context(), e, trialChange(e, "created"), 0)
			won[i] = err == nil
			if err != nil && lectern.ErrorCode(err) != lectern.CodePrecondition {
				t.Error(err)
			}
		})
	}
	group.Wait()
	n := 0
	for _, w := range won {
		if w {
			n++
		}
	}
	equal(t, "winners", n, 1)
	all, revision, err := s.Experiments(t.Context())
	ok(t, err)
	equal(t, "stored", len(all), 1)
	equal(t, "revision", revision, int64(1))
}

// What an experiment holds is not pruned; what does not exist cannot be held.
func testExperimentHolds(t *testing.T, s Store) {
	ctx := t.Context()
	for range 4 {
		must[int64](t)(s.PutArtefact(ctx, lectern.Artefact{Kind: "model", Fingerprint: "f"}, []byte("x")))
	}
	e := trial("a", 1, lectern.ExperimentRunning)
	e.Holds = []lectern.ArtefactRef{{Kind: "model", Version: 9}}
	_, err := s.PutExperiment(ctx, e, trialChange(e, "started"), 0)
	wantCode(t, err, lectern.CodeNotFound)
	e.Holds[0].Version = 1
	must[int64](t)(s.PutExperiment(ctx, e, trialChange(e, "started"), 0))
	all, _, err := s.Experiments(ctx)
	ok(t, err)
	equal(t, "held", all[0], e)
	left := func(want ...int64) {
		t.Helper()
		must[int](t)(s.PruneArtefacts(ctx, "model", 1))
		var got []int64
		for _, a := range must[[]lectern.Artefact](t)(s.Artefacts(ctx, "model")) {
			got = append(got, a.Version)
		}
		equal(t, "kept", got, want)
	}
	left(4, 1)
	e = trial("a", 2, lectern.ExperimentStopped)
	must[int64](t)(s.PutExperiment(ctx, e, trialChange(e, "stopped"), 1))
	left(4)
}

// shownIn is a list of an arm.
func shownIn(id string, ref lectern.LearnerRef, at time.Time, arms ...string) lectern.Ranking {
	r := lectern.Ranking{ID: id, Learner: ref, Surface: lectern.SurfaceHome, CreatedAt: at, Segment: lectern.SegmentActive}
	for i := 0; i < len(arms); i += 2 {
		r.Arms = append(r.Arms, lectern.ArmRef{Experiment: arms[i], Arm: arms[i+1]})
	}
	return r
}

func testExposures(t *testing.T, s Store) {
	ctx := t.Context()
	ann, bob := lectern.LearnerRef{ID: "ann"}, lectern.LearnerRef{ID: "bob"}
	must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{ID: "ann"}, {ID: "bob"}}))
	hour := func(n int) time.Time { return noon1.Add(time.Duration(n) * time.Hour) }
	ok(t, s.PutRankings(ctx, []lectern.Ranking{
		shownIn("r2", ann, hour(2), "x", "a", "y", "b"),
		shownIn("r1", ann, hour(1), "x", "a"), // made before, stored after
		shownIn("r3", bob, hour(3), "x", "b"),
		shownIn("r4", lectern.LearnerRef{ID: "nobody"}, hour(3), "x", "a"),
		shownIn("r5", lectern.LearnerRef{}, hour(3), "x", "a"),
	}))
	want := func(ref lectern.LearnerRef, want ...lectern.Exposure) {
		t.Helper()
		equal(t, "exposures", must[[]lectern.Exposure](t)(s.Exposures(ctx, ref)), want)
	}
	exposed := func(x, arm, ranking string, n int, crossed bool) lectern.Exposure {
		return lectern.Exposure{Experiment: x, Arm: arm, At: hour(n), RankingID: ranking, Crossed: crossed, Segment: lectern.SegmentActive}
	}
	want(ann, exposed("x", "a", "r1", 1, false), exposed("y", "b", "r2", 2, false))
	want(bob, exposed("x", "b", "r3", 3, false))
	want(lectern.LearnerRef{ID: "nobody"})
	want(lectern.LearnerRef{})

	// Again, later, and in another arm.
	ok(t, s.PutRankings(ctx, []lectern.Ranking{shownIn("r1", ann, hour(1), "x", "a"), shownIn("r6", ann, hour(6), "x", "a")}))
	want(ann, exposed("x", "a", "r1", 1, false), exposed("y", "b", "r2", 2, false))
	ok(t, s.PutRankings(ctx, []lectern.Ranking{shownIn("r7", ann, hour(7), "x", "b"), shownIn("r8", bob, hour(2), "x", "a")}))
	want(ann, exposed("x", "a", "r1", 1, true), exposed("y", "b", "r2", 2, false))
	want(bob, exposed("x", "a", "r8", 2, true))
	ok(t, s.PutRankings(ctx, []lectern.Ranking{shownIn("r9", ann, hour(9), "z", "a"), shownIn("r10", ann, hour(8), "z", "b")}))
	got := must[[]lectern.Exposure](t)(s.Exposures(ctx, ann))
	equal(t, "both arms at once", got[2], exposed("z", "b", "r10", 8, true))
}

// What a visitor was exposed to is the learner's after sign-in; who met two arms so
// is marked.
func testExposuresSignIn(t *testing.T, s Store) {
	ctx := t.Context()
	ann, visitor := lectern.LearnerRef{ID: "ann"}, lectern.LearnerRef{AnonymousID: "v"}
	must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{ID: "ann"}}))
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(newCourse("c"))))
	must[[]lectern.WriteResult](t)(s.AppendEvents(ctx, []lectern.EventWrite{{Event: lectern.Event{
		ID: "e1", Type: lectern.EventClick, AnonymousID: "v", CourseID: "c", OccurredAt: noon1,
	}}}))
	hour := func(n int) time.Time { return noon1.Add(time.Duration(n) * time.Hour) }
	ok(t, s.PutRankings(ctx, []lectern.Ranking{
		shownIn("r1", visitor, hour(1), "alone", "a", "differs", "a", "same", "a"),
		shownIn("r2", ann, hour(2), "differs", "b", "own", "b", "same", "a"),
	}))
	ok(t, s.MergeVisitor(ctx, "v", "ann"))
	exposed := func(x, arm, ranking string, n int, crossed bool) lectern.Exposure {
		return lectern.Exposure{Experiment: x, Arm: arm, At: hour(n), RankingID: ranking, Crossed: crossed, Segment: lectern.SegmentActive}
	}
	equal(t, "exposures", must[[]lectern.Exposure](t)(s.Exposures(ctx, ann)), []lectern.Exposure{
		exposed("alone", "a", "r1", 1, false), exposed("differs", "a", "r1", 1, true), exposed("own", "b", "r2", 2, false),
		exposed("same", "a", "r1", 1, false),
	})
}

func testExposuresErase(t *testing.T, s Store) {
	ctx := t.Context()
	ann := lectern.LearnerRef{ID: "ann"}
	must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{ID: "ann"}}))
	ok(t, s.PutRankings(ctx, []lectern.Ranking{shownIn("r1", ann, noon1, "x", "a")}))
	equal(t, "before", len(must[[]lectern.Exposure](t)(s.Exposures(ctx, ann))), 1)
	ok(t, s.DeleteLearner(ctx, ann))
	must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{ID: "ann"}}))
	equal(t, "after", len(must[[]lectern.Exposure](t)(s.Exposures(ctx, ann))), 0)
}

// fillExperimentsForCopy puts experiments, with what they hold, and people in them
// into a store.
func fillExperimentsForCopy(t *testing.T, s Store) {
	t.Helper()
	ctx := t.Context()
	version := must[int64](t)(s.PutArtefact(ctx, lectern.Artefact{Kind: "held", Fingerprint: "f"}, []byte("x")))
	e := trial("x", 1, lectern.ExperimentRunning)
	e.Holds = []lectern.ArtefactRef{{Kind: "held", Version: version}}
	must[int64](t)(s.PutExperiment(ctx, e, trialChange(e, "started"), 0))
	d := trial("ü", 1, lectern.ExperimentDraft)
	must[int64](t)(s.PutExperiment(ctx, d, trialChange(d, "created"), 1))
	ok(t, s.PutRankings(ctx, []lectern.Ranking{
		shownIn("exposed", lectern.LearnerRef{ID: "l1"}, noon1, "x", "a", "y", "b"),
		shownIn("crossed", lectern.LearnerRef{ID: "l1"}, noon1.Add(time.Hour), "x", "b"),
	}))
}

// testPersonDays reads people without any day; days come with the metrics.
func testPersonDays(t *testing.T, s Store) {
	ctx := t.Context()
	must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{ID: "ann"}, {ID: "bob"}}))
	ok(t, s.PutRankings(ctx, []lectern.Ranking{
		shownIn("r1", lectern.LearnerRef{ID: "ann"}, noon1, "x", "a"), shownIn("r2", lectern.LearnerRef{ID: "bob"}, noon1, "x", "b"),
		shownIn("r3", lectern.LearnerRef{ID: "bob"}, noon1, "y", "b"),
	}))
	var got []lectern.PersonDays
	ok(t, s.PersonDays(ctx, "x", 28, func(p lectern.PersonDays) error {
		got = append(got, p)
		return nil
	}))
	equal(t, "people", len(got), 2)
	for i, arm := range []string{"a", "b"} {
		equal(t, "exposure", got[i].Exposure, lectern.Exposure{
			Experiment: "x", Arm: arm, At: noon1, RankingID: fmt.Sprintf("r%d", i+1), Segment: lectern.SegmentActive,
		})
		equal(t, "days", len(got[i].Days), 0)
	}
	ok(t, s.DaySums(ctx, 0, 0, 100_000, func(_, _ lectern.Tally) error {
		t.Error("a day of nobody")
		return nil
	}))
}

func testActedLists(t *testing.T, s Store) {
	ctx := t.Context()
	ann := lectern.LearnerRef{ID: "ann"}
	must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{ID: "ann"}, {ID: "bob"}}))
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(newCourse("c"), newCourse("d"))))
	list := func(id string, n int, arms ...string) lectern.Ranking {
		r := shownIn(id, ann, noon1.Add(time.Duration(n)*time.Hour), arms...)
		r.Items = []lectern.RankedItem{{CourseID: "c", Team: 1}, {CourseID: "d", Team: 2}}
		return r
	}
	ok(t, s.PutRankings(ctx, []lectern.Ranking{list("r1", 1, "x", "interleaved"), list("r2", 2), list("r3", 3, "x", "interleaved"), list("r4", 4, "x", "interleaved")}))
	act := func(id, who, ranking, course string, kind lectern.EventType) lectern.EventWrite {
		return lectern.EventWrite{Event: lectern.Event{ID: id, Type: kind, LearnerID: who, CourseID: course, RankingID: ranking, OccurredAt: noon1}}
	}
	must[[]lectern.WriteResult](t)(s.AppendEvents(ctx, []lectern.EventWrite{
		act("e1", "ann", "r3", "d", lectern.EventClick), act("e2", "ann", "r3", "d", lectern.EventEnrol), act("e3", "ann", "r1", "c", lectern.EventSave),
		act("e4", "ann", "r2", "c", lectern.EventClick), act("e5", "ann", "r4", "c", lectern.EventView), act("e6", "bob", "r4", "c", lectern.EventClick),
	}))
	var got []string
	ok(t, s.ActedLists(ctx, "x", func(l lectern.ActedList) error {
		got = append(got, fmt.Sprint(l.Ranking.ID, l.Courses, l.Ranking.Items[1].Team))
		return nil
	}))
	equal(t, "lists", got, []string{"r1[c] 2", "r3[d d] 2"})
}

func testExperimentLooks(t *testing.T, s Store) {
	ctx := t.Context()
	equal(t, "no look", must[lectern.ExperimentLook](t)(s.ExperimentLook(ctx, "x")), lectern.ExperimentLook{Experiment: "x"})
	l := lectern.ExperimentLook{Experiment: "x", Body: json.RawMessage(`{"day": 3}`), At: noon1}
	ok(t, s.PutExperimentLook(ctx, l))
	wantCode(t, s.PutExperimentLook(ctx, l), lectern.CodePrecondition)
	l.Revision = 1
	equal(t, "first", must[lectern.ExperimentLook](t)(s.ExperimentLook(ctx, "x")), l)
	l.Body, l.At = json.RawMessage(`{"day": 4}`), noon1.Add(time.Hour)
	ok(t, s.PutExperimentLook(ctx, l))
	wantCode(t, s.PutExperimentLook(ctx, l), lectern.CodePrecondition)
	l.Revision = 2
	equal(t, "second", must[lectern.ExperimentLook](t)(s.ExperimentLook(ctx, "x")), l)
	equal(t, "another", must[lectern.ExperimentLook](t)(s.ExperimentLook(ctx, "y")).Revision, int64(0))
}
