package demo

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// chooser draws courses for learners. A course's standing weight is drawn from
// by binary search; what depends on the learner and the moment is then taken or
// rejected, so a choice costs the same in a catalogue of any size.
type chooser struct {
	cat     *catalogue
	appeal  *interests
	running [][]float64 // by topic: running totals of standing weights
	related [][]*topic  // by topic: same subject or linked, in order
}

func newChooser(c *catalogue) *chooser {
	ch := &chooser{cat: c, appeal: newInterests(c), running: make([][]float64, len(c.byTopic)), related: make([][]*topic, len(c.byTopic))}
	for t, members := range c.byTopic {
		total := 0.0
		for _, i := range members {
			total += c.latent[i].standing()
			ch.running[t] = append(ch.running[t], total)
		}
	}
	for i, t := range c.banks.topics {
		for _, other := range c.banks.topics {
			if other != t && len(c.byTopic[other.index]) > 0 && (other.subject == t.subject || linked(t, other)) {
				ch.related[i] = append(ch.related[i], other)
			}
		}
	}
	return ch
}

// standing is popularity × e^(0.6 quality).
func (l *latentCourse) standing() float64 { return l.popularity * math.Exp(0.6*l.quality) }

// person is a learner in the course of the simulation.
type person struct {
	*latentLearner
	level     map[*topic]float64
	seen      map[int]bool // enrolled in or dismissed
	completed map[int]bool
	active    []*enrolment
}

// enrolment is a course in progress and how it is going to end.
type enrolment struct {
	course int
	done   float64
	step   float64
	stop   float64 // share at which the learner drops; ≥ 1 completes
	silent bool    // stops without saying so
}

// topicAt draws what the learner is after now: an own topic weighted by its
// appeal at the moment, a related one, or anything.
func (ch *chooser) topicAt(p *person, r *rand.Rand, t time.Time) *topic {
	u := r.Float64()
	if len(p.interests) == 0 || u < 0.07 {
		return ch.appeal.draw(r, t, func(*topic) float64 { return 1 })
	}
	total := 0.0
	for _, in := range p.interests {
		total += in.weight * ch.appeal.appeal(in.topic, t)
	}
	x := r.Float64() * total
	own := p.interests[0].topic
	for _, in := range p.interests {
		own = in.topic
		if x -= in.weight * ch.appeal.appeal(in.topic, t); x < 0 {
			break
		}
	}
	if related := ch.related[own.index]; u < 0.2 && len(related) > 0 {
		return pick(r, related)
	}
	return own
}

// course draws a course of the topic for the learner at time t; -1 is none.
func (ch *chooser) course(p *person, tp *topic, r *rand.Rand, t time.Time) int {
	members, running := ch.cat.byTopic[tp.index], ch.running[tp.index]
	if len(members) == 0 {
		return -1
	}
	total := running[len(running)-1]
	for range 24 {
		i := members[searchWeights(running, r.Float64()*total)]
		if p.seen[i] || !ch.open(p, i, t) || !chance(r, ch.fit(p, i, t)) {
			continue
		}
		if need := ch.missing(p, i); need >= 0 && chance(r, 0.75) {
			// Most people turn to the prerequisite first, where they can.
			if p.seen[need] || !ch.open(p, need, t) {
				continue
			}
			return need
		}
		return i
	}
	return -1
}

// open reports whether the learner could join course i at time t.
func (ch *chooser) open(p *person, i int, t time.Time) bool {
	l := &ch.cat.latent[i]
	if t.Before(l.published) || !l.closed.IsZero() && !t.Before(l.closed) {
		return false
	}
	if l.lang != nil && l.lang != p.lang {
		return false
	}
	av := &ch.cat.courses[i].Availability
	if av.EnrolFrom != nil && t.Before(*av.EnrolFrom) {
		return false
	}
	if len(av.Regions) > 0 && !slices.Contains(av.Regions, p.region) {
		return false
	}
	return len(av.Organisations) == 0 || len(p.orgs) > 0 && slices.Contains(av.Organisations, p.orgs[0])
}

// fit is the chance in (0, 1] that a course drawn by its standing is taken:
// level, recency and language.
func (ch *chooser) fit(p *person, i int, t time.Time) float64 {
	l := &ch.cat.latent[i]
	f := math.Exp(-0.9 * p.gap(l) * p.gap(l))
	years := t.Sub(l.published).Hours() / (24 * 365)
	f *= 0.4 + 0.6*math.Exp(-years/2)
	if p.lang != nil && l.lang == nil {
		f *= 0.25 // prefers the first language where there is a course in it
	}
	return f
}

// gap is how far the course is above (+) or below (-) the learner.
func (p *person) gap(l *latentCourse) float64 {
	if l.level == mixed {
		return 0
	}
	return float64(l.level) - p.level[l.topic]
}

// missing returns a prerequisite that the learner has not completed; -1 is none.
// Who is well above the prerequisite's level does not need it.
func (ch *chooser) missing(p *person, i int) int {
	for _, need := range ch.cat.latent[i].prereqs {
		if !p.completed[need] && p.gap(&ch.cat.latent[need]) > -0.8 {
			return need
		}
	}
	return -1
}

// completion is the probability of finishing course i: a logistic of quality,
// level fit, length against the learner's time, interest and diligence.
func (ch *chooser) completion(p *person, i int) float64 {
	l := &ch.cat.latent[i]
	gap := p.gap(l)
	x := 0.4 + 0.6*l.quality + 0.5*p.diligence + 1.2*(p.affinity(l.topic)-0.5)
	x -= 1.1*math.Max(gap-0.3, 0) + 0.35*math.Max(-gap-0.5, 0)
	x -= 0.7 * math.Log(math.Max(l.hours, 1)/(6+2*p.weekly))
	if ch.missing(p, i) >= 0 {
		x -= 0.8
	}
	return 1 / (1 + math.Exp(-x))
}
