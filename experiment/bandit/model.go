package bandit

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Model is a posterior worked out: weights with a normal distribution. It is read
// only and safe for concurrent use.
type Model struct {
	dim     int
	mean    []float64
	inverse []float64 // of the lower Cholesky factor of the precision: lower triangle, row by row
	noise   float64
}

// Dim is the number of columns of its rows.
func (m *Model) Dim() int { return m.dim }

// Mean returns the expected weight of every column. Read only.
func (m *Model) Mean() []float64 { return m.mean }

// Deviation returns the standard deviation of every column's weight.
func (m *Model) Deviation() []float64 {
	out := make([]float64, m.dim)
	for i, k := 0, 0; i < m.dim; i++ { // covariance = noise²·L⁻ᵀL⁻¹: columns of L⁻¹ squared
		for j := range i + 1 {
			out[j] += m.inverse[k+j] * m.inverse[k+j]
		}
		k += i + 1
	}
	for j := range out {
		out[j] = m.noise * math.Sqrt(out[j])
	}
	return out
}

// Draw draws weights from their distribution, whose standard deviations are
// multiplied by spread, into dst's memory.
func (m *Model) Draw(rng *rand.Rand, spread float64, dst []float64) []float64 {
	dst = append(dst[:0], m.mean...)
	by := spread * m.noise
	for i, k := 0, 0; i < m.dim; i++ { // mean + by·L⁻ᵀz
		z := by * rng.NormFloat64()
		for j, f := range m.inverse[k : k+i+1] {
			dst[j] += f * z
		}
		k += i + 1
	}
	return dst
}

// Predict returns the expected reward of a row and its standard deviation, which is
// that of the expectation: the noise of a single reward is not in it.
func (m *Model) Predict(row []float64) (mean, deviation float64) {
	square := 0.0
	for i, k := 0, 0; i < m.dim; i++ {
		f := dot(m.inverse[k:k+i+1], row)
		square += f * f
		k += i + 1
	}
	return dot(m.mean, row), m.noise * math.Sqrt(square)
}

// means writes the expected rewards of rows.
func (m *Model) means(dst, weights, rows []float64) []float64 {
	n := len(rows) / m.dim
	dst = slices.Grow(dst[:0], n)[:n]
	for i := range dst {
		dst[i] = dot(weights, rows[i*m.dim:(i+1)*m.dim])
	}
	return dst
}

// factors writes, for every row, the vector whose products with those of other rows
// are their covariances over noise².
func (m *Model) factors(dst, rows []float64) []float64 {
	dst = slices.Grow(dst[:0], len(rows))[:len(rows)]
	for at := 0; at < len(rows); at += m.dim {
		row, out := rows[at:at+m.dim], dst[at:at+m.dim]
		for i, k := 0, 0; i < m.dim; i++ {
			out[i] = dot(m.inverse[k:k+i+1], row)
			k += i + 1
		}
	}
	return dst
}

// dot is the product of a with the beginning of b. Every fourth product is summed up by
// itself, which a processor does four times at once; what ends in zeros has the same
// product without them, to the last bit.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	switch len(a) {
	case 3:
		s2 += a[2] * b[2]
		fallthrough
	case 2:
		s1 += a[1] * b[1]
		fallthrough
	case 1:
		s0 += a[0] * b[0]
	}
	return s0 + s1 + s2 + s3
}

// cholesky replaces the lower triangle of a positive definite matrix, row by row, by
// its factor L with LLᵀ = the matrix. False where it is not positive definite.
func cholesky(a []float64, d int) bool {
	for i, ri := 0, 0; i < d; i++ {
		rj := 0
		for j := range i {
			a[ri+j] = (a[ri+j] - dot(a[ri:ri+j], a[rj:])) / a[rj+j]
			rj += j + 1
		}
		left := a[ri+i] - dot(a[ri:ri+i], a[ri:])
		if !(left > 0) || math.IsInf(left, 1) {
			return false
		}
		a[ri+i] = math.Sqrt(left)
		ri += i + 1
	}
	return true
}

// solve replaces b by the x with LLᵀx = b.
func solve(l, b []float64) {
	d := len(b)
	for i, k := 0, 0; i < d; i++ {
		b[i] = (b[i] - dot(l[k:k+i], b)) / l[k+i]
		k += i + 1
	}
	for i, k := d-1, len(l); i >= 0; i-- {
		k -= i + 1
		b[i] /= l[k+i]
		for j, v := range l[k : k+i] {
			b[j] -= v * b[i]
		}
	}
}

// invert returns the inverse of a lower triangle, itself one.
func invert(l []float64, d int) []float64 {
	out := make([]float64, len(l))
	for j := range d {
		jj := j * (j + 1) / 2
		out[jj+j] = 1 / l[jj+j]
		for i := j + 1; i < d; i++ {
			ii := i * (i + 1) / 2
			sum := 0.0
			for k := j; k < i; k++ {
				sum += l[ii+k] * out[k*(k+1)/2+j]
			}
			out[ii+j] = -sum / l[ii+i]
		}
	}
	return out
}
