package cf

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/viterin/vek/vek32"
	"gonum.org/v1/gonum/mat"
)

// recallOfTop returns which share of the exact k best unseen courses is among the n
// best by factors, averaged over one learner of step.
func recallOfTop(f Factored, histories []History, k, n, step int) float64 {
	var found, asked float64
	exact, near := make([]float32, f.Items()), make([]float32, f.Items())
	for u := 0; u < len(histories); u += step {
		h := histories[u]
		x := f.FoldIn(h)
		if x == nil {
			continue
		}
		f.Predict(h, nil, exact)
		for i := range near {
			near[i] = -1e30
			if v := f.ItemFactor(int32(i)); v != nil {
				near[i] = vek32.Dot(x, v)
			}
		}
		for _, e := range h {
			exact[e.Item], near[e.Item] = -1e30, -1e30
		}
		top := bestOf(near, n)
		for _, i := range bestOf(exact, k) {
			asked++
			if slices.Contains(top, i) {
				found++
			}
		}
	}
	return found / asked
}

func fitFactors(tb testing.TB, name string, dim int, d *Data) *Factors {
	tb.Helper()
	spec, ok := SpecByName(name)
	if !ok {
		tb.Fatalf("no model %q", name)
	}
	m, err := spec.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	f, err := NewFactors(m, dim)
	if err != nil {
		tb.Fatal(err)
	}
	if err := f.Fit(context.Background(), d); err != nil {
		tb.Fatal(err)
	}
	return f
}

// Folding in by projected rows is the projection of the scores.
func TestFactorsFoldInTheScoresOfLinearModels(t *testing.T) {
	d := groups(300, 4, 8, 7)
	for _, name := range []string{"ease", "slist", "cosine", "session"} {
		f := fitFactors(t, name, 12, d)
		scores := make([]float32, f.Items())
		for _, h := range d.Histories[:20] {
			got, want := f.FoldIn(h), make([]float32, 12)
			f.Predict(h, nil, scores)
			for i, s := range scores {
				axpy(s, f.ItemFactor(int32(i)), want)
			}
			if diff := cmp.Diff(want, got, closely); diff != "" {
				t.Fatalf("%s (-projected scores +folded in):\n%s", name, diff)
			}
		}
	}
}

// The decomposition must lose no more than the best one of that rank does.
func TestRightBasisIsTheBestOfItsRank(t *testing.T) {
	const rows, n, dim = 90, 40, 6
	random := rand.New(rand.NewPCG(8, 0))
	a := make([]float32, rows*n)
	wide := mat.NewDense(rows, n, nil)
	for r := range rows {
		for i := range n {
			v := random.NormFloat64() * math.Pow(.8, float64(i))
			a[r*n+i] = float32(v)
			wide.Set(r, i, v)
		}
	}
	var svd mat.SVD
	svd.Factorize(wide, mat.SVDNone)
	var best float64
	for _, s := range svd.Values(nil)[:dim] {
		best += s * s
	}
	basis, err := rightBasis(context.Background(), a, n, dim)
	if err != nil {
		t.Fatal(err)
	}
	var kept float64
	for k, x := range basis {
		for j, y := range basis {
			want := 0.
			if k == j {
				want = 1
			}
			if got := wideDot(x, y); math.Abs(got-want) > 1e-4 {
				t.Errorf("directions %d and %d have the dot product %g", k, j, got)
			}
		}
		for r := range rows {
			v := float64(vek32.Dot(a[r*n:(r+1)*n], x))
			kept += v * v
		}
	}
	if kept < .9999*best {
		t.Errorf("the directions keep %g of %g that is possible", kept, best)
	}
}

func TestFactorsLoadWhatTheySaved(t *testing.T) {
	d := groups(200, 4, 10, 9)
	for _, name := range []string{"ease", "als", "neighbours"} {
		f := fitFactors(t, name, 12, d)
		var b bytes.Buffer
		if err := f.Save(&b); err != nil {
			t.Fatal(err)
		}
		spec, _ := SpecByName(name)
		m, err := spec.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := NewFactors(m, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := loaded.Load(&b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f.FoldIn(d.Histories[3]), loaded.FoldIn(d.Histories[3])); diff != "" {
			t.Errorf("%s folds in otherwise (-saved +loaded):\n%s", name, diff)
		}
		if diff := cmp.Diff(f.ItemFactor(7), loaded.ItemFactor(7)); diff != "" {
			t.Errorf("%s has another factor (-saved +loaded):\n%s", name, diff)
		}
	}
}

// The index keeps 64 numbers a course, one of them for the length.
func TestFactorsFindTheBestOfRealCuts(t *testing.T) {
	if testing.Short() {
		t.Skip("fits on a million enrolments")
	}
	for _, c := range []struct {
		data, model string
		want        float64 // share of the first 50 among the 200 by factors
	}{
		{"canvas-network", "ease", .99}, {"canvas-network", "slist", .99}, {"canvas-network", "neighbours", .99},
		{"mooccubex", "ease", .9}, {"mooccubex", "slist", .85},
	} {
		t.Run(c.data+" "+c.model, func(t *testing.T) {
			real := cutTail(realData(t, c.data, true), .2, c.data == "mooccubex")
			f := fitFactors(t, c.model, 63, real.train)
			step := len(real.train.Histories) / 300
			share := recallOfTop(f, real.train.Histories, 50, 200, step)
			t.Logf("%.3f of the first 50 and %.3f of the first 10 are among 200", share,
				recallOfTop(f, real.train.Histories, 10, 200, step))
			if share < c.want {
				t.Errorf("factors find %.3f of the first 50, want %.3f", share, c.want)
			}
		})
	}
}
