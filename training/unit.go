package training

import (
	"math"

	"github.com/lectern-dev/lectern/ml/cf"
)

// unit are a model's factors as an index of unit vectors takes them: scaled by the
// longest one, with a last number that fills each up to length 1 and that queries
// have 0 of. The order by dot product stays exactly the model's (Bachrach et al.
// 2014, "Speeding Up the Xbox Recommender System Using a Euclidean Transformation
// for Inner-Product Spaces").
type unit struct {
	model cf.Factored
	dim   int
	items [][]float32 // [items][dim] or nil
}

// newUnit returns nil for a model without factors that fit into dim numbers.
func newUnit(m cf.Model, dim int) *unit {
	f, ok := m.(cf.Factored)
	if !ok || f.Dim() < 1 || f.Dim() >= dim {
		return nil
	}
	u := &unit{model: f, dim: dim, items: make([][]float32, f.Items())}
	longest := 0.0
	for i := range u.items {
		longest = max(longest, length(f.ItemFactor(int32(i))))
	}
	if !(longest > 0) || math.IsInf(longest, 0) {
		return nil
	}
	all := make([]float32, len(u.items)*dim) // in one piece, as they are read in one go
	for i := range u.items {
		x := f.ItemFactor(int32(i))
		if length(x) == 0 {
			continue
		}
		v, sum := all[i*dim:(i+1)*dim:(i+1)*dim], 0.0
		for j := range x {
			v[j] = float32(float64(x[j]) / longest)
			sum += float64(v[j]) * float64(v[j])
		}
		v[dim-1] = float32(math.Sqrt(max(0, 1-sum)))
		u.items[i] = v
	}
	return u
}

// query returns a learner's factor, nil when nothing can be said.
func (u *unit) query(h cf.History) []float32 {
	q := u.model.FoldIn(h)
	n := length(q)
	if !(n > 0) || math.IsInf(n, 0) {
		return nil
	}
	v := make([]float32, u.dim)
	for j := range q {
		v[j] = float32(float64(q[j]) / n)
	}
	return v
}

func length(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}
