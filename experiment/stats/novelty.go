package stats

import "math"

// DefaultNoveltyDays are the days since exposure that novelty is looked at over.
const DefaultNoveltyDays = 14

// Novelty follows how an effect goes on with the days since exposure, over people who
// have been followed for all of these days, so that the same people stand behind every
// day and a change is one of theirs. It keeps sums alone.
type Novelty struct {
	days int
	arms []vector
}

// NewNovelty follows arms (control first) over so many days, the day of exposure being
// the first.
func NewNovelty(arms, days int) *Novelty {
	n := &Novelty{days: days, arms: make([]vector, arms)}
	for i := range n.arms {
		n.arms[i] = newVector(2 * days)
	}
	return n
}

// Add adds a person by Value and Per of each day since exposure; nil per is 1 a day. Who
// was followed for fewer days than are looked at is left out; later days are, too.
func (n *Novelty) Add(arm int, value, per []float64) {
	if len(value) < n.days || per != nil && len(per) < n.days {
		return
	}
	row := make([]float64, 2*n.days)
	copy(row, value[:n.days])
	for d := range n.days {
		row[n.days+d] = 1
		if per != nil {
			row[n.days+d] = per[d]
		}
	}
	n.arms[arm].add(row)
}

// NoveltyDay is the effect on one day since exposure.
type NoveltyDay struct {
	Day   int      `json:"day"` // 0 is the day of exposure
	Value float64  `json:"value"`
	Fixed Interval `json:"fixed"` // 95 %, for one look at one day
}

// NoveltyResult is how the effect of a treatment goes on.
type NoveltyResult struct {
	Arm   int          `json:"arm"`
	Units float64      `json:"units"` // people followed for all days, in both arms
	Days  []NoveltyDay `json:"days"`
	// Trend is the change of the effect a day, by least squares over the days; its
	// interval and p-value allow for the same people standing behind all days.
	Trend Interval `json:"trend"`
	Slope float64  `json:"slope"`
	P     float64  `json:"p"`
}

// Judge returns the absolute effect of each treatment by day, and its trend.
func (n *Novelty) Judge(alpha float64) []NoveltyResult {
	if alpha <= 0 {
		alpha = DefaultAlpha
	}
	trend := make([]float64, n.days)
	square := 0.0
	for d := range trend {
		trend[d] = float64(d) - float64(n.days-1)/2
		square += trend[d] * trend[d]
	}
	for d := range trend {
		if square > 0 {
			trend[d] /= square
		}
	}
	out := make([]NoveltyResult, 0, len(n.arms))
	for k := 1; k < len(n.arms); k++ {
		r := NoveltyResult{Arm: k, Units: n.arms[0].n + n.arms[k].n, Trend: Everything(), P: 1}
		for d := range n.days {
			weights := make([]float64, n.days)
			weights[d] = 1
			v, in, _ := n.contrast(k, weights, alpha)
			r.Days = append(r.Days, NoveltyDay{Day: d, Value: v, Fixed: in})
		}
		if n.days > 1 {
			r.Slope, r.Trend, r.P = n.contrast(k, trend, alpha)
		}
		out = append(out, r)
	}
	return out
}

// contrast returns the weighted sum of the days' effects.
func (n *Novelty) contrast(arm int, weights []float64, alpha float64) (value float64, in Interval, p float64) {
	a, va := n.arms[0].contrast(weights)
	b, vb := n.arms[arm].contrast(weights)
	na, nb := n.arms[0].n, n.arms[arm].n
	value = b - a
	if na < 2 || nb < 2 || va+vb == 0 {
		return value, Everything(), 1
	}
	se := math.Sqrt(va + vb)
	df := (va + vb) * (va + vb) / (va*va/(na-1) + vb*vb/(nb-1))
	reach := tQuantile(alpha, df) * se
	return value, Interval{value - reach, value + reach}, tSurvival(value/se, df)
}

// vector keeps means and sums of products about them of rows of numbers.
type vector struct {
	n       float64
	means   []float64
	squares []float64 // row after row; the lower half is used
}

func newVector(dims int) vector {
	return vector{means: make([]float64, dims), squares: make([]float64, dims*dims)}
}

func (v *vector) add(row []float64) {
	v.n++
	share := (v.n - 1) / v.n
	off := make([]float64, len(row))
	for i := range row {
		off[i] = row[i] - v.means[i]
		v.means[i] += off[i] / v.n
	}
	for i := range off {
		if off[i] == 0 {
			continue
		}
		for j := range i + 1 {
			v.squares[i*len(off)+j] += share * off[i] * off[j]
		}
	}
}

// contrast returns the weighted sum of the days' ratios and its squared standard error,
// by the delta method: a ratio moves by (Value − ratio × Per) ÷ mean Per.
func (v *vector) contrast(weights []float64) (value, variance float64) {
	days := len(weights)
	lean := make([]float64, 2*days) // what each number of a row counts for
	for d, w := range weights {
		per := v.means[days+d]
		if w == 0 || per == 0 {
			continue
		}
		ratio := v.means[d] / per
		value += w * ratio
		lean[d], lean[days+d] = w/per, -w*ratio/per
	}
	if v.n < 2 {
		return value, 0
	}
	sum := 0.0
	for i, li := range lean {
		if li == 0 {
			continue
		}
		for j := range i {
			sum += 2 * li * lean[j] * v.squares[i*len(lean)+j]
		}
		sum += li * li * v.squares[i*len(lean)+i]
	}
	return value, max(0, sum) / (v.n - 1) / v.n
}
