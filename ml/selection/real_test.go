package selection_test

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/selection"
)

// readReal reads public enrolments, each learner's courses in the order of the file.
func readReal(tb testing.TB, name string, ordered bool) *cf.Data {
	tb.Helper()
	dir := os.Getenv("LECTERN_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(dir, name, "train.csv.gz"))
	if errors.Is(err, os.ErrNotExist) {
		tb.Skipf("the public data %s is not in %s", name, dir)
	}
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	rows := csv.NewReader(unpacked)
	rows.ReuseRecord = true
	d := &cf.Data{Ordered: ordered}
	items, learners := map[string]int32{}, map[string]int{}
	seen := map[[2]int32]bool{}
	for header := true; ; header = false {
		row, err := rows.Read()
		if err == io.EOF {
			return d
		}
		if err != nil {
			tb.Fatal(err)
		}
		if header {
			continue
		}
		u, ok := learners[row[0]]
		if !ok {
			u = len(d.Histories)
			learners[row[0]] = u
			d.Histories = append(d.Histories, nil)
		}
		i, ok := items[row[1]]
		if !ok {
			i = int32(len(d.Items))
			items[row[1]] = i
			d.Items = append(d.Items, row[1])
		}
		if key := [2]int32{int32(u), i}; !seen[key] {
			seen[key] = true
			d.Histories[u] = append(d.Histories[u], cf.Interaction{Item: i, Weight: 1})
		}
	}
}

// hide holds courses back from the end of every history, or one by lot where there
// is no order, as a test that Fit knows nothing of.
func hide(d *cf.Data, share float64) (*cf.Data, [][]int32) {
	r := rand.New(rand.NewPCG(99, 99))
	train, held := &cf.Data{Items: d.Items, Ordered: d.Ordered}, make([][]int32, len(d.Histories))
	for u, h := range d.Histories {
		h = slices.Clone(h)
		switch {
		case len(h) < 3:
		case !d.Ordered:
			i := r.IntN(len(h))
			held[u] = []int32{h[i].Item}
			h = slices.Delete(h, i, i+1)
		default:
			n := max(1, int(math.Round(share*float64(len(h)))))
			for _, x := range h[len(h)-n:] {
				held[u] = append(held[u], x.Item)
			}
			h = h[:len(h)-n]
		}
		train.Histories = append(train.Histories, h)
	}
	return train, held
}

// testOn ranks all unseen courses, or the held one among so many others, for one of
// step learners: recall, hit rate and nDCG at 10.
func testOn(m cf.Model, d *cf.Data, held [][]int32, step, negatives int) (recall, hit, ndcg float64) {
	scores := make([]float32, len(d.Items))
	cases := 0.
	for u := 0; u < len(held); u += step {
		if len(held[u]) == 0 {
			continue
		}
		cases++
		h := d.Histories[u]
		m.Predict(h, nil, scores)
		for _, x := range h {
			scores[x.Item] = float32(math.Inf(-1))
		}
		among := scores
		if negatives > 0 {
			r := rand.New(rand.NewPCG(uint64(u), 5))
			among = nil
			for len(among) < negatives {
				if i := int32(r.IntN(len(scores))); i != held[u][0] && !math.IsInf(float64(scores[i]), -1) {
					among = append(among, scores[i])
				}
			}
		}
		hits, gain, ideal := 0., 0., 0.
		for k, item := range held[u] {
			rank := 0
			for _, v := range among {
				if v > scores[item] {
					rank++
				}
			}
			if rank < 10 {
				hits++
				gain += 1 / math.Log2(float64(rank)+2)
			}
			if k < 10 {
				ideal += 1 / math.Log2(float64(k)+2)
			}
		}
		recall += hits / float64(len(held[u]))
		hit += min(1, hits)
		ndcg += gain / ideal
	}
	return recall / cases, hit / cases, ndcg / cases
}

// Figures of docs/measured/recommendations.md: everything is chosen on a cut of what
// is left after the end of every history was hidden, and tested on what was hidden.
func TestPublicData(t *testing.T) {
	if testing.Short() {
		t.Skip("fits all models on public data")
	}
	only := os.Getenv("LECTERN_TEST_SET")
	for _, c := range []struct {
		name      string
		ordered   bool
		share     float64 // hidden of each history
		step      int
		negatives int
		recall    float64 // least of the selected model
		ndcg      float64
	}{
		{"canvas-network", true, 0.2, 1, 0, 0.495, 0.298},
		{"mooccubex", true, 0, 5, 0, 0.33, 0.205},
		{"movielens-1m-ncf", false, 0, 1, 99, 0.82, 0.58},
	} {
		t.Run(c.name, func(t *testing.T) {
			if only != c.name && (only != "" || c.name != "canvas-network") {
				t.Skip("takes minutes: LECTERN_TEST_SET=" + c.name + " runs it")
			}
			d := readReal(t, c.name, c.ordered)
			if tail := selection.CheckTail(d); tail.Broken() {
				t.Log(tail)
				d = selection.DropTail(d)
			}
			train, held := hide(d, c.share)
			r, err := selection.Fit(context.Background(), train, selection.Options{
				Specs: cf.Specs(), Metric: "ndcg@10", Seed: 1, Negatives: c.negatives, Report: t.Logf,
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range r.Models {
				recall, hit, ndcg := testOn(m.Model, train, held, c.step, c.negatives)
				t.Logf("%-12s recall@10 %.4f hit_rate@10 %.4f ndcg@10 %.4f", m.Name, recall, hit, ndcg)
				if m.Name == r.Selected && (recall < c.recall || ndcg < c.ndcg) {
					t.Errorf("%s was selected with recall %.4f and nDCG %.4f, want %g and %g", m.Name, recall, ndcg, c.recall, c.ndcg)
				}
			}
		})
	}
}
