package stats

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// Team says whose an item of an interleaved list is.
type Team int

// The teams.
const (
	Neither Team = iota // both lists have it at this place: says nothing about them
	TeamA
	TeamB
)

// TeamDraft drafts up to n items from two ranked lists of distinct ids into one, as
// captains pick players: in each round a coin says who picks first, and each picks the
// best of its list that is not taken (Radlinski, Kurup and Joachims 2008). Items that
// both lists begin with alike belong to neither, since crediting them by the coin adds
// noise and nothing else.
func TeamDraft(a, b []string, n int, rng *rand.Rand) (ids []string, teams []Team) {
	n = max(0, n)
	taken := make(map[string]bool, n)
	add := func(id string, t Team) {
		ids, teams = append(ids, id), append(teams, t)
		taken[id] = true
	}
	for i := 0; i < min(n, len(a), len(b)) && a[i] == b[i]; i++ {
		add(a[i], Neither)
	}
	nextA, nextB := len(ids), len(ids)
	pick := func(list []string, next *int, t Team) {
		for ; *next < len(list); *next++ {
			if id := list[*next]; !taken[id] {
				if len(ids) < n {
					add(id, t)
				}
				return
			}
		}
	}
	for len(ids) < n {
		before := len(ids)
		if rng.Uint64()&1 == 0 {
			pick(a, &nextA, TeamA)
			pick(b, &nextB, TeamB)
		} else {
			pick(b, &nextB, TeamB)
			pick(a, &nextA, TeamA)
		}
		if len(ids) == before {
			break
		}
	}
	return ids, teams
}

// Credit says which list a person preferred by what they acted on in an interleaved
// list, given each acted-on item's team: above 0 is A, below 0 B, 0 neither.
func Credit(acted []Team) int {
	a, b := 0, 0
	for _, t := range acted {
		switch t {
		case TeamA:
			a++
		case TeamB:
			b++
		}
	}
	switch {
	case a > b:
		return 1
	case b > a:
		return -1
	}
	return 0
}

// Duel counts whom people preferred. The unit is a person. Their vote is their first
// list with a preference, so that a vote that was counted stays as it was, which the
// always-valid test rests on; how much they prefer one is the mean over all their lists.
type Duel struct {
	A    float64 `json:"a"`
	B    float64 `json:"b"`
	Ties float64 `json:"ties"` // people who have preferred neither so far
	// Sums over people, for the mean preference in [−1, 1].
	Sum     float64 `json:"sum"`
	Squares float64 `json:"squares"`
}

// Add adds a person by the credits, in the order of time, of their lists that were
// acted on.
func (d *Duel) Add(credits ...int) {
	if len(credits) == 0 {
		return
	}
	sum, vote := 0, 0
	for _, c := range credits {
		sum += c
		if vote == 0 {
			vote = c
		}
	}
	switch {
	case vote > 0:
		d.A++
	case vote < 0:
		d.B++
	default:
		d.Ties++
	}
	m := float64(sum) / float64(len(credits))
	d.Sum += m
	d.Squares += m * m
}

// Merge adds the people of another duel.
func (d *Duel) Merge(o Duel) {
	d.A, d.B, d.Ties, d.Sum, d.Squares = d.A+o.A, d.B+o.B, d.Ties+o.Ties, d.Sum+o.Sum, d.Squares+o.Squares
}

// DuelResult is which of two rankers people prefer.
type DuelResult struct {
	People     float64  `json:"people"`
	Preference float64  `json:"preference"` // mean over people, in [−1, 1]; above 0 is for A
	Fixed      Interval `json:"fixed"`      // of Preference, for one look
	Share      float64  `json:"share"`      // of A among people who preferred either
	Always     Interval `json:"always"`     // of Share; holds at all looks, from the first vote on
	P          float64  `json:"p"`          // exact sign test, for one look
	AlwaysP    float64  `json:"always_p"`
	// LogEvidence is the log of the e-value against an even share.
	LogEvidence float64 `json:"log_evidence"`
}

// duelStrength is how near to one half the share is expected, in votes: preferences
// between rankers worth comparing lie between 50 and 60 %.
const duelStrength = 50

// Judge returns which ranker is preferred. The always-valid test is the beta-binomial
// mixture against one half (Robbins 1970), exact for votes that are independent of each
// other and do not change once counted.
func (d *Duel) Judge(alpha float64) DuelResult {
	if alpha <= 0 {
		alpha = DefaultAlpha
	}
	r := DuelResult{People: d.A + d.B + d.Ties, Fixed: Everything(), Share: 0.5, Always: Interval{0, 1}, P: 1, AlwaysP: 1}
	if n := r.People; n > 0 {
		r.Preference = d.Sum / n
		if n > 1 {
			se := math.Sqrt(max(0, d.Squares-n*r.Preference*r.Preference) / (n - 1) / n)
			reach := tQuantile(alpha, n-1) * se
			r.Fixed = Interval{r.Preference - reach, r.Preference + reach}
		}
	}
	votes := d.A + d.B
	if votes == 0 {
		return r
	}
	r.Share = d.A / votes
	r.P = min(1, 2*distuv.Binomial{N: votes, P: 0.5}.CDF(min(d.A, d.B)))
	mixture := lbeta(duelStrength/2+d.A, duelStrength/2+d.B) - lbeta(duelStrength/2, duelStrength/2)
	evidence := func(p float64) float64 { return mixture - d.A*logOr0(p) - d.B*logOr0(1-p) }
	r.LogEvidence = evidence(0.5)
	r.AlwaysP = min(1, math.Exp(-r.LogEvidence))
	r.Always = Interval{edge(evidence, r.Share, 0, alpha), edge(evidence, r.Share, 1, alpha)}
	return r
}

// edge finds where between the best share and an end the evidence reaches 1/alpha. The
// mixture is the same for all shares that are tested, so that one test a share makes a
// sequence of intervals.
func edge(evidence func(float64) float64, inside, end, alpha float64) float64 {
	limit := math.Log(1 / alpha)
	if evidence(end) < limit {
		return end
	}
	outside := end
	for range 60 {
		if mid := (inside + outside) / 2; evidence(mid) < limit {
			inside = mid
		} else {
			outside = mid
		}
	}
	return outside
}

func lbeta(a, b float64) float64 { return lgamma(a) + lgamma(b) - lgamma(a+b) }

// logOr0 is the log with its limit in 0 · log 0 left to the caller's factor of 0.
func logOr0(p float64) float64 {
	if p <= 0 {
		return -1e18 // times a count of 0 is 0, times any other as good as −∞
	}
	return math.Log(p)
}
