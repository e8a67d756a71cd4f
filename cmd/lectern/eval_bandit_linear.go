package main

import (
	"context"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/simulate"
)

// What may fill exploring places by the truth, beside the oracle.
const (
	policyLinear = "best_linear"
	policyWish   = "wish"
)

// linearFit fits weights of the policies' features to the true expected rewards of
// whole pools, by least squares within each list: what all courses of a list have in
// common does not change their order.
type linearFit struct {
	sums *bandit.Posterior
	rows []float64
}

func newLinearFit(ridge float64) *linearFit {
	set := bandit.F1()
	set.Prior = make([]float64, set.Dim())
	return &linearFit{sums: bandit.NewPosterior(set, ridge, 0)}
}

func (f *linearFit) model() (*bandit.Model, error) { return f.sums.Model(1) }

// explorer learns from lists on their way, and changes nothing.
func (f *linearFit) explorer(within lectern.Explorer, sim *simulate.Simulation) lectern.Explorer {
	return fittingExplorer{within, f, sim}
}

type fittingExplorer struct {
	lectern.Explorer
	fit *linearFit
	sim *simulate.Simulation
}

// Explore implements lectern.Explorer.
func (e fittingExplorer) Explore(req *lectern.ExploreRequest) ([]int, *lectern.Exploration) {
	order, x := e.Explorer.Explore(req)
	if x == nil {
		return order, x
	}
	pool := make([]int, len(x.Pool))
	values := make([]float64, len(pool))
	for i, slot := range x.Pool {
		pool[i] = order[x.Slate[slot]]
		values[i] = e.sim.Expected(req.Learner, req.Items[pool[i]].CourseID, req.At)
	}
	e.fit.add(req, pool, values)
	return order, x
}

func (f *linearFit) add(req *lectern.ExploreRequest, pool []int, values []float64) {
	f.rows = bandit.RequestRows(f.rows, req, pool)
	mean, value := make([]float64, bandit.Dim), 0.0
	for i, v := range values {
		value += v / float64(len(values))
		for j, x := range f.rows[i*bandit.Dim : (i+1)*bandit.Dim] {
			mean[j] += x / float64(len(values))
		}
	}
	var never time.Time // all weigh the same
	for i, v := range values {
		row := f.rows[i*bandit.Dim : (i+1)*bandit.Dim]
		for j := range row {
			row[j] -= mean[j]
		}
		f.sums.Add(row, never)
		f.sums.Reward(row, v-value, never)
	}
}

// linearBest fills exploring places with the best of the pool by a model's weights.
func linearBest(within lectern.Explorer, m *bandit.Model) lectern.Explorer {
	return &linearOracle{simulate.Oracle{Within: within}, m}
}

type linearOracle struct {
	simulate.Oracle
	by *bandit.Model
}

// Explore implements lectern.Explorer.
func (o *linearOracle) Explore(req *lectern.ExploreRequest) ([]int, *lectern.Exploration) {
	all := make([]int, len(req.Items))
	scores := make(map[string]float64, len(all))
	for i := range all {
		all[i] = i
	}
	rows := bandit.RequestRows(nil, req, all)
	for i := range all {
		sum := 0.0
		for j, w := range o.by.Mean() {
			sum += w * rows[i*bandit.Dim+j]
		}
		scores[req.Items[i].CourseID] = sum
	}
	within := o.Oracle
	within.Value = func(_ *lectern.ExploreRequest, id string) float64 { return scores[id] }
	return within.Explore(req)
}

// Finish implements lectern.Explorer.
func (*linearOracle) Finish(context.Context, *lectern.Ranking) error { return nil }
