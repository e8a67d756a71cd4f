package cf

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/viterin/vek/vek32"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// ALS is matrix factorisation by alternating least squares on implicit feedback
// (Hu, Koren and Volinsky 2008, "Collaborative Filtering for Implicit Feedback
// Datasets"), with the objective and the ranges of hyper-parameters of Rendle,
// Krichene, Zhang and Koren 2021, "Revisiting the Performance of iALS on Item
// Recommendation Benchmarks": what was taken should score 1, everything scores 0
// with the weight α0, and the regularisation of a row is scaled by how much data
// there is on it.
//
// Each row is solved by a few conjugate gradients (Takács, Pilászy and Tikk 2011)
// in the basis of the eigenvectors of the other side's Gram matrix, where
// everything but the row's own interactions is a diagonal: a step costs 2·n·d for a
// row of n interactions, without the d² that it would otherwise. Time is linear in
// interactions and in courses, so there is no bound on either.
type ALS struct {
	params Params
	config alsConfig
	fitted alsFactors
}

// alsConfig are the hyper-parameters.
type alsConfig struct {
	dim, epochs int     // length of the factors, passes over learners and items
	alpha       float64 // weight of all that was not taken, beside that of all that was
	reg         float64 // strength of the regularisation (λ)
	nu          float64 // how it grows with a row's frequency (ν): 0 not at all, 1 in proportion
	decay       float64 // weight of a course for each one taken after it, in ordered histories
}

// alsFactors are what a fit comes to.
type alsFactors struct {
	catalogue
	ordered bool
	dim     int
	weight  float64   // of each score that is taken to be 0 (α0)
	factor  []float32 // [rows*dim], in the basis in which their Gram matrix is a diagonal
	gram    []float32 // [dim], that diagonal
	longest float32   // of the factors
}

const (
	alsName    = "als"
	alsVersion = 1 // of the saved form

	alsInit      = .1 // standard deviation of scores before the first pass
	alsSeed      = 1  // of the factors before the first pass
	alsSteps     = 3  // of conjugate gradients for each row in each pass
	alsFoldSteps = 24 // at most, for a learner who comes from nowhere
)

// alsOptions are the hyper-parameters with defaults from validation cuts of course
// enrolments.
func alsOptions() options {
	return options{
		{name: "dim", def: 128, least: 1, most: 1024, wholeNumbers: true, values: []float64{64, 128, 192}},
		{name: "epochs", def: 6, least: 1, most: 200, wholeNumbers: true, values: []float64{4, 8, 16}},
		// Together, beside all that was taken: what suits a set does so more or less of
		// whatever size and density it is.
		{name: "alpha", def: 3, least: .01, most: 1000, values: []float64{1, 2, 3, 4, 8}},
		{name: "reg", def: .01, least: 1e-6, most: 1000, values: []float64{.005, .007, .01, .015, .03, .06}},
		{name: "nu", def: 1, least: 0, most: 2},
		{name: "decay", def: .75, least: .01, most: 1, values: []float64{.4, .5, .6, .7, .8, .9, 1}},
	}
}

// alsSpec says how to make an [ALS].
func alsSpec() Spec {
	return alsOptions().spec(alsName, "Hu, Koren and Volinsky 2008; Rendle, Krichene, Zhang and Koren 2021", 0, false,
		func(p Params) Model { return newALS(p) })
}

var _ Factored = (*ALS)(nil)

// newALS makes an unfitted model of resolved parameters.
func newALS(p Params) *ALS {
	return &ALS{params: p, config: alsConfig{
		dim: int(p["dim"]), epochs: int(p["epochs"]),
		alpha: p["alpha"], reg: p["reg"], nu: p["nu"], decay: p["decay"],
	}}
}

// Name implements Model.
func (m *ALS) Name() string { return alsName }

// Items implements Model.
func (m *ALS) Items() int { return m.fitted.items }

// Dim implements Factored.
func (m *ALS) Dim() int { return m.fitted.dim }

// Bytes is the memory that the model takes.
func (m *ALS) Bytes() int {
	f := &m.fitted
	return 4 * (len(f.factor) + len(f.gram) + len(f.known) + len(f.row) + len(f.share))
}

// Fit implements Model. The result is the same on any number of processors.
func (m *ALS) Fit(ctx context.Context, d *Data) error {
	if err := check(d); err != nil {
		return err
	}
	c := newCatalogue(d, 0)
	r := newRows(d, &c, 0)
	if d.Ordered {
		r.fade(m.config.decay)
	}
	byItem := r.transpose(len(c.known))
	learners := alsSide{rows: &r, across: len(c.known), dim: m.config.dim}
	items := alsSide{rows: byItem, across: r.len(), dim: m.config.dim}
	learners.factor = make([]float32, r.len()*m.config.dim)
	items.factor = alsStart(byItem.len(), m.config.dim)
	fit := alsObjective{alpha: m.config.alpha * r.mass() / float64(r.len()) / float64(len(c.known)), reg: m.config.reg, nu: m.config.nu}
	for epoch := range m.config.epochs {
		steps := alsSteps
		if epoch == 0 {
			steps = alsFoldSteps // learners start from nothing
		}
		if err := learners.solve(ctx, &items, fit, steps); err != nil {
			return err
		}
		if err := items.solve(ctx, &learners, fit, alsSteps); err != nil {
			return err
		}
	}
	gram, err := items.diagonalise(ctx, nil)
	if err != nil {
		return err
	}
	m.fitted = alsFactors{catalogue: c, ordered: d.Ordered, dim: m.config.dim, weight: fit.alpha, factor: items.factor, gram: gram}
	m.fitted.measure()
	return nil
}

// measure finds the longest factor.
func (f *alsFactors) measure() {
	f.longest = 0
	for r := range f.known {
		f.longest = max(f.longest, vek32.Norm(f.of(int32(r))))
	}
}

// of returns the factor of a row.
func (f *alsFactors) of(row int32) []float32 {
	return f.factor[int(row)*f.dim : (int(row)+1)*f.dim : (int(row)+1)*f.dim]
}

// ItemFactor implements Factored.
func (m *ALS) ItemFactor(item int32) []float32 {
	if r := m.fitted.rowOf(item); r >= 0 {
		return m.fitted.of(r)
	}
	return nil
}

// FoldIn implements Factored: the minimum of the objective for this learner, with
// the items as they are.
func (m *ALS) FoldIn(h History) []float32 {
	f := &m.fitted
	index := make([]int32, 0, len(h))
	value := make([]float32, 0, len(h))
	fade := 1.
	for i := len(h) - 1; i >= 0; i-- {
		r := f.rowOf(h[i].Item)
		if r < 0 {
			continue
		}
		index = append(index, r)
		value = append(value, float32(max(fade, leastDecay))*strength(h[i].Weight))
		if f.ordered {
			fade *= m.config.decay
		}
	}
	if len(index) == 0 {
		return nil
	}
	x := make([]float32, f.dim)
	fit := alsObjective{alpha: f.weight, reg: m.config.reg, nu: m.config.nu}
	newALSSolver(f.dim).solve(x, index, value, f.factor, f.gram, fit, len(f.known), alsFoldSteps)
	return x
}

// Predict implements Model. A history without a known course is scored by
// popularity.
func (m *ALS) Predict(h History, candidates []int32, into []float32) {
	f := &m.fitted
	x := m.FoldIn(h)
	if x == nil {
		f.spreadRows(f.share, 0, candidates, into)
		return
	}
	low := -vek32.Norm(x) * f.longest
	if candidates == nil {
		scores := make([]float32, len(f.known))
		blas32.Gemv(blas.NoTrans, 1,
			blas32.General{Rows: len(f.known), Cols: f.dim, Stride: f.dim, Data: f.factor},
			blas32.Vector{N: f.dim, Inc: 1, Data: x}, 0,
			blas32.Vector{N: len(scores), Inc: 1, Data: scores})
		f.spreadRows(scores, low, nil, into)
		return
	}
	for i, item := range candidates {
		if r := f.rowOf(item); r >= 0 {
			into[i] = vek32.Dot(x, f.of(r))
		} else {
			into[i] = low
		}
	}
}

// spreadRows puts the scores of rows where they belong, low for unknown courses.
func (c *catalogue) spreadRows(score []float32, low float32, candidates []int32, into []float32) {
	at := func(r int32) float32 {
		if r < 0 {
			return low
		}
		return score[r]
	}
	if candidates == nil {
		for i := range into {
			into[i] = at(c.rowOf(int32(i)))
		}
		return
	}
	for i, item := range candidates {
		into[i] = at(c.rowOf(item))
	}
}

// alsStart returns n random factors, each row from a stream of its own.
func alsStart(n, dim int) []float32 {
	scale := alsInit / math.Sqrt(float64(dim))
	f := make([]float32, n*dim)
	for r := range n {
		random := rand.New(rand.NewPCG(alsSeed, uint64(r)))
		for i := range dim {
			f[r*dim+i] = float32(random.NormFloat64() * scale)
		}
	}
	return f
}
