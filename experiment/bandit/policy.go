package bandit

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// The policies' names.
const (
	Thompson      = "thompson"
	LinUCB        = "linucb"
	EpsilonGreedy = "epsilon_greedy"
	None          = "none"
)

// Policies lists the names of all policies.
func Policies() []string { return []string{Thompson, LinUCB, EpsilonGreedy, None} }

// Params tune the policies.
type Params struct {
	Alpha   float64 // LinUCB: standard deviations above the mean
	Epsilon float64 // EpsilonGreedy: share of uniform choices
	Spread  float64 // Thompson: what the standard deviations are multiplied by
}

// Policy chooses among the courses of a pool by scores: with a share of Uniform any
// that is allowed, else the allowed one with the highest score, the first of equals.
// It is safe for concurrent use.
type Policy interface {
	Name() string
	// Uniform is the share of choices that are uniform over what is allowed.
	Uniform() float64
	// Deterministic says that the same rows have the same scores whatever is drawn, so
	// that the probabilities of choices can be told exactly.
	Deterministic() bool
	// Prepare readies s to score the rows of one list, Model.Dim columns each. s refers
	// to both until it is prepared anew.
	Prepare(s *Scores, m *Model, rows []float64)
}

// New returns a policy by its name. Errors: CodeInvalid.
func New(name string, p Params) (Policy, error) {
	switch name {
	case Thompson:
		return thompson{spread: p.Spread}, nil
	case LinUCB:
		return linucb{alpha: p.Alpha}, nil
	case EpsilonGreedy:
		return greedy{epsilon: p.Epsilon}, nil
	case None:
		return none{}, nil
	}
	return nil, lectern.Invalid("there is no such policy",
		lectern.NewFieldError("policy", name, "is not known", strings.Join(Policies(), ", ")))
}

var (
	_ Policy = thompson{}
	_ Policy = linucb{}
	_ Policy = greedy{}
	_ Policy = none{}
)

// thompson is linear Thompson sampling (Agrawal & Goyal 2013): it draws weights from
// their posterior and takes the best row by them.
type thompson struct{ spread float64 }

func (thompson) Name() string        { return Thompson }
func (thompson) Uniform() float64    { return 0 }
func (thompson) Deterministic() bool { return false }

func (t thompson) Prepare(s *Scores, m *Model, rows []float64) {
	s.begin(m, rows)
	s.spread = t.spread
}

// linucb takes the row with the highest upper confidence bound (Li, Chu, Langford &
// Schapire 2010).
type linucb struct{ alpha float64 }

func (linucb) Name() string        { return LinUCB }
func (linucb) Uniform() float64    { return 0 }
func (linucb) Deterministic() bool { return true }

func (u linucb) Prepare(s *Scores, m *Model, rows []float64) {
	s.begin(m, rows)
	s.factors = m.factors(s.factors, rows)
	for i := range s.scores {
		f := s.factors[i*m.dim : (i+1)*m.dim]
		s.scores[i] += u.alpha * m.noise * math.Sqrt(dot(f, f))
	}
}

// greedy takes the row with the highest expected reward, but for a share of choices.
type greedy struct{ epsilon float64 }

func (greedy) Name() string        { return EpsilonGreedy }
func (g greedy) Uniform() float64  { return g.epsilon }
func (greedy) Deterministic() bool { return true }

func (greedy) Prepare(s *Scores, m *Model, rows []float64) { s.begin(m, rows) }

// none keeps the list's order: all rows are alike to it, and the first of them wins.
type none struct{}

func (none) Name() string        { return None }
func (none) Uniform() float64    { return 0 }
func (none) Deterministic() bool { return true }

func (none) Prepare(s *Scores, m *Model, rows []float64) {
	s.begin(m, rows)
	clear(s.scores)
}

// Scores are a policy's scores of the rows of one list. The zero value is ready to be
// prepared; one that is prepared again reuses its memory.
type Scores struct {
	model  *Model
	rows   []float64
	spread float64 // above 0: every draw has other scores

	scores []float64 // expected rewards, or whatever a deterministic policy goes by
	theta  []float64

	// Of many draws.
	many     bool
	factors  []float64 // a row times z is what its score is above its mean
	width    int       // of a row of factors
	triangle bool      // factors are a lower triangle of rows, width apart
	drawn    []float64
	z        []float64
}

func (s *Scores) begin(m *Model, rows []float64) {
	s.model, s.rows, s.spread, s.many = m, rows, 0, false
	s.scores = m.means(s.scores, m.mean, rows)
}

// Len is the number of rows.
func (s *Scores) Len() int { return len(s.scores) }

// Draw returns the scores of all rows by one draw of weights; of a deterministic
// policy the same each time, without a look at rng, which may then be nil. They hold
// until the next draw, and are read only. The same state of rng gives the same scores.
func (s *Scores) Draw(rng *rand.Rand) []float64 {
	switch {
	case s.spread <= 0:
		return s.scores
	case s.many:
		return s.drawMany(rng)
	}
	s.theta = s.model.Draw(rng, s.spread, s.theta)
	s.drawn = s.model.means(s.drawn, s.theta, s.rows)
	return s.drawn
}

// Many makes each further draw cheap, for who draws often: scores have the same joint
// distribution as before, but not the same values for the same state of rng.
func (s *Scores) Many() {
	if s.spread <= 0 || s.many {
		return
	}
	n, d := len(s.scores), s.model.dim
	s.factors = s.model.factors(s.factors, s.rows)
	s.width, s.triangle, s.many = d, false, true
	if n < d { // the covariance of the rows is smaller than their factors
		s.narrow(n, d)
	}
	by := s.spread * s.model.noise
	for i := range s.factors {
		s.factors[i] *= by
	}
	s.z = slices.Grow(s.z[:0], s.width)[:s.width]
	s.drawn = slices.Grow(s.drawn[:0], n)[:n]
}

// narrow replaces n factors of d columns by a lower triangle with the same products:
// the Cholesky factor of what they have in common. Rows that say nothing new, such as
// twins of others, get a column of zeros.
func (s *Scores) narrow(n, d int) {
	low := make([]float64, n*n)
	for i := range n {
		fi := s.factors[i*d : (i+1)*d]
		if twin := s.twin(i, d); twin >= 0 { // to the last bit: the first of equals wins
			copy(low[i*n:i*n+twin+1], low[twin*n:])
			continue
		}
		for j := range i + 1 {
			left := dot(fi, s.factors[j*d:(j+1)*d]) - dot(low[i*n:i*n+j], low[j*n:])
			switch {
			case j == i && left > 1e-12*dot(fi, fi):
				low[i*n+i] = math.Sqrt(left)
			case j < i && low[j*n+j] > 0:
				low[i*n+j] = left / low[j*n+j]
			}
		}
	}
	s.factors, s.width, s.triangle = low, n, true
}

// twin returns the first row that row i is equal to, −1 for none.
func (s *Scores) twin(i, d int) int {
	for j := range i {
		if slices.Equal(s.rows[i*d:(i+1)*d], s.rows[j*d:(j+1)*d]) {
			return j
		}
	}
	return -1
}

func (s *Scores) drawMany(rng *rand.Rand) []float64 {
	for i := range s.z {
		s.z[i] = rng.NormFloat64()
	}
	for i := range s.drawn {
		f := s.factors[i*s.width : (i+1)*s.width]
		if s.triangle {
			f = f[:i+1]
		}
		s.drawn[i] = s.scores[i] + dot(f, s.z)
	}
	return s.drawn
}

// Best returns which of the rows in rest, indices that rise, has the highest score:
// the first of equals, as an index into rest; −1 where rest is empty.
func Best(scores []float64, rest []int) int {
	best := -1
	for at, i := range rest {
		if best < 0 || scores[i] > scores[rest[best]] {
			best = at
		}
	}
	return best
}

// Pick makes one choice of a policy among the rows in rest by scores that were drawn,
// as an index into rest. It takes randomness only where the policy has a uniform
// share.
func Pick(p Policy, rng *rand.Rand, scores []float64, rest []int) int {
	if u := p.Uniform(); u > 0 && len(rest) > 0 && rng.Float64() < u {
		return rng.IntN(len(rest))
	}
	return Best(scores, rest)
}
