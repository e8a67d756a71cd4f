package bandit_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lectern-dev/lectern/experiment/bandit"
)

// world is a linear one: in each round there are rows of length 1, and the chosen one
// earns its product with hidden weights, with noise.
type world struct {
	columns, rows, rounds int
	turns                 bool // halfway through, the hidden weights become others
	halfLife              time.Duration
}

const worldNoise = 0.2

// regret returns what a policy earned less than the best rows would have, up to the
// end of each quarter of the rounds; a day has 100 rounds.
func (w world) regret(t testing.TB, name string, params bandit.Params, seed uint64) (out [4]float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	theta := direction(rng, w.columns)
	p := bandit.NewPosterior(plain(w.columns), 1, w.halfLife)
	by := policy(t, name, params)
	var s bandit.Scores
	rest := make([]int, w.rows)
	for i := range rest {
		rest[i] = i
	}
	total := 0.0
	for round := range w.rounds {
		if w.turns && round == w.rounds/2 {
			theta = direction(rng, w.columns)
		}
		var rows []float64
		best := math.Inf(-1)
		for range w.rows {
			row := direction(rng, w.columns)
			rows = append(rows, row...)
			best = max(best, product(theta, row))
		}
		by.Prepare(&s, model(t, p, worldNoise), rows)
		pick := bandit.Pick(by, rng, s.Draw(rng), rest)
		row := rows[pick*w.columns : (pick+1)*w.columns]
		mean := product(theta, row)
		total += best - mean
		at := start.Add(time.Duration(round) * day / 100)
		p.Add(row, at)
		p.Reward(row, mean+worldNoise*rng.NormFloat64(), at)
		out[round*4/w.rounds] = total
	}
	return out
}

// mean is the mean over seeds.
func (w world) mean(t testing.TB, name string, params bandit.Params) (out [4]float64) {
	const seeds = 10
	for seed := range uint64(seeds) {
		for i, v := range w.regret(t, name, params, seed) {
			out[i] += v / seeds
		}
	}
	return out
}

func direction(rng *rand.Rand, d int) []float64 {
	out := normals(rng, d)
	by := 1 / math.Sqrt(product(out, out))
	for i := range out {
		out[i] *= by
	}
	return out
}

func product(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// Textbook behaviour: the regret of Thompson and LinUCB flattens, that of
// epsilon-greedy goes on by its share of uniform choices, and without a policy it
// grows by the same every round.
func TestRegret(t *testing.T) {
	w := world{columns: 6, rows: 10, rounds: 1200}
	none := w.mean(t, bandit.None, bandit.Params{})
	epsilon := w.mean(t, bandit.EpsilonGreedy, bandit.Params{Epsilon: 0.1})
	thompson := w.mean(t, bandit.Thompson, bandit.Params{Spread: 1})
	linucb := w.mean(t, bandit.LinUCB, bandit.Params{Alpha: 1})
	t.Logf("regret by quarter: none %.1f, epsilon %.1f, thompson %.1f, linucb %.1f", none, epsilon, thompson, linucb)
	last := func(r [4]float64) float64 { return r[3] - r[2] }
	if math.Abs(last(none)/none[0]-1) > 0.15 {
		t.Errorf("without a policy the regret is not linear: %v", none)
	}
	for name, r := range map[string][4]float64{"thompson": thompson, "linucb": linucb} {
		if last(r) > 0.25*r[0] {
			t.Errorf("the regret of %s does not flatten: %v", name, r)
		}
		if r[3] > 0.6*epsilon[3] || r[3] > 0.05*none[3] {
			t.Errorf("%s has regret %.1f, epsilon-greedy %.1f, none %.1f", name, r[3], epsilon[3], none[3])
		}
	}
	// A tenth of choices at random costs a tenth of what all at random cost.
	if share := last(epsilon) / last(none); share < 0.08 || share > 0.13 {
		t.Errorf("epsilon-greedy goes on with a share of %.3f of random regret, want about 0.1", share)
	}
}

// A posterior that forgets finds its way when the world turns; one that does not, does
// not in that time.
func TestForgettingFollowsAWorldThatTurns(t *testing.T) {
	w := world{columns: 6, rows: 10, rounds: 1200, turns: true}
	stays := w.mean(t, bandit.Thompson, bandit.Params{Spread: 1})
	w.halfLife = day
	forgets := w.mean(t, bandit.Thompson, bandit.Params{Spread: 1})
	t.Logf("regret by quarter: forgetting %.1f, not %.1f", forgets, stays)
	if a, b := forgets[3]-forgets[2], stays[3]-stays[2]; a > b/3 {
		t.Errorf("in the last quarter forgetting costs %.1f, not forgetting %.1f", a, b)
	}
}
