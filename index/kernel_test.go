package index

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestKernels checks both kernels against double precision at every length,
// since vector kernels go wrong in their tails.
func TestKernels(t *testing.T) {
	fast, _ := pickKernel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(rt, "n")
		number := rapid.Float32Range(-1, 1)
		a := rapid.SliceOfN(number, n, n).Draw(rt, "a")
		b := rapid.SliceOfN(number, n, n).Draw(rt, "b")
		var want float64
		for i := range a {
			want += float64(a[i]) * float64(b[i])
		}
		for name, dot := range map[string]kernel{"picked": fast, "plain": dotPlain} {
			if got := dot(a, b); math.Abs(float64(got)-want) > 1e-3 {
				rt.Errorf("%s kernel: %v, want %v", name, got, want)
			}
		}
	})
}
