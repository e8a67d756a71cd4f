package bandit_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
)

func policy(t testing.TB, name string, p bandit.Params) bandit.Policy {
	t.Helper()
	out, err := bandit.New(name, p)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPoliciesByHand(t *testing.T) {
	p := bandit.NewPosterior(plain(2), 1, 0)
	for range 3 {
		p.Add([]float64{1, 0}, start)
		p.Reward([]float64{1, 0}, 0.8, start)
	}
	// A = diag(4, 1), b = (2.4, 0): mean (0.6, 0), deviations of noise 0.5 (0.25, 0.5).
	m := model(t, p, 0.5)
	rows := []float64{1, 0, 0, 1, 0, 1} // the last two are twins
	for _, c := range []struct {
		name    string
		params  bandit.Params
		want    []float64
		best    int
		uniform float64
	}{
		{bandit.EpsilonGreedy, bandit.Params{Epsilon: 0.1}, []float64{0.6, 0, 0}, 0, 0.1},
		{bandit.LinUCB, bandit.Params{Alpha: 2}, []float64{0.6 + 2*0.25, 1, 1}, 0, 0},
		{bandit.LinUCB, bandit.Params{Alpha: 3}, []float64{0.6 + 3*0.25, 1.5, 1.5}, 1, 0},
		{bandit.None, bandit.Params{}, []float64{0, 0, 0}, 0, 0},
		{bandit.Thompson, bandit.Params{}, []float64{0.6, 0, 0}, 0, 0}, // without spread it is greedy
	} {
		var s bandit.Scores
		by := policy(t, c.name, c.params)
		by.Prepare(&s, m, rows)
		s.Many()
		got := s.Draw(nil)
		for i := range c.want {
			if math.Abs(got[i]-c.want[i]) > 1e-12 {
				t.Errorf("%s %+v: scores %v, want %v", c.name, c.params, got, c.want)
			}
		}
		if best := bandit.Best(got, []int{0, 1, 2}); best != c.best {
			t.Errorf("%s %+v takes %d, want %d", c.name, c.params, best, c.best)
		}
		if bandit.Best(got, []int{1, 2}) != 0 || bandit.Best(got, nil) != -1 {
			t.Errorf("%s: of twins the first wins, and of nothing nothing", c.name)
		}
		if by.Uniform() != c.uniform || by.Name() != c.name || by.Deterministic() != (c.name != bandit.Thompson) || s.Len() != 3 {
			t.Errorf("%s describes itself as another: %v, %v", c.name, by.Uniform(), by.Deterministic())
		}
	}
	if _, err := bandit.New("thomson", bandit.Params{}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("an unknown policy: %v", err)
	}
}

// Of twins the first wins in every draw, and the frequencies of choices are the same
// by either way of drawing.
func TestDrawsAgree(t *testing.T) {
	const n, d = 30000, 6
	rng := rand.New(rand.NewPCG(3, 4))
	p := bandit.NewPosterior(plain(d), 1, 0)
	for range 50 {
		p.Add(normals(rng, d), start)
	}
	m := model(t, p, 1)
	rows := normals(rng, 4*d)
	rows = append(rows, rows[d:2*d]...) // row 4 is row 1
	by := policy(t, bandit.Thompson, bandit.Params{Spread: 1})
	var counts [2][5]float64
	for way := range counts {
		var s bandit.Scores
		by.Prepare(&s, m, rows)
		if way == 1 {
			s.Many()
		}
		for range n {
			counts[way][bandit.Pick(by, rng, s.Draw(rng), []int{0, 1, 2, 3, 4})]++
		}
		if counts[way][4] != 0 {
			t.Errorf("the twin of an earlier row was chosen %v times", counts[way][4])
		}
	}
	for i := range 5 {
		a, b := counts[0][i]/n, counts[1][i]/n
		if math.Abs(a-b) > 5*math.Sqrt((a*(1-a)+1e-4)*2/n) {
			t.Errorf("row %d is chosen with %v and %v", i, a, b)
		}
	}
}

func TestEpsilonIsUniform(t *testing.T) {
	const n = 40000
	rng := rand.New(rand.NewPCG(5, 6))
	m := model(t, bandit.NewPosterior(plain(1), 1, 0), 1)
	by := policy(t, bandit.EpsilonGreedy, bandit.Params{Epsilon: 0.3})
	var s bandit.Scores
	by.Prepare(&s, m, []float64{0, 0, 0, 0})
	var counts [3]float64
	for range n {
		counts[bandit.Pick(by, rng, s.Draw(rng), []int{0, 2, 3})]++
	}
	for i, want := range []float64{0.8, 0.1, 0.1} {
		if math.Abs(counts[i]/n-want) > 0.01 {
			t.Errorf("row %d is chosen with %v, want %v", i, counts[i]/n, want)
		}
	}
}

func normals(rng *rand.Rand, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = rng.NormFloat64()
	}
	return out
}
