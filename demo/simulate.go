package demo

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	lectern "github.com/lectern-dev/lectern"
)

// outcome is a learner's experience of a course, for reviews to be written from.
type outcome struct {
	learner *latentLearner
	course  int
	stars   int
	at      time.Time
	dropped bool
}

// simulation makes events, learner by learner.
type simulation struct {
	*chooser
	events   []lectern.Event
	outcomes []outcome
}

// simulate plays every learner's history. Events come back oldest first, their
// ids in that order.
func simulate(c *catalogue, people *population, o Options) ([]lectern.Event, []outcome) {
	if len(c.courses) == 0 || o.Events <= 0 {
		return nil, nil
	}
	s := &simulation{chooser: newChooser(c), events: make([]lectern.Event, 0, o.Events)}
	for i := range people.latent {
		s.live(&people.latent[i], i, stream(o.Seed, "life", i))
	}
	slices.SortStableFunc(s.events, func(a, b lectern.Event) int { return a.OccurredAt.Compare(b.OccurredAt) })
	for i := range s.events {
		s.events[i].ID = fmt.Sprintf("ev-%08d", i+1)
	}
	slices.SortStableFunc(s.outcomes, func(a, b outcome) int { return a.at.Compare(b.at) })
	return s.events, s.outcomes
}

// live plays one learner's sessions.
func (s *simulation) live(l *latentLearner, n int, r *rand.Rand) {
	if l.events == 0 {
		return
	}
	p := &person{latentLearner: l, level: map[*topic]float64{}, seen: map[int]bool{}, completed: map[int]bool{}}
	for _, in := range l.interests {
		p.level[in.topic] = in.level
	}
	starts := s.sessions(l, n, r)
	// Before signing in, the first session or two are anonymous.
	anonymous := 0
	if l.anonymous != "" {
		anonymous = min(1+r.IntN(2), len(starts)-1)
	}
	left := l.events
	for k, start := range starts {
		size := left / (len(starts) - k)
		if k < len(starts)-1 {
			size = max(1, int(float64(size)*(0.5+r.Float64())))
			size = min(size, left-(len(starts)-k-1))
		}
		ss := &session{simulation: s, p: p, r: r, start: start, size: size}
		ss.id = fmt.Sprintf("s-%s-%d", cmp.Or(l.id, l.anonymous), k+1)
		switch {
		case l.id == "":
			ss.anonymous = true
		case k < anonymous:
			ss.anonymous = true
		case k == anonymous && l.anonymous != "":
			ss.signsIn = true
		}
		ss.play()
		left -= size
	}
}

// minGap keeps a learner's sessions apart.
const minGap = 3 * time.Hour

// sessions draws when a learner comes: by calendar, weekday and hour. Some are
// here right now.
func (s *simulation) sessions(l *latentLearner, n int, r *rand.Rand) []time.Time {
	now := s.cat.now
	want := max(1, int(math.Round(float64(l.events)/6.5)))
	span := now.Sub(l.joined)
	// Most learners stay for a while and leave; some stay to the end.
	if chance(r, 0.6) {
		span = min(span, time.Duration(float64(want)*(2+10*r.Float64())*float64(day)))
	}
	starts := make([]time.Time, 0, want)
	for try := 0; len(starts) < want && try < 20*want; try++ {
		t := l.joined.Add(time.Duration(r.Float64() * float64(span)))
		if t.After(now.Add(-20 * time.Minute)) {
			continue
		}
		if chance(r, busy(t)) {
			starts = append(starts, t)
		}
	}
	if n%40 == 0 || len(starts) == 0 {
		starts = append(starts, now.Add(-time.Duration((10+45*r.Float64())*float64(time.Minute))))
	}
	slices.SortFunc(starts, time.Time.Compare)
	kept := starts[:1]
	for _, t := range starts[1:] {
		if t.Sub(kept[len(kept)-1]) >= minGap {
			kept = append(kept, t)
		}
	}
	return kept[:min(len(kept), l.events)]
}

// busy is the chance in (0, 1] that a learner studies at t: January and
// September are full, midsummer and the end of December are not; evenings and
// Sundays are better than nights and Saturdays.
func busy(t time.Time) float64 {
	b := [...]float64{1, 0.9, 0.85, 0.75, 0.7, 0.6, 0.5, 0.55, 0.95, 0.9, 0.8, 0.55}[t.Month()-1]
	b *= [...]float64{0.95, 1, 1, 0.95, 0.9, 0.75, 0.7}[t.Weekday()]
	hour := float64(t.Hour()) + float64(t.Minute())/60
	return b * (0.55 + 0.45*math.Cos(2*math.Pi*(hour-19)/24))
}

// session is one visit of one person.
type session struct {
	*simulation
	p         *person
	r         *rand.Rand
	id        string
	start     time.Time
	size      int // events to make
	made      int
	anonymous bool // not signed in
	signsIn   bool // the first event carries both ids
	clock     time.Duration
}

// maxSession bounds a visit.
const maxSession = 100 * time.Minute

// play makes exactly size events: studying what was begun, or looking around.
func (s *session) play() {
	first := len(s.events)
	firstOutcome := len(s.outcomes)
	for s.made < s.size {
		if len(s.p.active) > 0 && !s.anonymous && chance(s.r, 0.52) {
			s.study()
		} else {
			s.discover()
		}
	}
	// Squeeze the visit into its bounds, and all of it before now.
	limit := min(maxSession, s.cat.now.Sub(s.start)-time.Second)
	scale := 1.0
	if s.clock > limit {
		scale = float64(limit) / float64(s.clock)
	}
	at := func(t time.Time) time.Time {
		return lectern.Timestamp(s.start.Add(time.Duration(scale * float64(t.Sub(s.start)))).Truncate(time.Millisecond))
	}
	for i := first; i < len(s.events); i++ {
		s.events[i].OccurredAt = at(s.events[i].OccurredAt)
	}
	for i := firstOutcome; i < len(s.outcomes); i++ {
		s.outcomes[i].at = at(s.outcomes[i].at)
	}
}

// emit adds an event after a pause and reports whether there was room for it.
func (s *session) emit(e lectern.Event, pause time.Duration) bool {
	if s.made >= s.size {
		return false
	}
	s.clock += time.Duration((0.3 + 1.4*s.r.Float64()) * float64(pause))
	e.SchemaVersion = lectern.EventSchemaVersion
	e.SessionID = s.id
	e.OccurredAt = s.start.Add(s.clock)
	switch {
	case s.anonymous:
		e.AnonymousID = s.p.anonymous
	case s.signsIn && s.made == 0:
		e.AnonymousID, e.LearnerID = s.p.anonymous, s.p.id
	default:
		e.LearnerID = s.p.id
	}
	s.events = append(s.events, e)
	s.made++
	return true
}

// on makes an event about a course.
func (s *session) on(kind lectern.EventType, course int) lectern.Event {
	return lectern.Event{Type: kind, CourseID: s.cat.courses[course].ID}
}

func value(v float64) *float64 { return &v }

// discover is a look at one list: a search or the home page, or a course met on
// the way.
func (s *session) discover() {
	now := s.start
	tp := s.topicAt(s.p, s.r, now)
	surface, search := lectern.SurfaceHome, chance(s.r, 0.24)
	if search {
		surface = lectern.SurfaceSearch
		if !s.emit(lectern.Event{Type: lectern.EventSearch, Surface: surface, Query: s.query(tp)}, 20*time.Second) {
			return
		}
	} else if chance(s.r, 0.15) {
		surface = lectern.SurfaceSimilar
	}
	shown := 1 + s.r.IntN(3)
	position := 0
	met := map[int]bool{}
	for range shown {
		i := s.course(s.p, tp, s.r, now)
		if i < 0 || met[i] {
			tp = s.topicAt(s.p, s.r, now)
			if i = s.course(s.p, tp, s.r, now); i < 0 || met[i] {
				continue
			}
		}
		met[i] = true
		if !s.look(i, surface, position) {
			return
		}
		position += 1 + s.r.IntN(3)
	}
	if len(met) == 0 && !search { // everything is seen: the visit still leaves a trace
		s.emit(lectern.Event{Type: lectern.EventSearch, Surface: lectern.SurfaceSearch, Query: s.query(tp)}, 20*time.Second)
	}
}

// look meets one course in a list, and what may follow. It reports whether the
// visit goes on.
func (s *session) look(i int, surface lectern.Surface, position int) bool {
	l := &s.cat.latent[i]
	affinity := s.p.affinity(l.topic)
	if chance(s.r, 0.85) {
		e := s.on(lectern.EventView, i)
		e.Surface, e.Position = surface, &position
		if !s.emit(e, 8*time.Second) {
			return false
		}
		if affinity < 0.15 && chance(s.r, 0.25) {
			s.p.seen[i] = true
			return s.emit(s.on(lectern.EventDismiss, i), 6*time.Second)
		}
		if !chance(s.r, 0.3+0.5*affinity) {
			return true
		}
	}
	e := s.on(lectern.EventClick, i)
	e.Surface, e.Position = surface, &position
	if !s.emit(e, 10*time.Second) {
		return false
	}
	if s.anonymous {
		return true // joining needs an account
	}
	switch u := s.r.Float64(); {
	case u < 0.25+0.55*affinity:
		return s.enrol(i)
	case u < 0.92:
		return true
	default:
		return s.emit(s.on(lectern.EventSave, i), 30*time.Second)
	}
}

// enrol joins a course and settles how it will go.
func (s *session) enrol(i int) bool {
	if !s.emit(s.on(lectern.EventEnrol, i), 90*time.Second) {
		return false
	}
	s.p.seen[i] = true
	e := &enrolment{course: i, step: 0.25 + 0.45*s.r.Float64(), stop: 2}
	if !chance(s.r, s.completion(s.p, i)) {
		e.stop = 0.75 * s.r.Float64()
		e.silent = chance(s.r, 0.5)
	}
	s.p.active = append(s.p.active, e)
	return true
}

// study goes on with one course.
func (s *session) study() {
	k := s.r.IntN(len(s.p.active))
	e := s.p.active[k]
	next := e.done + e.step*(0.6+0.8*s.r.Float64())
	switch {
	case e.stop < 1 && next > e.stop:
		s.p.active = slices.Delete(s.p.active, k, k+1)
		if !e.silent && s.emit(s.on(lectern.EventDrop, e.course), 2*time.Minute) {
			s.judge(e.course, true, 0.3)
		}
	case next >= 0.97:
		if s.emit(s.on(lectern.EventComplete, e.course), 25*time.Minute) {
			s.p.active = slices.Delete(s.p.active, k, k+1)
			s.finish(e.course)
		}
	default:
		e.done = next
		ev := s.on(lectern.EventProgress, e.course)
		ev.Value = value(math.Round(next*100) / 100)
		s.emit(ev, 20*time.Minute)
	}
}

// finish raises the learner's level and lets the course be rated.
func (s *session) finish(i int) {
	l := &s.cat.latent[i]
	s.p.completed[i] = true
	if l.level != mixed {
		s.p.level[l.topic] = math.Max(s.p.level[l.topic]+0.3, math.Min(float64(l.level)+0.7, 2.2))
	} else {
		s.p.level[l.topic] += 0.2
	}
	s.judge(i, false, 0.62)
}

// judge settles the stars, keeps them for the reviews, and rates with
// probability p.
func (s *session) judge(i int, dropped bool, p float64) {
	mood := 0.5*(s.p.affinity(s.cat.latent[i].topic)-0.5) - 0.35*math.Max(s.p.gap(&s.cat.latent[i]), 0)
	if dropped {
		mood -= 1.3
	}
	stars := s.cat.latent[i].stars(s.r, mood)
	if !chance(s.r, p) {
		return
	}
	e := s.on(lectern.EventRate, i)
	e.Value = value(float64(stars))
	if s.emit(e, time.Minute) {
		s.outcomes = append(s.outcomes, outcome{s.p.latentLearner, i, stars, s.start.Add(s.clock), dropped})
	}
}

// stars rates a course: round(4.3 + 0.6 quality + mood + 0.7 noise) in 1 to 5.
// One learner in twelve is let down and takes off 1 plus an exponential.
func (l *latentCourse) stars(r *rand.Rand, mood float64) int {
	x := 4.3 + 0.6*l.quality + mood + 0.7*r.NormFloat64()
	if chance(r, 1.0/12) {
		x -= 1 + r.ExpFloat64()
	}
	return int(math.Min(5, math.Max(1, math.Round(x))))
}
