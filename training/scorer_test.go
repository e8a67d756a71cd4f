package training_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/training"
)

// toy scores by dot products: item i has the factor factor[i], a learner the sum of
// those of the history, by weight.
type toy struct{ factor [][]float32 }

func (m *toy) Name() string                        { return "toy" }
func (m *toy) Fit(context.Context, *cf.Data) error { return nil }
func (m *toy) Items() int                          { return len(m.factor) }
func (m *toy) Save(io.Writer) error                { return nil }
func (m *toy) Load(io.Reader) error                { return nil }
func (m *toy) Dim() int                            { return len(m.factor[0]) }
func (m *toy) ItemFactor(i int32) []float32        { return m.factor[i] }

func (m *toy) FoldIn(h cf.History) []float32 {
	q := make([]float32, m.Dim())
	for _, x := range h {
		for j, v := range m.factor[x.Item] {
			q[j] += x.Weight * v
		}
	}
	return q
}

func (m *toy) Predict(h cf.History, candidates []int32, into []float32) {
	q := m.FoldIn(h)
	for k := range into {
		i := int32(k)
		if candidates != nil {
			i = candidates[k]
		}
		into[k] = 0
		for j, v := range m.factor[i] {
			into[k] += q[j] * v
		}
	}
}

// chain says that item i+1 follows item i, and i+2 half as much.
type chain struct{ toy }

func (m *chain) Next(item int32, into []float32) {
	clear(into)
	for step, v := range []float32{0, 4, 2} {
		if i := int(item) + step; i < len(into) {
			into[i] = v
		}
	}
}

func ids(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("c%05d", i)
	}
	return out
}

func newScorer(t testing.TB, m cf.Model, o training.ScorerOptions) *training.Scorer {
	t.Helper()
	s, err := training.NewScorer(training.Version{Version: 5}, ids(m.Items()), []cf.Model{m}, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func touch(id string, weight float64, day int) lectern.Touch {
	return lectern.Touch{CourseID: id, Weight: weight, At: now.AddDate(0, 0, day)}
}

func TestScores(t *testing.T) {
	m := &chain{toy{factor: [][]float32{{2, 0}, {1, 0}, {0, 3}, {-3, 0}, {0.5, 0}}}}
	held := int64(0)
	s := newScorer(t, m, training.ScorerOptions{Unit: 3, Dim: 4, Held: func() int64 { return held }})

	// c0 touched with the weight of one enrolment: q = (2, 0), so the scores are 4, 2, 0,
	// −6 and 1, of mean 0.2 and best 4. 4 → 1; 2 → 1.8/3.8; 0 → 0 as below the mean;
	// 1 → 0.8/3.8. c2, dismissed, is no history.
	touched := []lectern.Touch{touch("c00000", 3, 0), touch("c00002", -4, 1), touch("elsewhere", 9, 2)}
	near := cmpopts.EquateApprox(0, 1e-6)
	want := []lectern.Hit{{ID: "c00000", Score: 1}, {ID: "c00001", Score: 1.8 / 3.8}, {ID: "c00004", Score: 0.8 / 3.8}}
	if d := cmp.Diff(want, s.Top(touched, 10, nil), near); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want[1:2], s.Top(touched, 1, func(id string) bool { return id != "c00000" }), near); d != "" {
		t.Error(d)
	}
	got := s.Scores(touched, []string{"c00001", "elsewhere", "c00003", "c00000"})
	if d := cmp.Diff([]float64{1.8 / 3.8, math.NaN(), 0, 1}, got, near, cmpopts.EquateNaNs()); d != "" {
		t.Error(d)
	}
	// The same without Top before it.
	if d := cmp.Diff(got, newScorer(t, m, training.ScorerOptions{Unit: 3}).Scores(touched, []string{"c00001", "elsewhere", "c00003", "c00000"}), near, cmpopts.EquateNaNs()); d != "" {
		t.Error(d)
	}

	// Nothing can be said of who has said no only.
	for _, nobody := range [][]lectern.Touch{nil, touched[1:2], touched[2:]} {
		if hits := s.Top(nobody, 5, nil); hits != nil {
			t.Errorf("%v", hits)
		}
		if x := s.Scores(nobody, []string{"c00000"}); !math.IsNaN(x[0]) {
			t.Errorf("%v", x)
		}
	}

	if d := cmp.Diff([]lectern.Hit{{ID: "c00002", Score: 1}, {ID: "c00003", Score: 0.5}}, s.Next("c00001", 5, nil)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]lectern.Hit{{ID: "c00003", Score: 0.5}}, s.Next("c00001", 5, func(id string) bool { return id == "c00003" })); d != "" {
		t.Error(d)
	}
	// Like c1, with the scores 2, –, 0, −3 and 0.5: the mean of five, its own as 0, is −0.1.
	if d := cmp.Diff([]lectern.Hit{{ID: "c00000", Score: 1}, {ID: "c00004", Score: 0.6 / 2.1}, {ID: "c00002", Score: 0.1 / 2.1}}, s.Similar("c00001", 5, nil), near); d != "" {
		t.Error(d)
	}
	if s.Next("elsewhere", 5, nil) != nil || s.Similar("elsewhere", 5, nil) != nil {
		t.Error("something follows on nothing")
	}

	// A factor is of use once the index holds this version's.
	if s.Factor(touched) != nil {
		t.Error("asks an index without factors")
	}
	held = 5
	// The longest of all is 3: c0 becomes (2/3, 0, 0, √(1 − 4/9)), the learner (1, 0, 0, 0).
	if d := cmp.Diff([]float32{1, 0, 0, 0}, s.Factor(touched), near); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]float32{2. / 3, 0, 0, float32(math.Sqrt(5. / 9))}, s.ItemFactor("c00000"), near); d != "" {
		t.Error(d)
	}
	if s.ItemFactor("elsewhere") != nil || s.Dim() != 4 {
		t.Error("a factor of nothing")
	}
}

func randomToy(n, dim int) *toy {
	r := rand.New(rand.NewPCG(1, 2))
	m := &toy{factor: make([][]float32, n)}
	for i := range m.factor {
		m.factor[i] = make([]float32, dim)
		for j := range m.factor[i] {
			m.factor[i][j] = float32(r.NormFloat64()) * float32(1+i%7)
		}
	}
	return m
}

// Dot products of unit vectors order courses as the model does.
func TestFactorsKeepTheOrder(t *testing.T) {
	m := randomToy(500, 6)
	s := newScorer(t, m, training.ScorerOptions{Unit: 1, Dim: 7, Held: func() int64 { return 5 }})
	touched := []lectern.Touch{touch("c00003", 2, 0), touch("c00011", 1, 1)}
	q := s.Factor(touched)
	type ranked struct {
		id  string
		dot float64
	}
	var order []ranked
	for _, id := range ids(500) {
		x, dot, norm := s.ItemFactor(id), 0.0, 0.0
		for j := range x {
			dot += float64(x[j] * q[j])
			norm += float64(x[j] * x[j])
		}
		if math.Abs(norm-1) > 1e-5 {
			t.Fatalf("%s has length² %v", id, norm)
		}
		order = append(order, ranked{id, dot})
	}
	slices.SortFunc(order, func(a, b ranked) int { return -int(math.Copysign(1, a.dot-b.dot)) })
	for i, hit := range s.Top(touched, 50, nil) {
		if hit.ID != order[i].id {
			t.Fatalf("place %d: %s by the model, %s by factors", i, hit.ID, order[i].id)
		}
	}
}

// With very many courses the list is that of the factors, and the same.
func TestManyCourses(t *testing.T) {
	m := randomToy(9000, 6)
	exact := newScorer(t, m, training.ScorerOptions{Unit: 1})
	s := newScorer(t, m, training.ScorerOptions{Unit: 1, Dim: 8})
	touched := []lectern.Touch{touch("c00003", 2, 0), touch("c08011", 1, 1)}
	want, got := exact.Top(touched, 100, nil), s.Top(touched, 100, nil)
	if len(got) != 100 {
		t.Fatalf("%d hits", len(got))
	}
	for i := range want {
		if want[i].ID != got[i].ID || math.Abs(float64(want[i].Score-got[i].Score)) > 0.05 { // the mean is that of a sample
			t.Fatalf("place %d: %v and %v", i, want[i], got[i])
		}
	}
}

func TestManyAtATime(t *testing.T) {
	s := newScorer(t, randomToy(300, 6), training.ScorerOptions{Unit: 1, Dim: 8, Held: func() int64 { return 5 }})
	learner := func(i int) []lectern.Touch {
		return []lectern.Touch{touch(fmt.Sprintf("c%05d", i), 1, 0), touch(fmt.Sprintf("c%05d", i+1), 2, 1)}
	}
	want := make([][]lectern.Hit, 50)
	for i := range want {
		want[i] = s.Top(learner(i), 20, nil)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range want {
				if d := cmp.Diff(want[i], s.Top(learner(i), 20, nil)); d != "" {
					t.Error(d)
				}
				_ = s.Scores(learner(i), ids(10))
				_ = s.Similar("c00001", 5, nil)
				_ = s.Factor(learner(i))
			}
		})
	}
	wg.Wait()
}

// BenchmarkTop asks for the best courses and then for the scores of five hundred, as a
// page does: of a history that an event has changed, and of the same again.
func BenchmarkTop(b *testing.B) {
	for _, n := range []int{5000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newScorer(b, randomToy(n, 63), training.ScorerOptions{Unit: 1, Dim: 64})
			var touched []lectern.Touch
			for i := range 30 {
				touched = append(touched, lectern.Touch{CourseID: fmt.Sprintf("c%05d", 7*i), Weight: 1, At: time.Unix(int64(i), 0)})
			}
			some := ids(500)
			for _, kept := range []bool{false, true} {
				b.Run(map[bool]string{false: "anew", true: "kept"}[kept], func(b *testing.B) {
					var took []time.Duration
					b.ReportAllocs()
					for b.Loop() {
						if last := &touched[len(touched)-1]; !kept {
							last.At = last.At.Add(time.Second)
						}
						start := time.Now()
						s.Top(touched, 200, nil)
						s.Scores(touched, some)
						took = append(took, time.Since(start))
					}
					slices.Sort(took)
					b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
					b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
				})
			}
		})
	}
}
