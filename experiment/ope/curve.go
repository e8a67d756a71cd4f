package ope

import (
	"context"
	"maps"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
)

// Examination says how much places are looked at, against the first: 1/i^Power for
// place i, counted from 1.
type Examination struct {
	Power   float64 `json:"power"`
	Rewards float64 `json:"rewards"` // rewards behind it, as much as they tell
}

// mostPower bounds the curve: no list is looked at less evenly.
const mostPower = 3

// places lays the curve out.
func (e Examination) places(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Pow(float64(i+1), -e.Power)
	}
	return out
}

// harvest is what two places earned of the courses that both may hold.
type harvest struct{ upper, lower float64 }

// examine estimates the curve from lists that explore. What two places earn of courses
// that either may hold differs only in how much they are looked at, once each reward is
// divided by how likely the place was to hold its course (intervention harvesting,
// Agarwal, Zaitsev, Wang, Li, Najork and Joachims 2019); a course counts as much as it
// is likely to be at both, which keeps every weight under 1. The power is fitted to the
// logarithms of the ratios. ok is false where there is nothing to tell it by.
func examine(ctx context.Context, entries []Entry, step Step, places int) (Examination, bool, error) {
	pairs := make(map[[2]int]*harvest)
	for i := range entries {
		e := &entries[i]
		r := e.Ranking
		if len(e.Rewards) == 0 || r.Exploration == nil || len(r.Exploration.Places) == 0 || !whole(r) {
			continue
		}
		cells, err := distribution(ctx, r, step)
		if lectern.ErrorCode(err) == lectern.CodeNotFound {
			continue
		}
		if err != nil {
			return Examination{}, false, err
		}
		for _, earned := range e.Rewards {
			if earned.Place < places {
				reap(pairs, cells[:min(places, len(cells))], earned)
			}
		}
	}
	return fitPower(pairs)
}

// reap adds one reward to all pairs of its place with another that may hold its course.
func reap(pairs map[[2]int]*harvest, cells [][]Chance, earned Earned) {
	here := chanceOf(cells[earned.Place], earned.Place).P
	for place := range cells {
		there := chanceOf(cells[place], earned.Place).P
		if place == earned.Place || there <= 0 || here <= 0 {
			continue
		}
		key := [2]int{min(place, earned.Place), max(place, earned.Place)}
		if pairs[key] == nil {
			pairs[key] = &harvest{}
		}
		w := max(earned.Value, 0) * there / (here + there)
		if earned.Place < place {
			pairs[key].upper += w
		} else {
			pairs[key].lower += w
		}
	}
}

func fitPower(pairs map[[2]int]*harvest) (Examination, bool, error) {
	top, bottom, n := 0.0, 0.0, 0.0
	for _, p := range slices.SortedFunc(maps.Keys(pairs), func(a, b [2]int) int { return slices.Compare(a[:], b[:]) }) {
		h := pairs[p]
		if h.upper <= 0 || h.lower <= 0 {
			continue
		}
		x := math.Log(float64(p[1]+1) / float64(p[0]+1))
		w := h.upper * h.lower / (h.upper + h.lower) // one over the variance of the logarithm, about
		top += w * x * math.Log(h.upper/h.lower)
		bottom += w * x * x
		n += w
	}
	if bottom == 0 {
		return Examination{}, false, nil
	}
	return Examination{Power: min(max(top/bottom, 0), mostPower), Rewards: n}, true, nil
}
