package recs

import (
	"slices"

	"github.com/lectern-dev/lectern/ml/cf"
)

// Held is what one learner did after the training data ends.
type Held struct {
	Learner string
	Taken   []string // before it ended: courses that are not offered again
	Wanted  []string // after it ended: courses that a good list has
}

// FromData takes a snapshot to learn from and what learners did after it. The
// snapshot's Learners say whose history is whose. Errors: CodeInvalid when no
// learner can be tested.
func FromData(d *cf.Data, held []Held, protocol Protocol) (*Set, error) {
	protocol.Ranking, protocol.Ordered = rankingFull, d.Ordered
	s := &Set{Train: d, Protocol: protocol}
	items := make(map[string]int32, len(d.Items))
	for i, id := range d.Items {
		items[id] = int32(i)
	}
	learners := make(map[string]int, len(d.Learners))
	for i, id := range d.Learners {
		learners[id] = i
	}
	tested := 0
	for i, h := range held {
		c := Case{Learner: h.Learner, Group: int32(i)}
		at, known := learners[h.Learner]
		if known {
			c.History = d.Histories[at]
		}
		for _, id := range h.Taken {
			if item, ok := items[id]; ok && !slices.Contains(c.Exclude, item) {
				c.Exclude = append(c.Exclude, item)
			}
		}
		var again int
		c.Truth, c.Unknown, again = truths(h, items)
		s.Data.Again += again
		if c.Relevant() == 0 {
			continue
		}
		if known {
			tested++
		} else {
			s.Data.ColdLearners++
		}
		s.Data.UnknownCourses += len(c.Unknown)
		s.Data.Held += c.Relevant()
		s.Cases = append(s.Cases, c)
	}
	s.Data.Learners, s.Data.Courses, s.Data.Events, s.Data.Cases = len(d.Histories), len(d.Items), d.Events(), len(s.Cases)
	s.Data.Skipped = len(d.Histories) - tested
	if s.Data.Events == 0 {
		return nil, invalid("nothing is left to learn from")
	}
	if len(s.Cases) == 0 && s.Data.Again > 0 {
		return nil, invalid("nothing is left to test on: all %d courses taken after the cut had been taken before it: %s", s.Data.Again, protocol.Split)
	}
	if len(s.Cases) == 0 {
		return nil, invalid("nobody took a course after the cut: %s", protocol.Split)
	}
	return s, nil
}

// truths numbers the courses that a good list has, each once.
func truths(h Held, items map[string]int32) (truth []int32, unknown []string, again int) {
	for n, id := range h.Wanted {
		if slices.Contains(h.Wanted[:n], id) {
			continue
		}
		if slices.Contains(h.Taken, id) {
			again++
			continue
		}
		if item, ok := items[id]; ok {
			truth = append(truth, item)
		} else {
			unknown = append(unknown, id)
		}
	}
	return truth, unknown, again
}

// Sample keeps n of the cases by lot, and says so. It changes nothing when there are
// no more than n.
func (s *Set) Sample(n int, seed uint64) {
	if n <= 0 || len(s.Cases) <= n {
		return
	}
	type lot struct {
		at  int
		key uint64
	}
	lots := make([]lot, len(s.Cases))
	for i := range lots {
		lots[i] = lot{i, mix(seed ^ mix(uint64(i)))}
	}
	slices.SortFunc(lots, func(a, b lot) int {
		if a.key < b.key {
			return -1
		}
		return 1
	})
	lots = lots[:n]
	slices.SortFunc(lots, func(a, b lot) int { return a.at - b.at })
	cases := make([]Case, n)
	for i, l := range lots {
		cases[i] = s.Cases[l.at]
	}
	s.Cases = cases
}
