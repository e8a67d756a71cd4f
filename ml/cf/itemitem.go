package cf

import "sync"

// term is one course of a history with what it counts for.
type term struct {
	row int32
	w   float32 // > 0
}

// itemItem scores by an item–item matrix: the weighted sum of the rows of a
// history. What is common to all models of this kind is here; they differ in how
// the matrix is learnt and in what each course of a history counts for.
//
// A course that the model does not know scores as low as any could for the same
// history. A history without a known course is scored by popularity.
type itemItem struct {
	catalogue
	weights weights
	scratch *sync.Pool // of *scratch, for the present sizes
}

// scratch is the working memory of one Predict.
type scratch struct {
	terms []term
	sum   []float32 // [rows]
}

// newItemItem makes a model that is ready to predict.
func newItemItem(c catalogue, w weights) itemItem {
	n := len(c.known)
	return itemItem{catalogue: c, weights: w, scratch: &sync.Pool{New: func() any {
		return &scratch{sum: make([]float32, n)}
	}}}
}

// Items is how many courses the model scores.
func (m *itemItem) Items() int { return m.items }

// Bytes is the memory that the model takes.
func (m *itemItem) Bytes() int { return m.weights.bytes() + 4*(len(m.known)+len(m.row)+len(m.share)) }

// predict scores for a history of which terms appends what counts.
func (m *itemItem) predict(h History, candidates []int32, into []float32, terms func([]term, History) []term) {
	if m.scratch == nil { // nothing was fitted
		clear(into)
		return
	}
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	s.terms = terms(s.terms[:0], h)
	if len(s.terms) == 0 {
		m.predictPopular(candidates, into)
		return
	}
	floor := float32(0)
	for _, t := range s.terms {
		floor += t.w * m.weights.low[t.row]
	}
	if candidates != nil && m.weights.dense != nil && len(candidates) < len(m.known)/4 {
		m.predictFew(s.terms, candidates, floor, into)
		return
	}
	clear(s.sum)
	for _, t := range s.terms {
		m.weights.addTo(s.sum, t.row, t.w)
	}
	m.spread(s.sum, floor, candidates, into)
}

// predictFew sums for the candidates alone.
func (m *itemItem) predictFew(terms []term, candidates []int32, floor float32, into []float32) {
	n := m.weights.n
	for k, item := range candidates {
		r := m.rowOf(item)
		if r < 0 {
			into[k] = floor
			continue
		}
		sum := float32(0)
		for _, t := range terms {
			sum += t.w * m.weights.dense[int(t.row)*n+int(r)]
		}
		into[k] = sum
	}
}

// spread puts the scores of rows where they belong; unknown courses score floor.
func (m *itemItem) spread(sum []float32, floor float32, candidates []int32, into []float32) {
	if candidates == nil {
		for i, r := range m.row {
			if r < 0 {
				into[i] = floor
			} else {
				into[i] = sum[r]
			}
		}
		return
	}
	for k, item := range candidates {
		if r := m.rowOf(item); r < 0 {
			into[k] = floor
		} else {
			into[k] = sum[r]
		}
	}
}

// predictPopular scores by popularity.
func (m *itemItem) predictPopular(candidates []int32, into []float32) {
	m.spread(m.share, 0, candidates, into)
}

// setTerms makes a history a set: every known course counts for its strength.
func (m *itemItem) setTerms(terms []term, h History) []term {
	for _, x := range h {
		if r := m.rowOf(x.Item); r >= 0 {
			terms = append(terms, term{r, strength(x.Weight)})
		}
	}
	return terms
}

// decayedTerms makes a history count less by the factor decay for each step back
// from its end; what counts next to nothing is left out.
func (m *itemItem) decayedTerms(terms []term, h History, decay float32) []term {
	if decay >= 1 {
		return m.setTerms(terms, h)
	}
	factor := float32(1)
	for i := len(h) - 1; i >= 0 && factor > leastDecay; i-- {
		r := m.rowOf(h[i].Item)
		if r < 0 {
			continue
		}
		terms = append(terms, term{r, factor * strength(h[i].Weight)})
		factor *= decay
	}
	return terms
}

// leastDecay is where a decayed influence counts as none.
const leastDecay = 1e-4

// save writes catalogue and matrix.
func (m *itemItem) save(f *frameWriter) {
	m.catalogue.save(f)
	m.weights.save(f)
}

// loadItemItem reads what save wrote.
func loadItemItem(f *frameReader) itemItem {
	c := loadCatalogue(f)
	if f.err != nil {
		return itemItem{}
	}
	w := loadWeights(f, len(c.known))
	if f.err != nil {
		return itemItem{}
	}
	return newItemItem(c, w)
}
