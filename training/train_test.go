package training_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/internal/lease"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/noise"
	"github.com/lectern-dev/lectern/ml/selection"
	"github.com/lectern-dev/lectern/store/sqlite"
	"github.com/lectern-dev/lectern/training"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newStore(t testing.TB) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db"), Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// writer writes rows as every client does.
func writer(s *sqlite.Store) ingest.Service {
	return ingest.Service{
		Courses: s, Reviews: s, Learners: s, Events: s,
		Delta: learner.DefaultConfig().Delta, Clock: func() time.Time { return now },
	}
}

// put writes rows, all of which must be taken.
func put[T any](t testing.TB, rows []T, write func(context.Context, []T) ([]lectern.WriteResult, error)) {
	t.Helper()
	for len(rows) > 0 {
		n := min(len(rows), 2000)
		results, err := write(t.Context(), rows[:n])
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
		rows = rows[n:]
	}
}

// smallStore has a platform that is just large enough to learn from.
func smallStore(t testing.TB) *sqlite.Store {
	s, _ := demoStore(t, 50, 130, 6000)
	return s
}

// demoStore has a demo platform of that size.
func demoStore(t testing.TB, courses, learners, events int) (*sqlite.Store, *demo.Platform) {
	t.Helper()
	o := demo.DefaultOptions(now)
	o.Courses, o.Learners, o.Reviews, o.Events = courses, learners, 10, events
	p := demo.Generate(o)
	s := newStore(t)
	w := writer(s)
	patches := make([]lectern.CoursePatch, len(p.Courses))
	for i, c := range p.Courses {
		patches[i] = lectern.CoursePatch{Course: c, Replace: true}
	}
	people := make([]ingest.LearnerPatch, len(p.Learners))
	for i, l := range p.Learners {
		people[i] = ingest.LearnerPatch{Learner: l, Replace: true}
	}
	put(t, patches, w.PutCourses)
	put(t, people, w.PutLearners)
	put(t, p.Events, w.AppendEvents)
	return s, p
}

func strength(e lectern.Event) float64 {
	if d := learner.DefaultConfig().Delta(e); d != nil {
		return d.Weight
	}
	return 0
}

func snapshotOptions() training.SnapshotOptions {
	return training.SnapshotOptions{
		Noise: noise.DefaultConfig(), Strength: strength, MaxWeight: learner.DefaultConfig().MaxCourseWeight,
		MinWeight: training.DefaultConfig().MinWeight, MaxEvents: training.DefaultConfig().MaxEvents,
	}
}

// scripted fits models, and says of each that its metric is what the script says.
type scripted map[string]float64

func (values scripted) fit(ctx context.Context, d *cf.Data, o selection.Options) (*selection.Result, error) {
	r := &selection.Result{Cut: "scripted"}
	best := -1.0
	for _, spec := range o.Specs {
		v, ok := values[spec.Name]
		if !ok {
			continue
		}
		m, err := spec.New(spec.Defaults)
		if err != nil {
			return nil, err
		}
		if err := m.Fit(ctx, d); err != nil {
			return nil, err
		}
		r.Models = append(r.Models, selection.Fitted{
			Name: spec.Name, Model: m, Params: spec.Defaults, FitTime: time.Second,
			Validation: map[string]float64{o.Metric: v, "recall@10": v / 2},
		})
		if (v > best || r.Selected == "") && !spec.Floor {
			r.Selected, best = spec.Name, v
		}
	}
	return r, nil
}

func newTrainer(t testing.TB, s training.Store, values scripted, change ...func(*training.Options)) *training.Trainer {
	t.Helper()
	o := training.Options{
		Config: training.DefaultConfig(), Snapshot: snapshotOptions(), Store: s, Fit: values.fit, Specs: cf.Specs(),
		Floor: "popularity", Holder: t.Name(), Clock: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	}
	o.Config.MinEvents, o.Config.MinLearners = 100, 20
	for _, f := range change {
		f(&o)
	}
	tr, err := training.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func newModel(name string, p cf.Params) (cf.Model, error) {
	spec, ok := cf.SpecByName(name)
	if !ok {
		return nil, lectern.Errorf(lectern.CodeInvalid, "no model %q", name)
	}
	return spec.New(p)
}

func newKeeper(s training.KeeperStore, held *int64) *training.Keeper {
	return training.NewKeeper(training.KeeperOptions{
		Store: s, New: newModel, Logger: slog.New(slog.DiscardHandler),
		Scorer: training.ScorerOptions{Unit: learner.DefaultConfig().Strengths.Enrol, Held: func() int64 { return *held }},
	})
}

func train(t testing.TB, tr *training.Trainer) *training.Outcome {
	t.Helper()
	out, err := tr.Train(t.Context(), training.Run{Reason: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func inUse(t testing.TB, k *training.Keeper) int64 {
	t.Helper()
	if err := k.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if k.Current() == nil {
		return 0
	}
	return k.Current().Version()
}

// The way of a model from events to scores.
func TestFromEventsToScores(t *testing.T) {
	s, p := demoStore(t, 150, 400, 20_000)
	held := int64(0)
	k := newKeeper(s, &held)
	if inUse(t, k) != 0 {
		t.Fatal("a model out of nothing")
	}
	out := train(t, newTrainer(t, s, scripted{"popularity": 0.1, "ease": 0.3, "slist": 0.2}))
	v := out.Version
	if !out.Activated || v.Version == 0 || v.Selected != "ease" || v.Refused != "" || v.Learners < 200 || v.Items < 100 || v.Interactions < 1000 {
		t.Fatalf("%+v", v)
	}
	if v.From.IsZero() || !v.To.After(v.From) || len(v.Models) != 3 || v.Noise == nil {
		t.Errorf("%+v", v)
	}
	if got := inUse(t, k); got != v.Version {
		t.Fatalf("in use is %d", got)
	}
	listed, err := training.Versions(t.Context(), s)
	if err != nil || len(listed) != 1 {
		t.Fatalf("%+v, %v", listed, err)
	}
	v.CreatedAt = listed[0].CreatedAt
	v.From, v.To = v.From.Truncate(time.Second), v.To.Truncate(time.Second)
	if d := cmp.Diff(v, listed[0]); d != "" {
		t.Error(d)
	}

	// What the same people take is of the same subject more often than by chance.
	subject, topic := map[string]string{}, map[string]string{}
	for _, tp := range p.Truth.Topics {
		subject[tp.Name] = tp.Subject
	}
	for _, c := range p.Truth.Courses {
		topic[c.ID] = subject[c.Topic]
	}
	chance := 0.0
	for _, a := range p.Truth.Courses {
		for _, b := range p.Truth.Courses {
			if topic[a.ID] == topic[b.ID] {
				chance++
			}
		}
	}
	chance /= float64(len(topic) * len(topic))
	m := k.Current()
	_, items := m.Model()
	same, all := 0, 0
	for _, id := range items {
		for _, hit := range m.Similar(id, 3, nil) {
			all++
			if topic[hit.ID] == topic[id] {
				same++
			}
		}
	}
	if all == 0 || float64(same)/float64(all) < 3*chance {
		t.Errorf("%d of %d similar courses are of the same subject, of any two %.3f", same, all, chance)
	}
	if n := nexts(m, items); n == 0 {
		t.Error("the model beside it, which knows what follows, was not kept")
	}
}

func nexts(m *training.Scorer, items []string) (n int) {
	for _, id := range items {
		n += len(m.Next(id, 3, nil))
	}
	return n
}

// What is no better than popularity never comes into use.
func TestFloorHolds(t *testing.T) {
	s := smallStore(t)
	good := train(t, newTrainer(t, s, scripted{"popularity": 0.1, "ease": 0.3}))
	held := int64(0)
	k := newKeeper(s, &held)
	for _, values := range []scripted{
		{"popularity": 0.3, "ease": 0.2},    // worse
		{"popularity": 0.3, "ease": 0.3},    // no better
		{"random": 0.1, "ease": 0.3},        // than nothing known
		{"popularity": 0.3, "ease": nan()},  // nobody knows
		{"popularity": 0.02, "ease": 0.021}, // better, but far from the one in use
	} {
		out := train(t, newTrainer(t, s, values))
		if out.Activated || out.Version.Refused == "" {
			t.Errorf("%v: %+v", values, out.Version)
		}
		if got := inUse(t, k); got != good.Version.Version {
			t.Errorf("%v: model %d is in use", values, got)
		}
		stored, err := training.Versions(t.Context(), s)
		if err != nil || stored[0].Version != out.Version.Version || stored[0].Refused != out.Version.Refused {
			t.Errorf("%v: %+v, %v", values, stored, err)
		}
	}
	// By hand the margin is no obstacle, popularity is.
	tr := newTrainer(t, s, scripted{"popularity": 0.3, "ease": 0.2})
	bad := train(t, tr).Version.Version
	if _, err := tr.Activate(t.Context(), bad); lectern.ErrorCode(err) != lectern.CodeRefused || !strings.Contains(err.Error(), "does not beat popularity") {
		t.Errorf("%v", err)
	}
	poorer := train(t, newTrainer(t, s, scripted{"popularity": 0.02, "ease": 0.021})).Version.Version
	if v, err := tr.Activate(t.Context(), poorer); err != nil || !v.Active {
		t.Errorf("%+v, %v", v, err)
	}
	if got := inUse(t, k); got != poorer {
		t.Errorf("model %d is in use", got)
	}
}

func nan() float64 { var zero float64; return zero / zero }

// A harder cut lowers all figures: the one in use is then no better.
func TestHarderCutIsNoFault(t *testing.T) {
	s := smallStore(t)
	train(t, newTrainer(t, s, scripted{"popularity": 0.1, "ease": 0.3}))
	if out := train(t, newTrainer(t, s, scripted{"popularity": 0.03, "ease": 0.09})); !out.Activated {
		t.Error(out.Version.Refused)
	}
}

func TestWayBack(t *testing.T) {
	s := smallStore(t)
	held := int64(0)
	k := newKeeper(s, &held)
	tr := newTrainer(t, s, scripted{"popularity": 0.1, "ease": 0.3})
	var made []int64
	for range 5 {
		made = append(made, train(t, tr).Version.Version)
	}
	kept, err := tr.Versions(t.Context())
	if err != nil || len(kept) != 3 || kept[0].Version != made[4] || !kept[0].Active || kept[2].Version != made[2] {
		t.Fatalf("%+v, %v", kept, err)
	}
	if _, err := tr.Activate(t.Context(), made[0]); lectern.ErrorCode(err) != lectern.CodeNotFound || !strings.Contains(err.Error(), fmt.Sprintf("there are %d, %d, %d", made[4], made[3], made[2])) {
		t.Errorf("%v", err)
	}
	if _, err := tr.Activate(t.Context(), made[2]); err != nil {
		t.Fatal(err)
	}
	if got := inUse(t, k); got != made[2] {
		t.Errorf("model %d is in use", got)
	}
	// It stays, as the one in use, whatever comes.
	worse := newTrainer(t, s, scripted{"popularity": 0.3, "ease": 0.1})
	for range 3 {
		train(t, worse)
	}
	if got := inUse(t, k); got != made[2] {
		t.Errorf("model %d is in use", got)
	}
}

// dying is a store whose process is killed before a model comes into use.
type dying struct{ *sqlite.Store }

func (d dying) ActivateArtefact(context.Context, string, int64) error { return errors.New("killed") }

func TestKilledInBetween(t *testing.T) {
	s := smallStore(t)
	held := int64(0)
	k := newKeeper(s, &held)
	values := scripted{"popularity": 0.1, "ease": 0.3}
	first := train(t, newTrainer(t, s, values)).Version.Version
	if _, err := newTrainer(t, dying{s}, values).Train(t.Context(), training.Run{}); err == nil {
		t.Fatal("not killed")
	}
	if got := inUse(t, k); got != first {
		t.Errorf("model %d is in use", got)
	}
	next := train(t, newTrainer(t, s, values))
	if got := inUse(t, k); got != next.Version.Version {
		t.Errorf("model %d is in use", got)
	}
}

// Of two that train at a time, one is told that the other does.
func TestOneAtATime(t *testing.T) {
	s := smallStore(t)
	values := scripted{"popularity": 0.1, "ease": 0.3}
	inside, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	slow := newTrainer(t, s, values, func(o *training.Options) {
		o.Holder = "slow"
		o.Fit = func(ctx context.Context, d *cf.Data, so selection.Options) (*selection.Result, error) {
			once.Do(func() { close(inside) })
			<-leave
			return values.fit(ctx, d, so)
		}
	})
	done := make(chan error, 1)
	go func() { _, err := slow.Train(t.Context(), training.Run{}); done <- err }()
	<-inside
	if _, err := slow.Activate(t.Context(), 1); lectern.ErrorCode(err) != lectern.CodeConflict {
		t.Errorf("in the same process: %v", err)
	}
	other := newTrainer(t, s, values)
	if _, err := other.Train(t.Context(), training.Run{}); lectern.ErrorCode(err) != lectern.CodeConflict {
		t.Errorf("%v", err)
	}
	if _, err := other.Activate(t.Context(), 1); lectern.ErrorCode(err) != lectern.CodeConflict {
		t.Errorf("%v", err)
	}
	schedule := training.NewSchedule(other, func(context.Context) (int64, error) { return 1 << 20, nil })
	if trained, err := schedule.Check(t.Context()); trained || err != nil {
		t.Errorf("%v, %v", trained, err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got, err := other.Versions(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("%d versions, %v", len(got), err)
	}
}

func TestSchedule(t *testing.T) {
	s := smallStore(t)
	clock, events := now, int64(0)
	fails := false
	values := scripted{"popularity": 0.1, "ease": 0.3}
	tr := newTrainer(t, s, values, func(o *training.Options) {
		o.Clock = func() time.Time { return clock }
		o.Fit = func(ctx context.Context, d *cf.Data, so selection.Options) (*selection.Result, error) {
			if fails {
				return nil, errors.New("no")
			}
			return values.fit(ctx, d, so)
		}
	})
	schedule := training.NewSchedule(tr, func(context.Context) (int64, error) { return events, nil })
	check := func(what string, want, wantErr bool) {
		t.Helper()
		if got, err := schedule.Check(t.Context()); got != want || (err != nil) != wantErr {
			t.Errorf("%s: %t, %v", what, got, err)
		}
	}
	check("without events", false, false)
	events = 20_000
	check("at once again", false, false)
	clock = clock.Add(time.Minute)
	check("with events", true, false)
	clock = clock.Add(23 * time.Hour)
	check("too soon", false, false)
	clock, fails = clock.Add(2*time.Hour), true
	check("it fails", false, true)
	fails = false
	check("at once again", false, false)
	clock = clock.Add(10 * time.Minute)
	check("later", true, false)
	if d := cmp.Diff(training.Stats{Failures: 1, Last: 0}, tr.Stats()); d != "" {
		t.Error(d)
	}
}

func TestTooLittle(t *testing.T) {
	s := newStore(t)
	tr := newTrainer(t, s, scripted{"popularity": 0.1, "ease": 0.3})
	_, err := tr.Train(t.Context(), training.Run{})
	if !errors.Is(err, training.ErrTooLittle) || lectern.ErrorCode(err) != lectern.CodePrecondition {
		t.Errorf("%v", err)
	}
	if v, err := tr.Versions(t.Context()); err != nil || len(v) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestDryRun(t *testing.T) {
	s := smallStore(t)
	tr := newTrainer(t, s, scripted{"popularity": 0.1, "ease": 0.3})
	held, err := s.AcquireLease(t.Context(), training.LeaseTraining, "somebody", lease.TTL) // is no obstacle
	if !held || err != nil {
		t.Fatal(held, err)
	}
	out, err := tr.Train(t.Context(), training.Run{DryRun: true})
	if err != nil || out.Activated || out.Version.Version != 0 || out.Version.Selected != "ease" {
		t.Fatalf("%+v, %v", out, err)
	}
	if v, err := tr.Versions(t.Context()); err != nil || len(v) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

// A damaged model leaves the one before in use.
func TestDamagedModel(t *testing.T) {
	s := smallStore(t)
	held := int64(0)
	k := newKeeper(s, &held)
	v := train(t, newTrainer(t, s, scripted{"popularity": 0.1, "ease": 0.3})).Version.Version
	if inUse(t, k) != v {
		t.Fatal("not in use")
	}
	body, err := s.ArtefactBody(t.Context(), training.Kind, v)
	if err != nil {
		t.Fatal(err)
	}
	damaged := append([]byte(nil), body...)
	damaged[len(damaged)-9] ^= 1
	for _, b := range [][]byte{nil, body[:10], body[:len(body)-1], append(body[:len(body):len(body)], 0), damaged} {
		n, err := s.PutArtefact(t.Context(), lectern.Artefact{Kind: training.Kind}, b)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.ActivateArtefact(t.Context(), training.Kind, n); err != nil {
			t.Fatal(err)
		}
		if got := inUse(t, k); got != v {
			t.Errorf("%d of %d bytes: model %d is in use", len(b), len(body), got)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	if err := training.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	err := training.Config{Metric: "ndcg", Margin: 2, Tune: -1, MaxEvents: -1}.Validate()
	for _, key := range []string{"every", "retry", "timeout", "min_events", "min_learners", "max_events", "min_weight", "metric", "tune", "margin", "keep"} {
		if err == nil || !strings.Contains(err.Error(), "training."+key) {
			t.Errorf("%s is not in %v", key, err)
		}
	}
	o := training.Options{Config: training.DefaultConfig(), Snapshot: snapshotOptions(), Store: newStore(t), Fit: scripted{}.fit, Specs: cf.Specs(),
		Clock: lectern.SystemClock, Logger: slog.New(slog.DiscardHandler)}
	o.Config.Models = []string{"ease", "eas"}
	if _, err := training.New(o); err == nil || !strings.Contains(err.Error(), "training.models") {
		t.Errorf("%v", err)
	}
}

// TestListsObject keeps a model out of use that makes lists worse, whatever its own
// figures, and does not where nobody can tell yet.
func TestListsObject(t *testing.T) {
	tests := []struct {
		name    string
		check   bool
		why     string
		err     error
		refused string
	}{
		{"worse than a source", true, "after rerank .1 is below profile .2", nil, "after rerank .1 is below profile .2"},
		{"nothing", true, "", nil, ""},
		{"too little to tell", true, "", lectern.Invalid("too few"), ""},
		{"not asked", false, "after rerank .1 is below profile .2", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked := ""
			tr := newTrainer(t, smallStore(t), scripted{"popularity": .1, "ease": .3}, func(o *training.Options) {
				o.Config.CheckLists = tt.check
				o.Object = func(_ context.Context, name string, _ cf.Params, _ uint64) (string, error) {
					asked = name
					return tt.why, tt.err
				}
			})
			out := train(t, tr)
			if out.Version.Refused != tt.refused || out.Version.Active != (tt.refused == "") {
				t.Errorf("refused %q, active %v", out.Version.Refused, out.Version.Active)
			}
			if tt.check && asked != out.Version.Selected {
				t.Errorf("asked about %q, selected %q", asked, out.Version.Selected)
			}
		})
	}
}
