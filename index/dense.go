package index

import (
	"context"
	"math/bits"
)

// chunkRows is how many vectors lie in one piece of memory. Growing by pieces
// never copies what is there, so readers keep their view.
const chunkRows = 4096

// dense holds one named vector of every row that has it.
type dense struct {
	dim   int
	slot  []int32     // by row: which vector, -1 for none
	data  [][]float32 // chunks of chunkRows × dim
	slots int         // vectors stored, dead ones among them
	live  int
}

// at returns the vector in a slot; it may be read, not changed.
func (d *dense) at(slot int32) []float32 {
	chunk := d.data[slot/chunkRows]
	i := int(slot%chunkRows) * d.dim
	return chunk[i : i+d.dim : i+d.dim]
}

// of returns the vector of a row, nil if it has none.
func (d *dense) of(row uint32) []float32 {
	if s := d.slot[row]; s >= 0 {
		return d.at(s)
	}
	return nil
}

// append records the vector of the next row, nil for none. The caller has
// padded slot up to that row.
func (d *dense) append(v []float32) {
	if v == nil {
		d.slot = append(d.slot, -1)
		return
	}
	if d.slots%chunkRows == 0 {
		d.data = append(d.data, make([]float32, chunkRows*d.dim))
	}
	d.slot = append(d.slot, int32(d.slots))
	copy(d.at(int32(d.slots)), v)
	d.slots++
	d.live++
}

// pad says that all rows before n have no vector.
func (d *dense) pad(n int) {
	for len(d.slot) < n {
		d.slot = append(d.slot, -1)
	}
}

// scan offers the dot products of every query with every allowed row in the
// words [lo, hi) of the bitmap. A row is read once for all queries.
func (d *dense) scan(ctx context.Context, dot kernel, allowed bitset, lo, hi int, queries [][]float32, best []*topK) error {
	for i := lo; i < hi; i++ {
		if i&63 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for w := allowed[i]; w != 0; w &= w - 1 {
			row := uint32(i<<6 + bits.TrailingZeros64(w))
			s := d.slot[row]
			if s < 0 {
				continue
			}
			vec := d.at(s)
			for q, query := range queries {
				best[q].offer(dot(query, vec), row)
			}
		}
	}
	return nil
}
