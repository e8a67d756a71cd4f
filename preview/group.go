package preview

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// shown bounds the lists of courses and providers in a report.
const shown = 10

// summarise fills a group with what its lists have in common.
func summarise(g *Group, lists []*compared) {
	g.Learners = len(lists)
	g.Entered, g.Left, g.Providers, g.Terms = []Count{}, []Count{}, []Share{}, []TermShift{}
	if len(lists) == 0 {
		return
	}
	for _, l := range lists {
		if l.withoutConsent {
			g.WithoutConsent++
		}
	}
	over := func(value func(*compared) float64) *Estimate {
		e := estimate(lists, value)
		return &e
	}
	share := func(value func(*compared) float64) *Estimate {
		e := over(value)
		e.clip()
		return e
	}
	g.Overlap = share(func(l *compared) float64 { return l.overlap })
	g.RBO = share(func(l *compared) float64 { return l.rbo })
	g.Move = over(func(l *compared) float64 { return l.move })
	g.Changed = share(func(l *compared) float64 {
		if l.changed {
			return 1
		}
		return 0
	})
	g.Diverse = shift(lists, func(l *compared) (float64, float64) { return l.oldDiverse, l.newDiverse })
	if mean := shift(lists, func(l *compared) (float64, float64) { return l.oldAge, l.newAge }); mean != nil {
		g.Age = &Age{Mean: mean, Median: medianAges(lists)}
	}
	exposure(g, lists)
	g.Entered, g.Left = traffic(lists)
	g.Terms = terms(lists)
}

// estimate is the mean of a value that every list has.
func estimate(lists []*compared, value func(*compared) float64) Estimate {
	values := make([]float64, len(lists))
	for i, l := range lists {
		values[i] = value(l)
	}
	return meanOf(values)
}

// meanOf is a mean with its 95 % interval, mean ± 1.96 × standard error.
func meanOf(values []float64) Estimate {
	n := float64(len(values))
	mean := 0.0
	for _, v := range values {
		mean += v / n
	}
	out := Estimate{Mean: round(mean)}
	if len(values) < 2 {
		return out
	}
	square := 0.0
	for _, v := range values {
		square += (v - mean) * (v - mean)
	}
	half := 1.96 * math.Sqrt(square/(n-1)/n)
	low, high := round(mean-half), round(mean+half)
	out.Low, out.High = &low, &high
	return out
}

// clip keeps the interval of a share within what a share can be.
func (e *Estimate) clip() {
	for _, end := range []*float64{e.Low, e.High} {
		if end != nil {
			*end = min(max(*end, 0), 1)
		}
	}
}

// shift compares a value under both settings over the lists that have both; nil where
// none has.
func shift(lists []*compared, value func(*compared) (old, fresh float64)) *Shift {
	var s Shift
	var changes []float64
	for _, l := range lists {
		a, b := value(l)
		if math.IsNaN(a) || math.IsNaN(b) {
			continue
		}
		s.Old += a
		s.New += b
		changes = append(changes, b-a)
	}
	if len(changes) == 0 {
		return nil
	}
	s.Old, s.New = round(s.Old/float64(len(changes))), round(s.New/float64(len(changes)))
	s.Change = meanOf(changes)
	return &s
}

func medianAges(lists []*compared) Pair[float64] {
	var old, fresh []float64
	for _, l := range lists {
		old, fresh = append(old, l.oldAges...), append(fresh, l.newAges...)
	}
	return Pair[float64]{Old: median(old), New: median(fresh)}
}

// median of values, which it sorts; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	n := len(values)
	return round((values[(n-1)/2] + values[n/2]) / 2)
}

// exposure is which courses and providers have the places.
func exposure(g *Group, lists []*compared) {
	old, fresh := map[string]int{}, map[string]int{}
	oldBy, newBy := map[string]int{}, map[string]int{}
	oldAll, newAll := 0, 0
	for _, l := range lists {
		for _, s := range l.old {
			old[s.course.ID]++
			oldBy[s.course.Provider]++
			oldAll++
		}
		for _, s := range l.new {
			fresh[s.course.ID]++
			newBy[s.course.Provider]++
			newAll++
		}
	}
	g.Cover = Pair[int]{Old: len(old), New: len(fresh)}
	union := maps.Clone(old)
	maps.Copy(union, fresh)
	if oldAll > 0 && newAll > 0 {
		g.Gini = &Pair[float64]{Old: gini(union, old), New: gini(union, fresh)}
	}
	providers := maps.Clone(oldBy)
	maps.Copy(providers, newBy)
	for p := range providers {
		g.Providers = append(g.Providers, Share{
			Provider: p, Old: round(float64(oldBy[p]) / float64(max(oldAll, 1))), New: round(float64(newBy[p]) / float64(max(newAll, 1))),
		})
	}
	slices.SortFunc(g.Providers, func(a, b Share) int {
		return cmp.Or(cmp.Compare(math.Abs(b.New-b.Old), math.Abs(a.New-a.Old)), cmp.Compare(b.Old, a.Old), cmp.Compare(a.Provider, b.Provider))
	})
	g.Providers = g.Providers[:min(shown, len(g.Providers))]
}

// gini is the Gini coefficient of how often each of the courses is shown.
func gini(courses map[string]int, times map[string]int) float64 {
	counts := make([]int, 0, len(courses))
	total := 0
	for id := range courses {
		counts = append(counts, times[id])
		total += times[id]
	}
	if total == 0 {
		return 0
	}
	slices.Sort(counts)
	weighted := 0.0
	for i, c := range counts {
		weighted += float64(2*(i+1)-len(counts)-1) * float64(c)
	}
	return round(weighted / float64(len(counts)) / float64(total))
}

// traffic counts which courses enter and leave.
func traffic(lists []*compared) (entered, left []Count) {
	in, out := map[string]*Count{}, map[string]*Count{}
	note := func(counts map[string]*Count, have, lack []slot) {
		for _, s := range have {
			if slices.ContainsFunc(lack, func(o slot) bool { return o.course.ID == s.course.ID }) {
				continue
			}
			if counts[s.course.ID] == nil {
				counts[s.course.ID] = &Count{CourseID: s.course.ID, Title: s.course.Title}
			}
			counts[s.course.ID].Lists++
		}
	}
	for _, l := range lists {
		note(in, l.new, l.old)
		note(out, l.old, l.new)
	}
	return mostFrequent(in), mostFrequent(out)
}

func mostFrequent(counts map[string]*Count) []Count {
	all := make([]Count, 0, len(counts))
	for _, c := range counts {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Lists, a.Lists), cmp.Compare(a.CourseID, b.CourseID))
	})
	return all[:min(shown, len(all))]
}

// termSum gathers one term over lists.
type termSum struct {
	name         string
	value, times [2]float64 // under both settings
	weight       [2]float64
	lists        [2]float64
}

// terms is the mean value of each term, in the order in which terms come up.
func terms(lists []*compared) []TermShift {
	var sums []*termSum
	at := map[string]*termSum{}
	of := func(name string) *termSum {
		if at[name] == nil {
			at[name] = &termSum{name: name}
			sums = append(sums, at[name])
		}
		return at[name]
	}
	for _, l := range lists {
		for side, terms := range [][]termWeight{l.oldTerms, l.newTerms} {
			places := l.old
			if side == 1 {
				places = l.new
			}
			for j, t := range terms {
				s := of(t.Name)
				s.weight[side] += t.Weight
				s.lists[side]++
				for _, p := range places {
					if j < len(p.values) {
						s.value[side] += p.values[j]
						s.times[side]++
					}
				}
			}
		}
	}
	out := make([]TermShift, len(sums))
	for i, s := range sums {
		out[i] = TermShift{Name: s.name, OldWeight: round(s.weight[0] / float64(len(lists))), NewWeight: round(s.weight[1] / float64(len(lists)))}
		for side, to := range []**float64{&out[i].Old, &out[i].New} {
			if s.times[side] > 0 {
				mean := round(s.value[side] / s.times[side])
				*to = &mean
			}
		}
	}
	return out
}
