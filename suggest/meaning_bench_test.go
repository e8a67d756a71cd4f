package suggest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/viterin/vek/vek32"
)

// BenchmarkNearest compares one vector with the most phrases there may be.
func BenchmarkNearest(b *testing.B) {
	for _, dim := range []int{256, 1536} {
		b.Run(fmt.Sprint("dim=", dim), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			m := &meanings{dim: dim, similarity: 0.7, matrix: make([]float32, mostPhrases*dim), rows: make([]int32, mostPhrases)}
			for i := range m.matrix {
				m.matrix[i] = float32(r.NormFloat64() / 16)
			}
			for i := range m.rows {
				m.rows[i] = int32(i / 3)
			}
			for i := range m.rows {
				norm := float32(math.Sqrt(float64(vek32.Dot(m.row(i), m.row(i)))))
				vek32.DivNumber_Inplace(m.row(i), norm)
			}
			m.makeSketches()
			b.ReportAllocs()
			for b.Loop() {
				m.nearest(m.matrix[:dim])
			}
		})
	}
}
