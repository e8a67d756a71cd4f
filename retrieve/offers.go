package retrieve

import (
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
)

// Offer is what one candidate source offered, best first.
type Offer struct {
	Source string
	IDs    []string
}

// Offers are the stages of one list.
type Offers struct {
	Sources    []Offer  // each once, in the order in which they were asked
	Candidates []string // all that passed the filters, in no order of worth
	List       []string // best first
	Degraded   []string
}

// Offers ranks like TopIDs and returns what every stage had, recording nothing: for
// evaluation of exactly what is served, source by source. Errors: as of List.
func (e *Engine) Offers(ctx context.Context, req lectern.ListRequest, k int) (Offers, error) {
	req.Limit, req.Cursor = max(k, 1), ""
	if err := checkRequest(req); err != nil {
		return Offers{}, err
	}
	p := e.newPass(req)
	scored, err := e.rank(ctx, p, k)
	if err != nil {
		return Offers{}, err
	}
	out := Offers{Degraded: p.degraded}
	for i, s := range p.sources {
		if !slices.ContainsFunc(p.sources[:i], func(b source) bool { return b.name == s.name }) {
			out.Sources = append(out.Sources, p.offer(s.name))
		}
	}
	for i := range p.candidates {
		out.Candidates = append(out.Candidates, p.candidates[i].Course.ID)
	}
	for _, s := range scored {
		out.List = append(out.List, p.candidates[s.Index].Course.ID)
	}
	return out, nil
}

// offer is what a source offered. Several answers of one, such as one for each
// interest, take turns.
func (p *pass) offer(name string) Offer {
	out := Offer{Source: name}
	seen := make(map[string]bool)
	for rank, more := 0, true; more; rank++ {
		more = false
		for _, s := range p.sources {
			if s.name != name || rank >= len(s.hits) {
				continue
			}
			more = true
			if id := s.hits[rank].ID; !seen[id] {
				seen[id] = true
				out.IDs = append(out.IDs, id)
			}
		}
	}
	return out
}
