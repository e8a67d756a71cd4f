package ope

import (
	"context"
	"math"
	"slices"
)

// Estimators, by the names that answers call them.
const (
	NameIPS       = "ips"       // inverse propensity scoring
	NameSNIPS     = "snips"     // the same, with weights that sum to what they should (Swaminathan and Joachims 2015)
	NameDM        = "dm"        // direct method: a model of rewards alone
	NameDR        = "dr"        // doubly robust: the model, corrected by weights
	NameSNDR      = "sndr"      // the same, with weights that sum to what they should
	NameSwitch    = "switch"    // doubly robust, but by the model alone where a weight is large
	NameShrinkage = "shrinkage" // doubly robust, large weights pulled to 0
)

// Estimators lists every estimator, in the order of answers.
func Estimators() []string {
	return []string{NameIPS, NameSNIPS, NameDM, NameDR, NameSNDR, NameSwitch, NameShrinkage}
}

// Settings are how estimates are made.
type Settings struct {
	Clip       float64 // weights above count as this; 0 clips none
	Switch     float64 // weights above are left to the model; 0 chooses
	Shrinkage  float64 // λ of w·λ/(w² + λ); 0 chooses
	Folds      int     // of people, for the reward model; 1 fits it on what it judges
	Ridge      float64 // precision of the reward model's prior
	Stratum    int     // picks of a place below which it is normalised with the next one
	Confidence float64 // of intervals
	Draws      int     // resamples behind each interval
	Seed       uint64
}

// DefaultSettings returns what holds where a request says nothing.
func DefaultSettings() Settings {
	return Settings{Clip: 1000, Folds: defaultFolds, Ridge: 1, Stratum: 100, Confidence: 0.95, Draws: 1000}
}

// Interval is a value with its interval.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Estimate is what one estimator says of a target.
type Estimate struct {
	Estimator string `json:"estimator"`
	Interval
	Gain      Interval `json:"gain"`                // over what was logged, on the same lists
	Parameter float64  `json:"parameter,omitempty"` // of switch and shrinkage
}

// Overlap says how much the log tells of a target.
type Overlap struct {
	Lists    int     `json:"lists"`
	People   int     `json:"people"`
	Picks    int     `json:"picks"`    // places that were seen
	Open     int     `json:"open"`     // of these, the ones where the log or the target could have done otherwise
	Rewarded int     `json:"rewarded"` // picks with a reward that the target might have earned, too
	Support  float64 `json:"support"`  // share of the target's picks that the log may show, too
	// Effective is how many open picks of equal weight would tell as much (Kish 1965),
	// allowing for those of one person being alike.
	Effective  float64  `json:"effective"`
	MeanWeight Interval `json:"mean_weight"` // of open picks; near 1 where the propensities are right and all is supported
	MaxWeight  float64  `json:"max_weight"`
	Clipped    float64  `json:"clipped"` // share of the weights' sum that clipping took
	// MonteCarlo is how much of the value's standard error comes from propensities that
	// were found by Monte Carlo, in the value's unit; MonteCarloBias by how much they
	// raise it.
	MonteCarlo     float64 `json:"monte_carlo"`
	MonteCarloBias float64 `json:"monte_carlo_bias"`
}

// Outcome is what a sample says of one reward.
type Outcome struct {
	Logged    Interval   `json:"logged"` // the mean of what was shown
	Estimates []Estimate `json:"estimates"`
	Overlap   Overlap    `json:"overlap"`
}

// Columns of the sums that are kept per person.
const (
	colUnits = iota
	colLogged
	colIPS
	colDM
	colDR
	colSwitch
	colShrink
	colOpen       // open picks, as they are examined
	colOpenWeight // and their weights
	colStrata     // from here on four per stratum: reward, weight, examination, residual
)

const perStratum = 4

// sums are the parts of every estimator, summed per person.
type sums struct {
	people, strata int
	rows           []float64 // people × width
}

func (t *sums) width() int               { return colStrata + perStratum*t.strata }
func (t *sums) row(person int) []float64 { w := t.width(); return t.rows[person*w : (person+1)*w] }

// residual is one pick's weight with what the model left unexplained.
type residual struct {
	person    int
	w, r, fit float64
}

// Estimate says what the target would have earned of the reward of an index, over
// values per unit. The sample must hold at least one list with a pick.
func (s *Sample) Estimate(ctx context.Context, reward int, o Settings) (Outcome, error) {
	cluster, people := clusters(s.Lists)
	stratum, strata := s.strata(max(o.Stratum, 1))
	models, err := s.crossFit(ctx, reward, max(o.Folds, 1), o.Ridge, cluster)
	if err != nil {
		return Outcome{}, err
	}
	t := &sums{people: people, strata: strata, rows: make([]float64, people*(colStrata+perStratum*strata))}
	overlap, residuals := s.collect(reward, o, cluster, stratum, models, t)
	overlap.People = people
	tau, lambda := o.Switch, o.Shrinkage
	if tau <= 0 {
		tau = t.choose(residuals, switched, candidates(residuals, false))
	}
	if lambda <= 0 {
		lambda = t.choose(residuals, shrunk, candidates(residuals, true))
	}
	for _, x := range residuals {
		row := t.row(x.person)
		row[colSwitch] += switched(x.w, tau) * (x.r - x.fit)
		row[colShrink] += shrunk(x.w, lambda) * (x.r - x.fit)
	}
	out, err := t.outcome(ctx, o)
	if err != nil {
		return Outcome{}, err
	}
	for i := range out.Estimates {
		switch out.Estimates[i].Estimator {
		case NameSwitch:
			out.Estimates[i].Parameter = tau
		case NameShrinkage:
			out.Estimates[i].Parameter = lambda
		}
	}
	overlap.MeanWeight = out.Overlap.MeanWeight
	out.Overlap = overlap
	return out, nil
}

// collect fills the sums of all but switch and shrinkage, which choose by what is left.
func (s *Sample) collect(reward int, o Settings, cluster, stratum []int, models []*rewardModel, t *sums) (Overlap, []residual) {
	overlap := Overlap{Lists: len(s.Lists)}
	var residuals []residual
	var scratch []float64
	var want, supported, kept, cut, units, variance, bias float64
	effect := newEffective(t.people)
	for i := range s.Lists {
		l := &s.Lists[i]
		row := t.row(cluster[i])
		model := models[fold(cluster[i], len(models))]
		row[colUnits] += l.Units
		units += l.Units
		for j := range l.Picks {
			p := &l.Picks[j]
			r, full := p.Rewards[reward], p.weight()
			w := full
			if o.Clip > 0 {
				w = min(w, o.Clip)
			}
			kept, cut = kept+w, cut+full-w
			var target, fit float64
			target, scratch = model.expect(p, p.Want, p.Mass, scratch)
			fit, scratch = model.expect(p, p.Shown, 1, scratch)
			row[colLogged] += r
			row[colIPS] += w * r
			row[colDM] += target
			row[colDR] += w * (r - fit)
			strata := row[colStrata+perStratum*stratum[p.Place]:]
			strata[0] += w * r
			strata[1] += w * p.Examined
			strata[2] += p.Mass * p.Examined
			strata[3] += w * (r - fit)
			want += p.Mass * p.Examined
			supported += p.Support * p.Mass * p.Examined
			overlap.Picks++
			if p.Open {
				overlap.Open++
				row[colOpen] += p.Mass * p.Examined
				row[colOpenWeight] += w * p.Examined
				effect.add(cluster[i], w*p.Examined)
			}
			if w > 0 && r != 0 {
				overlap.Rewarded++
			}
			overlap.MaxWeight = max(overlap.MaxWeight, full)
			residuals = append(residuals, residual{cluster[i], w, r, fit})
			relative := p.Error / p.Logged
			variance += sq(w*r*relative) + sq(r*p.TargetError/p.Logged)
			bias += w * r * sq(relative)
		}
	}
	if want > 0 {
		overlap.Support = supported / want
	}
	if kept+cut > 0 {
		overlap.Clipped = cut / (kept + cut)
	}
	overlap.Effective = effect.size()
	overlap.MonteCarlo, overlap.MonteCarloBias = math.Sqrt(variance)/units, bias/units
	return overlap, residuals
}

// values are the estimators of some sums, in the order of Estimators; the logged mean
// and the mean weight stand before them.
func (t *sums) values(total []float64, out []float64) []float64 {
	n := total[colUnits]
	snips, residue := 0.0, 0.0
	for g := range t.strata {
		s := total[colStrata+perStratum*g:]
		if s[1] > 0 {
			snips += s[0] / s[1] * s[2]
			residue += s[3] / s[1] * s[2]
		}
	}
	mean := 1.0
	if total[colOpen] > 0 {
		mean = total[colOpenWeight] / total[colOpen]
	}
	return append(out[:0], total[colLogged]/n, mean,
		total[colIPS]/n, snips/n, total[colDM]/n, (total[colDM]+total[colDR])/n, (total[colDM]+residue)/n,
		(total[colDM]+total[colSwitch])/n, (total[colDM]+total[colShrink])/n)
}

// Places of values.
const (
	atLogged = iota
	atWeight
	atIPS // from here on in the order of Estimators
	atSNIPS
	atDM
	atDR
	atSNDR
	atSwitch
	atShrinkage
)

// outcome lays the values of all people out, with intervals from resamples of them.
func (t *sums) outcome(ctx context.Context, o Settings) (Outcome, error) {
	once := make([]uint16, t.people)
	for i := range once {
		once[i] = 1
	}
	all, _, _ := t.draw(once, nil, nil)
	draws, err := t.resample(ctx, o.Draws, o.Seed)
	if err != nil {
		return Outcome{}, err
	}
	n := len(all.values)
	value := func(k int) Interval {
		return studentised(all.values[k], all.errors[k], draws, o.Confidence, func(d draw) (float64, float64) { return d.values[k], d.errors[k] })
	}
	gain := func(k int) Interval {
		return studentised(all.values[k]-all.values[atLogged], all.errors[n+k], draws, o.Confidence, func(d draw) (float64, float64) {
			return d.values[k] - d.values[atLogged], d.errors[n+k]
		})
	}
	out := Outcome{Logged: value(atLogged)}
	out.Overlap.MeanWeight = value(atWeight)
	for i, name := range Estimators() {
		out.Estimates = append(out.Estimates, Estimate{Estimator: name, Interval: value(atIPS + i), Gain: gain(atIPS + i)})
	}
	return out, nil
}

// quantile returns the value that a share of values is below. It sorts them; there must
// be one.
func quantile(values []float64, share float64) float64 {
	slices.Sort(values)
	x := share * float64(len(values)-1)
	i := int(x)
	if i+1 >= len(values) {
		return values[len(values)-1]
	}
	return values[i] + (x-float64(i))*(values[i+1]-values[i])
}

func sq(v float64) float64 { return v * v }
