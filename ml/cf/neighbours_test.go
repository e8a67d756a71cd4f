package cf

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func fitNeighbours(tb testing.TB, d *Data, p Params) *Neighbours {
	tb.Helper()
	m, err := neighbourSpec().New(p)
	if err != nil {
		tb.Fatal(err)
	}
	if err := m.Fit(context.Background(), d); err != nil {
		tb.Fatal(err)
	}
	return m.(*Neighbours)
}

// plain are parameters that leave nothing but the cosine of sets of courses.
var plain = Params{"decay": 1, "idf": 0, "length": .5, "reach": 1, "before": 1, "lift": 0}

func with(p Params, name string, value float64) Params {
	q := Params{name: value}
	for k, v := range p {
		if k != name {
			q[k] = v
		}
	}
	return q
}

func history(items ...int32) History {
	var h History
	for _, i := range items {
		h = append(h, Interaction{Item: i, Weight: 1})
	}
	return h
}

func TestNeighboursScoreByCosine(t *testing.T) {
	d := &Data{
		Items:     []string{"a", "b", "c", "d", "untaken"},
		Histories: []History{history(0, 1, 2), history(0, 3), history(3, 2)},
	}
	got := make([]float32, 5)
	fitNeighbours(t, d, plain).Predict(history(0, 1), nil, got)
	// In common: a and b of three, a of two, none. Likenesses without the length of who
	// asks: 2/√3 = 1.1547 and 1/√2 = .7071. A taken course's own score is the sum over its
	// takers, a millionth part of popularity aside.
	want := []float32{1.8618, 1.1547, 1.1547, .7071, 0}
	near := gocmp.Comparer(func(a, b float32) bool { return a-b < 1e-4 && b-a < 1e-4 })
	if diff := gocmp.Diff(want, got, near); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
}

func TestNeighboursKnowOrder(t *testing.T) {
	d := &Data{Items: []string{"a", "b", "c", "d"}, Ordered: true}
	for range 10 { // b before a before c, d in no company
		d.Histories = append(d.Histories, history(1, 0, 2), history(3))
	}
	scores := make([]float32, 4)
	fitNeighbours(t, d, with(plain, "before", .1)).Predict(history(0), nil, scores)
	if !(scores[2] > 5*scores[1] && scores[1] > 5*scores[3]) {
		t.Errorf("after a score b (before it) %g, c (after it) %g, d (never) %g", scores[1], scores[2], scores[3])
	}
	d.Ordered = false
	fitNeighbours(t, d, with(plain, "before", .1)).Predict(history(0), nil, scores)
	if scores[2] != scores[1] {
		t.Errorf("without order b scores %g and c %g", scores[1], scores[2])
	}
}

// What is recent decides: two histories with the same courses in another order have
// different neighbours.
func TestNeighboursCountRecentCoursesMore(t *testing.T) {
	d := &Data{Items: []string{"a", "b", "after a", "after b"}, Ordered: true}
	for range 5 {
		d.Histories = append(d.Histories, history(0, 2), history(1, 3))
	}
	m := fitNeighbours(t, d, with(plain, "decay", .5))
	scores := make([]float32, 4)
	for _, c := range []struct {
		h           History
		more, fewer int
	}{{history(0, 1), 3, 2}, {history(1, 0), 2, 3}} {
		m.Predict(c.h, nil, scores)
		if scores[c.more] < 1.9*scores[c.fewer] {
			t.Errorf("after %v scores are %v", c.h, scores)
		}
	}
}

func TestNeighboursLoadWhatTheySaved(t *testing.T) {
	d := groups(200, 4, 10, 6)
	m := fitNeighbours(t, d, Params{"k": 20})
	var b bytes.Buffer
	if err := m.Save(&b); err != nil {
		t.Fatal(err)
	}
	loaded, err := neighbourSpec().New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := loaded.Load(&b); err != nil {
		t.Fatal(err)
	}
	want, got := make([]float32, m.Items()), make([]float32, m.Items())
	m.Predict(d.Histories[3], nil, want)
	loaded.Predict(d.Histories[3], nil, got)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error("the loaded model predicts otherwise (-saved +loaded):\n", diff)
	}
}

func TestNearestKeepsTheFirstOfTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []neighbour
		for i, like := range rapid.SliceOf(rapid.Int32Range(0, 9)).Draw(t, "likes") {
			list = append(list, neighbour{learner: int32(i), like: float32(like)})
		}
		k := rapid.IntRange(1, 20).Draw(t, "k")
		order := func(a, b neighbour) int {
			return cmp.Or(cmp.Compare(b.like, a.like), cmp.Compare(a.learner, b.learner))
		}
		want := slices.SortedFunc(slices.Values(list), order)
		want = want[:min(k, len(want))]
		got := slices.SortedFunc(slices.Values(nearest(list, k)), order)
		if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(neighbour{})); diff != "" {
			t.Fatal("(-want +got):\n", diff)
		}
	})
}

func TestNeighboursOnRealCuts(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a million enrolments")
	}
	for _, c := range []struct {
		name string
		cut  func(t *testing.T) cut
		step int     // one learner of so many
		ndcg float64 // at least
	}{
		{"canvas-network", func(t *testing.T) cut { return cutTail(realData(t, "canvas-network", true), .2, false) }, 1, .285},
		{"mooccubex", func(t *testing.T) cut { return cutTail(realData(t, "mooccubex", true), 0, true) }, 20, .2},
	} {
		t.Run(c.name, func(t *testing.T) {
			real := c.cut(t)
			q := measure(fitNeighbours(t, real.train, nil), real, 0, c.step)
			t.Logf("recall@10 %.4f, hit rate %.4f, nDCG %.4f", q.recall, q.hit, q.ndcg)
			if q.ndcg < c.ndcg {
				t.Errorf("nDCG@10 is %.4f, want %.4f", q.ndcg, c.ndcg)
			}
		})
	}
}
