package tuning

import (
	"math"
	"runtime"
	"sync"
)

// The features of a pair beside its terms: they take up what a place does to a choice
// by itself, and are no weights.
const (
	placeNear  = iota // the upper of two neighbours
	placeApart        // the upper of two others
	placeDepth        // ln((lower + 1)/(upper + 1))
	placeFeatures
)

// pairSet is the pairs of some lists as differences, upper minus lower.
type pairSet struct {
	terms  int
	width  int       // terms and place features
	d      []float32 // pairs × width
	y      []float64 // 1 where the upper one is preferred, else 0
	weight []float64
	from   []int // first pair of each group, and the end
}

func (p *pairSet) len() int { return len(p.y) }

func (p *pairSet) row(i int) []float32 { return p.d[i*p.width : (i+1)*p.width] }

// maxPairs bounds the pairs of one list, so that none speaks for all.
const maxPairs = 100

// newPairs lists the pairs, those of one person together.
func newPairs(lists []shown, terms int) *pairSet {
	p := &pairSet{terms: terms, width: terms + placeFeatures}
	for _, group := range byPerson(lists) {
		p.from = append(p.from, len(p.y))
		for _, l := range group {
			n := 0
			l.pairs(func(a, b int, worth float64) {
				if n++; n <= maxPairs {
					p.add(l, a, b, worth)
				}
			})
		}
	}
	p.from = append(p.from, len(p.y))
	return p
}

// byPerson groups lists in the order in which people first come up.
func byPerson(lists []shown) [][]*shown {
	at := map[int]int{}
	var out [][]*shown
	for i := range lists {
		l := &lists[i]
		g, known := at[l.person]
		if !known {
			g = len(out)
			at[l.person] = g
			out = append(out, nil)
		}
		out[g] = append(out[g], l)
	}
	return out
}

func (p *pairSet) add(l *shown, a, b int, worth float64) {
	up, low := l.row(a, p.terms), l.row(b, p.terms)
	for j := range p.terms {
		p.d = append(p.d, up[j]-low[j])
	}
	var place [placeFeatures]float32
	if b == a+1 {
		place[placeNear] = 1
	} else {
		place[placeApart] = 1
	}
	place[placeDepth] = float32(math.Log(float64(b+1) / float64(a+1)))
	p.d = append(p.d, place[:]...)
	y := 0.0
	if worth > 0 {
		y = 1
	}
	p.y = append(p.y, y)
	p.weight = append(p.weight, math.Abs(worth))
}

// groups is how many people the pairs are of.
func (p *pairSet) groups() int { return len(p.from) - 1 }

// slopes are, of one group, the gradient of the loss and its Hessian, the lower
// triangle by rows.
type slopes struct{ g, h []float64 }

func (p *pairSet) slopesOf(group int, theta []float64, into slopes) (loss float64) {
	clear(into.g)
	clear(into.h)
	for i := p.from[group]; i < p.from[group+1]; i++ {
		d := p.row(i)
		z := 0.0
		for j, v := range d {
			z += theta[j] * float64(v)
		}
		q := 1 / (1 + math.Exp(-z))
		w := p.weight[i]
		loss += w * logLoss(z, p.y[i])
		e, s := w*(q-p.y[i]), w*q*(1-q)
		at := 0
		for j, v := range d {
			x := float64(v)
			into.g[j] += e * x
			if x == 0 {
				at += j + 1
				continue
			}
			for k := range j + 1 {
				into.h[at] += s * x * float64(d[k])
				at++
			}
		}
	}
	return loss
}

// logLoss is −ln of the probability of y where its log-odds are z.
func logLoss(z, y float64) float64 {
	if y == 0 {
		z = -z
	}
	if z > 0 {
		return math.Log1p(math.Exp(-z))
	}
	return -z + math.Log1p(math.Exp(z))
}

// all sums loss, gradient and Hessian over the groups, on every processor. The order
// of sums is fixed, so that equal logs give equal weights.
func (p *pairSet) all(theta []float64) (float64, slopes) {
	workers := max(1, min(runtime.GOMAXPROCS(0), p.groups()))
	total := newSlopes(p.width)
	parts := make([]slopes, sumParts)
	losses := make([]float64, sumParts)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			one := newSlopes(p.width)
			for part := w; part < sumParts; part += workers {
				parts[part] = newSlopes(p.width)
				for g := part * p.groups() / sumParts; g < (part+1)*p.groups()/sumParts; g++ {
					losses[part] += p.slopesOf(g, theta, one)
					parts[part].add(one)
				}
			}
		})
	}
	wait.Wait()
	loss := 0.0
	for i := range parts {
		loss += losses[i]
		total.add(parts[i])
	}
	return loss, total
}

// sumParts is in how many parts sums are made, whatever the number of processors.
const sumParts = 16

func newSlopes(width int) slopes {
	return slopes{g: make([]float64, width), h: make([]float64, width*(width+1)/2)}
}

func (s slopes) add(o slopes) {
	for i, v := range o.g {
		s.g[i] += v
	}
	for i, v := range o.h {
		s.h[i] += v
	}
}

// at is where the Hessian has row i and column j.
func at(i, j int) int {
	if j > i {
		i, j = j, i
	}
	return i*(i+1)/2 + j
}
