package analytics

import (
	"cmp"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/seen"
)

// headItems is how many items of a list are looked at: what lies beyond counts as seen
// only where it is cited itself.
const headItems = 50

type personDay struct {
	person int64
	day    int
}

type courseDay struct {
	course string
	day    int
}

// fold is one batch on its way into the sums.
type fold struct {
	def     Definition
	hours   map[string]float64 // of courses
	cells   map[lectern.MetricCell]*lectern.MetricSums
	people  map[personDay]*lectern.Tally
	courses map[courseDay]*lectern.MetricCourse
	lists   map[string]*openList
	taken   map[lectern.TakenKey]*takenMark
}

// openList is a list about which something has happened. Its person is whom it was
// made for, or who of nobody's list did something first, whoever does now: what is taken
// off is taken off where it was added.
type openList struct {
	person  int64
	mark    *listMark
	changed bool
}

func newFold(def Definition) *fold {
	return &fold{
		def: def, hours: map[string]float64{}, cells: map[lectern.MetricCell]*lectern.MetricSums{},
		people: map[personDay]*lectern.Tally{}, courses: map[courseDay]*lectern.MetricCourse{},
		lists: map[string]*openList{}, taken: map[lectern.TakenKey]*takenMark{},
	}
}

// cell returns the sums of an origin on a day, for everybody or for an arm.
func (f *fold) cell(day int, o *origin, arm lectern.ArmRef) *lectern.MetricSums {
	key := lectern.MetricCell{
		Day: day, Surface: o.Surface, Row: o.Row, Experiment: arm.Experiment, Arm: arm.Arm, Segment: o.Segment,
		Position: o.Position, Explored: o.Explored,
	}
	m := f.cells[key]
	if m == nil {
		m = &lectern.MetricSums{}
		f.cells[key] = m
	}
	return m
}

// add changes the sums of an origin, of its arms, and of a person (0 is nobody).
func (f *fold) add(day int, o *origin, person int64, change func(*lectern.MetricSums)) {
	change(f.cell(day, o, lectern.ArmRef{}))
	for _, arm := range o.Arms {
		change(f.cell(day, o, arm))
	}
	if person == 0 {
		return
	}
	key := personDay{person, day}
	t := f.people[key]
	if t == nil {
		t = &lectern.Tally{}
		f.people[key] = t
	}
	sums := lectern.MetricSums{}
	change(&sums)
	from, to := sums.Tally.Parts(), t.Parts()
	for i := range to {
		*to[i] += *from[i]
	}
}

func (f *fold) course(id string, day int) *lectern.MetricCourse {
	key := courseDay{id, day}
	c := f.courses[key]
	if c == nil {
		c = &lectern.MetricCourse{Day: day, CourseID: id}
		f.courses[key] = c
	}
	return c
}

// originOf says where a list stands among the sums, at one of its places or at none.
func originOf(r *lectern.Ranking, place int) origin {
	if r == nil {
		return origin{Position: lectern.NoPosition}
	}
	o := origin{Surface: r.Surface, Row: r.Row, Segment: r.Segment, Position: lectern.NoPosition, Arms: r.Arms}
	if place < 0 {
		return o
	}
	o.Position = min(place, lectern.MetricPositions)
	if x := r.Exploration; x != nil {
		if i := slices.Index(x.Places, place); i >= 0 && i < len(x.By) {
			o.Explored = x.By[i]
		}
	}
	return o
}

// placeOf returns where a course stands in a list, -1 where it does not.
func placeOf(r *lectern.Ranking, course string, stated *int) int {
	if r == nil {
		return -1
	}
	return seen.Place(r.Items, headItems, course, stated)
}

// list counts a list that was made.
func (f *fold) list(l *lectern.RankedList) {
	o := originOf(&l.Ranking, -1)
	f.add(f.def.Day(l.Ranking.CreatedAt), &o, l.Person, func(m *lectern.MetricSums) { m.Lists++ })
}

// outcome counts an event.
func (f *fold) outcome(o *lectern.Outcome) {
	e := &o.Event
	if e.CourseID == "" {
		return
	}
	place := placeOf(o.List, e.CourseID, e.Position)
	from, day := originOf(o.List, place), f.def.Day(e.OccurredAt)
	cites := o.Direct && o.List != nil && place >= 0
	if cites {
		f.see(o, place, day)
	}
	if d := doneBy(e.Type); d != 0 && o.List != nil && place >= 0 {
		f.did(o.List, place, e.CourseID, d)
	}
	switch e.Type {
	case lectern.EventView:
		f.add(day, &from, 0, func(m *lectern.MetricSums) { m.Views++ })
	case lectern.EventClick:
		if !cites { // of no list: nothing tells it from another click, so each counts
			none := originOf(nil, -1)
			f.add(day, &none, o.Person, func(m *lectern.MetricSums) { m.Clicks++ })
			f.course(e.CourseID, day).Clicks++
		}
	case lectern.EventRate:
		if e.Value != nil {
			f.add(day, &from, o.Person, func(m *lectern.MetricSums) { m.Ratings++; m.Stars += *e.Value })
			c := f.course(e.CourseID, day)
			c.Ratings++
			c.Stars += *e.Value
		}
	case lectern.EventSave, lectern.EventEnrol, lectern.EventProgress, lectern.EventComplete, lectern.EventDrop, lectern.EventDismiss:
		f.take(o, act{At: e.OccurredAt.UnixMicro(), Day: day, From: from})
	}
}

// see marks what an event shows to have been seen: the item itself and, unless it was
// only viewed, all above it.
func (f *fold) see(o *lectern.Outcome, place, day int) {
	for i := seen.From(o.Event.Type, place); i < min(place, len(o.List.Items)); i++ {
		f.seen(o.List, i, o.List.Items[i].CourseID, day)
	}
	f.seen(o.List, place, o.Event.CourseID, day)
	if o.Event.Type == lectern.EventClick {
		f.clicked(o, place, day)
	}
}

// change changes what is marked of an item, and what is counted of its impression.
func (f *fold) change(r *lectern.Ranking, place int, course string, change func(*listMark)) {
	l := f.lists[r.ID]
	f.impression(l, r, place, course, -1)
	change(l.mark)
	l.changed = true
	f.impression(l, r, place, course, 1)
}

func (f *fold) seen(r *lectern.Ranking, place int, course string, day int) {
	if old, was := f.lists[r.ID].mark.Seen[place]; was && old <= day {
		return
	}
	f.change(r, place, course, func(m *listMark) { m.Seen[place] = day })
}

func (f *fold) did(r *lectern.Ranking, place int, course string, d done) {
	if f.lists[r.ID].mark.Done[place]&d != 0 {
		return
	}
	f.change(r, place, course, func(m *listMark) { m.Done[place] |= d })
}

// impression counts an item that was seen, with all that came of it, on the day on which
// it was seen, or takes it off.
func (f *fold) impression(l *openList, r *lectern.Ranking, place int, course string, sign float64) {
	day, was := l.mark.Seen[place]
	if !was {
		return
	}
	_, clicked := l.mark.Clicked[place]
	did, weight := l.mark.Done[place], sign*keptWeight(r, place)
	from := originOf(r, place)
	f.add(day, &from, l.person, func(m *lectern.MetricSums) {
		m.Impressions += sign
		m.KeptWeight += weight
		if clicked {
			m.Clicked += sign
			m.KeptClicks += weight
		}
		if did&doneEnrol != 0 {
			m.Enrolled += sign
		}
		if did&doneDismiss != 0 {
			m.Dismissed += sign
		}
		if l.mark.Reported[place] > 0 {
			m.Reported += sign
		}
	})
	f.course(course, day).Impressions += sign
}

// keptWeight is 1/propensity of an exploring place that kept the course that stood
// there, 0 for any other.
func keptWeight(r *lectern.Ranking, place int) float64 {
	x := r.Exploration
	if x == nil || !slices.Contains(x.Places, place) || place >= len(x.Slate) || x.Slate[place] != place ||
		place >= len(r.Items) || r.Items[place].Propensity <= 0 {
		return 0
	}
	return 1 / r.Items[place].Propensity
}

// clicked counts a click on the day on which it was first made; that its impression and
// its list were clicked stands on the days of those.
func (f *fold) clicked(o *lectern.Outcome, place, day int) {
	l := f.lists[o.List.ID]
	old, was := l.mark.Clicked[place]
	if was && old <= day {
		return
	}
	if len(l.mark.Clicked) == 0 {
		whole := originOf(o.List, -1)
		f.add(f.def.Day(o.List.CreatedAt), &whole, l.person, func(m *lectern.MetricSums) { m.ListClicks++ })
	}
	f.change(o.List, place, o.Event.CourseID, func(m *listMark) { m.Clicked[place] = day })
	from := originOf(o.List, place)
	count := func(day int, sign float64) {
		f.add(day, &from, l.person, func(m *lectern.MetricSums) { m.Clicks += sign })
		f.course(o.Event.CourseID, day).Clicks += sign
	}
	if was {
		count(old, -1)
	}
	count(day, 1)
}

// take notes what counts once of a person and a course. What was counted of them is
// taken off when they are opened and counted anew when the batch is closed.
func (f *fold) take(o *lectern.Outcome, a act) {
	e := &o.Event
	mark := f.taken[lectern.TakenKey{Person: o.Person, CourseID: e.CourseID}]
	if mark.Hours == 0 {
		mark.Hours = f.hours[e.CourseID]
	}
	switch e.Type {
	case lectern.EventProgress:
		if e.Value == nil || *e.Value <= 0 {
			return
		}
		mark.reach(share{act: a, Share: min(*e.Value, 1)})
	case lectern.EventComplete:
		mark.reach(share{act: a, Share: 1})
	}
	mark.note(e.Type, a)
}

// count adds what a mark counts for, or takes it off.
func (f *fold) count(k lectern.TakenKey, m *takenMark, sign float64) {
	at := func(a *act, change func(*lectern.MetricSums)) { f.add(a.Day, &a.From, k.Person, change) }
	if a := m.First[lectern.EventSave]; a != nil {
		at(a, func(s *lectern.MetricSums) { s.Saves += sign })
	}
	drop := m.First[lectern.EventDrop]
	if drop != nil {
		at(drop, func(s *lectern.MetricSums) { s.Drops += sign })
	}
	if a := m.First[lectern.EventDismiss]; a != nil {
		at(a, func(s *lectern.MetricSums) { s.Dismissals += sign })
	}
	enrol, begun, done := m.First[lectern.EventEnrol], m.First[lectern.EventProgress], m.First[lectern.EventComplete]
	if done != nil {
		at(done, func(s *lectern.MetricSums) { s.Completions += sign })
		if begun == nil || done.before(begun) {
			begun = done
		}
	}
	if enrol != nil {
		at(enrol, func(s *lectern.MetricSums) {
			s.Enrols += sign
			if begun != nil && begun.Day <= enrol.Day+f.def.BegunDays {
				s.Begun += sign
			}
			if done != nil && done.Day <= enrol.Day+f.def.CompletionDays {
				s.Completed += sign
			}
			if drop != nil && drop.Day <= enrol.Day+f.def.CompletionDays {
				s.Dropped += sign
			}
		})
		f.course(k.CourseID, enrol.Day).Enrols += sign
		if begun != nil {
			at(begun, func(s *lectern.MetricSums) { s.Progressed += sign })
		}
	}
	reached := 0.0
	for i := range m.Shares {
		s := &m.Shares[i]
		hours := sign * (s.Share - reached) * m.Hours
		reached = s.Share
		at(&s.act, func(t *lectern.MetricSums) { t.Hours += hours })
	}
}

// feedback counts what was said or taken back about a list. Whoever says something of an
// item has seen it.
func (f *fold) feedback(c *lectern.FeedbackChange, r *lectern.Ranking) {
	place := placeOf(r, c.CourseID, c.Position)
	o := originOf(r, place)
	sign := float64(c.Sign)
	if r != nil && place >= 0 && f.lists[r.ID] != nil {
		if c.Sign > 0 {
			f.seen(r, place, c.CourseID, f.def.Day(c.At))
		}
		if c.Kind == lectern.FeedbackReport {
			f.change(r, place, c.CourseID, func(m *listMark) { m.Reported[place] += c.Sign })
		}
	}
	change := func(m *lectern.MetricSums) {
		switch c.Kind {
		case lectern.FeedbackMore:
			m.Liked += sign
		case lectern.FeedbackLess:
			m.Disliked += sign
		case lectern.FeedbackReport:
			m.Reports += sign
		}
	}
	switch c.Kind {
	case lectern.FeedbackMore, lectern.FeedbackLess, lectern.FeedbackReport:
		f.add(f.def.Day(c.At), &o, c.Person, change)
	}
}

// settle takes for nothing what rounding leaves of what was added and taken off.
func settle(sums []*float64) {
	for _, x := range sums {
		if math.Abs(*x) < 1e-9 {
			*x = 0
		}
	}
}

// into writes what was folded, each in an order of its own, so that batches are alike
// in every run.
func (f *fold) into(b *lectern.MetricBatch) {
	for key, sums := range f.cells {
		settle(sums.Parts())
		if *sums != (lectern.MetricSums{}) {
			key.MetricSums = *sums
			b.Cells = append(b.Cells, key)
		}
	}
	slices.SortFunc(b.Cells, func(x, y lectern.MetricCell) int {
		return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.Experiment, y.Experiment), cmp.Compare(x.Arm, y.Arm),
			cmp.Compare(x.Surface, y.Surface), cmp.Compare(x.Row, y.Row), cmp.Compare(x.Segment, y.Segment),
			cmp.Compare(x.Position, y.Position), cmp.Compare(x.Explored, y.Explored))
	})
	for key, t := range f.people {
		settle(t.Parts())
		if *t != (lectern.Tally{}) {
			b.Days = append(b.Days, lectern.PersonDay{Person: key.person, DayTally: lectern.DayTally{Day: key.day, Tally: *t}})
		}
	}
	slices.SortFunc(b.Days, func(x, y lectern.PersonDay) int {
		return cmp.Or(cmp.Compare(x.Person, y.Person), cmp.Compare(x.Day, y.Day))
	})
	for _, c := range f.courses {
		if c.Impressions != 0 || c.Clicks != 0 || c.Enrols != 0 || c.Ratings != 0 || c.Stars != 0 {
			b.Courses = append(b.Courses, *c)
		}
	}
	slices.SortFunc(b.Courses, func(x, y lectern.MetricCourse) int {
		return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.CourseID, y.CourseID))
	})
	for id, l := range f.lists {
		if !l.changed {
			continue
		}
		b.Lists = append(b.Lists, lectern.ListMark{RankingID: id, Person: l.person, State: string(mustJSON(l.mark))})
	}
	slices.SortFunc(b.Lists, func(x, y lectern.ListMark) int { return cmp.Compare(x.RankingID, y.RankingID) })
	for key, m := range f.taken {
		b.Taken = append(b.Taken, lectern.TakenMark{TakenKey: key, State: string(mustJSON(m))})
	}
	slices.SortFunc(b.Taken, func(x, y lectern.TakenMark) int {
		return cmp.Or(cmp.Compare(x.Person, y.Person), cmp.Compare(x.CourseID, y.CourseID))
	})
}
