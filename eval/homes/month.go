package homes

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
)

// Month says how a month is simulated: learners visit once a day, look at their home
// page from the top, and click and enrol by what they want.
type Month struct {
	Days     int
	Visitors int // learners who visit every day
	PageSize int // courses in a row of the page
	// HiddenRows are rows that learners are not shown.
	HiddenRows []lectern.Row
	// TrainEvery is after how many days models are trained anew.
	TrainEvery int
}

// How visitors behave. A slot is looked at with probability rowLook^row × slotLook^slot;
// a course that was looked at is clicked with clickLeast + clickMost × want, and one
// that was clicked enrolled in with enrolLeast + enrolMost × want, where want is
// min(1, 2 × demo.Relevance). A course under way is finished on a visit with
// finishes.
const (
	rowLook    = 0.8
	slotLook   = 0.85
	clickLeast = 0.01
	clickMost  = 0.6
	enrolLeast = 0.05
	enrolMost  = 0.7
	finishes   = 0.1
)

// Exposure is what new courses were shown over a simulated month.
type Exposure struct {
	Variant  string   `json:"variant"`
	Courses  int      `json:"new_courses"`
	Old      int      `json:"other_courses"`
	Visitors int      `json:"visitors"`
	Matched  int      `json:"matched"` // visitors with a latent topic that a new course is of
	Days     []Period `json:"days"`    // of the first week
	Weeks    []Period `json:"weeks"`
}

// Period is one day or week of it. Shown is on the page, seen is looked at.
type Period struct {
	Number  int     `json:"number"`      // from 1
	Shown   float64 `json:"shown"`       // times that a new course was on a page, a course
	Seen    float64 `json:"seen"`        // times that one was looked at, a course
	Ratio   float64 `json:"ratio"`       // Seen over the same of all other courses
	Matched float64 `json:"matched_saw"` // share of the matched visitors who have seen a new course of their topics by its end
	Reached float64 `json:"reached"`     // share of the new courses of some visitor's topic that such a visitor has seen by its end
	Fit     float64 `json:"fit"`         // share of Seen that were matched visitors' looks at courses of their topics
	Clicks  int     `json:"clicks"`      // on new courses
	Enrols  int     `json:"enrols"`      // in new courses
}

// visitor is one learner through the month.
type visitor struct {
	Person
	lots    *rand.Rand
	courses []string // under way
	wanted  map[string]bool
}

// exposure counts as the month goes by.
type exposure struct {
	isNew   map[string]bool
	topical map[string]bool // new courses of some visitor's topic
	saw     map[string]bool // visitors who saw one of theirs
	reached map[string]bool // new courses seen by somebody whose topic they are of
	matched int
}

// tally is a period in the making.
type tally struct{ shown, seen, old, fit, clicks, enrols int }

func (t *tally) add(o tally) {
	t.shown, t.seen, t.old, t.fit = t.shown+o.shown, t.seen+o.seen, t.old+o.old, t.fit+o.fit
	t.clicks, t.enrols = t.clicks+o.clicks, t.enrols+o.enrols
}

// Expose adds new courses, with nothing but their content, and lets a month go by.
func (j *Judge) Expose(ctx context.Context, variant string, fresh []lectern.Course, m Month) (Exposure, error) {
	old := len(j.open)
	if err := j.site.PutCourses(ctx, fresh); err != nil {
		return Exposure{}, err
	}
	if err := j.look(ctx); err != nil {
		return Exposure{}, err
	}
	visitors, x := j.visitors(fresh, m.Visitors)
	out := Exposure{Variant: variant, Courses: len(fresh), Old: old, Visitors: len(visitors), Matched: x.matched}
	var week tally
	for day := 1; day <= m.Days; day++ {
		var today tally
		for i := range visitors {
			t, err := j.visit(ctx, &visitors[i], x, m)
			if err != nil {
				return out, err
			}
			today.add(t)
		}
		week.add(today)
		if day <= 7 {
			out.Days = append(out.Days, x.period(day, today, out))
		}
		if day%7 == 0 {
			out.Weeks = append(out.Weeks, x.period(day/7, week, out))
			week = tally{}
		}
		if day == m.Days {
			break
		}
		if err := j.site.Pass(ctx, 24*time.Hour); err != nil {
			return out, err
		}
		if m.TrainEvery > 0 && day%m.TrainEvery == 0 {
			if err := j.site.Train(ctx); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

func (j *Judge) visitors(fresh []lectern.Course, n int) ([]visitor, *exposure) {
	x := &exposure{isNew: map[string]bool{}, topical: map[string]bool{}, saw: map[string]bool{}, reached: map[string]bool{}}
	byTopic := map[string][]string{}
	for _, c := range fresh {
		x.isNew[c.ID] = true
		byTopic[j.truth[c.ID].Topic] = append(byTopic[j.truth[c.ID].Topic], c.ID)
	}
	var out []visitor
	for i, p := range spread(j.people, n) {
		v := visitor{Person: p, lots: j.lots(1000 + uint64(i)), wanted: map[string]bool{}}
		matches := false
		for _, topic := range interestsOf(p) {
			for _, id := range byTopic[topic] {
				matches, x.topical[id], v.wanted[id] = true, true, true
			}
		}
		if matches {
			x.matched++
		}
		out = append(out, v)
	}
	return out, x
}

// visit is one learner's visit on one day. Its hour differs between learners.
func (j *Judge) visit(ctx context.Context, v *visitor, x *exposure, m Month) (tally, error) {
	var t tally
	var events []lectern.Event
	v.courses = slices.DeleteFunc(v.courses, func(id string) bool {
		if v.lots.Float64() >= finishes {
			return false
		}
		events = append(events, j.event(v.Ref, lectern.EventComplete, id, "month", 0))
		return true
	})
	if len(events) > 0 {
		if err := j.site.Append(ctx, events); err != nil {
			return t, err
		}
	}
	page, err := j.site.Home(ctx, lectern.HomeRequest{Learner: v.Ref, Limit: m.PageSize})
	if err != nil {
		return t, err
	}
	events = nil
	row := 0
	day := j.site.Now().Unix() / 86400
	for _, r := range page.Rows {
		if slices.Contains(m.HiddenRows, r.Row) {
			continue
		}
		if r.Row != lectern.RowContinue {
			for slot, item := range r.List.Items {
				look := math.Pow(rowLook, float64(row)) * math.Pow(slotLook, float64(slot))
				done := j.meet(v, x, item.Course.ID, look, &t)
				for i := range done {
					e := j.event(v.Ref, done[i], item.Course.ID, "month", int(day))
					at := slot
					e.RankingID, e.Position, e.Surface = r.List.RankingID, &at, lectern.SurfaceHome
					events = append(events, e)
				}
			}
		}
		row++
	}
	if len(events) == 0 {
		return t, nil
	}
	return t, j.site.Append(ctx, events)
}

// meet is one course on the page of one visitor: what they do about it.
func (j *Judge) meet(v *visitor, x *exposure, id string, look float64, t *tally) []lectern.EventType {
	isNew := x.isNew[id]
	if isNew {
		t.shown++
	}
	if v.lots.Float64() >= look {
		return nil
	}
	if isNew {
		t.seen++
	} else {
		t.old++
	}
	if isNew && v.wanted[id] {
		t.fit++
		x.saw[v.Ref.ID], x.reached[id] = true, true
	}
	want := math.Min(1, 2*demo.Relevance(v.Truth, j.truth[id]))
	if v.lots.Float64() >= clickLeast+clickMost*want {
		return nil
	}
	done := []lectern.EventType{lectern.EventClick}
	if v.lots.Float64() < enrolLeast+enrolMost*want {
		done = append(done, lectern.EventEnrol)
		v.courses = append(v.courses, id)
	}
	if isNew {
		t.clicks++
		t.enrols += len(done) - 1
	}
	return done
}

// period sums up a time.
func (x *exposure) period(number int, t tally, of Exposure) Period {
	seen, old := float64(t.seen)/float64(max(of.Courses, 1)), float64(t.old)/float64(max(of.Old, 1))
	p := Period{
		Number: number, Shown: float64(t.shown) / float64(max(of.Courses, 1)), Seen: seen,
		Matched: ratio(len(x.saw), x.matched), Reached: ratio(len(x.reached), len(x.topical)), Fit: ratio(t.fit, t.seen),
		Clicks: t.clicks, Enrols: t.enrols,
	}
	if old > 0 {
		p.Ratio = seen / old
	}
	return p
}
