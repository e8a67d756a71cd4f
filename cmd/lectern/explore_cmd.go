package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern/experiment/learn"
)

func newExploreCommand() *cobra.Command {
	return parent("explore", "See what exploration has learnt, and learn it anew",
		newExploreStatusCommand(), newExploreRebuildCommand())
}

// withLearning opens the store and hands what learns from it on.
func withLearning(cmd *cobra.Command, f func(ctx context.Context, x *learning) error) error {
	return withExistingStore(cmd, func(env environment) error {
		settings, err := keptExploration(env)
		if err != nil {
			return err
		}
		if err := settings.Look(cmd.Context()); err != nil {
			return err
		}
		x, err := newLearning(env, settings, nil)
		if err != nil {
			return err
		}
		return f(cmd.Context(), x)
	})
}

func newExploreStatusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "Print how far learning is, what was earned, and what the guardrails found", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withLearning(cmd, func(ctx context.Context, x *learning) error {
				s, err := x.Status(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), s)
				}
				return printExploring(cmd.OutOrStdout(), s)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withConfigFlags(cmd)
}

func printExploring(out io.Writer, s learn.Status) error {
	state := "lists explore"
	if !s.Enabled {
		state = "no list explores"
	}
	fmt.Fprintf(out, "%s: settings %s, policy %s\n", state, s.Settings, s.Policy)
	if s.Stopped != nil {
		fmt.Fprintf(out, "a guardrail stopped exploration on %s: %s\n", s.Stopped.At.Format(time.RFC3339), s.Stopped.Reason)
	}
	l := s.Learning
	fmt.Fprintf(out, "learnt up to event %d, %.0f s behind: from %d impressions and %d rewards\n", l.Position, l.Lag, l.Impressions, l.Rewards)
	if len(s.Versions) > 0 {
		v := s.Versions[0]
		fmt.Fprintf(out, "posterior: version %d of %s, up to event %d\n", v.Version, v.CreatedAt.Format(time.RFC3339), v.Position)
	} else {
		fmt.Fprintln(out, "posterior: none yet")
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "\nREWARD (since %s)\tEXPLORED\tOTHERS\tVALUE\n", s.Guard.Since.Format(time.RFC3339))
	for _, r := range s.Rewards {
		fmt.Fprintf(w, "%s\t%d\t%d\t%.1f\n", r.Name, r.Explored, r.Others, r.Value)
	}
	fmt.Fprint(w, "\nCOURSES\tEXPLORED\tOTHERS\n")
	for _, a := range s.Acts {
		fmt.Fprintf(w, "%s\t%d\t%d\n", a.Name, a.Explored, a.Others)
	}
	printGuardrails(w, s.Guard)
	return w.Flush()
}

// printGuardrails prints what the guardrails found on all surfaces together and on each.
func printGuardrails(w io.Writer, g learn.Guarding) {
	fmt.Fprintln(w, "\nGUARDRAIL\tSURFACE\tEXPLORED\tOTHERS\tLIMIT\tBOUND\tTRIPS")
	printChecks(w, "all", g.Checks)
	for _, s := range g.Surfaces {
		printChecks(w, string(s.Surface), s.Checks)
	}
	fmt.Fprintln(w, "LIMIT is of EXPLORED ÷ OTHERS; BOUND is what that is surely, as far as can be said. A guardrail trips when BOUND is beyond LIMIT.")
	if g.Seen < g.Needs {
		fmt.Fprintf(w, "nothing is concluded before %d explored impressions; there are %d\n", g.Needs, g.Seen)
	}
	for _, s := range g.Surfaces {
		if s.Stopped != nil {
			fmt.Fprintf(w, "a guardrail stopped exploration on %s on %s: %s\n", s.Surface, s.Stopped.At.Format(time.RFC3339), s.Stopped.Reason)
		}
		if s.Seen < g.Needs && g.Seen >= g.Needs {
			fmt.Fprintf(w, "nothing is concluded on %s alone before %d explored impressions; there are %d\n", s.Surface, g.Needs, s.Seen)
		}
	}
}

func printChecks(w io.Writer, surface string, checks []learn.Check) {
	for _, c := range checks {
		bound, limit, at, from := "-", "-", "at least", "above"
		if c.Name == learn.GuardClicks {
			at, from = "at most", "below"
		}
		if c.Bound != nil {
			bound = fmt.Sprintf("%s %.3g", at, *c.Bound)
		}
		if c.Limit > 0 {
			limit = fmt.Sprintf("%s %g", from, c.Limit)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%t\n", c.Name, surface, printRate(c.Explored), printRate(c.Others), limit, bound, c.Tripped)
	}
}

// printRate prints a share, "-" of nothing.
func printRate(r learn.Rate) string {
	if r.Of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3g %%", 100*r.Rate)
}

func newExploreRebuildCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rebuild", Short: "Learn everything anew from the log of events", Args: noArgs,
		Long: "Learn everything anew from the log of events, from nothing. Servers may run: they go on with what they\n" +
			"have, and change over at once when it is done.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withLearning(cmd, func(ctx context.Context, x *learning) error {
				begin := time.Now()
				told := begin
				err := x.Rebuild(ctx, func(position int64) {
					if now := time.Now(); now.Sub(told) >= time.Second {
						told = now
						fmt.Fprintf(cmd.ErrOrStderr(), "learnt up to event %d\n", position)
					}
				})
				if err != nil {
					return err
				}
				s, err := x.Status(ctx)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "learnt anew from %d impressions and %d rewards in %s\n",
					s.Learning.Impressions, s.Learning.Rewards, time.Since(begin).Round(time.Millisecond))
				return err
			})
		},
	}
	return withConfigFlags(cmd)
}
