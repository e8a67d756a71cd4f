package rerank

import "slices"

// prerequisites let a course wait until the last of its missing prerequisites that the
// list holds has had its place. Courses that wait for each other go behind all that do
// not.
type prerequisites struct {
	ranks map[string]int32 // of the courses that may be waited for
	of    []span           // by rank, into need; empty while nothing waits
	need  []int32          // ranks
}

type span struct{ from, to int32 }

func (p *prerequisites) begin(s *slate) {
	p.of, p.need = p.of[:0], p.need[:0]
	if !s.home || s.asIs() || !slices.ContainsFunc(s.in, func(c Candidate) bool { return len(c.Missing) > 0 }) {
		return
	}
	if p.ranks == nil {
		p.ranks = make(map[string]int32)
	}
	p.of = cleared(p.of, len(s.all))
	for rank, left := 0, s.leading(); rank < len(s.all); rank++ {
		switch {
		case s.marks[rank] == pinned:
		case s.isAway(rank) || left == 0:
			continue
		default:
			left--
		}
		p.ranks[s.in[s.all[rank].index].Course.ID] = int32(s.copies.kept(rank))
	}
	for rank, at := range s.all {
		from := int32(len(p.need))
		for _, id := range s.in[at.index].Missing {
			if need, ok := p.ranks[id]; ok && int(need) != rank {
				p.need = append(p.need, need)
			}
		}
		p.of[rank] = span{from, int32(len(p.need))}
	}
}

// wait reports whether something that the course needs has no place yet.
func (p *prerequisites) wait(s *slate, rank int) bool {
	if len(p.of) == 0 {
		return false
	}
	for _, need := range p.need[p.of[rank].from:p.of[rank].to] {
		if s.marks[need] == open || s.marks[need] == pinned {
			return true
		}
	}
	return false
}

func (p *prerequisites) end() { clear(p.ranks) }

// twins see to it that where a twin of a completed course stands, the first course that
// needs the completed one and misses nothing else stands above it.
type twins struct {
	on         bool
	successors []successor // by rank
	done       []string    // completed courses of which a twin or a successor has its place
}

type successor struct {
	of   string
	rank int
}

func (t *twins) begin(s *slate) {
	t.on, t.successors, t.done = false, t.successors[:0], t.done[:0]
	if !s.home || s.asIs() || !slices.ContainsFunc(s.in, func(c Candidate) bool { return c.TwinOf != "" }) {
		return
	}
	t.on = true
	for rank := range s.leading() {
		if c := &s.in[s.all[rank].index]; c.succeeds() && s.marks[rank] == open && !s.isAway(rank) {
			t.successors = append(t.successors, successor{of: c.FollowsID, rank: rank})
		}
	}
}

// succeeds reports whether the course needs a completed one, and nothing else.
func (c *Candidate) succeeds() bool {
	return c.FollowsID != "" && c.Complement.Value >= 1 && len(c.Missing) == 0
}

// first returns the course that goes before this one: itself, unless it is the first
// twin.
func (t *twins) first(s *slate, rank int) int {
	if rank < 0 || !t.on {
		return rank
	}
	of := s.in[s.all[rank].index].TwinOf
	if of == "" || slices.Contains(t.done, of) {
		return rank
	}
	for _, next := range t.successors {
		if next.of == of && s.marks[next.rank] == open && !s.limit.reached(s, next.rank) {
			return next.rank
		}
	}
	return rank
}

func (t *twins) add(c *Candidate) {
	if !t.on {
		return
	}
	if c.TwinOf != "" {
		t.done = append(t.done, c.TwinOf)
	}
	if c.succeeds() {
		t.done = append(t.done, c.FollowsID)
	}
}

func (t *twins) end() {
	clear(t.successors)
	clear(t.done)
}
