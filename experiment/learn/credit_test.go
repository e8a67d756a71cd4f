package learn

import (
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
)

// TestSeen: what an event shows to have been seen of a list of six, of which the last two
// are behind the slate.
func TestSeen(t *testing.T) {
	at := func(n int) *int { return &n }
	for name, tt := range map[string]struct {
		event  lectern.Event
		direct bool
		cut    bool // the list goes on behind what was read of it
		want   []string
	}{
		"a view":                           {lectern.Event{Type: lectern.EventView, CourseID: "c2"}, true, false, []string{"c2"}},
		"a click":                          {lectern.Event{Type: lectern.EventClick, CourseID: "c2"}, true, false, []string{"c0", "c1", "c2"}},
		"a click that states another":      {lectern.Event{Type: lectern.EventClick, CourseID: "c1", Position: at(3)}, true, false, []string{"c0", "c1"}},
		"what cites no list":               {lectern.Event{Type: lectern.EventEnrol, CourseID: "c2"}, false, false, []string{"c2"}},
		"a click behind the slate":         {lectern.Event{Type: lectern.EventClick, CourseID: "c5"}, true, false, []string{"c0", "c1", "c2", "c3"}},
		"a view behind the slate":          {lectern.Event{Type: lectern.EventView, CourseID: "c5"}, true, false, nil},
		"a course of no list":              {lectern.Event{Type: lectern.EventClick, CourseID: "z", Position: at(7)}, true, false, nil},
		"a click behind what was read":     {lectern.Event{Type: lectern.EventClick, CourseID: "z", Position: at(250)}, true, true, []string{"c0", "c1", "c2", "c3"}},
		"a view behind what was read":      {lectern.Event{Type: lectern.EventView, CourseID: "z", Position: at(250)}, true, true, nil},
		"a click at a place that is taken": {lectern.Event{Type: lectern.EventClick, CourseID: "z", Position: at(3)}, true, true, nil},
	} {
		n := 6
		if tt.cut {
			n = items
		}
		list := rankedList("l", "ann", n, 1, 3)
		x := list.Exploration
		x.Slate, x.Age, x.Evidence, x.Provider = x.Slate[:4], x.Age[:4], x.Evidence[:4], x.Provider[:4]
		l := &ledger{posterior: bandit.NewPosterior(bandit.F1(), 1, 0), counted: map[credited]bool{}}
		tt.event.OccurredAt = noon.Add(time.Minute)
		l.add(&lectern.Outcome{Event: tt.event, List: &list, Direct: tt.direct})
		var got []string
		for _, c := range l.credits {
			if c.Name == lectern.RewardSeen {
				got = append(got, c.CourseID)
			}
		}
		equal(t, name, got, tt.want)
		equal(t, name+": impressions", l.posterior.Impressions(), int64(len(tt.want)))
	}
}
