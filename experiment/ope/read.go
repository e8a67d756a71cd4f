package ope

import (
	"context"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/internal/seen"
)

// query is which lists are read.
type query struct {
	since, until time.Time
	surface      lectern.Surface
	row          lectern.Row
	rows         bool // row says which; else any row of the surface is fine
	all          bool // lists that did not explore, too
	rewards      []explore.Reward
	most         int
}

// Read counts what was read of a log.
type Read struct {
	Lists   int  `json:"lists"`    // of that time, surface and row
	Plain   int  `json:"plain"`    // of these, the ones that did not explore, and so were left out
	Unseen  int  `json:"unseen"`   // of which nobody is known to have seen a place
	Unknown int  `json:"unknown"`  // left out: how likely what they showed was is not yet known
	Clipped bool `json:"clipped"`  // only the newest were looked at
	ByView  int  `json:"by_view"`  // places that are known to have been seen from a view event
	BelowIt int  `json:"below_it"` // ... from an action at them or below alone
}

const (
	scanBatch = 500
	// readItems is how many items of a list are read: more than a slate has.
	readItems = 200
	day       = 24 * time.Hour
)

// act is an event that is put down to a list.
type act struct {
	course string
	kind   lectern.EventType
	at     time.Time
	value  *float64
	direct bool

	position *int
}

// read returns the lists that were asked for, with what was seen of them and earned by
// them, oldest first.
func read(ctx context.Context, log lectern.OutcomeLog, q query) ([]Entry, Read, error) {
	acts, err := readActs(ctx, log, q)
	if err != nil {
		return nil, Read{}, err
	}
	var out []Entry
	var sum Read
	after, err := startOf(ctx, q.since, func(after int64) (time.Time, int64, bool, error) {
		lists, next, err := log.ScanRankings(ctx, after, 1, 1)
		if err != nil || len(lists) == 0 {
			return time.Time{}, next, false, err
		}
		return lists[0].Ranking.CreatedAt, next, true, nil
	})
	if err != nil {
		return nil, sum, err
	}
	for {
		lists, next, err := log.ScanRankings(ctx, after, scanBatch, readItems)
		if err != nil {
			return nil, sum, err
		}
		if len(lists) == 0 {
			break
		}
		after = next
		for i := range lists {
			r := &lists[i].Ranking
			if !q.wants(r) {
				continue
			}
			sum.Lists++
			if r.Exploration == nil && !q.all {
				sum.Plain++
				continue
			}
			if unknown(r) {
				sum.Unknown++
				continue
			}
			e := entryOf(lists[i], acts[r.ID], q.rewards, &sum)
			if len(e.Seen) == 0 {
				sum.Unseen++
				continue
			}
			out = append(out, e)
		}
		if len(out) > 2*q.most {
			out, sum.Clipped = slices.Clone(out[len(out)-q.most:]), true
		}
	}
	if len(out) > q.most {
		out, sum.Clipped = out[len(out)-q.most:], true
	}
	return out, sum, nil
}

// unknown reports whether the probabilities of a list that explores are yet to be found:
// the record says 0 until then. Half of such a list would not do: which places may be
// used would depend on what was shown.
func unknown(r *lectern.Ranking) bool {
	x := r.Exploration
	if x == nil || len(x.Places) == 0 {
		return false
	}
	for place := x.Places[0]; place < min(len(x.Slate), len(r.Items)); place++ {
		if r.Items[place].Propensity == 0 {
			return true
		}
	}
	return false
}

// wants reports whether a list was asked for.
func (q *query) wants(r *lectern.Ranking) bool {
	return r.Surface == q.surface && (!q.rows || r.Row == q.row) &&
		!r.CreatedAt.Before(q.since) && r.CreatedAt.Before(q.until) &&
		!slices.ContainsFunc(r.Items, func(it lectern.RankedItem) bool { return it.Team != 0 }) // interleaved
}

// readActs collects the events of the lists that were asked for.
func readActs(ctx context.Context, log lectern.OutcomeLog, q query) (map[string][]act, error) {
	within := time.Duration(0)
	for _, r := range q.rewards {
		within = max(within, time.Duration(r.WithinDays*float64(day)))
	}
	after, err := startOf(ctx, q.since, func(after int64) (time.Time, int64, bool, error) {
		outcomes, next, err := log.ScanOutcomes(ctx, after, 1, 0, 1)
		if err != nil || len(outcomes) == 0 {
			return time.Time{}, next, false, err
		}
		return outcomes[0].Event.ReceivedAt, next, true, nil
	})
	if err != nil {
		return nil, err
	}
	out := make(map[string][]act)
	for {
		outcomes, next, err := log.ScanOutcomes(ctx, after, scanBatch, within, 1)
		if err != nil {
			return nil, err
		}
		if len(outcomes) == 0 {
			return out, nil
		}
		after = next
		for i := range outcomes {
			o := &outcomes[i]
			if o.List == nil || o.Silent || !q.all && o.List.Exploration == nil || !q.wants(o.List) {
				continue
			}
			out[o.List.ID] = append(out[o.List.ID], act{o.Event.CourseID, o.Event.Type, o.Event.OccurredAt, o.Event.Value, o.Direct, o.Event.Position})
		}
	}
}

// startOf finds a place in a log from which on everything is as new as since, less a day
// for what was recorded out of order. first returns the time of the first entry after a
// place, and the place after it.
func startOf(_ context.Context, since time.Time, first func(after int64) (time.Time, int64, bool, error)) (int64, error) {
	since = since.Add(-day)
	old := func(after int64) (bool, error) { // everything up to there may be passed over
		at, _, ok, err := first(after)
		return ok && at.Before(since), err
	}
	low, high := int64(0), int64(1)
	for {
		is, err := old(high)
		if err != nil {
			return 0, err
		}
		if !is {
			break
		}
		low, high = high, 2*high
	}
	for high-low > scanBatch {
		middle := low + (high-low)/2
		is, err := old(middle)
		if err != nil {
			return 0, err
		}
		if is {
			low = middle
		} else {
			high = middle
		}
	}
	return low, nil
}

// entryOf says what was seen of a list, and what it earned. A place was seen when a view
// event cites it, or another event cites it or one below it.
func entryOf(l lectern.RankedList, acts []act, rewards []explore.Reward, sum *Read) Entry {
	r, whole := l.Ranking, l.Ranking.Items
	if x := r.Exploration; x != nil && len(x.Slate) < len(r.Items) {
		r.Items = slices.Clip(r.Items[:len(x.Slate)])
	}
	e := Entry{Ranking: &r, Person: l.Person}
	shown, viewed := make([]bool, len(r.Items)), make([]bool, len(r.Items))
	for _, a := range acts {
		place := seen.Place(whole, readItems, a.course, a.position)
		if place < 0 {
			continue
		}
		if a.direct {
			for at := seen.From(a.kind, place); at <= min(place, len(shown)-1); at++ {
				shown[at], viewed[at] = true, viewed[at] || a.kind == lectern.EventView
			}
		}
		if place >= len(r.Items) {
			continue // none of those that exploration might have changed
		}
		for j, reward := range rewards {
			if earns(reward, r.CreatedAt, a) && !slices.ContainsFunc(e.Rewards, func(x Earned) bool { return x.Place == place && x.Reward == j }) {
				e.Rewards = append(e.Rewards, Earned{Place: place, Reward: j, Value: reward.Value})
			}
		}
	}
	for place, was := range shown {
		if was {
			e.Seen = append(e.Seen, make([]bool, place+1-len(e.Seen))...)
			e.Seen[place] = true
			if viewed[place] {
				sum.ByView++
			} else {
				sum.BelowIt++
			}
		}
	}
	e.Rewards = slices.DeleteFunc(e.Rewards, func(x Earned) bool { return x.Place >= len(e.Seen) || !e.Seen[x.Place] })
	return e
}

// earns reports whether an event earns a reward of a list: as package learn has it.
func earns(r explore.Reward, listed time.Time, a act) bool {
	if a.kind != r.Event || a.at.Sub(listed) > time.Duration(r.WithinDays*float64(day)) {
		return false
	}
	switch r.Event {
	case lectern.EventProgress, lectern.EventRate:
		return a.value != nil && *a.value >= r.AtLeast
	}
	return true
}
