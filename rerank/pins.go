package rerank

import (
	"cmp"
	"slices"

	"github.com/lectern-dev/lectern"
)

// matching applies the rules that hold for one list.
type matching struct {
	book   *rulebook
	some   bool
	active []bool
	found  []int32
	pins   []pinMatch
}

// pinMatch is a candidate that a rule pins.
type pinMatch struct {
	rule  int32
	order int // among the rule's courses
	index int
}

func (m *matching) begin(book *rulebook, req *Request) {
	m.book, m.some, m.pins = book, false, m.pins[:0]
	if len(book.rules) > 0 {
		m.active, m.some = book.active(req, m.active)
	}
}

// apply returns a candidate's score after boosts and buries, and whether it is hidden.
func (m *matching) apply(index int, f *Facts, score float64) (adjusted float64, hidden bool) {
	if !m.some {
		return score, false
	}
	m.found = m.book.matches(f, m.active, m.found[:0])
	if len(m.found) == 0 {
		return score, false
	}
	if m.book.hides(m.found) {
		return 0, true
	}
	for _, at := range m.found {
		if c := &m.book.rules[at]; c.Action == RulePin {
			m.pins = append(m.pins, pinMatch{rule: at, order: c.selects[byCourse][f.ID], index: index})
		}
	}
	return m.book.adjusted(score, m.found), false
}

// explain lays out what rules adjusted.
func (m *matching) explain(s *slate, items []Scored) {
	if !m.some {
		return
	}
	var terms []lectern.Term
	for i := range items {
		index := items[i].Index
		m.found = m.book.matches(s.in[index].Course, m.active, m.found[:0])
		from := len(terms)
		terms = m.book.terms(s.scores[index], m.found, terms)
		if len(terms) > from {
			items[i].Adjusted = terms[from:len(terms):len(terms)]
		}
	}
}

func (m *matching) end() { m.book = nil }

// pinning gives pinned courses their places.
type pinning struct {
	places []pin // by place
	given  int   // how many have one
	ranks  []int32
}

type pin struct {
	place, rank int
	rule        int32
}

// begin works out who stands where. A rule's courses stand in its order from its
// position on, or its best ones by score; those that are no candidates leave no gap. A
// place that is taken already gives way to the next free one; the rule that comes first
// in the document is served first. What is pinned below the end of the list is not
// pinned.
func (p *pinning) begin(s *slate) {
	p.places, p.given = p.places[:0], 0
	matches := s.rules.pins
	if len(matches) == 0 || s.asIs() {
		return
	}
	p.ranks = cleared(p.ranks, len(s.in))
	for rank, at := range s.all {
		p.ranks[at.index] = int32(rank)
	}
	slices.SortFunc(matches, func(a, b pinMatch) int {
		return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.order, b.order), cmp.Compare(p.ranks[a.index], p.ranks[b.index]))
	})
	for i, used, rule := 0, 0, int32(-1); i < len(matches); i++ {
		m := matches[i]
		if m.rule != rule {
			used, rule = 0, m.rule
		}
		c, rank := &s.rules.book.rules[m.rule], int(p.ranks[m.index])
		if s.marks[rank] == pinned || len(c.Courses) == 0 && used >= max(c.Count, 1) {
			continue
		}
		place := p.free(c.Position + used)
		used++
		if s.req.Depth > 0 && place >= s.req.Depth {
			continue
		}
		s.marks[rank] = pinned
		p.places = append(p.places, pin{place: place, rank: rank, rule: m.rule})
	}
	slices.SortFunc(p.places, func(a, b pin) int { return cmp.Compare(a.place, b.place) })
}

// free returns the first free place from place on.
func (p *pinning) free(place int) int {
	for slices.ContainsFunc(p.places, func(have pin) bool { return have.place == place }) {
		place++
	}
	return place
}

// at returns the rank that is pinned to a place, or −1.
func (p *pinning) at(place int) int {
	if p.given < len(p.places) && p.places[p.given].place == place {
		return p.next()
	}
	return -1
}

// next returns the next pinned rank, whatever its place: the list may be shorter than
// that. −1 is none.
func (p *pinning) next() int {
	if p.given == len(p.places) {
		return -1
	}
	p.given++
	return p.places[p.given-1].rank
}

// name says which rules put items in their places.
func (p *pinning) name(s *slate, items []Scored) {
	for _, pin := range p.places {
		if i := slices.Index(s.out, int32(pin.rank)); i >= 0 {
			items[i].Pinned = s.rules.book.rules[pin.rule].ID
		}
	}
}

func (p *pinning) end() { p.places = p.places[:0] }
