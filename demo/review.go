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

// reviewSource names where the demo's reviews come from.
const reviewSource = "demo"

// byMembersShare is the share of reviews, at most, by learners of the platform;
// the others are by people from before the history, whose ids are not kept.
const byMembersShare = 0.4

// writeReviews writes o.Reviews reviews, oldest first. Learners who rated a
// course in their events write some of them, with the same stars.
func writeReviews(c *catalogue, outcomes []outcome, o Options) []lectern.Review {
	if len(c.courses) == 0 || o.Reviews <= 0 {
		return nil
	}
	r := stream(o.Seed, "reviewers", 0)
	members := sample(r, outcomes, int(byMembersShare*float64(o.Reviews)))
	out := make([]lectern.Review, 0, o.Reviews)
	w := &reviewer{cat: c}
	for i, m := range members {
		rr := stream(o.Seed, "review by member", i)
		delay := time.Duration(rr.ExpFloat64() * float64(36*time.Hour))
		at := m.at.Add(min(delay, o.Now.Sub(m.at)))
		rv := w.write(m.course, m.stars, at, m.dropped, rr)
		rv.LearnerID = m.learner.id
		out = append(out, rv)
	}
	running := make([]float64, len(c.latent))
	total := 0.0
	for i := range c.latent {
		l := &c.latent[i]
		// Only open courses of some age have readers; popularity is flattened so
		// that most courses have a review or two.
		total += math.Pow(l.standing(), 0.8) * math.Min(o.Now.Sub(l.published).Hours()/(24*365), 3)
		running[i] = total
	}
	for i := 0; len(out) < o.Reviews; i++ {
		rr := stream(o.Seed, "review", i)
		k := searchWeights(running, rr.Float64()*total)
		l := &c.latent[k]
		end := o.Now
		if !l.closed.IsZero() && l.closed.Before(end) {
			end = l.closed
		}
		at := l.published.Add(time.Duration(math.Pow(rr.Float64(), 0.8) * float64(end.Sub(l.published))))
		mood := 0.25 * rr.NormFloat64()
		dropped := chance(rr, 0.08)
		if dropped {
			mood -= 1.5
		}
		out = append(out, w.write(k, l.stars(rr, mood), at, dropped, rr))
	}
	slices.SortStableFunc(out, func(a, b lectern.Review) int { return a.WrittenAt.Compare(*b.WrittenAt) })
	for i := range out {
		out[i].ID = fmt.Sprintf("rv-%06d", i+1)
	}
	return out
}

// reviewer puts experiences into words.
type reviewer struct{ cat *catalogue }

func (w *reviewer) write(i, stars int, at time.Time, dropped bool, r *rand.Rand) lectern.Review {
	l, c := &w.cat.latent[i], &w.cat.courses[i]
	at = lectern.Timestamp(at.Truncate(time.Second))
	s := float64(stars)
	rv := lectern.Review{
		Source:    reviewSource,
		CourseID:  c.ID,
		Stars:     &s,
		Language:  c.Language,
		WrittenAt: &at,
	}
	if l.lang != nil {
		rv.Text = w.local(l, stars, r)
	} else {
		rv.Text = w.text(l, c, stars, dropped, r)
	}
	// Long reviews that have stood for a while gather votes; most get none.
	years := w.cat.now.Sub(at).Hours() / (24 * 365)
	rv.Helpful = int(float64(len(rv.Text)) / 150 * (0.2 + math.Min(years, 2)) * (math.Pow(1-r.Float64(), -0.7) - 1))
	rv.Helpful = min(rv.Helpful, 400)
	return rv
}

// text writes one to seven sentences: an opening that fits the stars, aspects of
// the course seen as the stars demand, and perhaps a closing.
func (w *reviewer) text(l *latentCourse, c *lectern.Course, stars int, dropped bool, r *rand.Rand) string {
	p := w.cat.banks.reviews
	star := fmt.Sprint(stars)
	d := draft{
		topic:      l.topic.name,
		units:      shuffled(r, window(l.topic.units, l.level)),
		skills:     shuffled(r, c.Skills),
		tools:      shuffled(r, l.topic.tools),
		instructor: c.Instructors[0],
		provider:   c.Provider,
		hours:      numberOf(int(math.Ceil(l.hours)), "hour"),
	}
	var parts [][]template
	if chance(r, 0.14) {
		parts = append(parts, p["short."+star])
	} else {
		parts = append(parts, p["open."+star])
		if dropped && stars <= 3 && chance(r, 0.6) {
			parts = append(parts, p["dropped"])
		}
		parts = append(parts, w.aspects(l, stars, r)...)
		if chance(r, 0.4) {
			parts = append(parts, p["close."+star])
		}
	}
	var b strings.Builder
	for _, from := range parts {
		for range 4 {
			// Fresh units for every sentence, so that praise and blame differ.
			d.units = append(d.units[1:], d.units[0])
			if t := pick(r, from); t.fillable(d.fill) {
				if b.Len() > 0 {
					b.WriteByte(' ')
				}
				t.render(&b, d.fill)
				break
			}
		}
	}
	return b.String()
}

// aspects picks what the review is about: the course's strong sides for praise,
// its weak sides for blame.
func (w *reviewer) aspects(l *latentCourse, stars int, r *rand.Rand) [][]template {
	order := make([]int, len(aspects))
	felt := make([]float64, len(aspects))
	for a := range order {
		order[a] = a
		felt[a] = l.aspects[a] + 0.7*r.NormFloat64()
	}
	sort.SliceStable(order, func(i, j int) bool { return felt[order[i]] > felt[order[j]] })
	praise, blame := 0, 0
	switch stars {
	case 5:
		praise = 1 + r.IntN(3)
	case 4:
		praise = 1 + r.IntN(3)
		if chance(r, 0.55) {
			blame = -1 // mild
		}
	case 3:
		praise, blame = 1+r.IntN(2), 1+r.IntN(2)
	case 2:
		blame = 2 + r.IntN(2)
		if chance(r, 0.4) {
			praise = 1
		}
	default:
		blame = 1 + r.IntN(3)
	}
	p := w.cat.banks.reviews
	var parts [][]template
	for _, a := range order[:praise] {
		parts = append(parts, p[aspects[a]+".good"])
	}
	if blame < 0 {
		return append(parts, p[aspects[order[len(order)-1]]+".mild"])
	}
	for _, a := range order[len(order)-blame:] {
		if stars == 3 && chance(r, 0.5) {
			parts = append(parts, p[aspects[a]+".mild"])
			continue
		}
		parts = append(parts, p[aspects[a]+".bad"])
	}
	if stars <= 2 { // the complaint comes first
		slices.Reverse(parts)
	}
	return parts
}

// local writes a review in the course's own language.
func (w *reviewer) local(l *latentCourse, stars int, r *rand.Rand) string {
	p := l.lang.phrases
	var from []template
	switch {
	case stars >= 4:
		from = p["review.good"]
	case stars == 3:
		from = p["review.mixed"]
	default:
		from = p["review.bad"]
	}
	d := draft{topic: l.local.name, units: shuffled(r, l.local.units)}
	joiner := " "
	if l.lang.tag == "zh" {
		joiner = ""
	}
	texts := []string{}
	for _, t := range sample(r, from, 1+r.IntN(3)) {
		var b strings.Builder
		t.render(&b, d.fill)
		texts = append(texts, b.String())
	}
	return strings.Join(texts, joiner)
}
