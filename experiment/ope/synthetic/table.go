package synthetic

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/lectern-dev/lectern/experiment/ope"
)

// Write shows rows to people: how often intervals hold the truth, target by target, what
// was refused, and all estimators side by side.
func Write(w io.Writer, rows []Row) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TARGET\tTRUTH\tSUPPORT\tEFFECTIVE\tANSWERED\tSNIPS HOLDS\tDR HOLDS\tSNIPS GAIN\tDR GAIN\tDR ERROR\tDR WIDTH")
	for i := range rows {
		r := &rows[i]
		n, snips, dr := r.Answered(), r.By[ope.NameSNIPS], r.By[ope.NameDR]
		fmt.Fprintf(t, "%s\t%.4f\t%.3f\t%.0f\t%d of %d\t", r.Target, r.Truth, r.Support, r.Effect, n, r.Asked)
		if n == 0 {
			fmt.Fprintln(t, "\t\t\t\t\t")
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.4f\t%.4f\n",
			within(snips.Held, n), within(dr.Held, n), share(snips.GainHeld, n), share(dr.GainHeld, n), dr.Error, dr.Width)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(rows) > 0 {
		fmt.Fprintf(w, "\nThe log itself earns %.4f. In brackets: 95 %% of what the share may be after so many logs (Wilson).\n", rows[0].Logged)
	}
	if err := writeRefused(w, rows); err != nil {
		return err
	}
	return writeEstimators(w, rows)
}

// writeRefused shows what became of every target's intervals.
func writeRefused(w io.Writer, rows []Row) error {
	fmt.Fprintf(w, "\nWhat became of the intervals, of SNIPS and DR; refused: of these, how many would have missed the truth:\n\n")
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TARGET\tSNIPS HELD\tMISSED\tDR HELD\tMISSED\tREFUSED\tSNIPS WOULD MISS\tDR WOULD MISS")
	for i := range rows {
		r := &rows[i]
		n, snips, dr := r.Answered(), r.By[ope.NameSNIPS], r.By[ope.NameDR]
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", r.Target, snips.Held, n-snips.Held, dr.Held, n-dr.Held, r.Refused, snips.KeptBack, dr.KeptBack)
	}
	return t.Flush()
}

// writeEstimators shows the estimators over all targets.
func writeEstimators(w io.Writer, rows []Row) error {
	fmt.Fprintf(w, "\nBy estimator, over all targets that were answered:\n\n")
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ESTIMATOR\tHELD\tGAIN HELD\tBIAS\tERROR\tWIDTH")
	for _, name := range ope.Estimators() {
		var sum Scores
		answered := 0
		for i := range rows {
			n, s := rows[i].Answered(), rows[i].By[name]
			answered += n
			sum.Held, sum.GainHeld = sum.Held+s.Held, sum.GainHeld+s.GainHeld
			sum.Bias, sum.Error, sum.Width = sum.Bias+float64(n)*s.Bias, sum.Error+float64(n)*s.Error, sum.Width+float64(n)*s.Width
		}
		n := float64(max(answered, 1))
		fmt.Fprintf(t, "%s\t%s\t%s\t%+.5f\t%.4f\t%.4f\n", name, share(sum.Held, answered), share(sum.GainHeld, answered), sum.Bias/n, sum.Error/n, sum.Width/n)
	}
	return t.Flush()
}

func share(n, of int) string {
	if of == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// within is a share with the 95 % interval of what it is an estimate of (Wilson 1927).
func within(n, of int) string {
	const z = 1.959964
	p, m := float64(n)/float64(of), float64(of)
	middle, half := (p+z*z/(2*m))/(1+z*z/m), z/(1+z*z/m)*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return fmt.Sprintf("%.1f %% (%.0f–%.0f)", 100*p, 100*(middle-half), 100*(middle+half))
}
