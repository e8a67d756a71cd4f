package synthetic

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/lectern-dev/lectern/experiment/ope"
)

// Write shows rows to people.
func Write(w io.Writer, rows []Row) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TARGET\tTRUTH\tLOG\tSUPPORT\tEFFECTIVE\tREFUSED\tMISSED\tSNIPS\tDR\tSNIPS GAIN\tDR GAIN\tDR ERROR\tDR WIDTH")
	for i := range rows {
		r := &rows[i]
		snips, dr := r.By[ope.NameSNIPS], r.By[ope.NameDR]
		fmt.Fprintf(t, "%s\t%.4f\t%.4f\t%.3f\t%.0f\t%d of %d\t%d\t%s\t%s\t%s\t%s\t", r.Target, r.Truth, r.Logged, r.Support, r.Effect, r.Refused, r.Asked, r.Missed,
			share(snips.Held, r.Answered()), share(dr.Held, r.Answered()), share(snips.GainHeld, r.Answered()), share(dr.GainHeld, r.Answered()))
		if r.Answered() == 0 {
			fmt.Fprintln(t, "\t")
			continue
		}
		fmt.Fprintf(t, "%.4f\t%.4f\n", dr.Error, dr.Width)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nBy estimator, over all targets that were answered:\n\n")
	t = tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
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
