package experiment

import (
	"strings"
	"testing"

	"github.com/lectern-dev/lectern/experiment/stats"
)

// TestTies: an interleaving says how many preferred neither, and warns where nearly all
// did: both rankers made the same lists.
func TestTies(t *testing.T) {
	x := &stored{body: body{Definition: Definition{Kind: KindInterleaving, Arms: []Arm{{Name: "old"}, {Name: "new"}}}}}
	for name, tc := range map[string]struct {
		a, b, ties int
		warns      bool
		says       string
	}{
		"all ties":         {0, 0, 60, true, "60 neither (ties)"},
		"few people":       {0, 0, 40, false, "nobody prefers either"},
		"some prefer":      {10, 8, 42, false, "undecided: 56 % of those who prefer either are for old (95 % always-valid interval"},
		"one is preferred": {90, 10, 5, false, "People prefer the courses of old"},
	} {
		var votes stats.Duel
		for n, credit := range map[*int]int{&tc.a: 1, &tc.b: -1, &tc.ties: 0} {
			for range *n {
				votes.Add(credit)
			}
		}
		d := &Duel{DuelResult: votes.Judge(0.05), Votes: votes, Lists: int(votes.A + votes.B + votes.Ties)}
		if got := sameLists(x, d); strings.Contains(got, "the same lists") != tc.warns {
			t.Errorf("%s: warning %q", name, got)
		}
		if v := duelVerdict(x, d, 0.05, 4); !strings.Contains(v.Reason, tc.says) || !strings.Contains(v.Reason, "look of day 4") {
			t.Errorf("%s: %q does not say %q", name, v.Reason, tc.says)
		}
	}
}

// TestNoSize says why there is none.
func TestNoSize(t *testing.T) {
	plain := Definition{Kind: KindAB, Primary: Goal{Metric: "clicks"}}
	effect, same := plain, plain
	effect.Primary.MinimumEffect, same.AA = 0.1, true
	for want, d := range map[string]Definition{"no minimum effect": plain, "no baseline": effect, "A/A": same} {
		if got := noSize(&stored{body: body{Definition: d, Plan: &Plan{}}}); !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}
