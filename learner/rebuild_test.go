package learner_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/ml/noise"
	"github.com/lectern-dev/lectern/store/sqlite"
)

func openStore(tb testing.TB) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), sqlite.Options{Path: filepath.Join(tb.TempDir(), "lectern.db")})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

// believed is how a server calls the rules.
func believed(rules noise.Config) learner.Multiplier {
	return func(events []lectern.Event) []float64 {
		weight := make(map[string]float64, len(events))
		for _, w := range rules.Clean(events, nil) {
			weight[w.Event.ID] = w.Weight
		}
		out := make([]float64, len(events))
		for i, e := range events {
			out[i] = weight[e.ID]
		}
		return out
	}
}

func rebuilder(tb interface{ Fatal(...any) }, store learner.RebuildStore, m learner.Multiplier) *learner.Rebuilder {
	r, err := learner.NewRebuilder(learner.RebuildOptions{
		Learner: learner.DefaultConfig(), Follow: learner.DefaultFollowConfig(), Store: store, Multiplier: m,
		Clock: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// history draws what one learner did: bursts, repeats and slow months, in any order.
func history(t *rapid.T, name string) []lectern.Event {
	types := lectern.EventTypes()
	events := make([]lectern.Event, rapid.IntRange(1, 60).Draw(t, "events"))
	at := now.Add(-400 * 24 * time.Hour)
	for i := range events {
		gap := rapid.SampledFrom([]time.Duration{0, time.Millisecond, time.Second, time.Hour, 40 * 24 * time.Hour}).Draw(t, "gap")
		at = at.Add(gap)
		e := lectern.Event{
			ID: fmt.Sprintf("%s-%d", name, i), Type: rapid.SampledFrom(types).Draw(t, "type"),
			CourseID: fmt.Sprint("c", rapid.IntRange(0, 4).Draw(t, "course")), OccurredAt: at, LearnerID: name,
		}
		switch e.Type {
		case lectern.EventRate:
			e.Value = new(float64(rapid.IntRange(1, 5).Draw(t, "stars")))
		case lectern.EventProgress:
			e.Value = new(rapid.Float64Range(0, 1).Draw(t, "share"))
		case lectern.EventSearch:
			e.CourseID, e.Query = "", "words"
		}
		events[i] = e
	}
	return rapid.Permutation(events).Draw(t, "order of arrival")
}

// store appends events in batches as they come in, through their deltas.
func storeEvents(t *rapid.T, s *sqlite.Store, cfg learner.Config, events []lectern.Event) {
	for left := events; len(left) > 0; {
		n := rapid.IntRange(1, len(left)).Draw(t, "batch")
		batch := make([]lectern.EventWrite, n)
		for i, e := range left[:n] {
			batch[i] = lectern.EventWrite{Event: e, Delta: cfg.Delta(e)}
		}
		if _, err := s.AppendEvents(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
		left = left[n:]
	}
}

// TestRebuildEqualsIncremental stores events in any order and in any batches and
// compares what the store made of them with what Rebuild does; and then with the
// rules against noise, after they have been caught up with.
func TestRebuildEqualsIncremental(t *testing.T) {
	s := openStore(t)
	cfg := learner.DefaultConfig()
	rules := noise.DefaultConfig()
	rules.Bursts.PerMinute, rules.Bots.PerMinute, rules.Bots.Minutes = 5, 20, 1
	r := rebuilder(t, s, believed(rules)) // goes on from draw to draw, as a leader does
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		ctx := context.Background()
		ref := lectern.LearnerRef{ID: fmt.Sprint("l", n)}
		events := history(t, ref.ID)
		storeEvents(t, s, cfg, events)
		entries := func() []lectern.ProfileEntry {
			p, err := s.Profile(ctx, ref)
			if err != nil {
				t.Fatal(err)
			}
			return p.Entries
		}
		want := cfg.Rebuild(events, nil)
		// Strengths that cancel each other leave the last digits of the larger ones.
		relative := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }
		opts := cmp.Options{cmp.Comparer(relative), cmpopts.EquateEmpty(),
			cmpopts.SortSlices(func(a, b lectern.ProfileEntry) bool { return a.CourseID < b.CourseID })}
		if diff := cmp.Diff(want, entries(), opts); diff != "" {
			t.Fatalf("without rules (-rebuilt +incremental):\n%s", diff)
		}
		if differ, _ := learner.Difference(want, entries()); differ > 0 {
			t.Fatalf("%d entries differ", differ)
		}

		if err := r.Advance(ctx); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(cfg.Rebuild(events, believed(rules)), entries(), opts); diff != "" {
			t.Fatalf("with rules (-rebuilt +corrected):\n%s", diff)
		}
		// It comes to rest: nothing is replaced any more, nothing comes into the feed.
		at, replaced := r.Position()
		if err := r.Advance(ctx); err != nil {
			t.Fatal(err)
		}
		if now, again := r.Position(); now != at || again != replaced {
			t.Fatalf("it went on from %d to %d, and replaced %d", at, now, again-replaced)
		}
	})
	// Whoever goes through all of them again from the start finds nothing to replace.
	again := rebuilder(t, s, believed(rules))
	if err := again.Advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	if at, replaced := again.Position(); at == 0 || replaced > 0 {
		t.Errorf("the next one went to %d and replaced %d", at, replaced)
	}
}

func TestRebuildByHand(t *testing.T) {
	cfg := learner.DefaultConfig()
	at := func(days float64) time.Time { return now.Add(time.Duration(days * 24 * float64(time.Hour))) }
	events := []lectern.Event{
		{ID: "1", Type: lectern.EventClick, CourseID: "b", OccurredAt: at(0)},
		{ID: "2", Type: lectern.EventEnrol, CourseID: "a", OccurredAt: at(0)},
		{ID: "3", Type: lectern.EventClick, CourseID: "a", OccurredAt: at(90)},
		{ID: "4", Type: lectern.EventView, CourseID: "c", OccurredAt: at(0)},
		{ID: "5", Type: lectern.EventSearch, OccurredAt: at(0)},
	}
	half := func([]lectern.Event) []float64 { return []float64{0, 1, 0.5, 1, 1} }
	want := []lectern.ProfileEntry{
		// 3 halved once by 90 days, and 1 that is half believed
		{CourseID: "a", Weight: 1.5 + 0.5, WeightAt: at(90), HalfLife: cfg.HalfLife, State: lectern.StateEnrolled | lectern.StateClicked, LastAt: at(90)},
		{CourseID: "b", Weight: 0, WeightAt: at(0), HalfLife: cfg.HalfLife, State: lectern.StateClicked, LastAt: at(0)},
	}
	if diff := cmp.Diff(want, cfg.Rebuild(events, half), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if got := cfg.Rebuild(nil, half); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestDifference(t *testing.T) {
	e := func(id string, weight float64) lectern.ProfileEntry {
		return lectern.ProfileEntry{CourseID: id, Weight: weight, WeightAt: now, HalfLife: time.Hour, LastAt: now}
	}
	seen := e("a", 1)
	seen.State = lectern.StateClicked
	for name, tt := range map[string]struct {
		a, b    []lectern.ProfileEntry
		entries int
		most    float64
	}{
		"nothing":        {},
		"equal":          {a: []lectern.ProfileEntry{e("a", 1), e("b", 2)}, b: []lectern.ProfileEntry{e("b", 2), e("a", 1)}},
		"the last digit": {a: []lectern.ProfileEntry{e("a", 1)}, b: []lectern.ProfileEntry{e("a", 1+1e-12)}},
		"weights":        {a: []lectern.ProfileEntry{e("a", 1), e("b", 2)}, b: []lectern.ProfileEntry{e("a", 4), e("b", 1)}, entries: 2, most: 3},
		"one is missing": {a: []lectern.ProfileEntry{e("a", 1)}, entries: 1, most: 1},
		"one too many":   {b: []lectern.ProfileEntry{e("a", -1)}, entries: 1, most: 1},
		"a state":        {a: []lectern.ProfileEntry{e("a", 1)}, b: []lectern.ProfileEntry{seen}, entries: 1},
	} {
		if n, most := learner.Difference(tt.a, tt.b); n != tt.entries || most != tt.most {
			t.Errorf("%s: %d entries, by %v", name, n, most)
		}
	}
}

// TestRebuildAll spoils profiles and puts them right again.
func TestRebuildAll(t *testing.T) {
	ctx := t.Context()
	s := openStore(t)
	cfg := learner.DefaultConfig()
	for i := range 12 {
		e := lectern.Event{ID: fmt.Sprint(i), Type: lectern.EventEnrol, CourseID: "a", LearnerID: fmt.Sprint("l", i), OccurredAt: now}
		if _, err := s.AppendEvents(ctx, []lectern.EventWrite{{Event: e, Delta: cfg.Delta(e)}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"l3", "l7"} {
		ref := lectern.LearnerRef{ID: id}
		p, err := s.Profile(ctx, ref)
		if err != nil {
			t.Fatal(err)
		}
		p.Entries[0].Weight += 2
		if _, err := s.ReplaceProfile(ctx, ref, p.Version, p.Entries); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.DeleteLearner(ctx, lectern.LearnerRef{ID: "l5"}); err != nil {
		t.Fatal(err)
	}
	r := rebuilder(t, s, nil)
	for _, tt := range []struct {
		write bool
		want  learner.RebuildReport
	}{
		{false, learner.RebuildReport{Profiles: 11, Differed: 2, Most: 2}},
		{true, learner.RebuildReport{Profiles: 11, Differed: 2, Replaced: 2, Most: 2}},
		{true, learner.RebuildReport{Profiles: 11}},
	} {
		got, err := r.All(ctx, tt.write, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(learner.RebuildReport{}, "Took")); diff != "" {
			t.Errorf("write = %v (-want +got):\n%s", tt.write, diff)
		}
	}
	if _, err := r.One(ctx, lectern.LearnerRef{ID: "nobody"}, true); lectern.ErrorCode(err) != lectern.CodeNotFound {
		t.Errorf("of nobody: %v", err)
	}
}

// feed is a store in memory whose profiles keep moving on.
type feed struct {
	learner.RebuildStore

	mu        sync.Mutex
	changes   []lectern.ProfileChange
	positions map[string]int64
	looked    []string
	caughtUp  []bool // with those who are gone
	fail      error
}

func (f *feed) ProfileChanges(_ context.Context, after int64, limit int) ([]lectern.ProfileChange, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return nil, f.fail
	}
	var out []lectern.ProfileChange
	for _, c := range f.changes {
		if c.Seq > after && len(out) < limit {
			out = append(out, c)
		}
	}
	return out, nil
}

func (f *feed) LearnerEvents(_ context.Context, ref lectern.LearnerRef, _ int) ([]lectern.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked = append(f.looked, ref.ID)
	return nil, nil
}

func (f *feed) FeedPosition(_ context.Context, name string) (int64, error) {
	return f.positions[name], nil
}

func (f *feed) CompactProfileChanges(context.Context, int64, int64) (int, error) { return 0, nil }

func (f *feed) CatchUpProfileChanges(_ context.Context, gone bool) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.caughtUp = append(f.caughtUp, gone)
	return 0, nil
}

func (f *feed) SetFeedPosition(_ context.Context, name string, seq int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.positions[name] = seq
	return nil
}

// office is held while its channel is open.
type office struct{ lost context.Context }

func (o office) While(ctx context.Context, f func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(o.lost, cancel)()
	f(ctx)
}

// TestFollowGoesOnWhereItStopped hands the work from one leader to the next, and
// loses the store in between.
func TestFollowGoesOnWhereItStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &feed{positions: map[string]int64{}}
		change := func(seq int64) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.changes = append(f.changes, lectern.ProfileChange{Seq: seq, Key: seq, Ref: lectern.LearnerRef{ID: fmt.Sprint("l", seq)}})
		}
		run := func() (*learner.Rebuilder, func()) {
			lost, lose := context.WithCancel(t.Context())
			r, err := learner.NewRebuilder(learner.RebuildOptions{
				Learner: learner.DefaultConfig(), Follow: learner.FollowConfig{Poll: time.Second, Page: 2, Parallel: 1}, Store: f,
				Multiplier: func([]lectern.Event) []float64 { return nil }, Leader: office{lost}, Clock: time.Now, Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = r.Run(t.Context())
			}()
			return r, func() { lose(); <-done }
		}
		wantLooked := func(what string, want ...string) {
			t.Helper()
			f.mu.Lock()
			defer f.mu.Unlock()
			if diff := cmp.Diff(want, f.looked); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		change(1)
		change(2)
		change(3)
		r, stop := run()
		synctest.Wait()
		wantLooked("at the start", "l1", "l2", "l3")
		change(5)
		r.Notify()
		synctest.Wait()
		wantLooked("after a hint", "l1", "l2", "l3", "l5")
		stop()

		fail := func(err error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.fail = err
		}
		fail(lectern.Errorf(lectern.CodeUnavailable, "away"))
		_, stop = run()
		change(6)
		time.Sleep(3 * time.Second)
		wantLooked("while the store is away", "l1", "l2", "l3", "l5")
		fail(nil)
		time.Sleep(3 * time.Second)
		wantLooked("after the store came back, by the other leader", "l1", "l2", "l3", "l5", "l6")
		stop()
	})
}

// TestFollowCatchesUp looks for those who are missing in the feed: at the start of a
// term and every hour, and tells twice of those who are gone.
func TestFollowCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &feed{positions: map[string]int64{}}
		r, err := learner.NewRebuilder(learner.RebuildOptions{
			Learner: learner.DefaultConfig(), Follow: learner.FollowConfig{Poll: time.Minute, Page: 2, Parallel: 1}, Store: f,
			Clock: time.Now, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = r.Run(ctx)
		}()
		synctest.Wait()
		for _, want := range [][]bool{{true}, {true, true}, {true, true, false}} {
			f.mu.Lock()
			if diff := cmp.Diff(want, f.caughtUp); diff != "" {
				t.Errorf("caught up (-want +got):\n%s", diff)
			}
			f.mu.Unlock()
			time.Sleep(time.Hour + time.Minute)
		}
		stop()
		<-done
	})
}

func TestFollowConfig(t *testing.T) {
	if err := learner.DefaultFollowConfig().Validate(); err != nil {
		t.Error(err)
	}
	for key, change := range map[string]func(*learner.FollowConfig){
		"profiles.poll":          func(c *learner.FollowConfig) { c.Poll = 0 },
		"profiles.page":          func(c *learner.FollowConfig) { c.Page = 0 },
		"profiles.parallel":      func(c *learner.FollowConfig) { c.Parallel = 0 },
		"profiles.rebuild_every": func(c *learner.FollowConfig) { c.RebuildEvery = time.Second },
	} {
		c := learner.DefaultFollowConfig()
		change(&c)
		e, ok := errors.AsType[*lectern.Error](c.Validate())
		if !ok || e.Fields[0].Field != key {
			t.Errorf("%s: %v", key, e)
		}
	}
}
