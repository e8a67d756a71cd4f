package simulate

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// Run is what came of a simulation.
type Run struct {
	Learners int           `json:"learners"`
	Days     []Day         `json:"days"`
	New      NewCourses    `json:"new_courses"`
	Took     time.Duration `json:"-"`
}

// Day is what happened on one day, or in all.
type Day struct {
	Number      int `json:"day"` // from 1
	Visits      int `json:"visits"`
	Lists       int `json:"lists"`
	Impressions int `json:"impressions"` // looks
	Clicks      int `json:"clicks"`
	Enrols      int `json:"enrols"`
	Progressed  int `json:"progressed"` // courses begun
	Completions int `json:"completions"`
	Drops       int `json:"drops"`
	Dismissals  int `json:"dismissals"`
	Reports     int `json:"reports"`
	Ratings     int `json:"ratings"`
	Stars       int `json:"stars"`
	// Reward is what lists of the simulation earned on that day.
	Reward float64 `json:"reward"`
	// Value is the expected reward of the lists made on that day, by the true chances and
	// all that may follow: what Reward would be on average, without the wait.
	Value float64 `json:"value"`
	// Of the lists that explored, by the same measure: as they were made; had nothing been
	// explored; and had their exploring places been filled with the best of the pool, by
	// the true chances. All are 0 where the site shows no records.
	Explored  float64 `json:"explored"`
	Exploited float64 `json:"exploited"`
	Oracle    float64 `json:"oracle"`
	Places    int     `json:"places"` // of theirs that explored
}

// Total sums days.
func (r Run) Total() Day {
	var t Day
	for _, d := range r.Days {
		t.add(d)
	}
	t.Number = len(r.Days)
	return t
}

func (d *Day) add(o Day) {
	d.Visits, d.Lists, d.Impressions, d.Clicks = d.Visits+o.Visits, d.Lists+o.Lists, d.Impressions+o.Impressions, d.Clicks+o.Clicks
	d.Enrols, d.Progressed, d.Completions, d.Drops = d.Enrols+o.Enrols, d.Progressed+o.Progressed, d.Completions+o.Completions, d.Drops+o.Drops
	d.Dismissals, d.Reports, d.Ratings, d.Stars = d.Dismissals+o.Dismissals, d.Reports+o.Reports, d.Ratings+o.Ratings, d.Stars+o.Stars
	d.Reward, d.Value, d.Explored, d.Oracle = d.Reward+o.Reward, d.Value+o.Value, d.Explored+o.Explored, d.Oracle+o.Oracle
	d.Exploited, d.Places = d.Exploited+o.Exploited, d.Places+o.Places
}

// earn counts what an event that a list led to is worth, as on the day that it happens.
func (s *Simulation) earn(kind lectern.EventType, in shown, at time.Time, done float64) {
	if in.ranking == "" {
		return
	}
	for _, w := range s.options.Worths {
		if w.Event == kind && at.Sub(in.at).Hours() <= 24*w.WithinDays && done >= w.AtLeast {
			s.today.Reward += w.Value
		}
	}
}

// earnProgress counts what a session is worth that passes a share done.
func (s *Simulation) earnProgress(e *enrolment, done float64, at time.Time) {
	if e.shown.ranking == "" {
		return
	}
	for _, w := range s.options.Worths {
		if w.Event == lectern.EventProgress && e.done < w.AtLeast && done >= w.AtLeast && at.Sub(e.shown.at).Hours() <= 24*w.WithinDays {
			s.today.Reward += w.Value
		}
	}
}

// judge adds what a list is worth, and what its exploring places could have been.
func (v *visit) judge(record lectern.Ranking, places []place, attention []float64) {
	for _, p := range places {
		v.today.Value += p.Attention * p.Value
	}
	x := record.Exploration
	if x == nil {
		return
	}
	value := func(item int) float64 {
		if c := v.courses[record.Items[item].CourseID]; c != nil {
			return v.chances(v.learner, c, v.at, plain()).Value
		}
		return 0
	}
	for i := range attention {
		v.today.Explored += attention[i] * value(i)
	}
	for i, item := range x.Slate[:min(len(x.Slate), len(attention))] {
		v.today.Exploited += attention[i] * value(item)
	}
	for i, item := range fill(x, value)[:min(len(x.Slate), len(attention))] {
		v.today.Oracle += attention[i] * value(item)
	}
	for _, p := range x.Places {
		if p < len(attention) {
			v.today.Places++
		}
	}
}

// fill is the list before exploration with the best of the pool put at each exploring
// place in turn, as indices into the items of the recorded list.
func fill(x *lectern.Exploration, value func(item int) float64) []int {
	order := slices.Clone(x.Slate)
	inPool := make(map[int]bool, len(x.Pool))
	for _, slot := range x.Pool {
		inPool[x.Slate[slot]] = true
	}
	for _, p := range x.Places {
		best, most := -1, math.Inf(-1)
		for k := p; k < len(order); k++ {
			if k > p && !inPool[order[k]] { // what stands there may stay
				continue
			}
			if v := value(order[k]); v > most {
				best, most = k, v
			}
		}
		if best > p {
			item := order[best]
			copy(order[p+1:best+1], order[p:best])
			order[p] = item
		}
	}
	return order
}

// GoodQuality is the true quality, standard normal over all courses, from which a new
// course counts as good: the best three of ten.
const GoodQuality = 0.5

// What makes a good new course count, and found.
const (
	fitsFrom    = 0.25 // want from which a course fits a learner
	fitsLeast   = 4    // visiting learners whom it fits, for a course to count
	foundClicks = 3    // of them who clicked it, for it to be found
)

// newCourse is what became of a course that came late.
type newCourse struct {
	course *course
	good   bool
	fits   int
	looks  int
	clicks int
	enrols int
	by     map[string]bool // learners whom it fits who looked; true for those who clicked
	day    int             // on which it was found; 0 is never
}

// NewCourses says how those fared that came late.
type NewCourses struct {
	Courses int     `json:"courses"`
	Good    int     `json:"good"`    // of true quality, and fitting enough visitors
	Found   int     `json:"found"`   // of these: clicked by three whom it fits
	Reached int     `json:"reached"` // learners who looked at a good one that fits them
	Fitting int     `json:"fitting"` // learners whom a good one fits, at the start: what Reached may come to
	Looks   int     `json:"looks"`   // at all that came late
	Fit     int     `json:"fit"`     // of these, by learners whom they fit
	Clicks  int     `json:"clicks"`
	Enrols  int     `json:"enrols"`
	Days    float64 `json:"days"` // from coming to being found, on average of those found
}

// meetNew counts a look at a course that came late.
func (v *visit) meetNew(p *place, c *course) {
	n := v.news[c.ID]
	if n == nil {
		return
	}
	n.looks++
	fits := p.Want >= fitsFrom
	clicked := v.lots(lotClick, c.index) < p.Click
	if clicked {
		n.clicks++
		if v.lots(lotEnrol, c.index) < p.Enrol {
			n.enrols++
		}
	}
	if !fits {
		return
	}
	v.run.New.Fit++
	id := v.learner.ref.ID
	if n.by[id] = n.by[id] || clicked; n.day == 0 && n.clickers() >= foundClicks {
		n.day = v.day + 1
	}
}

// clickers counts the learners whom the course fits who clicked it.
func (n *newCourse) clickers() (count int) {
	for _, clicked := range n.by {
		if clicked {
			count++
		}
	}
	return count
}

// found sums up the courses that came late.
func (s *Simulation) found() NewCourses {
	out := s.run.New // Fit is counted on the way
	days := 0
	for _, n := range s.news {
		if n.course.PublishedAt != nil && !n.course.PublishedAt.Before(s.midnight(s.options.First+s.options.Days)) {
			continue // is still to come
		}
		out.Courses, out.Looks, out.Clicks, out.Enrols = out.Courses+1, out.Looks+n.looks, out.Clicks+n.clicks, out.Enrols+n.enrols
		if !n.good || n.fits < fitsLeast {
			continue
		}
		out.Good, out.Reached, out.Fitting = out.Good+1, out.Reached+len(n.by), out.Fitting+n.fits
		if n.day > 0 {
			out.Found++
			came := int(n.course.PublishedAt.Sub(s.start).Hours() / 24)
			days += n.day - 1 - came
		}
	}
	if out.Found > 0 {
		out.Days = float64(days) / float64(out.Found)
	}
	return out
}

// fits counts for each course the learners whom it fits at the start.
func (s *Simulation) fits() map[string]int {
	out := map[string]int{}
	for id, c := range s.courses {
		for _, l := range s.learners {
			if !l.known[id] && l.reads(c) && s.want(l, c) >= fitsFrom {
				out[id]++
			}
		}
	}
	return out
}

// inOrder are the courses in the order of the truth.
func (s *Simulation) inOrder() []*course {
	out := make([]*course, 0, len(s.courses))
	for _, c := range s.courses {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *course) int { return cmp.Compare(a.index, b.index) })
	return out
}

// release puts up courses that come on this day.
func (s *Simulation) release(ctx context.Context, courses []lectern.Course) error {
	if s.options.KeepsTime == nil {
		return s.site.PutCourses(ctx, courses)
	}
	told := slices.Clone(courses)
	for i := range told {
		at := s.options.KeepsTime()
		told[i].PublishedAt = &at
	}
	return s.site.PutCourses(ctx, told)
}
