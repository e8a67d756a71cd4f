package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/experiment"
)

func newExperimentsHoldoutCommand() *cobra.Command {
	asked := make(map[string]*string)
	var format string
	cmd := &cobra.Command{
		Use: "holdout", Short: "Set those held out against everybody else: what trying is worth", Args: noArgs,
		Long: "Set those held out of all experiments and exploration against everybody else. Who is held out follows from experiments.holdout, which must be as the servers have it.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := api.HoldoutRequest(func(name string) string {
				if v := asked[name]; v != nil {
					return *v
				}
				return ""
			})
			if err != nil {
				return usageError{err}
			}
			return withExperiments(cmd, func(ctx context.Context, s *experiment.Service, _ environment) error {
				r, err := s.Holdout(ctx, q)
				if err != nil {
					return err
				}
				return printAs(cmd, format, &r, func(w io.Writer) error { return printHoldout(w, &r) })
			})
		},
	}
	for name, usage := range map[string]string{
		"from": "first day, such as 2026-01-31", "to": "last day; without it today", "days": "so many days up to the last, in place of --from; without both 28, or since the holdout last changed",
		"metrics": "names, separated by commas; the first one decides", "before-days": "days before the holdout began that narrow the intervals; 0 for none",
	} {
		key := name
		if name == "before-days" {
			key = "before_days"
		}
		asked[key] = cmd.Flags().String(name, "", usage)
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, json or csv")
	return withConfigFlags(cmd)
}

// printHoldout writes the verdict, who is in the groups, and the metrics.
func printHoldout(w io.Writer, r *experiment.HoldoutResults) error {
	fmt.Fprintf(w, "%s to %s, %.4g %% held out: %s\n%s\n\n", r.From, r.To, 100*r.Share, r.Verdict.State, r.Verdict.Reason)
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "WARNING: %s\n\n", warning)
	}
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "GROUP\tPLANNED\tPEOPLE\tPROTECTED\tTRIED ON\tMIXED")
	groups := make([]string, len(r.Groups))
	for i, g := range r.Groups {
		groups[i] = g.Name
		fmt.Fprintf(out, "%s\t%.1f %%\t%d\t%d\t%d\t%d\n", g.Name, 100*g.Share, g.People, g.Protected, g.Tried, g.Mixed)
	}
	fmt.Fprintln(out)
	printLevels(out, "GROUP", groups, r.Metrics)
	if err := out.Flush(); err != nil {
		return err
	}
	for _, note := range r.Notes {
		fmt.Fprintln(w, "note:", note)
	}
	return nil
}
