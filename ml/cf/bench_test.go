package cf_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/lectern-dev/lectern/ml/cf"
)

// catalogueOf makes learners of a catalogue with a few popular and many rare
// courses, next ones near those before.
func catalogueOf(items, learners, each int) *cf.Data {
	r := rand.New(rand.NewPCG(1, 2))
	d := &cf.Data{Ordered: true, Items: make([]string, items)}
	for i := range d.Items {
		d.Items[i] = strconv.Itoa(i)
	}
	for range learners {
		seen := map[int]bool{}
		var h cf.History
		at := int(float64(items) * r.Float64() * r.Float64())
		for len(h) < each {
			if r.IntN(4) == 0 {
				at = int(float64(items) * r.Float64() * r.Float64())
			} else {
				at = min(items-1, max(0, at+r.IntN(9)-4))
			}
			if !seen[at] {
				seen[at] = true
				h = append(h, cf.Interaction{Item: int32(at), Weight: 1})
			}
		}
		d.Histories = append(d.Histories, h)
	}
	return d
}

// measured are the models of the benchmarks.
func measured() []string { return []string{"popularity", "cosine", "ease", "slist"} }

// reportBytes reports the memory of a model, where it says.
func reportBytes(b *testing.B, m cf.Model) {
	if sized, ok := m.(interface{ Bytes() int }); ok {
		b.ReportMetric(float64(sized.Bytes())/(1<<20), "model-MB")
	}
}

func benchmarkFit(b *testing.B, d *cf.Data) {
	for _, name := range measured() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			m := maker(b, name, nil)()
			for b.Loop() {
				if err := m.Fit(context.Background(), d); err != nil {
					b.Fatal(err)
				}
			}
			reportBytes(b, m)
		})
	}
}

// One thousand courses, ten thousand learners, 120,000 interactions.
func BenchmarkFitThousand(b *testing.B) { benchmarkFit(b, catalogueOf(1000, 10_000, 12)) }

// 3,321 courses, 97,722 learners, 1.18 million interactions.
func BenchmarkFitMOOCCubeX(b *testing.B) { benchmarkFit(b, readHistories(b, "mooccubex")) }

// BenchmarkPredict scores for a history of 20, all courses or 500 candidates.
func BenchmarkPredict(b *testing.B) {
	const items = 6000
	d := catalogueOf(items, 30_000, 12)
	h := d.Histories[0]
	for _, x := range d.Histories[1:] {
		for _, e := range x {
			if len(h) < 20 && !slices.ContainsFunc(h, func(o cf.Interaction) bool { return o.Item == e.Item }) {
				h = append(h, e)
			}
		}
	}
	some := make([]int32, 500)
	for k := range some {
		some[k] = int32(k * items / len(some))
	}
	for _, name := range measured() {
		m := fitted(b, name, nil, d)
		for _, c := range []struct {
			name       string
			candidates []int32
			n          int
		}{{"all 6000", nil, items}, {"500 candidates", some, len(some)}} {
			b.Run(name+"/"+c.name, func(b *testing.B) {
				b.ReportAllocs()
				into := make([]float32, c.n)
				var took []time.Duration
				for b.Loop() {
					begun := time.Now()
					m.Predict(h, c.candidates, into)
					took = append(took, time.Since(begun))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
				reportBytes(b, m)
			})
		}
	}
}

// BenchmarkLoad reads a saved model of 1,000 courses.
func BenchmarkLoad(b *testing.B) {
	m := fitted(b, "slist", nil, catalogueOf(1000, 10_000, 12))
	var saved bytes.Buffer
	if err := m.Save(&saved); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(saved.Len()))
	loaded := maker(b, "slist", nil)()
	for b.Loop() {
		if err := loaded.Load(bytes.NewReader(saved.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}
