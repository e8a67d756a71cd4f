package cf

import (
	"context"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// someHistories makes learners with random courses and weights.
func someHistories(seed uint64, learners, items int, ordered bool) *Data {
	r := rand.New(rand.NewPCG(seed, 5))
	d := &Data{Ordered: ordered}
	for i := range items {
		d.Items = append(d.Items, strconv.Itoa(i))
	}
	for range learners {
		var h History
		for _, i := range r.Perm(items)[:1+r.IntN(items-1)] {
			h = append(h, Interaction{Item: int32(i), Weight: 0.5 + r.Float32()})
		}
		d.Histories = append(d.Histories, h)
	}
	return d
}

// fitWith fits the model of that name.
func fitWith(tb testing.TB, name string, p Params, d *Data) Model {
	tb.Helper()
	spec, _ := SpecByName(name)
	m, err := spec.New(p)
	if err != nil {
		tb.Fatal(err)
	}
	if err := m.Fit(context.Background(), d); err != nil {
		tb.Fatal(err)
	}
	return m
}

// scoresOf predicts for all courses.
func scoresOf(m Model, h History) []float32 {
	into := make([]float32, m.Items())
	m.Predict(h, nil, into)
	return into
}

// near compares a predicted row with exact numbers.
func near(tb testing.TB, what string, got []float32, want []float64) {
	tb.Helper()
	for j := range want {
		if math.Abs(float64(got[j])-want[j]) > 1e-4*(1+math.Abs(want[j])) {
			tb.Errorf("%s: course %d scores %g, want %g", what, j, got[j], want[j])
		}
	}
}

// EASE as in the paper: B = I − P·diag(1/diag(P)), P = (XᵀX + λI)⁻¹.
func TestEASEIsItsClosedForm(t *testing.T) {
	const n, lambda = 9, 7.0
	d := someHistories(1, 80, n, false)
	m := fitWith(t, "ease", Params{"lambda": lambda, "dropout": 0}, d)
	x := mat.NewDense(len(d.Histories), n, nil)
	for u, h := range d.Histories {
		for _, e := range h {
			x.Set(u, int(e.Item), float64(e.Weight))
		}
	}
	var gram, p mat.Dense
	gram.Mul(x.T(), x)
	for i := range n {
		gram.Set(i, i, gram.At(i, i)+lambda)
	}
	if err := p.Inverse(&gram); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		want := make([]float64, n)
		for j := range n {
			if i != j {
				want[j] = -p.At(i, j) / p.At(j, j)
			}
		}
		near(t, "after course "+strconv.Itoa(i), scoresOf(m, History{{Item: int32(i), Weight: 1}}), want)
	}
}

// SLIST by its definition: one row of inputs and one of targets for every place.
func TestSLISTIsItsClosedForm(t *testing.T) {
	const n = 8
	for _, p := range []Params{
		{"lambda": 3, "dropout": 0, "input_decay": 0.6, "target_decay": 0.8, "target_power": 0, "rarity_power": 0},
		{"lambda": 3, "dropout": 0.3, "input_decay": 0.8, "target_decay": 0.5, "target_power": 1, "rarity_power": 0},
		{"lambda": 3, "dropout": 0, "input_decay": 0, "target_decay": 0, "target_power": 0.5, "length_power": 0.5, "rarity_power": 0},
		{"lambda": 9, "dropout": 0.1, "input_decay": 1, "target_decay": 1, "target_power": 1, "length_power": 1, "rarity_power": 0},
	} {
		d := someHistories(2, 60, n, true)
		m := fitWith(t, "slist", p, d)
		var inputs, targets []float64
		places := 0
		for _, h := range d.Histories {
			for t := range len(h) - 1 {
				x, y, sum := make([]float64, n), make([]float64, n), 0.0
				for q, e := range h {
					if q <= t {
						x[e.Item] = float64(e.Weight) * math.Pow(p["input_decay"], float64(t-q))
					} else {
						y[e.Item] = float64(e.Weight) * math.Pow(p["target_decay"], float64(q-t-1))
						sum += y[e.Item]
					}
				}
				own := math.Pow(float64(len(h)), -p["length_power"]/2)
				for i := range n {
					x[i] *= own
					y[i] *= own * math.Pow(sum, -p["target_power"])
				}
				inputs, targets, places = append(inputs, x...), append(targets, y...), places+1
			}
		}
		x, y := mat.NewDense(places, n, inputs), mat.NewDense(places, n, targets)
		var gram, cross, b mat.Dense
		gram.Mul(x.T(), x)
		cross.Mul(x.T(), y)
		for i := range n {
			gram.Set(i, i, gram.At(i, i)/(1-p["dropout"])+p["lambda"])
		}
		if err := b.Solve(&gram, &cross); err != nil {
			t.Fatal(err)
		}
		// A weight of a course on itself above 0 is brought down to 0; with these data
		// that is the case for some columns, where the row of the definition is not it.
		free := func(j int) bool { return b.At(j, j) <= 0 }
		checked := 0
		for i := range n {
			got := scoresOf(m, History{{Item: int32(i), Weight: 1}})
			for j := range n {
				if !free(j) {
					if i == j && math.Abs(float64(got[j])) > 1e-4 {
						t.Errorf("%v: course %d adds %g to itself, want 0", p, i, got[j])
					}
					continue
				}
				checked++
				if want := b.At(i, j); math.Abs(float64(got[j])-want) > 1e-4 {
					t.Errorf("%v: course %d adds %g to course %d, want %g", p, i, got[j], j, want)
				}
			}
		}
		if checked < n*n/2 {
			t.Errorf("%v: only %d of %d weights are unconstrained", p, checked, n*n)
		}
	}
}

// A long history decays by known courses, the last of them counting in full.
func TestDecayedHistory(t *testing.T) {
	d := someHistories(3, 80, 9, true)
	for name, decay := range map[string]string{"slist": "input_decay", "ease": "decay", "cosine": "decay"} {
		m := fitWith(t, name, Params{decay: 0.5}, d)
		want := make([]float64, 9)
		for back, item := range []int32{4, 1, 7} { // newest first
			for j, v := range scoresOf(m, History{{Item: item, Weight: 1}}) {
				want[j] += float64(v) * math.Pow(0.5, float64(back))
			}
		}
		near(t, name, scoresOf(m, History{{Item: 7, Weight: 1}, {Item: 1, Weight: 1}, {Item: -4, Weight: 1}, {Item: 4, Weight: 1}}), want)
	}
}

// Cosine of three learners by hand: courses 0 and 1 are shared by two, 0 and 2 by
// one: 2/√(3·2) = .816 and 1/√(3·1) = .577.
func TestCosineByHand(t *testing.T) {
	d := &Data{Items: []string{"a", "b", "c"}, Histories: []History{
		{{Item: 0, Weight: 1}, {Item: 1, Weight: 1}},
		{{Item: 1, Weight: 1}, {Item: 0, Weight: 1}},
		{{Item: 0, Weight: 1}, {Item: 2, Weight: 1}},
	}}
	h := History{{Item: 0, Weight: 1}}
	near(t, "cosine", scoresOf(fitWith(t, "cosine", Params{"shrink": 0}, d), h), []float64{0, 2 / math.Sqrt(6), 1 / math.Sqrt(3)})
	// Shrunk by 2: both are multiplied by common/(common+2).
	near(t, "shrunk", scoresOf(fitWith(t, "cosine", Params{"shrink": 2}, d), h), []float64{0, 2 / math.Sqrt(6) * 2 / 4, 1 / math.Sqrt(3) * 1 / 3})
	near(t, "nearest alone", scoresOf(fitWith(t, "cosine", Params{"shrink": 0, "top_k": 1}, d), h), []float64{0, 2 / math.Sqrt(6), 0})
}

func TestPopularityForgets(t *testing.T) {
	day := int64(secondsPerDay)
	d := &Data{Items: []string{"old", "new", "never"}, Histories: []History{
		{{Item: 0, Weight: 1, At: 100 * day}}, {{Item: 0, Weight: 1, At: 100 * day}}, {{Item: 0, Weight: 1}},
		{{Item: 1, Weight: 1, At: 120 * day}},
	}}
	near(t, "totals", scoresOf(fitWith(t, "popularity", nil, d), nil), []float64{1, 1. / 3, 0})
	// Twenty days at a half-life of ten: the three old ones count a quarter each.
	near(t, "recent", scoresOf(fitWith(t, "popularity", Params{"half_life_days": 10}, d), nil), []float64{0.75, 1, 0})
}

// Beyond the bound the most active courses are learnt about; the others score as
// low as any could.
func TestMostActiveCourses(t *testing.T) {
	d := someHistories(4, 50, 6, true)
	d.Histories = append(d.Histories, History{{Item: 2}, {Item: 4}}, History{{Item: 4}, {Item: 2}}, History{{Item: 2}})
	for range 60 {
		d.Histories = append(d.Histories, History{{Item: 2}, {Item: 5}, {Item: 4}})
	}
	c := newCatalogue(d, 3)
	if diff := cmp.Diff([]int32{2, 4, 5}, c.known); diff != "" {
		t.Errorf("courses that are learnt about (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int32{-1, -1, 0, -1, 1, 2}, c.row); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	w, err := newDense(context.Background(), []float32{0, 1, -2, 3, 0, 4, 5, -6, 0}, 3, 0)
	if err != nil {
		t.Fatal(err)
	}
	m := newItemItem(c, w)
	got := make([]float32, 6)
	m.predict(History{{Item: 2, Weight: 1}, {Item: 5, Weight: 2}}, nil, got, m.setTerms)
	// Rows 0 and 2 of the matrix, the second twice; the least is −2 + 2·(−6).
	near(t, "scores", got, []float64{-14, -14, 10, -14, 1 - 12, -2})
}

func TestWeightsAreBounded(t *testing.T) {
	for in, want := range map[float32]float32{
		1: 1, 0.5: 0.5, 1e9: mostWeight, 1e-9: leastWeight, 0: 1, -3: 1,
		float32(math.NaN()): 1, float32(math.Inf(1)): 1, float32(math.Inf(-1)): 1,
	} {
		if got := strength(in); got != want {
			t.Errorf("weight %g counts as %g, want %g", in, got, want)
		}
	}
}

// Keeping the strongest entries keeps them in place and the rest out.
func TestTopK(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		dense := rapid.SliceOfN(rapid.Float32Range(-1, 1), n*n, n*n).Draw(t, "matrix")
		top := rapid.IntRange(0, n+1).Draw(t, "top")
		w, err := newDense(context.Background(), append([]float32(nil), dense...), n, top)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			got := make([]float32, n)
			w.addTo(got, int32(i), 1)
			kept, least, dropped := 0, math.Inf(1), 0.0
			for j, v := range got {
				exact := dense[i*n+j]
				if v == exact && v != 0 {
					kept, least = kept+1, min(least, math.Abs(float64(v)))
				} else if v == 0 {
					dropped = max(dropped, math.Abs(float64(exact)))
				} else {
					t.Fatalf("entry %d,%d is %g, was %g", i, j, v, exact)
				}
			}
			if top > 0 && kept > top || kept > 0 && dropped > least {
				t.Fatalf("row %d keeps %d entries from %g on and drops one of %g; top %d", i, kept, least, dropped, top)
			}
		}
	})
}

func TestParametersAreChecked(t *testing.T) {
	for _, s := range Specs() {
		if _, err := s.New(Params{"no such thing": 1}); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: an unknown parameter gave %v", s.Name, err)
		}
		for name := range s.Defaults {
			if _, err := s.New(Params{name: math.NaN()}); lectern.ErrorCode(err) != lectern.CodeInvalid {
				t.Errorf("%s: %s = NaN gave %v", s.Name, name, err)
			}
		}
		if m, err := s.New(s.Defaults); err != nil || m.Name() != s.Name {
			t.Errorf("%s: made with its defaults: %v", s.Name, err)
		}
		for _, p := range s.Space {
			for _, v := range p.Values {
				if _, err := s.New(Params{p.Name: v}); err != nil {
					t.Errorf("%s: a value of its own space is refused: %v", s.Name, err)
				}
			}
		}
	}
}
