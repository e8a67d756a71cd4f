package stats

import (
	"encoding/json"
	"math"
)

// covariates are the numbers known before exposure. Whether a person was there before is
// one of them: with that indicator it does not matter what stands in for the values
// of those who were not, so that the mean would give the same.
var covariates = [...]int{atBefore, atBeforePer, atUnknown}

const covs = len(covariates)

// collinear is the share of a covariate's own variance that must be left after those
// before it for it to be used.
const collinear = 1e-9

// adjustment says how much of a metric goes with what was known before exposure.
type adjustment struct {
	theta  [covs]float64
	centre [covs]float64 // mean of the covariates over all arms
}

// fitAdjustment finds theta by least squares within the arms, pooled over them, for
// the units' influence on their arm's metric (Deng, Xu, Kohavi and Walker 2013; for
// ratios on the linearised metric). An empty time before leaves theta 0.
func fitAdjustment(arms []Sample) adjustment {
	var a adjustment
	var cc [covs][covs]float64
	var cy [covs]float64
	n := 0.0
	for k := range arms {
		s := &arms[k]
		if s.N < 2 || s.Means[atPer] == 0 {
			continue
		}
		n += s.N
		for i, ci := range covariates {
			a.centre[i] += s.N * s.Means[ci]
			cy[i] += s.crossInfluence(ci)
			for j, cj := range covariates {
				cc[i][j] += s.Squares[ci][cj]
			}
		}
	}
	if n == 0 {
		return a
	}
	for i := range a.centre {
		a.centre[i] /= n
	}
	a.theta = solve(cc, cy)
	return a
}

// crossInfluence returns the sum of products of covariate c and the influence of units
// on the metric, (Value − ratio × Per) ÷ mean Per.
func (s *Sample) crossInfluence(c int) float64 {
	return (s.Squares[atValue][c] - s.Value()*s.Squares[atPer][c]) / s.Means[atPer]
}

// solve solves the normal equations by Cholesky, leaving out covariates that say
// nothing beyond those before them.
func solve(a [covs][covs]float64, b [covs]float64) [covs]float64 {
	var l [covs][covs]float64
	var used [covs]bool
	for i := range covs {
		for j := range i {
			if !used[j] {
				continue
			}
			sum := a[i][j]
			for k := range j {
				sum -= l[i][k] * l[j][k]
			}
			l[i][j] = sum / l[j][j]
		}
		left := a[i][i]
		for k := range i {
			left -= l[i][k] * l[i][k]
		}
		if used[i] = left > collinear*a[i][i]; used[i] {
			l[i][i] = math.Sqrt(left)
		} else {
			l[i] = [covs]float64{}
		}
	}
	var y, x [covs]float64
	for i := range covs {
		if !used[i] {
			continue
		}
		y[i] = b[i]
		for k := range i {
			y[i] -= l[i][k] * y[k]
		}
		y[i] /= l[i][i]
	}
	for i := covs - 1; i >= 0; i-- {
		if !used[i] {
			continue
		}
		x[i] = y[i]
		for k := i + 1; k < covs; k++ {
			x[i] -= l[k][i] * x[k]
		}
		x[i] /= l[i][i]
	}
	return x
}

// Level is the metric in one arm.
type Level struct {
	Units    float64 `json:"units"`
	Value    float64 `json:"value"`    // as it was
	Adjusted float64 `json:"adjusted"` // for what the arms' people did before; Value without adjustment
	SE       float64 `json:"se"`       // standard error of Adjusted, of which all that the arms share cancels from differences
	plain    float64 // squared standard error of Value
	nonZero  float64
	per      float64 // mean Per
}

// Empty reports whether there is nothing that the metric could be a share of: its
// numbers are null in JSON then.
func (l *Level) Empty() bool { return l.Units == 0 || l.per == 0 }

// MarshalJSON implements json.Marshaler.
func (l Level) MarshalJSON() ([]byte, error) {
	is := !l.Empty()
	return json.Marshal(struct {
		Units    float64  `json:"units"`
		Value    *float64 `json:"value"`
		Adjusted *float64 `json:"adjusted"`
		SE       *float64 `json:"se"`
	}{l.Units, known(l.Value, is), known(l.Adjusted, is), known(l.SE, is)})
}

// level returns the metric of an arm, adjusted. The variance of a ratio is that of its
// linearisation (the delta method).
func (s *Sample) level(a *adjustment) Level {
	l := Level{Units: s.N, Value: s.Value(), nonZero: s.NonZero, per: s.Means[atPer]}
	l.Adjusted = l.Value
	if s.N < 2 || l.per == 0 {
		return l
	}
	sum := s.residual(l.Value) / (l.per * l.per)
	l.plain = sum / (s.N - 1) / s.N
	for i, ci := range covariates {
		l.Adjusted -= a.theta[i] * (s.Means[ci] - a.centre[i])
		sum -= 2 * a.theta[i] * s.crossInfluence(ci)
		for j, cj := range covariates {
			sum += a.theta[i] * a.theta[j] * s.Squares[ci][cj]
		}
	}
	l.SE = math.Sqrt(max(0, sum) / (s.N - 1) / s.N)
	return l
}
