package cf

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/viterin/vek/vek32"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// fitALS fits a model with the defaults but for some parameters.
func fitALS(tb testing.TB, d *Data, p Params) *ALS {
	tb.Helper()
	m, err := alsSpec().New(p)
	if err != nil {
		tb.Fatal(err)
	}
	if err := m.Fit(context.Background(), d); err != nil {
		tb.Fatal(err)
	}
	return m.(*ALS)
}

// groups are learners who each keep to one group of courses, with the popularity of
// courses falling within it.
func groups(learners, groups, each int, seed uint64) *Data {
	random := rand.New(rand.NewPCG(seed, 0))
	d := &Data{Ordered: true}
	for i := range groups * each {
		d.Items = append(d.Items, "c"+strconv.Itoa(i))
	}
	for u := range learners {
		var h History
		first := int32(u % groups * each)
		for i := range int32(each) {
			if random.Float64() < .9-.7*float64(i)/float64(each) {
				h = append(h, Interaction{Item: first + i, Weight: 1})
			}
		}
		random.Shuffle(len(h), func(i, j int) { h[i], h[j] = h[j], h[i] })
		d.Histories = append(d.Histories, h)
	}
	return d
}

func TestALSKeepsToTheGroup(t *testing.T) {
	const each = 12
	m := fitALS(t, groups(300, 4, each, 1), Params{"dim": 8, "epochs": 6})
	scores := make([]float32, m.Items())
	for g := range int32(4) {
		h := History{{Item: g*each + 2, Weight: 1}, {Item: g*each + 7, Weight: 1}}
		m.Predict(h, nil, scores)
		for _, i := range bestOf(scores, 6) {
			if i/each != g {
				t.Errorf("course %d of group %d is among the best for one of group %d", i, i/each, g)
			}
		}
	}
}

// The few steps of conjugate gradients must come to the solution of the normal
// equations of Hu et al. with the regularisation of Rendle et al.
func TestALSFoldsInTheExactMinimum(t *testing.T) {
	const dim = 16
	d := groups(400, 5, 20, 2)
	p := Params{"dim": dim, "alpha": 2, "reg": .01, "decay": .7}
	m := fitALS(t, d, p)
	rapid.Check(t, func(t *rapid.T) {
		var h History
		for _, i := range rapid.SliceOfNDistinct(rapid.Int32Range(0, 99), 1, 60, rapid.ID[int32]).Draw(t, "items") {
			h = append(h, Interaction{Item: i, Weight: rapid.Float32Range(.25, 4).Draw(t, "weight")})
		}
		got := m.FoldIn(h)
		a, b := mat.NewDense(dim, dim, nil), mat.NewVecDense(dim, nil)
		var total float64
		for i := range int32(len(d.Items)) {
			addOuter(a, m.ItemFactor(i), m.fitted.weight)
		}
		for k, e := range h {
			c := float64(e.Weight) * math.Max(math.Pow(.7, float64(len(h)-1-k)), leastDecay)
			addOuter(a, m.ItemFactor(e.Item), c)
			for i, v := range m.ItemFactor(e.Item) {
				b.SetVec(i, b.AtVec(i)+c*float64(v))
			}
			total += c
		}
		for i := range dim {
			a.Set(i, i, a.At(i, i)+.01*(total+m.fitted.weight*float64(len(d.Items))))
		}
		var want mat.VecDense
		if err := want.SolveVec(a, b); err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if math.Abs(float64(v)-want.AtVec(i)) > 2e-3*mat.Norm(&want, 2) {
				t.Fatalf("folded in %v, want %v", got, want.RawVector().Data)
			}
		}
	})
}

func addOuter(a *mat.Dense, v []float32, scale float64) {
	for i, x := range v {
		for j, y := range v {
			a.Set(i, j, a.At(i, j)+scale*float64(x)*float64(y))
		}
	}
}

func TestALSPredictsDotProducts(t *testing.T) {
	d := groups(200, 4, 10, 3)
	d.Items = append(d.Items, "untaken")
	m := fitALS(t, d, Params{"dim": 8})
	h := d.Histories[5]
	x := m.FoldIn(h)
	all := make([]float32, m.Items())
	m.Predict(h, nil, all)
	some := make([]float32, 3)
	m.Predict(h, []int32{39, 40, 2}, some)
	if diff := cmp.Diff([]float32{all[39], all[40], all[2]}, some, closely); diff != "" {
		t.Error("candidates score differently than all (-all +candidates):\n", diff)
	}
	for i := range int32(40) {
		if got := vek32.Dot(x, m.ItemFactor(i)); math.Abs(float64(got-all[i])) > 1e-5 {
			t.Errorf("course %d: dot product %g, predicted %g", i, got, all[i])
		}
	}
	if m.ItemFactor(40) != nil || all[40] > slices.Min(all) {
		t.Error("a course that nobody took has a factor or a score above another's")
	}
	if m.FoldIn(nil) != nil || m.FoldIn(History{{Item: 40, Weight: 1}, {Item: 99, Weight: 1}}) != nil {
		t.Error("a history of unknown courses was folded in")
	}
}

var closely = cmp.Comparer(func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-5 })

func TestALSDoesNotDependOnProcessors(t *testing.T) {
	d := groups(700, 4, 40, 4)
	p := Params{"dim": 24, "epochs": 3, "decay": .8}
	save := func(processors int) []byte {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		var b bytes.Buffer
		if err := fitALS(t, d, p).Save(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if !bytes.Equal(save(1), save(4)) {
		t.Error("one processor fits another model than four")
	}
}

func TestALSLoadsWhatItSaved(t *testing.T) {
	d := groups(200, 4, 10, 5)
	m := fitALS(t, d, Params{"dim": 8, "decay": .5})
	var b bytes.Buffer
	if err := m.Save(&b); err != nil {
		t.Fatal(err)
	}
	saved := b.Bytes()
	loaded, err := alsSpec().New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := loaded.Load(bytes.NewReader(saved)); err != nil {
		t.Fatal(err)
	}
	want, got := make([]float32, m.Items()), make([]float32, m.Items())
	m.Predict(d.Histories[3], nil, want)
	loaded.Predict(d.Histories[3], nil, got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the loaded model predicts otherwise (-saved +loaded):\n", diff)
	}
	saved[len(saved)/2]++
	if err := loaded.Load(bytes.NewReader(saved)); err == nil {
		t.Error("a damaged artefact was loaded")
	}
}

// Real enrolments: validation cuts of the training files.
func TestALSOnRealCuts(t *testing.T) {
	if testing.Short() {
		t.Skip("fits on a million enrolments")
	}
	for _, c := range []struct {
		name string
		cut  func(t *testing.T) cut
		ndcg float64 // at least
	}{
		{"canvas-network", func(t *testing.T) cut { return cutTail(realData(t, "canvas-network", true), .2, false) }, .19},
		{"mooccubex", func(t *testing.T) cut { return cutTail(realData(t, "mooccubex", true), 0, true) }, .15},
	} {
		t.Run(c.name, func(t *testing.T) {
			real := c.cut(t)
			q := measure(fitALS(t, real.train, nil), real, 0, 10)
			t.Logf("recall@10 %.4f, hit rate %.4f, nDCG %.4f", q.recall, q.hit, q.ndcg)
			if q.ndcg < c.ndcg {
				t.Errorf("nDCG@10 is %.4f, want %.4f", q.ndcg, c.ndcg)
			}
		})
	}
}
