package ope

import (
	"context"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
)

// Entry is a recorded list with what is known to have come of it.
type Entry struct {
	Ranking *lectern.Ranking
	Person  int64
	Seen    []bool // by place; as long as what was seen
	Rewards []Earned
}

// Earned is one reward of a place.
type Earned struct {
	Place  int
	Reward int // index into the rewards asked for
	Value  float64
}

// builder lays a log beside a target.
type builder struct {
	step      Step
	target    target
	rewards   int
	places    int       // first ones that are looked at
	exploring bool      // only places that explore
	curve     []float64 // examination by place; nil is the item-position model
	unusable  int       // lists that could not be laid out
	gone      int       // of these, the ones whose posterior is no longer kept
	wrong     int       // places whose recorded probability is none
}

// add lays out one list. It returns false where nothing of it can be used.
func (b *builder) add(ctx context.Context, e *Entry) (Logged, bool, error) {
	r := unexplored(e.Ranking)
	if !whole(r) {
		b.unusable++
		return Logged{}, false, nil
	}
	want, err := b.target.chances(ctx, r, b.step)
	if err == nil {
		var may [][]Chance
		if b.curve == nil {
			may, err = supports(ctx, r, b.step)
		} else if may = fixedOrder(r.Exploration); len(r.Exploration.Places) > 0 {
			may, err = distribution(ctx, r, b.step)
		}
		if err == nil {
			l := b.lay(e, r, want, may)
			return l, l.Units > 0, nil
		}
	}
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		b.unusable++
		b.gone++
		return Logged{}, false, nil
	}
	return Logged{}, false, err
}

// whole reports whether all that the record refers to is there.
func whole(r *lectern.Ranking) bool {
	x := r.Exploration
	n := len(x.Slate)
	if n == 0 || len(x.Age) != n || len(x.Evidence) != n || len(x.Provider) != n {
		return false
	}
	held := make([]bool, n)
	for _, item := range x.Slate {
		if item < 0 || item >= n || item >= len(r.Items) || held[item] {
			return false
		}
		held[item] = true
	}
	return true
}

// lay lays out the places of one list.
func (b *builder) lay(e *Entry, r *lectern.Ranking, want, may [][]Chance) Logged {
	out := Logged{Person: e.Person, At: r.CreatedAt}
	rows := bandit.Rows(nil, r)
	slot := make(map[int]int, len(r.Exploration.Slate)) // item → place of the slate
	for place, item := range r.Exploration.Slate {
		slot[item] = place
	}
	last := min(len(r.Exploration.Slate), b.places)
	if b.curve != nil {
		last = min(last, len(b.curve))
		if r.Served > 0 {
			last = min(last, r.Served)
		}
	}
	for place := range last {
		seen := place < len(e.Seen) && e.Seen[place]
		if b.exploring && !slices.Contains(r.Exploration.Places, place) {
			continue
		}
		if seen {
			out.Units++
		} else if b.curve == nil {
			continue
		}
		p := Pick{Place: place, Examined: 1, Rewards: make([]float64, b.rewards)}
		var ok bool
		if b.curve == nil {
			ok = b.itemPosition(&p, r, want, may)
		} else {
			ok = b.positionBased(&p, r, want, may, last)
		}
		if !ok {
			b.wrong++
			if seen {
				out.Units--
			}
			continue
		}
		at := slot[place]
		p.Shown = rows[at*bandit.Dim : (at+1)*bandit.Dim]
		p.Want = make([]float64, bandit.Dim)
		for _, c := range placeOf(want, place) {
			p.Mass += c.P
			row := rows[slot[c.Item]*bandit.Dim:]
			for i := range p.Want {
				p.Want[i] += c.P * row[i]
			}
		}
		for _, earned := range e.Rewards {
			if earned.Place == place {
				p.Rewards[earned.Reward]++
			}
		}
		out.Picks = append(out.Picks, p)
	}
	return out
}

func placeOf(cells [][]Chance, place int) []Chance {
	if place < len(cells) {
		return cells[place]
	}
	return nil
}

// itemPosition weighs a place by how likely it is to hold what it held.
func (b *builder) itemPosition(p *Pick, r *lectern.Ranking, want, may [][]Chance) bool {
	item := r.Items[p.Place]
	p.Logged, p.Error = item.Propensity, item.PropensityError
	if !(p.Logged > 0) || p.Logged > 1+1e-9 {
		return false
	}
	here := placeOf(want, p.Place)
	c := chanceOf(here, p.Place)
	p.Target, p.TargetError = c.P, c.Error
	p.Open = p.Logged < 1 || p.Target < 1
	p.Support = supported(here, func(item int) bool { return chanceOf(may[p.Place], item).P > 0 })
	return true
}

// supported is the share of chances that fall on items of a kind; 1 where there is none.
func supported(cells []Chance, may func(item int) bool) float64 {
	all, sum := 0.0, 0.0
	for _, c := range cells {
		all += c.P
		if may(c.Item) {
			sum += c.P
		}
	}
	if all == 0 {
		return 1
	}
	return sum / all
}

// positionBased weighs a course by how likely it is to be looked at anywhere (Li,
// Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay and Wen 2018): what it earned at one
// place tells of it at another, as the places are examined.
func (b *builder) positionBased(p *Pick, r *lectern.Ranking, want, may [][]Chance, last int) bool {
	p.Examined = b.curve[p.Place]
	examined := func(cells [][]Chance, item int) (sum, err float64) {
		for place := range last {
			if b.exploring && !slices.Contains(r.Exploration.Places, place) {
				continue
			}
			c := chanceOf(placeOf(cells, place), item)
			sum += b.curve[place] * c.P
			err += b.curve[place] * c.Error
		}
		return sum, err
	}
	p.Logged, p.Error = examined(may, p.Place)
	if !(p.Logged > 0) {
		return false
	}
	p.Target, p.TargetError = examined(want, p.Place)
	p.Open = math.Abs(p.Logged-p.Target) > 1e-12 || chanceOf(placeOf(may, p.Place), p.Place).P < 1
	p.Support = supported(placeOf(want, p.Place), func(item int) bool {
		sum, _ := examined(may, item)
		return sum > 0
	})
	return true
}
