package cf

import (
	"context"
	"io"
	"math"
	"slices"
)

// Cosine is item–item k nearest neighbours: courses are alike when the same people
// take them (Sarwar et al. 2001, "Item-Based Collaborative Filtering Recommendation
// Algorithms"), each course of a history votes for its k nearest (Deshpande and
// Karypis 2004, "Item-Based Top-N Recommendation Algorithms"), and likeness that
// rests on few people is shrunk towards none (Bell and Koren 2007).
type Cosine struct {
	itemItem
	params  Params
	ordered bool // whether it was fitted on histories with an order
}

const (
	cosineName    = "cosine"
	cosineVersion = 1
	// mostNeighbours is what top_k 0, which keeps all, means beyond maxDense courses.
	mostNeighbours = 1000
)

func cosineOptions() options {
	return options{
		{name: "top_k", def: 200, least: 0, most: 1e6, wholeNumbers: true, values: []float64{20, 50, 100, 200, 500, 0}},
		{name: "shrink", def: 0, least: 0, most: 1e6, values: []float64{0, 5, 10, 25, 50, 100}},
		// The norm of the taken course counts with the power alpha, that of the scored
		// one with 1−alpha; 0.5 is the cosine.
		{name: "alpha", def: 0.5, least: 0, most: 1, values: []float64{0.2, 0.35, 0.5, 0.65, 0.8}},
		// What each step back in a history counts for, where there is an order.
		{name: "decay", def: 0.6, least: 0, most: 1, values: []float64{1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4}},
	}
}

var _ Model = (*Cosine)(nil)

// Name implements Model.
func (m *Cosine) Name() string { return cosineName }

// Fit implements Model.
func (m *Cosine) Fit(ctx context.Context, d *Data) error {
	if err := check(d); err != nil {
		return err
	}
	c := newCatalogue(d, 0)
	r := newRows(d, &c, maxPairs)
	n := len(c.known)
	takers := newTakers(&r, n)
	top := int(m.params["top_k"])
	if top == 0 && n > maxDense {
		top = mostNeighbours
	}
	near, err := m.neighbours(ctx, &r, &takers, n, top)
	if err != nil {
		return err
	}
	m.itemItem, m.ordered = newItemItem(c, newSparse(near)), d.Ordered
	return nil
}

// neighbours finds the nearest of each course.
func (m *Cosine) neighbours(ctx context.Context, r *rows, takers *takers, n, top int) ([][]entry, error) {
	square := make([]float64, n) // squared norms
	for k, i := range r.item {
		square[i] += float64(r.weight[k]) * float64(r.weight[k])
	}
	taken, scored := make([]float64, n), make([]float64, n)
	alpha, shrink := m.params["alpha"], m.params["shrink"]
	for i, s := range square {
		taken[i], scored[i] = math.Pow(s, -alpha), math.Pow(s, alpha-1)
	}
	near := make([][]entry, n)
	err := banded(ctx, n, func(rows []int) {
		counts := newCounter(n)
		for _, i := range rows {
			if ctx.Err() != nil {
				return
			}
			counts.reset()
			for k := takers.start[i]; k < takers.start[i+1]; k++ {
				items, weight := r.of(int(takers.learner[k]))
				own := weight[takers.place[k]]
				for b, j := range items {
					counts.add(j, own*weight[b])
				}
			}
			list := make([]entry, 0, len(counts.touched))
			for _, j := range counts.touched {
				if both := float64(counts.sum[j]); int(j) != i {
					v := both * taken[i] * scored[j] * both / (both + shrink)
					list = append(list, entry{j, float32(v)})
				}
			}
			near[i] = slices.Clip(keepStrongest(list, top))
			slices.SortFunc(near[i], byColumn)
		}
	})
	return near, err
}

// Predict implements Model.
func (m *Cosine) Predict(h History, candidates []int32, into []float32) {
	m.predict(h, candidates, into, m.terms)
}

// terms is what counts of a history.
func (m *Cosine) terms(terms []term, h History) []term {
	if !m.ordered {
		return m.setTerms(terms, h)
	}
	return m.decayedTerms(terms, h, float32(m.params["decay"]))
}

// Save implements Model.
func (m *Cosine) Save(w io.Writer) error {
	f := newFrame(w, cosineName, cosineVersion)
	f.params(m.params)
	f.flag(m.ordered)
	m.save(f)
	return f.close()
}

// Load implements Model.
func (m *Cosine) Load(r io.Reader) error {
	f := openFrame(r, cosineName, cosineVersion)
	params := f.params(cosineOptions())
	ordered := f.flag()
	core := loadItemItem(f)
	if err := f.close(); err != nil {
		return err
	}
	m.params, m.itemItem, m.ordered = params, core, ordered
	return nil
}
