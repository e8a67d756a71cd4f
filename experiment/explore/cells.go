package explore

import (
	"math"
	"math/rand/v2"
	"slices"
)

// cell is how likely a place is to hold a course.
type cell struct {
	chance float64
	error  float64 // standard error; 0 is exact
}

// board collects the chances of cells: of those of one list, or of all.
type board struct {
	s       *scene
	actual  list // nil: all cells
	chance  []float64
	certain []float64
	settled []float64 // by place: the chance that is certain, over all ways
}

func newBoard(s *scene, actual list) *board {
	n := s.size
	if actual == nil {
		n *= s.size
	}
	return &board{s: s, actual: actual, chance: make([]float64, n), certain: make([]float64, n), settled: make([]float64, s.size)}
}

// settle adds what the options of a node make of the places from its own to before
// another. What stands at a place is either what stood there, where the course that was
// put above it came from higher up, or what stood at the free place above.
func (b *board) settle(n *node, chance, certain []float64, place, to int) {
	l, all, allCertain := n.list, 0.0, 0.0
	for j, at := range n.options {
		b.add(place, l[at], chance[j], certain[j])
		all, allCertain = all+chance[j], allCertain+certain[j]
	}
	b.settled[place] += allCertain
	above, next := place, 0
	shifted, shiftedCertain := all, allCertain // of options that stand at or below the place that is looked at
	for at := place + 1; at < to; at++ {
		b.settled[at] += allCertain
		if b.s.fixed[at] {
			b.add(at, l[at], all, allCertain)
			continue
		}
		for ; next < len(n.options) && int(n.options[next]) < at; next++ {
			shifted, shiftedCertain = shifted-chance[next], shiftedCertain-certain[next]
		}
		if next < len(n.options) {
			b.add(at, l[above], shifted, shiftedCertain)
			b.add(at, l[at], all-shifted, allCertain-shiftedCertain)
		} else {
			b.add(at, l[at], all, allCertain)
		}
		above = at
	}
}

// add is more chance that a place holds a slot.
func (b *board) add(at int, slot int32, chance, certain float64) {
	i := at
	switch {
	case b.actual == nil:
		i = at*b.s.size + int(slot)
	case b.actual[at] != slot:
		return
	}
	b.chance[i] += chance
	b.certain[i] += certain
}

// cells lays the result out beside the places, or beside place × size + slot.
func (b *board) cells(draws int) []cell {
	out := make([]cell, len(b.chance))
	for i := range out {
		place := i
		if b.actual == nil {
			place = i / b.s.size
		}
		if len(b.s.places) == 0 || place < b.s.places[0] { // never changes
			if b.actual != nil || i%b.s.size == place {
				out[i].chance = 1
			}
			continue
		}
		out[i].chance = min(b.chance[i], 1)
		out[i].error = deviation(b.chance[i], b.certain[i], 1-b.settled[place], draws)
	}
	return out
}

// chances are the probabilities of the cells of a list, beside its places; or, where
// actual is nil, of all cells. It returns also how many draws are behind them, 0 where
// they are exact.
func chances(s *scene, p policy, actual list, draws int, r *rand.Rand) ([]cell, int) {
	return chancesWithin(mostVisits, s, p, actual, draws, r)
}

// chancesWithin is chances with a bound of its own of the visits of nodes.
func chancesWithin(visits int, s *scene, p policy, actual list, draws int, r *rand.Rand) ([]cell, int) {
	b := newBoard(s, actual)
	if len(s.places) == 0 {
		return b.cells(0), 0
	}
	if used, ok := enumerate(s, p, draws, visits, r, b); ok {
		return b.cells(used), used
	}
	return sampled(s, p, actual, draws, r), draws
}

// sampled finds the chances by drawing whole lists, for scenes with more ways than can
// be gone through. The way of the actual list is not drawn but added with its chance, so
// that nothing that it shows comes out as 0.
func sampled(s *scene, p policy, actual list, draws int, r *rand.Rand) []cell {
	all := actual == nil
	if all {
		actual = s.begin(nil)
	}
	n := s.size
	if all {
		n *= s.size
	}
	sum, squares := make([]float64, n), make([]float64, n)
	f, way := filler{}, newWay(s, p, actual)
	for range draws {
		l, _ := f.fill(s, p, r, nil)
		way.follow(f.scores)
		depth := -1
		same := true // so far as settled, the drawn list is the actual one
		for at := s.places[0]; at < s.size; at++ {
			if depth+1 < len(s.places) && at == s.places[depth+1] {
				depth++
				same = same && l[at] == actual[at]
			}
			if all {
				i := at*s.size + int(l[at])
				sum[i]++
				squares[i]++
				continue
			}
			x := way.reach[depth]
			if !same && l[at] == actual[at] {
				x++
			}
			sum[at] += x
			squares[at] += x * x
		}
	}
	return means(s, sum, squares, draws, all)
}

// means turns sums over draws into cells.
func means(s *scene, sum, squares []float64, draws int, all bool) []cell {
	out := make([]cell, len(sum))
	n := float64(draws)
	for i := range out {
		place := i
		if all {
			place = i / s.size
		}
		if place < s.places[0] {
			if !all || i%s.size == place {
				out[i].chance = 1
			}
			continue
		}
		mean := sum[i] / n
		spread := max(squares[i]/n-mean*mean, 0)
		out[i] = cell{chance: min(mean, 1), error: max(math.Sqrt(spread/n), deviation(mean, 0, 1, draws)/math.Sqrt(n))}
	}
	return out
}

// way is the choices that lead to one list.
type way struct {
	s       *scene
	lists   []list
	options [][]int32
	uniform [][]float64
	rest    []float64
	taken   []int     // which option; −1 is none: the list cannot come about
	reach   []float64 // by choices made: the chance of the way, as of follow
}

// newWay finds the choices that lead to a list.
func newWay(s *scene, p policy, actual list) *way {
	w := &way{s: s, reach: make([]float64, len(s.places))}
	l := s.begin(nil)
	for _, place := range s.places {
		options := s.options(l, place, nil)
		uniform, rest := s.mixture(l, options, p.epsilon())
		taken := slices.IndexFunc(options, func(at int32) bool { return l[at] == actual[place] })
		w.lists = append(w.lists, slices.Clone(l))
		w.options, w.uniform, w.rest = append(w.options, options), append(w.uniform, uniform), append(w.rest, rest)
		w.taken = append(w.taken, taken)
		if taken >= 0 {
			s.put(l, int(options[taken]), place)
		}
	}
	return w
}

// follow finds the chance of the way for the scores of one draw.
func (w *way) follow(scores []float64) {
	chance := 1.0
	for k, taken := range w.taken {
		if taken < 0 {
			chance = 0
		} else {
			share := w.uniform[k][taken]
			if best(w.lists[k], w.options[k], scores) == w.options[k][taken] {
				share += w.rest[k]
			}
			chance *= share
		}
		w.reach[k] = chance
	}
}
