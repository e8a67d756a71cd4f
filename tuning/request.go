package tuning

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// The methods.
const (
	MethodPairwise   = "pairwise"   // logistic regression on pairs of places
	MethodCoordinate = "coordinate" // coordinate ascent on nDCG
)

// Methods lists every method.
func Methods() []string { return []string{MethodPairwise, MethodCoordinate} }

// Request says what to learn from.
type Request struct {
	// Current are the weights in use on the surface, of every term that there is.
	Current []lectern.TermWeight `json:"-"`

	Surface lectern.Surface               `json:"surface"` // "" is home
	Row     lectern.Row                   `json:"row"`     // of home; "" is the list, and the row for_you
	Since   *time.Time                    `json:"since"`   // nil is DefaultDays before Until
	Until   *time.Time                    `json:"until"`   // nil is now
	Method  string                        `json:"method"`  // "" is pairwise
	Rewards map[lectern.EventType]float64 `json:"rewards"` // what an event is worth; nil is DefaultRewards
	Holdout *float64                      `json:"holdout"` // share of the lists, the newest, on which the gain is measured; nil is DefaultHoldout
	L2      *float64                      `json:"l2"`      // pull of weights towards 0, pairwise; nil is DefaultL2
	Bounds  map[string]Bound              `json:"bounds"`  // of proposed weights, by term
	Seed    uint64                        `json:"seed"`    // of the resamples
}

// Bound limits a proposed weight, which is a share of all weights.
type Bound struct {
	Min float64  `json:"min"`
	Max *float64 `json:"max"` // nil is 1
}

func (b Bound) most() float64 {
	if b.Max == nil {
		return 1
	}
	return *b.Max
}

// What holds where a request says nothing.
const (
	DefaultDays    = 90
	DefaultHoldout = 0.2
	DefaultL2      = 1e-6
)

// DefaultRewards is what events are worth unless a request says otherwise.
func DefaultRewards() map[lectern.EventType]float64 {
	return map[lectern.EventType]float64{
		lectern.EventClick: 1, lectern.EventSave: 2, lectern.EventEnrol: 3, lectern.EventComplete: 4, lectern.EventDismiss: -1,
	}
}

// check fills in what was left out and names everything that is wrong.
func (r *Request) check(now time.Time) error {
	var bad []lectern.FieldError
	check := func(ok bool, field string, value any, reason, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError(field, value, reason, allowed))
		}
	}
	if r.Surface == "" {
		r.Surface = lectern.SurfaceHome
	}
	check(slices.Contains(lectern.Surfaces(), r.Surface), "surface", r.Surface, "is unknown", joined(lectern.Surfaces()))
	check(r.Row == "" || slices.Contains(lectern.Rows(), r.Row), "row", r.Row, "is unknown", joined(lectern.Rows()))
	check(r.Row == "" || r.Surface == lectern.SurfaceHome, "row", r.Row, "belongs to home alone", "leave it out")
	if r.Method == "" {
		r.Method = MethodPairwise
	}
	check(slices.Contains(Methods(), r.Method), "method", r.Method, "is unknown", joined(Methods()))
	if r.Until == nil {
		r.Until = &now
	}
	if r.Since == nil {
		since := r.Until.AddDate(0, 0, -DefaultDays)
		r.Since = &since
	}
	check(r.Since.Before(*r.Until), "since", r.Since.Format(time.RFC3339), "is not before until", "an earlier time")
	for field, at := range map[string]*time.Time{"since": r.Since, "until": r.Until} {
		check(at.Year() >= 1970 && at.Year() <= 9998, field, at.Format(time.RFC3339), "is out of range", "a time from 1970 on")
	}
	r.checkRewards(check)
	if r.Holdout == nil {
		share := DefaultHoldout
		r.Holdout = &share
	}
	check(*r.Holdout >= 0.05 && *r.Holdout <= 0.5, "holdout", *r.Holdout, "is out of range", "0.05 to 0.5")
	if r.L2 == nil {
		l2 := DefaultL2
		r.L2 = &l2
	}
	check(*r.L2 >= 0 && *r.L2 <= 1, "l2", *r.L2, "is out of range", "0 to 1")
	r.checkBounds(check)
	if len(bad) > 0 {
		slices.SortStableFunc(bad, func(a, b lectern.FieldError) int { return strings.Compare(a.Field, b.Field) })
		return lectern.Invalid("the request for weights is not as described", bad...)
	}
	return nil
}

func (r *Request) checkRewards(check func(ok bool, field string, value any, reason, allowed string)) {
	if r.Rewards == nil {
		r.Rewards = DefaultRewards()
	}
	wanted := false
	for kind, worth := range r.Rewards {
		field := "rewards." + string(kind)
		known := slices.Contains(lectern.EventTypes(), kind) && kind != lectern.EventView && kind != lectern.EventSearch
		check(known, field, kind, "is no event that can be a choice", "click, save, enrol, progress, complete, rate, drop, dismiss")
		check(math.Abs(worth) <= 100, field, worth, "is out of range", "-100 to 100")
		wanted = wanted || worth > 0
	}
	check(wanted, "rewards", len(r.Rewards), "hold nothing that is wanted", "at least one reward over 0")
}

func (r *Request) checkBounds(check func(ok bool, field string, value any, reason, allowed string)) {
	least, most := 0.0, 0.0
	for _, t := range r.Current {
		b := r.Bounds[t.Name]
		least, most = least+b.Min, most+b.most()
	}
	for name, b := range r.Bounds {
		known := slices.ContainsFunc(r.Current, func(t lectern.TermWeight) bool { return t.Name == name })
		var names []string
		for _, t := range r.Current {
			names = append(names, t.Name)
		}
		check(known, "bounds."+name, name, "is no term", strings.Join(names, ", "))
		check(b.Min >= 0 && b.Min <= 1, "bounds."+name+".min", b.Min, "is out of range", "0 to 1")
		check(b.most() >= b.Min && b.most() <= 1, "bounds."+name+".max", b.most(), "is out of range", "min to 1")
	}
	check(least <= 1, "bounds", least, "ask for more than there is", fmt.Sprintf("minima that sum to at most 1: %s", joined(slices.Sorted(maps.Keys(r.Bounds)))))
	check(most >= 1, "bounds", most, "leave no way to a sum of 1", "maxima that sum to at least 1")
}

func joined[T ~string](values []T) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return strings.Join(out, ", ")
}
