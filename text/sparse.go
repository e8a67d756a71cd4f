package text

import (
	"cmp"
	"slices"

	"github.com/lectern-dev/lectern"
)

// sparseBuilder gathers weights by term id.
type sparseBuilder struct{ entries []sparseEntry }

type sparseEntry struct {
	id     uint32
	weight float32
}

func newSparseBuilder(n int) *sparseBuilder {
	return &sparseBuilder{entries: make([]sparseEntry, 0, n)}
}

func (b *sparseBuilder) add(id uint32, weight float32) {
	b.entries = append(b.entries, sparseEntry{id, weight})
}

// vector returns the weights in rising order of term id; where an id was added
// more than once the weights are summed, largest first so that the order of
// adding does not show.
func (b *sparseBuilder) vector() lectern.SparseVector {
	slices.SortFunc(b.entries, func(x, y sparseEntry) int {
		return cmp.Or(cmp.Compare(x.id, y.id), cmp.Compare(y.weight, x.weight))
	})
	v := lectern.SparseVector{Indices: make([]uint32, 0, len(b.entries)), Values: make([]float32, 0, len(b.entries))}
	for _, e := range b.entries {
		if n := len(v.Indices); n > 0 && v.Indices[n-1] == e.id {
			v.Values[n-1] += e.weight
			continue
		}
		v.Indices = append(v.Indices, e.id)
		v.Values = append(v.Values, e.weight)
	}
	return v
}
