package retrieve

import "github.com/viterin/vek/vek32"

// dot is the cosine of two vectors of unit length and equal dimension.
func dot(a, b []float32) float64 {
	if len(a) == 0 {
		return 0
	}
	return float64(vek32.Dot(a, b))
}
