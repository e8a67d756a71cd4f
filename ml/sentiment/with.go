package sentiment

import (
	"slices"

	"github.com/lectern-dev/lectern"
)

// With returns the aspects with words added that Grow has chosen before, on another
// day: what Grown listed.
func (a *Aspects) With(grown []GrownTerm) *Aspects {
	out := a.clone()
	for _, t := range grown {
		if k := slices.Index(lectern.Aspects(), t.Aspect); k >= 0 && t.Term != "" {
			out.list(t.Language, k).add(t.Term, effectWord, grownStrength)
			out.grown = append(out.grown, t)
		}
	}
	out.finish()
	return out
}
