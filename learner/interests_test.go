package learner_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
)

// wide is a store and an index of any dimension.
func wide(r *rand.Rand, topics, perTopic, dim int, spread float64) *memory {
	m := newMemory()
	m.vectors = map[string][]float32{}
	for t := range topics {
		center := make([]float64, dim)
		for i := range center {
			center[i] = r.NormFloat64()
		}
		for k := range perTopic {
			v := make([]float32, dim)
			norm := 0.0
			for i := range v {
				x := center[i] + spread*r.NormFloat64()
				v[i] = float32(x)
				norm += x * x
			}
			for i := range v {
				v[i] /= float32(math.Sqrt(norm))
			}
			m.vectors[fmt.Sprintf("%d-%d", t, k)] = v
		}
	}
	return m
}

// touchAll makes every course of m one that the learner enrolled in.
func (m *memory) touchAll(weight func(id string) float64) {
	for id := range m.vectors {
		m.profile.Entries = append(m.profile.Entries, entry(id, weight(id), time.Hour))
	}
}

func load(t testing.TB, m *memory) learner.Taste {
	t.Helper()
	p, err := learner.NewProfiles(m, learner.DefaultConfig(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	_, taste, err := p.Load(context.Background(), lectern.LearnerRef{ID: "l"}, m, m)
	if err != nil {
		t.Fatal(err)
	}
	return taste
}

// TestTopicsBecomeInterests finds as many interests as there are topics, however
// many courses each has.
func TestTopicsBecomeInterests(t *testing.T) {
	for topics := 1; topics <= 5; topics++ {
		for _, per := range []int{1, 2, 5, 20} {
			m := wide(rand.New(rand.NewPCG(1, uint64(topics*100+per))), topics, per, 256, 0.6)
			m.touchAll(func(string) float64 { return 3 })
			if got := len(load(t, m).Vectors); got != topics {
				t.Errorf("%d topics of %d courses: %d interests", topics, per, got)
			}
		}
	}
}

// TestTasteIsOfTheSet: a taste is the same in whatever order the store returns the
// entries.
func TestTasteIsOfTheSet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := wide(rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)),
			rapid.IntRange(1, 7).Draw(rt, "topics"), rapid.IntRange(1, 6).Draw(rt, "courses"), 16, rapid.Float64Range(0, 2).Draw(rt, "spread"))
		for id := range m.vectors {
			m.profile.Entries = append(m.profile.Entries, entry(id, float64(rapid.IntRange(-5, 8).Draw(rt, "weight")),
				time.Duration(rapid.IntRange(0, 3).Draw(rt, "age"))*20*time.Minute))
		}
		first := load(t, m)
		other := *m
		other.profile.Entries = rapid.Permutation(slices.Clone(m.profile.Entries)).Draw(rt, "order")
		if diff := cmp.Diff(first, load(t, &other), cmp.AllowUnexported(learner.Taste{})); diff != "" {
			rt.Fatalf("another order, another taste:\n%s", diff)
		}
		sum := 0.0
		for i, s := range first.Shares {
			if sum += s; s <= 0 || i > 0 && s > first.Shares[i-1] {
				rt.Fatalf("shares %v", first.Shares)
			}
		}
		if len(first.Shares) != len(first.Vectors) || len(first.Shares) > 0 && math.Abs(sum-1) > 1e-9 {
			rt.Fatalf("shares %v of %d vectors", first.Shares, len(first.Vectors))
		}
		if len(first.Vectors) > learner.DefaultConfig().MaxVectors {
			rt.Fatalf("%d vectors", len(first.Vectors))
		}
	})
}

// TestTouched is every course, oldest first.
func TestTouched(t *testing.T) {
	m := newMemory(entry("x", 3, time.Hour), entry("y", -4, 2*time.Hour), entry("z", 0, 0), entry("nx", 1, time.Hour))
	var got []string
	for _, touch := range load(t, m).Touched {
		got = append(got, touch.CourseID)
	}
	if diff := cmp.Diff([]string{"y", "nx", "x", "z"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRecent(t *testing.T) {
	tests := []struct {
		name    string
		entries []lectern.ProfileEntry
		want    []float32
	}{
		{"none", nil, nil},
		{"one", []lectern.ProfileEntry{entry("y", 1, 0)}, []float32{0, 1}},
		{"the last session only", []lectern.ProfileEntry{entry("y", 1, 0), entry("x", 10, time.Hour)}, []float32{0, 1}},
		{"each counts alike", []lectern.ProfileEntry{entry("y", 1, time.Hour), entry("x", 10, 70*time.Minute)}, []float32{0.7071, 0.7071}},
		{"what was turned down does not count", []lectern.ProfileEntry{entry("y", 1, 0), entry("x", -4, 0)}, []float32{0, 1}},
		// x 1 − 2·4 < 0
		{"nor what was turned down since", []lectern.ProfileEntry{entry("y", 1, 0), entry("x", 1, 0), entry("x2", -4, 0)}, []float32{0, 1}},
		{"a chain of events", []lectern.ProfileEntry{entry("y", 1, 0), entry("nx", -1, 20*time.Minute), entry("x", 1, 40*time.Minute)},
			[]float32{0.7071, 0.7071}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := load(t, newMemory(tt.entries...)).Recent
			if !slices.EqualFunc(tt.want, got, func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-4 }) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// BenchmarkTaste makes the taste of a learner of a hundred courses in five topics.
func BenchmarkTaste(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := wide(rand.New(rand.NewPCG(1, 2)), 5, n/5, 256, 0.7)
			m.touchAll(func(id string) float64 { return float64(3 + len(id)%3) })
			p, err := learner.NewProfiles(m, learner.DefaultConfig(), func() time.Time { return now })
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				m.profile.Version++ // as after an event
				if _, _, err := p.Load(b.Context(), lectern.LearnerRef{ID: "l"}, m, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
