package feedback

import (
	"strings"

	"github.com/lectern-dev/lectern"
)

// neutral is what a term is worth that nothing is known of.
const neutral = 0.5

// rulePrefix stands before the id of a rule where terms are named.
const rulePrefix = "rule:"

// shown is a course in a list.
type shown struct {
	ranking lectern.Ranking
	at      int // of its items
	known   bool
}

// explain adds what put the course there.
func (l shown) explain(f *lectern.Feedback) {
	if !l.known {
		return
	}
	at := l.at
	f.Position = &at
	f.Surface, f.Row, f.ConfigVersion = l.ranking.Surface, l.ranking.Row, l.ranking.ConfigVersion
	f.Term = heaviest(l.ranking.Weights, l.ranking.Items[l.at])
}

// heaviest is the term that weighed most beyond its neutral value: the greatest
// weight × (value − ½). What a rule added counts whole, and a pin is above all; "" where
// nothing is recorded.
func heaviest(weights []lectern.TermWeight, item lectern.RankedItem) string {
	if item.Pinned != "" {
		return rulePrefix + strings.TrimPrefix(item.Pinned, rulePrefix)
	}
	name, most := "", 0.0
	for i, w := range weights[:min(len(weights), len(item.Terms))] {
		if beyond := w.Weight * (item.Terms[i] - neutral); w.Weight > 0 && (name == "" || beyond > most) {
			name, most = w.Name, beyond
		}
	}
	for _, t := range item.Adjusted {
		if name == "" || t.Contribution > most {
			name, most = t.Name, t.Contribution
		}
	}
	return name
}
