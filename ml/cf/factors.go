package cf

import (
	"context"
	"io"
	"math"
	"slices"

	"github.com/viterin/vek/vek32"

	"github.com/lectern-dev/lectern"
)

// Factors makes any model [Factored], so that candidates can come from a vector
// index: the factors of its items are the directions in which its scores differ most
// from learner to learner, found by a truncated singular value decomposition of its
// scores for a sample of learners (randomised: Halko, Martinsson and Tropp 2011,
// "Finding Structure with Randomness"). Among all factors of that length these lose
// least of the scores of those learners.
//
// The scores of EASE, SLIST, the session model and the cosine are weighted sums of rows of a matrix, so
// folding in is a sum of projected rows: nothing is scored. Longer factors of a model
// that has its own are projected. For other models it is the projection of what
// Predict says.
//
// Everything else is the model's own.
type Factors struct {
	Model
	dim     int
	learnt  catalogue // the courses that have factors
	item    []float32 // [rows*dim]
	feature []float32 // [features*dim] of a linear model, [the model's dim*dim] of a factored one, else nil
}

// linear is a Model whose scores are a weighted sum of the rows of a matrix, one for
// each feature of the history.
type linear interface {
	Model
	// terms appends the features of a history with their weights.
	terms(terms []term, h History) []term
	// features is how many there are, and the courses that are the matrix's columns.
	features() (int, *catalogue)
	// projectRow returns the dot product of a feature's row with x.
	projectRow(feature int32, x []float32) float32
}

var (
	_ Factored = (*Factors)(nil)
	_ linear   = (*EASE)(nil)
	_ linear   = (*SLIST)(nil)
	_ linear   = (*Cosine)(nil)
	_ linear   = (*Session)(nil)
)

const (
	factorsName    = "factors"
	factorsVersion = 1
	mostFactors    = 1024

	factorSample = 4000     // learners whose scores are kept close to, at most
	factorScores = 16 << 20 // scores of theirs, at most
	factorExtra  = 16       // directions beyond those wanted, while searching
	factorPasses = 3        // power iterations
	factorSeed   = 1
)

// NewFactors gives an unfitted or fitted model factors of that length. Errors:
// CodeInvalid for a length that cannot be.
func NewFactors(m Model, dim int) (*Factors, error) {
	if dim < 1 || dim > mostFactors {
		return nil, lectern.Errorf(lectern.CodeInvalid, "factors of length %d are not between 1 and %d", dim, mostFactors)
	}
	return &Factors{Model: m, dim: dim}, nil
}

// Dim implements Factored.
func (f *Factors) Dim() int { return f.dim }

// Fit implements Model.
func (f *Factors) Fit(ctx context.Context, d *Data) error {
	if err := f.Model.Fit(ctx, d); err != nil {
		return err
	}
	return f.Factorise(ctx, d)
}

// Factorise finds the factors of a model that was fitted on d. Errors: CodeInvalid
// where that cannot be, and the context's.
func (f *Factors) Factorise(ctx context.Context, d *Data) error {
	if err := check(d); err != nil {
		return err
	}
	if len(d.Items) != f.Items() {
		return lectern.Errorf(lectern.CodeInvalid, "the model scores %d courses, not %d", f.Items(), len(d.Items))
	}
	c := newCatalogue(d, 0)
	if m, ok := f.Model.(linear); ok {
		_, own := m.features()
		c = *own
	}
	sample, err := sampleScores(ctx, f.Model, d, &c)
	if err != nil {
		return err
	}
	basis, err := rightBasis(ctx, sample, len(c.known), f.dim)
	if err != nil {
		return err
	}
	f.learnt, f.item, f.feature = c, make([]float32, len(c.known)*f.dim), nil
	for k, direction := range basis {
		for r, v := range direction {
			f.item[r*f.dim+k] = v
		}
	}
	return f.project(ctx, basis)
}

// project finds what folding in needs.
func (f *Factors) project(ctx context.Context, basis [][]float32) error {
	switch m := f.Model.(type) {
	case linear:
		n, _ := m.features()
		f.feature = make([]float32, n*f.dim)
		return parallel(ctx, n, func(i int) {
			for k, direction := range basis {
				f.feature[i*f.dim+k] = m.projectRow(int32(i), direction)
			}
		})
	case Factored:
		f.feature = make([]float32, m.Dim()*f.dim)
		for r, item := range f.learnt.known {
			for i, v := range m.ItemFactor(item) {
				axpy(v, f.item[r*f.dim:(r+1)*f.dim], f.feature[i*f.dim:(i+1)*f.dim])
			}
		}
	}
	return ctx.Err()
}

// features is the number of rows of Factors.feature.
func (f *Factors) features() int {
	switch m := f.Model.(type) {
	case linear:
		n, _ := m.features()
		return n
	case Factored:
		return m.Dim()
	}
	return 0
}

// sampleScores returns the scores of learners spread over the snapshot for the
// courses of c, one after the other, each damped.
func sampleScores(ctx context.Context, m Model, d *Data, c *catalogue) ([]float32, error) {
	n := len(c.known)
	want := min(factorSample, max(factorScores/n, 1))
	step := max(1, len(d.Histories)/want)
	var chosen []int
	for u := 0; u < len(d.Histories) && len(chosen) < want; u += step {
		if len(d.Histories[u]) > 0 {
			chosen = append(chosen, u)
		}
	}
	scores := make([]float32, len(chosen)*n)
	err := inBlocks(ctx, len(chosen), 16, func(from, to int) {
		for k := from; k < to; k++ {
			into := scores[k*n : (k+1)*n]
			m.Predict(d.Histories[chosen[k]], c.known, into)
			damp(into)
		}
	})
	return scores, err
}

// damp turns scores into the square roots of how far they are above their mean, 0 for
// those below, and scales them to unit length: the order at the top stays, the few
// highest do not outweigh all others, and the rest is not worth a direction.
// Scores that are all the same become 0.
func damp(scores []float32) {
	mean := vek32.Mean(scores)
	var norm float64
	for i, s := range scores {
		scores[i] = 0
		if above := float64(s) - float64(mean); above > 0 {
			scores[i] = float32(math.Sqrt(above))
			norm += above
		}
	}
	if norm > 1e-20 && !math.IsInf(norm, 0) {
		vek32.MulNumber_Inplace(scores, float32(1/math.Sqrt(norm)))
	} else {
		clear(scores)
	}
}

// ItemFactor implements Factored.
func (f *Factors) ItemFactor(item int32) []float32 {
	r := f.learnt.rowOf(item)
	if r < 0 {
		return nil
	}
	return f.item[int(r)*f.dim : (int(r)+1)*f.dim : (int(r)+1)*f.dim]
}

// FoldIn implements Factored.
func (f *Factors) FoldIn(h History) []float32 {
	if !slices.ContainsFunc(h, func(e Interaction) bool { return f.learnt.rowOf(e.Item) >= 0 }) {
		return nil
	}
	x := make([]float32, f.dim)
	switch m := f.Model.(type) {
	case linear:
		for _, t := range m.terms(make([]term, 0, len(h)), h) {
			axpy(t.w, f.feature[int(t.row)*f.dim:(int(t.row)+1)*f.dim], x)
		}
		return x
	case Factored:
		for i, v := range m.FoldIn(h) {
			axpy(v, f.feature[i*f.dim:(i+1)*f.dim], x)
		}
		return x
	}
	scores := make([]float32, len(f.learnt.known))
	f.Predict(h, f.learnt.known, scores)
	damp(scores)
	for r, s := range scores {
		if s != 0 {
			axpy(s, f.item[r*f.dim:(r+1)*f.dim], x)
		}
	}
	return x
}

// Bytes is the memory that the factors and the model take.
func (f *Factors) Bytes() int {
	own := 4 * (len(f.item) + len(f.feature) + len(f.learnt.known) + len(f.learnt.row) + len(f.learnt.share))
	if sized, ok := f.Model.(interface{ Bytes() int }); ok {
		own += sized.Bytes()
	}
	return own
}

// Save implements Model: the factors, then the model.
func (f *Factors) Save(w io.Writer) error {
	out := newFrame(w, factorsName, factorsVersion)
	out.u32(uint32(f.dim))
	f.learnt.save(out)
	out.floats(f.item)
	out.floats(f.feature)
	if err := out.close(); err != nil {
		return err
	}
	return f.Model.Save(w)
}

// Load implements Model. Factors as long as they were saved replace those of this
// one's length. The model comes last, so that damage before it leaves all as it was.
func (f *Factors) Load(r io.Reader) error {
	in := openFrame(r, factorsName, factorsVersion)
	loaded := Factors{Model: f.Model, dim: int(in.u32())}
	if loaded.dim < 1 || loaded.dim > mostFactors {
		in.fail("claims factors of length %d", loaded.dim)
		loaded.dim = 1
	}
	loaded.learnt = loadCatalogue(in)
	loaded.item = in.floats(len(loaded.learnt.known) * loaded.dim)
	loaded.feature = readList(in, 0, maxLength, finite32)
	if err := in.close(); err != nil {
		return err
	}
	if err := f.Model.Load(r); err != nil {
		return err
	}
	if loaded.learnt.items != f.Items() || len(loaded.feature) != loaded.features()*loaded.dim {
		*f = Factors{Model: f.Model, dim: f.dim}
		return lectern.Errorf(lectern.CodeInvalid, "saved model has factors of another model")
	}
	*f = loaded
	return nil
}

// finite32 returns the number of these bits and whether it is finite.
func finite32(bits uint32) (float32, bool) {
	return math.Float32frombits(bits), bits&0x7f800000 != 0x7f800000
}

// features implements linear for the models of this kind.
func (m *itemItem) features() (int, *catalogue) { return len(m.known), &m.catalogue }

// projectRow implements linear for the models of this kind.
func (m *itemItem) projectRow(feature int32, x []float32) float32 {
	return m.weights.projectRow(feature, x)
}

// terms implements linear: the bag, then the last course as a feature of its own.
func (m *Session) terms(terms []term, h History) []term {
	if !m.ordered {
		return m.setTerms(terms, h)
	}
	terms = m.decayedTerms(terms, h, float32(m.params["input_decay"]))
	for i := len(h) - 1; i >= 0; i-- {
		if r := m.rowOf(h[i].Item); r >= 0 {
			return append(terms, term{int32(len(m.known)) + r, 1})
		}
	}
	return terms
}

// features implements linear.
func (m *Session) features() (int, *catalogue) { return 2 * len(m.known), &m.catalogue }

// projectRow implements linear.
func (m *Session) projectRow(feature int32, x []float32) float32 {
	if n := int32(len(m.known)); feature >= n {
		return m.last.projectRow(feature-n, x)
	}
	return m.weights.projectRow(feature, x)
}

// projectRow returns the dot product of a row with x.
func (w *weights) projectRow(feature int32, x []float32) float32 {
	if w.dense != nil {
		return vek32.Dot(w.dense[int(feature)*w.n:(int(feature)+1)*w.n], x)
	}
	var sum float32
	for k := w.start[feature]; k < w.start[feature+1]; k++ {
		sum += w.val[k] * x[w.col[k]]
	}
	return sum
}
