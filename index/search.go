package index

import (
	"context"
	"math/bits"
	"strconv"
	"sync"

	"github.com/lectern-dev/lectern"
)

// task is one query of a Search call, looked up in the view.
type task struct {
	query   lectern.VectorQuery
	filter  *filtered
	terms   []weighted // sparse queries
	best    *topK
	nothing bool // no row has the vector
}

// filtered is a filter that several queries may share.
type filtered struct {
	plan    *plan
	allowed bitset
	count   int
}

// Search implements lectern.VectorIndex. An unknown vector name gives an empty
// list, as for points without the vector. Errors: CodeInvalid for a query that
// has not exactly one vector, of the right dimension and finite.
func (x *Index) Search(ctx context.Context, queries []lectern.VectorQuery) ([][]lectern.Hit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, q := range queries {
		if err := checkQuery(i, q); err != nil {
			return nil, err
		}
	}
	v, tasks, err := x.prepare(queries)
	if err != nil {
		return nil, err
	}
	for i := range tasks {
		t := &tasks[i]
		if f := t.filter; f.allowed == nil {
			f.allowed = f.plan.bitmap()
			f.count = f.allowed.count()
		}
		t.best = newTopK(t.query.K, t.filter.count, v.ids)
	}
	if err := x.runDense(ctx, v, tasks); err != nil {
		return nil, err
	}
	out := make([][]lectern.Hit, len(tasks))
	for i := range tasks {
		t := &tasks[i]
		if t.query.Sparse != nil && !t.nothing && t.best.k > 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			x.runSparse(v, t)
		}
		out[i] = t.best.hits()
	}
	return out, nil
}

// prepare takes the view and everything that must be looked up in the same
// moment.
func (x *Index) prepare(queries []lectern.VectorQuery) (*view, []task, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	v := x.view
	tasks := make([]task, len(queries))
	for i, q := range queries {
		t := &tasks[i]
		t.query = q
		for j := range i {
			if sameFilter(queries[j].Filter, q.Filter) {
				t.filter = tasks[j].filter
				break
			}
		}
		if t.filter == nil {
			t.filter = &filtered{plan: x.plan(q.Filter)}
		}
		if q.Sparse != nil {
			if inv := x.sparse[q.Vector]; inv != nil {
				t.terms = inv.take(*q.Sparse, v.n)
			}
			t.nothing = len(t.terms) == 0
			continue
		}
		d, ok := v.dense[q.Vector]
		if ok && d.dim != len(q.Dense) {
			return nil, nil, wrongDim("queries["+strconv.Itoa(i)+"].dense", len(q.Dense), d.dim)
		}
		t.nothing = d.live == 0
	}
	return v, tasks, nil
}

// runDense answers the dense queries, those of one vector and filter together.
func (x *Index) runDense(ctx context.Context, v *view, tasks []task) error {
	done := make([]bool, len(tasks))
	for i := range tasks {
		first := &tasks[i]
		if done[i] || first.nothing || first.query.Dense == nil || first.filter.count == 0 {
			continue
		}
		var queries [][]float32
		var best []*topK
		for j := i; j < len(tasks); j++ {
			t := &tasks[j]
			if t.filter == first.filter && t.query.Dense != nil && t.query.Vector == first.query.Vector {
				done[j] = true
				if t.best.k > 0 {
					queries = append(queries, t.query.Dense)
					best = append(best, t.best)
				}
			}
		}
		if len(queries) == 0 {
			continue
		}
		d := v.dense[first.query.Vector]
		if err := x.scan(ctx, &d, first.filter, queries, best); err != nil {
			return err
		}
	}
	return nil
}

// parallelWork is how many multiplications a scan must have before it is worth
// a second core: 8,192 rows of 256, about 0.3 ms.
const parallelWork = 1 << 21

// scan runs over the allowed rows, on several cores when there are many.
func (x *Index) scan(ctx context.Context, d *dense, f *filtered, queries [][]float32, best []*topK) error {
	words := len(f.allowed)
	workers := min(x.workers, f.count*d.dim*len(queries)/parallelWork+1)
	if workers <= 1 {
		return d.scan(ctx, x.dot, f.allowed, 0, words, queries, best)
	}
	cuts := split(f.allowed, f.count, workers)
	parts := make([][]*topK, workers)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		parts[w] = best
		if w > 0 {
			parts[w] = make([]*topK, len(best))
			for q, b := range best {
				parts[w][q] = newTopK(b.k, b.k, b.ids)
			}
		}
		wg.Go(func() {
			errs[w] = d.scan(ctx, x.dot, f.allowed, cuts[w], cuts[w+1], queries, parts[w])
		})
	}
	wg.Wait()
	for w := range workers {
		if errs[w] != nil {
			return errs[w]
		}
		if w == 0 {
			continue
		}
		for q, b := range best {
			for _, s := range parts[w][q].items {
				b.offer(s.score, s.row)
			}
		}
	}
	return nil
}

// split cuts the bitmap into runs of words with about as many rows each, and
// returns the n+1 borders.
func split(b bitset, count, n int) []int {
	cuts := make([]int, 1, n+1)
	seen := 0
	for i, w := range b {
		if len(cuts) < n && seen >= count*len(cuts)/n {
			cuts = append(cuts, i)
		}
		seen += bits.OnesCount64(w)
	}
	for len(cuts) <= n {
		cuts = append(cuts, len(b))
	}
	cuts[0] = 0
	return cuts
}

// runSparse answers one sparse query.
func (x *Index) runSparse(v *view, t *task) {
	acc := x.accumulators.Get().(*accumulator)
	defer x.accumulators.Put(acc)
	acc.grow(v.n)
	acc.sum(t.terms)
	acc.drain(t.filter.allowed, t.best)
}

func checkQuery(i int, q lectern.VectorQuery) error {
	name := "queries[" + strconv.Itoa(i) + "]"
	switch {
	case (q.Dense == nil) == (q.Sparse == nil):
		return lectern.Invalid("a query needs exactly one of a dense and a sparse vector",
			lectern.NewFieldError(name, q.Vector, "has none or both", "one vector"))
	case q.Dense != nil && !finite(q.Dense):
		return lectern.Invalid("a query vector is not usable",
			lectern.NewFieldError(name+".dense", q.Vector, "holds a number that is not finite", "finite numbers"))
	case q.Sparse != nil:
		if reason := checkSparse(*q.Sparse); reason != "" {
			return lectern.Invalid("a query vector is not usable",
				lectern.NewFieldError(name+".sparse", q.Vector, reason, "rising indices, finite values"))
		}
	}
	return nil
}

func wrongDim(where string, got, want int) error {
	return lectern.Invalid("a vector has the wrong dimension",
		lectern.NewFieldError(where, got, "has the wrong dimension", strconv.Itoa(want)))
}
