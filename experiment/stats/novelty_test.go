package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Two people an arm, two days, Value: control (1, 1) and (3, 3), treatment (4, 3) and
// (6, 3): effects 3 and 1, slope −2. By person the slopes are 0, 0 and −1, −3: the
// variance of their mean is 2/2 = 1, so the squared error is 1, with 1 degree of freedom.
func TestNoveltyByHand(t *testing.T) {
	n := NewNovelty(2, 2)
	n.Add(0, []float64{1, 1}, nil)
	n.Add(0, []float64{3, 3, 100}, nil) // a third day is not looked at
	n.Add(0, []float64{50}, nil)        // not followed for long enough
	n.Add(1, []float64{4, 3}, nil)
	n.Add(1, []float64{6, 3}, nil)
	r := n.Judge(0)[0]
	near(t, "first day", r.Days[0].Value, 3, 1e-12)
	near(t, "second day", r.Days[1].Value, 1, 1e-12)
	near(t, "slope", r.Slope, -2, 1e-12)
	near(t, "low", r.Trend.Low, -2-12.7062, 1e-4)
	near(t, "p", r.P, 2*(0.5-math.Atan(2)/math.Pi), 1e-9)
	near(t, "units", r.Units, 4, 0)
}

// TestNoveltyFades: clicks an item, of people who differ and stay as they are. A steady
// effect shows a trend in 5 %, one that fades within a week nearly always; the same
// people behind all days do not make it look surer than it is.
func TestNoveltyFades(t *testing.T) {
	simulation(t)
	runs, people, days := 200, 700, 10
	if soak() {
		runs = 2000
	}
	rate := map[bool]float64{}
	for _, fades := range []bool{false, true} {
		for run := range runs {
			rng := rand.New(rand.NewPCG(uint64(run), 12))
			n := NewNovelty(2, days)
			for i := range people {
				seen := 6 * math.Exp(0.7*rng.NormFloat64())
				chance := 1 / (1 + math.Exp(2+0.5*rng.NormFloat64()))
				value, per := make([]float64, days), make([]float64, days)
				for d := range days {
					c := chance
					if i%2 == 1 {
						lift := 0.3
						if fades {
							lift *= math.Exp(-float64(d) / 3)
						}
						c *= 1 + lift
					}
					per[d] = float64(poisson(seen, rng))
					value[d] = min(per[d], float64(poisson(per[d]*c, rng)))
				}
				n.Add(i%2, value, per)
			}
			rate[fades] += count(n.Judge(0)[0].P <= 0.05) / float64(runs)
		}
	}
	t.Logf("trend found: of a steady effect %.3f, of a fading one %.3f (%d runs, %d people)", rate[false], rate[true], runs, people)
	if rate[false] > 0.05+3*math.Sqrt(0.05*0.95/float64(runs)) || rate[true] < 0.8 {
		t.Errorf("trend found: of a steady effect %.3f, of a fading one %.3f", rate[false], rate[true])
	}
}
