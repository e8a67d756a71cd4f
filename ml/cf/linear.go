package cf

import (
	"context"
	"math"

	"github.com/viterin/vek"
	"github.com/viterin/vek/vek32"

	"github.com/lectern-dev/lectern"
)

// Dense algebra for the closed-form models. Every step is written as dot products
// of contiguous rows, since that kernel of vek runs about five times as fast as
// gonum's matrix product here, and in tiles that stay in the second-level cache.

const (
	tile  = 64  // rows of a tile
	depth = 256 // how much of its rows a tile takes at a time
	strip = 8   // rows of the second tile that stay in the first-level cache
)

// tiles is the number of tiles that cover n rows.
func tiles(n int) int { return (n + tile - 1) / tile }

// sums collects the dot products of one tile of rows with another.
type sums [tile][tile]float64

// add adds to s[i-i0][j-j0] the dot product of rows i and j of a, row-major with n
// columns, over the columns [lo, hi), for i in [i0, i1) and j in [j0, j1).
func (s *sums) add(a []float64, n, i0, i1, j0, j1, lo, hi int) {
	for k0 := lo; k0 < hi; k0 += depth {
		k1 := min(k0+depth, hi)
		for js := j0; js < j1; js += strip {
			je := min(js+strip, j1)
			for i := i0; i < i1; i++ {
				x, out := a[i*n+k0:i*n+k1], &s[i-i0]
				for j := js; j < je; j++ {
					out[j-j0] += vek.Dot(x, a[j*n+k0:j*n+k1])
				}
			}
		}
	}
}

// dot is the dot product of two slices of equal length, which may be empty.
func dot(x, y []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	return vek.Dot(x, y)
}

// invertSPD replaces a symmetric positive definite matrix, row-major [n][n] of
// which the lower triangle is read, by its inverse: Cholesky factor, inverse of
// the factor (kept transposed in the upper triangle), product. It works in place.
// Errors: the context's; CodeInvalid when a is not positive definite.
func invertSPD(ctx context.Context, a []float64, n int) error {
	if err := cholesky(ctx, a, n); err != nil {
		return err
	}
	diagonal := make([]float64, n) // of the factor, then of the inverse
	for i := range n {
		diagonal[i] = a[i*n+i]
		a[i*n+i] = 1 / diagonal[i]
	}
	if err := invertFactor(ctx, a, n, diagonal); err != nil {
		return err
	}
	if err := multiplyFactors(ctx, a, n, diagonal); err != nil {
		return err
	}
	return parallel(ctx, n, func(i int) {
		a[i*n+i] = diagonal[i]
		for j := i + 1; j < n; j++ {
			a[i*n+j] = a[j*n+i]
		}
	})
}

// cholesky puts the factor L of a = L·Lᵀ into the lower triangle of a.
func cholesky(ctx context.Context, a []float64, n int) error {
	blocks := tiles(n)
	for bj := range blocks {
		j0, j1 := bj*tile, min(bj*tile+tile, n)
		if !factorTile(a, n, j0, j1) {
			return lectern.Errorf(lectern.CodeInvalid, "matrix is not positive definite; the regularisation is too small for the data")
		}
		err := parallel(ctx, blocks-bj-1, func(t int) {
			i0 := (bj + 1 + t) * tile
			i1 := min(i0+tile, n)
			var s sums
			s.add(a, n, i0, i1, j0, j1, 0, j0)
			for i := i0; i < i1; i++ {
				for j := j0; j < j1; j++ {
					v := a[i*n+j] - s[i-i0][j-j0] - dot(a[i*n+j0:i*n+j], a[j*n+j0:j*n+j])
					a[i*n+j] = v / a[j*n+j]
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// factorTile factors the tile on the diagonal and reports whether it could.
func factorTile(a []float64, n, j0, j1 int) bool {
	var s sums
	s.add(a, n, j0, j1, j0, j1, 0, j0)
	for i := j0; i < j1; i++ {
		for j := j0; j <= i; j++ {
			v := a[i*n+j] - s[i-j0][j-j0] - dot(a[i*n+j0:i*n+j], a[j*n+j0:j*n+j])
			if i != j {
				a[i*n+j] = v / a[j*n+j]
				continue
			}
			if !(v > 0) || math.IsInf(v, 0) {
				return false
			}
			a[i*n+i] = math.Sqrt(v)
		}
	}
	return true
}

// invertFactor puts the transpose of L⁻¹ into the upper triangle and the diagonal
// of a, whose strictly lower triangle holds L, whose diagonal is given.
func invertFactor(ctx context.Context, a []float64, n int, diagonal []float64) error {
	blocks := tiles(n)
	return parallel(ctx, blocks, func(bj int) {
		j0, j1 := bj*tile, min(bj*tile+tile, n)
		for bi := bj; bi < blocks; bi++ {
			if ctx.Err() != nil {
				return
			}
			i0, i1 := bi*tile, min(bi*tile+tile, n)
			var s sums // [j][i]
			if bi > bj {
				s.add(a, n, j0, j1, i0, i1, j1, i0)
			}
			for j := j0; j < j1; j++ {
				for i := max(i0, j+1); i < i1; i++ {
					v := s[j-j0][i-i0]
					if bi > bj { // the columns of j's own tile start at j
						v += dot(a[i*n+j:i*n+j1], a[j*n+j:j*n+j1])
					}
					from := max(i0, j)
					v += dot(a[i*n+from:i*n+i], a[j*n+from:j*n+i])
					a[j*n+i] = -v / diagonal[i]
				}
			}
		}
	})
}

// multiplyFactors puts the lower triangle of L⁻ᵀ·L⁻¹ into a, whose upper triangle
// and diagonal hold L⁻ᵀ, and the product's diagonal into diagonal.
func multiplyFactors(ctx context.Context, a []float64, n int, diagonal []float64) error {
	blocks := tiles(n)
	return parallel(ctx, blocks, func(bj int) {
		j0, j1 := bj*tile, min(bj*tile+tile, n) // the later rows: columns start at j
		for bi := 0; bi <= bj; bi++ {
			if ctx.Err() != nil {
				return
			}
			i0, i1 := bi*tile, min(bi*tile+tile, n)
			var s sums
			s.add(a, n, i0, i1, j0, j1, j1, n)
			for i := i0; i < i1; i++ {
				for j := max(j0, i); j < j1; j++ {
					v := s[i-i0][j-j0] + dot(a[i*n+j:i*n+j1], a[j*n+j:j*n+j1])
					if i == j {
						diagonal[i] = v
					} else {
						a[j*n+i] = v
					}
				}
			}
		}
	})
}

// multiplyTransposed returns x·yᵀ for row-major [n][n] matrices of float32.
func multiplyTransposed(ctx context.Context, x, y []float32, n int) ([]float32, error) {
	out := make([]float32, n*n)
	blocks := tiles(n)
	err := parallel(ctx, blocks, func(bi int) {
		i0, i1 := bi*tile, min(bi*tile+tile, n)
		for bj := range blocks {
			if ctx.Err() != nil {
				return
			}
			j0, j1 := bj*tile, min(bj*tile+tile, n)
			for k0 := 0; k0 < n; k0 += 2 * depth {
				k1 := min(k0+2*depth, n)
				for js := j0; js < j1; js += strip {
					je := min(js+strip, j1)
					for i := i0; i < i1; i++ {
						row, to := x[i*n+k0:i*n+k1], out[i*n:i*n+n]
						for j := js; j < je; j++ {
							to[j] += vek32.Dot(row, y[j*n+k0:j*n+k1])
						}
					}
				}
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
