package learner

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// slowWard joins, as long as that costs no more than most, the two clusters that are
// cheapest to join: |a|·|b|/(|a|+|b|) × the squared distance of their means. It also
// returns by how little its closest decision was made.
func slowWard(vectors [][]float32, most float64) ([][]int, float64) {
	margin := math.Inf(1)
	clusters := make([][]int, len(vectors))
	for i := range vectors {
		clusters[i] = []int{i}
	}
	centre := func(c []int) []float64 {
		sum := make([]float64, len(vectors[0]))
		for _, i := range c {
			addTo(sum, vectors[i], 1/float64(len(c)))
		}
		return sum
	}
	for len(clusters) > 1 {
		bestA, bestB, best, second := 0, 0, math.Inf(1), math.Inf(1)
		for a := range clusters {
			for b := range a {
				x, y, d := centre(clusters[a]), centre(clusters[b]), 0.0
				for i := range x {
					d += (x[i] - y[i]) * (x[i] - y[i])
				}
				n, m := float64(len(clusters[a])), float64(len(clusters[b]))
				if cost := n * m / (n + m) * d; cost < best {
					bestA, bestB, best, second = a, b, cost, best
				} else {
					second = min(second, cost)
				}
			}
		}
		margin = min(margin, second-best, math.Abs(best-most))
		if best > most {
			break
		}
		clusters[bestB] = append(clusters[bestB], clusters[bestA]...)
		clusters = slices.Delete(clusters, bestA, bestA+1)
	}
	for _, c := range clusters {
		slices.Sort(c)
	}
	slices.SortFunc(clusters, func(a, b []int) int { return a[0] - b[0] })
	return clusters, margin
}

// TestWard finds the clusters of the plain method, but where what decides is less than
// the rounding of cosines of single precision.
func TestWard(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		n, dim := rapid.IntRange(1, 25).Draw(rt, "n"), rapid.IntRange(2, 12).Draw(rt, "dim")
		vectors := make([][]float32, n)
		for i := range vectors {
			v := make([]float64, dim)
			for j := range v {
				v[j] = r.NormFloat64()
			}
			vectors[i] = unit(v)
		}
		most := rapid.Float64Range(0, 3).Draw(rt, "most")
		want, margin := slowWard(vectors, most)
		if diff := cmp.Diff(want, ward(vectors, most)); diff != "" && margin > 1e-5 {
			rt.Fatalf("(-plain +chains):\n%s", diff)
		}
	})
}

func TestWardOfEquals(t *testing.T) {
	v := [][]float32{{1, 0}, {1, 0}, {0, 1}, {1, 0}, {0, 1}}
	if diff := cmp.Diff([][]int{{0, 1, 3}, {2, 4}}, ward(v, 0.5)); diff != "" {
		t.Error(diff)
	}
	if got := ward(nil, 1); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}
