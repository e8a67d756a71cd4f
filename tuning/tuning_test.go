package tuning_test

import (
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/tuning"
)

func service(t testing.TB, log lectern.ListLog) *tuning.Service {
	t.Helper()
	cfg := tuning.DefaultConfig()
	cfg.Draws = 200
	s, err := tuning.New(log, cfg, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fiveTerms() []string {
	return []string{"similarity", "collaborative", "quality", "popularity", "freshness"}
}

// TestRecoversWeights holds the intervals to what they promise: over many logs, about
// 95 % of them hold the weights behind the choices, under each way of choosing.
func TestRecoversWeights(t *testing.T) {
	seeds := 20
	if testing.Short() {
		seeds = 6
	}
	hidden := []float64{0.4, 0.3, 0.15, 0.1, 0.05}
	for _, chooser := range []string{plackettLuce, cascade, views} {
		for name, w := range map[string]world{
			"random head":  {random: true},
			"by old rules": {logging: []float64{0.2, 0.2, 0.2, 0.2, 0.2}, noise: 0.1},
		} {
			t.Run(chooser+"/"+name, func(t *testing.T) {
				w.terms, w.hidden, w.slope, w.chooser, w.look = fiveTerms(), hidden, 10, chooser, 0.85
				covered, all, gained := 0, 0, 0
				var sum [5]float64
				for seed := range uint64(seeds) {
					p, err := service(t, w.log(seed, 2000, 400)).Propose(t.Context(), tuning.Request{Current: even(w.terms)})
					if err != nil {
						t.Fatal(err)
					}
					for j, weight := range p.Weights {
						all++
						if *weight.Low <= hidden[j] && hidden[j] <= *weight.High {
							covered++
						}
						sum[j] += weight.Proposed / float64(seeds)
					}
					if p.NDCG.Gain > 0 {
						gained++
					}
					if seed == 0 {
						t.Logf("%+v %+v %v", p.Log, p.NDCG, p.Position.Propensity)
					}
				}
				t.Logf("mean proposed %.3f; %d of %d intervals hold the truth; nDCG rose in %d of %d", sum, covered, all, gained, seeds)
				if float64(covered) < 0.88*float64(all) {
					t.Errorf("only %d of %d intervals hold the weights behind the choices", covered, all)
				}
				if gained < seeds*9/10 {
					t.Errorf("nDCG rose in %d of %d logs only", gained, seeds)
				}
			})
		}
	}
}
