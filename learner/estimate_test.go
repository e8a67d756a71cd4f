package learner

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
)

var monday = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// on is an event so many days after monday.
func on(days float64, typ lectern.EventType, course string, value ...float64) lectern.Event {
	e := lectern.Event{Type: typ, CourseID: course, OccurredAt: monday.Add(time.Duration(days * 24 * float64(time.Hour)))}
	if len(value) > 0 {
		e.Value = &value[0]
	}
	return e
}

func TestEstimateHours(t *testing.T) {
	const enrol, progress, complete = lectern.EventEnrol, lectern.EventProgress, lectern.EventComplete
	hours := map[string]float64{"c": 20, "d": 10}
	tests := []struct {
		name   string
		events []lectern.Event // oldest first
		want   hoursEstimate
	}{
		{"nothing", nil, hoursEstimate{}},
		{"enrolled only", []lectern.Event{on(0, enrol, "c")}, hoursEstimate{}},
		{"no hours known", []lectern.Event{on(0, enrol, "x"), on(7, complete, "x")}, hoursEstimate{}},
		{"no beginning", []lectern.Event{on(7, complete, "c")}, hoursEstimate{}},
		// .2 × 20 = 4 hours in each of two weeks
		{"steady", []lectern.Event{on(0, enrol, "c"), on(7, progress, "c", .2), on(14, progress, "c", .4)}, hoursEstimate{4, 2}},
		// 20 × .2 in one week, 20 × .8 in another
		{"median of two weeks", []lectern.Event{on(0, enrol, "c"), on(7, progress, "c", .2), on(14, complete, "c")}, hoursEstimate{10, 2}},
		// the week of 16 hours does not count
		{"a week of catching up", []lectern.Event{on(0, enrol, "c"), on(7, progress, "c", .1), on(14, complete, "c"),
			on(14, enrol, "d"), on(21, progress, "d", .2)}, hoursEstimate{2, 3}},
		{"two at once", []lectern.Event{on(0, enrol, "c"), on(0, enrol, "d"), on(14, progress, "c", .2), on(14, complete, "d")}, hoursEstimate{7, 2}},
		{"told twice", []lectern.Event{on(0, enrol, "c"), on(7, progress, "c", .2), on(8, progress, "c", .1), on(14, progress, "c", .4), on(14, progress, "c", .4)},
			hoursEstimate{4, 2}},
		// the last 14 of 70 days: .8 × 20 = 16 in two weeks
		{"a break", []lectern.Event{on(0, enrol, "c"), on(70, progress, "c", .8)}, hoursEstimate{8, 2}},
		// 20 hours in an afternoon, and 60 at most
		{"at a stroke", []lectern.Event{on(0, enrol, "c"), on(0.2, complete, "c")}, hoursEstimate{20, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			slices.Reverse(tt.events)
			got := DefaultConfig().estimateHours(tt.events, hours)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(hoursEstimate{}), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestEstimateHoursFindsHabits: somebody who studies about so many hours a week, in
// courses of any length and in one or two at once, is found to.
func TestEstimateHoursFindsHabits(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var off []float64
	for range 200 {
		weekly := math.Exp(1.3 + 0.55*r.NormFloat64())
		hours := map[string]float64{}
		var events []lectern.Event
		day, n := 0.0, 0
		for day < 150 {
			id := fmt.Sprint(n)
			n++
			hours[id] = 5 + 30*r.Float64()
			events = append(events, on(day, lectern.EventEnrol, id))
			for done := 0.0; done < hours[id]; {
				wait := 1 + 5*r.Float64()
				day += wait
				done += weekly / 7 * wait * (0.5 + r.Float64())
				events = append(events, on(day, lectern.EventProgress, id, min(1, done/hours[id])))
			}
			if r.IntN(3) == 0 {
				day += 30 * r.Float64() // a break
			}
		}
		slices.Reverse(events)
		got := DefaultConfig().estimateHours(events, hours)
		off = append(off, math.Abs(math.Log2(got.hours/weekly)))
	}
	slices.Sort(off)
	if m, p90 := off[100], off[180]; m > 0.25 || p90 > 0.6 {
		t.Errorf("off by a factor of 2^%.2f in the median, 2^%.2f at p90", m, p90)
	} else {
		t.Logf("off by a factor of 2^%.2f in the median, 2^%.2f at p90", m, p90)
	}
}

func TestEstimateLevel(t *testing.T) {
	const enrolled, done = lectern.StateEnrolled, lectern.StateEnrolled | lectern.StateCompleted
	levels := map[string]lectern.Level{"b": lectern.LevelBeginner, "i": lectern.LevelIntermediate, "a": lectern.LevelAdvanced, "m": lectern.LevelMixed}
	tests := []struct {
		name    string
		entries []weighted
		mean    float64
		want    lectern.Level
	}{
		{"nothing", nil, 0, ""},
		{"one is too little", []weighted{{id: "b", weight: 3, state: enrolled}}, 0, ""},
		{"beginner", []weighted{{id: "b", weight: 3, state: enrolled}, {id: "b", weight: 3, state: enrolled}}, 0, "beginner"},
		// (2·0 + 6·(0 + .7)) / 8 = .525
		{"completed", []weighted{{id: "b", weight: 2, state: enrolled}, {id: "b", weight: 6, state: done}}, 0.525, "intermediate"},
		{"past the top", []weighted{{id: "a", weight: 6, state: done}, {id: "a", weight: 6, state: done}}, 2.7, "advanced"},
		{"clicks and mixed courses say nothing", []weighted{{id: "a", weight: 9, state: lectern.StateClicked}, {id: "m", weight: 9, state: done},
			{id: "i", weight: 1, state: enrolled}, {id: "i", weight: 1, state: enrolled}}, 1, "intermediate"},
		{"dropped says nothing", []weighted{{id: "a", weight: -2, state: enrolled | lectern.StateDropped}, {id: "b", weight: 3, state: enrolled}}, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			facts := make([]CourseFacts, len(tt.entries))
			for i, e := range tt.entries {
				facts[i].Level = levels[e.id]
			}
			c := DefaultConfig()
			e := c.estimateLevel(tt.entries, facts)
			if got := c.level(e); got != tt.want || math.Abs(e.mean-tt.mean) > 1e-9 {
				t.Errorf("%q at %v, want %q at %v", got, e.mean, tt.want, tt.mean)
			}
		})
	}
}

func TestPace(t *testing.T) {
	c := DefaultConfig()
	for hours, want := range map[float64]lectern.Pace{
		0: lectern.PaceRelaxed, 2.4: lectern.PaceRelaxed, 2.5: lectern.PaceSteady, 6: lectern.PaceIntensive, 50: lectern.PaceIntensive,
	} {
		if got := c.pace(hours); got != want {
			t.Errorf("%v hours: %s, want %s", hours, got, want)
		}
	}
}

func TestSession(t *testing.T) {
	const minute = 1. / 24 / 60
	named := func(e lectern.Event, id string) lectern.Event { e.SessionID = id; return e }
	tests := []struct {
		name   string
		events []lectern.Event // newest first
		want   map[string]float64
	}{
		{"nothing", nil, map[string]float64{}},
		{"views only", []lectern.Event{on(1, lectern.EventView, "a")}, map[string]float64{}},
		{"what was done there", []lectern.Event{on(1, lectern.EventEnrol, "a"), on(1-minute, lectern.EventClick, "a"), on(1-2*minute, lectern.EventClick, "b")},
			map[string]float64{"a": 4, "b": 1}},
		{"a gap", []lectern.Event{on(1, lectern.EventClick, "a"), on(1-31*minute, lectern.EventClick, "b")}, map[string]float64{"a": 1}},
		{"views bridge no gap", []lectern.Event{on(1, lectern.EventClick, "a"), on(1-20*minute, lectern.EventView, "c"), on(1-40*minute, lectern.EventClick, "b")},
			map[string]float64{"a": 1}},
		{"one session id", []lectern.Event{named(on(1, lectern.EventClick, "a"), "s"), named(on(1-40*minute, lectern.EventClick, "b"), "s")},
			map[string]float64{"a": 1, "b": 1}},
		{"no longer than a session is", []lectern.Event{named(on(1, lectern.EventClick, "a"), "s"), named(on(0.4, lectern.EventClick, "b"), "s")},
			map[string]float64{"a": 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, DefaultConfig().session(tt.events)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
