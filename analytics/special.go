package analytics

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/lectern-dev/lectern"
)

// byDay computes what is told apart by day at most: for each day, or for all as one.
func (r *Reader) byDay(ctx context.Context, t *table, sp span, q Request, m *Metric) error {
	length := sp.to - sp.from + 1
	if len(q.By) == 1 {
		length = 1
	}
	values, err := r.spans(ctx, sp, length, m)
	if err != nil {
		return err
	}
	for _, k := range t.groups {
		day := sp.from
		if len(q.By) == 1 {
			day = k.Day
		}
		t.set(k, m.Name, values(day))
	}
	return nil
}

// spans computes a metric for spans of days, by their first day.
func (r *Reader) spans(ctx context.Context, sp span, length int, m *Metric) (func(day int) Value, error) {
	switch m.special {
	case ofLearners:
		return r.learnerHours(ctx, sp, length)
	case ofNew:
		return r.newCourses(ctx, sp, length)
	}
	providers, err := r.store.MetricProviders(ctx)
	if err != nil {
		return nil, fmt.Errorf("read providers: %w", err)
	}
	found, err := r.store.MetricCourses(ctx, sp.from, sp.to, length)
	if err != nil {
		return nil, fmt.Errorf("read courses: %w", err)
	}
	byDay := map[int][]lectern.MetricCourse{}
	for _, c := range found {
		byDay[c.Day] = append(byDay[c.Day], c)
	}
	return func(day int) Value {
		if m.special == ofCoverage {
			return coverage(byDay[day], providers)
		}
		return gini(byDay[day], providers)
	}, nil
}

func coverage(seen []lectern.MetricCourse, providers []lectern.ProviderCourses) Value {
	shown, open := 0.0, 0.0
	for _, c := range seen {
		if c.Impressions > 0 {
			shown++
		}
	}
	for _, p := range providers {
		open += float64(p.Courses)
	}
	v := Value{Numerator: number(shown), Denominator: number(open)}
	if open > 0 {
		v.Value = number(min(1, shown/open)) // courses may have closed since
	}
	return v
}

// gini is the coefficient of inequality (Gini 1912) of the providers' impressions.
func gini(seen []lectern.MetricCourse, providers []lectern.ProviderCourses) Value {
	shown := make(map[string]float64, len(providers))
	for _, p := range providers {
		shown[p.Provider] = 0
	}
	for _, c := range seen {
		shown[c.Provider] += max(0, c.Impressions) // below it where events of two courses name one place
	}
	x := make([]float64, 0, len(shown))
	for _, n := range shown {
		x = append(x, n)
	}
	slices.Sort(x)
	total, weighted := 0.0, 0.0
	for i, n := range x {
		total += n
		weighted += float64(i+1) * n
	}
	if total <= 0 {
		return Value{}
	}
	n := float64(len(x))
	return Value{Value: number(2*weighted/(n*total) - (n+1)/n)}
}

// newCourses judges courses whose first days have passed.
func (r *Reader) newCourses(ctx context.Context, sp span, length int) (func(int) Value, error) {
	c := r.config
	last := min(sp.to, sp.today-c.NewDays)
	type verdict struct{ all, good, waiting float64 }
	by := map[int]*verdict{}
	found, err := r.store.NewCourses(ctx, sp.from, sp.to, c.NewDays)
	if err != nil {
		return nil, fmt.Errorf("read new courses: %w", err)
	}
	for _, n := range found {
		day := n.Day - (n.Day-sp.from)%length
		v := by[day]
		if v == nil {
			v = &verdict{}
			by[day] = v
		}
		if n.Day > last {
			v.waiting++
			continue
		}
		v.all++
		if n.Enrols >= float64(c.NewEnrolments) || n.Ratings >= float64(c.NewRatings) && n.Stars/n.Ratings >= c.NewStars {
			v.good++
		}
	}
	return func(day int) Value {
		v := by[day]
		if v == nil {
			v = &verdict{}
		}
		out := Value{Numerator: number(v.good), Denominator: number(v.all), Waiting: number(v.waiting)}
		if v.all > 0 {
			out.Value = number(v.good / v.all)
			out.Low, out.High = wilson(v.good, v.all)
		}
		return out
	}, nil
}

// learnerHours divides hours by learners and weeks. Of a shorter span than a week, the
// hours are scaled up to one.
func (r *Reader) learnerHours(ctx context.Context, sp span, length int) (func(int) Value, error) {
	week := min(7, length)
	found, err := r.store.LearnerSpans(ctx, sp.from, sp.to, week)
	if err != nil {
		return nil, fmt.Errorf("read days of learners: %w", err)
	}
	type sum struct{ n, hours, squares float64 }
	by := map[int]*sum{}
	for _, s := range found {
		day := s.Day - (s.Day-sp.from)%length
		v := by[day]
		if v == nil {
			v = &sum{}
			by[day] = v
		}
		days := min(week, sp.to-s.Day+1)
		v.n += s.Learners * float64(days) / 7 // a week that is cut off counts for its part
		v.hours += s.Hours
		v.squares += s.Squares
	}
	return func(day int) Value {
		v := by[day]
		if v == nil || v.n <= 0 {
			return Value{Numerator: number(0), Denominator: number(0)}
		}
		mean := v.hours / v.n
		out := Value{Value: number(mean), Numerator: number(v.hours), Denominator: number(v.n)}
		if v.n > 1 {
			half := normal95 * math.Sqrt(max(0, v.squares/v.n-mean*mean)/(v.n-1))
			out.Low, out.High = number(max(0, mean-half)), number(mean+half)
		}
		return out
	}, nil
}

// place is where exploration may have cost clicks.
type place struct {
	surface  lectern.Surface
	row      lectern.Row
	position int
}

// spent are the sums of one place: of all choices, of the policy's, and of those that
// kept the course that stood there.
type spent struct{ shown, clicks, chosen, chosenClicks, kept, keptClicks float64 }

// spend computes what exploring places cost in clicks. The course that stood there is
// among what may be chosen, so that the lists in which it stayed, each weighted by one
// over its probability, tell what all of them would have got without exploration
// (self-normalised, Swaminathan & Joachims 2015).
func (r *Reader) spend(ctx context.Context, t *table, sp span, q Request, m *Metric) error {
	found, err := r.store.MetricCells(ctx, q.query(sp.from, sp.to, lectern.BySurface, lectern.ByRow, lectern.ByPosition, lectern.ByExplored, lectern.ByDay))
	if err != nil {
		return fmt.Errorf("read the sums: %w", err)
	}
	if slices.Contains(q.By, lectern.ByExplored) { // it sets all ways of choosing against each other
		for _, k := range t.groups {
			t.set(k, m.Name, Value{})
		}
		return nil
	}
	by := map[groupKey]map[int]map[place]*spent{} // by day
	for i := range found {
		c := &found[i]
		if c.Explored == "" {
			continue
		}
		k := q.group(c)
		if by[k] == nil {
			by[k] = map[int]map[place]*spent{}
		}
		if by[k][c.Day] == nil {
			by[k][c.Day] = map[place]*spent{}
		}
		at := place{c.Surface, c.Row, c.Position}
		s := by[k][c.Day][at]
		if s == nil {
			s = &spent{}
			by[k][c.Day][at] = s
		}
		s.shown += c.Impressions
		s.clicks += c.Clicked
		s.kept += c.KeptWeight
		s.keptClicks += c.KeptClicks
		if c.Explored == "policy" {
			s.chosen += c.Impressions
			s.chosenClicks += c.Clicked
		}
	}
	for _, k := range t.groups {
		t.set(k, m.Name, spanCosts(by[k], m.special == ofRegret))
	}
	return nil
}

// Of the bootstrap over days: draws, and the fewest days that it says anything of.
const (
	spendDraws = 400
	spendDays  = 7
)

// spanCosts are the costs of all days, with an interval from drawing days anew: what a
// day had in common, and the noise of the weights, stay in it. The draws are the same
// each time.
func spanCosts(days map[int]map[place]*spent, regret bool) Value {
	each := make([]map[place]*spent, 0, len(days))
	for _, day := range slices.Sorted(maps.Keys(days)) {
		each = append(each, days[day])
	}
	v := costs(merged(each), regret)
	if len(each) < spendDays || v.Value == nil {
		return v
	}
	rng := rand.New(rand.NewPCG(uint64(len(each)), 1)) //nolint:gosec // draws of a bootstrap
	draws := make([]float64, 0, spendDraws)
	drawn := make([]map[place]*spent, len(each))
	for range spendDraws {
		for i := range drawn {
			drawn[i] = each[rng.IntN(len(each))]
		}
		if c := costs(merged(drawn), regret); c.Value != nil {
			draws = append(draws, *c.Value)
		}
	}
	slices.Sort(draws)
	n := float64(len(draws) - 1)
	v.Low, v.High = number(draws[int(0.025*n)]), number(draws[int(math.Ceil(0.975*n))])
	return v
}

// merged sums places up over days.
func merged(days []map[place]*spent) map[place]*spent {
	out := map[place]*spent{}
	for _, day := range days {
		for at, s := range day {
			to := out[at]
			if to == nil {
				to = &spent{}
				out[at] = to
			}
			to.shown += s.shown
			to.clicks += s.clicks
			to.chosen += s.chosen
			to.chosenClicks += s.chosenClicks
			to.kept += s.kept
			to.keptClicks += s.keptClicks
		}
	}
	return out
}

// costs sums over places in which the course that stood there was kept at least once;
// the numerator is how many clicks those got, the denominator of how many impressions.
func costs(places map[place]*spent, regret bool) Value {
	total, shown, clicks := 0.0, 0.0, 0.0
	for _, s := range places {
		if s.kept <= 0 || s.shown <= 0 {
			continue
		}
		best := s.keptClicks / s.kept
		if regret && s.chosen > 0 {
			best = max(best, s.chosenClicks/s.chosen)
		}
		total += s.shown*best - s.clicks
		shown += s.shown
		clicks += s.clicks
	}
	v := Value{Numerator: number(clicks), Denominator: number(shown)}
	if shown > 0 || len(places) == 0 {
		v.Value = number(total)
	}
	return v
}
