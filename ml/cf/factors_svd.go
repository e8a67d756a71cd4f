package cf

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/viterin/vek/vek32"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/mat"

	"github.com/lectern-dev/lectern"
)

// axpy adds scale times x to y.
func axpy(scale float32, x, y []float32) {
	blas32.Axpy(scale, blas32.Vector{N: len(x), Inc: 1, Data: x}, blas32.Vector{N: len(y), Inc: 1, Data: y})
}

// rightBasis returns the right singular vectors, [dim][n] and orthonormal, of the
// largest singular values of a, row-major with n columns, the largest first; those
// beyond its rank are 0.
func rightBasis(ctx context.Context, a []float32, n, dim int) ([][]float32, error) {
	rank := min(dim+factorExtra, n)
	basis := make([][]float32, rank)
	for k := range basis {
		random := rand.New(rand.NewPCG(factorSeed, uint64(k)))
		basis[k] = make([]float32, n)
		for i := range basis[k] {
			basis[k][i] = float32(random.NormFloat64())
		}
	}
	if _, err := orthonormalise(ctx, basis); err != nil {
		return nil, err
	}
	for range factorPasses {
		image, err := forward(ctx, a, n, basis)
		if err != nil {
			return nil, err
		}
		if err := backward(ctx, a, n, image, basis); err != nil {
			return nil, err
		}
		if _, err := orthonormalise(ctx, basis); err != nil {
			return nil, err
		}
	}
	// Within the space that was found, the directions by how much a has of them.
	image, err := forward(ctx, a, n, basis)
	if err != nil {
		return nil, err
	}
	_, turn, err := spectrum(ctx, image)
	if err != nil {
		return nil, err
	}
	if err := recombine(ctx, basis, turn); err != nil {
		return nil, err
	}
	for len(basis) < dim {
		basis = append(basis, make([]float32, n))
	}
	return basis[:dim], nil
}

// forward returns a·basisᵀ as [len(basis)][rows of a].
func forward(ctx context.Context, a []float32, n int, basis [][]float32) ([][]float32, error) {
	rows := len(a) / n
	image := make([][]float32, len(basis))
	for k := range image {
		image[k] = make([]float32, rows)
	}
	return image, inBlocks(ctx, rows, 16, func(from, to int) {
		for k, x := range basis {
			for r := from; r < to; r++ {
				image[k][r] = vek32.Dot(a[r*n:(r+1)*n], x)
			}
		}
	})
}

// backward sets basis to aᵀ·image.
func backward(ctx context.Context, a []float32, n int, image, basis [][]float32) error {
	rows := len(a) / n
	const group = 4 // directions that share a pass over a
	return inBlocks(ctx, len(basis), group, func(from, to int) {
		for k := from; k < to; k++ {
			clear(basis[k])
		}
		for r := range rows {
			row := a[r*n : (r+1)*n]
			for k := from; k < to; k++ {
				axpy(image[k][r], row, basis[k])
			}
		}
	})
}

// orthonormalise makes vectors orthonormal, by falling share of the space they span;
// those that the others span already become 0. It returns how many are left.
func orthonormalise(ctx context.Context, vectors [][]float32) (int, error) {
	left := 0
	for range 2 { // the second time takes away what rounding left
		values, turn, err := spectrum(ctx, vectors)
		if err != nil {
			return 0, err
		}
		left = 0
		for k, v := range values {
			scale := float32(0)
			if v > 1e-10*values[0] && v > 0 {
				scale = float32(1 / math.Sqrt(v))
				left++
			}
			vek32.MulNumber_Inplace(turn[k], scale)
		}
		if err := recombine(ctx, vectors, turn); err != nil {
			return 0, err
		}
	}
	return left, nil
}

// spectrum returns the eigenvalues of the Gram matrix of vectors, falling, and its
// eigenvectors, [k][len(vectors)].
func spectrum(ctx context.Context, vectors [][]float32) ([]float64, [][]float32, error) {
	n := len(vectors)
	gram := mat.NewSymDense(n, nil)
	err := parallel(ctx, n, func(i int) {
		for j := i; j < n; j++ {
			gram.SetSym(i, j, wideDot(vectors[i], vectors[j]))
		}
	})
	if err != nil {
		return nil, nil, err
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(gram, true) {
		return nil, nil, lectern.Errorf(lectern.CodeInternal, "factors: a Gram matrix has no eigenvalues")
	}
	var q mat.Dense
	eigen.VectorsTo(&q)
	rising := eigen.Values(nil)
	values, turn := make([]float64, n), make([][]float32, n)
	for k := range n {
		values[k] = rising[n-1-k]
		turn[k] = make([]float32, n)
		for i := range n {
			turn[k][i] = float32(q.At(i, n-1-k))
		}
	}
	return values, turn, nil
}

// recombine replaces vector k by the sum of all with the weights turn[k].
func recombine(ctx context.Context, vectors, turn [][]float32) error {
	fresh := make([][]float32, len(vectors))
	err := parallel(ctx, len(vectors), func(k int) {
		fresh[k] = make([]float32, len(vectors[k]))
		for i, w := range turn[k] {
			axpy(w, vectors[i], fresh[k])
		}
	})
	if err != nil {
		return err
	}
	copy(vectors, fresh)
	return nil
}

// wideDot is a dot product summed in double precision, a part at a time.
func wideDot(a, b []float32) float64 {
	const part = 256
	var sum float64
	for from := 0; from < len(a); from += part {
		to := min(from+part, len(a))
		sum += float64(vek32.Dot(a[from:to], b[from:to]))
	}
	return sum
}
