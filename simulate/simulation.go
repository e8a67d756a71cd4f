package simulate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// Options say how a simulation goes.
type Options struct {
	Seed      uint64 // of everything that learners do
	First     int    // days that were simulated before, from the world's start
	Days      int
	Learners  int     // who visit
	Visits    float64 // of a learner in a day, on average
	PageSize  int     // items of a list
	Pages     float64 // share of visits that look at the home page; the others look at one list
	Searches  float64 // share of the others that search; the rest looks at the list of recommendations
	Behaviour Behaviour
	Worths    []Worth
	Effects   []Effect  // the site has to be Records
	Truth     io.Writer // takes the truth as NDJSON; nil is nowhere
	// KeepsTime: the site's clock is its own. What is done is told with the time that it
	// is there, and days are rounds.
	KeepsTime func() time.Time
}

// DefaultOptions simulate four weeks.
func DefaultOptions() Options {
	return Options{
		Seed: 1, Days: 28, Learners: 200, Visits: 0.5, PageSize: 10, Pages: 0.4, Searches: 0.25,
		Behaviour: DefaultBehaviour(), Worths: DefaultWorths(),
	}
}

// Simulation is learners who visit a site. It is not safe for concurrent use.
type Simulation struct {
	options  Options
	site     Site
	records  Records   // nil where the site shows none
	start    time.Time // of day 0
	coming   []lectern.Course
	topics   map[string]topic
	courses  map[string]*course
	learners []*learner
	byID     map[string]*learner
	queries  map[string][]string // by topic
	truth    *json.Encoder
	run      Run
	news     map[string]*newCourse
	today    *Day
}

// New makes a simulation over a site that holds what the world begins with.
func New(w *World, site Site, o Options) (*Simulation, error) {
	if o.Days < 1 || o.Learners < 1 || o.PageSize < 1 || o.Visits <= 0 || o.Visits > 3 {
		return nil, fmt.Errorf("a simulation needs days, learners and a page size of 1 or more, and above 0 and up to 3 visits a day")
	}
	s := &Simulation{
		options: o, site: site, start: w.Start, coming: slices.Clone(w.New),
		topics: map[string]topic{}, courses: map[string]*course{}, queries: map[string][]string{}, news: map[string]*newCourse{},
	}
	s.records, _ = site.(Records)
	if len(o.Effects) > 0 && s.records == nil {
		return nil, fmt.Errorf("effects of arms need a site that shows which arm made a list")
	}
	for _, t := range w.Truth.Topics {
		in := topic{subject: t.Subject, needs: map[string]bool{}}
		for _, n := range t.Needs {
			in.needs[n] = true
		}
		s.topics[t.Name] = in
	}
	s.hold(w)
	s.people(w, o.Learners)
	s.begun(w)
	if o.Truth != nil {
		s.truth = json.NewEncoder(o.Truth)
	}
	return s, s.tellWorld()
}

// hold takes in all courses with their truth.
func (s *Simulation) hold(w *World) {
	all := append(slices.Clone(w.Courses), w.New...)
	byID := make(map[string]lectern.Course, len(all))
	for _, c := range all {
		byID[c.ID] = c
	}
	fresh := map[string]bool{}
	for _, c := range w.New {
		fresh[c.ID] = true
	}
	for i, t := range w.Truth.Courses {
		c := &course{Course: byID[t.ID], truth: t, index: uint64(i), hours: defaultHours, isNew: fresh[t.ID]} //nolint:gosec // an index
		if c.WorkloadHours != nil {
			c.hours = *c.WorkloadHours
		}
		c.needs, c.language = c.Prerequisites, primary(c.Language)
		s.courses[t.ID] = c
		if c.language == "en" && len(c.Skills) > 0 {
			s.queries[t.Topic] = append(s.queries[t.Topic], c.Skills[0])
		}
	}
}

// defaultHours is how long a course is that does not say.
const defaultHours = 10

// Run lets the days go by.
func (s *Simulation) Run(ctx context.Context) (Run, error) {
	begin := time.Now()
	s.run.Learners = len(s.learners)
	for day := s.options.First; day < s.options.First+s.options.Days; day++ {
		s.run.Days = append(s.run.Days, Day{Number: day + 1})
		s.today = &s.run.Days[len(s.run.Days)-1]
		if err := s.live(ctx, day); err != nil {
			return s.run, fmt.Errorf("day %d: %w", day+1, err)
		}
		if err := s.site.Until(ctx, s.midnight(day+1)); err != nil {
			return s.run, err
		}
		if err := s.site.Settle(ctx); err != nil {
			return s.run, fmt.Errorf("end of day %d: %w", day+1, err)
		}
	}
	s.run.New = s.found()
	s.run.Took = time.Since(begin)
	return s.run, nil
}

func (s *Simulation) midnight(day int) time.Time {
	return s.start.Add(time.Duration(day) * 24 * time.Hour)
}

// moment is something that a learner does on a day.
type moment struct {
	at      time.Time
	learner *learner
	visit   int        // of the day, from 0
	study   *enrolment // nil is a visit
}

// live lets one day go by: new courses come in the morning, then everybody in turn.
func (s *Simulation) live(ctx context.Context, day int) error {
	from, to := s.midnight(day), s.midnight(day+1)
	if err := s.site.Until(ctx, from); err != nil {
		return err
	}
	n := 0
	for n < len(s.coming) && s.coming[n].PublishedAt.Before(to) {
		n++
	}
	if n > 0 {
		if err := s.release(ctx, s.coming[:n]); err != nil {
			return err
		}
		s.coming = s.coming[n:]
	}
	for _, m := range s.plan(day, from, to) {
		if err := s.site.Until(ctx, m.at); err != nil {
			return err
		}
		var err error
		if m.study != nil {
			err = s.study(ctx, m.learner, m.study)
		} else {
			err = s.visit(ctx, m.learner, day, m.visit, m.at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// plan is who does what on a day, in order of time.
func (s *Simulation) plan(day int, from, to time.Time) []moment {
	var out []moment
	for _, l := range s.learners {
		for v := range mostVisits {
			if s.lot(l.index, lotVisit, uint64(day), uint64(v)) >= s.comes(l, from, v) { //nolint:gosec // small
				break
			}
			out = append(out, moment{at: from.Add(s.hour(l, day, v)), learner: l, visit: v})
		}
		for _, e := range l.active {
			if e.next.Before(to) {
				out = append(out, moment{at: later(e.next, from), learner: l, study: e})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b moment) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.learner.index, b.learner.index))
	})
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// mostVisits is how often a learner comes on one day.
const mostVisits = 3

// comes is the chance of a visit after the ones before it on the same day: a third of
// those who came come again.
func (s *Simulation) comes(l *learner, day time.Time, visit int) float64 {
	if visit > 0 {
		return 1.0 / 3
	}
	return math.Min(0.95, l.rate*season(day)/(1+1.0/3+1.0/9))
}

// season is how busy a day is, about 1 on average: January and September are full,
// midsummer and the end of December are not, Sundays and Mondays better than Saturdays.
func season(t time.Time) float64 {
	b := [...]float64{1, 0.9, 0.85, 0.75, 0.7, 0.6, 0.5, 0.55, 0.95, 0.9, 0.8, 0.55}[t.Month()-1]
	return b * [...]float64{0.95, 1, 1, 0.95, 0.9, 0.75, 0.7}[t.Weekday()] / meanSeason
}

// meanSeason is the mean of the products in season.
const meanSeason = 0.6734

// hour is when on a day a visit begins: mostly in the evening.
func (s *Simulation) hour(l *learner, day, visit int) time.Duration {
	for try := uint64(0); ; try++ {
		h := 24 * s.lot(l.index, lotHour, uint64(day), uint64(visit), try) //nolint:gosec // small
		u := s.lot(l.index, lotHour, uint64(day), uint64(visit), try, 1)   //nolint:gosec // small
		if h < 23.5 && u < 0.55+0.45*math.Cos(2*math.Pi*(h-19)/24) {
			return time.Duration(h * float64(time.Hour)).Truncate(time.Second)
		}
	}
}

// now is the time that events are told with: that of the simulation, or the site's own.
func (s *Simulation) now(t time.Time) time.Time {
	if s.options.KeepsTime != nil {
		return s.options.KeepsTime()
	}
	return lectern.Timestamp(t)
}

// Expected is the true expected reward of one look of a learner at a course now; 0 for
// learners and courses that the simulation does not know.
func (s *Simulation) Expected(ref lectern.LearnerRef, courseID string, at time.Time) float64 {
	l, c := s.byID[ref.ID], s.courses[courseID]
	if l == nil || c == nil {
		return 0
	}
	return s.chances(l, c, at, plain()).Value
}

// Unbored is Expected as if the learner had not been shown the course before.
func (s *Simulation) Unbored(ref lectern.LearnerRef, courseID string, at time.Time) float64 {
	l := s.byID[ref.ID]
	if l == nil {
		return 0
	}
	fresh := *l
	fresh.looks = nil
	c := s.courses[courseID]
	if c == nil {
		return 0
	}
	return s.chances(&fresh, c, at, plain()).Value
}

func plain() Effect { return Effect{Clicks: 1, Enrols: 1} }

// Knows reports whether a learner is done with a course: enrolled in it, or turned it
// down.
func (s *Simulation) Knows(ref lectern.LearnerRef, courseID string) bool {
	l := s.byID[ref.ID]
	return l != nil && l.known[courseID]
}
