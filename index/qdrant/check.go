package qdrant

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// shape is what an index has room for.
type shape struct {
	dense  map[string]int // dimensions by name
	sparse map[string]bool
}

// checkPoints refuses all points if any is not acceptable.
func (s shape) checkPoints(points []lectern.Point) error {
	for i, p := range points {
		where := "points[" + strconv.Itoa(i) + "]"
		if p.ID == "" || !utf8.ValidString(p.ID) {
			return lectern.Invalid("a point has no usable id",
				lectern.NewFieldError(where+".id", p.ID, "is empty or not UTF-8", "a course id"))
		}
		for name, v := range p.Dense {
			if err := s.checkDense(where+".dense."+name, p.ID, name, v); err != nil {
				return err
			}
		}
		for name, v := range p.Sparse {
			reason := checkSparse(v)
			if reason == "" && len(v.Indices) > 0 && !s.sparse[name] {
				reason = "has a name that this index was not made with"
			}
			if reason != "" {
				return lectern.Invalid("a vector is not usable",
					lectern.NewFieldError(where+".sparse."+name, p.ID, reason, "rising indices, finite values"))
			}
		}
	}
	return nil
}

func (s shape) checkDense(where, id, name string, v []float32) error {
	if len(v) == 0 {
		return nil
	}
	dim, ok := s.dense[name]
	switch {
	case !ok:
		return lectern.Invalid("a vector is not usable",
			lectern.NewFieldError(where, id, "has a name that this index was not made with", "make another index"))
	case len(v) != dim:
		return wrongDimension(where, len(v), dim)
	case !finite(v):
		return lectern.Invalid("a vector is not usable",
			lectern.NewFieldError(where, id, "holds a number that is not finite", "finite numbers"))
	}
	return nil
}

// checkQuery refuses a query that has not exactly one usable vector.
func (s shape) checkQuery(i int, q lectern.VectorQuery) error {
	where := "queries[" + strconv.Itoa(i) + "]"
	switch {
	case (q.Dense == nil) == (q.Sparse == nil):
		return lectern.Invalid("a query needs exactly one of a dense and a sparse vector",
			lectern.NewFieldError(where, q.Vector, "has none or both", "one vector"))
	case q.Sparse != nil:
		if reason := checkSparse(*q.Sparse); reason != "" {
			return lectern.Invalid("a query vector is not usable",
				lectern.NewFieldError(where+".sparse", q.Vector, reason, "rising indices, finite values"))
		}
	case !finite(q.Dense):
		return lectern.Invalid("a query vector is not usable",
			lectern.NewFieldError(where+".dense", q.Vector, "holds a number that is not finite", "finite numbers"))
	default:
		if dim, ok := s.dense[q.Vector]; ok && len(q.Dense) != dim {
			return wrongDimension(where+".dense", len(q.Dense), dim)
		}
	}
	return nil
}

// checkSparse says what is wrong with a vector, "" for nothing.
func checkSparse(v lectern.SparseVector) string {
	if len(v.Indices) != len(v.Values) {
		return "has not as many values as indices"
	}
	for i := 1; i < len(v.Indices); i++ {
		if v.Indices[i] <= v.Indices[i-1] {
			return "has indices that do not rise"
		}
	}
	if !finite(v.Values) {
		return "holds a number that is not finite"
	}
	return ""
}

func wrongDimension(where string, got, want int) error {
	return lectern.Invalid("a vector has the wrong dimension",
		lectern.NewFieldError(where, got, "has the wrong dimension", strconv.Itoa(want)))
}

func finite(v []float32) bool {
	for _, x := range v {
		if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return true
}
