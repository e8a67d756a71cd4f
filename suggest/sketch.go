package suggest

import "github.com/viterin/vek/vek32"

// Vectors of many numbers are compared by sketches first, so that a keystroke
// reads a few megabytes of them and not tens: each number is added, with one of
// two signs, to one of a few places (a count sketch; Charikar, Chen and
// Farach-Colton 2002). The dot product of two sketches is that of the vectors but
// for an error with a standard deviation of less than .09.
const (
	sketchDim   = 256
	sketchFrom  = 2 * sketchDim // numbers of a vector from which it pays
	sketchSlack = 0.25          // of a cosine: nearly three standard deviations
)

// sketch returns the sketch of a vector.
func sketch(v []float32) []float32 {
	out := make([]float32, sketchDim)
	for i, x := range v {
		h := (uint64(i) + 1) * 0x9e3779b97f4a7c15
		h ^= h >> 29
		h *= 0xbf58476d1ce4e5b9
		h ^= h >> 32
		if h&sketchDim != 0 {
			x = -x
		}
		out[h%sketchDim] += x
	}
	return out
}

// makeSketches makes those of all rows where that pays.
func (m *meanings) makeSketches() {
	if m.dim < sketchFrom {
		return
	}
	m.sketches = make([]float32, 0, len(m.rows)*sketchDim)
	for i := range m.rows {
		m.sketches = append(m.sketches, sketch(m.row(i))...)
	}
}

// comparer returns what compares a vector with a row. It may answer 0 for a row
// that is further away than a cosine.
func (m *meanings) comparer(v []float32, similarity float64) func(row int) float32 {
	if m.sketches == nil {
		return func(row int) float32 { return vek32.Dot(v, m.row(row)) }
	}
	own, least := sketch(v), float32(similarity-sketchSlack)
	return func(row int) float32 {
		if vek32.Dot(own, m.sketches[row*sketchDim:(row+1)*sketchDim]) < least {
			return 0
		}
		return vek32.Dot(v, m.row(row))
	}
}
