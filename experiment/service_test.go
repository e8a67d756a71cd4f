package experiment_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment"
	"github.com/lectern-dev/lectern/experiment/stats"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// versions knows versions 0 to 9 of everything.
type versions struct {
	mu        sync.Mutex
	activated string
	held      [2][]int64
	inUse     int64 // model
	training  bool
}

func known(version int64) error {
	if version > 9 {
		return lectern.Errorf(lectern.CodeNotFound, "there is no version %d", version)
	}
	return nil
}

func (*versions) CheckSettings(_ context.Context, version int64) error { return known(version) }
func (*versions) CheckModel(_ context.Context, version int64) error    { return known(version) }
func (*versions) SettingsInUse(context.Context) (int64, error)         { return 4, nil }

func (v *versions) ModelInUse(context.Context) (int64, error) { return v.inUse, nil }

func (v *versions) ActivateModel(_ context.Context, version int64) error {
	if v.training {
		return lectern.Errorf(lectern.CodeConflict, "models are trained")
	}
	v.inUse = version
	return nil
}

func (v *versions) ActivateSettings(_ context.Context, version int64, author, comment string) error {
	v.activated = fmt.Sprintf("%d by %s: %s", version, author, comment)
	return nil
}

func (v *versions) Hold(_ context.Context, settings, models []int64) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held = [2][]int64{settings, models}
	return nil
}

// log is what people did, made up.
type log struct {
	people  []lectern.PersonDays
	before  []lectern.Tally
	earlier []lectern.Tally
	listed  []lectern.ListedPerson
	asked   func(from, to time.Time)
}

func (l *log) PersonDays(_ context.Context, _ string, _ int, f func(lectern.PersonDays) error) error {
	for _, p := range l.people {
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

func (l *log) DaySums(_ context.Context, _, _, _ int, f func(before, after lectern.Tally) error) error {
	for i, t := range l.before {
		var earlier lectern.Tally
		if i < len(l.earlier) {
			earlier = l.earlier[i]
		}
		if err := f(earlier, t); err != nil {
			return err
		}
	}
	return nil
}

func (l *log) ListedPeople(_ context.Context, from, to time.Time, _, _ int, f func(lectern.ListedPerson) error) error {
	if l.asked != nil {
		l.asked(from, to)
	}
	for _, p := range l.listed {
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

func (*log) ActedLists(context.Context, string, func(lectern.ActedList) error) error { return nil }

func dayOf(t time.Time) int { return int(t.Unix() / 86400) }

// bench is a service on a real store, with a clock moved by hand.
type bench struct {
	*experiment.Service
	store    *sqlite.Store
	versions *versions
	log      *log
	now      time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := &bench{store: store, versions: &versions{}, log: &log{}, now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	b.Service = b.replica()
	return b
}

// replica is another process on the same store.
func (b *bench) replica() *experiment.Service {
	return experiment.New(experiment.Options{
		Config: experiment.DefaultConfig(), Store: b.store, Versions: b.versions, Log: b.log, Looks: b.store, Day: dayOf, ModelKind: "model",
		NewID: func() string { return "made" }, Clock: func() time.Time { return b.now }, Logger: slog.New(slog.DiscardHandler),
	})
}

func (b *bench) create(t *testing.T, body string) experiment.Experiment {
	t.Helper()
	x, err := b.Create(t.Context(), experiment.Change{Body: []byte(body), Author: "key"})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (b *bench) start(t *testing.T, id string) experiment.Experiment {
	t.Helper()
	x, err := b.Start(t.Context(), id, experiment.Change{Author: "key"})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

const trialBody = `{"id":"x","name":"X","share":0.6,"arms":[{"name":"a"},{"name":"b","settings":1}],"primary":{"metric":"enrols","minimum_effect":0.1}}`

// Of two who start at once experiments that do not fit beside each other, one does.
func TestStartsRace(t *testing.T) {
	b := newBench(t)
	const n = 6
	services := make([]*experiment.Service, n)
	for i := range n {
		b.create(t, strings.Replace(trialBody, `"x"`, fmt.Sprintf(`"x%d"`, i), 1))
		services[i] = b.replica()
	}
	var group sync.WaitGroup
	errs := make([]error, n)
	for i, s := range services {
		group.Go(func() { _, errs[i] = s.Start(t.Context(), fmt.Sprintf("x%d", i), experiment.Change{}) })
	}
	group.Wait()
	started := 0
	for _, err := range errs {
		switch lectern.ErrorCode(err) {
		case "":
			started++
		case lectern.CodeConflict:
		default:
			t.Error(err)
		}
	}
	if started != 1 {
		t.Errorf("%d were started: %v", started, errs)
	}
}

// Another process knows after a look, has what arms name ready, and assigns alike.
func TestReplicasAgree(t *testing.T) {
	b := newBench(t)
	other := b.replica()
	b.create(t, trialBody)
	b.start(t, "x")
	if err := other.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(b.versions.held[0]) != 1 || b.versions.held[0][0] != 1 {
		t.Errorf("held %v", b.versions.held)
	}
	in := 0
	for i := range 1000 {
		req := &lectern.AssignRequest{Learner: lectern.LearnerRef{AnonymousID: fmt.Sprint(i)}, Surface: lectern.SurfaceHome, At: b.now}
		one, two := b.Assigner().Assign(req), other.Assigner().Assign(req)
		if fmt.Sprint(one.Arms) != fmt.Sprint(two.Arms) {
			t.Fatalf("%v and %v", one.Arms, two.Arms)
		}
		in += len(one.Arms)
	}
	if in < 550 || in > 650 {
		t.Errorf("%d of 1000 are in, want 600", in)
	}
	if _, err := b.Stop(t.Context(), "x", "b", experiment.Change{Author: "key", Comment: "won"}); err != nil {
		t.Fatal(err)
	}
	if b.versions.activated != "1 by key: arm b of experiment x: won" {
		t.Error(b.versions.activated)
	}
	if err := other.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := other.Assigner().Assign(&lectern.AssignRequest{Learner: lectern.LearnerRef{ID: "a"}}); len(got.Arms) > 0 {
		t.Error("in a stopped experiment")
	}
}

// What an interleaving does not name is the version in use at its start.
func TestInterleavingKeepsVersions(t *testing.T) {
	b := newBench(t)
	b.create(t, `{"id":"d","name":"D","kind":"interleaving","arms":[{"name":"now"},{"name":"next","settings":5}]}`)
	x := b.start(t, "d")
	if x.Plan.Settings == nil || *x.Plan.Settings != [2]int64{4, 5} {
		t.Errorf("plan %+v", x.Plan)
	}
	r, err := b.Results(t.Context(), "d")
	if err != nil || r.Duel == nil || r.Verdict.State != stats.StateNotEnough {
		t.Errorf("%+v, %v", r, err)
	}
	mustEncode(t, r)
	b.create(t, `{"id":"e","name":"E","kind":"interleaving","layer":"l","surfaces":["search"],"arms":[{"name":"now"},{"name":"next","settings":4}]}`)
	if _, err := b.Stop(t.Context(), "d", "", experiment.Change{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Start(t.Context(), "e", experiment.Change{}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("a version against itself: %v", err)
	}
}

func mustEncode(t *testing.T, r experiment.Results) {
	t.Helper()
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
	if _, err := r.CSV(); err != nil {
		t.Error(err)
	}
}

// people makes arms of people who enrol at a rate a day for some days, and did so
// before.
func (b *bench) people(arm string, n int, rate float64, days int, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	first := dayOf(b.now)
	for i := range n {
		p := lectern.PersonDays{Person: int64(len(b.log.people) + 1), Exposure: lectern.Exposure{
			Experiment: "x", Arm: arm, At: b.now, Segment: []lectern.Segment{lectern.SegmentNew, lectern.SegmentActive}[i%2],
		}}
		eager := rng.ExpFloat64()
		for day := -10; day < days; day++ {
			var d lectern.DayTally
			d.Day, d.Lists, d.Impressions = first+day, 1, 10
			r := rate
			if day < 0 {
				r = 0.2
			}
			for range 3 {
				if rng.Float64() < r*eager {
					d.Enrols++
					d.Clicks++
					d.Clicked++
				}
			}
			p.Days = append(p.Days, d)
		}
		b.log.people = append(b.log.people, p)
	}
}

func TestResults(t *testing.T) {
	b := newBench(t)
	b.log.before = []lectern.Tally{{Enrols: 1}, {Enrols: 3}, {Enrols: 2}, {}}
	b.create(t, strings.Replace(trialBody, `"primary"`, `"guardrails":[{"metric":"ctr","margin":0.2}],"primary"`, 1))
	x := b.start(t, "x")
	if s := x.Plan.Size; s == nil || s.Mean != 1.5 || s.People != 4 || s.Fixed <= 0 || s.Always < s.Fixed {
		t.Errorf("size %+v", x.Plan.Size)
	}
	empty, err := b.Results(t.Context(), "x")
	if err != nil || empty.Verdict.State != stats.StateNotEnough {
		t.Errorf("%+v, %v", empty.Verdict, err)
	}
	mustEncode(t, empty)

	b.people("a", 1500, 0.2, 10, 1)
	b.people("b", 1500, 0.3, 10, 2)
	b.log.people[0].Exposure.Crossed = true
	b.now = b.now.AddDate(0, 0, 9)
	r, err := b.Results(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	mustEncode(t, r)
	if r.Verdict.State != stats.StateWinner || r.Verdict.Arm != "b" {
		t.Errorf("verdict %+v", r.Verdict)
	}
	if r.Crossed != 1 || r.Arms[0].People != 1499 || r.Arms[1].People != 1500 || r.Day != 10 {
		t.Errorf("people %+v, crossed %d, day %d", r.Arms, r.Crossed, r.Day)
	}
	c := r.Metrics[0].Comparisons[0]
	if !c.Relative.Always.Holds(0.5) || c.Relative.Always.Low <= 0 || r.Metrics[0].Reduction < 0.2 {
		t.Errorf("%+v, reduction %g", c.Relative, r.Metrics[0].Reduction)
	}
	if len(r.Segments) != 2 || len(r.Novelty) != 1 || len(r.Exposures) != 1 || r.Guardrails[0].State != stats.GuardSafe {
		t.Errorf("segments %d, novelty %d, exposures %v, guardrails %+v", len(r.Segments), len(r.Novelty), r.Exposures, r.Guardrails)
	}

	// Days after the stop do not count.
	if _, err := b.Stop(t.Context(), "x", "", experiment.Change{}); err != nil {
		t.Fatal(err)
	}
	for i := range b.log.people {
		b.log.people[i].Days = append(b.log.people[i].Days, lectern.DayTally{Day: dayOf(b.now) + 1, Tally: lectern.Tally{Enrols: 100}})
	}
	b.now = b.now.AddDate(0, 0, 5)
	after, err := b.Results(t.Context(), "x")
	if err != nil || after.Metrics[0].Levels[0].Value != r.Metrics[0].Levels[0].Value || after.Day != 10 {
		t.Errorf("after the stop %v, before %v, day %d, %v", after.Metrics[0].Levels[0].Value, r.Metrics[0].Levels[0].Value, after.Day, err)
	}
}

// Every metric is judged by the planned size, with the variance that it is itself
// planned to have, and what people did before makes the size smaller.
func TestPlanOfEveryMetric(t *testing.T) {
	b := newBench(t)
	rng := rand.New(rand.NewPCG(5, 6))
	for range 4000 {
		eager := rng.ExpFloat64()
		did := func() (t lectern.Tally) {
			t.Impressions, t.Lists = 20, 2
			for range 20 {
				if rng.Float64() < 0.2*eager {
					t.Clicks++
					t.Clicked++
					t.Enrols += float64(rng.IntN(2))
				}
			}
			return t
		}
		b.log.earlier, b.log.before = append(b.log.earlier, did()), append(b.log.before, did())
	}
	plan := func(id string, beforeDays int) *experiment.Sizing {
		t.Helper()
		b.create(t, strings.NewReplacer(`"x"`, `"`+id+`"`, `"share":0.6`, fmt.Sprintf(`"share":0.3,"before_days":%d`, beforeDays),
			`"primary"`, `"guardrails":[{"metric":"ctr","margin":0.2}],"primary"`).Replace(trialBody))
		return b.start(t, id).Plan.Size
	}
	with, without := plan("x", 28), plan("y", 0)
	if with == nil || without == nil || without.Correlation != 0 || with.Correlation < 0.5 {
		t.Fatalf("with %+v, without %+v", with, without)
	}
	left := 1 - with.Correlation*with.Correlation
	if math.Abs(with.Always/without.Always-left) > 0.01 || math.Abs(with.Fixed/without.Fixed-left) > 0.01 {
		t.Errorf("with what people did before %g and %g people, without %g and %g: not %g of it",
			with.Always, with.Fixed, without.Always, without.Fixed, left)
	}
	if v := with.Variances["enrols"]; math.Abs(v-with.Variance*left) > 1e-9*v || with.Variances["ctr"] <= 0 || with.Variances["ctr"] == v {
		t.Errorf("variances %v of %g", with.Variances, with.Variance)
	}

	b.people("a", 400, 0.2, 10, 1)
	b.people("b", 400, 0.2, 10, 2)
	b.now = b.now.AddDate(0, 0, 9)
	r, err := b.Results(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	ctr, drops := r.Metrics[1], r.Metrics[2]
	if ctr.Metric != "ctr" || ctr.Corrected != nil || len(drops.Corrected) != 1 || drops.Role != experiment.RoleOther {
		t.Errorf("%s corrected %v, %s %v", ctr.Metric, ctr.Corrected, drops.Metric, drops.Corrected)
	}
	// The same samples by the default size reach another width.
	b.log.before = nil
	unplanned := strings.NewReplacer(`"x"`, `"z"`, `"share":0.6`, `"share":0.3`, `"primary"`, `"guardrails":[{"metric":"ctr","margin":0.2}],"primary"`).Replace(trialBody)
	b.create(t, unplanned)
	b.start(t, "z")
	for i := range b.log.people {
		b.log.people[i].Exposure.At = b.now
	}
	if plain, err := b.Results(t.Context(), "z"); err != nil || plain.Metrics[1].Comparisons[0].AlwaysP == ctr.Comparisons[0].AlwaysP {
		t.Errorf("the guardrail does not know of the plan: %v", err)
	}
}

// Where arms have unequal shares, who crossed is missed in one of them more than in the
// other: that is said first.
func TestUnevenCrossing(t *testing.T) {
	for _, share := range []float64{50, 90} {
		b := newBench(t)
		b.create(t, strings.NewReplacer(`{"name":"a"}`, fmt.Sprintf(`{"name":"a","percent":%g}`, share), `"settings":1`,
			fmt.Sprintf(`"settings":1,"percent":%g`, 100-share)).Replace(trialBody))
		b.start(t, "x")
		b.people("a", int(20*share), 0.2, 3, 1)
		b.people("b", int(20*(100-share)), 0.2, 3, 2)
		for i := range b.log.people {
			p := &b.log.people[i]
			p.Exposure.Crossed = i%100 < 4 || p.Exposure.Arm == "b" && i%100 < 10
		}
		b.now = b.now.AddDate(0, 0, 2)
		r, err := b.Results(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(r.Warnings), share == 90; (got > 0) != want {
			t.Errorf("shares of %g to %g, %d crossed of %+v: warned %q", share, 100-share, r.Crossed, r.Arms, r.Warnings)
		}
	}
}

// The leader looks every day, also when nobody asks. What an always-valid look has
// decided stays, with its day, whatever later days look like and whoever is asked; harm
// is stronger, and a broken split than that.
func TestVerdictStays(t *testing.T) {
	b := newBench(t)
	b.log.before = []lectern.Tally{{Enrols: 1}, {Enrols: 3}, {Enrols: 2}, {}}
	b.create(t, strings.Replace(trialBody, `"primary"`, `"guardrails":[{"metric":"drops","margin":0.2}],"primary"`, 1))
	b.start(t, "x")
	start := b.now
	b.people("a", 1500, 0.2, 12, 1)
	b.people("b", 1500, 0.4, 12, 2)
	drops := func(arm string, from int, n float64) {
		for i := range b.log.people {
			for j := range b.log.people[i].Days {
				if p := &b.log.people[i]; p.Exposure.Arm == arm && p.Days[j].Day >= dayOf(start)+from {
					p.Days[j].Drops = n * float64((i+j)%5) / 2
				}
			}
		}
	}
	drops("a", 0, 1)
	drops("b", 0, 1)
	look := func(day int) experiment.Results {
		t.Helper()
		b.now = start.AddDate(0, 0, day-1)
		if err := b.LookAtResults(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, err := b.Results(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		mustEncode(t, r)
		return r
	}
	// On day 4 the leader looks, and nobody asks.
	b.now = start.AddDate(0, 0, 3)
	if err := b.LookAtResults(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept, err := b.store.ExperimentLook(t.Context(), "x")
	if err != nil || kept.Revision != 1 {
		t.Fatalf("%+v, %v", kept, err)
	}
	if err := b.LookAtResults(t.Context()); err != nil { // one look a day
		t.Fatal(err)
	}
	if again, _ := b.store.ExperimentLook(t.Context(), "x"); again.Revision != 1 {
		t.Errorf("looked twice on a day: %s", again.Body)
	}
	// Then the effect is gone: without that look nothing would be decided.
	for i := range b.log.people {
		for j := range b.log.people[i].Days {
			if d := &b.log.people[i].Days[j]; d.Day >= dayOf(start) {
				d.Enrols = float64((i + j) % 2)
			}
		}
	}
	b.Service = b.replica() // another process, after a restart
	r := look(6)
	if v := r.Verdict; v.State != stats.StateWinner || v.Arm != "b" || v.Day != 4 || v.Date != "2026-03-05" || r.Today.State == stats.StateWinner {
		t.Errorf("verdict %+v, today %+v", v, r.Today)
	}
	drops("b", 6, 9)
	if v := look(10).Verdict; v.State != stats.StateHarm || v.Day != 10 || v.Metric != "drops" {
		t.Errorf("after harm %+v", v)
	}
	drops("b", 0, 1)
	if v := look(11).Verdict; v.State != stats.StateHarm || v.Day != 10 {
		t.Errorf("harm was forgotten: %+v", v)
	}
	b.people("a", 900, 0.2, 1, 3)
	if v := look(12).Verdict; v.State != stats.StateBlocked || v.Day != 12 {
		t.Errorf("a broken split: %+v", v)
	}
}

// A broken split blocks the verdict, whatever the difference.
func TestBrokenSplit(t *testing.T) {
	b := newBench(t)
	b.create(t, trialBody)
	b.start(t, "x")
	b.people("a", 1500, 0.2, 5, 1)
	b.people("b", 1800, 0.4, 5, 2)
	b.now = b.now.AddDate(0, 0, 4)
	r, err := b.Results(t.Context(), "x")
	if err != nil || r.Verdict.State != stats.StateBlocked || !r.Split.Broken {
		t.Errorf("%+v, %+v, %v", r.Verdict, r.Split, err)
	}
}

// A ramp that is changed takes nobody out, and nothing else is changed.
func TestReramp(t *testing.T) {
	b := newBench(t)
	b.create(t, strings.Replace(trialBody, `"primary"`, `"ramp":[{"from":"2026-03-01T00:00:00Z","share":0.2},{"from":"2026-03-10T00:00:00Z","share":1}],"primary"`, 1))
	b.start(t, "x")
	edit := func(patch string) error {
		_, err := b.Edit(t.Context(), "x", experiment.Change{Body: []byte(patch)})
		return err
	}
	if err := edit(`{"ramp":[{"from":"2026-03-01T00:00:00Z","share":0.1}]}`); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("a ramp shrank: %v", err)
	}
	if err := edit(`{"ramp":[{"from":"2026-03-05T00:00:00Z","share":0.9}]}`); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("a ramp began anew: %v", err)
	}
	if err := edit(`{"ramp":[{"from":"2026-03-01T00:00:00Z","share":0.5}]}`); err != nil {
		t.Error(err)
	}
	if err := edit(`{"share":0.7}`); lectern.ErrorCode(err) != lectern.CodeRefused {
		t.Errorf("a running experiment was changed: %v", err)
	}
	x, err := b.Get(t.Context(), "x")
	if err != nil || len(x.History) != 3 || x.History[2].Action != "ramped" {
		t.Errorf("%+v, %v", x.History, err)
	}
}
