package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// goldenBandit is the comparison of policies in small.
func goldenBandit() banditEval {
	o := defaultBanditEval()
	o.seeds, o.workers, o.fresh = 2, 1, 12
	o.world.Demo.Courses, o.world.Demo.Learners, o.world.Demo.Reviews, o.world.Demo.Events = 250, 120, 0, 2_500
	o.options.Days, o.options.Learners, o.options.Visits = 7, 60, 1
	o.progress = func(string, ...any) {}
	return o
}

// TestGoldenBandit compares policies on two small seeds and every figure with the
// committed report. With -update it writes the report anew:
//
//	go test ./cmd/lectern -run TestGoldenBandit -update
func TestGoldenBandit(t *testing.T) {
	if testing.Short() {
		t.Skip("trains embedders and simulates learners; run without -short")
	}
	t.Parallel()
	o := goldenBandit()
	table, err := o.run(t.Context(), DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := table.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, p := range table.Policies {
		switch p.Policy {
		case policyOracle:
			if p.Gains[0].Mean <= 0 || p.Regret.Mean > 1e-9 {
				t.Errorf("the oracle gains %.2f %% and regrets %g", p.Gains[0].Mean, p.Regret.Mean)
			}
		case policyOff:
			if p.Regret.Mean != 0 {
				t.Errorf("without exploration there is a regret of %g", p.Regret.Mean)
			}
		default:
			if p.Regret.Mean <= 0 {
				t.Errorf("%s regrets %g: it knows the truth", p.Policy, p.Regret.Mean)
			}
		}
	}
	path := filepath.Join(goldenDir, "bandit.golden")
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	old, err := os.ReadFile(path) //nolint:gosec // of this repository
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changedFigures(string(old), out.String()) {
		t.Error(c)
	}
}
