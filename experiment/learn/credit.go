package learn

import (
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/internal/seen"
)

// credited names what counts once.
type credited struct{ ranking, course, name string }

// ledger turns outcomes into credits, each once, and adds them to a posterior.
type ledger struct {
	rewards   []explore.Reward
	posterior *bandit.Posterior
	counted   map[credited]bool // what counted before, and what is in credits
	credits   []lectern.Credit
	row       []float64
}

// teaches reports whether something can be learnt from an outcome, and returns the place
// of its course in the list, which may lie beyond what was read of it.
func teaches(o *lectern.Outcome) (place int, ok bool) {
	if o.Silent || o.List == nil || o.List.Exploration == nil || o.Event.CourseID == "" {
		return 0, false
	}
	place = seen.Place(o.List.Items, items, o.Event.CourseID, o.Event.Position)
	return place, place >= 0
}

// add counts what an outcome earned. What cites no list earns something for one that was
// cited before; of that it shows its own course alone.
func (l *ledger) add(o *lectern.Outcome) {
	place, ok := teaches(o)
	if !ok {
		return
	}
	from := place
	if o.Direct {
		from = seen.From(o.Event.Type, place)
	}
	for at := from; at <= min(place, len(o.List.Items)-1); at++ {
		l.see(o, at)
	}
	if !l.learns(o, place) {
		return
	}
	switch o.Event.Type {
	case lectern.EventClick, lectern.EventEnrol, lectern.EventDrop:
		l.once(o, place, lectern.RewardEvent+string(o.Event.Type), 0)
	}
	for _, r := range l.rewards {
		if earns(o, r) && l.once(o, place, r.Name, r.Value) {
			l.posterior.Reward(l.row, r.Value, o.List.CreatedAt)
		}
	}
}

// earns reports whether an outcome is what a reward is for, in time.
func earns(o *lectern.Outcome, r explore.Reward) bool {
	if o.Event.Type != r.Event || o.Event.OccurredAt.Sub(o.List.CreatedAt) > days(r.WithinDays) {
		return false
	}
	switch r.Event {
	case lectern.EventProgress, lectern.EventRate:
		return o.Event.Value != nil && *o.Event.Value >= r.AtLeast
	}
	return true
}

// learns makes the row of a place the ledger's; false where the place is none of those
// that exploration might have changed.
func (l *ledger) learns(o *lectern.Outcome, place int) bool {
	row, ok := bandit.Seen(l.row, o.List, place)
	l.row = row
	return ok
}

func (l *ledger) see(o *lectern.Outcome, place int) {
	if l.counted[credited{o.List.ID, o.List.Items[place].CourseID, lectern.RewardSeen}] || !l.learns(o, place) {
		return
	}
	l.once(o, place, lectern.RewardSeen, 0)
	l.posterior.Add(l.row, o.List.CreatedAt)
}

// once adds a credit that has not counted, and reports whether it did.
func (l *ledger) once(o *lectern.Outcome, place int, name string, value float64) bool {
	course := o.List.Items[place].CourseID
	key := credited{o.List.ID, course, name}
	if l.counted[key] {
		return false
	}
	l.counted[key] = true
	l.credits = append(l.credits, lectern.Credit{
		Reward:  lectern.Reward{RankingID: o.List.ID, CourseID: course, Name: name, Value: value, At: o.Event.OccurredAt},
		Surface: explore.SurfaceOf(o.List.Surface, o.List.Row), Position: place, Explored: slices.Contains(o.List.Exploration.Places, place), Made: o.List.CreatedAt,
	})
	return true
}

func days(n float64) time.Duration { return time.Duration(n * float64(24*time.Hour)) }

// longest is for how long after a list something about it may still earn a reward.
func longest(rewards []explore.Reward) time.Duration {
	var most time.Duration
	for _, r := range rewards {
		most = max(most, days(r.WithinDays))
	}
	return most
}
