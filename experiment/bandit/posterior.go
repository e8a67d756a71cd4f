package bandit

import (
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// Posterior holds the statistics of a ridge regression of rewards on rows that
// forgets: what was seen a half-life ago counts half. It is not safe for concurrent
// use.
//
// What is seen at time t is added with the weight 2^((t − landmark)/half-life), so that
// it does not matter in which order it arrives; the landmark moves by whole half-lives,
// which scales by a power of two and loses nothing. The prior is kept apart: it does
// not fade, and what is forgotten falls back to it.
type Posterior struct {
	set      FeatureSet
	ridge    float64       // precision of the prior, in impressions
	halfLife time.Duration // 0 is never

	landmark time.Time // of weight 1
	at       time.Time // the latest that was added
	seen     int64     // impressions that were added
	rewarded int64
	gram     []float64 // Σ w·xxᵀ: lower triangle, row by row
	sum      []float64 // Σ w·reward·x
}

// NewPosterior returns one that has learnt nothing. ridge is how many impressions the
// prior is worth in every direction, above 0; a half-life of 0 never forgets.
func NewPosterior(set FeatureSet, ridge float64, halfLife time.Duration) *Posterior {
	d := set.Dim()
	return &Posterior{set: set, ridge: ridge, halfLife: halfLife, gram: make([]float64, d*(d+1)/2), sum: make([]float64, d)}
}

// Clone returns a copy that shares nothing with p.
func (p *Posterior) Clone() *Posterior {
	out := *p
	out.gram, out.sum = slices.Clone(p.gram), slices.Clone(p.sum)
	return &out
}

// Set is what its rows are made of.
func (p *Posterior) Set() FeatureSet { return p.set }

// At is the time of the latest impression that was added; zero while there is none.
func (p *Posterior) At() time.Time { return p.at }

// Impressions and Rewards count what was added, forgotten or not.
func (p *Posterior) Impressions() int64 { return p.seen }

// Rewards counts the rewards that were added, forgotten or not.
func (p *Posterior) Rewards() int64 { return p.rewarded }

// Tune sets another prior and another half-life. What was learnt keeps the weight that
// it has at the time of the latest impression.
func (p *Posterior) Tune(ridge float64, halfLife time.Duration) {
	if halfLife != p.halfLife && !p.at.IsZero() {
		p.scale(p.fade())
		p.landmark = p.at
	}
	p.ridge, p.halfLife = ridge, halfLife
}

// Add takes in that a row was seen at a time. While no reward arrives it earned 0.
func (p *Posterior) Add(row []float64, at time.Time) {
	w := p.weight(at)
	k := 0
	for i := range p.sum {
		wx := w * row[i]
		for j := range row[:i+1] {
			p.gram[k+j] += wx * row[j]
		}
		k += i + 1
	}
	p.seen++
}

// Reward takes in that a row that was seen at a time, and added for that time, earned
// something, whenever that became known: it counts as much as the impression does.
func (p *Posterior) Reward(row []float64, value float64, seen time.Time) {
	w := p.weight(seen) * value
	for i := range p.sum {
		p.sum[i] += w * row[i]
	}
	p.rewarded++
}

// weight is what something of a time weighs; it moves the landmark where it must.
func (p *Posterior) weight(t time.Time) float64 {
	if p.at.IsZero() {
		p.landmark, p.at = t, t
	}
	if t.After(p.at) {
		p.at = t
	}
	if p.halfLife <= 0 {
		return 1
	}
	since := t.Sub(p.landmark)
	if n := int64(since / p.halfLife); n > 0 {
		p.scale(math.Ldexp(1, -int(min(n, 1<<20))))
		p.landmark = p.landmark.Add(time.Duration(n) * p.halfLife)
		since -= time.Duration(n) * p.halfLife
	}
	return math.Exp2(float64(since) / float64(p.halfLife))
}

// fade turns weights as they are kept into those at the time of the latest impression.
func (p *Posterior) fade() float64 {
	if p.halfLife <= 0 {
		return 1
	}
	return math.Exp2(-float64(p.at.Sub(p.landmark)) / float64(p.halfLife))
}

func (p *Posterior) scale(by float64) {
	for i := range p.gram {
		p.gram[i] *= by
	}
	for i := range p.sum {
		p.sum[i] *= by
	}
}

// Model works the posterior out as of its latest impression: the precision
// A = ridge·I + Σ w·xxᵀ and the mean A⁻¹(ridge·prior + Σ w·reward·x), with the
// covariance noise²·A⁻¹, noise being the standard deviation of one reward. Errors:
// CodeInternal where the statistics are no longer those of a regression.
func (p *Posterior) Model(noise float64) (*Model, error) {
	d, by := p.set.Dim(), p.fade()
	chol := make([]float64, len(p.gram))
	mean := make([]float64, d)
	for i, k := 0, 0; i < d; i++ {
		for j := range i + 1 {
			chol[k+j] = by * p.gram[k+j]
		}
		k += i + 1
		chol[k-1] += p.ridge
		mean[i] = p.ridge*p.set.Prior[i] + by*p.sum[i]
	}
	if !cholesky(chol, d) {
		return nil, lectern.Errorf(lectern.CodeInternal, "the posterior of features %s is not a regression's: its precision is not positive", p.set.Name)
	}
	solve(chol, mean)
	return &Model{dim: d, mean: mean, inverse: invert(chol, d), noise: noise}, nil
}
