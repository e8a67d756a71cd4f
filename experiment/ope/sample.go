package ope

import (
	"math"
	"time"
)

// Pick is one place of a logged list, with what was shown there and what the target
// would show.
type Pick struct {
	Place int // 0-based

	// Logged is the probability with which the log showed this course here, Target the
	// target's. In the position-based model both are sums over all places, each place
	// counting as it is examined.
	Logged float64
	Target float64
	Error  float64 // standard error of Logged; 0 is exact
	// TargetError is that of Target.
	TargetError float64

	Examined float64   // how much this place is looked at, against the first; 1 in the item-position model
	Support  float64   // share of what the target would show here that the log may show, too
	Mass     float64   // probability that the target shows anything here
	Open     bool      // the log or the target could have done otherwise than what was shown
	Rewards  []float64 // beside Sample.Rewards
	Shown    []float64 // feature row of the course that was shown
	Want     []float64 // Σ probability × feature row of what the target would show
}

// weight is how much more often the target shows the course here than the log did.
func (p *Pick) weight() float64 {
	if p.Target <= 0 {
		return 0
	}
	return p.Target / p.Logged
}

// Logged is one list of the log.
type Logged struct {
	Person int64 // stands for the learner or visitor; 0 is nobody
	At     time.Time
	Units  float64 // places that were seen: what a value is the mean over
	Picks  []Pick
}

// Sample is a log laid beside a target.
type Sample struct {
	Rewards  []string // names
	Width    int      // of feature rows
	Position bool     // of the position-based model: one stratum for all places
	Lists    []Logged
	young    int // lists that were left out because no reward of theirs counts yet
}

// clusters numbers the people of lists from 0 on. Lists of nobody stand for themselves.
func clusters(lists []Logged) (of []int, n int) {
	of = make([]int, len(lists))
	known := make(map[int64]int, len(lists))
	for i := range lists {
		person := lists[i].Person
		at, ok := known[person]
		if !ok || person == 0 {
			at = n
			n++
			known[person] = at
		}
		of[i] = at
	}
	return of, n
}

// strata gives each place the stratum in which its weights are normalised: places from
// the first on, each joined with those below it until least picks are in it.
func (s *Sample) strata(least int) (of []int, n int) {
	count := []int{}
	for i := range s.Lists {
		for j := range s.Lists[i].Picks {
			place := s.Lists[i].Picks[j].Place
			for len(count) <= place {
				count = append(count, 0)
			}
			count[place]++
		}
	}
	of = make([]int, len(count))
	if s.Position || len(count) == 0 {
		return of, 1
	}
	sizes := []int{0}
	for place, c := range count {
		last := len(sizes) - 1
		if sizes[last] >= least && c > 0 {
			sizes = append(sizes, 0)
			last++
		}
		sizes[last] += c
		of[place] = last
	}
	if last := len(sizes) - 1; last > 0 && sizes[last] < least { // too few at the end
		for place := range of {
			of[place] = min(of[place], last-1)
		}
		sizes = sizes[:last]
	}
	return of, len(sizes)
}

// finite reports whether a number is one.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
