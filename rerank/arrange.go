package rerank

import (
	"cmp"
	"slices"

	"github.com/lectern-dev/lectern"
)

// lookAhead bounds how far down a course may be taken from to break up a run, so
// that variety never costs more than this many places.
const lookAhead = 40

// standing is a candidate with its score.
type standing struct {
	score float64
	index int // into the candidates
}

// mark says what has become of a candidate.
type mark uint8

const (
	open   mark = iota
	pinned      // waits for its place
	placed
	folded // left out for a duplicate
)

// slate is one list in the making. It is kept between lists, so that none allocates per
// candidate. Candidates are known by rank: their place by score.
type slate struct {
	l    *Linear
	req  *Request
	in   []Candidate
	home bool // the parts of list making that only home has

	values []float64 // of the terms, by candidate
	scores []float64 // before rules, by candidate
	all    []standing
	marks  []mark
	away   []bool  // by rank: near what was turned down
	out    []int32 // the list: ranks
	head   int     // no rank below is open
	kept   int     // open ones that are not away

	rules  matching
	pins   pinning
	copies duplicates
	needs  prerequisites
	twins  twins
	mmr    diversity
	mix    mix
	limit  limit
	runs   runs
}

// depth is how many places the list may have.
func (s *slate) depth() int {
	if s.req.Depth > 0 {
		return min(s.req.Depth, len(s.all))
	}
	return len(s.all)
}

// leading is how many ranks are looked at for what costs time: what lies far below a
// list hardly comes into it.
func (s *slate) leading() int {
	if s.req.Depth > 0 {
		return min(s.req.Depth+2*lookAhead, len(s.all))
	}
	return len(s.all)
}

// asIs reports whether a list is only scored and freed of what is hidden: what a learner
// is at is listed whole.
func (s *slate) asIs() bool { return s.req.Row == lectern.RowContinue }

// begin takes up the scores of the candidates that no rule hides, in order.
func (s *slate) begin(l *Linear, req *Request, candidates []Candidate) {
	s.l, s.req, s.in = l, req, candidates
	s.home = req.Surface == lectern.SurfaceHome
	s.rules.begin(l.rules, req)
	s.all = s.all[:0]
	for i := range candidates {
		score, hidden := s.rules.apply(i, candidates[i].Course, s.scores[i])
		if !hidden {
			s.all = append(s.all, standing{score: score, index: i})
		}
	}
	slices.SortFunc(s.all, func(a, b standing) int {
		if a.score != b.score {
			return cmp.Compare(b.score, a.score)
		}
		return cmp.Compare(candidates[a.index].Course.ID, candidates[b.index].Course.ID)
	})
	s.marks = cleared(s.marks, len(s.all))
	s.out, s.head = s.out[:0], 0
}

// cleared returns a slice of n zeroes that reuses the room of s.
func cleared[T any](s []T, n int) []T {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}

// arrange puts the candidates in order, in one pass over the places: a pinned course
// stands where its rule says; every other place goes to the open course whose score,
// less what its likeness to the courses above and the shares of the learner's profile
// take off, is highest, among those that are free to stand there. See class for who is
// free, and room for runs.
func (s *slate) arrange() {
	s.pins.begin(s)
	s.copies.begin(s)
	s.away = s.turnedDown()
	s.needs.begin(s)
	s.twins.begin(s)
	s.mmr.begin(s)
	s.mix.begin(s)
	s.limit.begin(s)
	s.runs.begin(s)
	s.kept = 0
	for rank, m := range s.marks {
		if m == open && !s.isAway(rank) {
			s.kept++
		}
	}
	for depth := s.depth(); len(s.out) < depth; {
		rank := s.pins.at(len(s.out))
		if rank < 0 {
			rank = s.best()
			if rank >= 0 && s.copies.late(s, rank) {
				continue // another one was left out
			}
			rank = s.twins.first(s, rank)
		}
		if rank < 0 {
			rank = s.pins.next()
		}
		if rank < 0 {
			return
		}
		s.put(rank)
	}
}

// put gives the next place to a course.
func (s *slate) put(rank int) {
	if s.marks[rank] == open {
		s.limit.add(s, rank)
		s.leave(rank)
	}
	s.marks[rank] = placed
	c := &s.in[s.all[rank].index]
	s.mmr.add(s, c)
	s.mix.add(s, rank)
	s.runs.add(c.Course)
	s.twins.add(c)
	s.out = append(s.out, int32(rank))
}

// leave counts a course out of the open ones.
func (s *slate) leave(rank int) {
	if !s.isAway(rank) {
		s.kept--
	}
}

// The classes that keep a course from a place, the worse the more. The limit is an
// administrator's word, so it comes before what is only order.
const (
	waits  = 1 << iota // needs a course that stands lower
	last               // is near what the learner turned down
	beyond             // there are enough of its provider
)

// class says how free a course is to stand at the next place; 0 is free.
func (s *slate) class(rank int) int {
	class := 0
	if s.limit.reached(s, rank) {
		class = beyond
	}
	if s.isAway(rank) {
		return class | last
	}
	if s.needs.wait(s, rank) {
		return class | waits
	}
	return class
}

// choice is a course that may have a place.
type choice struct {
	rank int
	gain float64
	room bool // it lengthens no full run
}

// best returns the rank of the open course that is to have the next place, or −1.
func (s *slate) best() int {
	for s.head < len(s.all) && s.marks[s.head] != open {
		s.head++
	}
	s.mix.prepare(len(s.out))
	s.mmr.prepare(len(s.out))
	floor := 0
	if s.kept == 0 {
		floor = last
	}
	first, free, found := choice{rank: -1}, choice{rank: -1}, beyond|last|waits
	for rank := s.head; rank < len(s.all); rank++ {
		if s.marks[rank] != open {
			continue
		}
		near := rank <= s.head+lookAhead
		most := s.all[rank].score - s.mix.least // no gain from here on is higher
		if first.rank >= 0 && found == floor && most <= s.bar(first, free, near) {
			break
		}
		gain := s.all[rank].score - s.mix.cost(s, rank)
		if first.rank >= 0 && found == floor && s.mmr.most(rank, gain) <= s.bar(first, free, near) {
			continue
		}
		class := s.class(rank)
		if class > found {
			continue
		}
		if class < found {
			first, free, found = choice{rank: -1}, choice{rank: -1}, class
		}
		room := s.runs.room(s.in[s.all[rank].index].Course)
		bar := s.bar(first, free, near && room)
		gain, ok := s.mmr.gain(s, rank, gain, bar, first.rank < 0)
		if !ok {
			continue
		}
		this := choice{rank: rank, gain: gain, room: room}
		if room && near && (free.rank < 0 || gain > free.gain) {
			free = this
		}
		if first.rank < 0 || gain > first.gain {
			first = this
		}
	}
	if first.rank >= 0 && !first.room && free.rank >= 0 && free.gain >= first.gain-s.l.cfg.Lists.MaxVarietyLoss {
		return free.rank
	}
	return first.rank
}

// bar is the gain that a course must exceed to matter: that of the first choice, or,
// while that one lengthens a full run, of what may take its place.
func (s *slate) bar(first, free choice, near bool) float64 {
	if !near || first.room || first.rank < 0 {
		return first.gain
	}
	if free.rank >= 0 {
		return free.gain
	}
	return first.gain - s.l.cfg.Lists.MaxVarietyLoss - tiny
}

// tiny makes a loss of exactly what is allowed one that is allowed.
const tiny = 1e-9

// turnedDown marks the courses that are nearer to what the learner turned down than to
// anything they like, at a cosine of lists.dismissed_from or more: they go behind all
// others. Interests that were stated are part of what they like.
func (s *slate) turnedDown() []bool {
	if !s.home {
		return s.away[:0]
	}
	out := cleared(s.away, len(s.all))
	for rank, at := range s.all {
		c := &s.in[at.index]
		out[rank] = c.Away.Known && c.Away.Value >= s.l.cfg.Lists.DismissedFrom && c.Away.Value > c.Similarity.Value
	}
	return out
}

func (s *slate) isAway(rank int) bool { return len(s.away) > 0 && s.away[rank] }

// items lays out what is in the list.
func (s *slate) items() []Scored {
	out := make([]Scored, len(s.out))
	for i, rank := range s.out {
		at := s.all[rank]
		out[i].Index, out[i].Score = at.index, at.score
	}
	s.pins.name(s, out)
	s.copies.name(s, out)
	s.rules.explain(s, out)
	return out
}

// end lets go of what belongs to the request.
func (s *slate) end() {
	s.l, s.req, s.in = nil, nil, nil
	s.mmr.end()
	s.mix.end()
	s.copies.end()
	s.needs.end()
	s.twins.end()
	s.limit.end()
	s.runs = runs{}
	s.rules.end()
	s.pins.end()
}
