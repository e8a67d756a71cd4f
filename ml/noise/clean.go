package noise

import (
	"iter"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Fired is a set of rules.
type Fired uint8

const (
	firedBots Fired = 1 << iota
	firedCreator
	firedShortClicks
	firedBursts
	firedRepeats
)

// ruleNames are the names of the bits of Fired, lowest first.
var ruleNames = [...]string{RuleBots, RuleCreator, RuleShortClicks, RuleBursts, RuleRepeats}

// Names lists the rules in the set, in the order in which they are applied.
func (f Fired) Names() []string { return slices.Collect(f.all()) }

// Has reports whether the named rule is in the set.
func (f Fired) Has(rule string) bool {
	for name := range f.all() {
		if name == rule {
			return true
		}
	}
	return false
}

func (f Fired) all() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, name := range ruleNames {
			if f&(1<<i) != 0 && !yield(name) {
				return
			}
		}
	}
}

// Weighted is an event with how far it is to be believed.
type Weighted struct {
	Event  lectern.Event
	Weight float64 // in [0, 1]: what to multiply the event's strength with
	Fired  Fired   // the rules that lowered it
}

// Clean weighs all events of one learner, and returns them in the order of time
// (occurred_at, then id), whatever order they come in. course looks a course up
// and may be nil or know nothing; it is asked about each course once at most.
// The same events with the same courses always weigh the same.
func (c Config) Clean(events []lectern.Event, course func(id string) (lectern.Course, bool)) []Weighted {
	if len(events) == 0 {
		return nil
	}
	out := make([]Weighted, len(events))
	for i, at := range inOrder(events) {
		out[i] = Weighted{Event: events[at], Weight: 1}
	}
	acts := actsOf(out)
	if c.Bots.On && c.Bots.caught(out, acts) {
		for i := range out {
			out[i].lower(firedBots, 0)
		}
		return out
	}
	if c.Creator.On && course != nil {
		c.Creator.apply(out, course)
	}
	if c.ShortClicks.On {
		c.ShortClicks.apply(out)
	}
	if c.Bursts.On {
		c.Bursts.apply(out, acts)
	}
	if c.Repeats.On {
		c.Repeats.apply(out)
	}
	return out
}

// lower multiplies the weight, for a rule.
func (w *Weighted) lower(rule Fired, by float64) {
	w.Weight *= by
	w.Fired |= rule
}

// inOrder returns the places of the events by time.
func inOrder(events []lectern.Event) []int {
	order := make([]int, len(events))
	for i := range order {
		order[i] = i
	}
	compare := func(a, b int) int {
		if d := events[a].OccurredAt.Compare(events[b].OccurredAt); d != 0 {
			return d
		}
		return strings.Compare(events[a].ID, events[b].ID)
	}
	if !slices.IsSortedFunc(order, compare) {
		slices.SortStableFunc(order, compare)
	}
	return order
}

// Tally counts what the rules did to many learners.
type Tally struct {
	Learners, Events int
	Rules            map[string]Touched
}

// Touched is what one rule lowered.
type Touched struct {
	Events   int     `json:"events"`
	Learners int     `json:"learners"`
	Lost     float64 `json:"lost"` // weight of those events that it and rules with it took away
}

// Add counts one learner.
func (t *Tally) Add(cleaned []Weighted) {
	if t.Rules == nil {
		t.Rules = make(map[string]Touched, len(ruleNames))
	}
	t.Learners++
	t.Events += len(cleaned)
	var any Fired
	for i := range cleaned {
		w := &cleaned[i]
		any |= w.Fired
		if w.Fired == 0 {
			continue
		}
		for name := range w.Fired.all() {
			r := t.Rules[name]
			r.Events++
			r.Lost += 1 - w.Weight
			t.Rules[name] = r
		}
	}
	for name := range any.all() {
		r := t.Rules[name]
		r.Learners++
		t.Rules[name] = r
	}
}
