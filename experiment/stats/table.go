package stats

import "gonum.org/v1/gonum/stat/distuv"

// Row is one group of a table: a segment, or a metric.
type Row struct {
	// Result has intervals that hold for all rows together (Bonferroni).
	Result    Result      `json:"result"`
	Corrected []Corrected `json:"corrected"` // beside Result.Comparisons
}

// Corrected are p-values of one comparison, corrected for all of the table's.
type Corrected struct {
	Holm float64 `json:"holm"` // for one look: the chance of any false alarm
	BH   float64 `json:"bh"`   // for one look: the share of alarms that are false
	EBH  float64 `json:"ebh"`  // likewise at all looks, however groups hang together
}

// Table compares the arms within each of several groups, arms in the same order, and
// corrects for looking at all of them. A plan's units are shared out as the groups' are.
func Table(groups [][]Sample, opts Options) []Row {
	opts = opts.filled()
	share := opts
	share.Alpha = Bonferroni(opts.Alpha, len(groups))
	all := 0.0
	for _, arms := range groups {
		all += unitsOf(arms)
	}
	rows := make([]Row, len(groups))
	results := make([]Result, len(groups))
	for i, arms := range groups {
		if units := unitsOf(arms); units > 0 {
			share.Units = opts.Units * units / all
		}
		results[i] = Analyse(arms, share)
	}
	for i, corrected := range Correct(results) {
		rows[i] = Row{Result: results[i], Corrected: corrected}
	}
	return rows
}

// Correct corrects the p-values of several results, of metrics or segments, for
// looking at all of them; its answer is beside the results and their comparisons.
func Correct(results []Result) [][]Corrected {
	var p, logs []float64
	for i := range results {
		for k := range results[i].Comparisons {
			c := &results[i].Comparisons[k]
			p, logs = append(p, c.alone), append(logs, c.LogEvidence)
		}
	}
	holm, bh, ebh := Holm(p), BenjaminiHochberg(p), EvidenceBH(logs)
	out := make([][]Corrected, len(results))
	at := 0
	for i := range results {
		for range results[i].Comparisons {
			out[i] = append(out[i], Corrected{Holm: holm[at], BH: bh[at], EBH: ebh[at]})
			at++
		}
	}
	return out
}

func unitsOf(arms []Sample) float64 {
	sum := 0.0
	for i := range arms {
		sum += arms[i].N
	}
	return sum
}

// Differ returns the p-value, for one look, that a treatment's absolute effect is the
// same in all rows of a table of segments (Cochran's Q, 1954). At 1 there is nothing
// that says otherwise.
func Differ(rows []Row, treatment int) float64 {
	var weights, weighted, groups float64
	each := func(f func(c *Comparison, w float64)) {
		for i := range rows {
			if list := rows[i].Result.Comparisons; treatment < len(list) && list[treatment].SE > 0 {
				f(&list[treatment], 1/(list[treatment].SE*list[treatment].SE))
			}
		}
	}
	each(func(c *Comparison, w float64) {
		groups++
		weights += w
		weighted += w * c.Absolute.Value
	})
	if groups < 2 {
		return 1
	}
	q := 0.0
	each(func(c *Comparison, w float64) {
		off := c.Absolute.Value - weighted/weights
		q += w * off * off
	})
	return distuv.ChiSquared{K: groups - 1}.Survival(q)
}
