package cf

import (
	"context"
	"io"
)

// Session is a linear model of sessions that tells the course just taken from all
// before it: ridge regression, in closed form, of what follows a place in a history
// on two blocks of inputs, the decayed bag of the courses up to that place and the
// course at that place alone. The rows, the decays and the closed form are those of
// Choi et al. 2021, "Session-aware Linear Item-Item Models for Session-based
// Recommendation"; the second block is the first-order Markov chain of Rendle et
// al. 2010, "Factorizing Personalized Markov Chains for Next-Basket
// Recommendation", unfactorised.
//
// What follows a place counts in all as much as what follows any other, however
// much that is. The second block's Gram matrix is a diagonal, so eliminating it
// leaves a system of the size of the catalogue, as large as that of [SLIST].
//
// On histories without order it is [EASE].
type Session struct {
	itemItem
	params  Params
	ordered bool // whether it was fitted on histories with an order
	last    weights
	after   successors
}

const (
	sessionName    = "session"
	sessionVersion = 1
)

func sessionOptions() options {
	return options{
		{name: "lambda", def: 40, least: 0.01, most: 1e6, values: []float64{10, 20, 40, 60, 100, 200}},
		{name: "last_lambda", def: 40, least: 0.01, most: 1e6, values: []float64{10, 20, 40, 60, 100, 200}},
		{name: "input_decay", def: 0.85, least: 0, most: 1, values: []float64{0.7, 0.75, 0.8, 0.85, 0.9, 0.95}},
		{name: "target_decay", def: 0.7, least: 0, most: 1, values: []float64{0.4, 0.5, 0.6, 0.7, 0.8, 0.9}},
	}
}

// sessionSpec says how to make a [Session].
func sessionSpec() Spec {
	return sessionOptions().spec(sessionName, "Choi et al. 2021, Session-aware Linear Item-Item Models; Rendle et al. 2010, FPMC",
		maxItemsEASE, false, func(p Params) Model { return &Session{params: p} })
}

var (
	_ Successor = (*Session)(nil)
	_ linear    = (*Session)(nil)
)

// Name implements Model.
func (m *Session) Name() string { return sessionName }

// Fit implements Model.
func (m *Session) Fit(ctx context.Context, d *Data) error {
	if !d.ordered() {
		return m.fitSet(ctx, d)
	}
	if err := check(d); err != nil {
		return err
	}
	c := newCatalogue(d, maxItemsEASE)
	r := newRows(d, &c, maxPairs)
	after, err := newSuccessors(ctx, &r, len(c.known))
	if err != nil {
		return err
	}
	bag, last, err := m.regress(ctx, &r, len(c.known))
	if err != nil {
		return err
	}
	n := len(c.known)
	w := weights{n: n, dense: bag}
	w.bound()
	v := weights{n: n, dense: last}
	v.bound()
	m.itemItem, m.last, m.ordered, m.after = newItemItem(c, w), v, true, after
	return ctx.Err()
}

// ordered reports whether the histories of data, if any, have an order.
func (d *Data) ordered() bool { return d == nil || d.Ordered }

// fitSet is Fit without an order.
func (m *Session) fitSet(ctx context.Context, d *Data) error {
	params := easeOptions().defaults()
	params["lambda"] = m.params["lambda"]
	set := &EASE{params: params}
	if err := set.Fit(ctx, d); err != nil {
		return err
	}
	none := successors{weights: newSparse(make([][]entry, len(set.known)))}
	m.itemItem, m.last, m.ordered, m.after = set.itemItem, newSparse(make([][]entry, len(set.known))), false, none
	return nil
}

// regress solves for both blocks, row-major [n][n], rows being inputs. With A the
// bags, L the courses alone and Y what follows, one row for each place, it is
//
//	(AᵀA + λ − C·D·Cᵀ)·W = AᵀY − C·D·LᵀY,  V = D·(LᵀY − Cᵀ·W)
//
// where C = AᵀL and D = (LᵀL + λ')⁻¹, a diagonal.
func (m *Session) regress(ctx context.Context, r *rows, n int) (bag, last []float32, err error) {
	s := sessionSums{
		t:     newTransitions(Params{"input_decay": m.params["input_decay"], "target_decay": m.params["target_decay"], "target_power": 1}, 1, r),
		gram:  make([]float64, n*n),
		bagY:  make([]float32, n*n), // transposed
		lastY: make([]float32, n*n), // transposed
		cross: make([]float32, n*n),
		taken: make([]float64, n),
	}
	if err := s.add(ctx, r, n); err != nil {
		return nil, nil, err
	}
	scaled := make([]float32, n*n) // C·D
	err = parallel(ctx, n, func(i int) {
		for j := range n {
			scaled[i*n+j] = s.cross[i*n+j] / float32(s.taken[j]+m.params["last_lambda"])
		}
	})
	if err != nil {
		return nil, nil, err
	}
	through, err := multiplyTransposed(ctx, scaled, s.cross, n)
	if err != nil {
		return nil, nil, err
	}
	for k, v := range through {
		s.gram[k] -= float64(v)
	}
	for i := range n {
		s.gram[i*n+i] += m.params["lambda"]
	}
	if through, err = multiplyTransposed(ctx, s.lastY, scaled, n); err != nil { // (C·D·LᵀY)ᵀ
		return nil, nil, err
	}
	for k, v := range through {
		s.bagY[k] -= v
	}
	if err := invertSPD(ctx, s.gram, n); err != nil {
		return nil, nil, err
	}
	inverse := through
	for k, v := range s.gram {
		inverse[k] = float32(v)
	}
	s.gram = nil
	if bag, err = multiplyTransposed(ctx, inverse, s.bagY, n); err != nil {
		return nil, nil, err
	}
	last, err = s.second(ctx, scaled, bag, n, m.params["last_lambda"])
	return bag, last, err
}

// second returns D·(LᵀY − Cᵀ·W).
func (s *sessionSums) second(ctx context.Context, scaled, bag []float32, n int, lambda float64) ([]float32, error) {
	transpose(scaled, n)
	transpose(bag, n)
	last, err := multiplyTransposed(ctx, scaled, bag, n)
	transpose(bag, n)
	if err != nil {
		return nil, err
	}
	return last, parallel(ctx, n, func(i int) {
		d := float32(1 / (s.taken[i] + lambda))
		for j := range n {
			last[i*n+j] = s.lastY[j*n+i]*d - last[i*n+j]
		}
	})
}

// transpose transposes a row-major [n][n] matrix in place.
func transpose(a []float32, n int) {
	for i0 := 0; i0 < n; i0 += tile {
		for j0 := i0; j0 < n; j0 += tile {
			for i := i0; i < min(i0+tile, n); i++ {
				for j := max(j0, i+1); j < min(j0+tile, n); j++ {
					a[i*n+j], a[j*n+i] = a[j*n+i], a[i*n+j]
				}
			}
		}
	}
}

// sessionSums collects the products of inputs and targets over all places.
type sessionSums struct {
	t     *transitions
	gram  []float64 // [n][n] AᵀA
	bagY  []float32 // [n][n] YᵀA
	cross []float32 // [n][n] C = AᵀL
	lastY []float32 // [n][n] YᵀL
	taken []float64 // [n] diagonal of LᵀL
}

// add sums over all histories; bands write rows of their own.
func (s *sessionSums) add(ctx context.Context, r *rows, n int) error {
	if err := s.t.add(ctx, s.gram, s.bagY, n, r); err != nil {
		return err
	}
	const bands = 16
	return parallel(ctx, bands, func(band int) {
		var x session
		for u := range r.len() {
			if u&1023 == 0 && ctx.Err() != nil {
				return
			}
			x.items, x.weight = r.of(u)
			if len(x.items) < 2 {
				continue
			}
			s.t.weigh(&x)
			for p, i := range x.items {
				if int(i)%bands == band {
					s.addLast(int(i), n, &x, p)
				}
			}
		}
	})
}

// addLast adds the course at p as a part of the bags of the places from it on, as
// the course at its own place, and as a target of those before it.
func (s *sessionSums) addLast(i, n int, x *session, p int) {
	places := len(x.items) - 1
	if p < places {
		s.taken[i]++
	}
	own := float64(x.weight[p])
	row := s.cross[i*n : i*n+n]
	for q := p; q < places && s.t.apart[q-p] > negligible; q++ {
		row[x.items[q]] += float32(own * s.t.apart[q-p])
	}
	row = s.lastY[i*n : i*n+n]
	for q := p - 1; q >= 0 && s.t.onward[p-1-q] > negligible; q-- {
		row[x.items[q]] += float32(own * s.t.onward[p-1-q] * x.target[q])
	}
}

// block returns the matrix that a feature is a row of, and which row.
func (m *Session) block(feature int32) (*weights, int32) {
	if n := int32(len(m.known)); feature >= n {
		return &m.last, feature - n
	}
	return &m.weights, feature
}

// Predict implements Model.
func (m *Session) Predict(h History, candidates []int32, into []float32) {
	if m.scratch == nil { // nothing was fitted
		clear(into)
		return
	}
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	s.terms = m.terms(s.terms[:0], h)
	if len(s.terms) == 0 {
		m.predictPopular(candidates, into)
		return
	}
	clear(s.sum)
	floor := float32(0)
	for _, t := range s.terms {
		w, r := m.block(t.row)
		floor += t.w * w.low[r]
		w.addTo(s.sum, r, t.w)
	}
	m.spread(s.sum, floor, candidates, into)
}

// Next implements Successor.
func (m *Session) Next(item int32, into []float32) { m.after.next(&m.catalogue, item, into) }

// Bytes is the memory that the model takes.
func (m *Session) Bytes() int { return m.itemItem.Bytes() + m.last.bytes() + m.after.weights.bytes() }

// Save implements Model.
func (m *Session) Save(w io.Writer) error {
	f := newFrame(w, sessionName, sessionVersion)
	f.params(m.params)
	f.flag(m.ordered)
	m.save(f)
	m.last.save(f)
	m.after.weights.save(f)
	return f.close()
}

// Load implements Model.
func (m *Session) Load(r io.Reader) error {
	f := openFrame(r, sessionName, sessionVersion)
	params := f.params(sessionOptions())
	ordered := f.flag()
	core := loadItemItem(f)
	var last, after weights
	if f.err == nil {
		last = loadWeights(f, len(core.known))
	}
	if f.err == nil {
		after = loadWeights(f, len(core.known))
	}
	if f.err == nil && after.dense != nil {
		f.fail("has successors of another form")
	}
	if err := f.close(); err != nil {
		return err
	}
	m.params, m.itemItem, m.last, m.ordered, m.after = params, core, last, ordered, successors{weights: after}
	return nil
}
