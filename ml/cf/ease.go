package cf

import (
	"context"
	"io"
	"math"
)

// EASE is a linear autoencoder without hidden layer: every course is predicted
// from all others by weights that have a closed form (Steck 2019, "Embarrassingly
// Shallow Autoencoders for Sparse Data"), optionally with the emphasis that
// dropout gives (Steck 2020, "Autoencoders that don't overfit towards the
// Identity"). Time and memory grow with the third and second power of the courses,
// so beyond 6,000 it learns about the most active ones only. The matrix of
// interactions holds their weights, within the bounds of strength.
type EASE struct {
	itemItem
	params  Params
	ordered bool // whether it was fitted on histories with an order
}

const (
	easeName     = "ease"
	easeVersion  = 1
	maxItemsEASE = 6000
)

func easeOptions() options {
	return options{
		{name: "lambda", def: 100, least: 0.01, most: 1e6, values: []float64{5, 20, 50, 100, 200, 400, 700, 1000, 2000}},
		{name: "dropout", def: 0.25, least: 0, most: 0.9, values: []float64{0, 0.1, 0.25, 0.4}},
		// A course's scores count as its takers to the power of −rarity_power.
		{name: "rarity_power", def: 0, least: -1, most: 1, values: []float64{0, 0.1, 0.2}},
		// A learner's row counts as its length to the power of −length_power.
		{name: "length_power", def: 0, least: 0, most: 1, values: []float64{0, 0.25, 0.5}},
		// What each step back in a history counts for when it is scored, where there is
		// an order.
		{name: "decay", def: 0.8, least: 0, most: 1, values: []float64{1, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6}},
		{name: "top_k", def: 0, least: 0, most: 1e6, wholeNumbers: true},
	}
}

var _ Model = (*EASE)(nil)

// Name implements Model.
func (m *EASE) Name() string { return easeName }

// Fit implements Model.
func (m *EASE) Fit(ctx context.Context, d *Data) error {
	if err := check(d); err != nil {
		return err
	}
	c := newCatalogue(d, maxItemsEASE)
	r := newRows(d, &c, maxPairs)
	n := len(c.known)
	gram := make([]float64, n*n)
	if err := addSets(ctx, gram, n, &r, m.params["length_power"], 1); err != nil {
		return err
	}
	drop := m.params["dropout"]
	for i := range n {
		gram[i*n+i] += m.params["lambda"] + drop/(1-drop)*gram[i*n+i]
	}
	if err := invertSPD(ctx, gram, n); err != nil {
		return err
	}
	dense := make([]float32, n*n)
	err := parallel(ctx, n, func(i int) {
		for j := range n {
			if i != j {
				dense[i*n+j] = float32(-gram[i*n+j] / gram[j*n+j])
			}
		}
	})
	if err != nil {
		return err
	}
	c.favourRare(dense, m.params["rarity_power"])
	w, err := newDense(ctx, dense, n, int(m.params["top_k"]))
	if err != nil {
		return err
	}
	m.itemItem, m.ordered = newItemItem(c, w), d.Ordered
	return nil
}

// maxPairs bounds how much of one learner's history is paired with itself: the
// last 5,000 courses.
const maxPairs = 5000

// addSets adds share times the co-occurrences of all learners, diagonal included,
// to the symmetric matrix gram [n][n]. A learner's pairs count as the product of
// their strengths, times its length to the power of −power.
func addSets(ctx context.Context, gram []float64, n int, r *rows, power, share float64) error {
	const bands = 16 // each writes rows of its own
	return parallel(ctx, bands, func(band int) {
		for u := range r.len() {
			if u&1023 == 0 && ctx.Err() != nil {
				return
			}
			items, weight := r.of(u)
			scale := share
			if power > 0 {
				scale *= math.Pow(float64(len(items)), -power)
			}
			for a, i := range items {
				if int(i)%bands != band {
					continue
				}
				row, wa := gram[int(i)*n:int(i)*n+n], scale*float64(weight[a])
				for b, j := range items {
					row[j] += wa * float64(weight[b])
				}
			}
		}
	})
}

// terms is what counts of a history.
func (m *EASE) terms(terms []term, h History) []term {
	if !m.ordered {
		return m.setTerms(terms, h)
	}
	return m.decayedTerms(terms, h, float32(m.params["decay"]))
}

// Predict implements Model.
func (m *EASE) Predict(h History, candidates []int32, into []float32) {
	m.predict(h, candidates, into, m.terms)
}

// Save implements Model.
func (m *EASE) Save(w io.Writer) error {
	f := newFrame(w, easeName, easeVersion)
	f.params(m.params)
	f.flag(m.ordered)
	m.save(f)
	return f.close()
}

// Load implements Model.
func (m *EASE) Load(r io.Reader) error {
	f := openFrame(r, easeName, easeVersion)
	params := f.params(easeOptions())
	ordered := f.flag()
	core := loadItemItem(f)
	if err := f.close(); err != nil {
		return err
	}
	m.params, m.itemItem, m.ordered = params, core, ordered
	return nil
}
