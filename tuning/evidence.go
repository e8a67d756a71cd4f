package tuning

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// depends reports whether choices depend on the terms more than chance would have it:
// a score test (Rao 1948) at 5 % of all weights being 0, against the model of places
// alone, with a variance over people, whose own choices resemble each other (White
// 1982).
func depends(p *pairSet, free []bool, l2 float64) bool {
	none := make([]bool, p.terms)
	base := fit(p, none, l2, 0) // places alone
	var terms []int
	for j, f := range free {
		if f {
			terms = append(terms, j)
		}
	}
	k := len(terms)
	if k == 0 {
		return false
	}
	for j := range placeFeatures {
		terms = append(terms, p.terms+j)
	}
	n := len(terms)
	score, meat := mat.NewVecDense(n, nil), mat.NewSymDense(n, nil)
	hessian := mat.NewSymDense(n, nil)
	one := newSlopes(p.width)
	g := mat.NewVecDense(n, nil)
	for group := range p.groups() {
		p.slopesOf(group, base.theta, one)
		for i, j := range terms {
			g.SetVec(i, one.g[j])
			for i2, j2 := range terms[:i+1] {
				hessian.SetSym(i, i2, hessian.At(i, i2)+one.h[at(j, j2)])
			}
		}
		score.AddVec(score, g)
		meat.SymRankOne(meat, 1, g)
	}
	ridge := 1e-9 * (1 + mat.Trace(hessian)/float64(n))
	for i := range n {
		hessian.SetSym(i, i, hessian.At(i, i)+ridge)
	}
	stat, ok := scoreTest(score, hessian, meat, k)
	return ok && stat > chiSquare95(float64(k))
}

// scoreTest is the robust score statistic of the first k of all parameters, the others
// having been fitted.
func scoreTest(score *mat.VecDense, hessian, meat *mat.SymDense, k int) (float64, bool) {
	n := score.Len()
	// A = [I, −H12 H22⁻¹]: the efficient score is A·score, its variance A·meat·Aᵀ.
	a := mat.NewDense(k, n, nil)
	for i := range k {
		a.Set(i, i, 1)
	}
	if n > k {
		h12, h22 := mat.NewDense(k, n-k, nil), mat.NewSymDense(n-k, nil)
		for i := range k {
			for j := k; j < n; j++ {
				h12.Set(i, j-k, hessian.At(i, j))
			}
		}
		for i := k; i < n; i++ {
			for j := k; j <= i; j++ {
				h22.SetSym(i-k, j-k, hessian.At(i, j))
			}
		}
		var chol mat.Cholesky
		if !chol.Factorize(h22) {
			return 0, false
		}
		var x mat.Dense
		if chol.SolveTo(&x, h12.T()) != nil {
			return 0, false
		}
		for i := range k {
			for j := range n - k {
				a.Set(i, k+j, -x.At(j, i))
			}
		}
	}
	var u mat.VecDense
	u.MulVec(a, score)
	var am, v mat.Dense
	am.Mul(a, meat)
	v.Mul(&am, a.T())
	sym := mat.NewSymDense(k, nil)
	for i := range k {
		for j := range i + 1 {
			sym.SetSym(i, j, (v.At(i, j)+v.At(j, i))/2)
		}
	}
	ridge := 1e-9 * (1e-12 + mat.Trace(sym)/float64(k))
	for i := range k {
		sym.SetSym(i, i, sym.At(i, i)+ridge)
	}
	var chol mat.Cholesky
	if !chol.Factorize(sym) {
		return 0, false
	}
	var solved mat.VecDense
	if chol.SolveVecTo(&solved, &u) != nil {
		return 0, false
	}
	return mat.Dot(&u, &solved), true
}

// chiSquare95 is the 95th percentile of χ² with k degrees of freedom (Wilson and
// Hilferty 1931).
func chiSquare95(k float64) float64 {
	c := 2 / (9 * k)
	return k * math.Pow(1-c+1.6449*math.Sqrt(c), 3)
}
