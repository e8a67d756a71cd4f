package learner

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// Multiplier says how far each of one learner's events is to be believed, in [0, 1]
// and in the order of the events. It is given all that are known of the learner.
type Multiplier func(events []lectern.Event) []float64

// Rebuild makes the entries of a profile from all events of one learner, in any
// order: what the store makes of their deltas one by one, except that each weight
// is multiplied. A nil multiplier believes everything. An event that is not
// believed at all still leaves its state behind, since it says what was done. The
// entries come in the order of their courses' ids.
func (c Config) Rebuild(events []lectern.Event, multiplier Multiplier) []lectern.ProfileEntry {
	var believed []float64
	if multiplier != nil {
		believed = multiplier(events)
	}
	at := make(map[string]int)
	var out []lectern.ProfileEntry
	for i := range events {
		e := &events[i]
		delta := c.Delta(*e)
		if delta == nil {
			continue
		}
		weight := delta.Weight
		if i < len(believed) {
			weight *= believed[i]
		}
		when := lectern.Timestamp(e.OccurredAt)
		n, ok := at[e.CourseID]
		if !ok {
			n = len(out)
			at[e.CourseID] = n
			out = append(out, lectern.ProfileEntry{CourseID: e.CourseID, WeightAt: when, HalfLife: delta.HalfLife, LastAt: when})
		}
		add(&out[n], weight, when, delta)
	}
	slices.SortFunc(out, func(a, b lectern.ProfileEntry) int { return cmp.Compare(a.CourseID, b.CourseID) })
	return out
}

// add is what a store does with one delta: the older of entry and delta is decayed
// to the newer one's time.
func add(e *lectern.ProfileEntry, weight float64, when time.Time, delta *lectern.ProfileDelta) {
	if when.After(e.WeightAt) {
		e.Weight = decayed(e.Weight, e.WeightAt, when, delta.HalfLife)
		e.WeightAt = when
	}
	e.Weight += decayed(weight, when, e.WeightAt, delta.HalfLife)
	e.State |= delta.State
	e.Progress = max(e.Progress, delta.Progress)
	if when.After(e.LastAt) {
		e.LastAt = when
	}
}

// decayed halves weight once per half-life between two times. It counts
// microseconds, since a time.Duration ends at 292 years.
func decayed(weight float64, from, to time.Time, halfLife time.Duration) float64 {
	age := to.UnixMicro() - from.UnixMicro()
	if age <= 0 {
		return weight
	}
	return weight * math.Exp2(-float64(age)/float64(max(1, halfLife.Microseconds())))
}

// sameWeight is the relative difference up to which two weights are one: sums of
// the same terms in another order differ in their last digits.
const sameWeight = 1e-9

// Difference returns how many entries differ between two states of one profile,
// and by how much the weights do at most. Entries are compared by course.
func Difference(a, b []lectern.ProfileEntry) (entries int, most float64) {
	other := make(map[string]lectern.ProfileEntry, len(b))
	for _, e := range b {
		other[e.CourseID] = e
	}
	for _, e := range a {
		o, ok := other[e.CourseID]
		delete(other, e.CourseID)
		off := math.Abs(e.Weight)
		if ok {
			off = math.Abs(e.Weight - o.Weight)
		}
		same := ok && off <= sameWeight*max(1, math.Abs(e.Weight), math.Abs(o.Weight)) &&
			e.WeightAt.Equal(o.WeightAt) && e.LastAt.Equal(o.LastAt) && e.State == o.State && e.HalfLife == o.HalfLife && e.Progress == o.Progress
		if !same {
			entries++
			most = max(most, off)
		}
	}
	for _, o := range other {
		entries++
		most = max(most, math.Abs(o.Weight))
	}
	return entries, most
}
