package tuning

import (
	"math"
	"slices"
)

// model is a fitted pairwise logistic regression: the log-odds that the upper place of
// a pair is preferred are θ·(difference), as in Bayesian personalised ranking (Rendle
// et al. 2009) with the terms as the model and the places as a nuisance.
type model struct {
	theta []float64 // terms, then place features
	free  []bool    // terms that vary; the others stay 0
	least float64   // that a weight may be: 0, or −∞ for estimates that chance pushes to either side alike
	loss  float64
}

// Bounds of the optimiser.
const (
	maxSteps   = 50
	stepEnough = 1e-9 // fall of the loss, against the loss, that ends it
	placeL2    = 1e-4 // pull of the place features towards 0, so that each has a value
)

// fit minimises the mean loss and the pull of l2 by Newton steps, each of which
// minimises the quadratic model over weights of at least least. The loss is convex, so
// this ends at its minimum.
func fit(p *pairSet, free []bool, l2, least float64) model {
	m := model{theta: make([]float64, p.width), free: free, least: least}
	n := totalWeight(p)
	loss, s := p.all(m.theta)
	m.loss = penalised(loss/n, m.theta, p.terms, l2)
	for range maxSteps {
		scaleInto(s, 1/n)
		pull(s, m.theta, p.terms, l2)
		step := m.solve(s, p.terms)
		improved := false
		for size := 1.0; size > 1e-4; size /= 2 {
			next := make([]float64, p.width)
			for j := range next {
				next[j] = m.theta[j] + size*(step[j]-m.theta[j])
			}
			loss, t := p.all(next)
			value := penalised(loss/n, next, p.terms, l2)
			if value < m.loss {
				improved = m.loss-value > stepEnough*m.loss
				m.theta, m.loss, s = next, value, t
				break
			}
		}
		if !improved {
			break
		}
	}
	return m
}

func totalWeight(p *pairSet) float64 {
	n := 0.0
	for _, w := range p.weight {
		n += w
	}
	return n
}

func scaleInto(s slopes, by float64) {
	for i := range s.g {
		s.g[i] *= by
	}
	for i := range s.h {
		s.h[i] *= by
	}
}

func penalty(j, terms int, l2 float64) float64 {
	if j < terms {
		return l2
	}
	return placeL2
}

func penalised(loss float64, theta []float64, terms int, l2 float64) float64 {
	for j, t := range theta {
		loss += penalty(j, terms, l2) * t * t / 2
	}
	return loss
}

func pull(s slopes, theta []float64, terms int, l2 float64) {
	for j, t := range theta {
		s.g[j] += penalty(j, terms, l2) * t
		s.h[at(j, j)] += penalty(j, terms, l2)
	}
}

// solve minimises g·(t − θ) + (t − θ)ᵀH(t − θ)/2 over t whose terms are at least what
// they may be, by cyclic coordinate descent.
func (m *model) solve(s slopes, terms int) []float64 {
	n := len(m.theta)
	t := slices.Clone(m.theta)
	slope := append([]float64(nil), s.g...) // of the quadratic model at t
	for range 2000 {
		most := 0.0
		for j := range n {
			h := s.h[at(j, j)]
			if j < terms && !m.free[j] || h <= 0 {
				continue
			}
			next := t[j] - slope[j]/h
			if j < terms {
				next = max(next, m.least)
			}
			by := next - t[j]
			if by == 0 {
				continue
			}
			t[j] = next
			for k := range n {
				slope[k] += s.h[at(j, k)] * by
			}
			most = max(most, math.Abs(by)/(1+math.Abs(next)))
		}
		if most < 1e-10 {
			break
		}
	}
	return t
}
