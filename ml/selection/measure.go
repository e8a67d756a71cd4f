package selection

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
)

// metric is one that models are compared by.
type metric struct {
	name string
	k    int
	of   func(ranks []int32, k int) float64 // ranks of the truth, from 0
}

// metrics are those that are always measured, at k.
func metricsAt(k int) []metric {
	at := "@" + strconv.Itoa(k)
	return []metric{{"recall" + at, k, recall}, {"hit_rate" + at, k, hitRate}, {"ndcg" + at, k, ndcg}, {"precision" + at, k, precision}}
}

// parseMetric finds a metric by name, for example ndcg@10, and all that are measured
// beside it. Errors: CodeInvalid.
func parseMetric(name string) (metric, []metric, error) {
	_, at, _ := strings.Cut(name, "@")
	k, err := strconv.Atoi(at)
	if err != nil || k < 1 {
		return metric{}, nil, lectern.Errorf(lectern.CodeInvalid, "metric %q is not one like ndcg@10", name)
	}
	all := metricsAt(10)
	if k != 10 {
		all = append(all, metricsAt(k)...)
	}
	i := slices.IndexFunc(all, func(m metric) bool { return m.name == name })
	if i < 0 {
		return metric{}, nil, lectern.Errorf(lectern.CodeInvalid, "metric %q is not recall, hit_rate, ndcg or precision at a cut-off", name)
	}
	return all[i], all, nil
}

func hits(ranks []int32, k int) (n float64) {
	for _, r := range ranks {
		if int(r) < k {
			n++
		}
	}
	return n
}

func recall(ranks []int32, k int) float64    { return hits(ranks, k) / float64(len(ranks)) }
func precision(ranks []int32, k int) float64 { return hits(ranks, k) / float64(k) }
func hitRate(ranks []int32, k int) float64   { return min(1, hits(ranks, k)) }

func ndcg(ranks []int32, k int) float64 {
	sum, ideal := 0., 0.
	for i, r := range ranks {
		if int(r) < k {
			sum += discount(int(r))
		}
		if i < k {
			ideal += discount(i)
		}
	}
	return sum / ideal
}

func discount(rank int) float64 { return 1 / math.Log2(float64(rank)+2) }

// measured are the metrics of one model over all cases.
type measured struct {
	metrics []metric
	sum     []float64
	cases   int
}

func newMeasured(metrics []metric) *measured {
	return &measured{metrics: metrics, sum: make([]float64, len(metrics))}
}

func (m *measured) add(ranks []int32) {
	m.cases++
	for i, x := range m.metrics {
		m.sum[i] += x.of(ranks, x.k)
	}
}

// values returns the means by name.
func (m *measured) values() map[string]float64 {
	out := make(map[string]float64, len(m.metrics))
	for i, x := range m.metrics {
		out[x.name] = m.sum[i] / float64(max(1, m.cases))
	}
	return out
}

// judge has one model rank for every case and returns the metrics.
func judge(ctx context.Context, m cf.Model, cases []testCase, metrics []metric) (map[string]float64, error) {
	ranks, err := ranksOf(ctx, m, cases)
	if err != nil {
		return nil, err
	}
	out := newMeasured(metrics)
	for _, r := range ranks {
		out.add(r)
	}
	return out.values(), nil
}

// ranksOf returns, for every case, the ranks of its truth.
func ranksOf(ctx context.Context, m cf.Model, cases []testCase) ([][]int32, error) {
	out := make([][]int32, len(cases))
	err := eachCase(ctx, cases, func() func(int) {
		scores := make([]float32, m.Items())
		return func(i int) {
			m.Predict(cases[i].history, nil, scores)
			mask(cases[i].history, scores)
			if among := cases[i].among; among != nil {
				out[i] = ranksAmong(scores, cases[i].truth, among)
			} else {
				out[i] = ranks(scores, cases[i].truth)
			}
		}
	})
	return out, err
}

// eachCase calls work for every case on all processors; each has a worker of its own.
func eachCase(ctx context.Context, cases []testCase, worker func() func(int)) error {
	const chunk = 32
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(cases)/chunk+1) {
		wait.Go(func() {
			work := worker()
			for ctx.Err() == nil {
				from := int(next.Add(chunk)) - chunk
				if from >= len(cases) {
					return
				}
				for i := from; i < min(from+chunk, len(cases)); i++ {
					work(i)
				}
			}
		})
	}
	wait.Wait()
	return ctx.Err()
}

// mask makes what was taken, and what is no number, come last.
func mask(h cf.History, scores []float32) {
	least := float32(math.Inf(-1))
	for i, v := range scores {
		if v != v {
			scores[i] = least
		}
	}
	for _, x := range h {
		if x.Item >= 0 && int(x.Item) < len(scores) {
			scores[x.Item] = least
		}
	}
}

// ranks returns how many courses are above each of the truth; of those that score
// the same half.
func ranks(scores []float32, truth []int32) []int32 {
	out := make([]int32, len(truth))
	for k, item := range truth {
		own, above, same := scores[item], int32(0), int32(0)
		for _, v := range scores {
			if v > own {
				above++
			} else if v == own {
				same++
			}
		}
		out[k] = above + (same-1)/2
	}
	return out
}

// ranksAmong is ranks among these alone.
func ranksAmong(scores []float32, truth, among []int32) []int32 {
	out := make([]int32, len(truth))
	for k, item := range truth {
		above, same := int32(0), int32(0)
		for _, i := range among {
			if scores[i] > scores[item] {
				above++
			} else if scores[i] == scores[item] {
				same++
			}
		}
		out[k] = above + same/2
	}
	return out
}

// top appends the k best courses by masked score, in no order.
func top(into []int32, scores []float32, k int, heap []int32) []int32 {
	heap = heap[:0]
	less := func(a, b int32) bool {
		return cmp.Or(cmp.Compare(scores[a], scores[b]), cmp.Compare(b, a)) < 0
	}
	for i := range scores {
		if len(heap) == k && scores[i] <= scores[heap[0]] {
			continue
		}
		if len(heap) < k {
			heap = append(heap, int32(i))
			for c := len(heap) - 1; c > 0 && less(heap[c], heap[(c-1)/2]); c = (c - 1) / 2 {
				heap[c], heap[(c-1)/2] = heap[(c-1)/2], heap[c]
			}
			continue
		}
		heap[0] = int32(i)
		for c := 0; ; {
			n := c
			for _, s := range [2]int{2*c + 1, 2*c + 2} {
				if s < len(heap) && less(heap[s], heap[n]) {
					n = s
				}
			}
			if n == c {
				break
			}
			heap[c], heap[n], c = heap[n], heap[c], n
		}
	}
	for _, i := range heap {
		if !math.IsInf(float64(scores[i]), -1) {
			into = append(into, i)
		}
	}
	return into
}
