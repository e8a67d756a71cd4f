package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"time"

	lectern "github.com/lectern-dev/lectern"
)

// historyDays is how far back the first learner joined.
const historyDays = 540

// visitorShare is the share of events by visitors who never sign in.
const visitorShare = 0.04

// population is the learners with what the generator knows about them.
type population struct {
	learners []lectern.Learner
	latent   []latentLearner // beside learners, then the visitors
}

// latentLearner is the hidden side of a learner or visitor.
type latentLearner struct {
	id        string // "" for a visitor who never signs in
	anonymous string // the id before signing in; "" was always signed in
	interests []interest
	lang      *language // a first language other than English
	region    string
	orgs      []string
	weekly    float64 // hours a week
	diligence float64 // standard normal
	joined    time.Time
	events    int // how many events to make
}

// interest is one latent topic of a learner.
type interest struct {
	topic  *topic
	weight float64 // share of the learner's attention; they sum to 1
	level  float64 // 0 beginner to 2 advanced, when the learner joined
}

func newPopulation(c *catalogue, o Options) *population {
	n := max(o.Learners, 0)
	visitors := n / 10
	p := &population{learners: make([]lectern.Learner, n), latent: make([]latentLearner, n+visitors)}
	draw := newInterests(c)
	for i := range p.latent {
		r := stream(o.Seed, "learner", i)
		l := &p.latent[i]
		c.drawLearner(l, draw, r)
		if i >= n {
			l.id, l.anonymous = "", fmt.Sprintf("anon-%05d", i+1)
			continue
		}
		l.id = fmt.Sprintf("learner-%05d", i+1)
		if chance(r, 0.15) {
			l.anonymous = fmt.Sprintf("anon-%05d", i+1)
		}
		p.learners[i] = l.describe(r)
	}
	p.budget(stream(o.Seed, "activity", 0), n, max(o.Events, 0))
	return p
}

// budget shares the events out: activity is Pareto with shape 1.5.
func (p *population) budget(r *rand.Rand, n, events int) {
	if n == 0 {
		return
	}
	share := func(people []latentLearner, events int) {
		if len(people) == 0 {
			return
		}
		weights := make([]float64, len(people))
		for i := range weights {
			weights[i] = math.Min(math.Pow(1-r.Float64(), -1/1.5), 25)
		}
		for i, k := range apportion(events, weights) {
			people[i].events = k
		}
	}
	byVisitors := int(visitorShare * float64(events))
	if len(p.latent) == n {
		byVisitors = 0
	}
	share(p.latent[:n], events-byVisitors)
	share(p.latent[n:], byVisitors)
}

// interests draws topics by their appeal at a time.
type interests struct {
	banks *banks
	base  []float64 // by topic
	start time.Time
	now   time.Time
}

func newInterests(c *catalogue) *interests {
	d := &interests{banks: c.banks, now: c.now, start: c.now.AddDate(0, 0, -historyDays)}
	for _, t := range c.banks.topics {
		w := t.subject.weight
		if len(c.byTopic[t.index]) == 0 {
			w = 0
		}
		d.base = append(d.base, w)
	}
	return d
}

// trendSpan is ln of the factor by which a topic of trend 1 grows over the
// history; one of trend -1 shrinks by as much.
const trendSpan = 1.8

// appeal is how attractive a topic is at time t, relative to a flat one.
func (d *interests) appeal(tp *topic, t time.Time) float64 {
	x := float64(t.Sub(d.now)) / float64(d.now.Sub(d.start)) // -1 at the start, 0 now
	a := math.Exp(trendSpan * tp.trend * (x + 0.5))
	if tp.season >= 0 {
		month := float64(t.YearDay()) / 365.25 * 12
		a *= 1 + 0.45*math.Cos(2*math.Pi*(month-tp.season)/12)
	}
	return a
}

func (d *interests) draw(r *rand.Rand, t time.Time, allowed func(*topic) float64) *topic {
	total := 0.0
	weights := make([]float64, len(d.base))
	for i, tp := range d.banks.topics {
		w := d.base[i]
		if w > 0 {
			w *= d.appeal(tp, t) * allowed(tp)
		}
		total += w
		weights[i] = total
	}
	if total == 0 {
		return nil
	}
	return d.banks.topics[searchWeights(weights, r.Float64()*total)]
}

// searchWeights returns the index whose running total first exceeds x.
func searchWeights(running []float64, x float64) int {
	i := sort.Search(len(running), func(i int) bool { return running[i] > x })
	return min(i, len(running)-1)
}

// drawLearner draws one to three topics, of which the later ones lean towards
// the subject of the first, and the circumstances of the learner.
func (c *catalogue) drawLearner(l *latentLearner, d *interests, r *rand.Rand) {
	// The platform grows: joining is likelier later, linearly.
	age := 1 - math.Sqrt(0.15+0.85*r.Float64())
	l.joined = c.now.Add(-time.Hour - time.Duration(age*historyDays*float64(day)))
	if len(c.banks.languages) > 0 && chance(r, 0.1) {
		l.lang = pick(r, c.banks.languages)
	}
	n := 1
	switch u := r.Float64(); {
	case u > 0.75:
		n = 3
	case u > 0.35:
		n = 2
	}
	spoken := l.teaches()
	total := 0.0
	for range n {
		t := d.draw(r, l.joined, func(t *topic) float64 { return c.leaning(l, t) * spoken(t) })
		if t == nil {
			break
		}
		w := 0.5 + r.Float64()
		total += w
		l.interests = append(l.interests, interest{topic: t, weight: w, level: math.Min(1.8, r.ExpFloat64()*0.6)})
	}
	for i := range l.interests {
		l.interests[i].weight /= total
	}
	l.region = pick(r, []string{"US", "US", "US", "GB", "GB", "IN", "IN", "IN", "NG", "ZA", "AU", "CA", "JP", "KE", "SE", "PL", "PH", "SG"})
	if l.lang != nil {
		l.region = pick(r, l.lang.regions)
	}
	if chance(r, 0.1) {
		l.orgs = []string{pick(r, organisations())}
	}
	l.weekly = math.Max(1, math.Round(math.Exp(1.3+0.55*r.NormFloat64())))
	l.diligence = r.NormFloat64()
}

// teaches weighs topics by whether they are taught in the learner's language.
func (l *latentLearner) teaches() func(*topic) float64 {
	if l.lang == nil {
		return func(*topic) float64 { return 1 }
	}
	return func(t *topic) float64 {
		if slices.ContainsFunc(l.lang.topics, func(lt *localTopic) bool { return lt.topic == t }) {
			return 1
		}
		return 0.02
	}
}

// leaning weighs a further topic: none twice, same subject and linked topics more.
func (c *catalogue) leaning(l *latentLearner, t *topic) float64 {
	w := 1.0
	for _, in := range l.interests {
		switch {
		case in.topic == t:
			return 0
		case in.topic.subject == t.subject, linked(in.topic, t):
			w = 14
		}
	}
	return w
}

func linked(a, b *topic) bool { return slices.Contains(a.needs, b) || slices.Contains(b.needs, a) }

// affinity is the learner's latent interest in a topic: its weight if it is one
// of the learner's own, a little for neighbours.
func (l *latentLearner) affinity(t *topic) float64 {
	best := 0.0
	for _, in := range l.interests {
		switch {
		case in.topic == t:
			best = math.Max(best, 0.5+0.5*in.weight)
		case linked(in.topic, t):
			best = math.Max(best, 0.3)
		case in.topic.subject == t.subject:
			best = math.Max(best, 0.2)
		}
	}
	return best
}

// describe is what the learner tells the platform: some of it, not all true.
func (l *latentLearner) describe(r *rand.Rand) lectern.Learner {
	out := lectern.Learner{
		ID:            l.id,
		Languages:     []string{"en"},
		Region:        l.region,
		Organisations: l.orgs,
	}
	if l.lang != nil {
		out.Languages = []string{l.lang.tag, "en"}
	}
	if len(l.interests) > 0 && chance(r, 0.6) {
		for _, in := range l.interests {
			if chance(r, 0.75) {
				out.Interests = append(out.Interests, pick(r, []string{in.topic.name, pick(r, in.topic.skills)}))
			}
		}
	}
	if len(l.interests) > 0 && chance(r, 0.45) {
		out.Goal = pick(r, l.interests[0].topic.subject.goals)
		if chance(r, 0.3) {
			out.Goal = "I want to work as " + withArticle(out.Goal)
		} else if chance(r, 0.2) {
			in := l.interests[0].topic
			out.Goal = strings.ToUpper(in.projects[0][:1]) + in.projects[0][1:]
		}
	}
	if chance(r, 0.45) {
		weekly := l.weekly
		out.WeeklyHours = &weekly
	}
	if len(l.interests) > 0 && chance(r, 0.4) {
		out.PreferredLevel = levels[int(math.Min(2, math.Round(l.interests[0].level)))]
	}
	switch u := r.Float64(); {
	case u < 0.03:
		out.Consent = &lectern.Consent{}
	case u < 0.06:
		out.Consent = &lectern.Consent{Personalisation: true}
	case u < 0.3:
		c := lectern.DefaultConsent()
		out.Consent = &c
	}
	return out
}
