package demo

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	lectern "github.com/lectern-dev/lectern"
)

// catalogueYears is how far back the first course was published.
const catalogueYears = 6

const day = 24 * time.Hour

// aspects are what reviews talk about; indices into courseTruth.aspects.
var aspects = [...]string{"teaching", "content", "pace", "assignments", "support", "value"}

// catalogue is the courses with what the generator knows about them.
type catalogue struct {
	banks   *banks
	now     time.Time
	courses []lectern.Course
	latent  []latentCourse // beside courses
	byTopic [][]int        // course indices by topic index
}

// latentCourse is the hidden side of a course.
type latentCourse struct {
	topic      *topic
	lang       *language // nil is English
	local      *localTopic
	level      int // 0 beginner, 1 intermediate, 2 advanced, 3 mixed
	popularity float64
	quality    float64 // standard normal
	aspects    [len(aspects)]float64
	published  time.Time
	closed     time.Time // when it was retired; zero is never
	hours      float64
	prereqs    []int
}

var levels = [...]lectern.Level{
	lectern.LevelBeginner, lectern.LevelIntermediate, lectern.LevelAdvanced, lectern.LevelMixed,
}

const (
	beginner = iota
	intermediate
	advanced
	mixed
)

func newCatalogue(b *banks, o Options) *catalogue {
	n := max(o.Courses, 0)
	c := &catalogue{
		banks:   b,
		now:     o.Now,
		courses: make([]lectern.Course, n),
		latent:  make([]latentCourse, n),
		byTopic: make([][]int, len(b.topics)),
	}
	c.plan(stream(o.Seed, "plan", 0), n)
	for i := range c.latent {
		c.byTopic[c.latent[i].topic.index] = append(c.byTopic[c.latent[i].topic.index], i)
		c.drawLatent(i, stream(o.Seed, "course", i))
	}
	c.linkPrerequisites(stream(o.Seed, "prerequisites", 0))
	w := newWriter(c)
	for i := range c.courses {
		w.write(i, stream(o.Seed, "words", i))
	}
	for i := range c.courses {
		c.name(i, stream(o.Seed, "prerequisite sentence", i), w)
		c.restrict(i, stream(o.Seed, "availability", i))
	}
	return c
}

// plan gives every course its topic, language and level.
func (c *catalogue) plan(r *rand.Rand, n int) {
	counts := apportion(n, topicWeights(c.banks, r))
	locals := localTopics(c.banks)
	i := 0
	for t, count := range counts {
		foreign := locals[t]
		for k := range count {
			l := latentCourse{topic: c.banks.topics[t], level: levelOf(r, k)}
			// A topic taught in other languages gives each of them a course after
			// its first four in English, and up to foreignCap of every fifth later.
			if m := len(foreign); m > 0 && k >= 4 && (k-4 < 2*m || k%5 == 0 && k < foreignCap*m) {
				f := foreign[k%m]
				l.lang, l.local = f.lang, f.local
				l.level = levelOf(r, (k-4)/m)
			}
			c.latent[i] = l
			i++
		}
	}
	r.Shuffle(n, func(i, j int) { c.latent[i], c.latent[j] = c.latent[j], c.latent[i] })
}

// foreignCap bounds the courses of one topic in one other language; their short
// phrase banks would repeat themselves in a large catalogue.
const foreignCap = 30

type foreignTopic struct {
	lang  *language
	local *localTopic
}

// localTopics returns, by topic index, the languages that teach it.
func localTopics(b *banks) [][]foreignTopic {
	out := make([][]foreignTopic, len(b.topics))
	for _, l := range b.languages {
		for _, t := range l.topics {
			out[t.topic.index] = append(out[t.topic.index], foreignTopic{l, t})
		}
	}
	return out
}

// topicWeights draws each topic's share of the catalogue.
func topicWeights(b *banks, r *rand.Rand) []float64 {
	out := make([]float64, len(b.topics))
	foreign := localTopics(b)
	for i, t := range b.topics {
		w := math.Sqrt(t.subject.weight) * (0.8 + 0.4*r.Float64()) * (1 + 0.25*t.trend)
		out[i] = w * (1 + 0.25*float64(len(foreign[i])))
	}
	return out
}

// apportion splits n by weight, exactly, by largest remainder.
func apportion(n int, weights []float64) []int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	out := make([]int, len(weights))
	order := make([]int, len(weights))
	rest := make([]float64, len(weights))
	left := n
	for i, w := range weights {
		share := float64(n) * w / total
		out[i] = int(share)
		rest[i] = share - float64(out[i])
		order[i] = i
		left -= out[i]
	}
	sort.SliceStable(order, func(a, b int) bool { return rest[order[a]] > rest[order[b]] })
	for _, i := range order[:min(left, len(order))] {
		out[i]++
	}
	return out
}

// levelOf gives the k-th course of a topic its level: the first three make a
// chain, the rest are drawn.
func levelOf(r *rand.Rand, k int) int {
	if k < 3 {
		return k
	}
	switch u := r.Float64(); {
	case u < 0.42:
		return beginner
	case u < 0.74:
		return intermediate
	case u < 0.88:
		return advanced
	default:
		return mixed
	}
}

// drawLatent draws what is hidden about a course, and its dates.
func (c *catalogue) drawLatent(i int, r *rand.Rand) {
	l := &c.latent[i]
	// Pareto with shape 1.25: a few courses draw most of the crowd.
	l.popularity = math.Min(math.Pow(1-r.Float64(), -1/1.25), 80)
	if l.level == advanced {
		l.popularity *= 0.6
	}
	l.quality = r.NormFloat64()
	for a := range l.aspects {
		l.aspects[a] = 0.6*l.quality + 0.8*r.NormFloat64()
	}
	factor := [...]float64{0.85, 1.1, 1.4, 0.5}[l.level]
	l.hours = roundHours(l.topic.subject.hours * factor * math.Exp(0.45*r.NormFloat64()))
	// Catalogues grow: later dates are likelier, most of all in rising topics.
	age := math.Pow(r.Float64(), 1.3+0.6*l.topic.trend)
	l.published = c.now.Add(-time.Duration(age * catalogueYears * 365 * float64(day))).Truncate(time.Minute)
}

func roundHours(h float64) float64 {
	if h < 10 {
		return math.Max(1, math.Round(2*h)/2)
	}
	return math.Min(math.Round(h), 160)
}

// linkPrerequisites draws the chains: a course may need one of its topic a
// level below, and one of each topic that its own topic needs, at its level or
// below. Topics only need topics that do not need them, so there is no cycle.
func (c *catalogue) linkPrerequisites(r *rand.Rand) {
	type cell struct {
		topic, level int
		lang         *language
	}
	at := map[cell][]int{}
	for i := range c.latent {
		l := &c.latent[i]
		k := cell{l.topic.index, l.level, l.lang}
		if len(at[k]) < 12 { // enough to choose from
			at[k] = append(at[k], i)
		}
	}
	for i := range c.latent {
		l := &c.latent[i]
		if l.level == mixed {
			continue
		}
		if l.level > beginner && chance(r, [...]float64{0, 0.6, 0.8}[l.level]) {
			l.add(c.earlier(r, at[cell{l.topic.index, l.level - 1, l.lang}], l.published))
		}
		for _, need := range l.topic.needs {
			if !chance(r, 0.3) {
				continue
			}
			level := max(l.level-1, beginner)
			l.add(c.earlier(r, at[cell{need.index, level, l.lang}], l.published))
		}
	}
}

func (l *latentCourse) add(prereq int) {
	if prereq >= 0 && !slices.Contains(l.prereqs, prereq) {
		l.prereqs = append(l.prereqs, prereq)
	}
}

// earlier picks one of the candidates, rather one published before t; -1 is none.
func (c *catalogue) earlier(r *rand.Rand, candidates []int, t time.Time) int {
	if len(candidates) == 0 {
		return -1
	}
	best := pick(r, candidates)
	for range 4 {
		if c.latent[best].published.Before(t) {
			break
		}
		best = pick(r, candidates)
	}
	return best
}

// restrict gives a few courses an availability other than open to everybody.
func (c *catalogue) restrict(i int, r *rand.Rand) {
	l, av := &c.latent[i], &c.courses[i].Availability
	av.Status = lectern.StatusOpen
	at := func(days float64) *time.Time {
		t := c.now.Add(time.Duration(days * float64(day))).Truncate(time.Hour)
		return &t
	}
	switch u := r.Float64(); {
	case u < 0.02:
		av.Status = lectern.StatusRetired
		l.closed = l.published.Add(time.Duration((0.3 + 0.6*r.Float64()) * float64(c.now.Sub(l.published))))
	case u < 0.03:
		av.Status = lectern.StatusUnlisted
		l.popularity *= 0.1
	case u < 0.045: // a window that is open now
		av.EnrolFrom, av.EnrolUntil = at(-30-60*r.Float64()), at(5+40*r.Float64())
	case u < 0.055: // opens soon
		av.EnrolFrom, av.EnrolUntil = at(4+30*r.Float64()), at(60+60*r.Float64())
		l.closed = l.published // nobody has been in yet
	case u < 0.062: // has just closed
		av.EnrolFrom, av.EnrolUntil = at(-150-60*r.Float64()), at(-2-20*r.Float64())
		l.closed = *av.EnrolUntil
	case u < 0.077:
		av.Regions = sample(r, []string{"BR", "DE", "ES", "FR", "GB", "IN", "JP", "NG", "US"}, 3)
	case u < 0.085:
		av.Organisations = []string{pick(r, organisations())}
	}
}

// organisations are the invented customers with courses and members of their own.
func organisations() []string {
	return []string{"org-aldermoor-council", "org-brightwater-hospitals", "org-corran-logistics", "org-dunmere-bank"}
}
