package recs

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteTable prints the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	r.writeData(&b)
	if len(r.Models) > 0 {
		r.writeModels(&b)
		r.writeDifferences(&b)
		r.writeValidation(&b)
		r.writeSlices(&b)
	}
	r.writeStages(&b)
	if r.Took > 0 {
		fmt.Fprintf(&b, "\n%s in all", r.Took.Round(10*time.Millisecond))
		if r.MemoryMB > 0 {
			fmt.Fprintf(&b, ", %.0f MB of memory", r.MemoryMB)
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// facts are the sentences that stand above every table: what was asked of what.
func (r *Report) facts() []string {
	d := r.Data
	out := []string{
		fmt.Sprintf("%s learners, %s courses, %s pairs to learn from; %s courses held back, %s lists judged",
			thousands(d.Learners), thousands(d.Courses), thousands(d.Events), thousands(d.Held), thousands(d.Cases)),
		"split: " + r.Protocol.Split,
		"order of a learner's rows: " + r.Protocol.Order,
		"ranking: " + r.Protocol.Ranking,
	}
	for _, n := range []struct {
		count int
		text  string
	}{
		{d.ColdLearners, "lists for learners of whom nothing is known"},
		{d.UnknownCourses, "courses held back are not in the training data: no model can find them, they count as misses"},
		{d.Again, "rows held back are courses that the learner had taken before: left out"},
		{d.Skipped, "learners have nothing held back: learnt from, not judged"},
		{d.Repeats, "rows repeat a pair: the first one counts"},
		{d.WithoutNegatives, "rows held back have no negatives: left out"},
		{d.SelfNegatives, "negatives are their own positive: skipped"},
		{d.UnknownNegatives, "negatives are not in the training data: no model can rank them, left out"},
	} {
		if n.count > 0 {
			out = append(out, thousands(n.count)+" "+n.text)
		}
	}
	for _, p := range []struct {
		what string
		Problems
	}{{"rows", d.Problems}, {"test rows", d.TestProblems}} {
		if p.Count > 0 {
			first := p.First[0]
			out = append(out, fmt.Sprintf("%s %s could not be read, the first on line %d: %s", thousands(p.Count), p.what, first.Line, first.Reason))
		}
	}
	return append(out, r.Protocol.Notes...)
}

func (r *Report) writeData(b *strings.Builder) {
	for _, f := range r.facts() {
		fmt.Fprintln(b, f)
	}
	b.WriteString("\n")
}

// columns returns the metrics that any model has.
func (r *Report) columns() []Metric {
	var out []Metric
	for _, m := range Metrics() {
		for _, model := range r.Models {
			if _, ok := model.Values[m]; ok {
				out = append(out, m)
				break
			}
		}
	}
	return out
}

// mark names a model in tables: * is the selected one, floors are in brackets.
func (r *Report) mark(m ModelScore) string {
	switch {
	case m.Name == r.Selected:
		return m.Name + " *"
	case m.Floor:
		return "(" + m.Name + ")"
	}
	return m.Name
}

func newTable(b *strings.Builder) *tabwriter.Writer {
	return tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
}

func (r *Report) writeModels(b *strings.Builder) {
	if r.Protocol.Sampled {
		b.WriteString("SAMPLED ranking among given negatives\n")
	}
	t := newTable(b)
	columns := r.columns()
	fmt.Fprint(t, "model\t")
	for _, m := range columns {
		fmt.Fprintf(t, "%s\t", m.At(r.K))
	}
	fmt.Fprint(t, "fit s\tµs/list\t\n")
	for _, model := range r.Models {
		fmt.Fprintf(t, "%s\t", r.mark(model))
		for _, m := range columns {
			if v, ok := model.Values[m]; ok {
				fmt.Fprintf(t, "%.4f\t", v)
			} else {
				fmt.Fprint(t, "–\t")
			}
		}
		fmt.Fprintf(t, "%.2f\t%.0f\t\n", model.FitSeconds, model.ListMicros)
	}
	_ = t.Flush() // a strings.Builder takes everything
	if r.index(r.Selected) >= 0 {
		fmt.Fprintf(b, "* selected by %s on a validation cut of the training data", r.Metric)
		if r.Cut != "" {
			fmt.Fprintf(b, " (%s)", r.Cut)
		}
		b.WriteString("; (floors) in brackets\n")
	}
	if r.Diversity != "" {
		fmt.Fprintf(b, "diversity: %s\n", r.Diversity)
	}
	for _, m := range r.Models {
		if m.BadScores > 0 {
			fmt.Fprintf(b, "FAULT: %s gave %s scores that are no finite number\n", m.Name, thousands(m.BadScores))
		}
	}
}

// writeDifferences prints intervals of the metric that the model was selected by.
func (r *Report) writeDifferences(b *strings.Builder) {
	if r.Resamples == 0 {
		return
	}
	metric := r.headline()
	fmt.Fprintf(b, "\n%s with 95 %% intervals (paired bootstrap over learners, %d draws)\n", metric.At(r.K), r.Resamples)
	t := newTable(b)
	fmt.Fprintf(t, "model\t%s\t[low, high]\tto %s\t[low, high]\tto %s\t[low, high]\t\n", metric, orDash(r.Selected), orDash(r.Floor))
	for _, m := range r.Models {
		in := m.Intervals[metric]
		fmt.Fprintf(t, "%s\t%.4f\t[%.4f, %.4f]\t", r.mark(m), m.Values[metric], in[0], in[1])
		for _, of := range []map[Metric]Difference{m.VsSelected, m.VsFloor} {
			if d, ok := of[metric]; ok {
				fmt.Fprintf(t, "%+.4f\t[%+.4f, %+.4f]\t", d.Mean, d.Low, d.High)
			} else {
				fmt.Fprint(t, "–\t–\t")
			}
		}
		fmt.Fprintln(t)
	}
	_ = t.Flush() // a strings.Builder takes everything
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// headline is the metric that models are compared by.
func (r *Report) headline() Metric {
	name, _, _ := strings.Cut(r.Metric, "@")
	for _, m := range ofLists() {
		if string(m) == name {
			return m
		}
	}
	return NDCG
}

// writeValidation prints what the choice was made by: figures on the training data
// alone, and the settings.
func (r *Report) writeValidation(b *strings.Builder) {
	keys := make(map[string]bool)
	for _, m := range r.Models {
		for name := range m.Validation {
			keys[name] = true
		}
	}
	if len(keys) == 0 {
		return
	}
	how := "defaults"
	if r.Tune > 0 {
		how = "tuned for up to " + r.Tune.String()
	}
	fmt.Fprintf(b, "\nvalidation (cut of the training data) and settings (%s)\n", how)
	names := sortedKeys(keys)
	t := newTable(b)
	fmt.Fprintf(t, "model\t%s\t  settings\n", strings.Join(names, "\t"))
	for _, m := range r.Models {
		fmt.Fprintf(t, "%s\t", r.mark(m))
		for _, name := range names {
			if v, ok := m.Validation[name]; ok {
				fmt.Fprintf(t, "%.4f\t", v)
			} else {
				fmt.Fprint(t, "–\t")
			}
		}
		var settings []string
		for _, p := range sortedKeys(m.Params) {
			settings = append(settings, p+"="+strconv.FormatFloat(m.Params[p], 'g', 4, 64))
		}
		fmt.Fprintf(t, "  %s\n", strings.Join(settings, " "))
	}
	_ = t.Flush() // a strings.Builder takes everything
}

// writeSlices prints the slices of the selected model beside the floor's.
func (r *Report) writeSlices(b *strings.Builder) {
	i, j := r.index(r.Selected), r.index(r.Floor)
	if i < 0 || len(r.Models[i].Slices) == 0 {
		return
	}
	fmt.Fprintf(b, "\nslices of %s\n", r.Selected)
	t := newTable(b)
	fmt.Fprintf(t, "by\tslice\tlists\theld back\t%s\t%s\t%s\t", Recall.At(r.K), HitRate.At(r.K), NDCG.At(r.K))
	if j >= 0 {
		fmt.Fprintf(t, "%s %s\t", r.Floor, Recall.At(r.K))
	}
	fmt.Fprintln(t)
	for n, s := range r.Models[i].Slices {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.4f\t%.4f\t%.4f\t", s.By, s.Name, thousands(s.Cases), thousands(s.Held), s.Recall, s.Hit, s.NDCG)
		if j >= 0 {
			fmt.Fprintf(t, "%.4f\t", r.Models[j].Slices[n].Recall)
		}
		fmt.Fprintln(t)
	}
	_ = t.Flush() // a strings.Builder takes everything
}

// writeStages prints the stages of the pipeline, and what is wrong with them.
func (r *Report) writeStages(b *strings.Builder) {
	if r.Stages != nil {
		fmt.Fprintf(b, "\nstages of the pipeline that serves, %s lists\n", thousands(r.StageLists))
		t := newTable(b)
		fmt.Fprintf(t, "stage\tkind\toffered\trecall of all\t%s\t%s\tlists\t\n", Recall.At(r.K), NDCG.At(r.K))
		for _, s := range r.Stages {
			fmt.Fprintf(t, "%s\t%s\t%.1f\t%.4f\t%s\t%s\t%s\t\n", s.Name, s.Kind, s.Offered, s.Recall, figure(s.RecallAt), figure(s.NDCGAt), thousands(s.Answered))
		}
		_ = t.Flush() // a strings.Builder takes everything
	}
	for _, f := range r.Faults {
		fmt.Fprintf(b, "FAULT: %s\n", f.Reason)
	}
}

// figure writes a value that may be missing.
func figure(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.4f", *v)
}

// thousands writes a count with its thousands parted.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
