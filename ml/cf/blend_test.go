package cf_test

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/cf/cftest"
)

func TestBlendSuite(t *testing.T) {
	cftest.Run(t, maker(t, "blend", nil))
	t.Run("of others", func(t *testing.T) {
		cftest.Run(t, maker(t, "blend", cf.Params{"slist": 0.4, "neighbours": 0.3, "popularity": 0.05}))
	})
}

func FuzzLoadBlend(f *testing.F) { cftest.Fuzz(f, maker(f, "blend", nil), nil) }

func FuzzLoadSession(f *testing.F) { cftest.Fuzz(f, maker(f, "session", nil), seal) }

// fixed scores every learner alike.
type fixed struct {
	cf.Popularity
	name   string
	scores []float32
}

func (m *fixed) Name() string { return m.name }
func (m *fixed) Items() int   { return len(m.scores) }
func (m *fixed) Predict(_ cf.History, _ []int32, into []float32) {
	copy(into, m.scores)
}

func TestBlendScores(t *testing.T) {
	// Without course 0, which is taken: a has mean 2, deviation √(2/3); b mean 20,
	// deviation √(200/3). So (a−2)·1.2247, (b−20)·0.12247.
	a := &fixed{name: "a", scores: []float32{100, 1, 2, 3}}
	b := &fixed{name: "b", scores: []float32{0, 30, 20, 10}}
	m, err := cf.NewBlend(cf.Part{Model: a, Weight: 2}, cf.Part{Model: b, Weight: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 4)
	m.Predict(cf.History{{Item: 0, Weight: 1}}, nil, got)
	z := math.Sqrt(1.5)
	for i, want := range []float64{0, -2*z + z, 0, 2*z - z} {
		if i > 0 && math.Abs(float64(got[i])-want) > 1e-5 {
			t.Errorf("course %d scores %g, want %g", i, got[i], want)
		}
	}
	flat := &fixed{name: "flat", scores: []float32{7, 7, 7, 7}}
	if m, err = cf.NewBlend(cf.Part{Model: a, Weight: 1}, cf.Part{Model: flat, Weight: 1e6}); err != nil {
		t.Fatal(err)
	}
	m.Predict(nil, nil, got)
	if !(got[0] > got[3] && got[3] > got[2]) {
		t.Errorf("a part that says nothing drowns the other: %v", got)
	}
}

func TestNewBlendRefuses(t *testing.T) {
	a, b := &fixed{name: "a", scores: make([]float32, 3)}, &fixed{name: "b", scores: make([]float32, 4)}
	for name, parts := range map[string][]cf.Part{
		"nothing":           nil,
		"no weight":         {{Model: a}},
		"negative":          {{Model: a, Weight: -1}},
		"not a number":      {{Model: a, Weight: math.NaN()}},
		"twice":             {{Model: a, Weight: 1}, {Model: a, Weight: 2}},
		"other catalogues":  {{Model: a, Weight: 1}, {Model: b, Weight: 1}},
		"a weight too much": {{Model: a, Weight: math.Inf(1)}},
	} {
		if _, err := cf.NewBlend(parts...); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: NewBlend returned %v, want %s", name, err, lectern.CodeInvalid)
		}
	}
	spec, _ := cf.SpecByName("blend")
	for _, p := range []cf.Params{{"nothing": 1}, {"blend": 1}, {"ease": 0}} {
		if _, err := spec.New(p); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("New(%v) returned %v, want %s", p, err, lectern.CodeInvalid)
		}
	}
}

func TestBlendKeepsItsWeights(t *testing.T) {
	want := cf.Params{"cosine": 0.25, "ease": 1.5}
	m := maker(t, "blend", want)()
	if err := m.Fit(context.Background(), cftest.Tastes(1, 60, true)); err != nil {
		t.Fatal(err)
	}
	var saved bytes.Buffer
	if err := m.Save(&saved); err != nil {
		t.Fatal(err)
	}
	loaded := maker(t, "blend", nil)()
	if err := loaded.Load(&saved); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, loaded.(*cf.Blend).Weights()); diff != "" {
		t.Errorf("weights of the loaded blend (-want +got):\n%s", diff)
	}
}

// Standardise must not care for the scale or the offset of scores that differ.
func TestStandardise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		scores := make([]float32, rapid.IntRange(3, 40).Draw(t, "courses"))
		for i := range scores {
			scores[i] = float32(r.NormFloat64())
		}
		h := cf.History{{Item: int32(r.IntN(len(scores)))}}
		left := slices.Delete(slices.Clone(scores), int(h[0].Item), int(h[0].Item)+1)
		if slices.Max(left)-slices.Min(left) < 0.01 {
			return // as good as alike: of what is moved by 10, rounding takes much of the difference
		}
		scores[h[0].Item] = 1e6 // must not matter
		by, offset := float32(rapid.Float64Range(0.01, 100).Draw(t, "by")), float32(rapid.Float64Range(-10, 10).Draw(t, "offset"))
		moved := make([]float32, len(scores))
		for i, v := range scores {
			moved[i] = by*v + offset*by
		}
		m1, s1 := cf.Standardise(h, scores)
		m2, s2 := cf.Standardise(h, moved)
		for i := range scores {
			if int32(i) == h[0].Item {
				continue
			}
			a, b := (scores[i]-m1)*s1, (moved[i]-m2)*s2
			if math.Abs(float64(a-b)) > 0.02 {
				t.Fatalf("course %d is at %g, and at %g when all scores are moved", i, a, b)
			}
		}
	})
}
