package explore

import (
	"slices"

	"github.com/lectern-dev/lectern"
)

// sceneOf reads a scene back from a recorded list, with the list as it was filled.
// Errors: CodeInvalid for a record that cannot have come about.
func sceneOf(r *lectern.Ranking) (*scene, list, error) {
	s, actual, err := sceneFrom(r.ID, r.Exploration)
	if err == nil && s.size > len(r.Items) {
		err = brokenRecord(r.ID, "its slate is longer than its list")
	}
	return s, actual, err
}

func brokenRecord(id, what string) error {
	return lectern.Errorf(lectern.CodeInvalid, "the record of the list %s cannot be read: %s", id, what)
}

// sceneFrom is sceneOf without the items of the list.
func sceneFrom(id string, x *lectern.Exploration) (*scene, list, error) {
	n := len(x.Slate)
	s := &scene{
		size: n, places: x.Places, fixed: make([]bool, n), pool: make([]bool, n), owed: make([]bool, n), provider: x.Provider,
		perProvider: x.PerProvider, limited: x.LimitedPlaces, floor: x.Floor, newShare: x.NewShare,
	}
	broken := func(what string) error { return brokenRecord(id, what) }
	if n == 0 || len(x.Age) != n || len(x.Evidence) != n || len(x.Provider) != n {
		return nil, nil, broken("its slate has another length than what belongs to it")
	}
	actual := make(list, n)
	held := make([]bool, n)
	for slot, at := range x.Slate {
		if at < 0 || at >= n || held[at] {
			return nil, nil, broken("its slate is not an order of its items")
		}
		held[at], actual[at] = true, int32(slot)
	}
	for _, part := range []struct {
		slots []int
		into  []bool
	}{{x.Fixed, s.fixed}, {x.Pool, s.pool}, {x.Owed, s.owed}} {
		for _, slot := range part.slots {
			if slot < 0 || slot >= n {
				return nil, nil, broken("it names a place that the slate does not have")
			}
			part.into[slot] = true
		}
	}
	if len(x.Places) == 0 || !slices.IsSorted(x.Places) || x.Places[0] < 0 || x.Places[len(x.Places)-1] >= n ||
		slices.ContainsFunc(x.Places, func(at int) bool { return s.fixed[at] }) {
		return nil, nil, broken("its exploring places are not places of the slate")
	}
	return s, actual, nil
}

// recordOf says how a list was filled: what sceneOf reads back.
func recordOf(t *setting, l list) *lectern.Exploration {
	s := &t.scene
	x := &lectern.Exploration{
		Segment: t.req.Segment, Floor: s.floor, NewShare: s.newShare,
		PerProvider: s.perProvider, LimitedPlaces: s.limited, Draws: t.cfg.Draws,
	}
	whole := make([]int, 0, 2*s.size+len(s.places)+len(t.pool)+len(t.owed)) // of all parts, at once
	part := func(from []int) []int {
		at := len(whole)
		whole = append(whole, from...)
		return whole[at:len(whole):len(whole)]
	}
	x.Places, x.Pool, x.Provider = part(s.places), part(t.pool), part(s.provider)
	if len(t.owed) > 0 {
		x.Owed = part(t.owed)
	}
	x.Slate = whole[len(whole) : len(whole)+s.size : len(whole)+s.size]
	numbers := make([]float64, 2*s.size)
	x.Age, x.Evidence = numbers[:s.size:s.size], numbers[s.size:]
	for at, slot := range l {
		x.Slate[slot] = at
	}
	for slot := range s.size { // the list as it stood: a slot is an item of the request
		x.Age[slot], x.Evidence[slot] = t.req.Items[slot].Age, t.req.Items[slot].Evidence
		if s.fixed[slot] {
			x.Fixed = append(x.Fixed, slot)
		}
	}
	return x
}
