package simulate

import (
	"math"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
)

// mixed is the level of courses for everybody in demo.CourseTruth.
const mixed = 3

// course is a course with its truth.
type course struct {
	lectern.Course
	truth    demo.CourseTruth
	index    uint64
	hours    float64
	needs    []string
	language string
	isNew    bool // came while the simulation ran
}

// topic is what of a topic's truth is asked for.
type topic struct {
	subject string
	needs   map[string]bool
}

// learner is one learner as the simulation goes on.
type learner struct {
	ref       lectern.LearnerRef
	truth     demo.LearnerTruth
	index     uint64
	rate      float64 // visits a day in an average season
	level     map[string]float64
	known     map[string]bool // enrolled in, dismissed or reported
	completed map[string]bool
	active    []*enrolment
	looks     map[string]look // at courses, that led to nothing
	day       int             // of the simulation
	looked    int             // on that day
	said      int             // events so far
}

// look is what a learner remembers of a course that was looked at.
type look struct {
	times float64
	at    time.Time
}

// enrolment is a course under way, and how it is going to end.
type enrolment struct {
	course *course
	shown  shown // what led to it
	at     time.Time
	next   time.Time // session
	done   float64
	step   float64
	stop   float64 // share at which the learner stops; above 1 completes
	silent bool
}

// shown is a place in a list.
type shown struct {
	ranking  string
	position int
	surface  lectern.Surface
	at       time.Time // when the list was made
}

// gap is how far a course is above (+) or below (−) the learner.
func (l *learner) gap(c *course) float64 {
	if c.truth.Level == mixed {
		return 0
	}
	return float64(c.truth.Level) - l.level[c.truth.Topic]
}

// reads reports whether the learner reads the course's language.
func (l *learner) reads(c *course) bool {
	return c.language == "" || c.language == "en" || c.language == l.truth.Language
}

// bored is how often a course was looked at for nothing, older looks counting less.
func (l *learner) bored(id string, at time.Time, halfLife float64) float64 {
	seen, ok := l.looks[id]
	if !ok {
		return 0
	}
	return seen.times * math.Exp2(-at.Sub(seen.at).Hours()/24/halfLife)
}

// looksAt remembers a look.
func (l *learner) looksAt(id string, at time.Time, halfLife float64) {
	l.looks[id] = look{times: l.bored(id, at, halfLife) + 1, at: at}
}

// finishes raises the learner's level, as on the demo platform.
func (l *learner) finishes(c *course) {
	l.completed[c.ID] = true
	topic := c.truth.Topic
	if c.truth.Level == mixed {
		l.level[topic] += 0.2
		return
	}
	l.level[topic] = math.Max(l.level[topic]+0.3, math.Min(float64(c.truth.Level)+0.7, 2.2))
}

// people makes the learners who visit: n of those who allow personal lists, spread over
// all, with what they did before.
func (s *Simulation) people(w *World, n int) {
	var may []int
	for i, l := range w.Learners {
		if l.Consent == nil || l.Consent.Personalisation {
			may = append(may, i)
		}
	}
	n = min(n, len(may))
	s.byID = map[string]*learner{}
	for k := range n {
		i := may[k*len(may)/n]
		t := w.Truth.Learners[i]
		l := &learner{
			ref: lectern.LearnerRef{ID: t.ID}, truth: t, index: uint64(i), level: map[string]float64{},
			known: map[string]bool{}, completed: map[string]bool{}, looks: map[string]look{}, day: -1,
		}
		for _, in := range t.Interests {
			l.level[in.Topic] = in.Level
		}
		// Some come often: Pareto with shape 1.5 as in the demo, at mean 1.
		l.rate = s.options.Visits * math.Min(math.Pow(1-s.lot(l.index, lotRate), -1/1.5), 8) / meanRate
		s.learners, s.byID[t.ID] = append(s.learners, l), l
	}
	for _, e := range w.Events {
		if l, c := s.byID[e.LearnerID], s.courses[e.CourseID]; l != nil && c != nil {
			l.did(e.Type, c)
		}
	}
}

// meanRate is the mean of the Pareto above, cut at 8.
const meanRate = 2.2929

// did takes in what happened before the simulation.
func (l *learner) did(kind lectern.EventType, c *course) {
	switch kind {
	case lectern.EventEnrol, lectern.EventDismiss, lectern.EventDrop, lectern.EventProgress:
		l.known[c.ID] = true
	case lectern.EventComplete:
		l.known[c.ID] = true
		if !l.completed[c.ID] {
			l.finishes(c)
		}
	}
}

// primary is the language of a tag, without region and script.
func primary(tag string) string {
	p, _, _ := strings.Cut(tag, "-")
	return strings.ToLower(p)
}
