package cf

import (
	"cmp"
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas/blas32"
)

// weights is a square item–item matrix: row i is what having taken course i adds
// to the score of every course. It is dense, or sparse when only the strongest
// entries of each row were kept.
type weights struct {
	n     int
	dense []float32 // [n][n] row-major, nil when sparse
	start []int32   // [n+1] into col and val
	col   []int32
	val   []float32
	low   []float32 // [n] the least entry of each row, at most 0
}

// newDense takes a row-major matrix [n][n] and keeps of each row the top entries
// of largest size, all for 0.
func newDense(ctx context.Context, dense []float32, n, top int) (weights, error) {
	w := weights{n: n, dense: dense}
	if top > 0 && top < n {
		kept := make([][]entry, n)
		err := parallel(ctx, n, func(i int) { kept[i] = strongest(dense[i*n:i*n+n], top) })
		if err != nil {
			return weights{}, err
		}
		w = newSparse(kept)
	}
	w.bound()
	return w, ctx.Err()
}

// favourRare multiplies the columns of a matrix over the catalogue's rows by their
// popularity to the power of −power.
func (c *catalogue) favourRare(dense []float32, power float64) {
	if power == 0 {
		return
	}
	n := len(c.share)
	for j, share := range c.share {
		by := float32(math.Pow(float64(share), -power))
		for i := range n {
			dense[i*n+j] *= by
		}
	}
}

// entry is one number of a sparse row.
type entry struct {
	col int32
	val float32
}

// newSparse makes a sparse matrix of rows whose entries are in rising columns.
func newSparse(kept [][]entry) weights {
	w := weights{n: len(kept), start: make([]int32, len(kept)+1)}
	total := 0
	for _, row := range kept {
		total += len(row)
	}
	w.col, w.val = make([]int32, 0, total), make([]float32, 0, total)
	for i, row := range kept {
		for _, e := range row {
			w.col, w.val = append(w.col, e.col), append(w.val, e.val)
		}
		w.start[i+1] = int32(len(w.col))
	}
	w.bound()
	return w
}

// strongest returns the top entries of a row that are largest in size, without
// zeros, in rising columns; all for top 0. Ties go to the lower column.
func strongest(row []float32, top int) []entry {
	var list []entry
	for j, v := range row {
		if v != 0 {
			list = append(list, entry{int32(j), v})
		}
	}
	return keepStrongest(list, top)
}

func keepStrongest(list []entry, top int) []entry {
	if top > 0 && len(list) > top {
		slices.SortFunc(list, func(a, b entry) int {
			return cmp.Or(cmp.Compare(math.Abs(float64(b.val)), math.Abs(float64(a.val))), cmp.Compare(a.col, b.col))
		})
		list = slices.Clone(list[:top])
		slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.col, b.col) })
	}
	return list
}

// bound finds the least entry of each row.
func (w *weights) bound() {
	w.low = make([]float32, w.n)
	for i := range w.n {
		row := w.val
		if w.dense != nil {
			row = w.dense[i*w.n : i*w.n+w.n]
		} else {
			row = row[w.start[i]:w.start[i+1]]
		}
		for _, v := range row {
			w.low[i] = min(w.low[i], v)
		}
	}
}

// addTo adds scale times row i to sum.
func (w *weights) addTo(sum []float32, i int32, scale float32) {
	if w.dense != nil {
		row := w.dense[int(i)*w.n : int(i)*w.n+w.n]
		blas32.Axpy(scale, blas32.Vector{N: w.n, Inc: 1, Data: row}, blas32.Vector{N: w.n, Inc: 1, Data: sum})
		return
	}
	for k := w.start[i]; k < w.start[i+1]; k++ {
		sum[w.col[k]] += scale * w.val[k]
	}
}

// bytes is the memory that the matrix takes.
func (w *weights) bytes() int {
	return 4 * (len(w.dense) + len(w.start) + len(w.col) + len(w.val) + len(w.low))
}

// save writes the matrix into a frame.
func (w *weights) save(f *frameWriter) {
	if w.dense != nil {
		f.u32(1)
		f.floats(w.dense)
		return
	}
	f.u32(0)
	f.ints(w.start)
	f.ints(w.col)
	f.floats(w.val)
}

// loadWeights reads a matrix [n][n].
func loadWeights(f *frameReader, n int) weights {
	w := weights{n: n}
	switch kind := f.u32(); kind {
	case 1:
		if n > maxDense {
			f.fail("claims a full matrix of %d courses", n)
			break
		}
		w.dense = f.floats(n * n)
	case 0:
		w.start = f.ints(n+1, 0, math.MaxInt32)
		if f.err == nil && (w.start[0] != 0 || !slices.IsSorted(w.start)) {
			f.fail("has rows out of order")
		}
		if f.err == nil {
			entries := int(w.start[n])
			w.col = f.ints(entries, 0, int32(n))
			w.val = f.floats(entries)
		}
	default:
		f.fail("holds an unknown kind of matrix (%d)", kind)
	}
	if f.err != nil {
		return weights{}
	}
	w.bound()
	return w
}

// maxDense is the largest full matrix that is read: 20,000² numbers.
const maxDense = 20_000
