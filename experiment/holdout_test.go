package experiment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment"
	"github.com/lectern-dev/lectern/experiment/stats"
)

// holding is a process by whose configuration a share of everybody is held out.
func (b *bench) holding(share float64, day func(time.Time) int) *experiment.Service {
	return experiment.New(experiment.Options{
		Config: experiment.Config{Poll: time.Second, Holdout: share}, Store: b.store, Versions: b.versions, Log: b.log, Looks: b.store, Day: day,
		ModelKind: "model", ListsKept: 90 * 24 * time.Hour, Clock: func() time.Time { return b.now }, Logger: slog.New(slog.DiscardHandler),
	})
}

// note notes the holdout at a time.
func (b *bench) note(t *testing.T, share float64, at time.Time) {
	t.Helper()
	now := b.now
	b.now = at
	if err := b.holding(share, dayOf).NoteHoldout(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.now = now
}

// crowd is people with a list on some day: who is not held out enrols by so much more
// from a day on, on which the holdout begins.
type crowd struct {
	n          int
	share      float64
	effect     float64 // of not being held out, as a share
	begins     int     // day of the holdout
	first, end int     // days on which lists are made
	seed       uint64
}

func (c crowd) people() []lectern.ListedPerson {
	rng := rand.New(rand.NewPCG(c.seed, 7))
	assigner := experiment.NewAssigner(c.share)
	out := make([]lectern.ListedPerson, c.n)
	for i := range out {
		p := &out[i]
		p.Person, p.Learner = int64(i+1), lectern.LearnerRef{ID: fmt.Sprintf("person-%d-%d", c.seed, i)}
		plain := assigner.Assign(&lectern.AssignRequest{Learner: p.Learner}).Plain
		first := c.first + rng.IntN(max(1, (c.end-c.first)/2))
		p.Exposure.At = time.Unix(int64(first)*86400+3600, 0).UTC()
		p.Exposure.Segment = []lectern.Segment{lectern.SegmentNew, lectern.SegmentActive}[i%2]
		p.Tried = !plain
		eager := 0.1 * rng.ExpFloat64()
		for day := c.begins - 28; day <= c.end; day++ {
			rate := eager
			if day >= c.begins && !plain {
				rate *= 1 + c.effect
			}
			d := lectern.DayTally{Day: day, Tally: lectern.Tally{Lists: 1, Impressions: 10}}
			for range 3 {
				if rng.Float64() < rate {
					d.Enrols++
					d.Clicks++
				}
			}
			if d.Enrols > 0 || day%3 == 0 {
				p.Days = append(p.Days, d)
			}
		}
	}
	return out
}

func (b *bench) holdout(t *testing.T, share float64, q experiment.HoldoutRequest) experiment.HoldoutResults {
	t.Helper()
	r, err := b.holding(share, dayOf).Holdout(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
	if table, err := r.CSV(); err != nil || !strings.Contains(string(table), "holdout,running") {
		t.Errorf("%s, %v", table, err)
	}
	return r
}

// What is planted is found, narrowed by what people did before the holdout, and shown
// over the days since it began.
func TestHoldoutFinds(t *testing.T) {
	b := newBench(t)
	today := dayOf(b.now)
	began := today - 21
	at := func(day int) time.Time { return time.Unix(int64(day)*86400, 0).UTC().Add(5 * time.Hour) }
	b.note(t, 0, at(began-40))
	b.note(t, 0.2, at(began))
	b.note(t, 0.2, at(began+3)) // no change
	b.log.listed = crowd{n: 12000, share: 0.2, effect: 0.2, begins: began, first: began + 1, end: today, seed: 1}.people()
	b.log.listed[0].Protected = true
	b.log.listed[1].Visitors = []string{"v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14"}

	r := b.holdout(t, 0.2, experiment.HoldoutRequest{})
	if want := time.Unix(int64(began+1)*86400, 0).UTC().Format(time.DateOnly); r.From != want || r.Since >= want || len(r.Shares) != 2 || r.BeforeDays != 28 {
		t.Errorf("from %s, want %s; since %s, shares %v, %d days before", r.From, want, r.Since, r.Shares, r.BeforeDays)
	}
	if r.Verdict.State != stats.StateWinner || r.Verdict.Arm != experiment.Others || r.Verdict.Metric != "enrols" || r.Split.Broken {
		t.Errorf("verdict %+v, split %+v", r.Verdict, r.Split)
	}
	m := r.Metrics[0]
	if c := m.Comparisons[0]; !c.Relative.Always.Holds(0.2) || c.Relative.Always.Low <= 0 || !c.Relative.Fixed.Holds(0.2) || m.Reduction < 0.2 {
		t.Errorf("%+v, reduction %g", c.Relative, m.Reduction)
	}
	if g := r.Groups; g[0].Tried != 0 || g[1].Tried != g[1].People || g[0].People+g[1].People != 11999 || g[0].Protected+g[1].Protected != 1 || g[0].Mixed+g[1].Mixed != 1 {
		t.Errorf("groups %+v", g)
	}
	if len(r.Segments) != 2 || len(r.Novelty) != 1 || len(r.Metrics) != len(experiment.Metrics()) || len(r.Warnings) > 0 || len(r.Exposures) < 5 {
		t.Errorf("%d segments, %d novelties, %d metrics, warnings %q, exposures %v", len(r.Segments), len(r.Novelty), len(r.Metrics), r.Warnings, r.Exposures)
	}

	// Days under the holdout narrow nothing: the groups differ in them, too.
	late := b.holdout(t, 0.2, experiment.HoldoutRequest{Days: 7, Metrics: []string{"enrols", "clicks"}})
	if c := late.Metrics[0].Comparisons[0]; len(late.Metrics) != 2 || !c.Relative.Fixed.Holds(0.2) || c.Relative.Fixed.Low <= 0 || late.Novelty != nil {
		t.Errorf("the last week: %+v, novelty %v", c.Relative, late.Novelty)
	}
}

// Adjusting by days on which people were held out already would take the effect away.
func TestHoldoutBefore(t *testing.T) {
	b := newBench(t)
	today := dayOf(b.now)
	b.log.listed = crowd{n: 6000, share: 0.5, effect: 0.5, begins: today - 60, first: today - 9, end: today, seed: 3}.people()
	r := b.holdout(t, 0.5, experiment.HoldoutRequest{Days: 10})
	if c := r.Metrics[0].Comparisons[0]; r.BeforeDays != 0 || r.Metrics[0].Reduction > 1e-9 || !c.Relative.Fixed.Holds(0.5) {
		t.Errorf("%d days before, reduction %g, %+v", r.BeforeDays, r.Metrics[0].Reduction, c.Relative)
	}
}

// Where being held out makes no difference, none is found more often than is said.
func TestHoldoutAA(t *testing.T) {
	b := newBench(t)
	today := dayOf(b.now)
	began := today - 14
	b.note(t, 0, time.Unix(int64(began-30)*86400, 0).UTC())
	b.note(t, 0.1, time.Unix(int64(began)*86400, 0).UTC())
	const n = 200
	var always, fixed, broken int
	for i := range n {
		b.log.listed = crowd{n: 2000, share: 0.1, begins: began, first: began + 1, end: today, seed: uint64(100 + i)}.people()
		r := b.holdout(t, 0.1, experiment.HoldoutRequest{Metrics: []string{"enrols"}})
		c := r.Metrics[0].Comparisons[0]
		if !c.Ready {
			t.Fatalf("%+v", r.Verdict)
		}
		if !c.Absolute.Always.Holds(0) {
			always++
		}
		if !c.Absolute.Fixed.Holds(0) {
			fixed++
		}
		if r.Split.Broken {
			broken++
		}
	}
	// 5 % of 200 are 10; 20 or more come in fewer than one in 300 runs of a test that is as it says.
	if always > 10 || fixed >= 20 || fixed == 0 || broken > 1 {
		t.Errorf("of %d: always-valid %d, fixed %d, broken splits %d", n, always, fixed, broken)
	}
}

// A holdout that changed, that holds nobody out, and too few people are said plainly.
func TestHoldoutSays(t *testing.T) {
	b := newBench(t)
	today := dayOf(b.now)
	at := func(day int) time.Time { return time.Unix(int64(day)*86400, 0).UTC().Add(5 * time.Hour) }
	refused := func(share float64, q experiment.HoldoutRequest, code lectern.Code, words ...string) {
		t.Helper()
		_, err := b.holding(share, dayOf).Holdout(t.Context(), q)
		text := fmt.Sprint(err)
		if e, ok := errors.AsType[*lectern.Error](err); ok {
			text += fmt.Sprint(e.Fields)
		}
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("%q is not in %s", w, text)
			}
		}
		if lectern.ErrorCode(err) != code {
			t.Errorf("code %q of %v", lectern.ErrorCode(err), err)
		}
	}
	refused(0, experiment.HoldoutRequest{}, lectern.CodeRefused, "nobody is held out", "experiments.holdout")
	refused(0.1, experiment.HoldoutRequest{Metrics: []string{"enrolls", "ctr", "ctr"}, From: "2026-3-1", To: "yesterday"}, lectern.CodeInvalid,
		"enrolls", "enrols", "named twice", "2026-3-1", "yesterday")
	refused(0.1, experiment.HoldoutRequest{From: "2026-03-01", To: "2026-02-01"}, lectern.CodeInvalid, "is after to")
	refused(0.1, experiment.HoldoutRequest{To: "2027-03-01"}, lectern.CodeInvalid, "not over yet")
	refused(0.1, experiment.HoldoutRequest{From: "2020-03-01"}, lectern.CodeInvalid, "too long")
	refused(0.1, experiment.HoldoutRequest{From: "2026-03-01", Days: 4}, lectern.CodeInvalid, "beside from")

	empty := b.holdout(t, 0.1, experiment.HoldoutRequest{})
	if empty.Verdict.State != stats.StateNotEnough || empty.Groups[0].People != 0 || empty.Since != "" || len(empty.Shares) != 0 {
		t.Errorf("%+v", empty)
	}

	b.note(t, 0.1, at(today-50))
	b.note(t, 0.3, at(today-10))
	b.log.listed = crowd{n: 2000, share: 0.3, begins: today - 10, first: today - 9, end: today, seed: 5}.people()
	q := experiment.HoldoutRequest{From: at(today - 20).Format(time.DateOnly)}
	changed := b.holdout(t, 0.3, q)
	if changed.Verdict.State != stats.StateBlocked || !strings.Contains(changed.Verdict.Reason, at(today-10).Format(time.DateOnly)) ||
		!strings.Contains(changed.Verdict.Reason, "Ask from "+at(today-9).Format(time.DateOnly)) {
		t.Errorf("%+v", changed.Verdict)
	}
	since := b.holdout(t, 0.3, experiment.HoldoutRequest{})
	if since.From != at(today-9).Format(time.DateOnly) || since.Verdict.State == stats.StateBlocked || since.BeforeDays != 0 {
		t.Errorf("from %s: %+v; %d days before, of which a tenth was held out", since.From, since.Verdict, since.BeforeDays)
	}
	// The days before are of the holdout of then.
	old := b.holdout(t, 0.3, experiment.HoldoutRequest{From: at(today - 30).Format(time.DateOnly), To: at(today - 12).Format(time.DateOnly)})
	if old.Share != 0.1 || old.Verdict.State == stats.StateBlocked {
		t.Errorf("share %g, %+v", old.Share, old.Verdict)
	}

	// Of long ago only those who acted are found.
	ago := b.holdout(t, 0.3, experiment.HoldoutRequest{From: at(today - 100).Format(time.DateOnly), To: at(today - 60).Format(time.DateOnly)})
	if len(ago.Warnings) != 1 || !strings.Contains(ago.Warnings[0], "kept for 90 days") {
		t.Errorf("%q", ago.Warnings)
	}

	// Somebody held out on whom something was tried was not held out.
	for i := range b.log.listed {
		b.log.listed[i].Tried = true
	}
	tried := b.holdout(t, 0.3, experiment.HoldoutRequest{})
	if len(tried.Warnings) != 1 || !strings.Contains(tried.Warnings[0], "not held out") {
		t.Errorf("%q", tried.Warnings)
	}
	// A group that loses people blocks the verdict.
	b.log.listed = b.log.listed[:1000]
	for i := range b.log.listed {
		b.log.listed[i].Learner.ID, b.log.listed[i].Tried = "person-5-0", false
	}
	if lost := b.holdout(t, 0.3, experiment.HoldoutRequest{}); lost.Verdict.State != stats.StateBlocked || !lost.Split.Broken {
		t.Errorf("%+v", lost.Verdict)
	}
}

// Days are those of the platform, also where the clocks go forward.
func TestHoldoutZone(t *testing.T) {
	b := newBench(t)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip(err)
	}
	b.now = time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC) // the 9th over there; clocks went forward on the 8th
	var from, to time.Time
	b.log.asked = func(f, u time.Time) { from, to = f, u }
	day := func(at time.Time) int {
		y, m, d := at.In(zone).Date()
		return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	}
	if _, err := b.holding(0.1, day).Holdout(t.Context(), experiment.HoldoutRequest{From: "2026-03-07", To: "2026-03-08"}); err != nil {
		t.Fatal(err)
	}
	got := []string{from.Format(time.RFC3339), to.Format(time.RFC3339)}
	if d := cmp.Diff([]string{"2026-03-07T05:00:00Z", "2026-03-09T04:00:00Z"}, got); d != "" {
		t.Error(d)
	}
}

// Nobody may call an experiment what is a path.
func TestHoldoutIsNoID(t *testing.T) {
	b := newBench(t)
	_, err := b.Create(t.Context(), experiment.Change{Body: []byte(strings.Replace(trialBody, `"id":"x"`, `"id":"holdout"`, 1))})
	if lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Error(err)
	}
}
