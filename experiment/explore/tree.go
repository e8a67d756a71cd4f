package explore

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Bounds of what is enumerated: nodes at which a choice is made, ways through all
// choices, and visits of nodes over all draws. Beyond the first two ways are drawn, and
// beyond the third there are fewer draws. Two exploring places and a pool of 30 are far
// within.
const (
	mostNodes  = 2000
	mostWays   = 60_000
	mostVisits = 2_000_000
	manyVisits = 50 * mostVisits // of a replay, for which somebody waits
	leastDraws = 100
)

// tree is every way in which the places of a scene may be filled, but for the last
// choice: a node is a list with some choices made, and the options of the next one.
//
// The chance of a way is Π (bₖ + rₖ·1[the policy prefers it]) over its choices, where b
// is the uniform part of the mixture and r the rest. Given what a random policy drew it
// is exact; the mean over draws is needed only of how often the policy prefers which
// option, weighted with the chance to get there. So the ways are gone through once,
// not once per draw (Rao and Blackwell, 1945-47).
type tree struct {
	s     *scene
	slots []int32 // that are an option anywhere, rising
	nodes []node
	ways  int
}

// node is a choice to be made.
type node struct {
	depth    int // of the choice: which place
	list     list
	options  []int32   // places, rising
	option   []int32   // by slot: which option it is, −1 for none
	uniform  []float64 // beside options: chance but for the policy's preference
	rest     float64   // chance that the policy's preference decides
	prefers  []float64 // beside options: mean over draws of the chance to get here, where it is the preferred one
	children []int32   // beside options; nil at the last choice
	reach    float64   // chance to get here, of one draw
}

// grow lays out the tree, or returns nil if there are too many ways.
func grow(s *scene, epsilon float64) *tree {
	t := &tree{s: s}
	t.nodes = append(t.nodes, t.node(0, s.begin(nil), epsilon))
	for i := 0; i < len(t.nodes); i++ {
		n := t.nodes[i]
		if n.depth+1 == len(s.places) {
			if t.ways += len(n.options); t.ways > mostWays {
				return nil
			}
			continue
		}
		if len(t.nodes)+len(n.options) > mostNodes {
			return nil
		}
		children := make([]int32, len(n.options))
		for j, at := range n.options {
			next := slices.Clone(n.list)
			s.put(next, int(at), s.places[n.depth])
			children[j] = int32(len(t.nodes))
			t.nodes = append(t.nodes, t.node(n.depth+1, next, epsilon))
		}
		t.nodes[i].children = children
	}
	for slot := range int32(s.size) {
		if slices.ContainsFunc(t.nodes, func(n node) bool { return n.option[slot] >= 0 }) {
			t.slots = append(t.slots, slot)
		}
	}
	return t
}

func (t *tree) node(depth int, l list, epsilon float64) node {
	n := node{depth: depth, list: l, options: t.s.options(l, t.s.places[depth], nil)}
	n.uniform, n.rest = t.s.mixture(l, n.options, epsilon)
	n.prefers = make([]float64, len(n.options))
	n.option = make([]int32, t.s.size)
	for slot := range n.option {
		n.option[slot] = -1
	}
	for j, at := range n.options {
		n.option[l[at]] = int32(j)
	}
	return n
}

// mixture is the chance of every option but for the policy's preference, and the chance
// that the preference decides.
func (s *scene) mixture(l list, options []int32, epsilon float64) (uniform []float64, rest float64) {
	owed := s.owedAmong(l, options)
	floor, fresh, rest := s.shares(owed)
	floor += rest * epsilon
	uniform = make([]float64, len(options))
	for i, at := range options {
		uniform[i] = floor / float64(len(options))
		if s.owed[l[at]] {
			uniform[i] += fresh / float64(owed)
		}
	}
	return uniform, rest * (1 - epsilon)
}

// mostTop is how many of the best slots are told apart before a node looks at all its
// options.
const mostTop = 4

// draw notes, at every node, which option the policy prefers by some scores. Weight is
// one draw's. Slots that cannot be chosen anywhere need no score.
func (t *tree) draw(scores []float64, weight float64) {
	var top [mostTop]int32
	n := 0
	for _, slot := range t.slots { // rising: of equal ones the first stays first
		if n == mostTop && scores[slot] <= scores[top[n-1]] {
			continue
		}
		at := min(n, mostTop-1)
		for ; at > 0 && scores[slot] > scores[top[at-1]]; at-- {
			top[at] = top[at-1]
		}
		top[at] = slot
		n = min(n+1, mostTop)
	}
	t.nodes[0].reach = 1
	for i := range t.nodes {
		node := &t.nodes[i]
		best := node.best(top[:n], scores)
		node.prefers[best] += weight * node.reach
		for j, child := range node.children {
			chance := node.uniform[j]
			if j == best {
				chance += node.rest
			}
			t.nodes[child].reach = node.reach * chance
		}
	}
}

// best is the option that is preferred: the first of the best slots that is one, or, if
// none is, the best of all options.
func (n *node) best(top []int32, scores []float64) int {
	for _, slot := range top {
		if j := n.option[slot]; j >= 0 {
			return int(j)
		}
	}
	best, score := 0, scores[n.list[n.options[0]]]
	for j := 1; j < len(n.options); j++ {
		if x := scores[n.list[n.options[j]]]; x > score {
			best, score = j, x
		}
	}
	return best
}

// each adds all ways to a board.
func (t *tree) each(b *board) { t.from(0, 1, 1, b) }

func (t *tree) from(at int32, chance, certain float64, b *board) {
	n := &t.nodes[at]
	chances, certains := make([]float64, len(n.options)), make([]float64, len(n.options))
	for j := range n.options {
		chances[j], certains[j] = chance*n.uniform[j]+n.rest*n.prefers[j], certain*n.uniform[j]
	}
	to := t.s.size
	if n.children != nil {
		to = t.s.places[n.depth+1]
	}
	b.settle(n, chances, certains, t.s.places[n.depth], to)
	for j, child := range n.children {
		t.from(child, chances[j], certains[j], b)
	}
}

// enumerate adds every way to a board. It returns how many draws of a random policy are
// behind it, 0 for none; ok is false when there are too many ways.
func enumerate(s *scene, p policy, draws, visits int, r *rand.Rand, b *board) (used int, ok bool) {
	t := grow(s, p.epsilon())
	if t == nil {
		return 0, false
	}
	scores := make([]float64, s.size)
	if !p.random() {
		p.draw(r, scores)
		t.draw(scores, 1)
	} else {
		used = max(min(draws, visits/len(t.nodes)), leastDraws)
		for range used {
			p.draw(r, scores)
			t.draw(scores, 1/float64(used))
		}
	}
	t.each(b)
	return used, true
}

// deviation is the standard error of a mean over draws of something that lies between
// low and low+span in each: at most, and exactly where it takes no other values. Two
// draws more, one of each kind, keep it above 0 where all draws agree (Agresti and
// Coull, 1998).
func deviation(mean, low, span float64, draws int) float64 {
	if draws == 0 || span <= 0 {
		return 0
	}
	n := float64(draws)
	share := (min(max((mean-low)/span, 0), 1)*n + 1) / (n + 2)
	return span * math.Sqrt(share*(1-share)/n)
}
