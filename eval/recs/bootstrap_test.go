package recs

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func draws(t *testing.T, all []series, group []int32, n int, seed uint64) [][]float64 {
	t.Helper()
	out, err := resample(t.Context(), all, group, n, seed)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func own(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// TestIntervalsCover draws many samples of a known distribution: about 95 of a
// hundred intervals must hold its mean.
func TestIntervalsCover(t *testing.T) {
	const samples, size, mean = 400, 120, 0.3
	rng := rand.New(rand.NewPCG(7, 7))
	covered := 0
	for s := range samples {
		values := make([]float32, size)
		for i := range values {
			if rng.Float64() < mean {
				values[i] = 1
			}
		}
		in, ok := percentiles(draws(t, []series{newSeries(values)}, own(size), 400, uint64(s))[0])
		if ok && in[0] <= mean && mean <= in[1] {
			covered++
		}
	}
	if share := float64(covered) / samples; share < .91 || share > .98 {
		t.Errorf("%.3f of the intervals hold the mean, want about .95", share)
	}
}

// TestPairs: two models that differ by the same little on every learner differ for
// sure, however much learners differ.
func TestPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := make([]float32, 200), make([]float32, 200)
	for i := range a {
		a[i] = rng.Float32()
		b[i] = a[i] + .01
	}
	d := draws(t, []series{newSeries(a), newSeries(b)}, own(200), 500, 3)
	in, _ := percentiles(minus(d[1], d[0]))
	if math.Abs(in[0]-.01) > 1e-6 || math.Abs(in[1]-.01) > 1e-6 {
		t.Errorf("difference in %v, want .01 exactly", in)
	}
	if one, _ := percentiles(d[0]); one[1]-one[0] < .02 {
		t.Errorf("the interval %v of one model is too narrow for learners who differ", one)
	}
	if diff := cmp.Diff(d, draws(t, []series{newSeries(a), newSeries(b)}, own(200), 500, 3)); diff != "" {
		t.Error("equal seeds draw alike:", diff)
	}
}

// TestGroups: rows of one learner are no independent evidence. With every row ten
// times over, the interval must stay as wide as that of the learners.
func TestGroups(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	var single, tenfold []float32
	var group []int32
	for i := range 100 {
		v := rng.Float32()
		single = append(single, v)
		for range 10 {
			tenfold, group = append(tenfold, v), append(group, int32(i))
		}
	}
	a, _ := percentiles(draws(t, []series{newSeries(single)}, own(100), 600, 1)[0])
	b, _ := percentiles(draws(t, []series{newSeries(tenfold)}, group, 600, 1)[0])
	if math.Abs(a[0]-b[0]) > 1e-6 || math.Abs(a[1]-b[1]) > 1e-6 {
		t.Errorf("interval of learners %v, of their rows %v", a, b)
	}
}

func TestSeriesLeavesOutWhatIsMissing(t *testing.T) {
	nan := float32(math.NaN())
	for _, values := range [][]float32{{nan, 0, 0, 3, nan}, {nan, 2, 1, 0, nan}} {
		s := newSeries(values)
		if got := s.mean([]uint16{1, 1, 1, 1, 1}, 5); got != 1 {
			t.Errorf("mean of %v = %v, want 1", values, got)
		}
	}
	if got := newSeries([]float32{nan}).mean([]uint16{1}, 1); got == got {
		t.Errorf("mean of nothing = %v", got)
	}
}
