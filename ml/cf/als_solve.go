package cf

import (
	"context"
	"math"
	"slices"

	"github.com/viterin/vek/vek32"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/mat"

	"github.com/lectern-dev/lectern"
)

// fade makes each interaction of a learner weigh less by the factor decay for each
// one after it.
func (r *rows) fade(decay float64) {
	if decay == 1 {
		return
	}
	for u := range r.len() {
		_, weight := r.of(u)
		factor := 1.
		for i := len(weight) - 1; i >= 0; i-- {
			weight[i] *= float32(max(factor, leastDecay))
			factor *= decay
		}
	}
}

// transpose returns who took each of n courses, with the same weights.
func (r *rows) transpose(n int) *rows {
	t := &rows{start: make([]int, n+1), item: make([]int32, len(r.item)), weight: make([]float32, len(r.weight))}
	for _, i := range r.item {
		t.start[i+1]++
	}
	for i := range n {
		t.start[i+1] += t.start[i]
	}
	next := slices.Clone(t.start)
	for u := range r.len() {
		items, weight := r.of(u)
		for k, i := range items {
			t.item[next[i]], t.weight[next[i]] = int32(u), weight[k]
			next[i]++
		}
	}
	return t
}

// mass is the sum of all weights.
func (r *rows) mass() float64 {
	var sum float64
	for _, w := range r.weight {
		sum += float64(w)
	}
	return sum
}

// alsObjective has what the squared errors and the regularisation weigh.
type alsObjective struct {
	alpha float64 // of each score that is taken to be 0 (α0)
	reg   float64 // λ
	nu    float64 // ν
}

// alsSide are the rows of one side with their factors.
type alsSide struct {
	rows   *rows
	across int // rows of the other side
	dim    int
	factor []float32 // [rows*dim]
}

// solve moves every row of s towards its minimum with the other side as it is.
func (s *alsSide) solve(ctx context.Context, other *alsSide, c alsObjective, steps int) error {
	gram, err := other.diagonalise(ctx, s)
	if err != nil {
		return err
	}
	return inBlocks(ctx, s.rows.len(), 64, func(from, to int) {
		solver := newALSSolver(s.dim)
		for r := from; r < to; r++ {
			index, value := s.rows.of(r)
			x := s.factor[r*s.dim : (r+1)*s.dim]
			if len(index) == 0 {
				clear(x)
				continue
			}
			solver.solve(x, index, value, other.factor, gram, c, s.across, steps)
		}
	})
}

// diagonalise turns the basis of both sides to the eigenvectors of s's Gram matrix
// and returns its eigenvalues: no score changes by it. with may be nil.
func (s *alsSide) diagonalise(ctx context.Context, with *alsSide) ([]float32, error) {
	gram, err := s.gram(ctx)
	if err != nil {
		return nil, err
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(gram, true) {
		return nil, lectern.Errorf(lectern.CodeInternal, "als: the Gram matrix has no eigenvalues")
	}
	var q mat.Dense
	eigen.VectorsTo(&q)
	turn := blas32.General{Rows: s.dim, Cols: s.dim, Stride: s.dim, Data: make([]float32, s.dim*s.dim)}
	for i := range s.dim {
		for j := range s.dim {
			turn.Data[i*s.dim+j] = float32(q.At(i, j))
		}
	}
	if err := s.times(ctx, turn); err != nil {
		return nil, err
	}
	if with != nil {
		if err := with.times(ctx, turn); err != nil {
			return nil, err
		}
	}
	values := make([]float32, s.dim)
	for i, v := range eigen.Values(nil) {
		values[i] = float32(max(v, 0))
	}
	return values, nil
}

// gram returns factorᵀ·factor. Sums are over parts that do not depend on the
// number of workers, added in one order.
func (s *alsSide) gram(ctx context.Context) (*mat.SymDense, error) {
	const parts, block = 64, 256
	size := s.dim * s.dim
	sums := make([][]float64, parts)
	each := (s.rows.len() + parts - 1) / parts
	err := parallel(ctx, parts, func(part int) {
		sum := make([]float64, size)
		g := blas32.Symmetric{N: s.dim, Stride: s.dim, Uplo: blas.Upper, Data: make([]float32, size)}
		end := min((part+1)*each, s.rows.len())
		for from := part * each; from < end; from += block {
			to := min(from+block, end)
			rows := blas32.General{Rows: to - from, Cols: s.dim, Stride: s.dim, Data: s.factor[from*s.dim : to*s.dim]}
			blas32.Syrk(blas.Trans, 1, rows, 0, g)
			for i, v := range g.Data {
				sum[i] += float64(v)
			}
		}
		sums[part] = sum
	})
	if err != nil {
		return nil, err
	}
	for _, sum := range sums[1:] {
		for i, v := range sum {
			sums[0][i] += v
		}
	}
	return mat.NewSymDense(s.dim, sums[0]), nil
}

// times replaces each factor f by f·turn.
func (s *alsSide) times(ctx context.Context, turn blas32.General) error {
	const block = 256
	return inBlocks(ctx, s.rows.len(), block, func(from, to int) {
		rows := blas32.General{Rows: to - from, Cols: s.dim, Stride: s.dim, Data: s.factor[from*s.dim : to*s.dim]}
		out := blas32.General{Rows: to - from, Cols: s.dim, Stride: s.dim, Data: make([]float32, (to-from)*s.dim)}
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, rows, turn, 0, out)
		copy(rows.Data, out.Data)
	})
}

// alsSolver solves one row at a time. Not for concurrent use.
type alsSolver struct {
	diagonal, residual, scaled, direction, image []float32 // [dim]
}

func newALSSolver(dim int) *alsSolver {
	all := make([]float32, 5*dim)
	part := func(i int) []float32 { return all[i*dim : (i+1)*dim : (i+1)*dim] }
	return &alsSolver{diagonal: part(0), residual: part(1), scaled: part(2), direction: part(3), image: part(4)}
}

// solve improves x towards the solution of
//
//	(α0·G + λ·I + Σ c·f·fᵀ) x = Σ c·f
//
// where G is the diagonal gram, f the factors of the row's interactions and c their
// confidences, by preconditioned conjugate gradients.
func (s *alsSolver) solve(x []float32, index []int32, value, factor, gram []float32, c alsObjective, across, steps int) {
	dim := len(x)
	var total float64
	for _, v := range value {
		total += float64(v)
	}
	reg := float32(c.reg * math.Pow(total+c.alpha*float64(across), c.nu))
	alpha := float32(c.alpha)
	for i, g := range gram {
		s.diagonal[i] = alpha*g + reg
		s.residual[i] = -s.diagonal[i] * x[i]
	}
	rhs := blas32.Vector{N: dim, Inc: 1, Data: s.residual}
	for k, item := range index {
		f := factor[int(item)*dim : (int(item)+1)*dim]
		blas32.Axpy(value[k]*(1-vek32.Dot(f, x)), blas32.Vector{N: dim, Inc: 1, Data: f}, rhs)
	}
	s.precondition()
	copy(s.direction, s.scaled)
	fit := vek32.Dot(s.residual, s.scaled)
	stop := fit * 1e-8
	for range steps {
		if !(fit > stop) {
			return
		}
		s.multiply(index, value, factor)
		step := fit / vek32.Dot(s.direction, s.image)
		blas32.Axpy(step, blas32.Vector{N: dim, Inc: 1, Data: s.direction}, blas32.Vector{N: dim, Inc: 1, Data: x})
		blas32.Axpy(-step, blas32.Vector{N: dim, Inc: 1, Data: s.image}, rhs)
		s.precondition()
		next := vek32.Dot(s.residual, s.scaled)
		turn := next / fit
		for i, v := range s.scaled {
			s.direction[i] = v + turn*s.direction[i]
		}
		fit = next
	}
}

// precondition divides the residual by the diagonal.
func (s *alsSolver) precondition() {
	for i, v := range s.residual {
		s.scaled[i] = v / s.diagonal[i]
	}
}

// multiply sets image to the row's matrix times direction.
func (s *alsSolver) multiply(index []int32, value, factor []float32) {
	dim := len(s.direction)
	for i, v := range s.direction {
		s.image[i] = s.diagonal[i] * v
	}
	out := blas32.Vector{N: dim, Inc: 1, Data: s.image}
	for k, item := range index {
		f := factor[int(item)*dim : (int(item)+1)*dim]
		blas32.Axpy(value[k]*vek32.Dot(f, s.direction), blas32.Vector{N: dim, Inc: 1, Data: f}, out)
	}
}

// inBlocks calls do for every block of rows in [0, n), on all processors.
func inBlocks(ctx context.Context, n, block int, do func(from, to int)) error {
	return parallel(ctx, (n+block-1)/block, func(i int) { do(i*block, min((i+1)*block, n)) })
}
