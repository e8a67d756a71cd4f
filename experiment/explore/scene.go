package explore

import "math/rand/v2"

// scene is what decides how the exploring places of one list are filled, beside chance:
// the list as it stood, which is known by places in it ("slots"), and the bounds that
// hold for this list. A record has all of it.
type scene struct {
	size     int    // slots
	places   []int  // that explore, rising, none fixed
	fixed    []bool // by slot: a rule pins it
	pool     []bool // by slot: may be put at an exploring place
	owed     []bool // by slot: a new course that is owed impressions
	provider []int  // by slot; 0 is unknown
	// perProvider slots of one provider may stand among the first limited; 0 is no limit.
	perProvider, limited int
	floor, newShare      float64
}

// policy prefers some slots to others: it chooses the one with the highest score, or,
// with a share, any.
type policy interface {
	// draw fills in the score of every slot that may be chosen. A policy that is not
	// random gives the same scores every time, and draws nothing.
	draw(r *rand.Rand, scores []float64)
	random() bool
	epsilon() float64 // share of choices that are uniform
}

// keep is the policy none: what stands there stays.
type keep struct{}

func (keep) draw(_ *rand.Rand, scores []float64) {
	for i := range scores {
		scores[i] = -float64(i)
	}
}
func (keep) random() bool     { return false }
func (keep) epsilon() float64 { return 0 }

// The ways in which a choice comes about, in Exploration.By.
const (
	ByPolicy = "policy"
	ByFloor  = "floor" // uniform over the pool
	ByNew    = "new"   // uniform over the new courses that are owed impressions
)

// list is the slots in the order in which they stand.
type list []int32

// begin returns the list before anything was chosen, in the room of into.
func (s *scene) begin(into list) list {
	into = into[:0]
	for i := range s.size {
		into = append(into, int32(i))
	}
	return into
}

// put moves what stands at a place to one above it. What is between moves down, except
// what a rule pins.
func (s *scene) put(l list, from, to int) {
	moved, hole := l[from], from
	for at := from - 1; at >= to; at-- {
		if !s.fixed[at] {
			l[hole], hole = l[at], at
		}
	}
	l[hole] = moved
}

// options appends the places from which a course may be put at an exploring place: the
// one whose place it is comes first.
func (s *scene) options(l list, place int, into []int32) []int32 {
	into = append(into[:0], int32(place))
	guard := s.guard(l, place)
	for at := place + 1; at < s.size; at++ {
		if s.pool[l[at]] && guard.allows(l[at], at) {
			into = append(into, int32(at))
		}
	}
	return into
}

// guard keeps the head of a list within the limit of courses of one provider.
type guard struct {
	s    *scene
	head list
	out  int // provider that a course from below the head pushes out of it
	on   bool
}

func (s *scene) guard(l list, place int) guard {
	limited := min(s.limited, s.size)
	g := guard{s: s, on: s.perProvider > 0 && place < limited}
	if !g.on {
		return g
	}
	g.head = l[:limited]
	last := limited - 1
	for s.fixed[last] { // not beyond place, which no rule pins
		last--
	}
	g.out = s.provider[l[last]]
	return g
}

// allows reports whether the head still keeps to the limit, or is no further beyond it,
// with a slot that stands at a place.
func (g *guard) allows(slot int32, at int) bool {
	if !g.on || at < len(g.head) {
		return true
	}
	p := g.s.provider[slot]
	if p == 0 || p == g.out {
		return true
	}
	n := 1
	for _, other := range g.head {
		if g.s.provider[other] == p {
			n++
		}
	}
	return n <= g.s.perProvider
}

// owedAmong counts the options that are owed impressions.
func (s *scene) owedAmong(l list, options []int32) (n int) {
	for _, at := range options {
		if s.owed[l[at]] {
			n++
		}
	}
	return n
}

// shares are how the choice of one place is mixed: floor uniform over all options,
// fresh uniform over the owed ones, and the rest is the policy's.
func (s *scene) shares(owed int) (floor, fresh, rest float64) {
	if owed > 0 {
		fresh = min(s.newShare, 1-s.floor)
	}
	return s.floor, fresh, max(0, 1-s.floor-fresh)
}

// best is the option that a policy prefers; of equal ones the one that stands higher.
func best(l list, options []int32, scores []float64) int32 {
	top := options[0]
	for _, at := range options[1:] {
		if scores[l[at]] > scores[l[top]] {
			top = at
		}
	}
	return top
}

// filler fills lists; its room is used again.
type filler struct {
	list    list
	options []int32
	scores  []float64
}

// fill puts the exploring places in order, and returns how each choice came about; by is
// appended to. The list is the filler's.
func (f *filler) fill(s *scene, p policy, r *rand.Rand, by []string) (list, []string) {
	f.list = s.begin(f.list)
	f.scores = grown(f.scores, s.size)
	p.draw(r, f.scores)
	for _, place := range s.places {
		f.options = s.options(f.list, place, f.options)
		at, how := s.choose(f.list, f.options, p, f.scores, r)
		s.put(f.list, int(at), place)
		by = append(by, how)
	}
	return f.list, by
}

// choose makes the choice of one place.
func (s *scene) choose(l list, options []int32, p policy, scores []float64, r *rand.Rand) (int32, string) {
	owed := s.owedAmong(l, options)
	floor, fresh, _ := s.shares(owed)
	switch u := r.Float64(); {
	case u < floor:
		return options[r.IntN(len(options))], ByFloor
	case u < floor+fresh:
		nth := r.IntN(owed)
		for _, at := range options {
			if s.owed[l[at]] {
				if nth == 0 {
					return at, ByNew
				}
				nth--
			}
		}
	}
	if e := p.epsilon(); e > 0 && r.Float64() < e {
		return options[r.IntN(len(options))], ByPolicy
	}
	return best(l, options, scores), ByPolicy
}

// grown returns a slice of length n that reuses the room of s.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
