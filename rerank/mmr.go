package rerank

import (
	"github.com/viterin/vek/vek32"

	"github.com/lectern-dev/lectern"
)

// mostDiversity bounds how far a learner's preference may raise diversity.
const mostDiversity = 0.9

// diversity keeps the first places from being alike, by maximal marginal relevance
// (Carbonell and Goldstein, The Use of MMR, Diversity-Based Reranking, 1998): every
// place goes to the highest (1 − λ) × score − λ × the highest cosine to what stands
// above. That order is the one of score − λ/(1 − λ) × cosine, which is what is added up
// here, so that several such parts do not weaken one another.
//
// The highest cosine of a course only rises from place to place, so it is brought up to
// date when the course comes into question, and only then.
type diversity struct {
	odds   float64 // λ/(1 − λ); 0 is off
	places int
	on     bool        // for the next place
	above  [][]float32 // vectors of what is placed
	likest []float64   // by rank: highest cosine to the first seen of above
	seen   []int32
}

func (d *diversity) begin(s *slate) {
	d.odds, d.places, d.above = 0, s.l.cfg.Lists.DiversePlaces, d.above[:0]
	if s.asIs() {
		return
	}
	lambda := s.l.cfg.Lists.Diversity.of(s.req.Surface)
	if len(s.req.Preferences) > 0 {
		lambda = min(lambda*s.l.cfg.Preferences.factor(s.req, lectern.PreferDifferent), max(lambda, mostDiversity))
	}
	d.odds = lambda / (1 - lambda)
	if d.odds > 0 && d.places > 0 {
		d.likest, d.seen = cleared(d.likest, len(s.all)), cleared(d.seen, len(s.all))
	}
}

// prepare says how many places are taken.
func (d *diversity) prepare(taken int) { d.on = d.odds > 0 && taken < d.places }

// gain takes likeness off a gain. It reports false where what is left is not above the
// bar, unless there is none.
func (d *diversity) gain(s *slate, rank int, gain, bar float64, first bool) (float64, bool) {
	if !d.on {
		return gain, first || gain > bar
	}
	if !first && d.most(rank, gain) <= bar {
		return 0, false
	}
	gain -= d.odds * d.update(rank, s.in[s.all[rank].index].Vector)
	return gain, first || gain > bar
}

// most bounds the gain of a course by what is known of its likeness so far.
func (d *diversity) most(rank int, gain float64) float64 {
	if !d.on {
		return gain
	}
	return gain - d.odds*d.likest[rank]
}

// update returns the highest cosine of a course to what is above it. Below 0 is 0: to be
// opposed is no better than to have nothing in common, which is also where a course
// stands of which nothing is known.
func (d *diversity) update(rank int, v []float32) float64 {
	if len(v) == 0 {
		return 0
	}
	likest := d.likest[rank]
	for _, w := range d.above[d.seen[rank]:] {
		if len(w) == len(v) {
			likest = max(likest, float64(vek32.Dot(v, w)))
		}
	}
	d.likest[rank], d.seen[rank] = likest, int32(len(d.above))
	return likest
}

func (d *diversity) add(s *slate, c *Candidate) {
	if d.odds > 0 && len(s.out) < d.places && len(c.Vector) > 0 {
		d.above = append(d.above, c.Vector)
	}
}

func (d *diversity) end() {
	clear(d.above)
	d.above = d.above[:0]
}
