package cf

import (
	"cmp"
	"context"
	"io"
	"math"
	"slices"
	"sync"
)

// Neighbours is learner–learner k nearest neighbours: what those took whose
// histories are most alike (Resnick et al. 1994, "GroupLens"; on choosing and weighting
// neighbours Herlocker, Konstan and Riedl 2002, "An Empirical Analysis of Design
// Choices in Neighborhood-Based Collaborative Filtering Algorithms"). Histories are
// compared by the cosine of their courses' strengths times inverse frequencies.
// Where there is an order, recent courses of the learner count more, and what a
// neighbour took close to the last course in common, and after it, counts more than
// the rest (Garg et al. 2019, "Sequence and Time Aware Neighborhood for
// Session-based Recommendations").
//
// Candidates come from an inverted index over courses, the telling ones first, until
// as many entries were read as keeps an answer fast; the best of them are then
// compared exactly.
type Neighbours struct {
	params Params
	config neighbourConfig
	catalogue
	ordered bool
	rows    rows       // histories of the learners
	takers  takers     // the same by course
	idf     []float32  // [rows] of the catalogue
	rare    []float32  // [rows] what a score is multiplied by
	shrink  []float32  // [learners] what the length of a history divides its likeness by
	close   []float32  // [2*mostNeighbourPlaces+1] what a place counts for by how far it is after the last in common
	scratch *sync.Pool // of *neighbourScratch
}

// neighbourConfig are the hyper-parameters.
type neighbourConfig struct {
	k      int     // neighbours that are asked
	decay  float64 // weight of a course for each one taken after it
	idf    float64 // power of the inverse frequency
	length float64 // power of a neighbour's squared norm: .5 is the cosine
	reach  float64 // weight of a neighbour's course for each place away from the last one in common
	before float64 // weight of courses before that one, beside 1 after it
	lift   float64 // power of a course's inverse frequency in its score
}

const (
	neighboursName    = "neighbours"
	neighboursVersion = 1

	mostNeighbourLearners = 300_000 // kept, spread over all
	mostNeighbourPlaces   = 200     // of each, the last ones
	mostNeighbourTerms    = 50      // of a history that is asked for, the last ones
	mostNeighbourReads    = 50_000  // entries of the inverted index
)

// neighbourOptions are the hyper-parameters with defaults from validation cuts of
// course enrolments.
func neighbourOptions() options {
	return options{
		{name: "k", def: 300, least: 1, most: 5000, wholeNumbers: true, values: []float64{200, 300, 500, 1000}},
		{name: "decay", def: .75, least: .01, most: 1, values: []float64{.5, .6, .7, .8, .9, 1}},
		{name: "idf", def: 1, least: 0, most: 4, values: []float64{.5, 1, 1.5, 2}},
		{name: "length", def: .25, least: 0, most: 1, values: []float64{.1, .25, .5}},
		{name: "reach", def: .9, least: .01, most: 1, values: []float64{.7, .8, .9, .95, 1}},
		{name: "before", def: .1, least: 0, most: 1, values: []float64{0, .1, .3, .5, 1}},
		{name: "lift", def: .3, least: 0, most: 2, values: []float64{0, .2, .3, .4, .6}},
	}
}

// neighbourSpec says how to make a [Neighbours].
func neighbourSpec() Spec {
	return neighbourOptions().spec(neighboursName, "Resnick et al. 1994; Herlocker et al. 2002; Garg et al. 2019", 0, false,
		func(p Params) Model { return newNeighbours(p) })
}

var _ Model = (*Neighbours)(nil)

// newNeighbours makes an unfitted model of resolved parameters.
func newNeighbours(p Params) *Neighbours {
	return &Neighbours{params: p, config: neighbourConfig{
		k: int(p["k"]), decay: p["decay"], idf: p["idf"], length: p["length"],
		reach: p["reach"], before: p["before"], lift: p["lift"],
	}}
}

// Name implements Model.
func (m *Neighbours) Name() string { return neighboursName }

// Items implements Model.
func (m *Neighbours) Items() int { return m.items }

// Bytes is the memory that the model takes.
func (m *Neighbours) Bytes() int {
	return 8*(len(m.rows.start)+len(m.takers.start)) + 4*(2*len(m.rows.item)+2*len(m.takers.learner)) +
		4*(2*len(m.idf)+len(m.shrink)+len(m.known)+len(m.row)+len(m.share))
}

// Fit implements Model.
func (m *Neighbours) Fit(ctx context.Context, d *Data) error {
	if err := check(d); err != nil {
		return err
	}
	kept := *d
	if step := (len(d.Histories) + mostNeighbourLearners - 1) / mostNeighbourLearners; step > 1 {
		kept.Learners, kept.Histories = nil, nil
		for u := 0; u < len(d.Histories); u += step {
			kept.Histories = append(kept.Histories, d.Histories[u])
		}
	}
	c := newCatalogue(d, 0)
	m.catalogue, m.ordered, m.rows = c, d.Ordered, newRows(&kept, &c, mostNeighbourPlaces)
	m.index()
	return ctx.Err()
}

// index makes the rest of the model from the histories.
func (m *Neighbours) index() {
	n := len(m.known)
	m.takers = newTakers(&m.rows, n)
	m.idf, m.rare = make([]float32, n), make([]float32, n)
	for i := range n {
		takers := float64(m.takers.start[i+1] - m.takers.start[i])
		m.idf[i] = float32(math.Pow(math.Log1p(float64(m.rows.len())/(takers+1)), m.config.idf))
		m.rare[i] = float32(math.Pow(float64(m.share[i]), -m.config.lift))
	}
	m.shrink = make([]float32, m.rows.len())
	for u := range m.shrink {
		items, weight := m.rows.of(u)
		var square float64
		for k, i := range items {
			v := float64(weight[k] * m.idf[i])
			square += v * v
		}
		m.shrink[u] = float32(math.Pow(square, -m.config.length))
	}
	m.close = make([]float32, 2*mostNeighbourPlaces+1)
	for i := 1; i <= mostNeighbourPlaces; i++ {
		v := math.Pow(m.config.reach, float64(i-1))
		m.close[mostNeighbourPlaces+i], m.close[mostNeighbourPlaces-i] = float32(v), float32(v*m.config.before)
	}
	m.scratch = &sync.Pool{New: func() any {
		return &neighbourScratch{
			sum: newCounter(m.rows.len()), want: make([]float32, n), latest: make([]int32, n), score: make([]float32, n),
		}
	}}
}

// neighbourScratch is the working memory of one Predict.
type neighbourScratch struct {
	terms  []term
	sum    *counter  // [learners]
	want   []float32 // [rows] what a course in common adds, 0 elsewhere
	latest []int32   // [rows] how recent it is in the history, higher is later
	near   []neighbour
	score  []float32 // [rows]
}

// neighbour is a learner with how alike the histories are.
type neighbour struct {
	learner int32
	last    int32 // place of the last course in common, by the order of who asks
	like    float32
}

// nearer is the order of neighbours, total so that an answer depends on nothing else.
func (v neighbour) nearer(w neighbour) bool {
	if v.like != w.like {
		return v.like > w.like
	}
	return v.learner < w.learner
}

// Predict implements Model. A history without a known course is scored by
// popularity, which also orders the courses that no neighbour took.
func (m *Neighbours) Predict(h History, candidates []int32, into []float32) {
	if m.scratch == nil { // nothing was fitted
		clear(into)
		return
	}
	s := m.scratch.Get().(*neighbourScratch)
	defer m.scratch.Put(s)
	s.terms = m.terms(s.terms[:0], h)
	if len(s.terms) == 0 {
		m.spreadRows(m.share, 0, candidates, into)
		return
	}
	for k, t := range s.terms {
		s.want[t.row] = t.w * m.idf[t.row]
		s.latest[t.row] = int32(len(s.terms) - k)
	}
	m.gather(s)
	m.compare(s)
	for _, t := range s.terms {
		s.want[t.row] = 0
	}
	m.ask(s)
	m.spreadRows(s.score, 0, candidates, into)
}

// terms are what counts of a history, the last course first.
func (m *Neighbours) terms(terms []term, h History) []term {
	factor := float32(1)
	for i := len(h) - 1; i >= 0 && len(terms) < mostNeighbourTerms; i-- {
		r := m.rowOf(h[i].Item)
		if r < 0 {
			continue
		}
		terms = append(terms, term{r, max(factor, leastDecay) * strength(h[i].Weight)})
		if m.ordered {
			factor *= float32(m.config.decay)
		}
	}
	return terms
}

// gather finds learners with courses in common, twice as many as will be
// asked.
func (m *Neighbours) gather(s *neighbourScratch) {
	telling := slices.Clone(s.terms)
	slices.SortFunc(telling, func(a, b term) int {
		return cmp.Or(cmp.Compare(s.want[b.row]*m.idf[b.row], s.want[a.row]*m.idf[a.row]), cmp.Compare(a.row, b.row))
	})
	s.sum.reset()
	left := mostNeighbourReads
	for _, t := range telling {
		list := m.takers.learner[m.takers.start[t.row]:m.takers.start[t.row+1]]
		if len(list) > left {
			if len(s.sum.touched) > 2*m.config.k {
				break
			}
			list = list[:left]
		}
		left -= len(list)
		add := s.want[t.row] * m.idf[t.row]
		for _, u := range list {
			s.sum.add(u, add)
		}
	}
	s.near = s.near[:0]
	for _, u := range s.sum.touched {
		s.near = append(s.near, neighbour{learner: u, like: s.sum.sum[u] * m.shrink[u]})
	}
	s.near = nearest(s.near, 2*m.config.k)
}

// compare keeps those that are most alike by everything in common.
func (m *Neighbours) compare(s *neighbourScratch) {
	kept := s.near[:0]
	for _, v := range s.near {
		items, weight := m.rows.of(int(v.learner))
		var like float32
		latest := int32(0)
		for p, i := range items {
			if want := s.want[i]; want > 0 {
				like += want * weight[p] * m.idf[i]
				if s.latest[i] > latest {
					latest, v.last = s.latest[i], int32(p)
				}
			}
		}
		if m.ordered && m.config.before == 0 && int(v.last) == len(items)-1 {
			continue // has nothing to say
		}
		v.like = like * m.shrink[v.learner]
		kept = append(kept, v)
	}
	s.near = nearest(kept, m.config.k)
}

// ask sums what the neighbours took.
func (m *Neighbours) ask(s *neighbourScratch) {
	clear(s.score)
	var top float32
	for _, v := range s.near {
		items, weight := m.rows.of(int(v.learner))
		for p, i := range items {
			w := v.like * weight[p]
			if m.ordered {
				w *= m.close[p-int(v.last)+mostNeighbourPlaces]
			}
			s.score[i] += w
		}
	}
	for i, score := range s.score {
		if score > 0 {
			s.score[i] = score * m.rare[i]
			top = max(top, s.score[i])
		}
	}
	if top == 0 {
		top = 1
	}
	top *= 1e-5
	for i, share := range m.share {
		s.score[i] += top * share
	}
}

// nearest keeps the k most alike of list, in no order. It reorders list.
func nearest(list []neighbour, k int) []neighbour {
	if len(list) <= k {
		return list
	}
	lo, hi := 0, len(list) // the k-th is in [lo, hi)
	for hi-lo > 1 {
		pivot := list[lo+(hi-lo)/2]
		i, j := lo, hi-1
		for i <= j {
			for list[i].nearer(pivot) {
				i++
			}
			for pivot.nearer(list[j]) {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j + 1
		case k > i:
			lo = i
		default:
			return list[:k]
		}
	}
	return list[:k]
}

// Save implements Model.
func (m *Neighbours) Save(w io.Writer) error {
	f := newFrame(w, neighboursName, neighboursVersion)
	f.params(m.params)
	f.flag(m.ordered)
	m.catalogue.save(f)
	lengths := make([]int32, m.rows.len())
	for u := range lengths {
		lengths[u] = int32(m.rows.start[u+1] - m.rows.start[u])
	}
	f.ints(lengths)
	f.ints(m.rows.item)
	f.floats(m.rows.weight)
	return f.close()
}

// Load implements Model.
func (m *Neighbours) Load(r io.Reader) error {
	f := openFrame(r, neighboursName, neighboursVersion)
	loaded := newNeighbours(f.params(neighbourOptions()))
	loaded.ordered = f.flag()
	loaded.catalogue = loadCatalogue(f)
	lengths := f.intsUpTo(mostNeighbourLearners, 1, mostNeighbourPlaces+1)
	start := []int{0}
	for _, n := range lengths {
		start = append(start, start[len(start)-1]+int(n))
	}
	events := start[len(start)-1]
	loaded.rows = rows{
		start: start, item: f.ints(events, 0, int32(len(loaded.known))), weight: f.floats(events),
	}
	for _, w := range loaded.rows.weight {
		if w < leastWeight || w > mostWeight {
			f.fail("holds a strength that cannot be")
			break
		}
	}
	if err := f.close(); err != nil {
		return err
	}
	loaded.index()
	*m = *loaded
	return nil
}
