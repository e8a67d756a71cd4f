package cf

import (
	"context"
	"io"
	"math"
)

// SLIST is a linear model of sessions (Choi et al. 2021, "Session-aware Linear
// Item-Item Models for Session-based Recommendation"): ridge regression, in closed
// form, of what follows a place in a history on what comes before it. Every place
// of every history is one row; courses before it count less by input_decay for
// each step back, those after it less by target_decay for each step on. The share
// set mixes in the prediction of a history from itself as a set, with no weight of
// a course on itself above 0, as the paper's SLIS does.
//
// On histories without order it is that set model alone.
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
		{name: "lambda", def: 10, least: 0.01, most: 1e6, values: []float64{1, 3, 10, 20, 40, 100, 200, 400}},
		{name: "input_decay", def: 0.6, least: 0, most: 1, values: []float64{0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95}},
		{name: "target_decay", def: 0.8, least: 0, most: 1, values: []float64{0, 0.4, 0.6, 0.8, 0.9, 1}},
		{name: "set", def: 0, least: 0, most: 1, values: []float64{0, 0.05, 0.1, 0.2, 0.4}},
		// Targets count as their sum at each place to the power of −target_power: with 1
		// what follows a place sums to one however much follows.
		{name: "target_power", def: 0, least: 0, most: 1, values: []float64{0, 0.5, 1}},
		// A learner's rows count as the history's length to the power of −length_power.
		{name: "length_power", def: 0, least: 0, most: 1, values: []float64{0, 0.25, 0.5}},
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
	dense, err := ridge(ctx, gram, cross, n, params["lambda"])
	if err != nil {
		return err
	}
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

// ridge returns B = (gram + λI)⁻¹·crossᵀ, then brings entries of the diagonal that
// are above 0 down to it by the multipliers of that constraint. It overwrites gram.
func ridge(ctx context.Context, gram []float64, cross []float32, n int, lambda float64) ([]float32, error) {
	for i := range n {
		gram[i*n+i] += lambda
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
// its courses are apart, so that a learner costs the square of their history.
type transitions struct {
	share       float64
	power       float64 // of a history's length
	target      float64 // decay of targets
	targetPower float64
	apart       []float64 // [steps] input_decay to the power of steps
	places      []float64 // [u] sum of squared input decays over u+1 places
	onward      []float64 // [steps] target_decay to the power of steps
}

func newTransitions(p Params, share float64, r *rows) *transitions {
	longest := 0
	for u := range r.len() {
		longest = max(longest, r.start[u+1]-r.start[u])
	}
	t := &transitions{
		share: share, power: p["length_power"], target: p["target_decay"], targetPower: p["target_power"],
		apart: make([]float64, longest+1), places: make([]float64, longest+1), onward: make([]float64, longest+1),
	}
	sum := 0.0
	for m := range longest + 1 {
		t.apart[m] = math.Pow(p["input_decay"], float64(m))
		t.onward[m] = math.Pow(t.target, float64(m))
		sum += t.apart[m] * t.apart[m]
		t.places[m] = sum
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
		var scales []float64
		for u := range r.len() {
			if u&1023 == 0 && ctx.Err() != nil {
				return
			}
			items, weight := r.of(u)
			if len(items) < 2 {
				continue
			}
			scale := t.share
			if t.power > 0 {
				scale *= math.Pow(float64(len(items)), -t.power)
			}
			scales = t.targetScales(scales[:0], weight)
			for p, i := range items {
				if int(i)%bands == band {
					own := scale * float64(weight[p])
					t.addInputs(gram[int(i)*n:int(i)*n+n], items, weight, p, own)
					t.addTargets(cross[int(i)*n:int(i)*n+n], items, weight, scales, p, own)
				}
			}
		}
	})
}

// targetScales appends what the targets of each place are multiplied by.
func (t *transitions) targetScales(scales []float64, weight []float32) []float64 {
	for range weight {
		scales = append(scales, 1)
	}
	if t.targetPower == 0 {
		return scales
	}
	sum := 0.0 // of the targets of place p
	for p := len(weight) - 2; p >= 0; p-- {
		sum = sum*t.target + float64(weight[p+1])
		scales[p] = math.Pow(sum, -t.targetPower)
	}
	return scales
}

// addInputs adds the products of the course at place p with all others, over the
// places whose prefix holds both.
func (t *transitions) addInputs(row []float64, items []int32, weight []float32, p int, own float64) {
	last := len(items) - 2 // the last place that something follows
	if p > last {
		return
	}
	for q := p; q >= 0 && t.apart[p-q] > negligible; q-- {
		row[items[q]] += own * float64(weight[q]) * t.apart[p-q] * t.places[last-p]
	}
	for q := p + 1; q <= last && t.apart[q-p] > negligible; q++ {
		row[items[q]] += own * float64(weight[q]) * t.apart[q-p] * t.places[last-q]
	}
}

// addTargets adds the products of the course at place q as a target with all
// courses before it: for one at p the sum, over the places from p to before q, of
// input decay from p, target decay to q and the place's scale.
func (t *transitions) addTargets(row []float32, items []int32, weight []float32, scales []float64, q int, own float64) {
	sum := 0.0
	for p := q - 1; p >= 0; p-- {
		sum = sum*t.apart[1] + t.onward[q-1-p]*scales[p]
		if sum < negligible {
			return
		}
		row[items[p]] += float32(own * float64(weight[p]) * sum)
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
