package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/preview"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
)

// previewFlags are what lectern config rerank preview was asked.
type previewFlags struct {
	draft, patch, segments string // files, or - for standard input
	surface, row           string
	sample, details        int
	asJSON                 bool
	req                    preview.Request
}

func newRerankPreviewCommand() *cobra.Command {
	var f previewFlags
	cmd := &cobra.Command{
		Use: "preview (--draft FILE | --patch FILE)", Args: noArgs,
		Short: "Show what other rerank settings would change, before anybody sees it",
		Long: `Makes the lists of some learners twice, by the settings in use and by a draft, and
says how far they differ: overlap, moves, which courses enter and leave, and what
becomes of diversity, coverage, freshness and the shares of providers. Nothing is
stored and nothing is recorded. A draft is a whole document; a patch is a JSON merge
patch on the settings in use. FILE may be - for standard input.`,
		Example: `  lectern config rerank preview --draft draft.json
  echo '{"weights":{"home":{"popularity":0}}}' | lectern config rerank preview --patch - --sample 500
  lectern config rerank preview --patch p.json --learner learner-00042 --details 1`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			document, patch, err := f.read(cmd)
			if err != nil {
				return err
			}
			return withLists(cmd, func(ctx context.Context, e *engine) error {
				if err := e.models.Look(ctx); err != nil {
					return err
				}
				return f.run(ctx, cmd, e, document, patch)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.draft, "draft", "", "a whole document: a file, or -")
	flags.StringVar(&f.patch, "patch", "", "a merge patch on the settings in use: a file, or -")
	flags.StringVar(&f.surface, "surface", "home", "home, search, similar, next or trending")
	flags.StringVar(&f.row, "row", "", "a row of home pages")
	flags.StringVar(&f.req.Query, "query", "", "what to search for, of search")
	flags.StringVar(&f.req.CourseID, "course", "", "the course that similar or next is about")
	flags.StringSliceVar(&f.req.Learners, "learner", nil, "compare the lists of this learner; may be repeated")
	flags.StringVar(&f.segments, "segments", "", "a file with a JSON array of segments: name, audience, sample")
	flags.IntVar(&f.sample, "sample", -1, "compare a sample of everybody; 100 where nobody else is asked for")
	flags.BoolVar(&f.req.Visitors, "visitors", false, "draw samples from visitors too")
	flags.BoolVar(&f.req.Nobody, "nobody", false, "compare the list of one of whom nothing is known")
	flags.Uint64Var(&f.req.Seed, "seed", 0, "of the samples: the same seed draws the same learners")
	flags.IntVar(&f.req.K, "k", preview.DefaultK, "first places that count")
	flags.IntVar(&f.details, "details", 0, "learners whose lists are shown side by side")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	return withConfigFlags(cmd)
}

// read reads what the flags name.
func (f *previewFlags) read(cmd *cobra.Command) (document, patch []byte, err error) {
	if (f.draft == "") == (f.patch == "") {
		return nil, nil, usageError{fmt.Errorf("give one of --draft and --patch")}
	}
	if document, err = readArgument(cmd, f.draft); err != nil {
		return nil, nil, err
	}
	if patch, err = readArgument(cmd, f.patch); err != nil {
		return nil, nil, err
	}
	body, err := readArgument(cmd, f.segments)
	if err != nil {
		return nil, nil, err
	}
	if body != nil {
		if err := json.Unmarshal(body, &f.req.Segments); err != nil {
			return nil, nil, usageError{fmt.Errorf("--segments: %s holds no JSON array of segments: %w", f.segments, err)}
		}
	}
	f.req.Surface, f.req.Row = lectern.Surface(f.surface), lectern.Row(f.row)
	f.req.Details = &f.details
	if f.sample >= 0 {
		f.req.Sample = &f.sample
	}
	return document, patch, nil
}

// readArgument reads a file, or standard input for -; nil for no name.
func readArgument(cmd *cobra.Command, name string) ([]byte, error) {
	switch name {
	case "":
		return nil, nil
	case "-":
		return io.ReadAll(cmd.InOrStdin())
	}
	return os.ReadFile(name) //nolint:gosec // the caller's own file
}

// previewDocument is a preview as JSON.
type previewDocument struct {
	Base     string             `json:"base"`
	Diff     []rerank.Change    `json:"diff"`
	Warnings []settings.Warning `json:"warnings"`
	preview.Report
}

func (f *previewFlags) run(ctx context.Context, cmd *cobra.Command, e *engine, document, patch []byte) error {
	d, err := e.settings.Draft(ctx, document, patch)
	if err != nil {
		return err
	}
	previews, err := newPreviews(e)
	if err != nil {
		return err
	}
	f.req.Old, f.req.New = d.Old, d.New
	report, err := previews.Run(ctx, f.req)
	if err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(cmd.OutOrStdout(), previewDocument{Base: d.Base.Name, Diff: d.Diff, Warnings: d.Warnings, Report: report})
	}
	return printPreview(cmd.OutOrStdout(), d, report)
}

// printPreview shows a preview to people.
func printPreview(w io.Writer, d settings.Draft, r preview.Report) error {
	fmt.Fprintf(w, "%s against a draft: %s in the document, %s in %d ms\n", d.Base.Name, counted(len(d.Diff), "difference"), counted(r.Overall.Learners, "list"), r.TookMS)
	for _, warning := range d.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning.Message)
	}
	if r.Partial {
		fmt.Fprintln(w, "Time was up before everybody was compared.")
	}
	if len(r.Unknown) > 0 {
		fmt.Fprintf(w, "not known: %s\n", strings.Join(r.Unknown, ", "))
	}
	if r.Failed > 0 {
		fmt.Fprintf(w, "%s could not be made: %s\n", counted(r.Failed, "list"), r.Failure)
	}
	for _, part := range slices.Sorted(maps.Keys(r.Degraded)) {
		fmt.Fprintf(w, "without %s: %s\n", part, counted(r.Degraded[part], "list"))
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "\nGROUP\tLISTS\tOVERLAP@%d\tRBO\tCHANGED\tMOVE\tDIVERSITY\tCOURSES\tMEDIAN AGE\n", r.K)
	for _, g := range append([]preview.Group{r.Overall}, r.Groups...) {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%d → %d\t%s\n", g.Name, g.Learners, estimated(g.Overlap), estimated(g.RBO),
			estimated(g.Changed), estimated(g.Move), shifted(g.Diverse), g.Cover.Old, g.Cover.New, aged(g.Age))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if err := printTraffic(w, r.Overall); err != nil {
		return err
	}
	for _, detail := range r.Details {
		if err := printSideBySide(w, detail); err != nil {
			return err
		}
	}
	return nil
}

func estimated(e *preview.Estimate) string {
	switch {
	case e == nil:
		return "-"
	case e.Low == nil:
		return fmt.Sprintf("%.3f", e.Mean)
	}
	return fmt.Sprintf("%.3f ± %.3f", e.Mean, *e.High-e.Mean)
}

func shifted(s *preview.Shift) string {
	if s == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f → %.3f", s.Old, s.New)
}

func aged(a *preview.Age) string {
	if a == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f → %.0f days", a.Median.Old, a.Median.New)
}

func printTraffic(w io.Writer, g preview.Group) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, part := range []struct {
		title  string
		counts []preview.Count
	}{{"ENTERED", g.Entered}, {"LEFT", g.Left}} {
		if len(part.counts) > 0 {
			fmt.Fprintf(t, "\n%s\tLISTS\t\n", part.title)
		}
		for _, c := range part.counts {
			fmt.Fprintf(t, "%s\t%d\t%s\n", c.CourseID, c.Lists, c.Title)
		}
	}
	if len(g.Providers) > 0 {
		fmt.Fprintf(t, "\nPROVIDER\tSHARE\t\n")
	}
	for _, p := range g.Providers {
		if p.Old != p.New {
			fmt.Fprintf(t, "%s\t%.1f %% → %.1f %%\t\n", p.Provider, 100*p.Old, 100*p.New)
		}
	}
	fmt.Fprintf(t, "\nTERM\tMEAN VALUE\tWEIGHT\n")
	for _, term := range g.Terms {
		if term.OldWeight > 0 || term.NewWeight > 0 {
			fmt.Fprintf(t, "%s\t%s → %s\t%.3f → %.3f\n", term.Name, optionalNumber(term.Old), optionalNumber(term.New), term.OldWeight, term.NewWeight)
		}
	}
	return t.Flush()
}

func optionalNumber(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", *v)
}

func printSideBySide(w io.Writer, d preview.Detail) error {
	who := d.Learner
	if who == "" {
		who = "nobody"
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "\n%s: overlap %.2f, rbo %.2f\nOLD\tNEW\tCHANGE\tBY\n", who, d.Overlap, d.RBO)
	for i := range max(len(d.Old), len(d.New)) {
		old, fresh, change, by := "", "", "", ""
		if i < len(d.Old) {
			old = d.Old[i].Title
			if d.Old[i].Change == "left" {
				old += " (left: " + d.Old[i].Moved + ")"
			}
		}
		if i < len(d.New) {
			fresh, change, by = d.New[i].Title, d.New[i].Change, d.New[i].Moved
			if d.New[i].Other != nil && change != "same" {
				change += fmt.Sprintf(" from %d", *d.New[i].Other+1)
			}
		}
		fmt.Fprintf(t, "%d %s\t%s\t%s\t%s\n", i+1, old, fresh, change, by)
	}
	return t.Flush()
}
