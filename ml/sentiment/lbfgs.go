package sentiment

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
)

// The descent stops when the gradient is small, the loss falls by less than
// descentTolerance of itself, or after descentSteps: the loss is convex and its
// penalty keeps it round.
const (
	descentSteps     = 60
	descentMemory    = 8
	descentTolerance = 1e-6
	descentGradient  = 1e-4
	descentHalvings  = 25
)

// lbfgs holds the last steps and changes of gradient (Nocedal, 1980).
type lbfgs struct {
	steps, changes [][]float64
	rho            []float64
}

// minimise moves x to the minimum of o.
func minimise(ctx context.Context, o *objective, x []float64) error {
	var mem lbfgs
	value := o.at(x)
	grad := append([]float64(nil), o.grad...)
	next := make([]float64, len(x))
	for iteration := range descentSteps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if norm(grad) < descentGradient {
			return nil
		}
		dir := mem.direction(grad)
		slope := dot(dir, grad)
		step := 1.0
		if iteration == 0 {
			step = 1 / norm(grad)
		}
		fell := math.NaN()
		for range descentHalvings {
			copy(next, x)
			axpy(step, dir, next)
			if v := o.at(next); v <= value+1e-4*step*slope {
				fell = value - v
				break
			}
			step /= 2
		}
		if math.IsNaN(fell) {
			return nil // no digit left to gain
		}
		mem.remember(x, next, grad, o.grad)
		copy(x, next)
		copy(grad, o.grad)
		value -= fell
		if fell <= descentTolerance*math.Abs(value) {
			return nil
		}
	}
	return nil
}

// direction is the downward direction by the two-loop recursion.
func (m *lbfgs) direction(grad []float64) []float64 {
	q := make([]float64, len(grad))
	axpy(-1, grad, q)
	n := len(m.steps)
	alpha := make([]float64, n)
	for i := n - 1; i >= 0; i-- {
		alpha[i] = m.rho[i] * dot(m.steps[i], q)
		axpy(-alpha[i], m.changes[i], q)
	}
	if n > 0 {
		blas64.Scal(1/(m.rho[n-1]*dot(m.changes[n-1], m.changes[n-1])), vector(q))
	}
	for i := range n {
		axpy(alpha[i]-m.rho[i]*dot(m.changes[i], q), m.steps[i], q)
	}
	return q
}

// remember keeps a step that curves upwards, as steps of a convex loss do but for
// rounding.
func (m *lbfgs) remember(from, to, before, after []float64) {
	s, y := append([]float64(nil), to...), append([]float64(nil), after...)
	axpy(-1, from, s)
	axpy(-1, before, y)
	sy := dot(s, y)
	if sy <= 1e-12 {
		return
	}
	if len(m.steps) == descentMemory {
		m.steps, m.changes, m.rho = m.steps[1:], m.changes[1:], m.rho[1:]
	}
	m.steps, m.changes, m.rho = append(m.steps, s), append(m.changes, y), append(m.rho, 1/sy)
}

func vector(x []float64) blas64.Vector   { return blas64.Vector{N: len(x), Data: x, Inc: 1} }
func dot(a, b []float64) float64         { return blas64.Dot(vector(a), vector(b)) }
func norm(a []float64) float64           { return blas64.Nrm2(vector(a)) }
func axpy(alpha float64, x, y []float64) { blas64.Axpy(alpha, vector(x), vector(y)) }
