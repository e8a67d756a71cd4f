package sentiment

import (
	"context"
	"math"
)

// row is a review to learn from: y in [0, 1] (a soft label is allowed), a weight of
// at least 0, and the log-odds that the model starts from.
type row struct {
	dense  [denseFeatures]float64
	sparse sparse
	offset float64
	y      float64
	weight float64
}

// penalty is the inverse variance of the weights of each kind.
type penalty struct{ dense, grams float64 }

// weights are what is learnt, beside the offset.
type weights struct {
	bias  float64
	dense [denseFeatures]float64
	grams []float64
}

func (w *weights) logit(r *row) float64 {
	z := r.offset + w.bias
	for i, x := range r.dense {
		z += w.dense[i] * x
	}
	for k, at := range r.sparse.at {
		z += w.grams[at] * float64(r.sparse.x[k])
	}
	return z
}

// fitLogistic minimises the weighted log-loss plus half the penalty times the
// squares of the weights, from all zero.
func fitLogistic(ctx context.Context, rows []row, width int, p penalty) (weights, error) {
	o := &objective{rows: rows, penalty: p, grad: make([]float64, 1+denseFeatures+width)}
	x := make([]float64, len(o.grad))
	if err := minimise(ctx, o, x); err != nil {
		return weights{}, err
	}
	w := weights{bias: x[0], grams: x[1+denseFeatures:]}
	copy(w.dense[:], x[1:])
	return w, nil
}

// objective is the loss; at leaves its gradient in grad.
type objective struct {
	rows    []row
	penalty penalty
	grad    []float64
}

func (o *objective) at(x []float64) float64 {
	w := weights{bias: x[0], grams: x[1+denseFeatures:]}
	copy(w.dense[:], x[1:])
	clear(o.grad)
	g := o.grad[1+denseFeatures:]
	value := 0.0
	for i := range o.rows {
		r := &o.rows[i]
		z := w.logit(r)
		value += r.weight * logLoss(z, r.y)
		d := r.weight * (logistic(z) - r.y)
		o.grad[0] += d
		for k, v := range r.dense {
			o.grad[1+k] += d * v
		}
		for k, at := range r.sparse.at {
			g[at] += d * float64(r.sparse.x[k])
		}
	}
	for k, v := range w.dense {
		value += o.penalty.dense / 2 * v * v
		o.grad[1+k] += o.penalty.dense * v
	}
	for k, v := range w.grams {
		value += o.penalty.grams / 2 * v * v
		g[k] += o.penalty.grams * v
	}
	return value
}

// logLoss of log-odds z against the label y, without overflow.
func logLoss(z, y float64) float64 {
	return math.Max(z, 0) - z*y + math.Log1p(math.Exp(-math.Abs(z)))
}

// platt is a calibration (Platt, 1999): log-odds are slope·z + shift.
type platt struct{ slope, shift float64 }

func (p platt) logit(z float64) float64 { return p.slope*z + p.shift }

// The calibration is fitted by Newton's method with steps halved until they gain.
const (
	plattSteps    = 50
	plattHalvings = 20
)

// fitPlatt fits the calibration to held-out scores z and labels, which are pulled from
// 0 and 1 by one example, as Platt does. The slope is kept positive: whatever the
// noise, a higher score never means less.
func fitPlatt(z []float64, positive []bool) platt {
	n1 := 0.0
	for _, p := range positive {
		if p {
			n1++
		}
	}
	n0 := float64(len(z)) - n1
	f := plattFit{z: z, y: make([]float64, len(z))}
	for i, p := range positive {
		f.y[i] = 1 / (n0 + 2)
		if p {
			f.y[i] = (n1 + 1) / (n1 + 2)
		}
	}
	p := platt{slope: 1, shift: math.Log((n1 + 1) / (n0 + 1))}
	loss := f.loss(p)
	for range plattSteps {
		s, b, ok := f.newton(p)
		if !ok {
			break
		}
		step, gained := 1.0, false
		for range plattHalvings {
			next := platt{p.slope - step*s, p.shift - step*b}
			if l := f.loss(next); l < loss {
				gained = loss-l > 1e-9*loss
				p, loss = next, l
				break
			}
			step /= 2
		}
		if !gained {
			break
		}
	}
	p.slope = math.Max(p.slope, 0.05)
	return p
}

// plattFit is the loss of a calibration: log-loss and a weak pull of the slope to 1,
// which keeps few examples from making it steep.
type plattFit struct{ z, y []float64 }

func (f *plattFit) loss(p platt) float64 {
	sum := (p.slope - 1) * (p.slope - 1) / 2
	for i, v := range f.z {
		sum += logLoss(p.logit(v), f.y[i])
	}
	return sum
}

// newton is the step to take from p, to be subtracted.
func (f *plattFit) newton(p platt) (slope, shift float64, ok bool) {
	g0, g1, h00, h01, h11 := p.slope-1, 0.0, 1.0, 0.0, 0.0
	for i, v := range f.z {
		q := logistic(p.logit(v))
		d, h := q-f.y[i], q*(1-q)
		g0, g1 = g0+d*v, g1+d
		h00, h01, h11 = h00+h*v*v, h01+h*v, h11+h
	}
	det := h00*h11 - h01*h01
	if det < 1e-12 {
		return 0, 0, false
	}
	return (h11*g0 - h01*g1) / det, (h00*g1 - h01*g0) / det, true
}
