package synthetic_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern/experiment/ope"
	"github.com/lectern-dev/lectern/experiment/ope/synthetic"
)

func logged(t *testing.T, rows []synthetic.Row) {
	t.Helper()
	var b strings.Builder
	if err := synthetic.Write(&b, rows); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", b.String())
}

// The whole study: over 200 logs the 95 % intervals of SNIPS and of the doubly robust
// estimate hold the truth of each of ten targets at least nine times in ten, and the
// three that the log does not tell of are refused.
func TestIntervalsHoldTheTruth(t *testing.T) {
	if os.Getenv("LECTERN_TEST_SOAK") == "" {
		t.Skip("takes half an hour: set LECTERN_TEST_SOAK=1")
	}
	s := synthetic.DefaultStudy()
	if m := os.Getenv("LECTERN_TEST_MODEL"); m != "" {
		s.Model = m
	}
	rows, err := s.Run(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	logged(t, rows)
	told, _ := synthetic.Targets()
	for i, r := range rows {
		if i >= len(told) {
			if r.Refused < r.Asked {
				t.Errorf("%s: refused %d of %d times, want always", r.Target, r.Refused, r.Asked)
			}
			continue
		}
		if 2*r.Refused > r.Asked {
			t.Errorf("%s: refused %d of %d times", r.Target, r.Refused, r.Asked)
		}
		for _, name := range []string{ope.NameSNIPS, ope.NameDR} {
			if held := r.By[name].Held; 10*held < 9*r.Answered() {
				t.Errorf("%s, %s: %d of %d intervals hold the truth", r.Target, name, held, r.Answered())
			}
		}
	}
}
