package learner

import (
	"cmp"
	"slices"
)

// lastSession returns the points that the learner was last busy with: going back
// from the latest event, courses follow each other within SessionGap, no more than
// SessionLength in all. Each counts alike, whatever it meant before; what the
// learner turned down does not.
func (c Config) lastSession(entries []weighted, points []point) []point {
	recent := slices.Clone(entries)
	slices.SortFunc(recent, func(a, b weighted) int {
		return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.id, b.id))
	})
	in := make(map[string]bool)
	for i, e := range recent {
		if e.at.IsZero() || i > 0 && recent[i-1].at.Sub(e.at) > c.SessionGap || recent[0].at.Sub(e.at) > c.SessionLength {
			break
		}
		in[e.id] = true
	}
	var out []point
	for _, p := range points {
		if p.weight > 0 && p.stated < 0 && in[p.id] {
			p.weight = 1
			out = append(out, p)
		}
	}
	return out
}
