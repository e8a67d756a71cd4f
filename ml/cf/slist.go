package cf

import (
	"context"
	"io"
	"math"
	"slices"
)

// SLIST is a linear model of sessions (Choi et al. 2021, "Session-aware Linear
// Item-Item Models for Session-based Recommendation"): ridge regression, in closed
// form, of what follows a place in a history on what comes before it. Every place
// of every history is one row; courses before it count less by input_decay for
// each step back, those after it less by target_decay for each step on. The share
// set mixes in the prediction of a history from itself as a set, with no weight of
// a course on itself above 0, as the paper's SLIS does.
//
// An interaction's weight multiplies its input and its target, within the bounds of
// strength. On histories without order it is that set model alone.
type SLIST struct {
	itemItem
	params  Params
	ordered bool // whether it was fitted on histories with an order
	after   successors
}

const (
	slistName    = "slist"
	slistVersion = 1
)

func slistOptions() options {
	return options{
		{name: "lambda", def: 60, least: 0.01, most: 1e6, values: []float64{1, 3, 10, 20, 40, 60, 100, 150, 250}},
		// Inputs are dropped with this probability (Steck 2020): the ridge of a course
		// grows with how often it was taken.
		{name: "dropout", def: 0.2, least: 0, most: 0.9, values: []float64{0, 0.1, 0.2, 0.35}},
		{name: "input_decay", def: 0.75, least: 0, most: 1, values: []float64{0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9}},
		{name: "target_decay", def: 0.75, least: 0, most: 1, values: []float64{0.4, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9}},
		{name: "set", def: 0, least: 0, most: 1, values: []float64{0, 0.05}},
		// Targets count as their sum at each place to the power of −target_power: with 1
		// what follows a place sums to one however much follows.
		{name: "target_power", def: 1, least: 0, most: 1, values: []float64{0, 0.5, 1}},
		// A course's scores count as its takers to the power of −rarity_power.
		{name: "rarity_power", def: 0.1, least: -1, most: 1, values: []float64{0, 0.1, 0.2, 0.3}},
		// A learner's rows count as the history's length to the power of −length_power.
		{name: "length_power", def: 0, least: 0, most: 1, values: []float64{0, 0.25}},
		{name: "top_k", def: 0, least: 0, most: 1e6, wholeNumbers: true},
	}
}

var _ Successor = (*SLIST)(nil)

// Name implements Model.
func (m *SLIST) Name() string { return slistName }

// Fit implements Model.
func (m *SLIST) Fit(ctx context.Context, d *Data) error {
	if err := check(d); err != nil {
		return err
	}
	c := newCatalogue(d, maxItemsEASE)
	r := newRows(d, &c, maxPairs)
	n := len(c.known)
	params, set := m.params, m.params["set"]
	after := successors{weights: newSparse(make([][]entry, n))}
	if d.Ordered {
		var err error
		if after, err = newSuccessors(ctx, &r, n); err != nil {
			return err
		}
	} else {
		set = 1
	}
	gram, cross := make([]float64, n*n), make([]float32, n*n)
	if set < 1 {
		t := newTransitions(params, 1-set, &r)
		if err := t.add(ctx, gram, cross, n, &r); err != nil {
			return err
		}
	}
	if set > 0 {
		if err := addBoth(ctx, gram, cross, n, &r, params["length_power"], set); err != nil {
			return err
		}
	}
	dense, err := ridge(ctx, gram, cross, n, params["lambda"], params["dropout"])
	if err != nil {
		return err
	}
	c.favourRare(dense, params["rarity_power"])
	w, err := newDense(ctx, dense, n, int(params["top_k"]))
	if err != nil {
		return err
	}
	m.itemItem, m.ordered, m.after = newItemItem(c, w), d.Ordered, after
	return nil
}

// addBoth adds the set model's part to the Gram matrix and the cross products.
func addBoth(ctx context.Context, gram []float64, cross []float32, n int, r *rows, power, share float64) error {
	sets := make([]float64, n*n)
	if err := addSets(ctx, sets, n, r, power, share); err != nil {
		return err
	}
	for k, v := range sets {
		gram[k] += v
		cross[k] += float32(v)
	}
	return nil
}

// ridge returns B = (gram + Λ)⁻¹·crossᵀ, Λ being lambda and what dropout adds; then brings entries of the diagonal that
// are above 0 down to it by the multipliers of that constraint. It overwrites gram.
func ridge(ctx context.Context, gram []float64, cross []float32, n int, lambda, drop float64) ([]float32, error) {
	for i := range n {
		gram[i*n+i] += lambda + drop/(1-drop)*gram[i*n+i]
	}
	if err := invertSPD(ctx, gram, n); err != nil {
		return nil, err
	}
	inverse := make([]float32, n*n)
	for k, v := range gram {
		inverse[k] = float32(v)
	}
	b, err := multiplyTransposed(ctx, inverse, cross, n)
	if err != nil {
		return nil, err
	}
	multiplier := make([]float32, n)
	for j := range n {
		multiplier[j] = max(0, b[j*n+j]/inverse[j*n+j])
	}
	return b, parallel(ctx, n, func(i int) {
		for j, mu := range multiplier {
			if mu != 0 {
				b[i*n+j] -= inverse[i*n+j] * mu
			}
		}
	})
}

// transitions sums over all places of a history in closed form, by how far two of
// its courses are apart, so that a learner costs the square of their history. A
// place is an index into a history that something follows.
type transitions struct {
	share       float64
	lengthPower float64
	targetPower float64
	target      float64   // decay of targets
	apart       []float64 // [steps] input_decay to the power of steps
	onward      []float64 // [steps] target_decay to the power of steps
}

func newTransitions(p Params, share float64, r *rows) *transitions {
	longest := 1
	for u := range r.len() {
		longest = max(longest, r.start[u+1]-r.start[u])
	}
	t := &transitions{
		share: share, lengthPower: p["length_power"], targetPower: p["target_power"],
		target: p["target_decay"], apart: make([]float64, longest+1), onward: make([]float64, longest+1),
	}
	for m := range longest + 1 {
		t.apart[m] = math.Pow(p["input_decay"], float64(m))
		t.onward[m] = math.Pow(t.target, float64(m))
	}
	return t
}

// negligible is the size of a product of decays that is left out.
const negligible = 1e-6

// add adds the products of inputs to the symmetric gram and those of inputs with
// targets to cross, [n][n], of which row j has the inputs of target j.
func (t *transitions) add(ctx context.Context, gram []float64, cross []float32, n int, r *rows) error {
	const bands = 16 // each writes rows of its own
	return parallel(ctx, bands, func(band int) {
		var s session
		for u := range r.len() {
			if u&1023 == 0 && ctx.Err() != nil {
				return
			}
			s.items, s.weight = r.of(u)
			if len(s.items) < 2 {
				continue
			}
			t.weigh(&s)
			for p, i := range s.items {
				if int(i)%bands == band {
					t.addInputs(gram[int(i)*n:int(i)*n+n], &s, p)
					t.addTargets(cross[int(i)*n:int(i)*n+n], &s, p)
				}
			}
		}
	})
}

// session is one history of at least two courses.
type session struct {
	items  []int32
	weight []float32
	inputs []float64 // [places] what a product of inputs, the later at this place, counts for over all places from it on
	target []float64 // [places] what the targets of a place count for
}

// weigh fills in what places count for.
func (t *transitions) weigh(s *session) {
	places := len(s.items) - 1
	s.inputs = slices.Grow(s.inputs[:0], places)[:places]
	s.target = slices.Grow(s.target[:0], places)[:places]
	counts := t.share * math.Pow(float64(len(s.items)), -t.lengthPower)
	inputs, targets := 0.0, 0.0
	for p := places - 1; p >= 0; p-- {
		inputs = counts + inputs*t.apart[1]*t.apart[1]
		targets = float64(s.weight[p+1]) + targets*t.target
		s.inputs[p] = inputs
		s.target[p] = counts * math.Pow(targets, -t.targetPower)
	}
}

// addInputs adds the products of the course at p with all others, over the places
// whose prefix holds both.
func (t *transitions) addInputs(row []float64, s *session, p int) {
	if p >= len(s.inputs) {
		return
	}
	own := float64(s.weight[p])
	for q := p; q >= 0 && t.apart[p-q] > negligible; q-- {
		row[s.items[q]] += own * float64(s.weight[q]) * t.apart[p-q] * s.inputs[p]
	}
	for q := p + 1; q < len(s.inputs) && t.apart[q-p] > negligible; q++ {
		row[s.items[q]] += own * float64(s.weight[q]) * t.apart[q-p] * s.inputs[q]
	}
}

// addTargets adds the products of the course at q as a target with all courses
// before it: for one at p the sum, over the places from p to before q, of input
// decay from p, target decay to q and what the place's targets count for.
func (t *transitions) addTargets(row []float32, s *session, q int) {
	sum, own := 0.0, float64(s.weight[q])
	for p := q - 1; p >= 0; p-- {
		sum = sum*t.apart[1] + t.onward[q-1-p]*s.target[p]
		row[s.items[p]] += float32(own * float64(s.weight[p]) * sum)
	}
}

// Predict implements Model.
func (m *SLIST) Predict(h History, candidates []int32, into []float32) {
	m.predict(h, candidates, into, m.terms)
}

// terms is what counts of a history.
func (m *SLIST) terms(terms []term, h History) []term {
	if !m.ordered {
		return m.setTerms(terms, h)
	}
	return m.decayedTerms(terms, h, float32(m.params["input_decay"]))
}

// Next implements Successor.
func (m *SLIST) Next(item int32, into []float32) { m.after.next(&m.catalogue, item, into) }

// Save implements Model.
func (m *SLIST) Save(w io.Writer) error {
	f := newFrame(w, slistName, slistVersion)
	f.params(m.params)
	f.flag(m.ordered)
	m.save(f)
	m.after.weights.save(f)
	return f.close()
}

// Load implements Model.
func (m *SLIST) Load(r io.Reader) error {
	f := openFrame(r, slistName, slistVersion)
	params := f.params(slistOptions())
	ordered := f.flag()
	core := loadItemItem(f)
	after := loadWeights(f, len(core.known))
	if after.dense != nil {
		f.fail("has successors in a form that is not theirs")
	}
	if err := f.close(); err != nil {
		return err
	}
	m.params, m.itemItem, m.ordered, m.after = params, core, ordered, successors{weights: after}
	return nil
}
