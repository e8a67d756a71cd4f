package retrieve

import (
	"slices"

	"github.com/lectern-dev/lectern"
)

// fusedParts are the lists that a search was fused of, with their weights.
type fusedParts struct {
	names   []string // of the sources
	lists   [][]lectern.Hit
	weights []float64
}

// newFusedParts keeps what is fused.
func newFusedParts(sources []source, lists [][]lectern.Hit, weights []float64) fusedParts {
	names := make([]string, len(sources))
	for i, s := range sources {
		names[i] = s.name
	}
	return fusedParts{names, lists, weights}
}

// retrieval says for candidates what each source gave them. A source's share is
// that of its part in the fused score: its weight times its score over the highest
// of its list; of reviews, what they added.
func (p *pass) retrieval() func(id string) []lectern.SourceScore {
	places := make([]map[string]int, len(p.sources))
	parts := make([]map[string]float64, len(p.sources))
	for i, s := range p.sources {
		places[i] = make(map[string]int, len(s.hits))
		for j, h := range s.hits {
			places[i][h.ID] = j
		}
		parts[i] = p.partsOf(s.name)
	}
	total := make(map[string]float64, len(p.fused))
	for _, h := range p.fused {
		total[h.ID] = float64(h.Score)
	}
	want := p.wantedLanguages()
	return func(id string) []lectern.SourceScore {
		var out []lectern.SourceScore
		sum, reviews := 0.0, -1
		for i, s := range p.sources {
			at, ok := places[i][id]
			if !ok {
				continue
			}
			score := lectern.SourceScore{
				Source: s.name, Position: at, Score: float64(s.hits[at].Score), Unit: s.unit, Share: parts[i][id],
			}
			sum += score.Share
			if s.name == SourceReviews {
				reviews = len(out)
			}
			out = append(out, score)
		}
		if reviews >= 0 {
			en := p.entryOf(id)
			keeps := p.keeps(en, want, id)
			added := max(0, total[id]/keeps-sum)
			out[reviews].Share = added
			sum += added
		}
		for i := range out {
			switch {
			case sum > 0:
				out[i].Share /= sum
			case i == 0: // a title alone
				out[i].Share = 1
			}
		}
		return out
	}
}

// partsOf is what a source gave to the fused scores, before language and reviews.
func (p *pass) partsOf(name string) map[string]float64 {
	out := make(map[string]float64)
	at := slices.Index(p.parts.names, name)
	if at < 0 {
		return out
	}
	top, live := 0.0, 0.0
	for i, list := range p.parts.lists {
		highest := highestOf(list)
		if highest > 0 {
			live += p.parts.weights[i]
		}
		if i == at {
			top = highest
		}
	}
	if top <= 0 || live <= 0 {
		return out
	}
	for _, h := range p.parts.lists[at] {
		if h.Score > 0 {
			out[h.ID] = p.parts.weights[at] / live * float64(h.Score) / top
		}
	}
	return out
}

func highestOf(hits []lectern.Hit) float64 {
	top := 0.0
	for _, h := range hits {
		top = max(top, float64(h.Score))
	}
	return top
}

// entryOf finds a candidate's entry, nil when it is none.
func (p *pass) entryOf(id string) *entry {
	i := slices.IndexFunc(p.entries, func(en *entry) bool { return en.facts.ID == id })
	if i < 0 {
		return nil
	}
	return p.entries[i]
}
