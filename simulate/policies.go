package simulate

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// PolicyRun is one policy on one seed.
type PolicyRun struct {
	Policy string `json:"policy"`
	Seed   uint64 `json:"seed"`
	Run    Run    `json:"run"`
}

// PolicyTable compares policies over seeds. Differences are taken seed by seed: the same
// learners come at the same times and draw the same lots.
type PolicyTable struct {
	Title    string       `json:"title"`
	Baseline string       `json:"baseline"` // what costs and gains are measured against
	Seeds    int          `json:"seeds"`
	Days     int          `json:"days"`
	Visits   float64      `json:"visits"` // a seed, on average
	Policies []PolicyLine `json:"policies"`
}

// PolicyLine is one policy in all.
type PolicyLine struct {
	Policy string `json:"policy"`
	Reward Mean   `json:"reward"` // that came in by the end, a seed
	Value  Mean   `json:"value"`  // expected reward of all lists, a seed
	Gain   Mean   `json:"gain"`   // of Value against the baseline, in percent
	Regret Mean   `json:"regret"` // of the lists that explored: what the best of the pool would have added to Value
	Good   Mean   `json:"good"`   // good new courses, a seed
	Found  Mean   `json:"found"`
	More   Mean   `json:"more"` // found, more than the baseline
	Looks  Mean   `json:"looks_at_new"`
	Weeks  []Mean `json:"weeks"` // value of a visit against the baseline, in percent, by week
}

// Mean is a mean over seeds with a 95 % interval by Student's t.
type Mean struct {
	Mean float64 `json:"mean"`
	Half float64 `json:"half"` // half the length of the interval; 0 for one seed
}

// Low and High are the ends of the interval.
func (m Mean) Low() float64 { return m.Mean - m.Half }

// High is the upper end.
func (m Mean) High() float64 { return m.Mean + m.Half }

func meanOf(xs []float64) Mean {
	n := float64(len(xs))
	sum, squares := 0.0, 0.0
	for _, x := range xs {
		sum += x
	}
	for _, x := range xs {
		squares += (x - sum/n) * (x - sum/n)
	}
	if n < 2 {
		return Mean{Mean: sum / n}
	}
	return Mean{Mean: sum / n, Half: student975(len(xs)-1) * math.Sqrt(squares/(n-1)/n)}
}

// student975 is the 0.975 quantile of Student's t, by the expansion of Cornish and
// Fisher: to a thousandth; few degrees of freedom have a table.
func student975(df int) float64 {
	if exact := [...]float64{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365}; df <= len(exact) {
		return exact[df-1]
	}
	const z = 1.959963984540054
	v := float64(df)
	z3, z5, z7 := z*z*z, z*z*z*z*z, z*z*z*z*z*z*z
	return z + (z3+z)/(4*v) + (5*z5+16*z3+3*z)/(96*v*v) + (3*z7+19*z5+17*z3-15*z)/(384*v*v*v)
}

// ComparePolicies makes the table. Every policy has to have run on every seed.
func ComparePolicies(title, baseline string, runs []PolicyRun) (PolicyTable, error) {
	t := PolicyTable{Title: title, Baseline: baseline}
	var names []string
	by := map[string]map[uint64]Run{}
	for _, r := range runs {
		if by[r.Policy] == nil {
			by[r.Policy] = map[uint64]Run{}
			names = append(names, r.Policy)
		}
		by[r.Policy][r.Seed] = r.Run
	}
	seeds := make([]uint64, 0, len(by[baseline]))
	for seed := range by[baseline] {
		seeds = append(seeds, seed)
	}
	slices.Sort(seeds)
	if len(seeds) == 0 {
		return t, fmt.Errorf("no run of %q to compare with", baseline)
	}
	t.Seeds = len(seeds)
	for _, seed := range seeds {
		t.Days = len(by[baseline][seed].Days)
		t.Visits += float64(by[baseline][seed].Total().Visits) / float64(len(seeds))
	}
	for _, name := range names {
		if len(by[name]) != len(seeds) {
			return t, fmt.Errorf("%s ran on %d seeds, %s on %d", name, len(by[name]), baseline, len(seeds))
		}
		t.Policies = append(t.Policies, lineOf(name, seeds, by[name], by[baseline]))
	}
	return t, nil
}

func lineOf(name string, seeds []uint64, runs, base map[uint64]Run) PolicyLine {
	over := func(f func(r, b Run) float64) Mean {
		xs := make([]float64, len(seeds))
		for i, seed := range seeds {
			xs[i] = f(runs[seed], base[seed])
		}
		return meanOf(xs)
	}
	line := PolicyLine{
		Policy: name,
		Reward: over(func(r, _ Run) float64 { return r.Total().Reward }),
		Value:  over(func(r, _ Run) float64 { return r.Total().Value }),
		Gain:   over(func(r, b Run) float64 { return percent(r.Total().Value, b.Total().Value) }),
		Regret: over(func(r, _ Run) float64 { return r.Total().Oracle - r.Total().Explored }),
		Good:   over(func(r, _ Run) float64 { return float64(r.New.Good) }),
		Found:  over(func(r, _ Run) float64 { return float64(r.New.Found) }),
		More:   over(func(r, b Run) float64 { return float64(r.New.Found - b.New.Found) }),
		Looks:  over(func(r, _ Run) float64 { return float64(r.New.Looks) }),
	}
	for from := 0; from < len(base[seeds[0]].Days); from += 7 {
		line.Weeks = append(line.Weeks, over(func(r, b Run) float64 { return percent(valueOf(r, from), valueOf(b, from)) }))
	}
	return line
}

// valueOf is the value of a visit in the week from a day on.
func valueOf(r Run, from int) float64 {
	var sum Day
	for _, d := range r.Days[from:min(from+7, len(r.Days))] {
		sum.add(d)
	}
	return sum.Value / float64(max(sum.Visits, 1))
}

func percent(x, of float64) float64 {
	if of == 0 {
		return 0
	}
	return 100 * (x/of - 1)
}

// Write writes the table: figures with half their 95 % interval.
func (t PolicyTable) Write(w io.Writer) error {
	fmt.Fprintf(w, "%s: %d seeds, %d days, %.0f visits a seed; ± is half a 95 %% interval over seeds, differences are from %s, seed by seed\n\n",
		t.Title, t.Seeds, t.Days, t.Visits, t.Baseline)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "policy\treward\tvalue\tgain_%\tregret\tgood_new\tfound\tmore_found\tlooks_at_new")
	for _, p := range t.Policies {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%.1f\t%s\t%s\t%s\n", p.Policy, p.Reward.text(1), p.Value.text(1), p.Gain.text(2), p.Regret.text(1),
			p.Good.Mean, p.Found.text(1), p.More.text(1), p.Looks.text(0))
	}
	fmt.Fprint(tw, "\nvalue of a visit_%")
	for i := range t.Policies[0].Weeks {
		fmt.Fprintf(tw, "\tweek_%d", i+1)
	}
	fmt.Fprintln(tw)
	for _, p := range t.Policies {
		fmt.Fprint(tw, p.Policy)
		for _, m := range p.Weeks {
			fmt.Fprintf(tw, "\t%s", m.text(2))
		}
		fmt.Fprintln(tw)
	}
	return tw.Flush()
}

func (m Mean) text(digits int) string {
	return fmt.Sprintf("%.*f ± %.*f", digits, m.Mean, digits, m.Half)
}
