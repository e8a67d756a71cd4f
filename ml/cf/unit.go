package cf

import (
	"math"

	"github.com/viterin/vek/vek32"

	"github.com/lectern-dev/lectern"
)

// UnitItems turns the items of a model into vectors of dim float32 and unit length
// whose dot product with [UnitQuery] orders them as the model's factors do, so that
// an index for cosines finds the largest inner products: divided by the longest, an
// item of length l gets one more number √(1−l²), and zeros up to dim (Bachrach et al.
// 2014, "Speeding Up the Xbox Recommender System Using a Euclidean Transformation
// for Inner-Product Spaces"; Neyshabur and Srebro 2015). vector returns nil for an item
// that the model knows nothing of; it may be called concurrently. Errors: CodeInvalid
// when the factors with that number are longer than dim, and for a model without any.
func UnitItems(m Factored, dim int) (vector func(item int32) []float32, err error) {
	n := m.Dim()
	if n < 1 || n+1 > dim {
		return nil, lectern.Errorf(lectern.CodeInvalid, "factors of length %d with one number more do not fit into %d", n, dim)
	}
	longest := 0.
	for i := range int32(m.Items()) {
		if v := m.ItemFactor(i); v != nil {
			longest = max(longest, length(v))
		}
	}
	if longest == 0 || math.IsInf(longest, 0) || math.IsNaN(longest) {
		return nil, lectern.Errorf(lectern.CodeInvalid, "no course has a factor that can be scaled to unit length")
	}
	return func(item int32) []float32 {
		v := m.ItemFactor(item)
		if v == nil {
			return nil
		}
		unit := make([]float32, dim)
		var square float64
		for i, x := range v {
			y := float64(x) / longest
			unit[i] = float32(y)
			square += y * y
		}
		unit[n] = float32(math.Sqrt(max(0, 1-square)))
		return unit
	}, nil
}

// UnitQuery turns the factor of a learner into the query of unit length, dim float32,
// for vectors of [UnitItems]; nil for a factor that is nil, has no direction, or does
// not fit.
func UnitQuery(factor []float32, dim int) []float32 {
	if len(factor) == 0 || len(factor)+1 > dim {
		return nil
	}
	l := length(factor)
	if !(l > 0) || math.IsInf(l, 0) {
		return nil
	}
	unit := make([]float32, dim)
	for i, x := range factor {
		unit[i] = float32(float64(x) / l)
	}
	return unit
}

// length is the Euclidean length of a vector that is not empty, in double precision
// where single has no room.
func length(v []float32) float64 {
	if l := float64(vek32.Norm(v)); l > 1e-15 && l < 1e15 {
		return l
	}
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	return math.Sqrt(square)
}
