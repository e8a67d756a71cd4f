package learn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
	"github.com/lectern-dev/lectern/store/sqlite"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// database is what tests fill and learners learn from.
type database interface {
	Store
	lectern.CourseStore
	lectern.LearnerStore
	lectern.EventStore
	lectern.RankingStore
	lectern.FeedbackStore
}

var (
	_ database = (*sqlite.Store)(nil)
	_ database = (*postgres.Store)(nil)
)

// onBoth runs a test on both databases, which are empty each time.
func onBoth(t *testing.T, test func(t *testing.T, s database)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db")})
		check(t, err)
		t.Cleanup(func() { check(t, s.Close()) })
		check(t, s.Migrate(t.Context()))
		test(t, s)
	})
	t.Run("postgres", func(t *testing.T) {
		cfg := postgres.DefaultConfig()
		cfg.DSN = pgtest.Start(t).DSN(t)
		s, err := postgres.Open(t.Context(), postgres.Options{Config: cfg})
		check(t, err)
		t.Cleanup(func() { check(t, s.Close()) })
		check(t, s.Migrate(t.Context()))
		test(t, s)
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func equal(t *testing.T, what string, got, want any, opts ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(want, got, opts...); diff != "" {
		t.Errorf("%s: -want +got\n%s", what, diff)
	}
}

// rankedList is a list of courses c0, c1, … of which the places explore.
func rankedList(id, learner string, n int, places ...int) lectern.Ranking {
	r := lectern.Ranking{
		ID: id, Learner: lectern.LearnerRef{ID: learner}, Surface: lectern.SurfaceHome, RequestHash: "h", ConfigVersion: "v1", CreatedAt: noon,
		Weights: []lectern.TermWeight{{Name: "quality", Weight: .5}, {Name: "novelty", Weight: .5}},
		Exploration: &lectern.Exploration{
			Policy: explore.PolicyThompson, Settings: "e1", Features: bandit.F1Name, Segment: lectern.SegmentActive, Places: places,
		},
	}
	for i := range n {
		v := float64(i) / float64(n)
		r.Items = append(r.Items, lectern.RankedItem{CourseID: fmt.Sprint("c", i), Score: 1 - v, Propensity: 1, Terms: []float64{v, 1 - v}})
		r.Exploration.Slate = append(r.Exploration.Slate, i)
		r.Exploration.Age = append(r.Exploration.Age, float64(i))
		r.Exploration.Evidence = append(r.Exploration.Evidence, float64(10*i))
		r.Exploration.Provider = append(r.Exploration.Provider, i)
	}
	return r
}

func event(id, learner string, kind lectern.EventType, course, list string, after time.Duration, value ...float64) lectern.EventWrite {
	e := lectern.Event{ID: id, Type: kind, LearnerID: learner, CourseID: course, RankingID: list, OccurredAt: noon.Add(after)}
	if len(value) > 0 {
		e.Value = &value[0]
	}
	return lectern.EventWrite{Event: e}
}

func appendAll(t *testing.T, s database, events ...lectern.EventWrite) {
	t.Helper()
	for _, r := range must[[]lectern.WriteResult](t)(s.AppendEvents(t.Context(), events)) {
		check(t, r.Err)
	}
}

type fixture struct {
	*Learner
	now time.Time
	cfg explore.Config
}

func (f *fixture) Current() (*explore.Config, string) { return &f.cfg, "e1" }

func learner(t *testing.T, s Store, change ...func(*Options, *Config)) *fixture {
	t.Helper()
	f := &fixture{now: noon.Add(time.Hour), cfg: explore.DefaultConfig()}
	o := Options{Store: s, Settings: f, Clock: func() time.Time { return f.now }, Log: slog.New(slog.DiscardHandler)}
	cfg := DefaultConfig()
	for _, c := range change {
		c(&o, &cfg)
	}
	f.Learner = must[*Learner](t)(New(o, cfg))
	return f
}

// learnAll takes steps to the end of the log.
func (f *fixture) learnAll(t *testing.T) {
	t.Helper()
	for {
		if moved := must[bool](t)(f.Step(t.Context())); !moved {
			return
		}
	}
}

func TestCredits(t *testing.T) { onBoth(t, testCredits) }

func testCredits(t *testing.T, s database) {
	ctx := t.Context()
	const day = 24 * time.Hour
	must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{ID: "ann"}, {ID: "no", Consent: &lectern.Consent{}}}))
	plain := rankedList("plain", "ann", 5)
	plain.Exploration = nil
	check(t, s.PutRankings(ctx, []lectern.Ranking{rankedList("r", "ann", 5, 3), rankedList("silent", "no", 5, 3), plain}))
	appendAll(
		t, s,
		event("e1", "ann", lectern.EventView, "c2", "r", time.Minute),    // seen: c2 alone
		event("e2", "ann", lectern.EventClick, "c3", "r", time.Minute),   // seen: c0, c1, c3; 0.2
		event("e3", "ann", lectern.EventClick, "c3", "r", 2*time.Minute), // nothing: it counts once
		event("e4", "ann", lectern.EventEnrol, "c3", "", day),            // put down to r: 0.4
		event("e5", "ann", lectern.EventProgress, "c3", "", 2*day, 0.04), // too little
		event("e6", "ann", lectern.EventProgress, "c3", "", 3*day, 0.5),  // 0.2
		event("e7", "ann", lectern.EventProgress, "c3", "", 4*day, 0.6),
		event("e8", "ann", lectern.EventClick, "c0", "r", day+time.Second), // too late for 0.2, but it is seen and clicked
		event("e9", "ann", lectern.EventComplete, "c3", "", 61*day),        // too late
		event("e10", "ann", lectern.EventDrop, "c3", "", 6*day),            // earns nothing, guardrails count it
		event("e11", "no", lectern.EventClick, "c3", "silent", time.Minute),
		event("e12", "ann", lectern.EventClick, "c1", "plain", time.Minute),
		event("e13", "ann", lectern.EventClick, "other", "r", time.Minute), // is none of its courses
	)
	f := learner(t, s, func(_ *Options, c *Config) { c.Batch = 4 })
	f.learnAll(t)
	var got []string
	for _, r := range must[[]lectern.Reward](t)(s.Rewards(ctx, 0, []string{"r", "silent", "plain"})) {
		got = append(got, fmt.Sprintf("%s %s %s %g", r.RankingID, r.CourseID, r.Name, r.Value))
	}
	equal(t, "rewards", got, []string{
		"r c0 event:click 0", "r c0 seen 0", "r c1 seen 0", "r c2 seen 0", "r c3 click 0.2", "r c3 enrol 0.4",
		"r c3 event:click 0", "r c3 event:drop 0", "r c3 event:enrol 0", "r c3 progress 0.2", "r c3 seen 0",
	})
	// What was learnt is what rows and rewards say, however it came.
	want := bandit.NewPosterior(bandit.F1(), f.cfg.Learning.Ridge, days(f.cfg.Learning.HalfLifeDays))
	list := rankedList("r", "ann", 5, 3)
	rowOf := func(place int) []float64 {
		row, ok := bandit.Seen(nil, &list, place)
		if !ok {
			t.Fatal("no row")
		}
		return row
	}
	for _, place := range []int{2, 0, 1, 3} {
		want.Add(rowOf(place), noon)
	}
	for _, value := range []float64{.2, .4, .2} {
		want.Reward(rowOf(3), value, noon)
	}
	state := must[lectern.LearningState](t)(s.Learning(ctx, 0))
	equal(t, "the posterior", state.Posterior, want.Encode())
	status := must[Status](t)(f.Status(ctx))
	equal(t, "what was learnt from", []int64{status.Learning.Impressions, status.Learning.Rewards}, []int64{4, 3})
	equal(t, "lag", status.Learning.Lag, 0.0)
	var names []string
	for _, r := range status.Rewards {
		names = append(names, r.Name)
	}
	for _, name := range names {
		if name == lectern.RewardSeen || name == lectern.CountReports || strings.HasPrefix(name, lectern.RewardEvent) {
			t.Errorf("%s is no reward of the settings", name)
		}
	}
	if len(names) == 0 || len(status.Acts) != 5 || status.Acts[0].Name != "seen" || status.Acts[0].Explored+status.Acts[0].Others != 4 || status.Acts[1].Name != "clicked" {
		t.Errorf("rewards %v, acts %+v", names, status.Acts)
	}
}

// TestEventsBeforeTheirList has people act on lists before those are stored, as happens
// whenever somebody clicks within the moment that recording takes.
func TestEventsBeforeTheirList(t *testing.T) { onBoth(t, testEventsBeforeTheirList) }

func testEventsBeforeTheirList(t *testing.T, s database) {
	ctx := t.Context()
	f := learner(t, s)
	must[[]lectern.WriteResult](t)(s.PutLearners(ctx, []lectern.Learner{{ID: "ann"}}))
	check(t, s.PutRankings(ctx, []lectern.Ranking{rankedList("stored", "ann", 5, 3)}))
	received := func(e lectern.EventWrite) lectern.EventWrite {
		e.Event.ReceivedAt = f.now
		return e
	}
	appendAll(
		t, s,
		received(event("e1", "ann", lectern.EventView, "c0", "stored", time.Minute)),
		received(event("e2", "ann", lectern.EventClick, "c1", "late", time.Minute)),
		received(event("e3", "ann", lectern.EventView, "c2", "stored", time.Minute)),
		received(event("e4", "ann", lectern.EventView, "c2", "never", time.Minute)),
		received(event("e5", "ann", lectern.EventView, "c3", "stored", time.Minute)),
	)
	count := func() (n int) {
		return len(must[[]lectern.Reward](t)(s.Rewards(ctx, 0, []string{"stored", "late", "never"})))
	}
	f.learnAll(t)
	equal(t, "before the list is stored", count(), 1) // c0 of stored
	check(t, f.Rebuild(ctx, nil))
	equal(t, "after a rebuild before the list is stored", count(), 1)
	check(t, s.PutRankings(ctx, []lectern.Ranking{rankedList("late", "ann", 5, 3)}))
	f.learnAll(t)
	equal(t, "once the list is stored", count(), 6) // and c0, c1 of late were seen, c1 clicked, for 0.2; c2 of stored
	f.now = f.now.Add(f.Learner.cfg.Settle)
	f.learnAll(t)
	equal(t, "when a list has not come", count(), 7) // and c3 of stored
}

// scatter has people meet lists and do things about them, some of it late.
func scatter(t *testing.T, s database, rng *rand.Rand, from, n int) {
	t.Helper()
	var lists []lectern.Ranking
	var events []lectern.EventWrite
	kinds := []lectern.EventType{lectern.EventView, lectern.EventClick, lectern.EventEnrol, lectern.EventProgress, lectern.EventComplete, lectern.EventDrop}
	for i := from; i < from+n; i++ {
		who := fmt.Sprint("l", i%7)
		list := rankedList(fmt.Sprint("r", i), who, 12, 3, 7)
		list.CreatedAt = noon.Add(time.Duration(i) * 6 * time.Hour)
		lists = append(lists, list)
		for j := range 1 + rng.IntN(6) {
			id := list.ID
			if rng.IntN(3) == 0 {
				id = "" // put down to what was cited before
			}
			e := event(fmt.Sprint("e", i, "-", j), who, kinds[rng.IntN(len(kinds))], fmt.Sprint("c", rng.IntN(12)), id,
				time.Duration(i)*6*time.Hour+time.Duration(rng.IntN(100))*time.Hour, rng.Float64())
			events = append(events, e)
		}
	}
	var people []lectern.Learner
	for i := range 7 {
		people = append(people, lectern.Learner{ID: fmt.Sprint("l", i)})
	}
	must[[]lectern.WriteResult](t)(s.PutLearners(t.Context(), people))
	check(t, s.PutRankings(t.Context(), lists))
	rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	appendAll(t, s, events...)
}

// learnt is all that a run knows.
type learnt struct {
	Posterior []byte
	Rewards   []lectern.Reward
	Counts    []lectern.ExplorationCount
	Position  int64
}

func whatIsLearnt(t *testing.T, s database, lists int) learnt {
	t.Helper()
	state := must[lectern.LearningState](t)(s.Learning(t.Context(), 0))
	out := learnt{Posterior: state.Posterior, Position: state.Position}
	var ids []string
	for i := range lists {
		ids = append(ids, fmt.Sprint("r", i))
	}
	out.Rewards = must[[]lectern.Reward](t)(s.Rewards(t.Context(), 0, ids))
	out.Counts = must[[]lectern.ExplorationCount](t)(s.ExplorationCounts(t.Context(), noon))
	return out
}

func TestRebuildGivesTheSame(t *testing.T) { onBoth(t, testRebuildGivesTheSame) }

func testRebuildGivesTheSame(t *testing.T, s database) {
	ctx := t.Context()
	rng := rand.New(rand.NewPCG(1, 2))
	f := learner(t, s, func(_ *Options, c *Config) { c.Batch = 7 })
	scatter(t, s, rng, 0, 40)
	f.learnAll(t)
	scatter(t, s, rng, 40, 40)
	f.learnAll(t)
	f.now = f.now.Add(time.Hour)
	before := whatIsLearnt(t, s, 80)
	if len(before.Rewards) < 200 {
		t.Fatalf("%d rewards only: the test shows nothing", len(before.Rewards))
	}
	last := must[lectern.PosteriorVersion](t)(s.Posterior(ctx, 0))
	again := learner(t, s, func(_ *Options, c *Config) { c.Batch = 33 })
	var told []int64
	check(t, again.Rebuild(ctx, func(p int64) { told = append(told, p) }))
	after := whatIsLearnt(t, s, 80)
	equal(t, "after a rebuild", after, before, cmpopts.EquateApprox(0, 1e-12))
	if len(told) == 0 || told[len(told)-1] != before.Position {
		t.Errorf("progress was told as %v", told)
	}
	newest := must[lectern.PosteriorVersion](t)(s.Posterior(ctx, 0))
	if newest.Version <= last.Version {
		t.Errorf("version %d comes after %d", newest.Version, last.Version)
	}
	equal(t, "published", newest.Body, after.Posterior)
	// The learner that was there goes on.
	scatter(t, s, rng, 80, 10)
	f.learnAll(t)
	more := whatIsLearnt(t, s, 90)
	check(t, again.Rebuild(ctx, nil))
	equal(t, "after another rebuild", whatIsLearnt(t, s, 90), more, cmpopts.EquateApprox(0, 1e-12))
	// What is forgotten is not learnt anew.
	check(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: "l3"}))
	check(t, again.Rebuild(ctx, nil))
	if forgot := whatIsLearnt(t, s, 90); len(forgot.Rewards) >= len(more.Rewards) || len(forgot.Rewards) == 0 {
		t.Errorf("%d rewards after an erasure, %d before", len(forgot.Rewards), len(more.Rewards))
	}
}

// between is a store at which something happens before a step is stored.
type between struct {
	Store
	before func() error
}

func (b *between) ApplyLearning(ctx context.Context, step lectern.LearningStep) (int64, error) {
	if before := b.before; before != nil {
		b.before = nil
		if err := before(); err != nil {
			return 0, err
		}
	}
	return b.Store.ApplyLearning(ctx, step)
}

// TestDeposedLeader lets a leader write after another one has taken over: nothing of it
// is stored, and everything counts once.
func TestDeposedLeader(t *testing.T) { onBoth(t, testDeposedLeader) }

func testDeposedLeader(t *testing.T, s database) {
	ctx := t.Context()
	rng := rand.New(rand.NewPCG(3, 4))
	scatter(t, s, rng, 0, 30)
	heir := learner(t, s, func(_ *Options, c *Config) { c.Batch = 20 })
	slow := &between{Store: s}
	deposed := learner(t, slow, func(_ *Options, c *Config) { c.Batch = 30 })
	for round := range 3 {
		slow.before = func() error { _, err := heir.Step(ctx); return err }
		if _, err := deposed.Step(ctx); lectern.ErrorCode(err) != lectern.CodePrecondition {
			t.Errorf("round %d: the deposed leader's step ended with %v", round, err)
		}
	}
	// One that is replaced by a rebuild is deposed, too.
	slow.before = func() error { return heir.Rebuild(ctx, nil) }
	if _, err := deposed.Step(ctx); lectern.ErrorCode(err) != lectern.CodePrecondition {
		t.Errorf("after a rebuild, the step ended with %v", err)
	}
	// One that dies before it is stored leaves nothing.
	scatter(t, s, rng, 30, 10)
	died := errors.New("died")
	slow.before = func() error { return died }
	if _, err := deposed.Step(ctx); !errors.Is(err, died) {
		t.Errorf("the step ended with %v", err)
	}
	deposed.learnAll(t)
	heir.learnAll(t)
	counted := whatIsLearnt(t, s, 40)
	check(t, heir.Rebuild(ctx, nil))
	equal(t, "what was learnt", whatIsLearnt(t, s, 40), counted, cmpopts.EquateApprox(0, 1e-12))
}

func TestPublish(t *testing.T) {
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db")})
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	check(t, s.Migrate(t.Context()))
	ctx := t.Context()
	f := learner(t, s)
	keeper := NewKeeper(s, f.Log)
	if p, version := keeper.Current(); p != nil || version != 0 {
		t.Errorf("at first, Current = %v, %d", p, version)
	}
	versions := func() int { return len(must[[]lectern.PosteriorVersion](t)(s.Posteriors(ctx, 99))) }
	f.learnAll(t)
	equal(t, "versions of nothing", versions(), 0)
	rng := rand.New(rand.NewPCG(5, 6))
	scatter(t, s, rng, 0, 5)
	f.learnAll(t)
	equal(t, "versions at first", versions(), 1)
	scatter(t, s, rng, 5, 5)
	f.now = f.now.Add(4 * time.Minute)
	f.learnAll(t)
	equal(t, "versions too soon", versions(), 1)
	f.now = f.now.Add(time.Minute)
	f.learnAll(t)
	f.now = f.now.Add(time.Hour)
	f.learnAll(t)
	equal(t, "versions in the end", versions(), 2)

	check(t, keeper.Look(ctx))
	p, version := keeper.Current()
	equal(t, "the newest", version, int64(2))
	equal(t, "its body", p.Encode(), must[lectern.LearningState](t)(s.Learning(ctx, 0)).Posterior)
	equal(t, "an older one", must[*bandit.Posterior](t)(keeper.At(ctx, 1)).Encode(), must[lectern.PosteriorVersion](t)(s.Posterior(ctx, 1)).Body)
	for _, unknown := range []int64{0, 3} {
		if _, err := keeper.At(ctx, unknown); lectern.ErrorCode(err) != lectern.CodeNotFound {
			t.Errorf("At(%d): %v", unknown, err)
		}
	}
}

// TestOtherFeatures meets what another build has learnt: it is learnt anew.
func TestOtherFeatures(t *testing.T) {
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db")})
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	check(t, s.Migrate(t.Context()))
	ctx := t.Context()
	rng := rand.New(rand.NewPCG(7, 8))
	scatter(t, s, rng, 0, 10)
	f := learner(t, s)
	f.learnAll(t)
	want := whatIsLearnt(t, s, 10)
	state := must[lectern.LearningState](t)(s.Learning(ctx, 0))
	other := []byte{state.Posterior[0], 2, 'f', '0'}
	must[int64](t)(s.ApplyLearning(ctx, lectern.LearningStep{
		Run: state.Run, Revision: state.Revision, Position: state.Position, Features: "f0", Posterior: other, Publish: true, At: f.now,
	}))
	keeper := NewKeeper(s, f.Log)
	check(t, keeper.Look(ctx))
	if p, version := keeper.Current(); p != nil || version != 0 {
		t.Errorf("Current = %v, %d of a build that we cannot read", p, version)
	}
	f.learnAll(t)
	equal(t, "learnt anew", whatIsLearnt(t, s, 10), want, cmpopts.EquateApprox(0, 1e-12))
	check(t, keeper.Look(ctx))
	if _, version := keeper.Current(); version != 3 {
		t.Errorf("the newest is %d", version)
	}
}
