package qdranttest

import (
	"maps"
	"slices"
)

// entries is what the word index holds of a point that has the vector.
func (p *point) entries(name string) sparseVector {
	return union(p.sparse[name], p.stale[name])
}

// leftBehind is what remains stale when a point is written over this one: what
// the new point has entries of its own for is replaced. A sealed point moves into
// another segment and leaves nothing.
func (p *point) leftBehind(next *point) map[string]sparseVector {
	if p.sealed || len(p.stale) == 0 {
		return nil
	}
	out := map[string]sparseVector{}
	for name, stale := range p.stale {
		var left sparseVector
		for i, index := range stale.indices {
			if _, replaced := slices.BinarySearch(next.sparse[name].indices, index); !replaced {
				left.indices, left.values = append(left.indices, index), append(left.values, stale.values[i])
			}
		}
		out[name] = left
	}
	return out
}

// withDeleted adds the entries that a point had for sparse vectors.
func withDeleted(stale map[string]sparseVector, p *point, names []string) map[string]sparseVector {
	out := maps.Clone(stale)
	if out == nil {
		out = map[string]sparseVector{}
	}
	for _, name := range names {
		if v, ok := p.sparse[name]; ok {
			out[name] = union(v, out[name])
		}
	}
	return out
}

// union has the entries of both, those of a where both have one.
func union(a, b sparseVector) sparseVector {
	if len(b.indices) == 0 {
		return a
	}
	values := map[uint32]float32{}
	for _, v := range []sparseVector{b, a} {
		for i, index := range v.indices {
			values[index] = v.values[i]
		}
	}
	out := sparseVector{indices: slices.Sorted(maps.Keys(values))}
	for _, index := range out.indices {
		out.values = append(out.values, values[index])
	}
	return out
}
