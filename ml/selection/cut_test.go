package selection

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern/ml/cf"
)

// drawn makes any snapshot.
func drawn(t *rapid.T) *cf.Data {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
	d := &cf.Data{Items: make([]string, 30), Ordered: rapid.Bool().Draw(t, "ordered")}
	timed := rapid.Bool().Draw(t, "timed")
	for range rapid.IntRange(1, 120).Draw(t, "learners") {
		at := int64(1_700_000_000 + r.IntN(50*86_400))
		var h cf.History
		for _, i := range r.Perm(30)[:r.IntN(12)] {
			x := cf.Interaction{Item: int32(i), Weight: 1}
			if timed {
				at += int64(r.IntN(5 * 86_400))
				x.At = at
			}
			h = append(h, x)
		}
		d.Histories = append(d.Histories, h)
	}
	return d
}

// What is held back must be nowhere in the part, nothing may be lost, and with times
// nothing in the part may be later than what is held back.
func TestCutNeverLeaks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawn(t)
		v := cut(d, rapid.Uint64().Draw(t, "cut"))
		if v.part.Ordered != d.Ordered || len(v.part.Items) != len(d.Items) {
			t.Fatal("the part is another kind of data")
		}
		kept := v.part.Events()
		held := 0
		for _, c := range v.cases {
			if len(c.truth) == 0 || len(c.history) == 0 {
				t.Fatalf("nothing to judge: %v", c)
			}
			held += len(c.truth)
			for _, x := range c.history {
				if slices.Contains(c.truth, x.Item) {
					t.Fatalf("course %d is in the history and held back", x.Item)
				}
			}
			if !slices.ContainsFunc(v.part.Histories, func(h cf.History) bool { return slices.Equal(h, c.history) }) {
				t.Fatalf("history %v is not one of the part", c.history)
			}
		}
		if kept+held > d.Events() {
			t.Fatalf("%d events became %d and %d", d.Events(), kept, held)
		}
		if latest, at, ok := split(v, d); ok && latest >= at {
			t.Fatalf("the part goes on until %d, the rest starts at %d", latest, at)
		}
	})
}

// split returns the latest time of the part and the earliest held back, where the
// cut is one in time.
func split(v validation, d *cf.Data) (latest, at int64, ok bool) {
	at, ok = cutTime(d)
	if !ok || !d.Ordered || len(v.how) < 10 || v.how[:10] != "everything" {
		return 0, 0, false
	}
	for _, h := range v.part.Histories {
		for _, x := range h {
			latest = max(latest, x.At)
		}
	}
	return latest, at, true
}

func TestCutKinds(t *testing.T) {
	day := int64(86_400)
	history := func(from int64, items ...int32) cf.History {
		var h cf.History
		for k, i := range items {
			x := cf.Interaction{Item: i, Weight: 1}
			if from > 0 {
				x.At = from + int64(k)*day
			}
			h = append(h, x)
		}
		return h
	}
	var timed, untimed, sets cf.Data
	timed.Items = make([]string, 10)
	timed.Ordered, untimed, sets = true, timed, timed
	for u := range 200 {
		items := []int32{int32(u % 10), int32((u + 3) % 10), int32((u + 5) % 10), int32((u + 7) % 10), int32((u + 9) % 10)}
		timed.Histories = append(timed.Histories, history(1_700_000_000+int64(u%8)*day, items...))
		untimed.Histories = append(untimed.Histories, history(0, items...))
	}
	untimed.Ordered, sets.Histories, sets.Ordered = true, untimed.Histories, false
	for name, c := range map[string]struct {
		d     *cf.Data
		how   string
		cases int
	}{
		"times":       {&timed, "everything from", 0},
		"order alone": {&untimed, "the last fifth", 200},
		"sets":        {&sets, "one course of each", 200},
	} {
		v := cut(c.d, 1)
		if v.how[:len(c.how)] != c.how || c.cases > 0 && len(v.cases) != c.cases || len(v.cases) < leastCases {
			t.Errorf("%s: cut by %q with %d cases", name, v.how, len(v.cases))
		}
	}
	one := cf.Data{Items: timed.Items, Ordered: true, Histories: timed.Histories[:30]}
	if v := cut(&one, 1); v.how[:8] != "the last" {
		t.Errorf("too few learners go on after the time, yet cut by %q", v.how)
	}
}

func TestSampleKeepsToOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawn(t)
		v := cut(d, 1)
		before := 0
		for _, c := range v.cases {
			before += len(c.truth)
		}
		v.sample(5, rapid.Uint64().Draw(t, "sample"))
		if len(v.cases) != before {
			t.Fatalf("%d courses held back made %d cases", before, len(v.cases))
		}
		for _, c := range v.cases {
			for _, i := range c.among {
				if i == c.truth[0] || slices.ContainsFunc(c.history, func(x cf.Interaction) bool { return x.Item == i }) {
					t.Fatalf("course %d, which was taken, is among the others", i)
				}
			}
		}
	})
	if got := ranksAmong([]float32{5, 3, 9, 3, 1}, []int32{1}, []int32{0, 3, 4}); got[0] != 1 {
		t.Errorf("rank %d among three, want 1", got[0])
	}
}

func TestMetrics(t *testing.T) {
	// Ranks 0 and 3 of three held back, at 10: recall 2/3; nDCG (1 + 1/log₂5) over
	// (1 + 1/log₂3 + 1/2).
	r := []int32{0, 3, 10}
	for name, want := range map[string]float64{
		"recall@10": 2. / 3, "hit_rate@10": 1, "precision@10": 0.2,
		"ndcg@10":  (1 + 1/math.Log2(5)) / (1 + 1/math.Log2(3) + 0.5),
		"recall@2": 1. / 3, "ndcg@2": 1 / (1 + 1/math.Log2(3)),
	} {
		m, _, err := parseMetric(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.of(r, m.k); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s = %g, want %g", name, got, want)
		}
	}
}

// top must be what sorting finds.
func TestTop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
		scores := make([]float32, rapid.IntRange(0, 60).Draw(t, "courses"))
		for i := range scores {
			scores[i] = float32(r.IntN(20))
			if r.IntN(5) == 0 {
				scores[i] = float32(math.Inf(-1))
			}
		}
		k := rapid.IntRange(1, 20).Draw(t, "k")
		var want []int32
		for i, v := range scores {
			if !math.IsInf(float64(v), -1) {
				want = append(want, int32(i))
			}
		}
		slices.SortFunc(want, func(a, b int32) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) })
		want = want[:min(k, len(want))]
		got := top(nil, scores, k, make([]int32, 0, k))
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Fatalf("the best %d of %v are %v, want %v", k, scores, got, want)
		}
	})
}

func TestRanksShareTies(t *testing.T) {
	inf := float32(math.Inf(-1))
	got := ranks([]float32{5, 3, 3, 3, 1, inf}, []int32{2, 4})
	if !slices.Equal(got, []int32{2, 4}) {
		t.Errorf("ranks = %v, want 2 (one above, half of two equals) and 4", got)
	}
}
