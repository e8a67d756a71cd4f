package cf

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// positiveDefinite makes MᵀM + I of a random M.
func positiveDefinite(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	a := make([]float64, n*n)
	for range 2 {
		v := make([]float64, n)
		for i := range v {
			v[i] = r.NormFloat64()
		}
		for i := range n {
			for j := range n {
				a[i*n+j] += v[i] * v[j]
			}
		}
	}
	for i := range n {
		a[i*n+i] += 1 + r.Float64()
	}
	return a
}

func TestInvertSPD(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 63, 64, 65, 130, 333} {
		a := positiveDefinite(n, uint64(n))
		inverse := append([]float64(nil), a...)
		if err := invertSPD(context.Background(), inverse, n); err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for i := range n {
			for j := range n {
				sum := 0.0
				for k := range n {
					sum += a[i*n+k] * inverse[k*n+j]
				}
				if i == j {
					sum--
				}
				worst = max(worst, math.Abs(sum))
			}
		}
		if worst > 1e-8 {
			t.Errorf("n=%d: A·A⁻¹ is off the identity by %g", n, worst)
		}
	}
	if err := invertSPD(context.Background(), []float64{1, 0, 0, -1}, 2); err == nil {
		t.Error("a matrix that is not positive definite was inverted")
	}
}

func TestMultiplyTransposed(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 5, 64, 70, 200} {
		x, y := make([]float32, n*n), make([]float32, n*n)
		for i := range x {
			x[i], y[i] = r.Float32()-.5, r.Float32()-.5
		}
		got, err := multiplyTransposed(context.Background(), x, y, n)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			for j := range n {
				want := 0.0
				for k := range n {
					want += float64(x[i*n+k]) * float64(y[j*n+k])
				}
				if math.Abs(want-float64(got[i*n+j])) > 1e-4 {
					t.Fatalf("n=%d (%d,%d): %g, want %g", n, i, j, got[i*n+j], want)
				}
			}
		}
	}
}

func BenchmarkInvertSPD(b *testing.B) {
	for _, n := range []int{1000, 3321} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			a := positiveDefinite(n, 1)
			work := make([]float64, len(a))
			for b.Loop() {
				copy(work, a)
				if err := invertSPD(context.Background(), work, n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMultiplyTransposed(b *testing.B) {
	n := 3321
	x := make([]float32, n*n)
	for i := range x {
		x[i] = float32(i%97) / 97
	}
	for b.Loop() {
		if _, err := multiplyTransposed(context.Background(), x, x, n); err != nil {
			b.Fatal(err)
		}
	}
}
