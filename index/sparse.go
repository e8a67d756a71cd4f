package index

import (
	"math"
	"math/bits"
	"sort"

	"github.com/lectern-dev/lectern"
)

// posting is a row that has a term, with the term's weight in it.
type posting struct {
	row    uint32
	weight float32
}

// inverted lists for every term of one named sparse vector the rows that have
// it. It is guarded by Index.mu; lists are append-only, so a slice taken under
// the lock may be read after it.
type inverted struct {
	term  map[uint32]uint32 // number of the list
	lists [][]posting       // rows rising, dead ones among them
	end   uint32            // above every row that has postings
}

func newInverted() *inverted { return &inverted{term: map[uint32]uint32{}} }

// add records the terms of a row, which is above all rows before.
func (x *inverted) add(row uint32, v lectern.SparseVector) {
	x.end = row + 1
	for i, t := range v.Indices {
		n, ok := x.term[t]
		if !ok {
			n = uint32(len(x.lists))
			x.term[t] = n
			x.lists = append(x.lists, nil)
		}
		x.lists[n] = append(x.lists[n], posting{row, v.Values[i]})
	}
}

// weighted is the posting list of one query term.
type weighted struct {
	list   []posting
	weight float32
}

// take looks up the lists of a query, cut to the rows below n.
func (x *inverted) take(q lectern.SparseVector, n int) []weighted {
	out := make([]weighted, 0, len(q.Indices))
	for i, t := range q.Indices {
		at, ok := x.term[t]
		if !ok {
			continue
		}
		list := x.lists[at]
		if k := len(list); k > 0 && int(list[k-1].row) >= n {
			list = list[:sort.Search(k, func(j int) bool { return int(list[j].row) >= n })]
		}
		if len(list) > 0 {
			out = append(out, weighted{list, q.Values[i]})
		}
	}
	return out
}

// accumulator adds up scores by row. It is kept between searches; all zero when
// at rest.
type accumulator struct {
	score   []float32
	touched bitset
}

// grow makes room for n rows.
func (a *accumulator) grow(n int) {
	if len(a.score) < n {
		a.score = make([]float32, n+n/4)
		a.touched = newBitset(len(a.score))
	}
}

// sum adds every term's contribution. Terms are added in the order of the
// query, so a row's score does not depend on what else is stored.
func (a *accumulator) sum(terms []weighted) {
	for _, t := range terms {
		for _, p := range t.list {
			a.score[p.row] += t.weight * p.weight
			a.touched[p.row>>6] |= 1 << (p.row & 63)
		}
	}
}

// drain offers every touched row that is allowed and goes back to rest.
func (a *accumulator) drain(allowed bitset, best *topK) {
	for i, words := 0, len(allowed); i < words; i++ {
		touched := a.touched[i]
		if touched == 0 {
			continue
		}
		base := i << 6
		for w := touched & allowed[i]; w != 0; w &= w - 1 {
			row := base + bits.TrailingZeros64(w)
			best.offer(a.score[row], uint32(row))
		}
		clear(a.score[base:min(base+64, len(a.score))])
		a.touched[i] = 0
	}
}

// checkSparse says what is wrong with a sparse vector, "" if nothing is.
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

// finite reports whether no number is infinite or NaN: their exponent bits are
// all set.
func finite(v []float32) bool {
	const exponent = 0xff << 23
	for _, x := range v {
		if math.Float32bits(x)&exponent == exponent {
			return false
		}
	}
	return true
}
