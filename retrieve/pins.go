package retrieve

import (
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// SourcePinned is the source of courses that are in a list for a rule alone.
const SourcePinned = "pinned"

// pin adds the courses that a rule pins to this list and no source brought, as far as
// the list may show them. A pin joins a list that there is: a search that finds nothing
// stays empty, and one sorted by something else than relevance keeps to that.
func (e *Engine) pin(p *pass) {
	p.common = len(p.candidates)
	if p.common == 0 || p.req.Sort != "" && p.req.Sort != lectern.SortRelevance {
		return
	}
	e.addPinned(p, p.pinsOf(p.req.Row, e.rerankRequest(p, 0)))
}

// pinRows does the same for the rows of a home page. Those of the row of everything come
// first, so that it is a part of all candidates.
func (e *Engine) pinRows(p *pass) {
	p.common = len(p.candidates)
	p.forYou = p.common
	if p.common == 0 {
		return
	}
	req := e.rerankRequest(p, 0)
	pins := func(row lectern.Row) {
		if !p.wants(row) {
			return
		}
		req.Surface, req.Row = rowSurface(row), row
		if ids := p.pinsOf(row, req); len(ids) > 0 {
			if p.pinned == nil {
				p.pinned = make(map[lectern.Row]map[string]bool)
			}
			p.pinned[row] = setOf(ids)
			e.addPinned(p, ids)
		}
	}
	pins(lectern.RowForYou)
	p.forYou = len(p.candidates)
	for _, row := range lectern.Rows() {
		if row != lectern.RowForYou && row != lectern.RowContinue { // which is of what is under way
			pins(row)
		}
	}
}

// pinsOf is what the rerankers of a row, or of the list, pin, each course once.
func (p *pass) pinsOf(row lectern.Row, req rerank.Request) []string {
	rankers := p.rankersOf(row)
	if len(rankers) == 1 {
		return rankers[0].Pins(req)
	}
	var out []string
	for _, r := range rankers {
		for _, id := range r.Pins(req) {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// addPinned adds those of the courses that may be in the list and are not.
func (e *Engine) addPinned(p *pass, ids []string) {
	if len(ids) == 0 {
		return
	}
	have := make(map[string]bool, len(p.entries))
	for _, en := range p.entries {
		have[en.facts.ID] = true
	}
	allow := e.allows(p)
	for i, en := range e.Catalog.lookup(ids) {
		if en == nil || have[ids[i]] || !allow(ids[i]) || p.seed != nil && p.seed.facts.ID == ids[i] {
			continue
		}
		have[ids[i]] = true
		p.append(en, []string{SourcePinned})
	}
}

// pinInto adds to a row the courses that a rule pins to it, as far as the page has
// them. A pin makes no row by itself. fit, which may be nil, makes of a candidate of the
// page, by its place, one of the row.
func (p *pass) pinInto(row *homeRow, fit func(c *rerank.Candidate, i int)) {
	row.common = len(row.candidates)
	pinned := p.pinned[row.name]
	if row.common == 0 || len(pinned) == 0 {
		return
	}
	have := make(map[string]bool, len(pinned))
	for i := range row.candidates {
		if id := row.candidates[i].Course.ID; pinned[id] {
			have[id] = true
		}
	}
	for i := range p.candidates[:p.offered] {
		c := p.candidates[i]
		if !pinned[c.Course.ID] || have[c.Course.ID] {
			continue
		}
		if fit != nil {
			fit(&c, i)
		}
		row.candidates = append(row.candidates, c)
	}
}

// reorder puts a row in another order. What a rule pinned keeps its place.
func reorder(scored []rerank.Scored, order func(a, b rerank.Scored) int) {
	free := make([]rerank.Scored, 0, len(scored))
	for _, s := range scored {
		if s.Pinned == "" {
			free = append(free, s)
		}
	}
	slices.SortFunc(free, order)
	for i := range scored {
		if scored[i].Pinned == "" {
			scored[i], free = free[0], free[1:]
		}
	}
}

// dropShown takes items out of a row. What a rule pinned keeps its place, as far as
// there are items before it.
func dropShown(scored []rerank.Scored, shown func(rerank.Scored) bool) []rerank.Scored {
	type held struct {
		rerank.Scored
		at int
	}
	var pinned []held
	out := scored[:0]
	for i, s := range scored {
		switch {
		case shown(s):
		case s.Pinned != "":
			pinned = append(pinned, held{s, i})
		default:
			out = append(out, s)
		}
	}
	for _, h := range pinned {
		out = slices.Insert(out, min(h.at, len(out)), h.Scored)
	}
	return out
}
