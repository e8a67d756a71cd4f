package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// SizePlan is what a size follows from.
type SizePlan struct {
	Mean     float64 // of the metric as it is: Sample.Value
	Variance float64 // over units: Sample.Variance
	Per      float64 // mean Per of a ratio metric; 0 is 1
	Effect   float64 // least effect that matters, as a share of Mean
	Power    float64 // chance to find it; 0 is 0.8
	Alpha    float64 // over all treatments; 0 is DefaultAlpha
	// Shares are the arms', of any sum, control first; empty is two equal ones.
	Shares      []float64
	Correlation float64 // of what people did before and do after, where it is adjusted for
	Daily       float64 // units that arrive a day; 0 leaves the days open
}

// Size is how many units an experiment takes.
type Size struct {
	Fixed float64 `json:"fixed"` // units over all arms for one look at the end
	// Always are the units over all arms at which the always-valid interval, at its
	// narrowest there, has the same power; a clear effect is found far sooner.
	Always     float64 `json:"always"`
	FixedDays  float64 `json:"fixed_days"` // 0 where Daily is not given
	AlwaysDays float64 `json:"always_days"`
}

func (p SizePlan) filled() SizePlan {
	if p.Per <= 0 {
		p.Per = 1
	}
	if p.Power <= 0 {
		p.Power = 0.8
	}
	if p.Alpha <= 0 {
		p.Alpha = DefaultAlpha
	}
	if len(p.Shares) < 2 {
		p.Shares = []float64{1, 1}
	}
	return p
}

// unit returns n × the squared standard error of a treatment's difference from control,
// for the treatment of the least share, and the reaches of the two kinds of interval.
func (p SizePlan) unit() (spread, fixed, always, power float64) {
	sum := total(p.Shares)
	least := math.Inf(1)
	for _, s := range p.Shares[1:] {
		least = min(least, s)
	}
	alpha := p.Alpha / float64(len(p.Shares)-1)
	spread = p.Variance / (p.Per * p.Per) * (1 - p.Correlation*p.Correlation) * (sum/p.Shares[0] + sum/least)
	return spread, distuv.UnitNormal.Quantile(1 - alpha/2), math.Sqrt(1 + best(alpha)), distuv.UnitNormal.Quantile(p.Power)
}

// SizeFor returns the units that finding the effect takes:
// n = (reach + z_power)² · σ² · (1/share + 1/share) ÷ effect². It is infinite where the
// effect or the mean is 0.
func SizeFor(p SizePlan) Size {
	p = p.filled()
	spread, fixed, always, power := p.unit()
	effect := p.Effect * p.Mean
	n := func(reach float64) float64 {
		if effect == 0 {
			return math.Inf(1)
		}
		return math.Ceil((reach + power) * (reach + power) * spread / (effect * effect))
	}
	s := Size{Fixed: n(fixed), Always: n(always)}
	if p.Daily > 0 {
		s.FixedDays, s.AlwaysDays = math.Ceil(s.Fixed/p.Daily), math.Ceil(s.Always/p.Daily)
	}
	return s
}

// Detectable returns the least effect, as a share of the mean, that so many units over
// all arms find with the plan's power: at one look, and with always-valid intervals
// tuned to that size.
func Detectable(p SizePlan, units float64) (fixed, always float64) {
	p = p.filled()
	spread, zf, za, power := p.unit()
	if units <= 0 || p.Mean == 0 {
		return math.Inf(1), math.Inf(1)
	}
	se := math.Sqrt(spread/units) / math.Abs(p.Mean)
	return (zf + power) * se, (za + power) * se
}
