package tuning_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// memoryLog is a log in memory, newest first.
type memoryLog []lectern.LoggedList

var _ lectern.ListLog = memoryLog{}

func (m memoryLog) LoggedLists(ctx context.Context, since time.Time, before lectern.LogCursor, limit, items int) (
	[]lectern.LoggedList, lectern.LogCursor, error) {
	var out []lectern.LoggedList
	for _, l := range m {
		r := l.Ranking
		later := r.CreatedAt.Compare(before.CreatedAt)
		if later > 0 || later == 0 && r.ID >= before.ID || r.CreatedAt.Before(since) {
			continue
		}
		if len(out) == limit {
			last := out[limit-1].Ranking
			return out, lectern.LogCursor{CreatedAt: last.CreatedAt, ID: last.ID}, ctx.Err()
		}
		l.Ranking.Items = r.Items[:min(items, len(r.Items))]
		out = append(out, l)
	}
	return out, lectern.LogCursor{}, ctx.Err()
}

// world is a simulated platform: courses with values of terms that go together as they
// do in life, and learners who look down a list and choose by hidden weights.
type world struct {
	terms   []string
	hidden  []float64 // weights of the choice
	slope   float64   // log-odds that a whole weight is worth
	logging []float64 // weights that order the lists
	random  bool      // the first places are in random order instead
	chooser string    // plackett_luce, cascade or views
	look    float64   // how likely a learner goes on to the next place
	noise   float64   // of the order of the lists
}

const (
	plackettLuce = "plackett_luce" // one choice among all places, the lower the less likely
	cascade      = "cascade"       // each place is looked at with look^place, and chosen by itself
	views        = "views"         // as cascade, and events say what was looked at
)

func (w world) log(seed uint64, lists, people int) memoryLog {
	lots := rand.New(rand.NewPCG(seed, 77))
	var out memoryLog
	for i := 0; len(out) < lists; i++ {
		l := lectern.LoggedList{Person: int64(1 + lots.IntN(people)), Ranking: lectern.Ranking{
			ID: fmt.Sprintf("r%06d", i), Surface: lectern.SurfaceHome, ConfigVersion: "v1",
			CreatedAt: now.Add(-time.Duration(i+1) * time.Minute),
		}}
		for _, t := range w.terms {
			l.Ranking.Weights = append(l.Ranking.Weights, lectern.TermWeight{Name: t, Weight: 1 / float64(len(w.terms))})
		}
		l.Ranking.Items = w.items(lots)
		if l.Events = w.choose(lots, l.Ranking.Items); len(l.Events) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// items are 40 courses, of which the first 20 are the list.
func (w world) items(lots *rand.Rand) []lectern.RankedItem {
	items := make([]lectern.RankedItem, 40)
	order := make([]float64, len(items))
	for i := range items {
		terms := make([]float64, len(w.terms))
		shared := lots.NormFloat64()
		for j := range terms {
			terms[j] = min(1, max(0, 0.5+0.2*(0.4*shared+lots.NormFloat64())))
			if w.logging != nil {
				order[i] += w.logging[j] * terms[j]
			}
		}
		order[i] += w.noise * lots.NormFloat64()
		if w.random {
			order[i] = lots.Float64()
		}
		items[i] = lectern.RankedItem{CourseID: fmt.Sprintf("c%d", i), Terms: terms, Propensity: 1}
	}
	at := make([]int, len(items))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int { return cmp.Compare(order[b], order[a]) })
	out := make([]lectern.RankedItem, 20)
	for i := range out {
		out[i] = items[at[i]]
	}
	return out
}

func (w world) worth(it lectern.RankedItem) float64 {
	z := 0.0
	for j, v := range it.Terms {
		z += w.slope * w.hidden[j] * v
	}
	return z
}

func (w world) choose(lots *rand.Rand, items []lectern.RankedItem) []lectern.Citation {
	cite := func(kind lectern.EventType, place int) lectern.Citation {
		return lectern.Citation{Type: kind, CourseID: items[place].CourseID, Position: &place, At: now}
	}
	if w.chooser == plackettLuce {
		best, pick := math.Inf(-1), 0
		for p, it := range items { // the Gumbel trick draws by exp(worth)
			z := w.worth(it) + float64(p)*math.Log(w.look) - math.Log(-math.Log(lots.Float64()))
			if z > best {
				best, pick = z, p
			}
		}
		return []lectern.Citation{cite(lectern.EventClick, pick)}
	}
	mean := 0.0
	for _, it := range items {
		mean += w.worth(it) / float64(len(items))
	}
	var out []lectern.Citation
	clicked := false
	for p, it := range items {
		if p > 0 && lots.Float64() > w.look { // goes no further
			break
		}
		if w.chooser == views {
			out = append(out, cite(lectern.EventView, p))
		}
		if lots.Float64() < 1/(1+math.Exp(1.6-(w.worth(it)-mean))) {
			out = append(out, cite(lectern.EventClick, p))
			clicked = true
		}
	}
	if !clicked {
		return nil
	}
	return out
}

func even(terms []string) []lectern.TermWeight {
	out := make([]lectern.TermWeight, len(terms))
	for i, t := range terms {
		out[i] = lectern.TermWeight{Name: t, Weight: 1 / float64(len(terms))}
	}
	return out
}
