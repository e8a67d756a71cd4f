package cf

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// enrolments are learners with a few courses each of a catalogue in which few are
// popular, mostly from one part of it.
func enrolments(learners, items, each int) *Data {
	random := rand.New(rand.NewPCG(10, 0))
	d := &Data{Ordered: true, Items: make([]string, items)}
	for i := range d.Items {
		d.Items[i] = strconv.Itoa(i)
	}
	popular := rand.NewZipf(random, 1.1, 20, uint64(items-1))
	const parts = 20
	for range learners {
		part := random.IntN(parts)
		var h History
		for len(h) < each {
			i := int32(popular.Uint64())
			if random.IntN(5) > 0 && int(i)%parts != part {
				i += int32(part) - i%parts
			}
			if int(i) < items && i >= 0 && !slices.ContainsFunc(h, func(e Interaction) bool { return e.Item == i }) {
				h = append(h, Interaction{Item: i, Weight: 1})
			}
		}
		d.Histories = append(d.Histories, h)
	}
	return d
}

// benchmarkOne times work on one history after the other and reports the median and the
// 99th percentile.
func benchmarkOne(b *testing.B, d *Data, work func(h History)) {
	work(d.Histories[0])
	b.ReportAllocs()
	var took []time.Duration
	for u := 0; b.Loop(); u++ {
		begun := time.Now()
		work(d.Histories[u%len(d.Histories)])
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

func BenchmarkALSFit(b *testing.B) {
	d := enrolments(97_722, 3_321, 12)
	m := newALS(alsOptions().defaults())
	for b.Loop() {
		if err := m.Fit(context.Background(), d); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(m.Bytes())/(1<<20), "model-MB")
}

func BenchmarkALS(b *testing.B) {
	for _, items := range []int{6_000, 100_000} {
		d := enrolments(20_000, items, 20)
		p := alsOptions().defaults()
		p["epochs"] = 1
		m := newALS(p)
		if err := m.Fit(context.Background(), d); err != nil {
			b.Fatal(err)
		}
		into := make([]float32, items)
		b.Run("FoldIn/"+strconv.Itoa(items), func(b *testing.B) {
			benchmarkOne(b, d, func(h History) { m.FoldIn(h) })
		})
		b.Run("Predict/"+strconv.Itoa(items), func(b *testing.B) {
			benchmarkOne(b, d, func(h History) { m.Predict(h, nil, into) })
		})
	}
}

func BenchmarkNeighbours(b *testing.B) {
	for _, items := range []int{6_000, 100_000} {
		d := enrolments(97_722, items, 12)
		m := newNeighbours(neighbourOptions().defaults())
		if err := m.Fit(context.Background(), d); err != nil {
			b.Fatal(err)
		}
		into := make([]float32, items)
		b.Run("Predict/"+strconv.Itoa(items), func(b *testing.B) {
			benchmarkOne(b, d, func(h History) { m.Predict(h, nil, into) })
		})
	}
}

func BenchmarkFactorsFoldIn(b *testing.B) {
	d := enrolments(20_000, 2_000, 20)
	f := fitFactors(b, "cosine", 63, d)
	benchmarkOne(b, d, func(h History) { f.FoldIn(h) })
}
