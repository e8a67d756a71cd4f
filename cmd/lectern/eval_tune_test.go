package main

import (
	"os"
	"testing"
)

// smallTune is the evaluation of proposed weights in small.
func smallTune(t *testing.T) tuneEval {
	o := tuneEval{home: homeEval{demo: demoOptions(), share: 0.85}, lists: 4500, seeds: 3, progress: t.Logf}
	if os.Getenv("LECTERN_TEST_SOAK") != "" {
		o.seeds = 12
	}
	o.home.demo.Courses, o.home.demo.Learners, o.home.demo.Reviews, o.home.demo.Events = 600, 600, 2500, 17_000
	return o
}

// TestTuneRecovers logs lists on a small demo platform and learns weights from
// simulated choices: the intervals hold the weights behind them about as often as they
// promise (LECTERN_TEST_SOAK draws more of them), and by the platform's own hidden interests the proposed weights are no worse
// than the default ones on the newer lists. With -v it prints the table.
func TestTuneRecovers(t *testing.T) {
	if testing.Short() {
		t.Skip("trains an embedder and models; run without -short")
	}
	t.Parallel()
	o := smallTune(t)
	r, err := o.run(t.Context(), DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	if testing.Verbose() {
		if err := r.write(os.Stdout); err != nil {
			t.Fatal(err)
		}
	}
	if float64(r.Held) < 0.9*float64(r.Of) {
		t.Errorf("%d of %d intervals hold the weights behind the choices", r.Held, r.Of)
	}
	if r.First.Gain <= 0 || r.Gained < r.Seeds*9/10 {
		t.Errorf("by known weights: gain %+v, above the default in %d of %d draws", r.First, r.Gained, r.Seeds)
	}
	if g := r.Demo.NDCG; g.Gain < 0 || g.High <= 0 {
		t.Errorf("by hidden interests the proposed weights are worse than the default ones: %+v", g)
	}
}
