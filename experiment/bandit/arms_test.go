package bandit_test

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/lectern-dev/lectern/experiment/bandit"
)

// school has courses whose appeal is partly what their features tell and partly their
// own. In each round a pool of 30 of them, each with features that are half the course's
// and half the learner's, is offered to a policy, and the chosen one is clicked or not.
type school struct {
	courses, rounds int
	own             float64 // standard deviation of what no feature tells, of a click rate
}

const (
	schoolColumns = 8    // with the bias
	schoolPool    = 30   // courses of a choice
	schoolRate    = 0.10 // clicks of an average course
	schoolTold    = 0.02 // standard deviation of what features tell
	armBuckets    = 4096 // that courses are hashed into
)

// clicks returns the clicks up to an eighth, a quarter, … of the rounds: of Thompson
// sampling, with an intercept for every hashed course where arms is set, and of who
// knows everything.
func (s school) clicks(t testing.TB, arms bool, seed uint64) (got, most [4]float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 11))
	theta := direction(rng, schoolColumns-1)
	fixed, own := make([][]float64, s.courses), make([]float64, s.courses)
	for i := range fixed {
		fixed[i], own[i] = normals(rng, schoolColumns-1), s.own*rng.NormFloat64()
	}
	lots := rand.New(rand.NewPCG(seed, 12)) // of the policy alone, so that both meet the same pools
	p := bandit.NewPosterior(plain(schoolColumns), 4, 0)
	by := policy(t, bandit.Thompson, bandit.Params{Spread: 1})
	noise := math.Sqrt(schoolRate * (1 - schoolRate))
	shrink := noise * noise / (0.02 * 0.02) // impressions that the prior of an intercept is worth: own appeal of 0.02
	shown, left := make([]float64, armBuckets), make([]float64, armBuckets)
	var scores bandit.Scores
	var m *bandit.Model
	rows, ids, rates := make([]float64, schoolPool*schoolColumns), make([]int, schoolPool), make([]float64, schoolPool)
	sum, best := 0.0, 0.0
	for round := range s.rounds {
		if round%50 == 0 {
			m = model(t, p, noise)
		}
		top := 0.0
		for n := range ids {
			ids[n] = rng.IntN(s.courses)
			row := rows[n*schoolColumns : (n+1)*schoolColumns]
			row[0] = 1
			for j, f := range fixed[ids[n]] {
				row[j+1] = (f + rng.NormFloat64()) / math.Sqrt2
			}
			rates[n] = min(max(schoolRate+schoolTold*product(theta, row[1:])+own[ids[n]], 0), 1)
			top = max(top, rates[n])
		}
		by.Prepare(&scores, m, rows)
		pick, high := 0, math.Inf(-1)
		for n, score := range scores.Draw(lots) {
			if arms {
				h := bucket(ids[n])
				score += left[h]/(shown[h]+shrink) + noise/math.Sqrt(shown[h]+shrink)*lots.NormFloat64()
			}
			if score > high {
				pick, high = n, score
			}
		}
		reward := 0.0
		if rng.Float64() < rates[pick] {
			reward = 1
		}
		row := rows[pick*schoolColumns : (pick+1)*schoolColumns]
		if arms {
			h := bucket(ids[pick])
			told, _ := m.Predict(row)
			shown[h]++
			left[h] += reward - told
		}
		p.Add(row, start.Add(time.Duration(round)*time.Minute))
		p.Reward(row, reward, start.Add(time.Duration(round)*time.Minute))
		sum, best = sum+rates[pick], best+top
		for i := range got {
			if at := s.rounds >> (3 - i); round+1 == at {
				got[i], most[i] = sum/float64(at), best/float64(at)
			}
		}
	}
	return got, most
}

func bucket(id int) int { return int(uint32(id) * 2654435761 >> 20) }

// TestHashedArms is why there are no statistics of single courses: within the impressions
// that a pool gets in its first weeks they gain nothing, because drawing an intercept for
// every course is more to try out. With LECTERN_TEST_SOAK set it prints what
// docs/measured/bandit.md says.
func TestHashedArms(t *testing.T) {
	seeds, rounds := 4.0, 4000
	if os.Getenv("LECTERN_TEST_SOAK") != "" {
		seeds, rounds = 10, 16_000
	}
	for _, s := range []school{{200, rounds, 0.01}, {200, rounds, 0.03}, {2000, rounds, 0.01}, {2000, rounds, 0.03}} {
		var without, with, most, gain, spread [4]float64
		for seed := range uint64(seeds) {
			a, top := s.clicks(t, false, seed)
			b, _ := s.clicks(t, true, seed)
			for i := range a {
				without[i], with[i], most[i] = without[i]+a[i]/seeds, with[i]+b[i]/seeds, most[i]+top[i]/seeds
				d := b[i]/a[i] - 1
				gain[i], spread[i] = gain[i]+d/seeds, spread[i]+d*d/seeds
			}
		}
		for i := range gain {
			spread[i] = math.Sqrt(max(spread[i]-gain[i]*gain[i], 0) / (seeds - 1))
		}
		if gain[3] > 0.02 && rounds <= 4000 {
			t.Errorf("%d courses, own appeal %.2f: intercepts gain %.3f within %d impressions: they would pay", s.courses, s.own, gain[3], rounds)
		}
		t.Logf("%d courses, own appeal %.2f: after an eighth, a quarter, half and all of %d impressions: without %.4f, with %.4f, at most %.4f, gain %.3f ± %.3f",
			s.courses, s.own, rounds, without, with, most, gain, spread)
	}
}
