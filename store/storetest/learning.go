package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

func credit(ranking, course, name string, value float64, position int, explored bool) lectern.Credit {
	return lectern.Credit{
		Reward:  lectern.Reward{RankingID: ranking, CourseID: course, Name: name, Value: value, At: noon1.Add(time.Minute)},
		Surface: lectern.SurfaceHome, Position: position, Explored: explored, Made: noon1,
	}
}

// learnSomething takes one step with some credits and a version.
func learnSomething(t *testing.T, s Store) lectern.LearningState {
	t.Helper()
	ctx := t.Context()
	state := must[lectern.LearningState](t)(s.StartLearning(ctx, noon1))
	must[int64](t)(s.ApplyLearning(ctx, lectern.LearningStep{
		Run: state.Run, Revision: state.Revision, Position: 7, Features: "f1", Posterior: []byte{1, 0, 2}, Publish: true, At: noon1,
		Credits: []lectern.Credit{
			credit("r1", "a", lectern.RewardSeen, 0, 0, false), credit("r1", "b", lectern.RewardSeen, 0, 3, true),
			credit("r1", "b", "click", 0.25, 3, true), credit("r2", "a", lectern.RewardSeen, 0, 0, false),
			credit("gone", "a", lectern.RewardSeen, 0, 1, false),
		},
	}))
	return must[lectern.LearningState](t)(s.Learning(ctx, 0))
}

func ranked(t *testing.T, s Store) {
	t.Helper()
	putCourses(t, s, "a", "b")
	ok(t, errOf(s.PutLearners(t.Context(), []lectern.Learner{{ID: "ann"}, {ID: "v", Anonymous: true}})))
	explored := rankedFor("r1", lectern.LearnerRef{ID: "ann"}, "a", "b")
	explored.Exploration = &lectern.Exploration{Policy: "thompson", Posterior: 1, Places: []int{1}, Slate: []int{0, 1}}
	ok(t, s.PutRankings(t.Context(), []lectern.Ranking{explored, rankedFor("r2", lectern.LearnerRef{AnonymousID: "v"}, "a")}))
}

func testLearning(t *testing.T, s Store) {
	ctx := t.Context()
	_, err := s.Learning(ctx, 0)
	wantCode(t, err, lectern.CodeNotFound)
	none, err := s.Rewards(ctx, 0, []string{"r1"})
	ok(t, err)
	equal(t, "rewards before anything", len(none), 0)
	ranked(t, s)
	state := learnSomething(t, s)
	equal(t, "the state", state, lectern.LearningState{
		Run: state.Run, Active: true, Position: 7, Revision: 1, Features: "f1", Posterior: []byte{1, 0, 2}, Published: 1, UpdatedAt: noon1,
	})
	reward := func(ranking, course, name string, value float64) lectern.Reward {
		return lectern.Reward{RankingID: ranking, CourseID: course, Name: name, Value: value, At: noon1.Add(time.Minute)}
	}
	got, err := s.Rewards(ctx, 0, []string{"r2", "r1", "gone", "unknown"})
	ok(t, err)
	equal(t, "rewards", got, []lectern.Reward{
		reward("r1", "a", "seen", 0), reward("r1", "b", "click", 0.25), reward("r1", "b", "seen", 0), reward("r2", "a", "seen", 0),
	})
	equal(t, "counts", must[[]lectern.ExplorationCount](t)(s.ExplorationCounts(ctx, noon1)), []lectern.ExplorationCount{
		{Surface: "home", Position: 0, Name: "seen", N: 2}, {Surface: "home", Position: 1, Name: "seen", N: 1},
		{Surface: "home", Position: 3, Explored: true, Name: "click", N: 1, Value: 0.25}, {Surface: "home", Position: 3, Explored: true, Name: "seen", N: 1},
	})
	equal(t, "counts of later lists", len(must[[]lectern.ExplorationCount](t)(s.ExplorationCounts(ctx, noon1.Add(time.Hour)))), 0)

	// Who starts from what no longer is, stores nothing.
	stale := lectern.LearningStep{Run: state.Run, Revision: 0, Position: 9, Posterior: []byte{9}, Publish: true, At: noon1,
		Credits: []lectern.Credit{credit("r2", "b", "seen", 0, 1, false)}}
	_, err = s.ApplyLearning(ctx, stale)
	wantCode(t, err, lectern.CodePrecondition)
	stale.Run = 99
	_, err = s.ApplyLearning(ctx, stale)
	wantCode(t, err, lectern.CodePrecondition)
	equal(t, "after stale steps", must[lectern.LearningState](t)(s.Learning(ctx, 0)), state)
	equal(t, "versions after stale steps", len(must[[]lectern.PosteriorVersion](t)(s.Posteriors(ctx, 9))), 1)
	// Nor does who counts again.
	again := lectern.LearningStep{Run: state.Run, Revision: 1, Position: 9, Features: "f1", At: noon1,
		Credits: []lectern.Credit{credit("r2", "b", "seen", 0, 1, false), credit("r1", "b", "click", 0.25, 3, true)}}
	if _, err = s.ApplyLearning(ctx, again); err == nil {
		t.Error("a reward counted twice")
	}
	equal(t, "after a reward that had counted", must[lectern.LearningState](t)(s.Learning(ctx, 0)), state)

	// A step without credits moves on; what is published stays so.
	equal(t, "no version", must[int64](t)(s.ApplyLearning(ctx, lectern.LearningStep{
		Run: state.Run, Revision: 1, Position: 12, Features: "f1", Posterior: []byte{1, 0, 2}, At: noon1,
	})), int64(0))
	moved := must[lectern.LearningState](t)(s.Learning(ctx, state.Run))
	equal(t, "moved on", []int64{moved.Position, moved.Revision, moved.Published}, []int64{12, 2, 1})

	// Each surface is counted by itself, and so is what nobody knows the surface of.
	elsewhere := credit("r2", "b", "seen", 0, 0, false)
	elsewhere.Surface = lectern.SurfaceSearch
	unknown := credit("r2", "b", "event:click", 0, 0, false)
	unknown.Surface = ""
	must[int64](t)(s.ApplyLearning(ctx, lectern.LearningStep{
		Run: state.Run, Revision: 2, Position: 13, Features: "f1", Posterior: []byte{1, 0, 2}, At: noon1, Credits: []lectern.Credit{elsewhere, unknown},
	}))
	counts := must[[]lectern.ExplorationCount](t)(s.ExplorationCounts(ctx, noon1))
	equal(t, "counts of no surface", counts[0], lectern.ExplorationCount{Name: "event:click", N: 1})
	equal(t, "counts of the first place", counts[1], lectern.ExplorationCount{Surface: "home", Name: "seen", N: 2})
	equal(t, "counts of another surface", counts[len(counts)-1], lectern.ExplorationCount{Surface: "search", Name: "seen", N: 1})

	// Everything follows a visitor who signs in, and goes with who is erased.
	ok(t, s.MergeVisitor(ctx, "v", "ann"))
	ok(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: "ann"}))
	left, err := s.Rewards(ctx, 0, []string{"r1", "r2"})
	ok(t, err)
	equal(t, "rewards after an erasure", len(left), 0)
	equal(t, "counts after an erasure", len(must[[]lectern.ExplorationCount](t)(s.ExplorationCounts(ctx, noon1))), 6)
}

func testLearningRuns(t *testing.T, s Store) {
	ctx := t.Context()
	ranked(t, s)
	first := learnSomething(t, s)
	second := must[lectern.LearningState](t)(s.StartLearning(ctx, noon1))
	if second.Run <= first.Run || second.Active || second.Position != 0 || len(second.Posterior) != 0 {
		t.Errorf("the second run begins as %+v", second)
	}
	third := must[lectern.LearningState](t)(s.StartLearning(ctx, noon1))
	_, err := s.ApplyLearning(ctx, lectern.LearningStep{Run: second.Run, At: noon1})
	wantCode(t, err, lectern.CodePrecondition) // it has ended
	equal(t, "the one in use", must[lectern.LearningState](t)(s.Learning(ctx, 0)).Run, first.Run)
	// What counted in one run has not counted in another.
	must[int64](t)(s.ApplyLearning(ctx, lectern.LearningStep{Run: third.Run, Position: 5, Posterior: []byte{5}, At: noon1,
		Credits: []lectern.Credit{credit("r1", "b", "click", 0.5, 3, true)}}))
	mine, err := s.Rewards(ctx, third.Run, []string{"r1"})
	ok(t, err)
	equal(t, "rewards of the third", len(mine), 1)
	wantCode(t, s.UseLearning(ctx, third.Run, 0), lectern.CodePrecondition)
	wantCode(t, s.UseLearning(ctx, 99, 0), lectern.CodeNotFound)
	ok(t, s.UseLearning(ctx, third.Run, 1))
	now := must[lectern.LearningState](t)(s.Learning(ctx, 0))
	equal(t, "in use", []int64{now.Run, now.Position}, []int64{third.Run, 5})
	_, err = s.ApplyLearning(ctx, lectern.LearningStep{Run: first.Run, Revision: first.Revision, At: noon1})
	wantCode(t, err, lectern.CodePrecondition)
	must[int](t)(s.PruneLearning(ctx, noon1.Add(-time.Hour)))
	for run, want := range map[int64]int{0: 1, third.Run: 1} {
		rewards, err := s.Rewards(ctx, run, []string{"r1", "r2"})
		ok(t, err)
		equal(t, "rewards that are kept", len(rewards), want)
	}
	if next := must[lectern.LearningState](t)(s.StartLearning(ctx, noon1)); next.Run <= third.Run {
		t.Errorf("run %d comes after %d", next.Run, third.Run)
	}
}

func testPosteriors(t *testing.T, s Store) {
	ctx := t.Context()
	_, err := s.Posterior(ctx, 0)
	wantCode(t, err, lectern.CodeNotFound)
	ranked(t, s) // r1 was explored by version 1
	state := must[lectern.LearningState](t)(s.StartLearning(ctx, noon1))
	for i := range 4 {
		version := must[int64](t)(s.ApplyLearning(ctx, lectern.LearningStep{
			Run: state.Run, Revision: int64(i), Position: int64(10 * i), Features: "f1", Posterior: []byte{byte(i)}, Publish: true,
			At: noon1.Add(time.Duration(i) * time.Hour),
		}))
		equal(t, "version", version, int64(i+1))
	}
	third := lectern.PosteriorVersion{Version: 3, Features: "f1", Position: 20, CreatedAt: noon1.Add(2 * time.Hour), Body: []byte{2}}
	equal(t, "one", must[lectern.PosteriorVersion](t)(s.Posterior(ctx, 3)), third)
	equal(t, "the newest", must[lectern.PosteriorVersion](t)(s.Posterior(ctx, 0)).Version, int64(4))
	third.Body = nil
	equal(t, "a list", must[[]lectern.PosteriorVersion](t)(s.Posteriors(ctx, 2))[1], third)
	equal(t, "pruned", must[int](t)(s.PruneLearning(ctx, noon1.Add(2*time.Hour))), 1) // the second
	_, err = s.Posterior(ctx, 2)
	wantCode(t, err, lectern.CodeNotFound)
	equal(t, "a list cites it", must[lectern.PosteriorVersion](t)(s.Posterior(ctx, 1)).Version, int64(1))
	equal(t, "pruned of all", must[int](t)(s.PruneLearning(ctx, noon1.Add(24*time.Hour))), 1)
	equal(t, "the newest stays", must[lectern.PosteriorVersion](t)(s.Posterior(ctx, 0)).Version, int64(4))
}

func testExplorationReports(t *testing.T, s Store) {
	ctx := t.Context()
	ranked(t, s)
	learnSomething(t, s)
	ann := lectern.LearnerRef{ID: "ann"}
	for _, f := range []lectern.Feedback{
		{ID: "f1", CourseID: "b", Kind: lectern.FeedbackReport, At: noon1.Add(time.Hour), RankingID: "r1", Reason: lectern.ReportOther},
		{ID: "f2", CourseID: "a", Kind: lectern.FeedbackReport, At: noon1.Add(time.Hour), Reason: lectern.ReportOther}, // of no list
		{ID: "f3", CourseID: "a", Kind: lectern.FeedbackLess, At: noon1.Add(time.Hour), RankingID: "r1"},
	} {
		putFeedback(t, s, ann, f, lectern.OutcomeCreated)
	}
	var reports []lectern.ExplorationCount
	for _, c := range must[[]lectern.ExplorationCount](t)(s.ExplorationCounts(ctx, noon1.Add(time.Minute))) {
		if c.Name == lectern.CountReports {
			reports = append(reports, c)
		}
	}
	equal(t, "reports", reports, []lectern.ExplorationCount{{Surface: "home", Explored: true, Name: lectern.CountReports, N: 1}})
}

// testLearningRaces lets leaders who all think that they lead take steps: of those that
// start from the same place one succeeds, and nothing counts twice.
func testLearningRaces(t *testing.T, s Store) {
	ctx := t.Context()
	ranked(t, s)
	ok(t, errOf(s.StartLearning(ctx, noon1)))
	var steps atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				state, err := s.Learning(ctx, 0)
				if err != nil {
					t.Error(err)
					return
				}
				_, err = s.ApplyLearning(ctx, lectern.LearningStep{Run: state.Run, Revision: state.Revision, Position: state.Position + 1, At: noon1})
				switch lectern.ErrorCode(err) {
				case lectern.CodePrecondition:
				case "":
					steps.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	state := must[lectern.LearningState](t)(s.Learning(ctx, 0))
	equal(t, "position", state.Position, steps.Load())
	equal(t, "revision", state.Revision, steps.Load())
}

func viewLearning(t *testing.T, s Store, out *view) {
	t.Helper()
	ctx := t.Context()
	var err error
	out.Lists, _, err = s.ScanRankings(ctx, 0, 1000, 9)
	ok(t, err)
	out.Outcomes, _, err = s.ScanOutcomes(ctx, 0, 1000, week, 9)
	ok(t, err)
	if out.Learning, err = s.Learning(ctx, 0); lectern.ErrorCode(err) == lectern.CodeNotFound {
		return
	}
	ok(t, err)
	out.Rewards = must[[]lectern.Reward](t)(s.Rewards(ctx, 0, []string{"k0", "k1"}))
	out.Explored = must[[]lectern.ExplorationCount](t)(s.ExplorationCounts(ctx, noon1))
	out.Posterior = must[lectern.PosteriorVersion](t)(s.Posterior(ctx, 0))
}
