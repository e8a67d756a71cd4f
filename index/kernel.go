package index

import (
	"github.com/viterin/vek"
	"github.com/viterin/vek/vek32"
)

// kernel computes the dot product of two vectors of the same length, not empty.
type kernel func(a, b []float32) float32

// pickKernel returns the SIMD kernel where the processor has one. Elsewhere vek
// would run a plain loop, which the unrolled one beats.
func pickKernel() (dot kernel, simd bool) {
	if vek.Info().Acceleration {
		return vek32.Dot, true
	}
	return dotPlain, false
}

// dotPlain keeps four sums so that additions do not wait for one another.
func dotPlain(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}
