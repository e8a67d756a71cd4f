package simulate

import (
	"math"
	"time"

	"github.com/lectern-dev/lectern"
)

// Behaviour is how learners react. All chances are per look, but where it says so.
type Behaviour struct {
	RowLook  float64 // chance of a look at the first place of a row, by row from the top: RowLook^row
	SlotLook float64 // and along a list: × SlotLook^place
	Tires    float64 // and over a day: × e^(−looks of the day / Tires)

	ClickLeast float64 // a course that was looked at is clicked with ClickLeast + ClickMost × want
	ClickMost  float64
	Bores      float64 // × Bores^(looks at it before that led to nothing)
	Forgets    float64 // days after which such a look counts half

	EnrolLeast float64 // one that was clicked is enrolled in with EnrolLeast + EnrolMost × want
	EnrolMost  float64
	Busy       float64 // × Busy for every course under way beyond two

	Begins    float64 // log odds of beginning a course that one has enrolled in, for average diligence
	StudyDays int     // between two sessions of study
	Silent    float64 // share of those who stop without a word

	Dismisses float64 // chance that a course that is not wanted at all is dismissed
	Saves     float64 // chance that a course that was clicked and not enrolled in is saved
	Reports   float64 // chance that one that is not wanted at all is reported
	RatesDone float64 // share who rate what they completed
	RatesDrop float64 // share who rate what they dropped
}

// DefaultBehaviour is what figures are measured with.
func DefaultBehaviour() Behaviour {
	return Behaviour{
		RowLook: 0.8, SlotLook: 0.85, Tires: 60,
		ClickLeast: 0.01, ClickMost: 0.6, Bores: 0.6, Forgets: 7,
		EnrolLeast: 0.05, EnrolMost: 0.7, Busy: 0.6,
		Begins: 1.5, StudyDays: 2, Silent: 0.5,
		Dismisses: 0.02, Saves: 0.1, Reports: 0.002, RatesDone: 0.62, RatesDrop: 0.3,
	}
}

// Worth says what an event is worth that a list led to, as exploration settings do.
type Worth struct {
	Name       string
	Event      lectern.EventType // click, enrol, progress or complete
	Value      float64
	WithinDays float64 // of the list
	AtLeast    float64 // share done, of progress
}

// DefaultWorths are those of the default exploration settings.
func DefaultWorths() []Worth {
	return []Worth{
		{Name: "click", Event: lectern.EventClick, Value: 0.2, WithinDays: 1},
		{Name: "enrol", Event: lectern.EventEnrol, Value: 0.4, WithinDays: 7},
		{Name: "progress", Event: lectern.EventProgress, Value: 0.2, WithinDays: 7, AtLeast: 0.05},
		{Name: "complete", Event: lectern.EventComplete, Value: 0.2, WithinDays: 60},
	}
}

// Effect changes how those behave whose list was made by an arm of an experiment: what
// an experiment is to find.
type Effect struct {
	Arm    lectern.ArmRef
	Clicks float64 // what the chance of a click is multiplied by
	Enrols float64 // and that of enrolling after it
}

// Chances is what a look at a course leads to.
type Chances struct {
	Want  float64 `json:"want"`
	Click float64 `json:"click"` // chance
	Enrol float64 `json:"enrol"` // chance, once clicked
	Value float64 `json:"value"` // expected reward of a look, by all that may follow
}

// chances of a look at a course by a learner at a time, under what an arm multiplies.
func (s *Simulation) chances(l *learner, c *course, at time.Time, effect Effect) Chances {
	b := &s.options.Behaviour
	if l.known[c.ID] || !l.reads(c) {
		return Chances{}
	}
	x := Chances{Want: s.want(l, c)}
	x.Click = (b.ClickLeast + b.ClickMost*x.Want) * math.Pow(b.Bores, l.bored(c.ID, at, b.Forgets)) * effect.Clicks
	x.Enrol = (b.EnrolLeast + b.EnrolMost*x.Want) * math.Pow(b.Busy, float64(max(len(l.active)-2, 0))) * effect.Enrols
	x.Click, x.Enrol = math.Min(1, x.Click), math.Min(1, x.Enrol)
	x.Value = s.value(l, c, x)
	return x
}

// value is the expected reward of a look.
func (s *Simulation) value(l *learner, c *course, x Chances) float64 {
	begin, finish := s.begins(l), s.completion(l, c)
	v := 0.0
	for _, w := range s.options.Worths {
		switch w.Event {
		case lectern.EventClick:
			v += w.Value * x.Click
		case lectern.EventEnrol:
			v += w.Value * x.Click * x.Enrol
		case lectern.EventProgress:
			stays := finish + (1-finish)*math.Max(0, 1-w.AtLeast/stopsBy)
			v += w.Value * x.Click * x.Enrol * begin * stays * s.inTime(l, c, w.AtLeast, w.WithinDays)
		case lectern.EventComplete:
			v += w.Value * x.Click * x.Enrol * begin * finish * s.inTime(l, c, 1, w.WithinDays)
		}
	}
	return v
}

// inTime is the share of those going on who have done a share of a course within days.
func (s *Simulation) inTime(l *learner, c *course, share, days float64) float64 {
	step := s.step(l, c)
	sessions := math.Max(1, math.Ceil(share/step-1e-9))
	n := 0
	for delay := 1; delay <= startDelays; delay++ {
		if float64(delay)+float64(s.options.Behaviour.StudyDays)*(sessions-1) <= days {
			n++
		}
	}
	return float64(n) / startDelays
}

const (
	// startDelays are the days that pass before the first session: each of 1 to
	// startDelays is as likely.
	startDelays = 4
	// stopsBy is the share of a course by which those stop who do not complete it.
	stopsBy = 0.75
)

// step is the share of a course that one session gets done.
func (s *Simulation) step(l *learner, c *course) float64 {
	return math.Min(1, l.truth.WeeklyHours*float64(s.options.Behaviour.StudyDays)/7/math.Max(c.hours, 0.5))
}

// begins is the chance that a learner who has enrolled begins.
func (s *Simulation) begins(l *learner) float64 {
	return logistic(s.options.Behaviour.Begins + 0.5*l.truth.Diligence)
}

// want is how much a learner wants a course, in [0, 1]: twice demo.Relevance by the
// levels that the learner has by now, and a little for courses of neighbouring topics.
func (s *Simulation) want(l *learner, c *course) float64 {
	own := s.affinity(l, c.truth.Topic)
	if own == 0 {
		return 0
	}
	gap := l.gap(c)
	fit := math.Exp(-gap*gap) * logistic(c.truth.Quality)
	for _, in := range l.truth.Interests {
		if in.Topic == c.truth.Topic {
			return math.Min(1, 2*in.Weight*fit)
		}
	}
	return neighbouring * own * fit
}

// neighbouring is what of the wish for a topic's own courses goes to those of topics
// that are linked to it.
const neighbouring = 0.3

// affinity is a learner's latent interest in a topic, as the demo platform has it: of
// their own 0.5 and half its weight, 0.3 for one that is linked and 0.2 for one of the
// same subject.
func (s *Simulation) affinity(l *learner, topic string) float64 {
	best := 0.0
	for _, in := range l.truth.Interests {
		switch a, b := s.topics[in.Topic], s.topics[topic]; {
		case in.Topic == topic:
			best = math.Max(best, 0.5+0.5*in.Weight)
		case a.needs[topic] || b.needs[in.Topic]:
			best = math.Max(best, 0.3)
		case a.subject == b.subject:
			best = math.Max(best, 0.2)
		}
	}
	return best
}

// completion is the chance of completing a course that was begun: the demo platform's
// logistic of quality, level, length against the learner's time, interest, diligence and
// missing prerequisites.
func (s *Simulation) completion(l *learner, c *course) float64 {
	gap := l.gap(c)
	x := 0.4 + 0.6*c.truth.Quality + 0.5*l.truth.Diligence + 1.2*(s.affinity(l, c.truth.Topic)-0.5)
	x -= 1.1*math.Max(gap-0.3, 0) + 0.35*math.Max(-gap-0.5, 0)
	x -= 0.7 * math.Log(math.Max(c.hours, 1)/(6+2*l.truth.WeeklyHours))
	for _, need := range c.needs {
		if n := s.courses[need]; n != nil && !l.completed[need] && l.gap(n) > -0.8 {
			x -= 0.8
			break
		}
	}
	return logistic(x)
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
