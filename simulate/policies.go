package simulate

import (
	"fmt"
	"io"
	"maps"
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
	Title     string       `json:"title"`
	Baselines []string     `json:"baselines"` // what gains are measured against; costs against the first
	Seeds     int          `json:"seeds"`
	Days      int          `json:"days"`
	Visits    float64      `json:"visits"` // a seed, on average
	Policies  []PolicyLine `json:"policies"`
}

// PolicyLine is one policy in all.
type PolicyLine struct {
	Policy string `json:"policy"`
	Reward Mean   `json:"reward"` // that came in by the end, a seed
	Value  Mean   `json:"value"`  // expected reward of all lists, a seed: Reward without the luck of its lots
	Came   Mean   `json:"came"`   // Reward against the first baseline, in percent
	Gains  []Mean `json:"gains"`  // of Value against each baseline, in percent
	// Lift is what exploring added to the lists that explored, in percent: the same list for
	// the same learner at the same time, with and without.
	Lift   Mean   `json:"lift"`
	Regret Mean   `json:"regret"` // of the lists that explored: what the best of the pool would have added to Value
	Weeks  []Mean `json:"weeks"`  // value of a visit against the first baseline, in percent, by week

	Good    Mean `json:"good"`         // good new courses, a seed
	Found   Mean `json:"found"`        // of these
	More    Mean `json:"more"`         // found, more than by the first baseline
	Days    Mean `json:"days"`         // until one was found, of those found
	Reached Mean `json:"reached"`      // of the learners whom a good new course fits, those who looked at it, in percent
	Further Mean `json:"further"`      // Reached, more than by the first baseline, in points
	Looks   Mean `json:"looks_at_new"` // of all new courses
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
func ComparePolicies(title string, baselines []string, runs []PolicyRun) (PolicyTable, error) {
	t := PolicyTable{Title: title, Baselines: baselines}
	var names []string
	by := map[string]map[uint64]Run{}
	for _, r := range runs {
		if by[r.Policy] == nil {
			by[r.Policy] = map[uint64]Run{}
			names = append(names, r.Policy)
		}
		by[r.Policy][r.Seed] = r.Run
	}
	for _, name := range baselines {
		if len(by[name]) == 0 {
			return t, fmt.Errorf("no run of %q to compare with", name)
		}
	}
	base := by[baselines[0]]
	seeds := slices.Sorted(maps.Keys(base))
	t.Seeds = len(seeds)
	for _, seed := range seeds {
		t.Days = len(base[seed].Days)
		t.Visits += float64(base[seed].Total().Visits) / float64(len(seeds))
	}
	for _, name := range names {
		if len(by[name]) != len(seeds) {
			return t, fmt.Errorf("%s ran on %d seeds, %s on %d", name, len(by[name]), baselines[0], len(seeds))
		}
	}
	for _, name := range names {
		line := lineOf(name, seeds, by[name], base)
		for _, other := range baselines {
			line.Gains = append(line.Gains, over(seeds, by[name], by[other], func(r, b Run) float64 {
				return percent(r.Total().Value, b.Total().Value)
			}))
		}
		t.Policies = append(t.Policies, line)
	}
	return t, nil
}

// over is the mean of a figure over seeds.
func over(seeds []uint64, runs, base map[uint64]Run, f func(r, b Run) float64) Mean {
	xs := make([]float64, len(seeds))
	for i, seed := range seeds {
		xs[i] = f(runs[seed], base[seed])
	}
	return meanOf(xs)
}

func lineOf(name string, seeds []uint64, runs, base map[uint64]Run) PolicyLine {
	mean := func(f func(r, b Run) float64) Mean { return over(seeds, runs, base, f) }
	line := PolicyLine{
		Policy: name,
		Reward: mean(func(r, _ Run) float64 { return r.Total().Reward }),
		Value:  mean(func(r, _ Run) float64 { return r.Total().Value }),
		Came:   mean(func(r, b Run) float64 { return percent(r.Total().Reward, b.Total().Reward) }),
		Lift:   mean(func(r, _ Run) float64 { return percent(r.Total().Explored, r.Total().Exploited) }),
		Regret: mean(func(r, _ Run) float64 { return r.Total().Oracle - r.Total().Explored }),

		Good:    mean(func(r, _ Run) float64 { return float64(r.New.Good) }),
		Found:   mean(func(r, _ Run) float64 { return float64(r.New.Found) }),
		More:    mean(func(r, b Run) float64 { return float64(r.New.Found - b.New.Found) }),
		Days:    mean(func(r, _ Run) float64 { return r.New.Days }),
		Reached: mean(func(r, _ Run) float64 { return r.New.reached() }),
		Further: mean(func(r, b Run) float64 { return r.New.reached() - b.New.reached() }),
		Looks:   mean(func(r, _ Run) float64 { return float64(r.New.Looks) }),
	}
	for from := 0; from < len(base[seeds[0]].Days); from += 7 {
		line.Weeks = append(line.Weeks, mean(func(r, b Run) float64 { return percent(valueOf(r, from), valueOf(b, from)) }))
	}
	return line
}

// reached is the share of learners whom a good new course fits who looked at it, in
// percent.
func (n NewCourses) reached() float64 {
	return 100 * float64(n.Reached) / float64(max(n.Fitting, 1))
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
	fmt.Fprintf(w, "%s: %d seeds, %d days, %.0f visits a seed; ± is half a 95 %% interval over seeds, differences are taken seed by seed\n\n",
		t.Title, t.Seeds, t.Days, t.Visits)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "reward\treward\tover_%s_%%\tvalue", t.Baselines[0])
	for _, name := range t.Baselines {
		fmt.Fprintf(tw, "\tover_%s_%%", name)
	}
	fmt.Fprintln(tw, "\tlift_%\tregret")
	for _, p := range t.Policies {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s", p.Policy, p.Reward.text(1), p.Came.text(2), p.Value.text(1))
		for _, m := range p.Gains {
			fmt.Fprintf(tw, "\t%s", m.text(2))
		}
		fmt.Fprintf(tw, "\t%s\t%s\n", p.Lift.text(2), p.Regret.text(1))
	}
	fmt.Fprint(tw, "\nvalue of a visit")
	for i := range t.Policies[0].Weeks {
		fmt.Fprintf(tw, "\tweek_%d_%%", i+1)
	}
	fmt.Fprintln(tw)
	for _, p := range t.Policies {
		fmt.Fprint(tw, p.Policy)
		for _, m := range p.Weeks {
			fmt.Fprintf(tw, "\t%s", m.text(2))
		}
		fmt.Fprintln(tw)
	}
	fmt.Fprintln(tw, "\nnew courses\tgood\tfound\tmore_found\tafter_days\treached_%\tmore_reached\tlooks")
	for _, p := range t.Policies {
		fmt.Fprintf(tw, "%s\t%.1f\t%s\t%s\t%s\t%s\t%s\t%s\n", p.Policy, p.Good.Mean, p.Found.text(2), p.More.text(2), p.Days.text(1),
			p.Reached.text(1), p.Further.text(1), p.Looks.text(0))
	}
	return tw.Flush()
}

func (m Mean) text(digits int) string {
	return fmt.Sprintf("%.*f ± %.*f", digits, m.Mean, digits, m.Half)
}
