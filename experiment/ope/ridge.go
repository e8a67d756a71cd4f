package ope

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// placeColumns is how many places have an effect of their own in the reward model; the
// last one stands for all below it.
const placeColumns = 10

// folds of the people: what judges a person was fitted without them.
const defaultFolds = 5

// rewardModel expects rewards linearly: of a row, of the place, and of the row alone
// times the examination in the position-based model.
type rewardModel struct {
	theta    []float64
	position bool
}

// design lays out the columns of a row at a place, mass being the row's share of 1.
func design(p *Pick, row []float64, mass float64, position bool, out []float64) []float64 {
	out = append(out[:0], mass)
	out = append(out, row...)
	if position {
		for i := range out {
			out[i] *= p.Examined
		}
		return out
	}
	at := len(out)
	for range placeColumns {
		out = append(out, 0)
	}
	out[at+min(p.Place, placeColumns-1)] = mass
	return out
}

func (m *rewardModel) expect(p *Pick, row []float64, mass float64, scratch []float64) (float64, []float64) {
	scratch = design(p, row, mass, m.position, scratch)
	sum := 0.0
	for i, x := range scratch {
		sum += m.theta[i] * x
	}
	return sum, scratch
}

// normal are the normal equations of one fold.
type normal struct {
	a *mat.SymDense
	b *mat.VecDense
}

// crossFit fits one model per fold of people, each to the people of the other folds.
// Weighed by one over the examination, what is shown is expected to earn what it earned in
// all, also where the curve is not quite that of the places: unweighted, its foot would be
// fitted to its head.
func (s *Sample) crossFit(ctx context.Context, reward int, folds int, ridge float64, cluster []int) ([]*rewardModel, error) {
	width := 1 + s.Width
	if !s.Position {
		width += placeColumns
	}
	parts := make([]normal, folds)
	for f := range parts {
		parts[f] = normal{mat.NewSymDense(width, nil), mat.NewVecDense(width, nil)}
	}
	var row []float64
	for i := range s.Lists {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		part := parts[fold(cluster[i], folds)]
		raw := part.a.RawSymmetric()
		for j := range s.Lists[i].Picks {
			p := &s.Lists[i].Picks[j]
			row = design(p, p.Shown, 1, s.Position, row)
			weight := 1 / p.Examined // rewards vary as much as their places are looked at
			for a, x := range row {
				if x *= weight; x == 0 {
					continue
				}
				to := raw.Data[a*raw.Stride+a : a*raw.Stride+width]
				for b, y := range row[a:] {
					to[b] += x * y
				}
				part.b.SetVec(a, part.b.AtVec(a)+x*p.Rewards[reward])
			}
		}
	}
	out := make([]*rewardModel, folds)
	for f := range out {
		a, b := mat.NewSymDense(width, nil), mat.NewVecDense(width, nil)
		for g := range parts {
			if g != f || folds == 1 {
				a.AddSym(a, parts[g].a)
				b.AddVec(b, parts[g].b)
			}
		}
		for k := range width {
			a.SetSym(k, k, a.At(k, k)+ridge)
		}
		var chol mat.Cholesky
		theta := mat.NewVecDense(width, nil)
		if chol.Factorize(a) {
			if err := chol.SolveVecTo(theta, b); err != nil && !finite(theta.AtVec(0)) {
				theta.Zero()
			}
		}
		out[f] = &rewardModel{theta: theta.RawVector().Data, position: s.Position}
	}
	return out, nil
}

// fold spreads people over the folds, whatever order they came in.
func fold(cluster, folds int) int {
	h := uint64(cluster)*0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d
	h ^= h >> 31
	h *= 0xbf58476d1ce4e5b9
	return int((h >> 33) % uint64(folds))
}
