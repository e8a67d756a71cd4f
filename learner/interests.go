package learner

import (
	"cmp"
	"slices"
	"time"

	"github.com/viterin/vek/vek32"
)

// point is one thing that speaks for or against an interest: a course, or what the
// learner stated.
type point struct {
	id     string // of the course; "" for what is stated
	stated int    // place among the stated interests, −1 for a course
	weight float64
	at     time.Time // of the latest event; zero for what is stated
	vector []float32 // unit length
	out    bool      // about something that the learner removed
}

// group is one interest of a learner: what speaks for it, heaviest first, what
// speaks against it, and where that points.
type group struct {
	points  []point
	against []point
	weight  float64   // of the points, less that of what speaks against them
	share   float64   // of the weight of all groups that are kept
	vector  []float32 // unit length; nil when nothing is left
}

// stated reports whether the learner named the interest.
func (g *group) isStated() bool {
	return slices.ContainsFunc(g.points, func(p point) bool { return p.stated >= 0 })
}

// settle sums up a group: weight and direction. A thing that speaks against it
// counts push times.
func (g *group) settle(push float64) {
	slices.SortFunc(g.points, comparePoints)
	slices.SortFunc(g.against, comparePoints)
	g.weight, g.vector = 0, nil
	if len(g.points) == 0 {
		return
	}
	liked, disliked := 0.0, 0.0
	for _, p := range g.points {
		liked += p.weight
	}
	for _, p := range g.against {
		disliked -= push * p.weight
	}
	if g.weight = liked - disliked; g.weight <= 0 {
		return
	}
	sum := make([]float64, len(g.points[0].vector))
	for _, p := range g.points {
		addTo(sum, p.vector, p.weight)
	}
	if disliked > 0 {
		bent := push * min(1, mostBent*liked/disliked)
		for _, p := range g.against {
			addTo(sum, p.vector, bent*p.weight)
		}
	}
	g.vector = unit(sum)
}

// mostBent is how much of what speaks for an interest can be set against it in its
// direction: more would point it away from the very courses that it is made of.
const mostBent = 0.5

func addTo(sum []float64, v []float32, w float64) {
	for i, x := range v {
		sum[i] += w * float64(x)
	}
}

// comparePoints puts the heaviest first, and courses before what is stated.
func comparePoints(a, b point) int {
	return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.stated, b.stated), cmp.Compare(a.id, b.id))
}

// parted is what groups makes of the points of a learner.
type parted struct {
	groups []group // interests, heaviest first
	// turned is what speaks against no interest that is left: it can be kept away
	// from lists without touching what the learner likes.
	turned []point
	over   []point // what spoke for interests that were turned down since
	out    []point // what belongs to interests that the learner removed
}

// part makes interests of what speaks for them (weight > 0) and against them
// (weight < 0): clusters by Ward's method, from which what lies near them and was
// turned down is taken off.
//
// All vectors have one length. The result does not depend on the order of points.
func (c Config) part(points []point) parted {
	slices.SortFunc(points, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.stated, b.stated))
	})
	var liked, disliked []point
	for _, p := range points {
		switch {
		case p.weight > 0:
			liked = append(liked, p)
		case p.weight < 0:
			disliked = append(disliked, p)
		}
	}
	vectors := make([][]float32, len(liked))
	for i, p := range liked {
		vectors[i] = p.vector
	}
	var all, removed []group
	for _, members := range ward(vectors, c.ClusterDistance) {
		g := group{points: make([]point, len(members))}
		for i, m := range members {
			g.points[i] = liked[m]
		}
		all, removed = c.cut(g, all, removed)
	}
	out := parted{}
	for _, g := range removed {
		out.out = append(out.out, g.points...)
	}
	disliked = slices.DeleteFunc(disliked, func(p point) bool {
		gone := p.out || c.nearest(removed, p.vector) >= 0
		if gone {
			out.out = append(out.out, p)
		}
		return gone
	})
	out.turned = c.takeOff(all, disliked)
	c.choose(all, &out)
	return out
}

// cut adds a cluster to the groups. One of which half or more, by weight or by number,
// is about something that the learner removed is removed whole: what else is in it is about the same
// in other words. What the learner states is never removed with it. Of another
// cluster, only what is about something removed goes.
func (c Config) cut(g group, kept, removed []group) (_, _ []group) {
	var about, total, n, courses float64
	for _, p := range g.points {
		if p.stated >= 0 {
			continue
		}
		total += p.weight
		courses++
		if p.out {
			about += p.weight
			n++
		}
	}
	if about > 0 {
		whole := about*2 >= total || n*2 >= courses
		gone := func(p point) bool { return p.out || p.stated < 0 && whole }
		away := group{points: slices.DeleteFunc(slices.Clone(g.points), func(p point) bool { return !gone(p) })}
		away.settle(0)
		removed = append(removed, away)
		g.points = slices.DeleteFunc(g.points, gone)
	}
	if len(g.points) == 0 {
		return kept, removed
	}
	g.settle(0)
	return append(kept, g), removed
}

// takeOff lays what was turned down over the interest nearest to it, where one is
// near at all.
func (c Config) takeOff(all []group, disliked []point) (turned []point) {
	for _, p := range disliked {
		if i := c.nearest(all, p.vector); i >= 0 {
			all[i].against = append(all[i].against, p)
		} else {
			turned = append(turned, p)
		}
	}
	for i := range all {
		if len(all[i].against) > 0 {
			all[i].settle(c.PushAway)
		}
	}
	return turned
}

// choose keeps what has a direction and weighs enough, at most MaxVectors. The rest
// joins the nearest of those kept, or is no interest of its own. Of an interest that
// was turned down, everything against it goes to turned, and what was for it to over.
func (c Config) choose(all []group, out *parted) {
	total := 0.0
	var alive []group
	for _, g := range all {
		if g.vector == nil {
			out.turned = append(out.turned, g.against...)
			out.over = append(out.over, g.points...)
			continue
		}
		total += g.weight
		alive = append(alive, g)
	}
	slices.SortStableFunc(alive, func(a, b group) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), comparePoints(a.points[0], b.points[0]))
	})
	kept := make([]group, 0, c.MaxVectors)
	var rest []group
	for i, g := range alive {
		enough := i == 0 || g.weight >= c.MinShare*total || g.isStated()
		if enough && len(kept) < c.MaxVectors {
			kept = append(kept, g)
		} else {
			rest = append(rest, g)
		}
	}
	joined := make([]bool, len(kept))
	for _, g := range rest {
		if i := c.nearest(kept, g.vector); i >= 0 {
			kept[i].points = append(kept[i].points, g.points...)
			kept[i].against = append(kept[i].against, g.against...)
			joined[i] = true
		}
	}
	total = 0
	for i := range kept {
		if joined[i] {
			kept[i].settle(c.PushAway)
		}
		total += kept[i].weight
	}
	for i := range kept {
		kept[i].share = kept[i].weight / total
	}
	slices.SortStableFunc(kept, func(a, b group) int { return cmp.Compare(b.share, a.share) })
	out.groups = kept
}

// topics clusters what was turned down, heaviest first, at most MaxVectors.
func (c Config) topics(turned []point) [][]point {
	slices.SortFunc(turned, func(a, b point) int { return cmp.Compare(a.id, b.id) })
	vectors := make([][]float32, len(turned))
	for i, p := range turned {
		vectors[i] = p.vector
	}
	var groups []group
	for _, members := range ward(vectors, c.ClusterDistance) {
		var g group
		for _, m := range members {
			g.points = append(g.points, turned[m])
			g.weight -= turned[m].weight
		}
		slices.SortFunc(g.points, func(a, b point) int {
			return cmp.Or(cmp.Compare(a.weight, b.weight), cmp.Compare(a.id, b.id))
		})
		groups = append(groups, g)
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(b.weight, a.weight) })
	out := make([][]point, 0, c.MaxVectors)
	for _, g := range groups[:min(len(groups), c.MaxVectors)] {
		out = append(out, g.points)
	}
	return out
}

// nearest returns the group that a vector belongs to, −1 when none is near enough.
func (c Config) nearest(groups []group, v []float32) int {
	best, at := c.SameInterest, -1
	for i := range groups {
		if groups[i].vector == nil {
			continue
		}
		if s := float64(vek32.Dot(groups[i].vector, v)); s >= best && (at < 0 || s > best) {
			best, at = s, i
		}
	}
	return at
}

// mean is the direction of points by weight, whatever its sign; nil for none.
func mean(points []point) []float32 {
	if len(points) == 0 {
		return nil
	}
	sum := make([]float64, len(points[0].vector))
	for _, p := range points {
		addTo(sum, p.vector, abs(p.weight))
	}
	return unit(sum)
}

func abs(x float64) float64 { return max(x, -x) }
