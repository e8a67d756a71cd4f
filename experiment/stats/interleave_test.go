package stats

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTeamDraftExample(t *testing.T) {
	a, b := []string{"x", "y", "1", "2", "3"}, []string{"x", "y", "2", "4", "1"}
	rng := rand.New(rand.NewPCG(1, 1))
	seen := map[string]int{}
	for range 4000 {
		ids, teams := TeamDraft(a, b, 6, rng)
		seen[fmt.Sprint(ids, teams)]++
	}
	// After x and y, which are nobody's: each round is one coin, two rounds are four lists.
	want := []string{
		"[x y 1 2 3 4] [0 0 1 2 1 2]", "[x y 1 2 4 3] [0 0 1 2 2 1]",
		"[x y 2 1 3 4] [0 0 2 1 1 2]", "[x y 2 1 4 3] [0 0 2 1 2 1]",
	}
	for _, w := range want {
		if n := seen[w]; n < 900 || n > 1100 {
			t.Errorf("%s came %d times of 4000, want about 1000", w, n)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("lists %v", seen)
	}
}

// TestTeamDraftInvariants: no item twice, every item from its team's list and in its
// order, teams even to one in every prefix, and as many items as there are.
func TestTeamDraftInvariants(t *testing.T) {
	list := rapid.SliceOfDistinct(rapid.StringMatching("[a-f][a-f]?"), func(s string) string { return s })
	rapid.Check(t, func(t *rapid.T) {
		a, b, n := list.Draw(t, "a"), list.Draw(t, "b"), rapid.IntRange(0, 30).Draw(t, "n")
		ids, teams := TeamDraft(a, b, n, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		union := map[string]bool{}
		for _, id := range slices.Concat(a, b) {
			union[id] = true
		}
		if want := min(n, len(union)); len(ids) != want || len(teams) != want {
			t.Fatalf("%d items and %d teams, want %d", len(ids), len(teams), want)
		}
		once := map[string]bool{}
		lists := map[Team][]string{TeamA: a, TeamB: b, Neither: a}
		last := map[Team]int{TeamA: -1, TeamB: -1, Neither: -1}
		for i, id := range ids {
			place := slices.Index(lists[teams[i]], id)
			if once[id] || place <= last[teams[i]] {
				t.Fatalf("%v of %v: %s is twice, not its team's or out of order", ids, teams, id)
			}
			once[id], last[teams[i]] = true, place
			if teams[i] == Neither && (i >= len(b) || b[i] != id) {
				t.Fatalf("%s is not at the same place of both", id)
			}
		}
	})
}

func TestCredit(t *testing.T) {
	for want, acted := range map[int][]Team{1: {TeamA, TeamB, TeamA}, -1: {Neither, TeamB}, 0: {TeamA, TeamB, Neither}} {
		if got := Credit(acted); got != want {
			t.Errorf("credit of %v is %d, want %d", acted, got, want)
		}
	}
}

// Of three people one prefers A in both lists, one B in one of two, one neither:
// preferences 1, −0.5, 0.
func TestDuelByHand(t *testing.T) {
	var d, e Duel
	d.Add(1, 1)
	e.Add(0, -1)
	e.Add(0)
	e.Add()
	d.Merge(e)
	if diff := cmp.Diff(Duel{A: 1, B: 1, Ties: 1, Sum: 0.5, Squares: 1.25}, d); diff != "" {
		t.Fatal(diff)
	}
	near(t, "preference", (&d).Judge(0).Preference, 0.5/3, 1e-15)
	// Ten of ten: 2 · 2⁻¹⁰.
	d = Duel{A: 10}
	r := d.Judge(0)
	near(t, "sign test", r.P, 2.0/1024, 1e-12)
	// Two of two: (25/50 · 26/51) ÷ (1/2)².
	d = Duel{A: 2}
	near(t, "always-valid", d.Judge(0).AlwaysP, 0.25/(25.0/50*26/51), 1e-9)
	if r.Always.High != 1 || r.Always.Low <= 0 {
		t.Errorf("share between %v", r.Always)
	}
}

// TestDuels: two rankers of equal worth, of which people's votes are judged at each of the
// first 50 and every fifth after, are rarely said to differ; a better one is found.
func TestDuels(t *testing.T) {
	simulation(t)
	runs, most, betters := 200, 900, []float64{1, 1.5}
	if soak() {
		runs, most, betters = 1000, 5000, []float64{1, 1.05, 1.1, 1.2, 1.5}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "share of %d duels decided, looked at every fifth vote, and people at the call\n", runs)
	for _, better := range betters {
		decided, people, held := 0.0, 0.0, 0.0
		for run := range runs {
			at, within := duel(better, most, rand.New(rand.NewPCG(uint64(run), 9)))
			decided += count(at > 0) / float64(runs)
			people += float64(at)
			held += count(within) / float64(runs)
		}
		fmt.Fprintf(&b, "clicks on A %g times as likely: decided %.4f, people %.0f, share held at all looks %.3f\n", better, decided, people/max(1, decided*float64(runs)), held)
		if better == 1 && decided > 0.05 || better == 1.5 && decided < 0.75 {
			t.Errorf("%g: decided %.3f", better, decided)
		}
		if held < 0.95 {
			t.Errorf("%g: the true share was held in %.3f", better, held)
		}
	}
	t.Log(b.String())
}

// duel has people meet a drafted list of ten. Items of A are clicked better times as
// often. It returns after how many people it was decided (0 is never), and whether the
// interval held the true share of votes all the way.
func duel(better float64, most int, rng *rand.Rand) (at int, held bool) {
	var a, b []string
	for i := range 10 {
		a, b = append(a, fmt.Sprint("a", i)), append(b, fmt.Sprint("b", i))
	}
	var d Duel
	held = true
	truth := better / (1 + better) // of first votes: one click at most, on either team's alike
	for n := 1; n <= most; n++ {
		_, teams := TeamDraft(a, b, 10, rng)
		credit := 0
		// One place catches the eye; the nearer the top the likelier, the coin makes it even.
		if place := int(rng.ExpFloat64() * 3); place < len(teams) {
			chance := 0.4
			if teams[place] == TeamA {
				chance *= better
			}
			if rng.Float64() < chance {
				credit = Credit(teams[place : place+1])
			}
		}
		d.Add(credit)
		if votes := d.A + d.B; credit == 0 || votes > 50 && int(votes)%5 > 0 {
			continue
		}
		r := d.Judge(0.05)
		held = held && r.Always.Holds(truth)
		if at == 0 && r.AlwaysP <= 0.05 {
			at = n
		}
	}
	return at, held
}
