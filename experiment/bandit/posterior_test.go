package bandit_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// plain is a feature set of d columns with a prior mean of 0.
func plain(d int) bandit.FeatureSet {
	s := bandit.FeatureSet{Name: "plain", Names: make([]string, d), Prior: make([]float64, d)}
	for i := range s.Names {
		s.Names[i] = string(rune('a' + i))
	}
	return s
}

func model(t testing.TB, p *bandit.Posterior, noise float64) *bandit.Model {
	t.Helper()
	m, err := p.Model(noise)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var close9 = cmpopts.EquateApprox(0, 1e-9)

func TestPosteriorByHand(t *testing.T) {
	set := plain(2)
	set.Prior[0] = 0.5
	p := bandit.NewPosterior(set, 2, 10*day)
	p.Add([]float64{1, 0}, start)
	p.Add([]float64{1, 1}, start.Add(10*day))
	p.Reward([]float64{1, 0}, 1, start) // arrives late, weighs what its impression weighs
	p.Add([]float64{0, 2}, start.Add(20*day))
	p.Reward([]float64{1, 1}, 3, start.Add(10*day))

	// As of day 20 the three impressions weigh ¼, ½ and 1:
	// A = 2I + ¼(1,0)(1,0)ᵀ + ½(1,1)(1,1)ᵀ + (0,2)(0,2)ᵀ = (2.75 0.5; 0.5 6.5)
	// b = 2(0.5, 0) + ¼·1·(1,0) + ½·3·(1,1)              = (2.75, 1.5)
	// det A = 17.875 − 0.25 = 17.625; mean = (6.5·2.75 − 0.5·1.5, 2.75·1.5 − 0.5·2.75)/17.625
	m := model(t, p, 0.5)
	if d := cmp.Diff([]float64{17.125 / 17.625, 2.75 / 17.625}, m.Mean(), close9); d != "" {
		t.Errorf("mean (-want +got):\n%s", d)
	}
	// covariance = 0.25·A⁻¹ = 0.25/17.625·(6.5 −0.5; −0.5 2.75)
	want := []float64{math.Sqrt(0.25 * 6.5 / 17.625), math.Sqrt(0.25 * 2.75 / 17.625)}
	if d := cmp.Diff(want, m.Deviation(), close9); d != "" {
		t.Errorf("deviation (-want +got):\n%s", d)
	}
	mean, sd := m.Predict([]float64{1, -1})
	if d := cmp.Diff([]float64{14.375 / 17.625, math.Sqrt(0.25 * (6.5 + 2.75 + 1) / 17.625)}, []float64{mean, sd}, close9); d != "" {
		t.Errorf("prediction (-want +got):\n%s", d)
	}
	if p.Impressions() != 3 || p.Rewards() != 2 || !p.At().Equal(start.Add(20*day)) {
		t.Errorf("%d impressions, %d rewards, at %s", p.Impressions(), p.Rewards(), p.At())
	}
}

// Draws have the mean and covariance that the model says, by either way of drawing.
func TestDrawsHaveTheModelsMoments(t *testing.T) {
	const n = 40000
	rng := rand.New(rand.NewPCG(1, 2))
	p := bandit.NewPosterior(plain(3), 1, 0)
	for range 30 {
		row := []float64{1, rng.Float64(), rng.NormFloat64()}
		p.Add(row, start)
		p.Reward(row, row[1]-row[2], start)
	}
	m := model(t, p, 0.7)
	for _, count := range []int{2, 5} { // fewer rows than columns, and more
		rows := make([]float64, count*3)
		for i := range rows {
			rows[i] = rng.NormFloat64()
		}
		for _, many := range []bool{false, true} {
			policy, err := bandit.New(bandit.Thompson, bandit.Params{Spread: 1.5})
			if err != nil {
				t.Fatal(err)
			}
			var s bandit.Scores
			policy.Prepare(&s, m, rows)
			if many {
				s.Many()
			}
			sum, square := make([]float64, count), make([]float64, count*count)
			for range n {
				got := s.Draw(rng)
				for i, a := range got {
					sum[i] += a / n
					for j, b := range got {
						square[i*count+j] += a * b / n
					}
				}
			}
			for i := range count {
				mean, sd := m.Predict(rows[i*3 : i*3+3])
				sd *= 1.5
				if math.Abs(sum[i]-mean) > 5*sd/math.Sqrt(n) {
					t.Errorf("row %d of %d, many %v: mean %v, want %v", i, count, many, sum[i], mean)
				}
				for j := range count {
					both := make([]float64, 3)
					for c := range both {
						both[c] = rows[i*3+c] + rows[j*3+c]
					}
					_, sj := m.Predict(rows[j*3 : j*3+3])
					_, sum2 := m.Predict(both)
					sj, sum2 = sj*1.5, sum2*1.5
					want := (sum2*sum2 - sd*sd - sj*sj) / 2 // covariance
					if got := square[i*count+j] - sum[i]*sum[j]; math.Abs(got-want) > 0.05*sd*sj {
						t.Errorf("rows %d and %d of %d, many %v: covariance %v, want %v", i, j, count, many, got, want)
					}
				}
			}
		}
	}
}

func TestPosteriorProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.IntRange(1, 6).Draw(t, "d")
		number := rapid.Float64Range(-1, 1)
		type seen struct {
			row    []float64
			at     time.Time
			reward float64
		}
		var all []seen
		for range rapid.IntRange(1, 30).Draw(t, "n") {
			all = append(all, seen{
				row:    rapid.SliceOfN(number, d, d).Draw(t, "row"),
				at:     start.Add(time.Duration(rapid.Int64Range(0, int64(900*day)).Draw(t, "at"))),
				reward: rapid.Float64Range(0, 1).Draw(t, "reward"),
			})
		}
		half := time.Duration(rapid.IntRange(0, 60).Draw(t, "half-life")) * day
		learn := func(order []int, late bool) *bandit.Posterior {
			p := bandit.NewPosterior(plain(d), 1, half)
			for _, i := range order {
				p.Add(all[i].row, all[i].at)
				if !late {
					p.Reward(all[i].row, all[i].reward, all[i].at)
				}
			}
			if late {
				for _, i := range order {
					p.Reward(all[i].row, all[i].reward, all[i].at)
				}
			}
			return p
		}
		order := make([]int, len(all))
		for i := range order {
			order[i] = i
		}
		p := learn(order, false)
		m, err := p.Model(1)
		if err != nil {
			t.Fatal(err)
		}

		// The order of arrival, and how late rewards come, make no difference.
		other, err := learn(rapid.Permutation(order).Draw(t, "order"), true).Model(1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m.Mean(), other.Mean(), close9); diff != "" {
			t.Errorf("mean by another order (-want +got):\n%s", diff)
		}

		// It is the weighted least squares solution: the gradient is 0.
		mean := m.Mean()
		for c := range d {
			gradient := mean[c]
			for _, s := range all {
				w := 1.0
				if half > 0 {
					w = math.Exp2(-float64(p.At().Sub(s.at)) / float64(half))
				}
				miss := -s.reward
				for k, v := range s.row {
					miss += v * mean[k]
				}
				gradient += w * miss * s.row[c]
			}
			if math.Abs(gradient) > 1e-9 {
				t.Errorf("gradient %d is %v", c, gradient)
			}
		}

		// Encoding is exact, and what goes on from it is the same.
		body := p.Encode()
		back, err := bandit.Decode(body, plain(d))
		if err != nil {
			t.Fatal(err)
		}
		again := p.Clone()
		for _, q := range []*bandit.Posterior{back, again} {
			q.Add(all[0].row, start.Add(1000*day))
			q.Reward(all[0].row, 1, start.Add(1000*day))
		}
		if string(back.Encode()) != string(again.Encode()) || string(p.Encode()) != string(body) {
			t.Error("a decoded posterior is another one, or a clone shares with it")
		}
		cut := rapid.IntRange(0, len(body)-1).Draw(t, "cut")
		if _, err := bandit.Decode(body[:cut], plain(d)); err == nil {
			t.Errorf("%d of %d bytes were taken for a posterior", cut, len(body))
		}
	})
}

// After long silence the prior is back, and nothing overflows on the way.
func TestForgetting(t *testing.T) {
	set := plain(2)
	set.Prior[1] = 0.3
	p := bandit.NewPosterior(set, 1, day)
	for i := range 4000 {
		at := start.Add(time.Duration(i) * time.Hour)
		p.Add([]float64{1, 1}, at)
		p.Reward([]float64{1, 1}, 1, at)
	}
	if got, _ := model(t, p, 1).Predict([]float64{1, 1}); got < 0.95 || got > 1 {
		t.Errorf("learnt %v, want nearly 1", got)
	}
	p.Add([]float64{0, 0}, start.Add(50000*day))
	if d := cmp.Diff([]float64{0, 0.3}, model(t, p, 1).Mean(), close9); d != "" {
		t.Errorf("after 50,000 half-lives (-want +got):\n%s", d)
	}

	// Another half-life keeps what was learnt at its weight.
	q := bandit.NewPosterior(set, 1, 10*day)
	q.Add([]float64{1, 0}, start)
	q.Reward([]float64{1, 0}, 1, start)
	q.Add([]float64{0, 1}, start.Add(10*day))
	before := model(t, q, 1).Mean()
	q.Tune(1, 3*day)
	if d := cmp.Diff(before, model(t, q, 1).Mean(), close9); d != "" {
		t.Errorf("tuned (-want +got):\n%s", d)
	}
	q.Add([]float64{0, 0}, start.Add(13*day)) // one new half-life: weight ¼ of the first, then
	if d := cmp.Diff(0.25/1.25, model(t, q, 1).Mean()[0], close9); d != "" {
		t.Errorf("a new half-life later (-want +got):\n%s", d)
	}
}

func TestDecodeRefuses(t *testing.T) {
	p := bandit.NewPosterior(plain(2), 1, day)
	p.Add([]float64{1, 2}, start)
	body := p.Encode()
	change := func(at int, to byte) []byte {
		out := append([]byte{}, body...)
		out[at] = to
		return out
	}
	for _, c := range []struct {
		name string
		body []byte
		set  bandit.FeatureSet
		code lectern.Code
		says string
	}{
		{"another layout", change(0, 9), plain(2), lectern.CodeRefused, "layout 9"},
		{"other features", body, bandit.F1(), lectern.CodeRefused, `learnt from features "plain", and this build makes "f1"`},
		{"other columns", body, plain(3), lectern.CodeRefused, "has 2 columns"},
		{"no number", append(append([]byte{}, body[:len(body)-1]...), 0x7f, 0), plain(2), lectern.CodeInternal, "not as long"},
		{"infinity", append(append([]byte{}, body[:len(body)-2]...), 0xf0, 0x7f), plain(2), lectern.CodeInternal, "no numbers"},
		{"nothing", nil, plain(2), lectern.CodeInternal, "ends early"},
	} {
		_, err := bandit.Decode(c.body, c.set)
		if lectern.ErrorCode(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %s with %q", c.name, err, c.code, c.says)
		}
	}
}
