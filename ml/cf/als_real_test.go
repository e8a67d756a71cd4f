package cf

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// realData reads the training file of one of the shared data sets.
func realData(tb testing.TB, name string, ordered bool) *Data {
	tb.Helper()
	root := os.Getenv("LECTERN_TEST_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(root, name, "train.csv.gz"))
	if errors.Is(err, os.ErrNotExist) {
		tb.Skipf("the data of %s is not at %s", name, root)
	}
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	r := csv.NewReader(z)
	r.ReuseRecord = true
	d := &Data{Ordered: ordered}
	for line := 0; ; line++ {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			tb.Fatal(err)
		}
		if line == 0 {
			continue
		}
		user, _ := strconv.Atoi(row[0])
		item, _ := strconv.Atoi(row[1])
		for len(d.Histories) <= user {
			d.Histories = append(d.Histories, nil)
		}
		for len(d.Items) <= item {
			d.Items = append(d.Items, strconv.Itoa(len(d.Items)))
		}
		if !slices.ContainsFunc(d.Histories[user], func(e Interaction) bool { return e.Item == int32(item) }) {
			d.Histories[user] = append(d.Histories[user], Interaction{Item: int32(item), Weight: 1})
		}
	}
	return d
}

// cut is a training file split for validation.
type cut struct {
	train *Data
	held  [][]int32 // [learners], nothing for those who are too short
}

// cutTail holds back the last share of each history, one course at least. It can skip
// the last course, which in mooccubex is no good: the last line of each learner there
// has its id cut short.
func cutTail(d *Data, share float64, skipLast bool) cut {
	c := cut{train: &Data{Items: d.Items, Ordered: d.Ordered}, held: make([][]int32, len(d.Histories))}
	for u, h := range d.Histories {
		if skipLast {
			h = h[:len(h)-1]
		}
		keep := len(h) - max(1, int(math.Round(share*float64(len(h)))))
		if keep < 2 {
			keep = len(h)
		}
		c.train.Histories = append(c.train.Histories, h[:keep])
		for _, e := range h[keep:] {
			c.held[u] = append(c.held[u], e.Item)
		}
	}
	return c
}

// quality are metrics at 10.
type quality struct{ recall, hit, ndcg float64 }

// measure ranks every unseen course, or with negatives above 0 the held one among so
// many unseen ones, for each learner with something held back, every one of stride.
func measure(m Model, c cut, negatives, stride int) quality {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var sum quality
	var count float64
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			var own quality
			var n float64
			scores := make([]float32, len(c.train.Items))
			for u := w * stride; u < len(c.held); u += workers * stride {
				if len(c.held[u]) == 0 {
					continue
				}
				q := measureOne(m, c.train.Histories[u], c.held[u], scores, negatives, uint64(u))
				own.recall += q.recall
				own.hit += q.hit
				own.ndcg += q.ndcg
				n++
			}
			mu.Lock()
			defer mu.Unlock()
			sum.recall += own.recall
			sum.hit += own.hit
			sum.ndcg += own.ndcg
			count += n
		})
	}
	wg.Wait()
	return quality{sum.recall / count, sum.hit / count, sum.ndcg / count}
}

func measureOne(m Model, h History, held []int32, scores []float32, negatives int, seed uint64) quality {
	var top []int32
	if negatives > 0 {
		random := rand.New(rand.NewPCG(seed, 99))
		candidates := []int32{held[0]}
		for len(candidates) <= negatives {
			i := int32(random.IntN(len(scores)))
			if i != held[0] && !slices.ContainsFunc(h, func(e Interaction) bool { return e.Item == i }) {
				candidates = append(candidates, i)
			}
		}
		into := make([]float32, len(candidates))
		m.Predict(h, candidates, into)
		rank := 0
		for _, s := range into[1:] {
			if s >= into[0] {
				rank++
			}
		}
		if rank >= 10 {
			return quality{}
		}
		return quality{1, 1, 1 / math.Log2(float64(rank)+2)}
	}
	m.Predict(h, nil, scores)
	for _, e := range h {
		scores[e.Item] = float32(math.Inf(-1))
	}
	top = bestOf(scores, 10)
	var q quality
	var ideal float64
	for i := range min(len(held), 10) {
		ideal += 1 / math.Log2(float64(i)+2)
	}
	for i, item := range top {
		if slices.Contains(held, item) {
			q.recall += 1 / float64(len(held))
			q.hit = 1
			q.ndcg += 1 / math.Log2(float64(i)+2) / ideal
		}
	}
	return q
}

// bestOf returns the k items with the highest scores, best first.
func bestOf(scores []float32, k int) []int32 {
	top := make([]int32, 0, k+1)
	for i, s := range scores {
		if len(top) == k && s <= scores[top[k-1]] {
			continue
		}
		at, _ := slices.BinarySearchFunc(top, s, func(j int32, s float32) int {
			if scores[j] >= s {
				return -1
			}
			return 1
		})
		top = slices.Insert(top, at, int32(i))
		if len(top) > k {
			top = top[:k]
		}
	}
	return top
}
