package ope

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
)

// memory is a log in memory.
type memory struct {
	lists    []lectern.RankedList
	outcomes []lectern.Outcome
	scans    int
}

func (m *memory) ScanOutcomes(_ context.Context, after int64, limit int, _ time.Duration, _ int) ([]lectern.Outcome, int64, error) {
	m.scans++
	from := min(int(after), len(m.outcomes))
	out := m.outcomes[from:min(from+limit, len(m.outcomes))]
	return out, after + int64(len(out)), nil
}

func (m *memory) ScanRankings(_ context.Context, after int64, limit, _ int) ([]lectern.RankedList, int64, error) {
	m.scans++
	from := min(int(after), len(m.lists))
	out := m.lists[from:min(from+limit, len(m.lists))]
	return out, after + int64(len(out)), nil
}

func date(d int) time.Time { return time.Date(2026, 3, d, 12, 0, 0, 0, time.UTC) }

func (m *memory) list(id string, at time.Time, explores bool) *lectern.Ranking {
	r := listOf([2]float64{0.9, 0.9}, [2]float64{0.8, 0.8}, [2]float64{0.7, 0.7}, [2]float64{0.6, 0.6})
	r.ID, r.CreatedAt = id, at
	if !explores {
		r.Exploration = nil
	}
	m.lists = append(m.lists, lectern.RankedList{Seq: int64(len(m.lists) + 1), Person: 7, Ranking: *r})
	return r
}

func (m *memory) event(r *lectern.Ranking, kind lectern.EventType, course string, after time.Duration, direct bool, value float64) {
	m.outcomes = append(m.outcomes, lectern.Outcome{
		Seq: int64(len(m.outcomes) + 1), List: r, Direct: direct, Person: 7,
		Event: lectern.Event{Type: kind, CourseID: course, OccurredAt: r.CreatedAt.Add(after), ReceivedAt: r.CreatedAt.Add(after), Value: &value},
	})
}

func TestWhatIsReadOfALog(t *testing.T) {
	rewards := []explore.Reward{
		{Name: "click", Event: lectern.EventClick, Value: 0.2, WithinDays: 1},
		{Name: "progress", Event: lectern.EventProgress, Value: 0.3, WithinDays: 7, AtLeast: 0.5},
	}
	log := &memory{}
	old := log.list("old", date(1), true)
	log.list("unknown", date(9), true)
	log.lists[1].Ranking.Items = slices.Clone(log.lists[1].Ranking.Items)
	log.lists[1].Ranking.Items[3].Propensity = 0
	r := log.list("r", date(10), true)
	plain := log.list("plain", date(11), false)
	log.list("unseen", date(12), true)
	other := log.list("other", date(12), true)
	log.lists[5].Ranking.Surface, other.Surface = lectern.SurfaceSearch, lectern.SurfaceSearch
	log.event(old, lectern.EventClick, "a", time.Minute, true, 0)
	log.event(r, lectern.EventView, "d", time.Minute, true, 0)           // the fourth place was seen, that alone
	log.event(r, lectern.EventClick, "b", time.Minute, true, 0)          // and the first two
	log.event(r, lectern.EventClick, "b", time.Hour, true, 0)            // counts once
	log.event(r, lectern.EventClick, "a", 30*time.Hour, true, 0)         // too late
	log.event(r, lectern.EventProgress, "b", 100*time.Hour, false, 0.4)  // too little
	log.event(r, lectern.EventProgress, "b", 150*time.Hour, false, 0.5)  // put down to it
	log.event(r, lectern.EventProgress, "b", 160*time.Hour, false, 0.75) // again
	log.event(plain, lectern.EventClick, "a", time.Minute, true, 0)
	log.event(other, lectern.EventClick, "a", time.Minute, true, 0)
	log.event(r, lectern.EventClick, "c", time.Minute, true, 0)
	log.outcomes[len(log.outcomes)-1].Silent = true
	q := query{since: date(5), until: date(30), surface: lectern.SurfaceHome, rewards: rewards, most: 10}
	entries, sum, err := read(context.Background(), log, q)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Fatalf("%d lists", len(entries))
	}
	if d := cmp.Diff([]bool{true, true, false, true}, entries[0].Seen); d != "" {
		t.Errorf("seen: %s", d)
	}
	if d := cmp.Diff([]Earned{{Place: 1, Reward: 0, Value: 0.2}, {Place: 1, Reward: 1, Value: 0.3}}, entries[0].Rewards); d != "" {
		t.Errorf("rewards: %s", d)
	}
	if d := cmp.Diff(Read{Lists: 4, Plain: 1, Unseen: 1, Unknown: 1, ByView: 1, BelowIt: 2}, sum); d != "" {
		t.Errorf("counts: %s", d)
	}
	q.all = true
	if entries, _, err = read(context.Background(), log, q); err != nil || len(entries) != 2 {
		t.Errorf("all lists: %d, %v", len(entries), err)
	}
	q.most = 1
	if entries, sum, err = read(context.Background(), log, q); err != nil || len(entries) != 1 || !sum.Clipped || entries[0].Ranking.ID != "plain" {
		t.Errorf("the newest: %v, %+v, %v", entries, sum, err)
	}
}

// What is far too old is not gone through.
func TestOldEntriesArePassedOver(t *testing.T) {
	log := &memory{}
	for i := range 20_000 {
		log.list(fmt.Sprint(i), date(1).Add(time.Duration(i)*time.Minute), true)
	}
	q := query{since: date(14), until: date(30), surface: lectern.SurfaceHome, most: 10}
	_, sum, err := read(context.Background(), log, q)
	if err != nil {
		t.Fatal(err)
	}
	if want := 20_000 - 13*24*60; sum.Lists != want {
		t.Errorf("%d lists, want %d", sum.Lists, want)
	}
	if log.scans > 50 {
		t.Errorf("%d scans", log.scans)
	}
}

// written is a Step that knows the chances of one list.
type written [][]explore.Chance

func (w written) Distribution(context.Context, *lectern.Ranking, int) ([][]explore.Chance, error) {
	return w, nil
}

// Places 2 and 3 hold c and d either way round, c first with a chance of 3/4. It was c
// first, and d was clicked. A target that has d first weighs c at place 2 and d at place
// 3 with 0 in the item-position model. In the position-based one, with examination of
// 1/(i+1), d was to be looked at (1/4·1/3 + 3/4·1/4) = 13/48, and by the target 1/3: the
// click weighs 16/13.
func TestWeightsOfBothModels(t *testing.T) {
	r := listOf([2]float64{0.9, 0.9}, [2]float64{0.8, 0.8}, [2]float64{0.7, 0.7}, [2]float64{0.6, 0.6})
	r.Served, r.Exploration.Floor = 4, 0
	r.Items[2].Propensity, r.Items[3].Propensity = 0.75, 0.75
	e := &Entry{Ranking: r, Person: 1, Seen: []bool{true, true, true, true}, Rewards: []Earned{{Place: 3, Reward: 0, Value: 0.2}}}
	step := written{{{Slot: 0, P: 1}}, {{Slot: 1, P: 1}}, {{Slot: 2, P: 0.75}, {Slot: 3, P: 0.25}}, {{Slot: 3, P: 0.75}, {Slot: 2, P: 0.25}}}
	turned := settingsOf(1, 0) // whatever it is, it has d before c
	draft := r
	draft.Items[3].Terms = []float64{0.75, 0.45}
	o := orderOf(t, turned, nil)
	if got := ordered(t, o, r); got != "abdc" {
		t.Fatalf("the target has %s", got)
	}
	for name, c := range map[string]struct {
		curve []float64
		want  [4]float64
	}{
		ModelItem:     {nil, [4]float64{1, 1, 0, 0}},
		ModelPosition: {Examination{Power: 1}.places(20), [4]float64{1, 1, (1. / 4) / (0.75/3 + 0.25/4), 16. / 13}},
	} {
		b := builder{step: step, target: target{order: o}, rewards: 2, places: 20, curve: c.curve}
		l, ok, err := b.add(context.Background(), e)
		if err != nil || !ok || l.Units != 4 || len(l.Picks) != 4 {
			t.Fatalf("%s: %+v, %v, %v", name, l, ok, err)
		}
		for i, p := range l.Picks {
			if math.Abs(p.weight()-c.want[i]) > 1e-12 || p.Support != 1 || p.Mass != 1 || p.Rewards[0] != map[bool]float64{true: 1}[i == 3] {
				t.Errorf("%s, place %d: weight %v, want %v (%+v)", name, i, p.weight(), c.want[i], p)
			}
		}
	}
}

// Two places whose courses swap half the time, of which the lower earns half as much:
// looked at with a power of log 2 / log(4/3).
func TestExaminationFromSwaps(t *testing.T) {
	r := listOf([2]float64{0.9, 0.9}, [2]float64{0.8, 0.8}, [2]float64{0.7, 0.7}, [2]float64{0.6, 0.6})
	step := written{{{Slot: 0, P: 1}}, {{Slot: 1, P: 1}}, {{Slot: 2, P: 0.5}, {Slot: 3, P: 0.5}}, {{Slot: 3, P: 0.5}, {Slot: 2, P: 0.5}}}
	var entries []Entry
	for i := range 30 {
		place := 2
		if i%3 == 0 {
			place = 3
		}
		entries = append(entries, Entry{Ranking: r, Rewards: []Earned{{Place: place, Value: 1}, {Place: 0, Value: 1}}})
	}
	got, ok, err := examine(context.Background(), entries, step, 20)
	if want := math.Log(2) / math.Log(4./3); err != nil || !ok || math.Abs(got.Power-want) > 1e-9 {
		t.Errorf("power %v, want %v (%v, %v)", got.Power, want, ok, err)
	}
	if _, ok, _ := examine(context.Background(), nil, step, 20); ok {
		t.Error("a curve of nothing")
	}
}

func TestRefusals(t *testing.T) {
	fine := Overlap{Lists: 1000, People: 500, Rewarded: 200, Open: 900, Support: 1, Effective: 500, MeanWeight: Interval{Value: 1.02}}
	for name, c := range map[string]struct {
		change func(o *Overlap)
		want   int
	}{
		"fine":             {func(*Overlap) {}, 0},
		"few lists":        {func(o *Overlap) { o.Lists = 10 }, 1},
		"few people":       {func(o *Overlap) { o.People = 10 }, 1},
		"few rewards":      {func(o *Overlap) { o.Rewarded = 3 }, 1},
		"support":          {func(o *Overlap) { o.Support = 0.5 }, 1},
		"effective":        {func(o *Overlap) { o.Effective = 12 }, 1},
		"weights below":    {func(o *Overlap) { o.MeanWeight.Value = 0.6 }, 1},
		"weights above":    {func(o *Overlap) { o.MeanWeight.Value = 1.4 }, 1},
		"clipped":          {func(o *Overlap) { o.Clipped = 0.2 }, 1},
		"support and mean": {func(o *Overlap) { o.Support, o.MeanWeight.Value = 0.3, 0.3 }, 2},
		"nothing differs":  {func(o *Overlap) { o.Open, o.Effective = 0, 0 }, 0},
	} {
		o := fine
		c.change(&o)
		if got := refusals(o, DefaultConfig(), 0.95); len(got) != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
