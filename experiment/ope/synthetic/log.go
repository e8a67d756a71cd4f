package synthetic

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/lectern-dev/lectern"
)

// Log is what was recorded of lists, as a store would tell it.
type Log struct {
	lists    []lectern.RankedList
	outcomes []lectern.Outcome
	seen     [][]bool
	earned   [][]float64 // by place
}

var _ lectern.OutcomeLog = (*Log)(nil)

// Record makes lists for people and records them with what came of them.
func (w *World) Record(ctx context.Context, s Serving, seed uint64, people, perPerson int) (*Log, error) {
	m, err := w.maker(s)
	if err != nil {
		return nil, err
	}
	type made struct {
		scene
		person, nth int
	}
	var all []made
	for person := range people {
		for nth := range perPerson {
			all = append(all, made{w.scene(seed, person, nth), person, nth})
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].at.Before(all[j].at) })
	log := &Log{}
	for i := range all {
		sc := &all[i].scene
		order, scores, x := m.list(sc)
		r := lectern.Ranking{
			ID: fmt.Sprintf("r%06d", i), Surface: lectern.SurfaceHome, CreatedAt: sc.at, ConfigVersion: SettingsName, Weights: m.terms,
			Segment: lectern.SegmentActive, Served: served, Exploration: x,
		}
		for _, c := range order {
			r.Items = append(r.Items, lectern.RankedItem{CourseID: w.courses[sc.courses[c]].id, Score: scores[c], Terms: sc.values[c], Propensity: 1})
		}
		if m.explorer != nil {
			if err := m.explorer.Finish(ctx, &r); err != nil {
				return nil, err
			}
		}
		log.lists = append(log.lists, lectern.RankedList{Seq: int64(i + 1), Person: int64(all[i].person + 1), Ranking: r})
		w.react(log, seed, all[i].person, all[i].nth, sc, order)
	}
	sort.SliceStable(log.outcomes, func(i, j int) bool { return log.outcomes[i].Event.ReceivedAt.Before(log.outcomes[j].Event.ReceivedAt) })
	arrived := sort.Search(len(log.outcomes), func(i int) bool { return log.outcomes[i].Event.ReceivedAt.After(End()) })
	log.outcomes = log.outcomes[:arrived]
	for i := range log.outcomes {
		log.outcomes[i].Seq = int64(i + 1)
	}
	return log, nil
}

// react lets a person look at a list, click and complete.
func (w *World) react(log *Log, seed uint64, person, nth int, sc *scene, order []int) {
	lots := w.lots(seed+3, uint64(person)<<16|uint64(nth))
	list := &log.lists[len(log.lists)-1]
	event := func(kind lectern.EventType, place int, at time.Time, direct bool) {
		e := lectern.Event{Type: kind, CourseID: list.Ranking.Items[place].CourseID, OccurredAt: at, ReceivedAt: at}
		if direct {
			e.RankingID = list.Ranking.ID
		}
		log.outcomes = append(log.outcomes, lectern.Outcome{Event: e, Person: list.Person, List: &list.Ranking, Direct: direct})
	}
	seen, earned := make([]bool, sc.depth), make([]float64, sc.depth)
	for place := range sc.depth {
		seen[place] = true
		at := sc.at.Add(time.Duration(place+1) * time.Second)
		event(lectern.EventView, place, at, true)
		i := order[place]
		if lots.Float64() >= sc.draw[i]*looked(place) {
			continue
		}
		event(lectern.EventClick, place, at, true)
		earned[place] += 0.5
		if lots.Float64() < sc.finishes(i) {
			// The share of late comes evenly within ten days, the rest after that.
			days := 10 * lots.Float64() / late
			event(lectern.EventComplete, place, at.Add(time.Duration(days*float64(24*time.Hour))), false)
			if days < 10 {
				earned[place] += 0.5
			}
		}
	}
	log.seen, log.earned = append(log.seen, seen), append(log.earned, earned)
}

// ScanOutcomes implements lectern.OutcomeLog.
func (l *Log) ScanOutcomes(_ context.Context, after int64, limit int, _ time.Duration, _ int) ([]lectern.Outcome, int64, error) {
	from := min(int(after), len(l.outcomes))
	out := l.outcomes[from:min(from+limit, len(l.outcomes))]
	return out, after + int64(len(out)), nil
}

// ScanRankings implements lectern.OutcomeLog.
func (l *Log) ScanRankings(_ context.Context, after int64, limit, items int) ([]lectern.RankedList, int64, error) {
	from := min(int(after), len(l.lists))
	out := make([]lectern.RankedList, 0, min(limit, len(l.lists)-from))
	for _, r := range l.lists[from:min(from+limit, len(l.lists))] {
		r.Ranking.Items = r.Ranking.Items[:min(items, len(r.Ranking.Items))]
		out = append(out, r)
	}
	return out, after + int64(len(out)), nil
}

// Lists is how many lists were recorded.
func (l *Log) Lists() int { return len(l.lists) }
