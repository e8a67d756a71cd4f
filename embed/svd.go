package embed

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"

	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/mat"
)

// sparseMatrix is a matrix in compressed rows.
type sparseMatrix struct {
	rows, cols int
	start      []int // [rows+1]
	index      []int32
	value      []float32
}

// transpose returns the matrix in compressed rows of its transpose.
func (m *sparseMatrix) transpose() *sparseMatrix {
	t := &sparseMatrix{
		rows: m.cols, cols: m.rows,
		start: make([]int, m.cols+1), index: make([]int32, len(m.index)), value: make([]float32, len(m.value)),
	}
	for _, c := range m.index {
		t.start[c+1]++
	}
	for c := range m.cols {
		t.start[c+1] += t.start[c]
	}
	next := append([]int(nil), t.start[:m.cols]...)
	for r := range m.rows {
		for i := m.start[r]; i < m.start[r+1]; i++ {
			c := m.index[i]
			t.index[next[c]], t.value[next[c]] = int32(r), m.value[i]
			next[c]++
		}
	}
	return t
}

// dense is a matrix of rows.
type dense struct {
	rows, cols int
	data       []float32 // [rows*cols]
}

func newDense(rows, cols int) *dense { return &dense{rows, cols, make([]float32, rows*cols)} }

func (d *dense) row(i int) []float32 { return d.data[i*d.cols : (i+1)*d.cols] }

// times returns m·x, splitting the rows among workers. Each row is summed in one
// order, so the result does not depend on how many there are.
func (m *sparseMatrix) times(x *dense, workers int) *dense {
	y := newDense(m.rows, x.cols)
	inBlocks(m.rows, workers, func(from, to int) {
		out := blas32.Vector{N: x.cols, Inc: 1}
		in := blas32.Vector{N: x.cols, Inc: 1}
		for r := from; r < to; r++ {
			out.Data = y.row(r)
			for i := m.start[r]; i < m.start[r+1]; i++ {
				in.Data = x.row(int(m.index[i]))
				blas32.Axpy(m.value[i], in, out)
			}
		}
	})
	return y
}

// inBlocks runs do over [0, n) in parts, on as many goroutines as workers, and
// waits for them.
func inBlocks(n, workers int, do func(from, to int)) {
	const block = 32
	if n <= block { // not worth a goroutine
		do(0, n)
		return
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	next := 0
	for range max(workers, 1) {
		wg.Go(func() {
			for {
				mu.Lock()
				from := next
				next += block
				mu.Unlock()
				if from >= n {
					return
				}
				do(from, min(from+block, n))
			}
		})
	}
	wg.Wait()
}

// gram returns dᵀd in double precision.
func (d *dense) gram(workers int) *mat.SymDense {
	full := d.crossGram(d, workers)
	sym := mat.NewSymDense(d.cols, nil)
	for i := range d.cols {
		for j := i; j < d.cols; j++ {
			sym.SetSym(i, j, (full.At(i, j)+full.At(j, i))/2)
		}
	}
	return sym
}

// crossGram returns dᵀe in double precision, summed over blocks of rows in one
// order whatever the number of workers.
func (d *dense) crossGram(e *dense, workers int) *mat.Dense {
	const block = 512
	sum := mat.NewDense(d.cols, e.cols, nil)
	batch := max(workers, 1)
	parts := make([]mat.Dense, batch)
	for first := 0; first < d.rows; first += batch * block {
		var wg sync.WaitGroup
		for b := range batch {
			from := first + b*block
			to := min(from+block, d.rows)
			if from >= to {
				break
			}
			wg.Go(func() { parts[b].Mul(d.wide(from, to).T(), e.wide(from, to)) })
		}
		wg.Wait()
		for b := range batch {
			if first+b*block < d.rows {
				sum.Add(sum, &parts[b])
			}
		}
	}
	return sum
}

// wide returns some rows in double precision.
func (d *dense) wide(from, to int) *mat.Dense {
	m := make([]float64, (to-from)*d.cols)
	for i, v := range d.data[from*d.cols : to*d.cols] {
		m[i] = float64(v)
	}
	return mat.NewDense(to-from, d.cols, m)
}

// timesSmall returns d·w for a small dense w.
func (d *dense) timesSmall(w *mat.Dense, workers int) *dense {
	_, cols := w.Dims()
	narrow := newDense(d.cols, cols)
	for i := range d.cols {
		for j := range cols {
			narrow.data[i*cols+j] = float32(w.At(i, j))
		}
	}
	y := newDense(d.rows, cols)
	inBlocks(d.rows, workers, func(from, to int) {
		out := blas32.Vector{N: cols, Inc: 1}
		in := blas32.Vector{N: cols, Inc: 1}
		for r := from; r < to; r++ {
			out.Data = y.row(r)
			for i, v := range d.row(r) {
				in.Data = narrow.row(i)
				blas32.Axpy(v, in, out)
			}
		}
	})
	return y
}

// spectrum returns the eigenvalues of a positive semi-definite matrix, falling,
// with their vectors as columns, without those that are zero but for rounding.
func spectrum(s *mat.SymDense) (values []float64, vectors *mat.Dense, ok bool) {
	var eig mat.EigenSym
	if !eig.Factorize(s, true) {
		return nil, nil, false
	}
	all := eig.Values(nil)
	var v mat.Dense
	eig.VectorsTo(&v)
	n := len(all)
	keep := 0
	for keep < n && all[n-1-keep] > all[n-1]*1e-9 && all[n-1-keep] > 0 {
		keep++
	}
	if keep == 0 {
		return nil, nil, true
	}
	vectors = mat.NewDense(n, keep, nil)
	for k := range keep {
		values = append(values, all[n-1-k])
		// The sign of an eigenvector is arbitrary: make its largest part positive.
		sign, largest := 1.0, 0.0
		for i := range n {
			if x := v.At(i, n-1-k); math.Abs(x) > largest+1e-12 {
				largest = math.Abs(x)
				sign = math.Copysign(1, x)
			}
		}
		for i := range n {
			vectors.Set(i, k, sign*v.At(i, n-1-k))
		}
	}
	return values, vectors, true
}

// orthonormal returns a basis of the columns of d. One pass makes it nearly
// orthonormal, a second repairs what rounding did to the first.
func (d *dense) orthonormal(passes, workers int) (*dense, bool) {
	for range passes {
		values, vectors, ok := spectrum(d.gram(workers))
		if !ok || len(values) == 0 {
			return nil, false
		}
		for k, s := range values {
			for i := range d.cols {
				vectors.Set(i, k, vectors.At(i, k)/math.Sqrt(s))
			}
		}
		d = d.timesSmall(vectors, workers)
	}
	return d, true
}

// svd holds the leading singular values, falling, and the right singular vectors
// as columns of a [cols × len(values)] matrix.
type svd struct {
	values []float64
	right  *dense
}

// truncatedSVD finds up to rank leading singular triplets of a by subspace
// iteration from a random start. It returns ctx's error when cancelled, and no
// values when a is zero.
func truncatedSVD(ctx context.Context, a *sparseMatrix, rank, iterations, workers int, rng *rand.Rand) (svd, error) {
	const oversample = 16
	at := a.transpose()
	width := min(rank+oversample, a.rows, a.cols)
	omega := newDense(a.cols, width)
	for i := range omega.data {
		omega.data[i] = float32(rng.NormFloat64())
	}
	y := a.times(omega, workers)
	for i := 0; ; i++ {
		if err := ctx.Err(); err != nil {
			return svd{}, err
		}
		passes := 1
		if i == iterations { // only the last basis has to be exact
			passes = 2
		}
		q, ok := y.orthonormal(passes, workers)
		if !ok {
			return svd{}, nil
		}
		b := at.times(q, workers) // aᵀq
		if i < iterations {
			y = a.times(b, workers)
			continue
		}
		values, vectors, ok := spectrum(b.gram(workers))
		if !ok || len(values) == 0 {
			return svd{}, nil
		}
		keep := min(rank, len(values))
		w := mat.NewDense(b.cols, keep, nil)
		out := svd{values: make([]float64, keep)}
		for k := range keep {
			out.values[k] = math.Sqrt(values[k])
			for i := range b.cols {
				w.Set(i, k, vectors.At(i, k)/out.values[k])
			}
		}
		out.right = b.timesSmall(w, workers)
		return out, nil
	}
}
