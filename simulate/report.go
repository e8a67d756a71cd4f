package simulate

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lectern-dev/lectern"
)

// Write writes the run as a table by week, with a line for all of it.
func (r Run) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "days\tvisits\tlists\tlooks\tclicks\tenrols\tbegun\tcompleted\tdropped\tdismissed\treports\treward\tvalue\texplored\tregret\t")
	for from := 0; from < len(r.Days); from += 7 {
		to := min(from+7, len(r.Days))
		var sum Day
		for _, d := range r.Days[from:to] {
			sum.add(d)
		}
		sum.write(t, fmt.Sprintf("%d–%d", r.Days[from].Number, r.Days[to-1].Number))
	}
	r.Total().write(t, "all")
	if err := t.Flush(); err != nil {
		return err
	}
	n := r.New
	_, err := fmt.Fprintf(w, "\n%d learners. New courses: %d, of which %d good, %d of these found, after %.1f days; %d looks at new ones (%d by learners whom they fit), %d clicks, %d enrolments.\nSimulated in %s.\n",
		r.Learners, n.Courses, n.Good, n.Found, n.Days, n.Looks, n.Fit, n.Clicks, n.Enrols, r.Took.Round(time.Second/10))
	return err
}

func (d Day) write(w io.Writer, name string) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f\t%.1f\t%d\t%.2f\t\n", name, d.Visits, d.Lists, d.Impressions,
		d.Clicks, d.Enrols, d.Progressed, d.Completions, d.Drops, d.Dismissals, d.Reports, d.Reward, d.Value, d.Places, d.Oracle-d.Explored)
}

// ParseEffect reads EXPERIMENT/ARM:clicks=1.05,enrols=1.1.
func ParseEffect(text string) (Effect, error) {
	fail := fmt.Errorf("the effect %q is not of the form EXPERIMENT/ARM:clicks=1.05 or EXPERIMENT/ARM:enrols=1.1", text)
	name, what, ok := strings.Cut(text, ":")
	experiment, arm, named := strings.Cut(name, "/")
	if !ok || !named || experiment == "" || arm == "" {
		return Effect{}, fail
	}
	e := plain()
	e.Arm = lectern.ArmRef{Experiment: experiment, Arm: arm}
	for part := range strings.SplitSeq(what, ",") {
		key, value, _ := strings.Cut(part, "=")
		x, err := strconv.ParseFloat(value, 64)
		if err != nil || x < 0 {
			return Effect{}, fail
		}
		switch key {
		case "clicks":
			e.Clicks = x
		case "enrols":
			e.Enrols = x
		default:
			return Effect{}, fail
		}
	}
	return e, nil
}
